//! Reads a bundle without storing anything: what an import would take, and what it would refuse.

use crate::{
    canonical,
    fields::{self, Change},
    object::Header,
    prose::Prose,
    scan::{OBJECT_CAP, Scanner},
};
use serde_json::Value;
use std::io::BufRead;

/// An object that can be imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Readable {
    /// Where it begins.
    pub offset: u64,
    /// Its exact bytes.
    pub raw: Vec<u8>,
    /// Its content.
    pub value: Value,
    /// Its header.
    pub header: Header,
}

impl Readable {
    /// Its description, with citations numbered.
    #[must_use]
    pub fn prose(&self) -> Prose {
        Prose::of(&self.value)
    }

    /// What is different in another version.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Vec<Change> {
        fields::compare(&self.value, &other.value)
    }
}

/// Reads objects until the input ends or cannot be read on. A text says what was expected of what is no object.
pub fn check(reader: impl BufRead) -> impl Iterator<Item = Result<Readable, String>> {
    let mut scanner = Scanner::new(reader);
    std::iter::from_fn(move || {
        scanner.next_object().map(|next| {
            let raw = next.map_err(|fault| format!("at {}: {}", fault.offset, fault.expected))?;
            if raw.length > OBJECT_CAP as u64 {
                return Err(format!("at {}: expected an object of at most {OBJECT_CAP} bytes", raw.offset));
            }
            let value =
                canonical::parse(&raw.bytes).map_err(|error| format!("at {}: expected JSON: {error}", raw.offset))?;
            let (header, _) = Header::of(&value)
                .map_err(|wrong| format!("at {}: field {}: {}", raw.offset, wrong.field, wrong.expected))?;
            Ok(Readable { offset: raw.offset, raw: raw.bytes, value, header })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_refusals_come_in_order() {
        let text = r#"{"type":"bundle","objects":[{"type":"tool","id":"tool--1","name":"a"},3,{"type":"tool","id":"tool--1","name":"b"}]}"#;
        let read: Vec<_> = check(text.as_bytes()).collect();
        assert_eq!(read.len(), 3);
        assert!(read[1].as_ref().unwrap_err().contains("an object"));
        let changes = read[0].as_ref().unwrap().compare(read[2].as_ref().unwrap());
        assert_eq!(changes.iter().map(Change::field).collect::<Vec<_>>(), ["name"]);
        assert!(read[0].as_ref().unwrap().prose().is_empty());
    }
}
