//! Apple `eslogger`: Endpoint Security messages as one JSON object a line (message versions 9 to 11).
//!
//! Mac Monitor writes the same messages with more members, and is read as well.

mod client;
mod convert;
mod reader;
mod record;
mod sequence;

use crate::{Format, Head, Input, Records, Refusal};
use monologue_model::SightSet;
use serde::{Deserialize, de::IgnoredAny};

/// Name of the format.
const NAME: &str = "eslogger";

/// Lines of the head that are looked at: a rotated file may begin in the middle of one.
const LINES_LOOKED_AT: usize = 3;

/// Apple `eslogger` NDJSON.
pub(crate) struct Eslogger;

impl Format for Eslogger {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Endpoint Security messages, one JSON object a line, as Apple's eslogger and Mac Monitor write them"
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
            match if is_cut { detect_cut(line) } else { detect_whole(line) } {
                Ok(()) => return Ok(()),
                Err(refusal) => _ = first_refusal.get_or_insert(refusal),
            }
        }
        Err(Refusal(first_refusal.unwrap_or_else(|| "expected a JSON object, found nothing".to_owned())))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input))
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
}

/// Whether a whole line is an Endpoint Security message; else what it lacks.
fn detect_whole(line: &[u8]) -> Result<(), String> {
    if !line.starts_with(b"{") {
        return Err("the first line is not a JSON object".to_owned());
    }
    let members: Members =
        serde_json::from_slice(line).map_err(|error| format!("the first line is not a JSON object: {error}"))?;
    if members.glob_seq_num.is_some() {
        return Err("the first line has `glob_seq_num`, as Jamf Protect writes it".to_owned());
    }
    let missing: Vec<&str> = [
        ("event", members.event.is_none()),
        ("event_type", members.event_type.is_none()),
        ("process", members.process.is_none()),
        ("time", members.time.is_none()),
        ("schema_version", members.schema_version.is_none()),
        ("seq_num", members.seq_num.is_none() && members.global_seq_num.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the first line lacks the members {}", missing.join(", "))) }
}

/// Whether a line that is longer than the head looks like one: its members come in any order, so two of these will do.
fn detect_cut(line: &[u8]) -> Result<(), String> {
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
    if contains(b"\"glob_seq_num\":") {
        return Err("the first line has `glob_seq_num`, as Jamf Protect writes it".to_owned());
    }
    let found = MARKS.into_iter().filter(|mark| contains(mark)).count();
    if found >= 2 {
        Ok(())
    } else {
        Err("the beginning of the first line has none of the members event, process, event_type, seq_num".to_owned())
    }
}
