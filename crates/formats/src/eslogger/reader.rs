//! Reads line by line: every line that is not empty becomes one event, one skip or one malformation.

use super::Writer;
use super::client::{ALL, Client, Statement, Step};
use super::convert::{Meaning, Shared, meaning};
use super::record::Record;
use crate::{Input, Item, LINE_CAP, Line, Lines, Malformed};
use monologue_model::{CoverageState, Detail, Event, Loss, Provenance, Sha256, Timestamp};
use std::{
    cell::LazyCell,
    collections::{BTreeMap, VecDeque},
    io::BufRead,
    sync::Arc,
};

/// Reads one source.
pub(super) struct Reader<'a> {
    lines: Lines<Box<dyn BufRead + 'a>>,
    state: State,
    ended: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input<'a>, writer: &'static Writer) -> Self {
        Self { lines: Lines::new(input.reader), state: State::new(input.source, writer), ended: false }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.state.ready.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let offset = self.lines.offset();
            match self.lines.next_line() {
                Ok(Some(line)) if line.bytes.trim_ascii().is_empty() => {}
                Ok(Some(line)) => self.state.line(&line),
                Ok(None) => {
                    self.ended = true;
                    self.state.finish();
                }
                Err(error) => {
                    self.ended = true;
                    self.state.broken(offset, &error);
                    self.state.finish();
                }
            }
        }
    }
}

/// Lines that could not be read since the last that could.
struct Unread {
    count: u64,
    provenance: Provenance,
}

/// Hosts whose numbers are followed in one source.
const HOST_CAP: usize = 65_536;

/// The runs of the writer on one host.
#[derive(Default)]
struct Runs {
    client: Option<Client>,
    /// Latest time of all clients before this one: what is not later may be theirs. `None` means there was none.
    previous_until: Option<Timestamp>,
    records: u64,
}

/// All that is remembered from line to line.
struct State {
    source: Arc<str>,
    format: Arc<str>,
    writer: &'static Writer,
    shared: Shared,
    /// By the host that the records name; `None` where they name none.
    runs: BTreeMap<Option<Arc<str>>, Runs>,
    /// Time of the last record read. `None` means there was none.
    last_time: Option<Timestamp>,
    unread: Option<Unread>,
    /// The source ends in the middle of this record.
    cut_off: Option<Provenance>,
    ready: VecDeque<Result<Item, Malformed>>,
}

impl Runs {
    /// Lets the sequence numbers of a record speak.
    fn follow(
        &mut self,
        writer: &'static Writer,
        record: &Record<'_>,
        time: Timestamp,
        provenance: &dyn Fn() -> Provenance,
    ) -> Vec<Statement> {
        self.records += 1;
        let step = Step {
            time,
            event_type: record.event_type,
            type_number: record.seq_num,
            global_number: record.global_seq_num,
            body: &record.event,
            at: self.records,
        };
        let mut statements = Vec::new();
        if let Some(client) = self.client.take_if(|client| client.is_followed_by(&step)) {
            let until = client.until();
            statements.extend(client.finish());
            let state = CoverageState::Lost { reason: Loss::SequenceGap, records: None };
            statements.push((writer.record(ALL, until.min(time), until.max(time), state), provenance()));
            self.previous_until = self.previous_until.max(Some(until));
        }
        if self.previous_until.is_some_and(|until| time <= until) {
            // It may be a straggler of a client before: its numbers mean nothing in this one.
            return statements;
        }
        let client = self.client.get_or_insert_with(|| Client::new(writer, time, provenance()));
        statements.extend(client.take(&step, provenance));
        statements
    }
}

impl State {
    fn new(source: Arc<str>, writer: &'static Writer) -> Self {
        Self {
            source,
            format: writer.name.into(),
            writer,
            shared: Shared::default(),
            runs: BTreeMap::new(),
            last_time: None,
            unread: None,
            cut_off: None,
            ready: VecDeque::new(),
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        let repaired;
        let mut parsed = parse(line);
        if parsed.is_err() && std::str::from_utf8(line.bytes).is_err() {
            // A path may hold bytes that are no text: better read with a mark in their place than not at all.
            repaired = String::from_utf8_lossy(line.bytes);
            parsed = parse(&Line { bytes: repaired.as_bytes(), ..*line });
        }
        // Hashed once, and not at all where nothing cites the line.
        let sha256 = LazyCell::new(|| Sha256::of(line.bytes));
        let outcome = parsed.and_then(|(record, time)| match meaning(&record, &mut self.shared, &|| *sha256) {
            Meaning::Malformed(expected) => Err(expected.to_owned()),
            Meaning::Event(detail) => Ok((record, time, Ok(detail))),
            Meaning::Skipped(reason) => Ok((record, time, Err(reason))),
        });
        let source = Arc::clone(&self.source);
        let place =
            || Provenance { source: Arc::clone(&source), offset: line.offset, length: line.length, sha256: *sha256 };
        match outcome {
            Ok((record, time, found)) => self.take(&place, &record, time, found),
            Err(expected) => self.malformed(line, expected),
        }
    }

    fn take(
        &mut self,
        provenance: &dyn Fn() -> Provenance,
        record: &Record<'_>,
        time: Timestamp,
        found: Result<Detail, &'static str>,
    ) {
        let host = record.host.as_ref().and_then(|host| host.hostname.as_ref()).map(|name| self.shared.host(&name.0));
        self.ready.push_back(Ok(match found {
            Ok(detail) => Item::Event(Box::new(self.event(time, host.clone(), provenance(), detail))),
            Err(reason) => Item::Skipped(reason),
        }));
        self.tell_unread(time);
        self.last_time = Some(time);
        if self.runs.len() < HOST_CAP || self.runs.contains_key(&host) {
            let mut runs = self.runs.remove(&host).unwrap_or_default();
            let statements = runs.follow(self.writer, record, time, provenance);
            self.tell(host.as_ref(), statements);
            self.runs.insert(host, runs);
        }
    }

    fn malformed(&mut self, line: &Line<'_>, expected: String) {
        self.ready.push_back(Err(Malformed { offset: line.offset, length: line.length, expected }));
        let provenance = provenance(&self.source, line);
        if !line.terminated {
            self.cut_off = Some(provenance);
        } else if let Some(unread) = &mut self.unread {
            unread.count += 1;
        } else {
            self.unread = Some(Unread { count: 1, provenance });
        }
    }

    /// Reading failed: what follows is lost.
    fn broken(&mut self, offset: u64, error: &std::io::Error) {
        let expected = format!("expected more bytes: {error}");
        self.ready.push_back(Err(Malformed { offset, length: 0, expected }));
        let line = Line { offset, length: 0, bytes: &[], cut: true, terminated: false };
        self.cut_off = Some(provenance(&self.source, &line));
    }

    /// Tells of lines that could not be read, at the time of the last record before them, or of the first after.
    fn tell_unread(&mut self, next_time: Timestamp) {
        if let Some(Unread { count, provenance }) = self.unread.take().filter(|_| self.writer.is_complete) {
            let time = self.last_time.unwrap_or(next_time);
            let state = CoverageState::Lost { reason: Loss::Malformed, records: Some(count) };
            self.tell(None, vec![(self.writer.record(ALL, time, time, state), provenance)]);
        }
    }

    fn finish(&mut self) {
        for (host, runs) in std::mem::take(&mut self.runs) {
            if let Some(client) = runs.client {
                self.tell(host.as_ref(), client.finish());
            }
        }
        let Some(time) = self.last_time else { return };
        self.tell_unread(time);
        if let Some(provenance) = self.cut_off.take().filter(|_| self.writer.is_complete) {
            let state = CoverageState::Lost { reason: Loss::Truncated, records: None };
            self.tell(None, vec![(self.writer.record(ALL, time, time, state), provenance)]);
        }
    }

    fn tell(&mut self, host: Option<&Arc<str>>, statements: Vec<Statement>) {
        for (record, provenance) in statements {
            let event = self.event(record.from, host.cloned(), provenance, Detail::Coverage(record));
            self.ready.push_back(Ok(Item::Derived(Box::new(event))));
        }
    }

    fn event(&self, time: Timestamp, host: Option<Arc<str>>, provenance: Provenance, detail: Detail) -> Event {
        Event { time, host, format: Arc::clone(&self.format), provenance, detail }
    }
}

fn provenance(source: &Arc<str>, line: &Line<'_>) -> Provenance {
    Provenance { source: Arc::clone(source), offset: line.offset, length: line.length, sha256: Sha256::of(line.bytes) }
}

/// The record of a line, and its time.
fn parse<'a>(line: &Line<'a>) -> Result<(Record<'a>, Timestamp), String> {
    if line.cut {
        return Err(format!("expected a line of at most {LINE_CAP} bytes"));
    }
    if !line.bytes.trim_ascii_start().starts_with(b"{") {
        return Err("expected a JSON object".to_owned());
    }
    let record: Record<'a> = serde_json::from_slice(line.bytes)
        .map_err(|error| format!("expected an Endpoint Security message as eslogger writes it: {error}"))?;
    let time = Timestamp::parse(&record.time.0).map_err(|error| format!("in `time`: {error}"))?;
    Ok((record, time))
}
