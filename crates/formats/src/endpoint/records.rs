//! JSON records of an endpoint sensor, whether one a line, in an array or over many lines: each becomes one event, one
//! skip or one malformation, and further events where one record tells of several things.

use super::{fields::Fields, ready::Ready};
use crate::{
    Format, Head, Input, Item, LINE_CAP, Malformed, Records, Refusal,
    elements::{Element, Elements},
    texts::Texts,
};
use monologue_model::{Detail, Sha256, SightSet, Timestamp};
use serde_json::Value;
use std::{io::BufRead, sync::Arc};

/// Records of the head that are looked at: a rotated file may begin in the middle of one.
const RECORDS_LOOKED_AT: usize = 3;

/// One event that a record tells of.
pub(crate) struct Told {
    /// When.
    pub(crate) time: Timestamp,
    /// On which host. `None` means that the record does not say.
    pub(crate) host: Option<Arc<str>>,
    /// What.
    pub(crate) detail: Detail,
}

/// What one record says.
pub(crate) enum Said {
    /// Events; the first stands for the record.
    Events(Vec<Told>),
    /// Nothing of use, and why.
    Skipped(&'static str),
}

impl Said {
    /// One event.
    pub(crate) fn one(time: Timestamp, host: Option<Arc<str>>, detail: Detail) -> Self {
        Self::Events(vec![Told { time, host, detail }])
    }
}

/// Where a record stands.
pub(crate) struct Place {
    /// Hash of the record's bytes.
    pub(crate) sha256: Sha256,
}

/// What a sensor's reader remembers from record to record, and how it understands one.
pub(crate) trait Sensor {
    /// What a record says.
    ///
    /// # Errors
    /// What was expected in it.
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String>;
}

/// A format of JSON records.
pub(crate) struct JsonFormat {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is and who writes it.
    pub(crate) about: &'static str,
    /// What it can show.
    pub(crate) sights: SightSet,
    /// What a record lacks to be one of this format; `None` if it is one.
    pub(crate) lacks: fn(Fields<'_>) -> Option<String>,
    /// Texts that all stand in the beginning of a record which is longer than the head.
    pub(crate) marks: &'static [&'static str],
    /// A reader's memory, given the input that it will read.
    pub(crate) sensor: fn(&Input<'_>) -> Box<dyn Sensor>,
    /// Its texts may hold control characters and backslashes as they are.
    pub(crate) lenient: bool,
}

impl Format for JsonFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn sights(&self) -> SightSet {
        self.sights
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let mut first_refusal = None;
        let mut elements = Elements::of_objects(head.bytes);
        for _ in 0..RECORDS_LOOKED_AT {
            let Ok(Some(element)) = elements.next_element() else { break };
            let refusal = if !element.bytes.starts_with(b"{") {
                Some("the first record is not a JSON object".to_owned())
            } else if element.unterminated && !head.complete {
                self.lacks_marks(element.bytes)
            } else {
                match serde_json::from_slice::<Value>(element.bytes) {
                    Ok(record) => (self.lacks)(Fields(unwrapped(&record))),
                    Err(error) => Some(format!("the first record is not a JSON object: {error}")),
                }
            };
            match refusal {
                None => return Ok(()),
                Some(refusal) => _ = first_refusal.get_or_insert(refusal),
            }
        }
        Err(Refusal(first_refusal.unwrap_or_else(|| "expected a JSON object, found nothing".to_owned())))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            sensor: (self.sensor)(&input),
            elements: Elements::of_objects(input.reader),
            lenient: self.lenient,
            texts: Texts::default(),
            ready: Ready::new(input.source, self.name),
            ended: false,
        })
    }
}

impl JsonFormat {
    fn lacks_marks(&self, bytes: &[u8]) -> Option<String> {
        let found = |mark: &&&str| memchr::memmem::find(bytes, mark.as_bytes()).is_none();
        let missing = self.marks.iter().find(found)?;
        Some(format!("the beginning of the first record has no {missing}"))
    }
}

/// The record in the wrapper that a search engine's export puts around it.
fn unwrapped(record: &Value) -> &Value {
    record.get("_source").filter(|source| source.is_object()).unwrap_or(record)
}

/// Reads one source.
struct Reader<'a> {
    elements: Elements<Box<dyn BufRead + 'a>>,
    sensor: Box<dyn Sensor>,
    lenient: bool,
    texts: Texts,
    ready: Ready,
    ended: bool,
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.next() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let offset = self.elements.offset();
            match self.elements.next_element() {
                Ok(Some(element)) => {
                    let said = understand(&element, self.sensor.as_mut(), &mut self.texts, self.lenient);
                    self.ready.tell(element.offset, element.length, said);
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    self.ready.tell(offset, 0, Err(format!("expected more bytes: {error}")));
                }
            }
        }
    }
}

/// What a record says, and the hash of its bytes.
fn understand(
    element: &Element<'_>,
    sensor: &mut dyn Sensor,
    texts: &mut Texts,
    lenient: bool,
) -> Result<(Said, Sha256), String> {
    if element.too_long() {
        return Err(format!("expected a record of at most {LINE_CAP} bytes"));
    }
    if !element.bytes.starts_with(b"{") {
        return Err("expected a JSON object".to_owned());
    }
    let record: Value = match serde_json::from_slice(element.bytes) {
        Ok(record) => record,
        Err(error) if std::str::from_utf8(element.bytes).is_err() => {
            // A path may hold bytes that are no text: better read with a mark in their place than not at all.
            let repaired = String::from_utf8_lossy(element.bytes);
            serde_json::from_str(&repaired).map_err(|_| format!("expected a JSON object: {error}"))?
        }
        Err(error) if lenient => {
            serde_json::from_slice(&mended(element.bytes)).map_err(|_| format!("expected a JSON object: {error}"))?
        }
        Err(error) => return Err(format!("expected a JSON object: {error}")),
    };
    let place = Place { sha256: Sha256::of(element.bytes) };
    sensor.take(Fields(unwrapped(&record)), &place, texts).map(|said| (said, place.sha256))
}

/// The record with every control character within a text escaped, and every backslash but those before a quote.
fn mended(record: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(record.len() + 16);
    let mut in_text = false;
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                in_text = !in_text;
                mended.push(byte);
            }
            b'\\' if in_text && bytes.peek() == Some(&b'"') => {
                mended.extend_from_slice(b"\\\"");
                bytes.next();
            }
            b'\\' if in_text => mended.extend_from_slice(b"\\\\"),
            0..=0x1f if in_text => mended.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => mended.push(byte),
        }
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_whose_texts_are_not_escaped_is_mended() {
        let broken = b"{\"a\":\"one\ntwo \\d \\\"three\\\"\",\n\"b\":1}";
        assert!(serde_json::from_slice::<Value>(broken).is_err());
        let record: Value = serde_json::from_slice(&mended(broken)).unwrap();
        assert_eq!(record, serde_json::json!({"a": "one\ntwo \\d \"three\"", "b": 1}));
    }
}
