//! Steps of findings made by hand.

use super::*;
use monologue_model::{
    Application, AttackReference, BlindSpot, ChannelId, Cite, DestinationSummary, LargestBytes, Level, Prevalence,
    Provenance, RelatedChannel, SCHEMA, Sha256, Sight, SignalOutcome,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

fn id() -> ChannelId {
    let service = monologue_model::Service::Unknown;
    let application = monologue_model::ApplicationKey::Unknown;
    monologue_model::ChannelKey { host: "anna-mac".into(), application, service }.id()
}

fn finding(disposition: Disposition) -> Finding {
    Finding {
        schema: SCHEMA,
        id: id(),
        supersedes: Vec::new(),
        host: "anna-mac".into(),
        application: Application {
            path: Some("~/Library/agentd".into()),
            name: "agentd".into(),
            signature: SignatureState::AdHoc,
            ..Application::default()
        },
        user: None,
        destination: DestinationSummary {
            host: "a.quiet.example".into(),
            hosts: vec!["a.quiet.example".into()],
            service: "quiet.example".into(),
            ips: vec!["203.0.113.7".parse().unwrap()],
            ports: vec![443],
        },
        disposition,
        leaning: None,
        confidence: None,
        layers: Vec::new(),
        contradictions: Vec::new(),
        sentence: String::new(),
        readings: Vec::new(),
        level: Level::High,
        level_reason: None,
        score: 0.9,
        // 24 November 2026, 08:00:00 UTC.
        first_time: at(1_795_507_200),
        last_time: at(1_795_507_200 + 3600),
        exchanges: 40,
        largest: LargestBytes::default(),
        signals: Vec::new(),
        blind: Vec::new(),
        approval: None,
        period_seconds: Some(600.0),
        drift: None,
        related: Vec::new(),
        prevalence: Prevalence { hosts: 1, of: 14 },
        attack: AttackReference::of(disposition),
        triage: Vec::new(),
        timeline: Vec::new(),
    }
}

fn with(steps: &[String], start: &str) -> String {
    steps.iter().find(|step| step.starts_with(start)).cloned().unwrap_or_default()
}

#[test]
fn each_step_names_what_this_finding_is_about() {
    for disposition in [
        Disposition::NoReply,
        Disposition::ReplyUnhandled,
        Disposition::PullOnly,
        Disposition::TwoWay,
        Disposition::Unknown,
    ] {
        let steps = steps(&finding(disposition));
        assert!(steps.len() >= 6, "{steps:?}");
        for step in &steps {
            let own = ["anna-mac", "a.quiet.example", "agentd", "quiet.example"];
            assert!(own.iter().any(|name| step.contains(name)), "{disposition:?}: filler: {step}");
        }
        assert!(with(&steps, "Look first").contains("none of the other 13 hosts"), "{steps:?}");
        assert!(with(&steps, "Close as benign").contains(r#"path = "~/Library/agentd", service = "quiet.example""#));
    }
}

#[test]
fn a_destination_that_no_record_names_is_neither_blocked_nor_approved() {
    let mut unnamed = finding(Disposition::Unknown);
    unnamed.destination.host = "unknown".into();
    unnamed.destination.service = "unknown".into();
    unnamed.destination.hosts = Vec::new();
    unnamed.destination.ips.clear();
    unnamed.level = Level::Medium;
    let steps = steps(&unnamed);
    assert!(with(&steps, "Look first").contains("which destination agentd asked"), "{steps:?}");
    assert!(with(&steps, "Contain").ends_with("isolate anna-mac"), "{steps:?}");
    assert!(with(&steps, "Close as benign").ends_with("until then it stays open"), "{steps:?}");
    assert!(steps.iter().all(|step| !step.contains(" unknown")), "{steps:?}");
}

#[test]
fn a_program_where_only_macos_can_write_is_not_asked_to_be_signed() {
    let closing = |path: &str| {
        let mut found = finding(Disposition::Unknown);
        found.application.path = Some(path.into());
        found.application.signature = SignatureState::Unknown;
        with(&steps(&found), "Close as benign")
    };
    assert!(closing("/usr/libexec/agentd").contains("`codesign -dvvv /usr/libexec/agentd` on anna-mac names Apple"));
    for elsewhere in ["/usr/local/bin/agentd", "/System/Volumes/Data/agentd", "/usr/libexec/../../tmp/agentd"] {
        assert!(closing(elsewhere).contains("ask for it to be signed"), "{elsewhere}");
    }
}

#[test]
fn the_log_is_asked_for_from_two_minutes_before_to_two_minutes_after() {
    let steps = steps(&finding(Disposition::NoReply));
    let step = with(&steps, "Collect the log");
    assert!(step.contains("--start '2026-11-24 07:58:00+0000' --end '2026-11-24 09:02:00+0000'"), "{step}");
    assert!(step.contains(r#"--predicate 'process == "agentd"'"#), "{step}");
}

#[test]
fn a_hostile_path_stays_words_of_every_command() {
    let marker = std::env::temp_dir().join(format!("monologue-triage-{}", std::process::id()));
    let mut hostile = finding(Disposition::Unknown);
    hostile.application.path = Some(format!("/tmp/a'; touch {}; '\"$(touch {0})", marker.display()).into());
    hostile.application.name = "a".into();
    let mut commands = 0;
    for step in steps(&hostile).iter().filter(|step| step.starts_with("Collect")) {
        for command in step.split('`').skip(1).step_by(2) {
            // Printed, not run: only what escapes its quotes would act.
            let shell = std::process::Command::new("sh").args(["-c", &format!("printf '%s\n' {command}")]).output();
            assert!(shell.unwrap().status.success(), "{command}");
            assert!(!marker.exists(), "{command}");
            commands += 1;
        }
    }
    assert!(commands >= 7, "{commands}");
}

#[test]
fn what_was_done_is_cited_and_the_host_is_isolated() {
    let mut acted = finding(Disposition::PullOnly);
    let provenance = Provenance { source: "es.ndjson".into(), offset: 81, length: 9, sha256: Sha256::of(b"x") };
    acted.signals.push(SignalOutcome {
        id: "effect.acted-on-reply",
        judgement: "supports",
        weight: 5.0,
        why: String::new(),
        seen: 1,
        of: 1,
        cites: vec![Cite { provenance, note: "started /bin/sh".into() }],
    });
    let service = "results.example".into();
    acted.related.push(RelatedChannel { id: id(), service, disposition: Disposition::Unknown, results: 3 });
    let steps = steps(&acted);
    assert!(with(&steps, "Look first").contains("started /bin/sh (es.ndjson at byte 81)"), "{steps:?}");
    assert!(with(&steps, "Look at results.example").contains("3 of its requests"));
    assert!(with(&steps, "Contain").contains("isolate anna-mac"));
}

#[test]
fn without_a_program_that_is_what_to_find_and_it_cannot_be_closed() {
    let mut nobody = finding(Disposition::Unknown);
    nobody.application = Application { name: "unknown".into(), ..Application::default() };
    nobody.level = Level::Low;
    nobody.blind.push(BlindSpot {
        sight: Sight::FlowReply,
        seen: 3,
        of: 40,
        consequence: String::new(),
        collect: "place a sensor".to_owned(),
    });
    let steps = steps(&nobody);
    assert!(steps[0].contains("`sudo lsof -nP -i @203.0.113.7` while it runs (it asks every 10 min)"), "{}", steps[0]);
    assert!(steps[1].contains("flow.reply was seen for 3 of 40"), "{}", steps[1]);
    assert!(with(&steps, "Close").contains("without the program it stays open"));
    assert!(with(&steps, "Contain").is_empty(), "a low level is not contained");
}
