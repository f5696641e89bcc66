//! Decodes one tracev3 file: which records it holds, whose they are, and the texts of those that speak of requests.

use super::{
    catalog::Catalog,
    chunks::{self, CATALOG, CHUNK_SET, Chunks, FIREHOSE, HEADER, OVERSIZE},
    clock::{Clock, Header},
    points::{Origin, Point, PointChunk, PointKind},
    strings::Strings,
    texts::{self, Lone, OversizeKey},
};
use crate::{
    Item, Malformed,
    unified_log::{
        account::Account,
        elements::Element,
        records::{Kind, Record, Sender, Shape, Text},
    },
};
use macos_unifiedlogs::unified_log::{LogData, UnifiedLogData};
use monologue_model::{Provenance, SightSet, Timestamp, containment::contain};
use std::{collections::HashMap, sync::Arc};

/// Records whose texts are put together at once: the library prepares itself anew each time.
const BATCH: usize = 512;

/// Bytes of long arguments that are kept for the records of one file.
const OVERSIZE_CAP: usize = 64 << 20;

/// What a file gave.
pub(super) struct Decoded {
    /// One item for each record, and statements about lost ones.
    pub(super) items: Vec<Result<Item, Malformed>>,
    /// First and last moment of its records. `None` if it has none whose time is known.
    pub(super) span: Option<(Timestamp, Timestamp)>,
    /// Sights of which it holds records.
    pub(super) sights: SightSet,
    /// A record of it, for statements about the whole file.
    pub(super) witness: Option<Provenance>,
}

/// Decodes a whole file.
pub(super) fn decode(source: Arc<str>, file: &[u8], strings: &Strings, clock: &Clock) -> Decoded {
    let account = Account::new(source, Shape::Archive);
    let mut decoder = Decoder {
        strings,
        clock,
        account,
        items: Vec::new(),
        header: None,
        composer: UnifiedLogData::default(),
        catalog: Catalog::empty(),
        waiting: Vec::new(),
        oversize: HashMap::new(),
        oversize_bytes: 0,
        unpacked: 0,
        lost: 0,
    };
    if super::is_trace_file(file) {
        decoder.keep_oversize(file);
        decoder.file(file);
    } else {
        // Offsets count in the unpacked chunk sets only of what is known as a tracev3 file: no citation would be found again.
        let expected = "expected the header of a tracev3 file at its beginning".to_owned();
        decoder.items.push(Err(Malformed { offset: 0, length: 0, expected }));
    }
    decoder.finish()
}

/// A record that waits for its text.
struct Waiting {
    lone: Vec<u8>,
    oversize: Option<OversizeKey>,
    bytes: Vec<u8>,
    /// First byte in the unpacked chunk sets of the file.
    offset: u64,
    ticks: u64,
    process: (u64, u32),
    sender: Option<Sender>,
}

struct Decoder<'s> {
    strings: &'s Strings,
    clock: &'s Clock,
    account: Account,
    items: Vec<Result<Item, Malformed>>,
    header: Option<Header>,
    /// The header as the library wants it.
    composer: UnifiedLogData,
    catalog: Catalog,
    waiting: Vec<Waiting>,
    oversize: HashMap<OversizeKey, Vec<u8>>,
    oversize_bytes: usize,
    /// Bytes of the unpacked chunk sets before the present one.
    unpacked: u64,
    /// Stretches of the file that are no records, and of which nobody knows how many they held.
    lost: u64,
}

impl Decoder<'_> {
    /// Long arguments may stand before or after their record, so they are gathered first.
    fn keep_oversize(&mut self, file: &[u8]) {
        let sets = Chunks::new(file).flatten().filter(|chunk| chunk.tag == CHUNK_SET);
        for set in sets.filter_map(|set| chunks::unpack(set.content()).ok()) {
            for chunk in Chunks::new(&set).flatten().filter(|chunk| chunk.tag == OVERSIZE) {
                self.oversize_bytes = self.oversize_bytes.saturating_add(chunk.bytes.len());
                if let (Some(key), true) = (texts::oversize_key(chunk.bytes), self.oversize_bytes <= OVERSIZE_CAP) {
                    self.oversize.insert(key, chunk.bytes.to_vec());
                }
            }
        }
    }

    fn file(&mut self, file: &[u8]) {
        for chunk in Chunks::new(file) {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(no_chunk) => {
                    self.account.truncated = true;
                    self.break_off(
                        no_chunk.offset as u64,
                        no_chunk.length,
                        "expected a whole chunk, found its end".into(),
                    );
                    continue;
                }
            };
            match chunk.tag {
                HEADER => self.header(chunk.bytes),
                CATALOG => {
                    self.compose();
                    self.catalog = Catalog::read(chunk.bytes).unwrap_or_else(Catalog::empty);
                }
                CHUNK_SET => match chunks::unpack(chunk.content()) {
                    Ok(set) => {
                        self.set(&set);
                        self.unpacked += set.len() as u64;
                    }
                    Err(expected) => {
                        self.break_off(chunk.offset as u64, chunk.bytes.len(), expected);
                        self.unpacked += chunks::stated_length(chunk.content());
                    }
                },
                tag => self.break_off(
                    chunk.offset as u64,
                    chunk.bytes.len(),
                    format!("expected a header, catalog or chunk set, found a chunk of tag {tag:#x}"),
                ),
            }
        }
        self.compose();
    }

    fn header(&mut self, chunk: &[u8]) {
        self.compose();
        self.header = Header::read(chunk);
        let parsed = contain(|| LogData::parse_unified_log(chunk, "").ok().map(|(_, parsed)| parsed)).flatten();
        // The library takes for granted that there is one.
        self.composer = parsed.filter(|parsed| !parsed.header.is_empty()).unwrap_or_default();
    }

    fn set(&mut self, set: &[u8]) {
        for chunk in Chunks::new(set) {
            match chunk {
                Ok(chunk) if chunk.tag == FIREHOSE => self.points(chunk.bytes, chunk.offset),
                // Long arguments are part of another record.
                Ok(chunk) if chunk.tag == OVERSIZE => {}
                Ok(_) => self.skip("is no text that a program logged"),
                Err(no_chunk) => {
                    let offset = self.unpacked + no_chunk.offset as u64;
                    self.break_off(offset, no_chunk.length, "expected a whole chunk in a set, found its end".into());
                }
            }
        }
    }

    fn points(&mut self, bytes: &[u8], at: usize) {
        let place = self.unpacked + at as u64;
        let Some(chunk) = PointChunk::read(bytes) else {
            return self.break_off(place, bytes.len(), "expected a chunk of trace points, found another length".into());
        };
        for point in chunk.points() {
            match point {
                Ok(point) => match point.kind {
                    PointKind::Other => self.skip("is no text that a program logged"),
                    PointKind::Loss => self.loss(&point, place),
                    PointKind::Message => self.message(&chunk, &point, place),
                },
                Err(range) => self.break_off(
                    place + range.start as u64,
                    range.len(),
                    "expected a whole trace point of a known kind, found something else".into(),
                ),
            }
        }
    }

    fn message(&mut self, chunk: &PointChunk<'_>, point: &Point<'_>, place: u64) {
        let offset = place + point.offset as u64;
        let process = self.catalog.process(chunk.process);
        let Some(Origin { sender, oversize }) = point.origin(process, self.strings) else {
            return self.break_off(
                offset,
                point.bytes.len(),
                "expected the code address of a record, found its end".into(),
            );
        };
        match sender {
            Some(Sender::BoringSsl) => return self.pass(point.ticks, "tells of TLS only"),
            Some(sender) if !sender.speaks() => {
                return self.pass(point.ticks, "comes from a sender that does not speak of requests");
            }
            _ => {}
        }
        // Without strings of the sender there is no text to be had.
        let lone = if sender.is_some() { chunk.alone(point) } else { Some(Vec::new()) };
        let Some(lone) = lone else {
            return self.break_off(
                offset,
                point.bytes.len(),
                "expected private data of a record, found its end".into(),
            );
        };
        let oversize = oversize.map(|number| (chunk.process.0, chunk.process.1, number));
        self.waiting.push(Waiting {
            lone,
            oversize,
            bytes: point.bytes.to_vec(),
            offset,
            ticks: point.ticks,
            process: chunk.process,
            sender,
        });
        if self.waiting.len() >= BATCH {
            self.compose();
        }
    }

    /// Puts the texts of the waiting records together and hands them over.
    fn compose(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return;
        }
        let known = waiting.iter().enumerate().filter(|(_, record)| record.sender.is_some());
        let (places, lone): (Vec<usize>, Vec<Lone<'_>>) = known
            .map(|(place, record)| {
                let oversize = record.oversize.and_then(|key| self.oversize.get(&key)).map(Vec::as_slice);
                (place, (record.lone.as_slice(), oversize))
            })
            .unzip();
        let mut composed = vec![None; waiting.len()];
        if !lone.is_empty() && !self.composer.header.is_empty() {
            for (place, lone) in
                places.iter().zip(texts::compose(&self.composer, &mut self.catalog, self.strings, &lone))
            {
                if let Some(text) = composed.get_mut(*place) {
                    *text = lone;
                }
            }
        }
        for (record, text) in waiting.iter().zip(composed) {
            self.record(record, text.as_deref());
        }
    }

    fn record(&mut self, waiting: &Waiting, text: Option<&str>) {
        let element = Element {
            offset: waiting.offset,
            length: waiting.bytes.len() as u64,
            bytes: &waiting.bytes,
            unterminated: false,
            in_array: false,
        };
        let Some(time) = self.time(waiting.ticks) else {
            self.account.malformed(&element, "expected a time between 1678 and 2262, found none".to_owned());
            return self.drain();
        };
        let Some(text) = text else {
            self.account.unresolved(&element, time);
            return self.drain();
        };
        let process = self.catalog.process(waiting.process);
        let image = process.map_or("", |process| process.image.as_str());
        let path = self.strings.image(image).map_or("", |image| &*image.path);
        let record = Record {
            timestamp: Text::default(),
            kind: Kind::Message,
            sender: waiting.sender.unwrap_or(Sender::Other),
            sender_known: true,
            message: Text::from(text),
            process_path: Text::from(path),
            process_uuid: Text::from(image),
            boot_uuid: Text::from(self.header.as_ref().map_or("", |header| header.boot.as_str())),
            pid: process.map(|process| i64::from(process.pid)),
            user_id: process.map(|process| i64::from(process.user_id)),
        };
        self.account.record(&element, &record, time);
        self.drain();
    }

    fn loss(&mut self, point: &Point<'_>, place: u64) {
        self.compose();
        let offset = place + point.offset as u64;
        let length = point.bytes.len() as u64;
        let element = Element { offset, length, bytes: point.bytes, unterminated: false, in_array: false };
        let stretch = point.loss().and_then(|(from, until, count)| Some((self.time(from)?, self.time(until)?, count)));
        match stretch {
            Some((from, until, count)) => {
                // The counter has six bits: 63 means that, or more.
                let records = Some(count).filter(|count| *count < 63);
                self.account.loss(&element, from.min(until), from.max(until), records);
            }
            None => self.account.malformed(&element, "expected first and last moment of a loss, found none".to_owned()),
        }
        self.drain();
    }

    fn time(&self, ticks: u64) -> Option<Timestamp> {
        self.header.as_ref().and_then(|header| self.clock.time(header, ticks))
    }

    /// Passes over a record, whose time still says how far the log reaches.
    fn pass(&mut self, ticks: u64, reason: &'static str) {
        if let Some(time) = self.time(ticks) {
            self.account.reach(time);
        }
        self.skip(reason);
    }

    fn skip(&mut self, reason: &'static str) {
        self.items.push(Ok(Item::Skipped(reason)));
    }

    /// Bytes that are no records, or not to be read.
    fn break_off(&mut self, offset: u64, length: usize, expected: String) {
        self.lost += 1;
        self.items.push(Err(Malformed { offset, length: length as u64, expected }));
    }

    fn drain(&mut self) {
        self.items.extend(self.account.queue.drain(..));
    }

    fn finish(mut self) -> Decoded {
        let span = self.account.span.map(|span| (span.first, span.last));
        self.account.finish_file(self.lost > 0);
        self.drain();
        Decoded { items: self.items, span, sights: self.account.sights, witness: self.account.witness }
    }
}
