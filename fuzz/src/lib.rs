//! What every format must keep on every input, and how inputs are made. One function for each serves the programs
//! `formats` and `attack` and any other driver, such as libFuzzer.

mod attack;
mod mutate;

pub use attack::{ATTACK_SAMPLES, one_bundle};
pub use mutate::{Mutator, SIZE_CAP};

use monologue_formats::{Cited, FORMATS, Format, Head, Input, Item, Malformed};
use monologue_model::Sha256;
use std::{
    fmt::{self, Write},
    hash::Hasher,
    io::{Cursor, Read},
};

/// Bytes of the head that formats are detected by, as in the reader of files.
const HEAD_BYTES: usize = 64 * 1024;

/// Items allowed beyond one for each byte: statements made at the end of an input.
const EXTRA_ITEMS: usize = 64;

/// Puts one input through every format, whether or not it is detected: `--format` can force any of them.
///
/// # Panics
/// When a format panics, yields more items than the input can hold, cites bytes that are not there or whose hash is
/// another, or says two things of the same bytes.
pub fn one_input(bytes: &[u8]) {
    one_input_of(bytes, &|_| true);
}

/// As [`one_input`], but only through the formats that `among` picks by name: many more inputs of them in the same time.
///
/// # Panics
/// As [`one_input`].
pub fn one_input_of(bytes: &[u8], among: &dyn Fn(&str) -> bool) {
    let head_bytes = bytes.get(..HEAD_BYTES).unwrap_or(bytes);
    let head = Head { name: "input", bytes: head_bytes, complete: head_bytes.len() == bytes.len() };
    for format in FORMATS.iter().copied().filter(|format| among(format.name())) {
        let detected = format.detect(&head);
        assert_eq!(detected, format.detect(&head), "{} must detect the same twice", format.name());
        let first = read_to_end(format, bytes);
        let second = read_to_end(format, bytes);
        assert_eq!(first, second, "{} must read the same twice", format.name());
    }
}

/// Reads all items, checks each, and returns a hash of what they say.
fn read_to_end(format: &dyn Format, bytes: &[u8]) -> u64 {
    let mut said = Said::default();
    let streams = Streams::of(bytes);
    let most = streams.longest() + EXTRA_ITEMS;
    for (count, item) in format.read(Input::from_bytes("input", bytes)).enumerate() {
        assert!(count < most, "{} must yield no more than {most} items of {} bytes", format.name(), bytes.len());
        check_item(format.name(), &streams, &item);
        let written = write!(said, "{item:?};");
        assert!(written.is_ok(), "{} must yield items that can be shown", format.name());
    }
    said.0.finish()
}

/// Where citations may lead: the input, and what it holds where it is packed, as files of the unified log are.
struct Streams<'a> {
    bytes: &'a [u8],
    unpacked: Vec<u8>,
}

impl<'a> Streams<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let mut unpacked = Vec::new();
        if let Ok(mut cited) = Cited::of(Box::new(Cursor::new(bytes.to_vec()))) {
            let _ = cited.reader.read_to_end(&mut unpacked);
        }
        Self { bytes, unpacked }
    }

    fn longest(&self) -> usize {
        self.bytes.len().max(self.unpacked.len())
    }

    /// What stands at a place in each of them that is long enough.
    fn at(&self, offset: u64, length: u64) -> impl Iterator<Item = &[u8]> {
        [self.bytes, &self.unpacked].into_iter().filter_map(move |bytes| slice(bytes, offset, length))
    }
}

fn check_item(name: &str, streams: &Streams<'_>, item: &Result<Item, Malformed>) {
    match item {
        Ok(Item::Event(event) | Item::Derived(event)) => {
            let provenance = &event.provenance;
            let mut cited = streams.at(provenance.offset, provenance.length).map(Sha256::of).peekable();
            assert!(cited.peek().is_some(), "{name} cites bytes that are not there: {provenance:?}");
            assert!(cited.any(|hash| hash == provenance.sha256), "{name} cites other bytes: {provenance:?}");
        }
        Ok(Item::Skipped(reason)) => assert!(!reason.is_empty(), "{name} must say why it skips"),
        Err(malformed) => {
            let place = streams.at(malformed.offset, malformed.length).next();
            assert!(place.is_some(), "{name} complains of bytes that are not there: {malformed:?}");
            assert!(!malformed.expected.is_empty(), "{name} must say what it expected: {malformed:?}");
        }
    }
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(start..end)
}

/// Hashes text as it is written, so that two readings can be compared without being kept. The standard hasher made by
/// `default` has fixed keys.
#[derive(Default)]
struct Said(std::hash::DefaultHasher);

impl Write for Said {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_formats::Refusal;
    use monologue_model::SightSet;

    /// A format that does one thing wrong.
    struct Wrong(fn(&[u8]) -> Vec<Result<Item, Malformed>>);

    impl Format for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }
        fn about(&self) -> &'static str {
            "does one thing wrong"
        }
        fn sights(&self) -> SightSet {
            SightSet::EMPTY
        }
        fn detect(&self, _: &Head<'_>) -> Result<(), Refusal> {
            Ok(())
        }
        fn read<'a>(&self, mut input: Input<'a>) -> monologue_formats::Records<'a> {
            let mut bytes = Vec::new();
            assert!(std::io::Read::read_to_end(&mut input.reader, &mut bytes).is_ok());
            Box::new((self.0)(&bytes).into_iter())
        }
    }

    fn fails(wrong: fn(&[u8]) -> Vec<Result<Item, Malformed>>) -> bool {
        std::panic::catch_unwind(|| read_to_end(&Wrong(wrong), b"0123456789")).is_err()
    }

    #[test]
    fn each_broken_promise_is_noticed() {
        let malformed = |offset, length| Err(Malformed { offset, length, expected: "a digit".to_owned() });
        assert!(!fails(|_| vec![Ok(Item::Skipped("of no use"))]));
        assert!(fails(|_| vec![Ok(Item::Skipped(""))]));
        assert!(fails(|bytes| vec![Ok(Item::Skipped("of no use")); bytes.len() + EXTRA_ITEMS + 1]));
        assert_eq!(slice(b"0123456789", 3, 7), Some(&b"3456789"[..]));
        let inside = malformed(3, 7);
        let outside: [Result<Item, Malformed>; 2] = [malformed(3, 8), malformed(u64::MAX, 1)];
        let streams = Streams::of(b"0123456789");
        check_item("wrong", &streams, &inside);
        for item in outside {
            assert!(std::panic::catch_unwind(|| check_item("wrong", &Streams::of(b"0123456789"), &item)).is_err());
        }
    }

    #[test]
    fn nothing_breaks_on_inputs_without_content() {
        for bytes in [&b""[..], b"\n", b"{}", b"[]", b"\xff\xfe", b"\0"] {
            assert!(std::panic::catch_unwind(|| one_input(bytes)).is_ok(), "{bytes:?}");
        }
    }
}
