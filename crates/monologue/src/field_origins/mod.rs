//! `monologue read --explain`: one record of each input, and which of its bytes became which field.

mod origin;
mod parts;

use self::{origin::origins, parts::Part};
use anyhow::{Result, bail};
use monologue_formats::{Bundle, Input};
use monologue_model::{Event, Sha256, redact};
use monologue_report::escape;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{self, BufRead, Read, Write},
    path::Path,
    sync::Arc,
};

/// Bytes of a record that are shown and searched.
const RECORD_CAP: u64 = 1 << 20;

/// Characters of a value that are shown.
const SHOWN: usize = 80;

/// Lines at the beginning of a source in which the names of columns are looked for.
const HEADING_LINES: usize = 64;

/// Longest line of those.
const HEADING_CAP: u64 = 64 * 1024;

/// Keys whose values are shown only where they became a field: secrets stand there.
const GUARDED: [&str; 4] = ["env", "args", "arguments", "environment"];

/// Chooses records to explain.
pub(crate) struct Choice {
    /// `None`: the first of each source.
    offset: Option<u64>,
    seen: BTreeSet<Arc<str>>,
    chosen: Vec<Event>,
}

impl Choice {
    /// From the value of the option; empty means the first record of each source.
    ///
    /// # Errors
    /// When it is no number.
    pub(crate) fn new(offset: &str) -> Result<Self> {
        let offset = match offset {
            "" => None,
            text => match text.parse() {
                Ok(offset) => Some(offset),
                Err(_) => bail!("expected an offset in bytes, found {text:?}; hint: such as --explain=4096"),
            },
        };
        Ok(Self { offset, seen: BTreeSet::new(), chosen: Vec::new() })
    }

    /// Keeps the event, if it is one to explain.
    pub(crate) fn consider(&mut self, event: Event) {
        let place = &event.provenance;
        let wanted = match self.offset {
            Some(offset) => (place.offset..place.offset.saturating_add(place.length.max(1))).contains(&offset),
            None => self.seen.insert(place.source.clone()),
        };
        if wanted {
            self.chosen.push(event);
        }
    }

    /// Prints what became of the records.
    ///
    /// # Errors
    /// When no record was chosen, or it cannot be written.
    pub(crate) fn print(self, to: &mut dyn Write) -> Result<()> {
        if self.chosen.is_empty() {
            bail!(
                "found no record to explain that became an event; hint: `monologue read` without --explain shows their offsets"
            );
        }
        for event in self.chosen {
            explain(&event, to)?;
        }
        Ok(())
    }
}

fn explain(event: &Event, to: &mut dyn Write) -> Result<()> {
    let place = &event.provenance;
    let end = place.offset.saturating_add(place.length);
    writeln!(to, "{}, bytes {} to {end}, sha256 {}", escape::terminal(&place.source), place.offset, place.sha256)?;
    let fields = leaves(&serde_json::to_value(event)?);
    match raw(event) {
        Ok(raw) => {
            let columns = columns(Path::new(&*place.source));
            let parts = parts::parts(&raw, &columns);
            let rows: Vec<_> =
                fields.into_iter().map(|(path, value)| (origins(&path, &value, &parts), path, value)).collect();
            let used =
                rows.iter().flat_map(|(origins, _, _)| origins).map(|origin| origin.range.start..origin.range.end);
            let used: Vec<_> = used.collect();
            writeln!(to, "\n  {}\n", escape::terminal(&redact(&guarded(&raw, &parts, &used))))?;
            for (origins, path, value) in &rows {
                let from: Vec<String> = origins
                    .iter()
                    .map(|origin| {
                        let text = raw.get(origin.range.clone()).map(String::from_utf8_lossy).unwrap_or_default();
                        let (first, last) = (origin.range.start, origin.range.end);
                        format!("{} [{first}..{last}] {:?}", escape::terminal(&origin.name), shown(&text))
                    })
                    .collect();
                let from = if from.is_empty() { "not spelled in the record".to_owned() } else { from.join(" and ") };
                row(to, path, value, &from)?;
            }
        }
        Err(reason) => {
            writeln!(to, "\n  {reason}\n")?;
            for (path, value) in &fields {
                row(to, path, value, "")?;
            }
        }
    }
    writeln!(to)?;
    Ok(())
}

fn row(to: &mut dyn Write, path: &str, value: &Value, from: &str) -> io::Result<()> {
    let value = match value {
        Value::String(text) => shown(text),
        other => other.to_string(),
    };
    writeln!(to, "{}", format!("  {:<40} {:<36} {from}", escape::terminal(path), escape::terminal(&value)).trim_end())
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The fields of an event that have a value, but for its place and its host, which are told above or come from options.
fn leaves(event: &Value) -> Vec<(String, Value)> {
    fn walk(path: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
        let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| walk(&inner(key), value, leaves)),
            Value::Array(members) => {
                members.iter().enumerate().for_each(|(at, value)| walk(&format!("{path}[{at}]"), value, leaves));
            }
            Value::Null => {}
            leaf => leaves.push((path.to_owned(), leaf.clone())),
        }
    }
    let mut found = Vec::new();
    walk("", event, &mut found);
    found.retain(|(path, _)| !path.starts_with("provenance.") && path != "host" && path != "format");
    found
}

/// The bytes of the record. An error says why they cannot be shown.
fn raw(event: &Event) -> Result<Vec<u8>, String> {
    let place = &event.provenance;
    let path = Path::new(&*place.source);
    if !path.is_file() || Bundle::open(path).ok().flatten().is_some() {
        return Err(
            "the record is binary and stands in an archive: its text was put together from several places".into()
        );
    }
    let mut input = Input::open(path).map_err(|error| error.to_string())?;
    io::copy(&mut input.reader.by_ref().take(place.offset), &mut io::sink()).map_err(|error| error.to_string())?;
    let mut raw = Vec::new();
    let length = place.length.min(RECORD_CAP);
    input.reader.take(length).read_to_end(&mut raw).map_err(|error| error.to_string())?;
    if place.length <= RECORD_CAP && Sha256::of(&raw) != place.sha256 {
        return Err(
            "its bytes are not those of the file at this place: the record is binary, or the file has changed".into()
        );
    }
    Ok(raw)
}

/// The names of the columns, where the source is a table that gives them (Zeek's `#fields`).
fn columns(path: &Path) -> Vec<String> {
    let Ok(mut input) = Input::open(path) else { return Vec::new() };
    for _ in 0..HEADING_LINES {
        let mut line = Vec::new();
        let read = input.reader.by_ref().take(HEADING_CAP).read_until(b'\n', &mut line);
        if !read.is_ok_and(|read| read > 0) || !line.starts_with(b"#") {
            break;
        }
        if let Some(names) = line.strip_prefix(b"#fields\t") {
            return String::from_utf8_lossy(names).trim_end().split('\t').map(str::to_owned).collect();
        }
    }
    Vec::new()
}

/// The record as text, without the values of guarded keys that became no field.
fn guarded(raw: &[u8], parts: &[Part], used: &[std::ops::Range<usize>]) -> String {
    let is_guarded = |part: &&Part| {
        let mut words = part.name.split(['.', '[']);
        words.any(|word| GUARDED.contains(&word)) && !used.contains(&part.range)
    };
    let (mut text, mut at) = (String::new(), 0);
    for part in parts.iter().filter(is_guarded) {
        text.push_str(&String::from_utf8_lossy(raw.get(at..part.range.start).unwrap_or_default()));
        text.push_str("***");
        at = part.range.end;
    }
    text.push_str(&String::from_utf8_lossy(raw.get(at..).unwrap_or_default()));
    text
}
