//! Santa's spool: a `LogBatch`, whose records are `SantaMessage`s, each alone or within a `google.protobuf.Any`.

use super::{SIGHTS, message, protobuf, schema};
use crate::{
    Format, Head, Input, Item, Malformed, Records, Refusal,
    endpoint::{Fields, Place, Sensor, ready::Ready},
    texts::Texts,
};
use monologue_model::{Sha256, SightSet};
use std::io::{BufRead, Read};

/// Longest record that is kept: 10 MiB. Files of the spool have 250 kB.
const RECORD_CAP: u64 = 10 << 20;

/// Tag of `repeated … = 1`: field 1, with a length.
const RECORD_TAG: u8 = 0x0a;

/// Santa's spool of protobuf files.
pub(crate) const SANTA_SPOOL: Spool = Spool;

/// Santa's spool of protobuf files.
pub(crate) struct Spool;

impl Format for Spool {
    fn name(&self) -> &'static str {
        "santa-spool"
    }

    fn about(&self) -> &'static str {
        "Santa events, protobuf files of its spool; bytes of flows: presence, and silence only of closed flows"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal(why.to_owned()));
        let Some(rest) = head.bytes.strip_prefix(&[RECORD_TAG]) else {
            return refuse("the first byte does not begin a batch of protobuf records");
        };
        let Some((length, size)) = protobuf::variable_number(rest) else {
            return refuse("the first record of the batch has no length");
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let record = rest.get(size..).unwrap_or_default();
        match record.get(..length) {
            Some(whole) => match schema::santa_message(inner(whole)) {
                Ok(message) if message.get("event_time").is_some() => Ok(()),
                _ => refuse("the first record of the batch is no message of Santa"),
            },
            None if !head.complete && memchr::memmem::find(record, b"santa.pb.v1").is_some() => Ok(()),
            None => refuse("the first record of the batch is cut"),
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            reader: input.reader,
            offset: 0,
            sensor: message::Santa,
            texts: Texts::default(),
            ready: Ready::new(input.source, SANTA_SPOOL.name()),
            ended: false,
        })
    }
}

/// The message itself: the value of an `Any` (field 1 its type, field 2 its bytes), or the record as it is.
fn inner(record: &[u8]) -> &[u8] {
    let mut fields = protobuf::Fields::of(record);
    match (fields.next(), fields.next()) {
        (Some((1, protobuf::Wire::Bytes(kind))), Some((2, protobuf::Wire::Bytes(value))))
            if kind.windows(6).any(|part| part == b"santa.") && kind.contains(&b'/') =>
        {
            value
        }
        _ => record,
    }
}

struct Reader<'a> {
    reader: Box<dyn BufRead + 'a>,
    offset: u64,
    sensor: message::Santa,
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
            let start = self.offset;
            match self.record() {
                Ok(Some(record)) => self.tell(start, &record),
                Ok(None) => self.ended = true,
                Err(expected) => {
                    self.ended = true;
                    // What follows cannot be found any more.
                    return Some(Err(Malformed { offset: start, length: self.offset - start, expected }));
                }
            }
        }
    }
}

impl Reader<'_> {
    /// The next record of the batch, with its tag and length; `None` at the end.
    fn record(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut head = Vec::with_capacity(11);
        loop {
            let Some(byte) = self.byte()? else {
                return if head.is_empty() { Ok(None) } else { Err("expected the length of a record".to_owned()) };
            };
            head.push(byte);
            if head.first() != Some(&RECORD_TAG) {
                return Err("expected a record of a batch (field 1)".to_owned());
            }
            if head.len() > 11 {
                return Err("expected a length of at most ten bytes".to_owned());
            }
            if head.len() > 1 && byte & 0x80 == 0 {
                break;
            }
        }
        let (length, _) =
            protobuf::variable_number(head.get(1..).unwrap_or_default()).ok_or("expected the length of a record")?;
        if length > RECORD_CAP {
            return Err(format!("expected a record of at most {RECORD_CAP} bytes, found {length}"));
        }
        let read = self.reader.by_ref().take(length).read_to_end(&mut head).map_err(|error| error.to_string())?;
        self.offset += read as u64;
        if (read as u64) < length {
            return Err(format!("expected {length} bytes of a record, found {read}"));
        }
        Ok(Some(head))
    }

    fn byte(&mut self) -> Result<Option<u8>, String> {
        let available = self.reader.fill_buf().map_err(|error| format!("expected more bytes: {error}"))?;
        let byte = available.first().copied();
        if byte.is_some() {
            self.reader.consume(1);
            self.offset += 1;
        }
        Ok(byte)
    }

    fn tell(&mut self, offset: u64, record: &[u8]) {
        let sha256 = Sha256::of(record);
        let size = protobuf::variable_number(record.get(1..).unwrap_or_default()).map_or(0, |(_, size)| size);
        let content = record.get(1 + size..).unwrap_or_default();
        let said = schema::santa_message(inner(content))
            .and_then(|message| self.sensor.take(Fields(&message), &Place { sha256 }, &mut self.texts));
        self.ready.tell(offset, record.len() as u64, said.map(|said| (said, sha256)));
    }
}

#[cfg(test)]
mod tests;
