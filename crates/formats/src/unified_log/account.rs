//! Keeps account of what an export could and could not show, and turns its records into events.

use super::{
    SIGHTS, connection,
    elements::Element,
    message::normalise_uuid,
    neighbours, preface,
    records::{self, Kind, Parsed, Record, Sender, Shape},
    task,
};
use crate::{Item, LINE_CAP, Malformed};
use monologue_model::{
    BackgroundTask, ConnectionFact, CoverageRecord, CoverageState, Detail, DnsQuery, Event, Loss, NetworkConnection,
    ProcessImage, ProcessKey, Provenance, Sha256, Sight, SightSet, TaskEvent, Timestamp,
};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
};

/// Texts in place of a message that could not be put together: by decoders without the program's strings, by Apple's.
const UNRESOLVED: [&str; 2] = ["Failed to get ", "<compose failure"];

/// Longest path that macOS allows, in bytes (`PATH_MAX` is 1,024; decoders may add to it).
const PATH_CAP: usize = 4096;

/// Texts that repeat from record to record are kept once, up to so many.
const REPEATED_CAP: usize = 4096;

/// First, latest and last read moment of the records so far.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    current: Timestamp,
}

/// Records that could not be read, since the last one that could.
struct Unread {
    records: u64,
    provenance: Provenance,
}

/// Records of known times that could not be read.
#[derive(Clone)]
struct Unresolved {
    from: Timestamp,
    until: Timestamp,
    records: u64,
    provenance: Provenance,
}

/// Records that could not be read are one stretch of loss where no more than so much time lies between them: one minute.
const STRETCH_NANOSECONDS: i64 = 60_000_000_000;

/// Stretches that are told apart in one file; the rest are told as one.
const STRETCH_CAP: usize = 4096;

/// What was read so far, and what is still to be handed out.
pub(super) struct Account {
    pub(super) source: Arc<str>,
    pub(super) format: Arc<str>,
    shape: Shape,
    repeated: HashSet<Arc<str>>,
    pub(super) queue: VecDeque<Result<Item, Malformed>>,
    pub(super) span: Option<Span>,
    /// The latest record that says something, for statements about the whole export.
    pub(super) witness: Option<Provenance>,
    /// Sights of which at least one record was seen.
    pub(super) sights: SightSet,
    /// Sights that the export's predicate, where it names one, does not thin out.
    possible: SightSet,
    unread: Option<Unread>,
    unresolved: BTreeMap<i64, Unresolved>,
    /// Records of `log show` were read, and no closing line since.
    open_export: bool,
    pub(super) truncated: bool,
}

impl Account {
    /// An account of which nothing is written yet.
    pub(super) fn new(source: Arc<str>, shape: Shape) -> Self {
        Self {
            source,
            format: shape.format().into(),
            shape,
            repeated: HashSet::new(),
            queue: VecDeque::new(),
            span: None,
            witness: None,
            sights: SightSet::EMPTY,
            possible: SIGHTS,
            unread: None,
            unresolved: BTreeMap::new(),
            open_export: false,
            truncated: false,
        }
    }

    pub(super) fn take(&mut self, element: &Element<'_>) {
        if preface::is_preface(element.bytes) {
            self.possible = self.possible.intersection(preface::possible_sights(element.bytes));
            return self.skip("stands before the records of an export");
        }
        if element.too_long() {
            return self.malformed(element, format!("expected a record of at most {LINE_CAP} bytes"));
        }
        match records::parse(element.bytes, self.shape) {
            Ok(Parsed::Trailer) => {
                self.open_export = false;
                self.skip("closing line of a complete export");
            }
            Ok(Parsed::Record(record)) => match Timestamp::parse(&record.timestamp) {
                Ok(time) => self.record(element, &record, time),
                Err(error) => self.malformed(element, error.to_string()),
            },
            Err(expected) => self.malformed(element, expected),
        }
    }

    pub(super) fn skip(&mut self, reason: &'static str) {
        self.queue.push_back(Ok(Item::Skipped(reason)));
    }

    pub(super) fn malformed(&mut self, element: &Element<'_>, expected: String) {
        self.truncated |= element.unterminated;
        self.mark_unread(element);
        let Element { offset, length, .. } = *element;
        self.queue.push_back(Err(Malformed { offset, length, expected }));
    }

    pub(super) fn mark_unread(&mut self, element: &Element<'_>) {
        match &mut self.unread {
            Some(unread) => unread.records += 1,
            None => self.unread = Some(Unread { records: 1, provenance: self.provenance(element) }),
        }
    }

    pub(super) fn provenance(&self, element: &Element<'_>) -> Provenance {
        Provenance {
            source: self.source.clone(),
            offset: element.offset,
            length: element.bytes.len() as u64,
            sha256: Sha256::of(element.bytes),
        }
    }

    pub(super) fn record(&mut self, element: &Element<'_>, record: &Record<'_>, time: Timestamp) {
        let previous = self.span.map_or(time, |span| span.current);
        self.reach(time);
        // Apple's exports are in order of time, so what could not be read lies between its neighbours. Decoders write
        // file after file: there it may lie anywhere, and is told at the end.
        if matches!(self.shape, Shape::Apple | Shape::Text) {
            // `log stream` writes no boot session and no closing line; an array is closed by its bracket.
            // Nor is it certain that every style of text has a closing line.
            self.open_export |= self.shape == Shape::Apple && !record.boot_uuid.is_empty() && !element.in_array;
            self.lose_unread(previous.min(time), previous.max(time));
        }
        let detail = match record.kind {
            Kind::Message => self.interpret(element, record),
            Kind::Loss(records) => {
                let state = CoverageState::Lost { reason: Loss::SensorLoss, records };
                Ok(Detail::Coverage(self.coverage(SIGHTS, time, time, state)))
            }
            Kind::Other => Err("is no text that a program logged"),
        };
        match detail {
            Ok(detail) => {
                let provenance = self.provenance(element);
                self.witness = Some(provenance.clone());
                let event = Event { time, host: None, format: self.format.clone(), provenance, detail };
                self.queue.push_back(Ok(Item::Event(Box::new(event))));
            }
            Err(reason) => {
                if self.witness.is_none() {
                    self.witness = Some(self.provenance(element));
                }
                self.skip(reason);
            }
        }
    }

    /// Takes note of a moment that the records reach.
    pub(super) fn reach(&mut self, time: Timestamp) {
        self.span = Some(match self.span {
            Some(span) => Span { first: span.first.min(time), last: span.last.max(time), current: time },
            None => Span { first: time, last: time, current: time },
        });
    }

    /// Passes over a record of known time whose text could not be put together.
    pub(super) fn unresolved(&mut self, element: &Element<'_>, time: Timestamp) {
        self.reach(time);
        let provenance = self.provenance(element);
        self.witness.get_or_insert_with(|| provenance.clone());
        let minute = time.nanoseconds().div_euclid(STRETCH_NANOSECONDS);
        let minute = if self.unresolved.len() < STRETCH_CAP { minute } else { i64::MAX };
        let new = Unresolved { from: time, until: time, records: 0, provenance };
        let known = self.unresolved.entry(minute).or_insert(new);
        known.from = known.from.min(time);
        known.until = known.until.max(time);
        known.records += 1;
        self.skip("its text could not be put together");
    }

    /// Takes a statement of the log about records that it lost.
    pub(super) fn loss(&mut self, element: &Element<'_>, from: Timestamp, until: Timestamp, records: Option<u64>) {
        self.reach(until);
        let state = CoverageState::Lost { reason: Loss::SensorLoss, records };
        let detail = Detail::Coverage(self.coverage(SIGHTS, from, until, state));
        let provenance = self.provenance(element);
        self.witness = Some(provenance.clone());
        let event = Event { time: from, host: None, format: self.format.clone(), provenance, detail };
        self.queue.push_back(Ok(Item::Event(Box::new(event))));
    }

    /// States what one file of several lost: at the times of the records that could not be read; over all of the file
    /// where nobody knows when, as in a broken part.
    pub(super) fn finish_file(&mut self, broken: bool) {
        let mut stretches: Vec<Unresolved> = Vec::new();
        for next in std::mem::take(&mut self.unresolved).into_values() {
            match stretches.last_mut() {
                Some(last) if next.from.since(last.until) <= STRETCH_NANOSECONDS => {
                    last.from = last.from.min(next.from);
                    last.until = last.until.max(next.until);
                    last.records += next.records;
                }
                _ => stretches.push(next),
            }
        }
        for Unresolved { from, until, records, provenance } in stretches {
            let state = CoverageState::Lost { reason: Loss::Malformed, records: Some(records) };
            let record = self.coverage(SIGHTS, from, until, state);
            self.derive(provenance, record);
        }
        let (Some(span), Some(witness)) = (self.span, self.witness.clone()) else { return };
        self.lose_unread(span.first, span.last);
        if broken || self.truncated {
            let reason = if self.truncated { Loss::Truncated } else { Loss::Malformed };
            let record = self.coverage(SIGHTS, span.first, span.last, CoverageState::Lost { reason, records: None });
            self.derive(witness, record);
        }
    }

    /// What the record says, or why it says nothing that matters.
    fn interpret(&mut self, element: &Element<'_>, record: &Record<'_>) -> Result<Detail, &'static str> {
        let message = &*record.message;
        if UNRESOLVED.iter().any(|text| message.starts_with(text))
            && (record.sender != Sender::Other || !record.sender_known)
        {
            self.mark_unread(element);
            return Err("its text could not be put together");
        }
        match record.sender {
            Sender::CfNetwork => {
                self.sights.insert(Sight::TaskLifecycle);
                let background = record.process_path.ends_with("/nsurlsessiond");
                self.task(record, false)
                    .or_else(|| background.then(|| self.background(record)).flatten())
                    .ok_or("states no fact of a request")
            }
            Sender::Network => self
                .connection(record)
                .or_else(|| self.task(record, true))
                .ok_or("neither begins nor ends a connection"),
            Sender::BackgroundDaemon => self.background(record).ok_or("states no fact of a background request"),
            Sender::Resolver => {
                self.sights.insert(Sight::DnsQuery);
                self.question(record).ok_or("is no question of a process to the resolver")
            }
            Sender::BoringSsl => Err("tells of TLS only"),
            Sender::Other => Err("comes from a sender that does not speak of requests"),
        }
    }

    fn task(&mut self, record: &Record<'_>, from_network: bool) -> Option<Detail> {
        let (task, fact) = task::parse(&record.message, from_network)?;
        Some(Detail::Task(Box::new(TaskEvent { process: self.process(record), task, fact })))
    }

    fn background(&mut self, record: &Record<'_>) -> Option<Detail> {
        let (task, fact) = neighbours::background(&record.message)?;
        Some(Detail::Background(Box::new(BackgroundTask { process: self.process(record), task, fact })))
    }

    fn connection(&mut self, record: &Record<'_>) -> Option<Detail> {
        let line = connection::parse(&record.message)?;
        if matches!(line.fact, ConnectionFact::Closed { .. }) {
            self.sights.insert(Sight::FlowBytes);
        }
        let mut process = self.process(record);
        // `proc:` names the executable the connection is made for: the one whose code meets the response.
        process.code_uuid = line.code_uuid.clone().or(process.code_uuid);
        let connection::ConnectionLine { connection, fact, .. } = line;
        Some(Detail::Connection(Box::new(NetworkConnection { process, connection, fact, effective_process: None })))
    }

    fn question(&mut self, record: &Record<'_>) -> Option<Detail> {
        let neighbours::Question { name, name_hash, client_pid } = neighbours::question(&record.message)?;
        let boot = self.boot(record);
        let process = client_pid.map(|pid| ProcessImage {
            key: ProcessKey { boot, ..ProcessKey::from_pid(pid, None) },
            ..ProcessImage::default()
        });
        Some(Detail::Dns(Box::new(DnsQuery {
            process,
            originator: None,
            resolver: None,
            name,
            name_hash,
            query_type: None,
            answers: Vec::new(),
            response_code: None,
        })))
    }

    /// The process that logged the record.
    fn process(&mut self, record: &Record<'_>) -> ProcessImage {
        let pid = record.pid.and_then(|pid| u32::try_from(pid).ok());
        ProcessImage {
            key: ProcessKey { boot: self.boot(record), pid, ..ProcessKey::default() },
            path: (record.process_path.len() <= PATH_CAP).then(|| self.once(&record.process_path)).flatten(),
            code_uuid: normalise_uuid(&record.process_uuid).and_then(|uuid| self.once(&uuid)),
            user_id: record.user_id.and_then(user_id),
            ..ProcessImage::default()
        }
    }

    fn boot(&mut self, record: &Record<'_>) -> Option<Arc<str>> {
        normalise_uuid(&record.boot_uuid).and_then(|uuid| self.once(&uuid))
    }

    /// The text, shared with earlier records that hold the same. `None` if it is empty.
    fn once(&mut self, text: &str) -> Option<Arc<str>> {
        if text.is_empty() {
            return None;
        }
        if let Some(known) = self.repeated.get(text) {
            return Some(known.clone());
        }
        let new: Arc<str> = text.into();
        if self.repeated.len() < REPEATED_CAP {
            self.repeated.insert(new.clone());
        }
        Some(new)
    }

    pub(super) fn coverage(
        &self,
        sights: SightSet,
        from: Timestamp,
        until: Timestamp,
        state: CoverageState,
    ) -> CoverageRecord {
        CoverageRecord { format: self.format.clone(), sights, from, until, state }
    }

    pub(super) fn derive(&mut self, provenance: Provenance, record: CoverageRecord) {
        let format = self.format.clone();
        let event = Event { time: record.from, host: None, format, provenance, detail: Detail::Coverage(record) };
        self.queue.push_back(Ok(Item::Derived(Box::new(event))));
    }

    /// States that the unread records were lost between two moments.
    fn lose_unread(&mut self, from: Timestamp, until: Timestamp) {
        if let Some(Unread { records, provenance }) = self.unread.take() {
            let state = CoverageState::Lost { reason: Loss::Malformed, records: Some(records) };
            let record = self.coverage(SIGHTS, from, until, state);
            self.derive(provenance, record);
        }
    }

    /// States what the whole export showed. Without a single time there is nothing to state.
    pub(super) fn finish(&mut self) {
        let (Some(span), Some(witness)) = (self.span, self.witness.clone()) else { return };
        match self.shape {
            Shape::Apple | Shape::Text => self.lose_unread(span.last, span.last),
            Shape::Decoded | Shape::Archive => self.lose_unread(span.first, span.last),
        }
        if self.truncated || self.open_export {
            let from = if matches!(self.shape, Shape::Apple | Shape::Text) { span.last } else { span.first };
            let state = CoverageState::Lost { reason: Loss::Truncated, records: None };
            let record = self.coverage(SIGHTS, from, span.last, state);
            self.derive(witness.clone(), record);
        }
        let complete = self.sights.intersection(self.possible);
        if !complete.is_empty() {
            let record = self.coverage(complete, span.first, span.last, CoverageState::Complete);
            self.derive(witness, record);
        }
    }
}

/// A user id as the kernel counts them: -2 (nobody) is 4,294,967,294. `None` if it is neither spelling.
fn user_id(value: i64) -> Option<u32> {
    u32::try_from(value).ok().or_else(|| i32::try_from(value).ok().map(i32::cast_unsigned))
}
