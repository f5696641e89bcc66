//! The skeleton of text readers: lines to items, with provenance, and what the file says of its own completeness.

use crate::{Input, Item, Lines, Malformed};
use monologue_model::{CoverageRecord, CoverageState, Detail, Event, Loss, Provenance, Sha256, SightSet, Timestamp};
use std::{collections::VecDeque, io::BufRead, sync::Arc};

/// What one line is.
#[derive(Debug, PartialEq)]
pub(crate) enum Row {
    /// One record with its event.
    Event {
        /// When it happened: for things that last, when they began.
        time: Timestamp,
        /// When the record was written, as far as it says: logs are complete from their first such time to their last.
        written: Timestamp,
        /// The host, where the record names it. `None`: it knows addresses only.
        host: Option<Arc<str>>,
        /// What happened.
        detail: Detail,
    },
    /// The source says that it lost something.
    Lost {
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Records lost. `None` means nobody counted them.
        records: Option<u64>,
    },
    /// A record of no use here.
    Skipped(&'static str),
    /// A header or comment: no record.
    Nothing,
}

/// Understands the lines of one format.
pub(crate) trait RowReader {
    /// What one line is. The line is not empty.
    ///
    /// # Errors
    /// What was expected in which field.
    fn row(&mut self, line: &[u8]) -> Result<Row, String>;

    /// Of which kind the last line was, where a file holds records of several: its place among those that
    /// [`Rows::of_kinds`] was given.
    fn kind(&self) -> usize {
        0
    }
}

/// Records of one format, where several stand in one file.
struct Kind {
    format: Arc<str>,
    sights: SightSet,
    /// First and last time at which a record was written.
    written: Option<(Timestamp, Timestamp)>,
}

/// Reads an input line by line.
pub(crate) struct Rows<'a, R> {
    lines: Option<Lines<Box<dyn BufRead + 'a>>>,
    reader: R,
    source: Arc<str>,
    kinds: Vec<Kind>,
    queue: VecDeque<Result<Item, Malformed>>,
    malformed: u64,
    cut: bool,
}

impl<'a, R: RowReader> Rows<'a, R> {
    /// Reads `input` as `format`, which shows `sights`, by `reader`.
    pub(crate) fn new(input: Input<'a>, format: &str, sights: SightSet, reader: R) -> Self {
        Self::of_kinds(input, [(format, sights)], reader)
    }

    /// Reads `input`, in which records of several formats stand, each of which shows some sights.
    pub(crate) fn of_kinds<'f>(
        input: Input<'a>,
        kinds: impl IntoIterator<Item = (&'f str, SightSet)>,
        reader: R,
    ) -> Self {
        let kinds = kinds.into_iter().map(|(format, sights)| Kind { format: format.into(), sights, written: None });
        Self {
            lines: Some(Lines::new(input.reader)),
            reader,
            source: input.source,
            kinds: kinds.collect(),
            queue: VecDeque::new(),
            malformed: 0,
            cut: false,
        }
    }

    /// Reads the next line into the queue. `false`: there is none.
    fn step(&mut self) -> bool {
        let Some(lines) = self.lines.as_mut() else { return false };
        let offset = lines.offset();
        let (place, bytes) = match lines.next_line() {
            Ok(Some(line)) if line.cut => {
                let malformed =
                    Malformed { offset: line.offset, length: line.length, expected: "a line of at most 10 MiB".into() };
                self.malformed += 1;
                self.queue.push_back(Err(malformed));
                return true;
            }
            Ok(Some(line)) => {
                if line.bytes.trim_ascii().is_empty() {
                    return true;
                }
                self.cut = !line.terminated;
                ((line.offset, line.length), line.bytes)
            }
            Ok(None) => {
                self.lines = None;
                self.finish();
                return true;
            }
            Err(error) => {
                self.lines = None;
                self.cut = true;
                let expected = format!("more to read: {error}");
                self.queue.push_back(Err(Malformed { offset, length: 0, expected }));
                self.finish();
                return true;
            }
        };
        let (offset, length) = place;
        let item = match self.reader.row(bytes) {
            Ok(Row::Nothing) => return true,
            Ok(Row::Skipped(reason)) => Ok(Item::Skipped(reason)),
            Err(expected) => {
                self.malformed += 1;
                Err(Malformed { offset, length, expected })
            }
            Ok(row) => {
                let provenance = Provenance { source: self.source.clone(), offset, length, sha256: Sha256::of(bytes) };
                let kind = self.kinds.get_mut(self.reader.kind());
                let Some(event) = kind.and_then(|kind| kind.event(row, provenance)) else { return true };
                Ok(Item::Event(Box::new(event)))
            }
        };
        self.queue.push_back(item);
        true
    }

    /// What the end of the source says: it was written from its first record to its last; what could not be read may
    /// stand anywhere between; a last line that does not end was cut.
    fn finish(&mut self) {
        for kind in &self.kinds {
            let Some((from, until)) = kind.written.filter(|_| !kind.sights.is_empty()) else { continue };
            let mut states = vec![(from, CoverageState::Complete)];
            if self.malformed > 0 {
                states.push((from, CoverageState::Lost { reason: Loss::Malformed, records: Some(self.malformed) }));
            }
            if self.cut {
                states.push((until, CoverageState::Lost { reason: Loss::Truncated, records: None }));
            }
            for (from, state) in states {
                let provenance =
                    Provenance { source: self.source.clone(), offset: 0, length: 0, sha256: Sha256::of(b"") };
                let statement = kind.statement(from, until, state, provenance);
                self.queue.push_back(Ok(Item::Derived(Box::new(statement))));
            }
        }
    }
}

impl Kind {
    /// The event of a record. `None`: it has none.
    fn event(&mut self, row: Row, provenance: Provenance) -> Option<Event> {
        match row {
            Row::Event { time, written, host, detail } => {
                let (first, last) = self.written.get_or_insert((written, written));
                *first = written.min(*first);
                *last = written.max(*last);
                Some(Event { time, host, format: self.format.clone(), provenance, detail })
            }
            Row::Lost { from, until, records } => {
                let state = CoverageState::Lost { reason: Loss::SensorLoss, records };
                Some(self.statement(from, until, state, provenance))
            }
            Row::Skipped(_) | Row::Nothing => None,
        }
    }

    fn statement(&self, from: Timestamp, until: Timestamp, state: CoverageState, provenance: Provenance) -> Event {
        let record = CoverageRecord { format: self.format.clone(), sights: self.sights, from, until, state };
        Event { time: from, host: None, format: self.format.clone(), provenance, detail: Detail::Coverage(record) }
    }
}

impl<R: RowReader> Iterator for Rows<'_, R> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            if !self.step() {
                return None;
            }
        }
    }
}
