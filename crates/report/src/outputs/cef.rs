//! `cef`: one record of the Common Event Format (ArcSight, version 0) a line, without a syslog header.
//!
//! Header: `CEF:0|Monologue|Monologue|version|disposition|title|severity`, severity 1, 3, 5, 8 or 10 for the levels. Extension: keys
//! of the format's dictionary, with labelled custom fields for what it has no key for. Times are milliseconds since the
//! epoch. `out` and `in` are left out, since they mean sums, and a finding knows the largest request and response only.
//! Values are cut to the lengths that the dictionary allows. The whole judgement does not fit: `externalId` names the finding
//! in the `json` output.

use crate::{
    Output,
    escape::{cef_header, cef_value},
    terms::{self, Place},
};
use monologue_model::{Finding, Level, Report};
use std::{
    fmt::Display,
    io::{self, Write},
    net::IpAddr,
};

/// The `cef` output.
pub(crate) struct Cef;

/// Characters that the format's dictionary allows in most texts.
const TEXT: usize = 1023;

/// Characters that it allows in a custom string.
const CUSTOM: usize = 4000;

impl Output for Cef {
    fn name(&self) -> &'static str {
        "cef"
    }

    fn about(&self) -> &'static str {
        "one Common Event Format record a line (ArcSight and others), without a syslog header"
    }

    fn source(&self) -> &'static str {
        include_str!("cef.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        for finding in &report.findings {
            writeln!(
                to,
                "CEF:0|Monologue|Monologue|{}|{}|{}|{}|{}",
                cef_header(&report.summary.version),
                finding.disposition.name(),
                terms::title(finding.disposition),
                severity(finding.level),
                extension(finding)
            )?;
        }
        Ok(())
    }
}

const fn severity(level: Level) -> u8 {
    match level {
        Level::Info => 1,
        Level::Low => 3,
        Level::Medium => 5,
        Level::High => 8,
        Level::Critical => 10,
    }
}

/// Keys and values, escaped as they are added.
#[derive(Default)]
struct Extension(String);

impl Extension {
    fn text(&mut self, key: &str, value: Option<&str>, most: usize) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let cut: String = value.chars().take(most).collect();
            self.number(key, cef_value(&cut));
        }
    }

    /// A value that needs no escaping.
    fn number(&mut self, key: &str, value: impl Display) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(&format!("{key}={value}"));
    }

    fn custom(&mut self, key: &str, label: &str, value: Option<&str>) {
        if value.is_some_and(|value| !value.is_empty()) {
            self.text(key, value, CUSTOM);
            self.number(&format!("{key}Label"), label);
        }
    }
}

fn extension(finding: &Finding) -> String {
    let application = &finding.application;
    let (user_id, user_name) = terms::user(finding);
    let mut extension = Extension::default();
    extension.number("rt", terms::milliseconds(finding.last_time));
    extension.number("start", terms::milliseconds(finding.first_time));
    extension.number("end", terms::milliseconds(finding.last_time));
    extension.number("externalId", finding.id);
    extension.text("cat", Some(finding.attack.analytic), TEXT);
    extension.text("msg", Some(&finding.sentence), TEXT);
    extension.number("cnt", finding.exchanges);
    endpoint(&mut extension, &finding.host, ("shost", "src"), ("c6a2", "Source IPv6 Address"));
    extension.text("sproc", terms::application_name(finding), TEXT);
    extension.text("suid", user_id, TEXT);
    extension.text("suser", user_name, TEXT);
    extension.text("fname", application.path.as_ref().and_then(|_| terms::application_name(finding)), TEXT);
    extension.text("filePath", application.path.as_deref(), TEXT);
    endpoint(&mut extension, &finding.destination.host, ("dhost", "dst"), ("c6a3", "Destination IPv6 Address"));
    if let ([address], None) = (finding.destination.ips.as_slice(), Place::of(&finding.destination.host).address()) {
        addressed(&mut extension, *address, "dst", ("c6a3", "Destination IPv6 Address"));
    }
    if let [port] = finding.destination.ports.as_slice() {
        extension.number("dpt", port);
    }
    extension.number("cfp1", format_args!("{:.3}", finding.score));
    extension.number("cfp1Label", "probability");
    extension.custom("cs1", "leaning", finding.leaning.map(|leaning| leaning.name()));
    extension.custom("cs2", "technique", terms::technique(finding).map(|technique| technique.id));
    extension.custom("cs3", "application", Some(&identity(finding)));
    extension.custom("cs4", "reasons", Some(&reasons(finding)));
    let blind: Vec<String> =
        finding.blind.iter().map(|blind| format!("{} {} of {}", blind.sight, blind.seen, blind.of)).collect();
    extension.custom("cs5", "not seen", Some(&blind.join("; ")));
    extension.custom("cs6", "approval", finding.approval.as_ref().map(|approval| &*approval.reason));
    extension.0
}

/// A place by its name, or by its address: the dictionary has separate keys for IPv4 and IPv6.
fn endpoint(extension: &mut Extension, text: &str, (name, ipv4): (&str, &str), ipv6: (&str, &str)) {
    match Place::of(text) {
        Place::Unknown => {}
        Place::Address(address) => addressed(extension, address, ipv4, ipv6),
        Place::Name(text) | Place::Other(text) => extension.text(name, Some(text), TEXT),
    }
}

fn addressed(extension: &mut Extension, address: IpAddr, ipv4: &str, (ipv6, label): (&str, &str)) {
    match address {
        IpAddr::V4(_) => extension.number(ipv4, address),
        IpAddr::V6(_) => {
            extension.number(ipv6, address);
            extension.number(&format!("{ipv6}Label"), label);
        }
    }
}

/// By what the application is known.
fn identity(finding: &Finding) -> String {
    let application = &finding.application;
    let parts = [
        Some(application.signature.name()),
        application.signing_id.as_deref(),
        application.team_id.as_deref(),
        application.agent.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What weighs, the heaviest first as the finding lists it.
fn reasons(finding: &Finding) -> String {
    let weighing = finding.signals.iter().filter(|signal| signal.weight != 0.0);
    weighing.map(|signal| format!("{} {:+.1}", signal.id, signal.weight)).collect::<Vec<_>>().join("; ")
}
