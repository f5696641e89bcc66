//! Endpoint Security messages as one JSON object a line (message versions 9 to 11): Apple `eslogger`, Mac Monitor, and the
//! telemetry of Jamf Protect.
//!
//! All three write the same messages. Mac Monitor adds members for people; Jamf Protect names the host, calls one member
//! otherwise, and adds records of its own, such as connections. Both leave out what they are set to mute, and muted
//! messages take no number: so for them a jump in the numbers is a loss, and no jump is no proof of completeness.

mod client;
mod convert;
mod reader;
mod record;
mod sequence;

use crate::{Format, Head, Input, Records, Refusal};
use monologue_model::{CoverageRecord, CoverageState, SightSet, Timestamp};
use serde::{Deserialize, de::IgnoredAny};

/// How Jamf Protect calls its telemetry.
const JAMF_PRODUCT: &str = "Device Telemetry Stream";

/// Lines of the head that are looked at: a rotated file may begin in the middle of one.
const LINES_LOOKED_AT: usize = 3;

/// A program that writes Endpoint Security messages.
pub(crate) struct Writer {
    name: &'static str,
    about: &'static str,
    /// A stretch without a jump in the numbers is complete: nothing is muted.
    is_complete: bool,
    product: Product,
}

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Eslogger,
    MacMonitor,
    JamfProtect,
}

/// Apple `eslogger` NDJSON.
pub(crate) const ESLOGGER: Writer = Writer {
    name: "eslogger",
    about: "Endpoint Security messages, one JSON object a line, as Apple's eslogger writes them",
    is_complete: true,
    product: Product::Eslogger,
};

/// Mac Monitor's export.
pub(crate) const MAC_MONITOR: Writer = Writer {
    name: "mac-monitor",
    about: "Endpoint Security messages as Mac Monitor exports them; it mutes, so absence in it proves nothing",
    is_complete: false,
    product: Product::MacMonitor,
};

/// Jamf Protect's telemetry since agent 5.4.
pub(crate) const JAMF_TELEMETRY: Writer = Writer {
    name: "jamf-telemetry",
    about: "Jamf Protect device telemetry (schema 1.0): Endpoint Security messages and connect events without bytes",
    is_complete: false,
    product: Product::JamfProtect,
};

impl Writer {
    /// A statement about completeness.
    fn record(&self, sights: SightSet, from: Timestamp, until: Timestamp, state: CoverageState) -> CoverageRecord {
        CoverageRecord { format: self.name.into(), sights, from, until, state }
    }
}

impl Format for Writer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn sights(&self) -> SightSet {
        client::ALL
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let mut first_refusal = None;
        let mut rest = head.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head.bytes);
        let mut looked_at = 0;
        while !rest.is_empty() && looked_at < LINES_LOOKED_AT {
            let end = memchr::memchr(b'\n', rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest).trim_ascii();
            rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
            if line.is_empty() {
                continue;
            }
            looked_at += 1;
            let is_cut = end.is_none() && !head.complete;
            let found = if is_cut { product_of_cut(line) } else { product_of_whole(line) };
            match found {
                Ok(product) if product == self.product => return Ok(()),
                Ok(product) => _ = first_refusal.get_or_insert(product.refusal()),
                Err(refusal) => _ = first_refusal.get_or_insert(refusal),
            }
        }
        Err(Refusal(first_refusal.unwrap_or_else(|| "expected a JSON object, found nothing".to_owned())))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.product.writer()))
    }
}

impl Product {
    fn writer(self) -> &'static Writer {
        match self {
            Self::Eslogger => &ESLOGGER,
            Self::MacMonitor => &MAC_MONITOR,
            Self::JamfProtect => &JAMF_TELEMETRY,
        }
    }

    /// By which mark it is known, as a reason for another format not to read it.
    fn refusal(self) -> String {
        match self {
            Self::Eslogger => "the first line is a message as eslogger writes it".to_owned(),
            Self::MacMonitor => "the first line has `es_event_type`, as Mac Monitor writes it".to_owned(),
            Self::JamfProtect => "the first line has `glob_seq_num`, as Jamf Protect writes it".to_owned(),
        }
    }

    const fn by_marks(jamf: bool, monitor: bool) -> Self {
        match (jamf, monitor) {
            (true, _) => Self::JamfProtect,
            (false, true) => Self::MacMonitor,
            (false, false) => Self::Eslogger,
        }
    }
}

/// The members by which a line is known.
#[derive(Deserialize)]
struct Members {
    event: Option<IgnoredAny>,
    event_type: Option<IgnoredAny>,
    process: Option<IgnoredAny>,
    time: Option<IgnoredAny>,
    schema_version: Option<IgnoredAny>,
    seq_num: Option<IgnoredAny>,
    global_seq_num: Option<IgnoredAny>,
    glob_seq_num: Option<IgnoredAny>,
    es_event_type: Option<IgnoredAny>,
    metadata: Option<Metadata>,
}

/// Who wrote a record of Jamf Protect.
#[derive(Deserialize)]
struct Metadata {
    product: Option<String>,
}

/// Who wrote a whole line, if it is an Endpoint Security message; else what it lacks.
fn product_of_whole(line: &[u8]) -> Result<Product, String> {
    if !line.starts_with(b"{") {
        return Err("the first line is not a JSON object".to_owned());
    }
    let members: Members =
        serde_json::from_slice(line).map_err(|error| format!("the first line is not a JSON object: {error}"))?;
    let says_jamf = members.metadata.and_then(|metadata| metadata.product).is_some_and(|name| name == JAMF_PRODUCT);
    if says_jamf && members.event.is_some() && members.time.is_some() {
        // What Jamf Protect adds of its own has neither numbers nor a process.
        return Ok(Product::JamfProtect);
    }
    let missing: Vec<&str> = [
        ("event", members.event.is_none()),
        ("event_type", members.event_type.is_none()),
        ("process", members.process.is_none()),
        ("time", members.time.is_none()),
        ("schema_version", members.schema_version.is_none() && members.glob_seq_num.is_none()),
        ("seq_num", members.seq_num.is_none() && members.global_seq_num.is_none() && members.glob_seq_num.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if !missing.is_empty() {
        return Err(format!("the first line lacks the members {}", missing.join(", ")));
    }
    Ok(Product::by_marks(members.glob_seq_num.is_some(), members.es_event_type.is_some()))
}

/// Whether a line that is longer than the head looks like one: its members come in any order, so two of these will do.
fn product_of_cut(line: &[u8]) -> Result<Product, String> {
    const MARKS: [&[u8]; 10] = [
        b"\"event\":{",
        b"\"event_type\":",
        b"\"process\":{",
        b"\"seq_num\":",
        b"\"global_seq_num\":",
        b"\"schema_version\":",
        b"\"mach_time\":",
        b"\"action_type\":",
        b"\"audit_token\":",
        b"\"exec\":{",
    ];
    if !line.starts_with(b"{") {
        return Err("the first line is not a JSON object".to_owned());
    }
    let contains = |mark: &[u8]| memchr::memmem::find(line, mark).is_some();
    let found = MARKS.into_iter().filter(|mark| contains(mark)).count();
    if found >= 2 {
        let jamf = contains(b"\"glob_seq_num\":") || contains(JAMF_PRODUCT.as_bytes());
        Ok(Product::by_marks(jamf, contains(b"\"es_event_type\":")))
    } else {
        Err("the beginning of the first line has none of the members event, process, event_type, seq_num".to_owned())
    }
}
