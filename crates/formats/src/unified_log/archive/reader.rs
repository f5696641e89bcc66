//! Reads a whole store: first the strings and the clock, then the tracev3 files, several at once, in the order of storage.

use super::{
    clock::Clock,
    decode::{Decoded, decode},
    is_trace_name,
    strings::Strings,
};
use crate::{Bundle, Input, Item, Malformed, Records, unified_log::records::Shape};
use monologue_model::{CoverageRecord, CoverageState, Detail, Event, Loss, Provenance, SightSet, Timestamp};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Read},
    ops::ControlFlow,
    sync::{Arc, mpsc},
    thread,
};

/// Bytes of a single file that are read.
const LENGTH_CAP: u64 = 512 << 20;

/// Files that are decoded at once, and so are in memory.
const AT_ONCE: usize = 4;

type Items = VecDeque<Result<Item, Malformed>>;

/// Reads one tracev3 file without strings: its records can be counted, their senders and texts are unknown.
pub(super) fn single(input: Input<'_>) -> Records<'_> {
    let mut bytes = Vec::new();
    let read = input.reader.take(LENGTH_CAP + 1).read_to_end(&mut bytes);
    let mut store = Store::default();
    if bytes.len() as u64 > LENGTH_CAP {
        store.problem(&input.source, &format!("expected a file of at most {LENGTH_CAP} bytes"));
    } else if !bytes.is_empty() {
        store.take(decode(input.source.clone(), &bytes, &Strings::default(), &Clock::default()), Part::Unknown);
    }
    if let Err(error) = read {
        store.problem(&input.source, &format!("expected more of the file, found {error}"));
    }
    Box::new(store.items.into_iter())
}

/// Which part of the store a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// What was in memory when the archive was made: it goes on where the last persisted file ends.
    Live,
    /// Persisted records, kept first in, first out: file by file, numbered.
    Persist(u64),
    /// Any other: records of single kinds, kept longer or shorter than the rest.
    Other,
    /// A file without its folder.
    Unknown,
}

impl Part {
    /// By the name of the file within the store.
    fn of(name: &str) -> Self {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let number = file.strip_suffix(".tracev3").and_then(|number| u64::from_str_radix(number, 16).ok());
        match (folder.rsplit('/').next(), number) {
            (Some("Persist"), Some(number)) => Self::Persist(number),
            _ if file.eq_ignore_ascii_case("logdata.LiveData.tracev3") => Self::Live,
            (Some(""), Some(_)) => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// A stretch of time that files without a gap between them cover.
#[derive(Clone, Debug)]
struct Stretch {
    from: Timestamp,
    until: Timestamp,
    witness: Provenance,
}

/// What was read of a store, and what is still to be handed out.
#[derive(Default)]
struct Store {
    items: Items,
    sights: SightSet,
    stretches: BTreeMap<Part, Stretch>,
}

impl Store {
    fn take(&mut self, decoded: Decoded, part: Part) {
        self.items.extend(decoded.items);
        self.sights = self.sights.union(decoded.sights);
        if let (Some((from, until)), Some(witness)) = (decoded.span, decoded.witness) {
            self.stretches.insert(part, Stretch { from, until, witness });
        }
    }

    /// A file that could not be read: no record of anything, so it has no length.
    fn problem(&mut self, name: &str, expected: &str) {
        let expected = format!("{name}: {expected}");
        self.items.push_back(Err(Malformed { offset: 0, length: 0, expected }));
    }

    /// States what the store was complete for. Records of a kind are expired at their own pace, so only the persisted
    /// files say how far back nothing is missing: those whose numbers follow each other, and what was still in memory.
    fn finish(&mut self) {
        let mut joined: Vec<(u64, Stretch)> = Vec::new();
        let mut live = None;
        for (part, stretch) in std::mem::take(&mut self.stretches) {
            match (part, joined.last_mut()) {
                (Part::Persist(number), Some((last, before))) if number == last.saturating_add(1) => {
                    before.until = before.until.max(stretch.until);
                    before.from = before.from.min(stretch.from);
                    *last = number;
                }
                (Part::Persist(number), _) => joined.push((number, stretch)),
                (Part::Live, _) => live = Some(stretch),
                _ => {}
            }
        }
        if let (Some((_, last)), Some(live)) = (joined.last_mut(), live) {
            last.until = last.until.max(live.until);
        }
        let sights = self.sights;
        for (_, stretch) in joined {
            if !sights.is_empty() {
                self.derive(sights, &stretch, CoverageState::Complete);
            }
        }
    }

    /// States that files are missing: what they held may lie anywhere in the store.
    fn lose(&mut self, reason: Loss) {
        let from = self.stretches.values().map(|stretch| stretch.from).min();
        let until = self.stretches.values().map(|stretch| stretch.until).max();
        let witness = self.stretches.values().next().map(|stretch| stretch.witness.clone());
        if let (Some(from), Some(until), Some(witness)) = (from, until, witness) {
            let state = CoverageState::Lost { reason, records: None };
            self.derive(super::SIGHTS, &Stretch { from, until, witness }, state);
        }
    }

    fn derive(&mut self, sights: SightSet, stretch: &Stretch, state: CoverageState) {
        let format: Arc<str> = Shape::Archive.format().into();
        let (from, until) = (stretch.from, stretch.until);
        let detail = Detail::Coverage(CoverageRecord { format: format.clone(), sights, from, until, state });
        let event = Event { time: from, host: None, format, provenance: stretch.witness.clone(), detail };
        self.items.push_back(Ok(Item::Derived(Box::new(event))));
    }
}

/// A tracev3 file as it came from the store.
type Trace = (String, io::Result<Vec<u8>>);

/// Reads a bundle.
pub(super) struct Reader {
    bundle: Arc<Bundle>,
    strings: Strings,
    clock: Clock,
    store: Store,
    traces: Option<mpsc::Receiver<Trace>>,
    started: bool,
    /// Files could not be read: what they held is missing.
    missing: bool,
}

impl Reader {
    /// Reads from the beginning.
    pub(super) fn new(bundle: Bundle) -> Self {
        Self {
            bundle: Arc::new(bundle),
            strings: Strings::default(),
            clock: Clock::default(),
            store: Store::default(),
            traces: None,
            started: false,
            missing: false,
        }
    }

    /// Takes strings and clock, and begins to bring the tracev3 files.
    fn start(&mut self) {
        self.started = true;
        let bundle = self.bundle.clone();
        let read = bundle.visit(&is_table, &mut |name, bytes| {
            if let Err(expected) = self.table(name, bytes) {
                self.store.problem(name, &expected);
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = read {
            self.store.problem(&bundle.source, &format!("expected more of the archive, found {error}"));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        self.traces = Some(receiver);
        thread::spawn(move || {
            let read = bundle.visit(&is_trace_name, &mut |name, bytes| match sender.send((name.to_owned(), bytes)) {
                Ok(()) => ControlFlow::Continue(()),
                // Nobody reads any more.
                Err(_) => ControlFlow::Break(()),
            });
            if let Err(error) = read {
                let _ = sender.send((bundle.source.to_string(), Err(error)));
            }
        });
    }

    fn table(&mut self, name: &str, bytes: io::Result<Vec<u8>>) -> Result<(), String> {
        let bytes = bytes.map_err(|error| error.to_string())?;
        match Table::of(name) {
            Some(Table::Clock) => self.clock.read(&bytes),
            Some(Table::Image(uuid)) => self.strings.take_image(uuid, &bytes),
            Some(Table::Cache(uuid)) => self.strings.take_cache(uuid, &bytes),
            None => Ok(()),
        }
    }

    /// Decodes the next few files. `false` when there are no more.
    fn advance(&mut self) -> bool {
        let Some(traces) = &self.traces else { return false };
        let files: Vec<Trace> = traces.iter().take(AT_ONCE).collect();
        let (source, strings, clock) = (&self.bundle.source, &self.strings, &self.clock);
        let decoded: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = files
                .into_iter()
                .map(|(name, bytes)| {
                    let work = scope.spawn({
                        let place: Arc<str> = format!("{}/{name}", source.trim_end_matches('/')).into();
                        move || bytes.map(|bytes| decode(place, &bytes, strings, clock))
                    });
                    (name, work)
                })
                .collect();
            running.into_iter().map(|(name, work)| (name, work.join())).collect()
        });
        let more = !decoded.is_empty();
        for (name, result) in decoded {
            match result {
                Ok(Ok(decoded)) => self.store.take(decoded, Part::of(&name)),
                Ok(Err(error)) => {
                    self.missing = true;
                    self.store.problem(&name, &format!("expected a file of the log, found {error}"));
                }
                Err(_) => {
                    self.missing = true;
                    self.store.problem(&name, "expected a file of the log, found what made its decoder give up");
                }
            }
        }
        more
    }
}

impl Iterator for Reader {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.started {
            self.start();
        }
        loop {
            if let Some(item) = self.store.items.pop_front() {
                return Some(item);
            }
            self.traces.as_ref()?;
            if !self.advance() {
                self.traces = None;
                if self.missing {
                    self.store.lose(Loss::Truncated);
                }
                self.store.finish();
            }
        }
    }
}

/// A file that others need.
enum Table {
    Clock,
    Image(String),
    Cache(String),
}

impl Table {
    /// By name: `timesync/….timesync`, `uuidtext/XX/<30 digits>` (or `XX/<30 digits>`), `dsc/<32 digits>`.
    fn of(name: &str) -> Option<Self> {
        if name.ends_with(".timesync") {
            return Some(Self::Clock);
        }
        let (folders, file) = name.rsplit_once('/')?;
        let folder = folders.rsplit('/').next()?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (folder.len(), file.len()) {
            (2, 30) if digits(folder) && digits(file) => {
                Some(Self::Image(format!("{folder}{file}").to_ascii_uppercase()))
            }
            (3, 32) if folder == "dsc" && digits(file) => Some(Self::Cache(file.to_ascii_uppercase())),
            _ => None,
        }
    }
}

fn is_table(name: &str) -> bool {
    Table::of(name).is_some()
}
