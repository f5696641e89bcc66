//! `navigator`: a layer (format 4.5) for MITRE's ATT&CK Navigator.
//!
//! The score of T1102.003, 0 to 100, is *coverage and not danger*: the share of the hosts' time in which both data components that
//! AN1601 names were watched, as the mean of all hosts. A layer of a hunt that looked at no host has no score. How many
//! findings there are, and each data component's share, stand in the metadata and the comment, since the Navigator knows no
//! analytics; so do the release and the hash of AN1601 that was in force. T1102.002 has a comment where channels were found to be two-way.

use crate::{
    Output,
    components::{self, COMPONENTS},
    escape,
    terms::{self, ONE_WAY, PARENT, TACTIC, TWO_WAY},
};
use monologue_model::{AttackSource, Disposition, HuntSummary, Level, Report, attack::ANALYTIC};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The `navigator` output.
pub(crate) struct Navigator;

impl Output for Navigator {
    fn name(&self) -> &'static str {
        "navigator"
    }

    fn about(&self) -> &'static str {
        "ATT&CK Navigator layer 4.5: how much of AN1601 could be seen (not how bad it is), and what was found"
    }

    fn source(&self) -> &'static str {
        include_str!("navigator.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let layer = serde_json::to_string_pretty(&terms::known(layer(report)))?;
        writeln!(to, "{}", escape::json_lines(&layer))
    }
}

fn layer(report: &Report) -> Value {
    let summary = &report.summary;
    let score = components::analytic_percent(summary);
    let mut techniques = vec![
        json!({"techniqueID": PARENT.0, "tactic": TACTIC.2, "showSubtechniques": true}),
        json!({
            "techniqueID": ONE_WAY.id,
            "tactic": TACTIC.2,
            "score": score.map(|score| score.round() as u64),
            "comment": comment(report, score),
            "metadata": metadata(report),
            "links": [{
                "label": "DET0581, AN1601",
                "url": "https://attack.mitre.org/detectionstrategies/DET0581#AN1601",
            }],
            "showSubtechniques": false,
        }),
    ];
    let two_way = count(report, Disposition::TwoWay);
    if two_way > 0 {
        techniques.push(json!({
            "techniqueID": TWO_WAY.id,
            "tactic": TACTIC.2,
            "comment": format!("Two-way findings, in which replies were acted on and results sent back: {two_way}."),
            "showSubtechniques": false,
        }));
    }
    json!({
        "name": "Monologue: coverage of AN1601",
        "description": "Scores are the share of the hosts' time in which AN1601 could be judged. They say nothing of how \
            dangerous what was found is.",
        "domain": "enterprise-attack",
        "versions": {"attack": major(summary), "navigator": "5.3.2", "layer": "4.5"},
        "filters": {"platforms": ["macOS"]},
        "gradient": {"colors": ["#ff6666", "#ffe766", "#8ec843"], "minValue": 0, "maxValue": 100},
        "legendItems": [
            {"label": "never watched", "color": "#ff6666"},
            {"label": "watched all the time", "color": "#8ec843"},
        ],
        "metadata": [
            {"name": "Monologue", "value": summary.version},
            {"name": "from", "value": summary.first_time.map(|time| time.to_string()).unwrap_or_else(|| "none".to_owned())},
            {"name": "until", "value": summary.last_time.map(|time| time.to_string()).unwrap_or_else(|| "none".to_owned())},
        ],
        "techniques": techniques,
    })
}

/// The number by which the Navigator names a release. `None` where nobody said which it is.
fn major(summary: &HuntSummary) -> Option<&str> {
    let release = summary.attack.release.as_deref()?;
    let number = release.split('.').next()?;
    number.parse::<u32>().is_ok().then_some(number)
}

fn comment(report: &Report, score: Option<f64>) -> String {
    let seen = match score {
        None => "No host was looked at, so there is no score.".to_owned(),
        Some(score) => format!(
            "Both data components of AN1601 were watched for {score:.0} % of host time (hosts: {}, mean).",
            report.summary.coverage.len()
        ),
    };
    let unknown = count(report, Disposition::Unknown);
    format!(
        "{seen} Findings: {}, of which unknown for want of telemetry: {unknown}. Less than 100 % means that no finding \
         is no proof of absence.",
        report.findings.len()
    )
}

fn metadata(report: &Report) -> Vec<Value> {
    let mut metadata = Vec::new();
    let mut add = |name: String, value: String| metadata.push(json!({"name": name, "value": value}));
    let state = &report.summary.attack;
    let source = match state.source {
        AttackSource::BuiltIn => "built in",
        AttackSource::Library => "ATT&CK library",
    };
    add(format!("{ANALYTIC} release"), state.release.as_deref().unwrap_or("unknown").to_owned());
    add(format!("{ANALYTIC} object SHA-256"), state.analytic_sha256.to_string());
    add(format!("{ANALYTIC} known from"), source.to_owned());
    for component in COMPONENTS {
        let share = component.percent(&report.summary);
        let share =
            share.map_or_else(|| "no host was looked at".to_owned(), |share| format!("{share:.0} % of host time"));
        add(format!("{} {}", component.id, component.name), share);
    }
    for disposition in [
        Disposition::NoReply,
        Disposition::ReplyUnhandled,
        Disposition::PullOnly,
        Disposition::TwoWay,
        Disposition::Unknown,
    ] {
        add(format!("findings: {disposition}"), count(report, disposition).to_string());
    }
    for level in Level::ALL.into_iter().rev() {
        let count = report.findings.iter().filter(|finding| finding.level == level).count();
        add(format!("level: {level}"), count.to_string());
    }
    metadata
}

fn count(report: &Report, disposition: Disposition) -> usize {
    report.findings.iter().filter(|finding| finding.disposition == disposition).count()
}
