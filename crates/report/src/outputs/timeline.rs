//! `timeline`: a super-timeline in CSV, as Timesketch imports it and plaso's `dynamic` output writes it: a row a request.
//!
//! The requests of all findings, by time, with what became of each response. `datetime` has microseconds and an offset,
//! `timestamp` counts microseconds since the epoch; `timestamp_desc`, `source`, `source_long`, `message`, `parser` and `display_name` mean
//! what plaso means by them. A finding keeps a few hundred of its requests, evenly thinned, and `exchanges` says how many
//! there were: this shows rhythm and order, and is no complete list. Cells cannot become formulas.

use crate::{
    Output,
    escape::cell,
    terms::{microseconds, to_the_microsecond},
};
use monologue_model::{Finding, Report, TimelineKind, TimelinePoint};
use std::io::{self, Write};

/// The `timeline` output.
pub(crate) struct Timeline;

/// The columns, in order: those of plaso first, then Timesketch's `timestamp`, then ours.
const COLUMNS: [&str; 19] = [
    "datetime",
    "timestamp_desc",
    "source",
    "source_long",
    "message",
    "parser",
    "display_name",
    "timestamp",
    "host",
    "application",
    "destination",
    "outcome",
    "request_bytes",
    "response_bytes",
    "http_status",
    "level",
    "disposition",
    "exchanges",
    "finding_id",
];

impl Output for Timeline {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn about(&self) -> &'static str {
        "super-timeline CSV for Timesketch and plaso users: a row a request, thinned to a few hundred a finding"
    }

    fn source(&self) -> &'static str {
        include_str!("timeline.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let mut points: Vec<(&TimelinePoint, &Finding)> = Vec::new();
        for finding in &report.findings {
            points.extend(finding.timeline.iter().map(|point| (point, finding)));
        }
        points.sort_by_key(|(point, finding)| (**point, finding.id));
        let mut rows = csv::Writer::from_writer(to);
        rows.write_record(COLUMNS)?;
        for (point, finding) in points {
            rows.write_record(row(point, finding))?;
        }
        rows.flush()
    }
}

fn row(point: &TimelinePoint, finding: &Finding) -> [String; 19] {
    let application = &finding.application;
    let destination = &finding.destination.host;
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let shown = application.path.as_ref().unwrap_or(&application.name);
    [
        to_the_microsecond(point.time),
        "Request Time".to_owned(),
        "LOG".to_owned(),
        "Monologue request".to_owned(),
        cell(&format!("{} asked {destination}: {}", application.name, outcome(point.kind))),
        "monologue".to_owned(),
        cell(shown),
        microseconds(point.time).to_string(),
        cell(&finding.host),
        cell(&application.name),
        cell(destination),
        outcome(point.kind).to_owned(),
        number(point.request_bytes),
        number(point.response_bytes),
        number(point.status.map(u32::from)),
        finding.level.name().to_owned(),
        finding.disposition.name().to_owned(),
        finding.exchanges.to_string(),
        finding.id.to_string(),
    ]
}

const fn outcome(kind: TimelineKind) -> &'static str {
    match kind {
        TimelineKind::Silent => "nothing came back",
        TimelineKind::Unseen => "no reply was recorded, which does not mean that there was none",
        TimelineKind::Handshake => "no further than the TLS handshake",
        TimelineKind::Answered => "answered",
        TimelineKind::Abandoned => "the client gave up the response",
        TimelineKind::ActedOn => "answered, and something was done after",
    }
}
