//! The sentences of a brief. Each says what it rests on; each number of the site stands in the sentence and in its basis.

use super::{Basis, Line, Reader, Section, Subject, asked_words, is_covered};
use crate::{
    crosswalk::{Cover, Row},
    measured::{ClaimShare, Coverage, Findings},
};
use monologue_model::Sight;
use std::collections::BTreeSet;

/// Steps that are named.
const STEPS: usize = 3;

/// From this share of host-hours on, confidence is high.
const HIGH_PERCENT: f64 = 90.0;

/// From this share on, it is medium.
const MEDIUM_PERCENT: f64 = 50.0;

/// How to measure coverage.
const MEASURE_COVERAGE: &str =
    "not measured here: give the file that `monologue coverage PATH… --output json=FILE` writes with --coverage";

/// How to measure findings.
const MEASURE_FINDINGS: &str = "not measured here: give the file that `monologue hunt PATH… --minimum-level info --output json=FILE` writes with --findings";

fn section(title: &'static str, reader: Reader, lines: Vec<Line>) -> Section {
    Section { title, reader, lines }
}

fn measured(text: String, numbers: &[(String, String)]) -> Line {
    Line { text, basis: Basis::Measured(numbers.to_vec()) }
}

fn not_measured(text: &str) -> Line {
    Line { text: text.to_owned(), basis: Basis::NotMeasured }
}

fn product(text: String) -> Line {
    Line { text, basis: Basis::Product }
}

fn pair(place: &str, value: impl ToString) -> (String, String) {
    (place.to_owned(), value.to_string())
}

/// The claim that an object is about, by the reading of "one-way" it uses; and the reading itself.
fn claim_of(id: &str) -> (&'static str, Option<&'static str>) {
    match id {
        "AN1601" => ("reply-unhandled", Some("an1601-strict")),
        "AN1599" | "AN1600" | "AN1602" => ("no-reply", Some("no-return")),
        "T1102.003" | "AN0160" | "T1102.001" | "DET0058" => ("nothing-sent-back", Some("pull-only")),
        "T1102.002" | "AN0102" | "DET0035" => ("nothing-sent-back", Some("two-way")),
        "AN1191" | "T1102" | "DET0425" | "AN1115" => ("on-a-clock", None),
        _ => ("reply-unhandled", None),
    }
}

fn claim_line(claim: &ClaimShare) -> Line {
    let place = format!("coverage claims[{}].host_hours", claim.claim);
    measured(
        format!("{}: in {} of {} host-hours.", capital(&claim.sentence), claim.holds, claim.of),
        &[pair(&format!("{place}.holds"), claim.holds), pair(&format!("{place}.of"), claim.of)],
    )
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// The first thing to read: could it be seen, and was it.
pub(super) fn stand(subject: &Subject, coverage: Option<&Coverage>, findings: Option<&Findings>) -> Section {
    let (claim, _) = claim_of(&subject.id);
    let mut lines = Vec::new();
    match coverage {
        None => lines.push(not_measured(&format!("Whether this would be seen: {MEASURE_COVERAGE}."))),
        Some(coverage) => match coverage.claim(claim) {
            Some(claim) => lines.push(claim_line(claim)),
            None => lines.push(not_measured(&format!(
                "Whether this would be seen: not measured here: the coverage file does not hold the claim {claim}."
            ))),
        },
    }
    match findings {
        None => lines.push(not_measured(&format!("What was found: {MEASURE_FINDINGS}."))),
        Some(findings) => lines.push(count_line(subject, findings)),
    }
    section("Where we stand", Reader::Executives, lines)
}

fn count_line(subject: &Subject, findings: &Findings) -> Line {
    match claim_of(&subject.id).1 {
        Some(reading) => {
            let count = findings.readings.get(reading).copied().unwrap_or_default();
            measured(
                format!("{count} of {} findings match this object's meaning of one-way ({reading}).", findings.total),
                &[pair(&format!("findings readings[{reading}]"), count), pair("findings lines", findings.total)],
            )
        }
        None => measured(
            format!("{} findings, of which none is tied to this object by its meaning of one-way.", findings.total),
            &[pair("findings lines", findings.total)],
        ),
    }
}

/// What to do first: the steps that unlock most.
pub(super) fn first_steps(coverage: Option<&Coverage>) -> Section {
    let lines = match coverage {
        None => vec![not_measured(&format!("Which collection step helps most: {MEASURE_COVERAGE}."))],
        Some(coverage) if coverage.steps.is_empty() => vec![measured(
            format!("No collection step is missing on {} hosts, by the coverage file.", coverage.hosts),
            &[pair("coverage hosts", coverage.hosts)],
        )],
        Some(coverage) => coverage
            .steps
            .iter()
            .take(STEPS)
            .map(|(step, hours)| {
                measured(
                    format!("{}: unlocks {hours} host-hours of claims.", capital(step)),
                    &[pair("coverage steps[].host_hours", hours)],
                )
            })
            .collect(),
    };
    section("What to do first", Reader::Executives, lines)
}

pub(super) fn asked_for(subject: &Subject) -> Section {
    let from = if subject.imported {
        format!("{} in release {}", subject.id, subject.release)
    } else {
        format!("the facts of {} known to the product (checked in {})", subject.id, subject.release)
    };
    let object = |text: String| Line { text, basis: Basis::Object(from.clone()) };
    let mut lines: Vec<Line> = subject.description.iter().map(|text| object(text.clone())).collect();
    for demand in &subject.demands {
        for (name, channel, component) in &demand.log_sources {
            let channel = channel.as_deref().unwrap_or("no channel");
            let component = component.as_deref().unwrap_or("a component that is not imported");
            lines.push(object(format!("{} asks for the log source {name}: {channel} ({component}).", demand.analytic)));
        }
        if !demand.elements.is_empty() {
            lines.push(object(format!("{} is to be tuned by {}.", demand.analytic, demand.elements.join(", "))));
        }
    }
    if subject.demands.is_empty() {
        lines.push(object("No macOS analytic of it is imported or known, so nothing is asked for here.".to_owned()));
    }
    section("What it asks for", Reader::SecurityTeam, lines)
}

fn sights(crosswalk: &[Row]) -> BTreeSet<Sight> {
    crosswalk.iter().flat_map(|row| row.sights.iter().copied()).collect()
}

/// Sights that are collected, with numbers.
pub(super) fn collected(crosswalk: &[Row], coverage: Option<&Coverage>) -> Section {
    let mut lines = Vec::new();
    match coverage {
        None => lines.push(not_measured(&format!("What of this is collected: {MEASURE_COVERAGE}."))),
        Some(coverage) => {
            for sight in sights(crosswalk) {
                let Some(share) = coverage.sights.get(sight.name()).filter(|share| share.hosts > 0) else { continue };
                let percent = format!("{:.1}", share.mean_percent);
                let place = format!("coverage hosts[].sights[{sight}]");
                lines.push(measured(
                    format!(
                        "{sight}: on {} of {} hosts, {percent} % of the time on average, {} stretches with losses.",
                        share.hosts, coverage.hosts, share.losses
                    ),
                    &[
                        pair(&format!("{place} hosts"), share.hosts),
                        pair("coverage hosts", coverage.hosts),
                        pair(&format!("{place}.percent mean"), percent),
                        pair(&format!("{place}.losses sum"), share.losses),
                    ],
                ));
            }
            if lines.is_empty() {
                lines.push(measured(
                    format!("Nothing of what it asks for is collected on any of {} hosts.", coverage.hosts),
                    &[pair("coverage hosts", coverage.hosts)],
                ));
            }
        }
    }
    section("Collected here", Reader::SecurityTeam, lines)
}

/// What cannot be seen: at this site, and by this product anywhere.
pub(super) fn blind(crosswalk: &[Row], coverage: Option<&Coverage>) -> Section {
    let mut lines = Vec::new();
    if let Some(coverage) = coverage {
        for sight in sights(crosswalk) {
            let hosts = coverage.sights.get(sight.name()).map_or(0, |share| share.hosts);
            let without = coverage.hosts.saturating_sub(hosts);
            if without > 0 {
                lines.push(measured(
                    format!(
                        "{sight}: blind on {without} of {} hosts; to see it, {}.",
                        coverage.hosts,
                        sight.how_to_collect()
                    ),
                    &[
                        pair(&format!("coverage hosts[] without {sight}"), without),
                        pair("coverage hosts", coverage.hosts),
                    ],
                ));
            }
        }
        let lossy = coverage.hosts_with_missing_exchanges;
        if lossy > 0 {
            lines.push(measured(
                format!("{lossy} hosts lost records that would show requests: nothing is said from absence there."),
                &[pair("coverage hosts[].missing_exchanges > 0", lossy)],
            ));
        }
    } else {
        lines.push(not_measured(&format!("What is blind at this site: {MEASURE_COVERAGE}.")));
    }
    for row in crosswalk.iter().filter(|row| row.cover != Cover::Covered) {
        lines.push(product(format!("{}: {}: {}.", asked_words(row), row.cover.name(), row.reason)));
    }
    section("Blind here", Reader::SecurityTeam, lines)
}

/// How far an answer of the product can be relied on at this site.
pub(super) fn confidence(subject: &Subject, coverage: Option<&Coverage>) -> Section {
    let (name, _) = claim_of(&subject.id);
    let line = match coverage.map(|coverage| coverage.claim(name)) {
        None => not_measured(&format!("Confidence: {MEASURE_COVERAGE}.")),
        Some(None) => not_measured(&format!("Confidence: not measured here: no claim {name} in the coverage file.")),
        Some(Some(claim)) => {
            let percent = if claim.of == 0 { 0.0 } else { claim.holds as f64 / claim.of as f64 * 100.0 };
            let word = if claim.holds == 0 {
                "None"
            } else if percent >= HIGH_PERCENT {
                "High"
            } else if percent >= MEDIUM_PERCENT {
                "Medium"
            } else {
                "Low"
            };
            let place = format!("coverage claims[{name}].host_hours");
            measured(
                format!(
                    "{word}: the claim {name} holds in {} of {} host-hours ({percent:.1} %).",
                    claim.holds, claim.of
                ),
                &[pair(&format!("{place}.holds"), claim.holds), pair(&format!("{place}.of"), claim.of)],
            )
        }
    };
    let rule = product(format!(
        "High from {HIGH_PERCENT:.0} % of host-hours on, medium from {MEDIUM_PERCENT:.0} %, low below, none where it never holds."
    ));
    section("Confidence and why", Reader::SecurityTeam, vec![line, rule])
}

/// Likely telemetry and the signals that speak of it.
pub(super) fn detection(subject: &Subject, crosswalk: &[Row]) -> Section {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    for row in crosswalk.iter().filter(is_covered) {
        if seen.insert(row.ours) {
            lines.push(product(format!("{}: {}; {}.", asked_words(row), row.ours, row.reason)));
        }
    }
    lines.push(product(
        match claim_of(&subject.id).1 {
            Some("an1601-strict") => {
                "Look for disposition reply-unhandled: a reply arrived and nothing used it. Presence needs one witness, absence needs all."
            }
            Some("no-return") => "Look for disposition no-reply: asked, and nothing came back, with every exchange seen.",
            Some("pull-only") => "Look for disposition pull-only: the reply was used, and nothing went back over this service.",
            Some("two-way") => "Disposition two-way is the mirror image: a reply was used and results went back. It is not one-way.",
            _ => "No disposition stands for this object by itself; its telemetry supports the others.",
        }
        .to_owned(),
    ));
    section("Likely telemetry and detection direction", Reader::SecurityTeam, lines)
}

pub(super) fn mitigations(subject: &Subject) -> Section {
    let from = || Basis::Object(format!("relationships in release {}", subject.release));
    let lines = match &subject.mitigations {
        None => vec![Line {
            text: "Which mitigations ATT&CK names is not known here: import a bundle that holds the technique."
                .to_owned(),
            basis: Basis::Object("no imported technique".to_owned()),
        }],
        Some(found) if found.is_empty() => {
            vec![Line { text: "The imported release names no mitigation.".to_owned(), basis: from() }]
        }
        Some(found) => found.iter().map(|title| Line { text: format!("{title}."), basis: from() }).collect(),
    };
    section("Mitigation priorities", Reader::SecurityTeam, lines)
}

pub(super) fn found(subject: &Subject, findings: Option<&Findings>) -> Section {
    let Some(findings) = findings else {
        let line = not_measured(&format!("What was found: {MEASURE_FINDINGS}."));
        return section("What was found", Reader::SecurityTeam, vec![line]);
    };
    let mut lines = vec![count_line(subject, findings)];
    for (kind, counts) in [("disposition", &findings.dispositions), ("level", &findings.levels)] {
        for (name, count) in counts {
            lines.push(measured(
                format!("{count} findings with {kind} {name}."),
                &[pair(&format!("findings {kind}[{name}]"), count)],
            ));
        }
    }
    let hosts = findings.hosts.len();
    lines.push(measured(
        format!("{hosts} hosts have a finding, and {} findings are covered by an approval.", findings.approved),
        &[pair("findings hosts", hosts), pair("findings approval", findings.approved)],
    ));
    if findings.refused > 0 {
        lines.push(measured(
            format!("{} lines of the file are no findings and are not counted.", findings.refused),
            &[pair("findings other lines", findings.refused)],
        ));
    }
    section("What was found", Reader::SecurityTeam, lines)
}

/// Claims that hold somewhere, or those that hold nowhere.
pub(super) fn may_claim(coverage: Option<&Coverage>, holds: bool) -> Section {
    let title = if holds { "What may be claimed" } else { "What may not be claimed" };
    let mut lines: Vec<Line> = match coverage {
        None => vec![not_measured(&format!("Claims: {MEASURE_COVERAGE}."))],
        Some(coverage) => coverage.claims.iter().filter(|claim| (claim.holds > 0) == holds).map(claim_line).collect(),
    };
    if !holds {
        lines.push(product(
            "That nothing is there because nothing was found: absence of data is never absence of a response."
                .to_owned(),
        ));
        lines.push(product(
            "That a reply was handled: records prove that it was received, never that it was used.".to_owned(),
        ));
    }
    section(title, Reader::SecurityTeam, lines)
}
