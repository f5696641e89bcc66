//! `csv`: one row a finding, for spreadsheets and notebooks.
//!
//! RFC 4180 with a header row. Numbers are numbers, times are RFC 3339 with `Z`, lists are joined by `; `, and an empty cell means that
//! nobody recorded it. Texts from telemetry cannot become formulas: one that begins like a formula has an apostrophe before
//! it. Signals are listed with their weights in decibans.

use crate::{Output, escape::cell};
use monologue_model::{Finding, Report};
use std::io::{self, Write};

/// The `csv` output.
pub(crate) struct Csv;

/// The columns, in order.
const COLUMNS: [&str; 30] = [
    "id",
    "level",
    "score",
    "disposition",
    "leaning",
    "confidence",
    "host",
    "user",
    "application",
    "path",
    "agent",
    "signing_id",
    "team_id",
    "cdhash",
    "signature",
    "destination",
    "service",
    "ips",
    "ports",
    "first_time",
    "last_time",
    "exchanges",
    "period_seconds",
    "largest_request_bytes",
    "largest_response_bytes",
    "hosts_with_the_same",
    "hosts_looked_at",
    "signals",
    "not_seen",
    "sentence",
];

impl Output for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn about(&self) -> &'static str {
        "one row a finding, with a header; cells cannot become formulas"
    }

    fn source(&self) -> &'static str {
        include_str!("csv.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(to);
        rows.write_record(COLUMNS)?;
        for finding in &report.findings {
            rows.write_record(row(finding))?;
        }
        rows.flush()
    }
}

fn row(finding: &Finding) -> [String; 30] {
    let text = |text: Option<&str>| text.map(cell).unwrap_or_default();
    let application = &finding.application;
    let destination = &finding.destination;
    let signals = finding.signals.iter().filter(|signal| signal.weight != 0.0);
    let signals = signals.map(|signal| format!("{} {:+.1}", signal.id, signal.weight));
    let blind = finding.blind.iter().map(|blind| format!("{} {} of {}", blind.sight, blind.seen, blind.of));
    [
        finding.id.to_string(),
        finding.level.name().to_owned(),
        finding.score.to_string(),
        finding.disposition.name().to_owned(),
        finding.leaning.map(|leaning| leaning.name().to_owned()).unwrap_or_default(),
        finding.confidence.map(|confidence| confidence.name().to_owned()).unwrap_or_default(),
        cell(&finding.host),
        text(finding.user.as_deref()),
        cell(&application.name),
        text(application.path.as_deref()),
        text(application.agent.as_deref()),
        text(application.signing_id.as_deref()),
        text(application.team_id.as_deref()),
        text(application.cdhash.as_deref()),
        application.signature.name().to_owned(),
        cell(&destination.host),
        cell(&destination.service),
        joined(destination.ips.iter()),
        joined(destination.ports.iter()),
        finding.first_time.to_string(),
        finding.last_time.to_string(),
        finding.exchanges.to_string(),
        finding.period_seconds.map(|period| period.to_string()).unwrap_or_default(),
        finding.largest.request.measured_value().map(|bytes| bytes.to_string()).unwrap_or_default(),
        finding.largest.response.measured_value().map(|bytes| bytes.to_string()).unwrap_or_default(),
        finding.prevalence.hosts.to_string(),
        finding.prevalence.of.to_string(),
        joined(signals),
        joined(blind),
        cell(&finding.sentence),
    ]
}

fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join("; ")
}
