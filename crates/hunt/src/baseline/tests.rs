//! What approvals cover, what they do not, and what is wrong with them.

use super::*;
use monologue_model::{ChannelKey, Service};

fn approval(signing_id: Option<&str>, team_id: Option<&str>, path: Option<&str>, service: &str) -> Approval {
    Approval {
        signing_id: signing_id.map(str::to_owned),
        team_id: team_id.map(str::to_owned),
        path: path.map(str::to_owned),
        service: service.to_owned(),
        hosts: Vec::new(),
        cadence_seconds: None,
        owner: "it".to_owned(),
        reason: "backup".to_owned(),
        evidence: String::new(),
        expires: "2027-06-30".to_owned(),
        expires_at: Timestamp::parse("2027-06-30T23:59:59Z").unwrap(),
        place: format!("baseline.toml:{service}").into(),
    }
}

fn baseline(approvals: Vec<Approval>) -> Baseline {
    Baseline::new(approvals, Timestamp::parse("2026-11-25T00:00:00Z").unwrap())
}

fn channel(team: Option<&str>, signing_id: &str, agent: Option<&str>, name: &str) -> Channel {
    let application = ApplicationKey::Signed {
        team: team.map(Into::into),
        signing_id: signing_id.into(),
        agent: agent.map(Into::into),
    };
    let key = ChannelKey { host: "mac-7".into(), application, service: Service::from_host_name(name) };
    let mut channel = Channel::new(key, Timestamp::default(), 10);
    channel.attributes.names.insert(name.into());
    channel
}

const TEAM: Option<&str> = Some("T3AM000001");

#[test]
fn an_application_is_approved_by_signature_and_service_and_not_by_name() {
    let baseline = baseline(vec![approval(Some("example.backup"), TEAM, None, "backup.example")]);
    let says = |channel: &Channel| baseline.word(channel, None);
    assert!(says(&channel(TEAM, "example.backup", None, "eu.backup.example")).approval.is_some());
    let elsewhere = says(&channel(TEAM, "example.backup", None, "paste.example"));
    assert_eq!(elsewhere.drift.as_deref(), Some("approved (by it) for backup.example, and not for paste.example"));
    let stolen = says(&channel(Some("0THER00001"), "example.backup", None, "eu.backup.example"));
    assert!(stolen.approval.is_none());
    assert_eq!(stolen.drift.as_deref(), Some("approved (by it) as of team T3AM000001, and signed by team 0THER00001"));
    assert_eq!(says(&channel(TEAM, "example.other", None, "eu.backup.example")), Word::default());
}

#[test]
fn an_interpreter_is_approved_for_one_script_only() {
    let script = Some("/Library/Agent/report.sh");
    let listed = baseline(vec![approval(Some("com.apple.curl"), None, script, "report.example")]);
    let broad = baseline(vec![approval(Some("com.apple.curl"), None, None, "report.example")]);
    let ours = channel(None, "com.apple.curl", script, "report.example");
    assert!(listed.word(&ours, None).approval.is_some());
    assert!(
        listed.word(&channel(None, "com.apple.curl", Some("/tmp/x.sh"), "report.example"), None).approval.is_none()
    );
    assert!(broad.word(&ours, None).approval.is_none(), "it would approve every script");
    assert!(broad.lint().iter().any(|lint| lint.what.starts_with("approves nothing")), "{:?}", broad.lint());
}

#[test]
fn another_cadence_is_drift_and_none_contradicts_nothing() {
    let mut regular = approval(Some("example.backup"), TEAM, None, "backup.example");
    regular.cadence_seconds = Some(3600.0);
    let baseline = baseline(vec![regular]);
    let ours = channel(TEAM, "example.backup", None, "backup.example");
    assert!(baseline.word(&ours, None).approval.is_some());
    assert!(baseline.word(&ours, Some(3_300_000_000_000)).approval.is_some());
    let faster = baseline.word(&ours, Some(45_000_000_000));
    assert_eq!(faster.drift.as_deref(), Some("approved (by it) with a request every 60.0 min, and it keeps 45.0 s"));
}

#[test]
fn hosts_names_and_days_bound_it() {
    let mut one = approval(Some("example.backup"), TEAM, None, "*.cdn.example");
    one.hosts = vec!["mac-*".to_owned()];
    let ours = channel(TEAM, "example.backup", None, "a.b.cdn.example");
    assert!(baseline(vec![one.clone()]).word(&ours, None).approval.is_some());
    assert!(
        baseline(vec![one.clone()])
            .word(&channel(TEAM, "example.backup", None, "cdn.example"), None)
            .approval
            .is_none()
    );
    let mut other = one.clone();
    other.hosts = vec!["lab-*".to_owned()];
    assert_eq!(baseline(vec![other]).word(&ours, None), Word::default());
    one.expires_at = Timestamp::parse("2026-11-24T23:59:59Z").unwrap();
    assert_eq!(baseline(vec![one.clone()]).word(&ours, None), Word::default());
    assert!(baseline(vec![one]).lint().iter().any(|lint| lint.what.starts_with("expired on")));
}

#[test]
fn lints_name_what_nobody_can_answer_for() {
    let said = |approvals: Vec<Approval>| -> Vec<String> {
        baseline(approvals)
            .lint()
            .into_iter()
            .map(|lint| lint.what.split([':', ' ']).next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(said(vec![approval(Some("example.backup"), TEAM, None, "backup.example")]), Vec::<String>::new());
    assert_eq!(said(vec![approval(None, None, Some("~/bin/x"), "backup.example")]), ["unsigned"]);
    assert_eq!(said(vec![approval(Some("example.backup"), None, None, "backup.example")]), ["no"]);
    assert_eq!(said(vec![approval(Some("example.backup"), TEAM, None, "*")]), ["too"]);
    let wide = approval(Some("example.backup"), TEAM, None, "*.backup.example");
    let narrow = approval(Some("example.backup"), TEAM, None, "eu.backup.example");
    assert_eq!(said(vec![narrow, wide.clone()]), ["shadowed"]);
    assert_eq!(said(vec![wide.clone(), wide]), ["shadowed"], "the second of two that are alike");
}

#[test]
fn stars_stand_for_any_text() {
    assert!(fits("mac-*", "mac-7") && fits("*", "") && fits("a*b*c", "a-b-b-c") && fits("x", "x"));
    assert!(!fits("mac-*", "ipad-7") && !fits("a*b", "a-c") && !fits("x", "xy") && !fits("ab*b", "ab"));
}
