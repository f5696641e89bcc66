//! `sigma`: Sigma rules (specification 2.1.0) that find the same traffic again: an approximation.
//!
//! For each finding whose destination is known by name or address, two documents: a rule for the program talking to the service,
//! and a correlation that counts how often it does on one host, from half of the rate that was observed. Ids are UUIDs of
//! version 5, made of the finding's id.
//!
//! **What Sigma cannot say.** It selects events that exist: "and nothing came back" and "and nothing used the reply" are
//! statements about events that do not, so the rules find the traffic and not the finding. They cannot tell blindness from
//! silence: a sensor that sees nothing raises nothing. Nor do they know the awake clock, the file's history, or how rare the
//! pair is. Use them to look for the same elsewhere, not in place of a hunt.
//!
//! The log source `product: macos, category: network_connection` is not in Sigma's taxonomy, which has no network category for macOS;
//! the fields are those of the same category on Windows and Linux. A backend needs a pipeline for it.

use crate::{
    Output,
    escape::{self, yaml},
    terms::{self, Place},
};
use monologue_model::{Finding, Level, Report};
use std::io::{self, Write};
use uuid::Uuid;

/// The `sigma` output.
pub(crate) struct Sigma;

/// The namespace of the rules' ids: a random one, fixed for good.
const OURS: Uuid = Uuid::from_u128(0x9c44_71f2_6b0d_4d6e_8e27_1601_d058_1003);

/// Requests a day below which counting them says nothing.
const LEAST_PER_DAY: f64 = 4.0;

/// Hours in a day.
const DAY: f64 = 24.0;

/// What the rules cannot say, told in each of them.
const NOTE: &str = "Approximation of a Monologue finding: it selects the traffic, and cannot say whether responses came or were \
    used, nor tell a blind sensor from a silent one.";

impl Output for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn about(&self) -> &'static str {
        "Sigma rules that find the same traffic again; they cannot say that nothing came back or was used"
    }

    fn source(&self) -> &'static str {
        include_str!("sigma.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        writeln!(to, "# {NOTE}")?;
        let mut left_out = 0_usize;
        for finding in &report.findings {
            match destination(finding) {
                Some(fields) => write_rules(finding, &fields, to)?,
                None => left_out += 1,
            }
        }
        if report.findings.is_empty() {
            writeln!(to, "# No finding, so no rule.")?;
        }
        if left_out > 0 {
            writeln!(to, "# {left_out} findings have no destination that a rule could name.")?;
        }
        Ok(())
    }
}

fn write_rules(finding: &Finding, fields: &[(&str, Vec<String>)], to: &mut dyn Write) -> io::Result<()> {
    let name = format!("monologue_{}", finding.id);
    let title = title(finding);
    writeln!(to, "---")?;
    heading(finding, "rule", &title, to)?;
    writeln!(to, "name: {name}")?;
    writeln!(to, "logsource:\n  product: macos\n  category: network_connection\ndetection:")?;
    let program = program(finding);
    if let Some((field, value)) = &program {
        writeln!(to, "  program:\n    {field}: {}", yaml(&literal(value)))?;
    }
    // A list of maps: any of them.
    writeln!(to, "  service:")?;
    for (field, values) in fields {
        writeln!(to, "    - {field}:")?;
        values.iter().try_for_each(|value| writeln!(to, "        - {}", yaml(&literal(value))))?;
    }
    let condition = if program.is_some() { "program and service" } else { "service" };
    writeln!(to, "  condition: {condition}")?;
    writeln!(to, "falsepositives:\n  - Other use of the same service by the same program")?;
    writeln!(to, "level: {}", level(finding.level))?;
    writeln!(to, "---")?;
    heading(finding, "correlation", &format!("{title}, often"), to)?;
    writeln!(to, "correlation:\n  type: event_count\n  rules:\n    - {name}\n  group-by:\n    - Computer")?;
    writeln!(to, "  timespan: 1d\n  condition:\n    gte: {}", per_day(finding))?;
    writeln!(to, "falsepositives:\n  - The same program at the same rate, for reasons that are known")?;
    writeln!(to, "level: {}", level(finding.level))
}

fn heading(finding: &Finding, kind: &str, title: &str, to: &mut dyn Write) -> io::Result<()> {
    let id = Uuid::new_v5(&OURS, format!("{kind}:{}", finding.id).as_bytes());
    writeln!(to, "title: {}\nid: {id}\nstatus: experimental", yaml(title))?;
    writeln!(
        to,
        "description: {}",
        yaml(&format!("{NOTE} Finding {}: {}", finding.id, escape::terminal(&finding.sentence)))
    )?;
    writeln!(to, "author: Monologue\ndate: {}", terms::date(finding.last_time))?;
    if let Some(technique) = terms::technique(finding) {
        let (path, tag) = (technique.id.replace('.', "/"), technique.id.to_lowercase());
        writeln!(to, "references:\n  - https://attack.mitre.org/techniques/{path}/")?;
        writeln!(to, "tags:\n  - attack.command-and-control\n  - attack.{tag}")?;
    }
    Ok(())
}

fn title(finding: &Finding) -> String {
    let text = format!("Requests of {} to {}", finding.application.name, finding.destination.host);
    escape::terminal(&text).chars().take(250).collect()
}

/// The field that names the program, and its value. `~` stands for any home folder, so only the rest can be named.
fn program(finding: &Finding) -> Option<(&'static str, String)> {
    let path = finding.application.path.as_deref()?;
    Some(match path.strip_prefix('~') {
        Some(rest) => ("Image|endswith", rest.to_owned()),
        None => ("Image", path.to_owned()),
    })
}

/// The fields that name the destination. `None`: nothing that a rule could name is known.
fn destination(finding: &Finding) -> Option<Vec<(&'static str, Vec<String>)>> {
    // `host/part` on platforms where the path tells owners apart: network events know the host only.
    let service = finding.destination.service.split('/').next().unwrap_or_default();
    match (Place::of(service), Place::of(&finding.destination.host)) {
        (Place::Name(name), _) | (_, Place::Name(name)) => Some(vec![
            ("DestinationHostname", vec![name.to_owned()]),
            ("DestinationHostname|endswith", vec![format!(".{name}")]),
        ]),
        (Place::Address(address), _) | (_, Place::Address(address)) => {
            Some(vec![("DestinationIp", vec![address.to_string()])])
        }
        _ => None,
    }
}

/// Half of the requests a day that were observed, at least four.
fn per_day(finding: &Finding) -> u64 {
    let hours = (finding.last_time.since(finding.first_time) as f64 / 3.6e12).max(1.0);
    let a_day = finding.exchanges as f64 / hours * hours.min(DAY);
    (a_day / 2.0).max(LEAST_PER_DAY).floor() as u64
}

/// A value that Sigma matches as it is: wildcards and backslashes are escaped.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Info => "informational",
        _ => level.name(),
    }
}
