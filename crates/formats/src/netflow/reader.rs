//! Reading: export packets to records, records to flows, and what sequence numbers say of missing ones.

use super::{
    SIGHTS,
    export::{Exported, Exporters, is_export},
    pairs::{Paired, Pairs},
};
use crate::{
    Input, Item, Malformed,
    packets::{Datagram, Datagrams, is_capture},
};
use monologue_model::{CoverageRecord, CoverageState, Detail, Event, Loss, Provenance, Sha256, Timestamp};
use std::{
    collections::VecDeque,
    io::{BufRead, Read},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Packets of a head that must all be exports.
const LOOKED_AT: usize = 8;

/// Whether a file holds export packets: a capture of nothing else, or IPFIX messages one after another.
pub(super) fn holds_exports(head: &[u8]) -> bool {
    if !is_capture(head) {
        let short = |at: usize| Some(u16::from_be_bytes(*head.get(at..)?.first_chunk()?));
        let length = usize::from(short(2).unwrap_or(0));
        let next = head.len() <= length || short(length) == Some(10);
        return short(0) == Some(10)
            && length >= 20
            && next
            && short(16).is_some_and(|set| set == 2 || set == 3 || set > 255);
    }
    let mut datagrams = Datagrams::new(Box::new(head));
    let mut seen = 0;
    while seen < LOOKED_AT {
        match datagrams.next_datagram() {
            Some(Ok(Datagram::Udp { payload, is_cut, .. })) if is_cut || is_export(payload) => {
                seen += usize::from(!is_cut)
            }
            Some(Ok(_)) => return false,
            Some(Err(_)) | None => break,
        }
    }
    seen > 0
}

/// Where packets come from.
enum Packets<'a> {
    Unknown(Box<dyn BufRead + 'a>),
    Capture(Datagrams<'a>),
    /// IPFIX messages: what is read, and how far.
    Messages(Box<dyn BufRead + 'a>, u64),
    Ended,
}

/// Reads one file.
pub(super) struct Reader<'a> {
    packets: Packets<'a>,
    state: State,
    queue: VecDeque<Result<Item, Malformed>>,
}

struct State {
    source: Arc<str>,
    format: Arc<str>,
    exporters: Exporters,
    pairs: Pairs,
    flows: u64,
    span: Option<(Timestamp, Timestamp)>,
    missing: u64,
    malformed: u64,
    truncated: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input<'a>, name: &'static str) -> Self {
        let state = State {
            source: input.source,
            format: name.into(),
            exporters: Exporters::default(),
            pairs: Pairs::default(),
            flows: 0,
            span: None,
            missing: 0,
            malformed: 0,
            truncated: false,
        };
        Self { packets: Packets::Unknown(input.reader), state, queue: VecDeque::new() }
    }

    fn step(&mut self) {
        match std::mem::replace(&mut self.packets, Packets::Ended) {
            Packets::Ended => {}
            Packets::Unknown(mut reader) => {
                let capture = reader.fill_buf().is_ok_and(is_capture);
                self.packets =
                    if capture { Packets::Capture(Datagrams::new(reader)) } else { Packets::Messages(reader, 0) };
            }
            Packets::Capture(mut datagrams) => {
                match datagrams.next_datagram() {
                    Some(Ok(Datagram::Udp { offset, record, source, payload, is_cut })) => {
                        if is_cut {
                            let expected = "a whole export packet; hint: capture whole packets (snaplen 0)";
                            let length = record.len() as u64;
                            self.state.broken(Malformed { offset, length, expected: expected.into() }, &mut self.queue);
                        } else {
                            self.state.packet(source.ip(), payload, (offset, record), &mut self.queue);
                        }
                    }
                    Some(Ok(Datagram::Other(why))) => self.queue.push_back(Ok(Item::Skipped(why))),
                    Some(Err(malformed)) => self.state.broken(malformed, &mut self.queue),
                    None => {
                        self.state.truncated = datagrams.is_truncated();
                        return self.state.end(&mut self.queue);
                    }
                }
                self.packets = Packets::Capture(datagrams);
            }
            Packets::Messages(mut reader, offset) => match next_message(&mut reader) {
                Some(message) => {
                    let length = message.len() as u64;
                    let stated =
                        message.get(2..4).and_then(|field| field.first_chunk()).map(|field| u16::from_be_bytes(*field));
                    if stated.map(u64::from) == Some(length) && message.starts_with(&[0, 10]) {
                        let exporter = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
                        self.state.packet(exporter, &message, (offset, &message), &mut self.queue);
                        self.packets = Packets::Messages(reader, offset + length);
                    } else {
                        self.state.truncated = true;
                        let expected = "a whole IPFIX message".to_owned();
                        self.queue.push_back(Err(Malformed { offset, length, expected }));
                        self.state.end(&mut self.queue);
                    }
                }
                None => self.state.end(&mut self.queue),
            },
        }
    }
}

/// The next message, or what is left where it is cut or is none; `None` at the end.
fn next_message(reader: &mut dyn BufRead) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    // A read that fails ends the file as a cut does.
    let _ = reader.take(4).read_to_end(&mut message);
    let length = message.get(2..4).and_then(|field| field.first_chunk()).map_or(0, |field| u16::from_be_bytes(*field));
    if message.starts_with(&[0, 10]) {
        let _ = reader.take(u64::from(length).saturating_sub(4)).read_to_end(&mut message);
    }
    (!message.is_empty()).then_some(message)
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            if matches!(self.packets, Packets::Ended) {
                return None;
            }
            self.step();
        }
    }
}

impl State {
    fn broken(&mut self, malformed: Malformed, queue: &mut VecDeque<Result<Item, Malformed>>) {
        self.malformed += 1;
        queue.push_back(Err(malformed));
    }

    fn packet(
        &mut self,
        exporter: IpAddr,
        payload: &[u8],
        (offset, record): (u64, &[u8]),
        queue: &mut VecDeque<Result<Item, Malformed>>,
    ) {
        let length = record.len() as u64;
        let malformed = |expected: &str| Malformed { offset, length, expected: expected.to_owned() };
        let exported = match self.exporters.read(exporter, payload) {
            Ok(exported) => exported,
            Err(expected) => return self.broken(malformed(&expected), queue),
        };
        let Exported { rows, skipped, undescribed, missing, time } = exported;
        self.missing = self.missing.saturating_add(missing);
        let provenance = || Provenance { source: self.source.clone(), offset, length, sha256: Sha256::of(record) };
        for row in rows {
            self.span =
                Some(self.span.map_or((row.start, row.end), |(from, until)| (from.min(row.start), until.max(row.end))));
            if !self.pairs.add(&row, time, provenance) {
                queue.push_back(Ok(Item::Skipped("a record that is counted in the record of its flow")));
            }
        }
        for _ in 0..skipped {
            queue.push_back(Ok(Item::Skipped("a record of no flow between two ends")));
        }
        for _ in 0..undescribed {
            self.broken(malformed("a template for the set, before it or with it"), queue);
        }
        self.take_finished(queue);
    }

    fn take_finished(&mut self, queue: &mut VecDeque<Result<Item, Malformed>>) {
        for paired in std::mem::take(&mut self.pairs.finished) {
            let event = self.event(&paired);
            queue.push_back(Ok(Item::Event(event)));
        }
    }

    fn event(&mut self, paired: &Paired) -> Box<Event> {
        let provenance = paired.provenance.clone();
        // Many flows begin in one packet: their number within the file tells them apart.
        self.flows += 1;
        let mut bytes = provenance.sha256.as_bytes().to_vec();
        bytes.extend_from_slice(&provenance.offset.to_be_bytes());
        bytes.extend_from_slice(&self.flows.to_be_bytes());
        let uid = format!("N{}", Sha256::of(&bytes).to_string().get(..16).unwrap_or_default());
        let (time, flow) = paired.flow(uid.into());
        Box::new(Event {
            time,
            host: None,
            format: self.format.clone(),
            provenance,
            detail: Detail::Flow(Box::new(flow)),
        })
    }

    fn end(&mut self, queue: &mut VecDeque<Result<Item, Malformed>>) {
        self.pairs.end();
        self.take_finished(queue);
        let Some((from, until)) = self.span else { return };
        let mut statements = vec![(from, until, CoverageState::Complete)];
        let mut lost = |from, reason, records| statements.push((from, until, CoverageState::Lost { reason, records }));
        if self.missing > 0 {
            lost(from, Loss::SequenceGap, Some(self.missing));
        }
        if self.malformed > 0 {
            lost(from, Loss::Malformed, Some(self.malformed));
        }
        if self.truncated {
            lost(until, Loss::Truncated, None);
        }
        for (from, until, state) in statements {
            let record = CoverageRecord { format: self.format.clone(), sights: SIGHTS, from, until, state };
            let provenance = Provenance { source: self.source.clone(), offset: 0, length: 0, sha256: Sha256::of(b"") };
            let detail = Detail::Coverage(record);
            queue.push_back(Ok(Item::Derived(Box::new(Event {
                time: from,
                host: None,
                format: self.format.clone(),
                provenance,
                detail,
            }))));
        }
    }
}
