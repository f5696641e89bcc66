//! Reading: lines to items, with the header of TSV logs and what the end of a log says about coverage.

use super::{
    Log, conn, logs,
    row::{Header, JsonRow, Row, TsvRow},
};
use crate::{Input, Item, Line, Lines, Malformed, texts::Texts};
use monologue_model::{CoverageRecord, CoverageState, Detail, Event, Loss, Provenance, Sha256, Timestamp};
use std::{collections::VecDeque, io::BufRead, sync::Arc};

/// Reads one log.
pub(super) struct Reader<'a> {
    lines: Option<Lines<Box<dyn BufRead + 'a>>>,
    state: State,
    queue: VecDeque<Result<Item, Malformed>>,
}

/// Everything but the lines themselves, so that a line may be borrowed while this changes.
struct State {
    source: Arc<str>,
    format: Arc<str>,
    log: Log,
    header: Header,
    /// Ends of the fields of the last row, kept so that rows need no memory of their own.
    ends: Vec<usize>,
    open: bool,
    other_log: bool,
    is_tsv: bool,
    closed: bool,
    /// States, histories and services, of which a log has few.
    texts: Texts,
    malformed: u64,
    first: Option<Timestamp>,
    last_start: Option<Timestamp>,
    last_end: Option<Timestamp>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input<'a>, log: Log, name: &'static str) -> Self {
        let file = input.source.rsplit(['/', '\\']).next().unwrap_or_default();
        let state = State {
            open: file.starts_with("open_"),
            source: input.source.clone(),
            format: name.into(),
            log,
            header: Header::default(),
            ends: Vec::new(),
            other_log: false,
            is_tsv: false,
            closed: false,
            texts: Texts::default(),
            malformed: 0,
            first: None,
            last_start: None,
            last_end: None,
        };
        Self { lines: Some(Lines::new(input.reader)), state, queue: VecDeque::new() }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            let lines = self.lines.as_mut()?;
            let offset = lines.offset();
            match lines.next_line() {
                Ok(Some(line)) => {
                    let item = self.state.line(&line);
                    self.state.malformed += u64::from(matches!(item, Some(Err(_))));
                    self.queue.extend(item);
                }
                Ok(None) => {
                    self.lines = None;
                    self.queue.extend(self.state.at_end().map(Ok));
                }
                Err(error) => {
                    self.lines = None;
                    self.state.closed = false;
                    self.queue.push_back(Err(Malformed {
                        offset,
                        length: 0,
                        expected: format!("more to read: {error}"),
                    }));
                    self.queue.extend(self.state.at_end().map(Ok));
                }
            }
        }
    }
}

impl State {
    /// What one line gives. `None`: it is empty or part of the header.
    fn line(&mut self, line: &Line<'_>) -> Option<Result<Item, Malformed>> {
        let malformed = |expected: String| Err(Malformed { offset: line.offset, length: line.length, expected });
        if line.bytes.trim_ascii().is_empty() && !line.cut {
            return None;
        }
        if line.bytes.starts_with(b"#") {
            self.header_line(line.bytes);
            return None;
        }
        if line.cut {
            return Some(malformed("a line of at most 10 MiB".to_owned()));
        }
        let is_json = line.bytes.trim_ascii_start().starts_with(b"{");
        if self.log == Log::Other {
            return Some(Ok(Item::Skipped("a Zeek log that says nothing about exchanges")));
        }
        if self.other_log {
            return Some(Ok(Item::Skipped("a record of another Zeek log in the same file")));
        }
        let read = if is_json && !self.is_tsv {
            JsonRow::parse(line.bytes).and_then(|row| {
                if let Some(path) = row.text("_path").or_else(|| row.text("@stream")) {
                    let (log, open) = Log::from_path(&path);
                    self.open = open;
                    if log != self.log {
                        return Ok(None);
                    }
                }
                record(self.log, self.open, &self.format, &row, &mut self.texts).map(Some)
            })
        } else {
            TsvRow::parse(&self.header, line.bytes, &mut self.ends)
                .and_then(|row| record(self.log, self.open, &self.format, &row, &mut self.texts))
                .map(Some)
        };
        Some(match read {
            Ok(Some((time, detail, end))) => {
                self.note(time, end);
                Ok(Item::Event(Box::new(self.event(time, detail, line))))
            }
            Ok(None) => Ok(Item::Skipped("a record of another Zeek log in the same file")),
            Err(expected) => malformed(expected),
        })
    }

    fn header_line(&mut self, bytes: &[u8]) {
        self.is_tsv = true;
        let separator = self.header.separator;
        let (key, value) = match bytes.iter().position(|byte| *byte == separator || *byte == b' ') {
            Some(at) => (bytes.get(..at).unwrap_or(bytes), bytes.get(at + 1..).unwrap_or_default()),
            None => (bytes, &b""[..]),
        };
        match key {
            b"#separator" => {
                let escaped = value.strip_prefix(b"\\x").and_then(|hex| std::str::from_utf8(hex).ok());
                let byte = escaped.and_then(|hex| u8::from_str_radix(hex.trim(), 16).ok()).or(value.first().copied());
                self.header.separator = byte.unwrap_or(b'\t');
            }
            b"#set_separator" => self.header.set_separator = value.first().copied().unwrap_or(b','),
            b"#empty_field" => self.header.empty = value.to_vec(),
            b"#unset_field" => self.header.unset = value.to_vec(),
            b"#path" => {
                let (log, open) = Log::from_path(&String::from_utf8_lossy(value));
                self.open = open;
                self.other_log = log != self.log;
            }
            b"#fields" => {
                self.header.set_columns(value);
                self.closed = false;
            }
            b"#close" => self.closed = true,
            _ => {}
        }
    }

    /// Remembers when the log was written, as far as its records say.
    fn note(&mut self, time: Timestamp, end: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last_start = Some(self.last_start.map_or(time, |last| last.max(time)));
        self.last_end = Some(self.last_end.map_or(end, |last| last.max(end)));
    }

    fn event(&self, time: Timestamp, detail: Detail, line: &Line<'_>) -> Event {
        Event {
            time,
            host: None,
            format: self.format.clone(),
            provenance: Provenance {
                source: self.source.clone(),
                offset: line.offset,
                length: line.length,
                sha256: Sha256::of(line.bytes),
            },
            detail,
        }
    }

    /// What the end of the log says: from its first record to its last it was watched; without a `#close` it was cut.
    fn at_end(&mut self) -> impl Iterator<Item = Item> + use<> {
        let mut items = Vec::new();
        if let (Some(from), Some(last), Some(until)) = (self.first.take(), self.last_start, self.last_end) {
            let sights = self.log.sights();
            let mut say = |from, until, state| {
                let record = CoverageRecord { format: self.format.clone(), sights, from, until, state };
                items.push(Item::Derived(Box::new(Event {
                    time: from,
                    host: None,
                    format: self.format.clone(),
                    provenance: Provenance {
                        source: self.source.clone(),
                        offset: 0,
                        length: 0,
                        sha256: Sha256::of(b""),
                    },
                    detail: Detail::Coverage(record),
                })));
            };
            if self.log != Log::CaptureLoss {
                say(from, until, CoverageState::Complete);
                if self.malformed > 0 {
                    // Nobody knows when the records were that could not be read, nor whose.
                    let reason = Loss::Malformed;
                    say(from, until, CoverageState::Lost { reason, records: Some(self.malformed) });
                }
                if self.is_tsv && !self.closed && !self.open {
                    say(last, last, CoverageState::Lost { reason: Loss::Truncated, records: None });
                }
            }
        }
        items.into_iter()
    }
}

/// What a row says, when it began and when it was over.
fn record<R: Row>(
    log: Log,
    open: bool,
    format: &Arc<str>,
    row: &R,
    texts: &mut Texts,
) -> Result<(Timestamp, Detail, Timestamp), String> {
    Ok(match log {
        Log::Conn => {
            let (time, flow) = conn::flow(row, open, texts)?;
            let end = time.saturating_add(flow.duration_ns.unwrap_or(0).max(0));
            (time, Detail::Flow(Box::new(flow)), end)
        }
        Log::Http => {
            let (time, http) = logs::http(row, open)?;
            (time, Detail::Http(Box::new(http)), time)
        }
        Log::Ssl => {
            let (time, tls) = logs::tls(row, open)?;
            (time, Detail::Tls(Box::new(tls)), time)
        }
        Log::Dns => {
            let (time, query) = logs::dns(row)?;
            (time, Detail::Dns(Box::new(query)), time)
        }
        Log::CaptureLoss => {
            let (time, record) = logs::capture_loss(row, format)?;
            (time, Detail::Coverage(record), time)
        }
        Log::Other => return Err("expected a log that is used".to_owned()),
    })
}
