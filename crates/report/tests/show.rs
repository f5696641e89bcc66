//! Coverage, explanation and evidence of the fixed report.
#![cfg(test)]

mod fixed;

use fixed::{HOSTILE, finding, report, written};
use monologue_model::Report;
use monologue_report::{
    coverage::COVERAGE_OUTPUTS,
    evidence::{self, HashedFile, InForce},
    explain::{self, Explained, Raw, RawState},
};

const THRESHOLDS: [f64; 4] = [0.1, 0.5, 0.9, 0.99];

fn acts(text: &str) -> bool {
    ['\u{1b}', '\u{202e}', '\u{7f}'].into_iter().any(|character| text.contains(character))
}

#[test]
fn every_form_of_coverage_is_as_reviewed() {
    let mut report = report(Vec::new());
    report.summary.coverage[0].host = "mac-01<b>".into();
    for output in COVERAGE_OUTPUTS {
        let mut bytes = Vec::new();
        output.write(&report, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        if matches!(output.name(), "html" | "svg") {
            assert!(!text.contains("<b>01") && !text.contains("mac-01<b>"), "{}", output.name());
        }
        insta::assert_snapshot!(format!("coverage-{}", output.name()), text);
    }
}

#[test]
fn coverage_of_nothing_says_so() {
    for output in COVERAGE_OUTPUTS {
        let mut bytes = Vec::new();
        output.write(&Report::default(), &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        match output.name() {
            "json" => assert!(text.contains("\"hosts\":[]"), "{text}"),
            "svg" => assert!(text.ends_with("</svg>\n"), "{text}"),
            _ => assert!(text.contains("No host was seen at all"), "{text}"),
        }
    }
}

#[test]
fn a_claim_that_compares_hosts_says_how_many_it_takes() {
    let told = |needed: u64| {
        let mut report = report(Vec::new());
        report.summary.claims.summary[0].claim.hosts = needed;
        let mut bytes = Vec::new();
        COVERAGE_OUTPUTS.iter().find(|output| output.name() == "text").unwrap().write(&report, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(told(10).contains("would be seen (that takes 10 hosts, and here are 1)"), "{}", told(10));
    assert!(!told(1).contains("that takes"));
}

fn explained(line: &str, evidence: &[Raw]) -> String {
    let mut bytes = Vec::new();
    explain::write(&Explained::from_json(line).unwrap(), evidence, &THRESHOLDS, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_finding_read_back_from_json_is_explained_and_its_sum_checked() {
    let line = written("json", &report(vec![finding(1, false)]));
    let told = explained(&line, &[]);
    // −20 + 10 + 10 + 8 is 8, and 1 / (1 + 10^-0.8) is 0.863.
    assert!(told.contains("The sum +8.0 means 0.863, as the finding says: level medium"), "{told}");
    // Without either ten it is −2, which is 0.387; without the clock it is 0, still medium.
    assert!(told.contains("without wire.no-reply it would be low (0.387)"), "{told}");
    assert!(!told.contains("without time.cadence it"), "{told}");
    // Odds of nine to one are 9.54 decibans.
    assert!(told.contains("+1.5 decibans more would make the score high"), "{told}");
    assert!(told.contains("needs all 40 requests"), "{told}");
}

#[test]
fn a_finding_without_citations_says_so() {
    let mut silent = finding(1, false);
    silent.signals.iter_mut().for_each(|signal| signal.cites.clear());
    let told = explained(&written("json", &report(vec![silent])), &[]);
    assert!(told.ends_with("Evidence: none is cited, since no signal spoke from a record.\n"), "{told}");
}

#[test]
fn what_a_cap_took_off_a_reason_is_not_lost_with_it() {
    let mut capped = finding(1, false);
    // Wire says 10 + 5, its cap leaves 11: the sum is −20 + 15 − 4 + 10 + 8, which is 9.
    let more = |id, weight| monologue_model::SignalOutcome { id, weight, ..capped.signals[1].clone() };
    let added = [more("wire.persistence", 5.0), more("cap.wire", -4.0)];
    capped.signals.extend(added);
    capped.score = 1.0 / (1.0 + 10_f64.powf(-0.9));
    let told = explained(&written("json", &report(vec![capped])), &[]);
    // Without the 10, 5 is left and the cap takes nothing: 9 − 10 + 4 is 3, which is 0.666, still medium.
    assert!(told.contains("The sum +9.0 means 0.888"), "{told}");
    assert!(!told.contains("without wire.no-reply it"), "{told}");
    // Without the untrusted signature it is −1, which is 0.443.
    assert!(told.contains("without identity.untrusted it would be low (0.443)"), "{told}");
}

#[test]
fn a_score_that_is_not_the_sum_is_told() {
    let line = written("json", &report(vec![finding(1, false)])).replace("\"weight\":8.0", "\"weight\":3.0");
    assert!(explained(&line, &[]).contains("do not trust this line"));
    assert!(Explained::from_json(&line.replace("monologue.finding/1", "monologue.finding/9")).is_err());
    assert!(Explained::from_json("{}").is_err());
}

#[test]
fn nothing_hostile_acts_in_an_explanation_or_a_pack() {
    let report = report(vec![finding(1, true)]);
    let line = written("json", &report);
    let finding = Explained::from_json(&line).unwrap();
    let evidence: Vec<Raw> = finding
        .citations()
        .into_iter()
        .map(|cite| Raw {
            source: cite.source,
            offset: cite.offset,
            length: cite.length,
            line: Some(3),
            found_in: Some(HOSTILE.to_owned()),
            state: RawState::Missing(HOSTILE.to_owned()),
            text: HOSTILE.to_owned(),
        })
        .collect();
    assert!(!evidence.is_empty());
    assert!(!acts(&explained(&line, &evidence)));
    let file = HashedFile { name: HOSTILE.into(), sha256: None, bytes: None };
    let in_force =
        InForce { options: vec![("paths", vec![HOSTILE.to_owned()])], assets: vec![file], ..InForce::default() };
    let (mut manifest, mut statement) = (Vec::new(), Vec::new());
    evidence::manifest(&report, &in_force, &mut manifest).unwrap();
    evidence::statement(&report, &in_force, &mut statement).unwrap();
    let manifest = String::from_utf8(manifest).unwrap();
    assert!(!acts(&manifest) && serde_json::from_str::<serde_json::Value>(&manifest).is_ok());
    let statement = String::from_utf8(statement).unwrap();
    assert!(!acts(&statement) && !statement.contains("<script"), "{statement}");
}
