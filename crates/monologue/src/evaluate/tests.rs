//! What is measured, on a small hunt that can be counted by hand.
#![cfg(test)]

use super::{
    examples::{found, truth},
    intervals::share,
    matching::matches,
    measure::{Beside, Evaluation},
    read::Found,
};
use monologue_model::Level;
use monologue_simulate::Truth;

fn evaluate(truths: &[Truth], findings: &[Found], host_days: Option<f64>) -> Evaluation {
    let matches = matches(truths, findings);
    Beside { truths, findings, matches: &matches, minimum: Level::Medium, host_days }.evaluate()
}

fn benign(scenario: &str, destination: &str, happened: &str) -> Truth {
    let mut truth = truth(scenario, "anna", "/agent", destination);
    truth.malicious = false;
    truth.happened = happened.to_owned();
    truth.disposition = happened.to_owned();
    truth.false_claims = super::measure::contradicted(happened);
    truth
}

/// Three attacks, one of them with too few sensors, and two honest programs.
fn truths() -> Vec<Truth> {
    let mut blind = truth("beacon-blind", "bert", "~/agent", "b.test");
    blind.disposition = "unknown".to_owned();
    vec![
        truth("beacon", "anna", "~/agent", "a.test"),
        blind,
        truth("beacon", "carl", "~/agent", "c.test"),
        benign("metrics", "m.test", "reply-unhandled"),
        benign("feed", "f.test", "pull-only"),
    ]
}

fn findings() -> Vec<Found> {
    vec![
        found("anna", Some("~/agent"), "a.test", "no-reply", "high", 0.95),
        found("bert", Some("~/agent"), "b.test", "unknown", "medium", 0.55),
        found("carl", Some("~/agent"), "c.test", "unknown", "low", 0.20),
        found("anna", Some("/agent"), "m.test", "reply-unhandled", "medium", 0.60),
        found("anna", Some("/agent"), "f.test", "reply-unhandled", "low", 0.15),
        found("anna", Some("/browser"), "www.test", "unknown", "info", 0.001),
    ]
}

#[test]
fn shares_are_those_counted_by_hand() {
    let result = evaluate(&truths(), &findings(), Some(500.0));
    // Of three attacks, those of anna and bert are raised; carl's is only low.
    assert_eq!(result.recall, share(2, 3));
    assert_eq!((result.recall_sighted, result.recall_blind), (share(1, 2), share(1, 1)));
    // Raised are three findings; the metrics of anna are benign.
    assert_eq!(result.precision, share(2, 3));
    let rate = result.false_positives.unwrap();
    assert_eq!((rate.count, rate.per_thousand), (1, 2.0));
    assert_eq!(result.benign_findings[0].scenario, "metrics");
    assert_eq!(result.channels_examined, 6);
}

#[test]
fn a_claim_that_the_truth_contradicts_is_false_and_one_without_ground_unfounded() {
    let result = evaluate(&truths(), &findings(), None);
    // Claims the truth speaks of: anna's silence, the metrics, and the feed, of which the claim is false.
    assert_eq!(result.false_claims, share(1, 3));
    assert_eq!(result.contradicted[0].scenario, "feed");
    assert_eq!(result.unfounded_claims, share(0, 1));
    assert_eq!(result.false_positives, None);
    let mut bold = findings();
    bold[1].disposition = "no-reply".to_owned();
    assert_eq!(evaluate(&truths(), &bold, None).unfounded_claims, share(1, 1));
    assert_eq!(evaluate(&truths(), &bold, None).false_claims, share(1, 4), "it was right by luck");
}

#[test]
fn dispositions_are_counted_by_what_could_be_said() {
    let result = evaluate(&truths(), &findings(), None);
    let of = |name: &str| result.dispositions.get(name).unwrap().clone();
    assert_eq!(of("no-reply").recall, Some(share(1, 2)));
    assert_eq!(of("no-reply").precision, Some(share(1, 1)));
    assert_eq!(of("no-reply").instead.get("unknown"), Some(&1));
    assert_eq!((of("unknown").recall, of("unknown").precision), (Some(share(1, 1)), None));
    assert_eq!(of("reply-unhandled").precision, Some(share(1, 2)), "the feed was used");
    assert_eq!(of("pull-only").recall, Some(share(0, 1)));
}

#[test]
fn a_claim_about_everything_is_false_if_it_is_false_of_anything() {
    // A finding that names no program speaks of both programs that ask there.
    let mut answered = benign("feed", "a.test", "pull-only");
    answered.host = "anna".to_owned();
    let both = vec![truth("beacon", "anna", "~/agent", "a.test"), answered];
    let silent = evaluate(&both, &[found("anna", None, "a.test", "no-reply", "low", 0.2)], None);
    assert_eq!(silent.contradicted.len(), 1, "the feed was answered");
    let used = evaluate(&both, &[found("anna", None, "a.test", "pull-only", "low", 0.2)], None);
    assert_eq!(used.contradicted.len(), 0, "the feed was used");
}

#[test]
fn scores_are_held_against_what_they_mean() {
    let result = evaluate(&truths(), &findings(), None);
    let counts: Vec<(u64, u64)> = result.calibration.iter().map(|one| (one.one_way.count, one.one_way.of)).collect();
    // 0 to 0.01: the browser; 0.1 to 0.3: carl and the feed; 0.5 to 0.7: bert and the metrics; 0.9 to 0.99: anna.
    assert_eq!(counts, [(0, 1), (0, 0), (1, 2), (0, 0), (1, 2), (0, 0), (1, 1), (0, 0)]);
    let squares = [0.05, 0.45, 0.80, 0.60, 0.15, 0.001].map(|miss: f64| miss * miss);
    assert!((result.brier.unwrap() - squares.iter().sum::<f64>() / 6.0).abs() < 1e-12);
}

#[test]
fn the_picture_has_a_point_where_the_score_and_the_share_are() {
    let mut svg = Vec::new();
    crate::evaluate::picture::write(&evaluate(&truths(), &findings(), None), &mut svg).unwrap();
    let svg = String::from_utf8(svg).unwrap();
    // Four stretches of scores have findings. Anna alone scores 0.95, and is an attack: 64 + 400 x 0.95 across, at the top.
    assert_eq!(svg.matches("<circle").count(), 4);
    assert!(svg.contains("cx=\"444.0\" cy=\"24.0\""), "{svg}");
    assert!(svg.contains("mean score 0.950: 1 of 1, 1.000 (0.207 to 1.000)"), "Wilson of one of one: 1 / (1 + 1.96^2)");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
}

#[test]
fn what_only_connections_show_is_looked_for_at_low() {
    let mut truths = truths();
    // Of bert's and carl's attacks only connections were recorded, and of another that nothing speaks of.
    truths.push(truth("beacon", "dora", "~/agent", "d.test"));
    for at in [1, 2, 5] {
        truths[at].shown = "connection".to_owned();
    }
    let result = evaluate(&truths, &findings(), Some(500.0));
    assert_eq!(result.recall_shown.get("connection"), Some(&share(1, 3)), "bert's is medium");
    assert_eq!(result.recall_listed, share(2, 3), "carl's is low");
    // Honest at low or above: the metrics and the feed; the browser is info.
    let listed = result.honest_listed.unwrap();
    assert_eq!((listed.count, listed.per_thousand), (2, 4.0));
}

#[test]
fn a_folder_in_place_of_a_file_is_named_as_such() {
    let error = super::read::truth(&std::env::temp_dir()).unwrap_err().to_string();
    assert!(
        error.contains("a line of truth") && error.ends_with("found a folder; hint: name the file in it"),
        "{error}"
    );
}
