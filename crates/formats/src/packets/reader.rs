//! Reading: packets to flows, flows to items, and what the capture says of its own completeness.

use super::{
    conversation::Place,
    flow::Flow,
    frames::{Dropped, Frame, Frames, Packet},
    headers::{self, Passed},
    processes::{self, Attribution},
    records::Recorder,
    table::{Table, Taken},
};
use crate::{Input, Item, Malformed};
use monologue_model::{
    CoverageRecord, CoverageState, Detail, Event, Loss, Provenance, Sha256, Sight, SightSet, Timestamp,
};
use std::{collections::VecDeque, sync::Arc};

/// What the flows of any capture show.
const FLOWS: SightSet = SightSet::of(&[Sight::FlowBytes, Sight::FlowReply, Sight::FlowTeardown]);

/// What needs whole packets besides.
const CONTENTS: SightSet = SightSet::of(&[Sight::HttpResponse, Sight::HttpRequest, Sight::TlsHandshake]);

/// All that a capture can show.
pub(super) const SIGHTS: SightSet = FLOWS.union(CONTENTS).union(SightSet::of(&[Sight::DnsQuery]));

const COUNTED: &str = "a packet that is counted in the record of its flow";

/// Reads one capture.
pub(super) struct Reader<'a> {
    frames: Option<Frames<'a>>,
    state: State,
    queue: VecDeque<Result<Item, Malformed>>,
}

struct State {
    source: Arc<str>,
    recorder: Recorder,
    table: Table,
    malformed: u64,
    span: Option<(Timestamp, Timestamp)>,
    /// Packets were cut, so that names and requests may be missing.
    cut: bool,
    /// DNS was seen: the capture was not filtered to leave it out.
    lookups: bool,
    dropped: Vec<Dropped>,
    /// Flows that lack packets, and when.
    gaps: Option<(u64, Timestamp, Timestamp)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: Input<'a>, name: &'static str) -> Self {
        let state = State {
            source: input.source.clone(),
            recorder: Recorder { format: name.into() },
            table: Table::default(),
            malformed: 0,
            span: None,
            cut: false,
            lookups: false,
            dropped: Vec::new(),
            gaps: None,
        };
        Self { frames: Some(Frames::new(input.reader)), state, queue: VecDeque::new() }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            let frames = self.frames.as_mut()?;
            match frames.next_frame() {
                Some(Ok(Frame::Packet(packet))) => {
                    let item = self.state.packet(&packet);
                    self.queue.extend(item);
                }
                Some(Ok(Frame::Dropped(dropped))) => self.state.dropped.push(dropped),
                Some(Err(malformed)) => {
                    // A capture that ends early is cut, which is told apart: the cut bounds it, and is no hole in it.
                    self.state.malformed += u64::from(!frames.truncated);
                    self.queue.push_back(Err(malformed));
                }
                None => {
                    let truncated = frames.truncated;
                    self.frames = None;
                    self.state.table.end();
                    self.state.take_finished(&mut self.queue);
                    self.queue.extend(self.state.coverage(truncated).into_iter().map(Ok));
                    continue;
                }
            }
            self.state.take_finished(&mut self.queue);
        }
    }
}

impl State {
    /// Takes in a packet. `None`: it begins a flow, whose record stands for it.
    fn packet(&mut self, packet: &Packet<'_>) -> Option<Result<Item, Malformed>> {
        let malformed = |expected| Malformed { offset: packet.offset, length: packet.record.len() as u64, expected };
        let Some(time) = packet.time else { return Some(Ok(Item::Skipped("a packet without a time"))) };
        let (link, bytes, original_length, peeled);
        if processes::is_pktap(packet.link) {
            match processes::peel(packet.bytes) {
                Ok(found) => peeled = found,
                Err(expected) => {
                    self.malformed += 1;
                    return Some(Err(malformed(expected)));
                }
            }
            (link, bytes) = (peeled.link, peeled.bytes);
            original_length = packet.original_length.saturating_sub(peeled.header_length);
            return self.frame(packet, time, (link, bytes, original_length), &peeled.attribution);
        }
        self.frame(packet, time, (packet.link, packet.bytes, packet.original_length), &packet.attribution)
    }

    fn frame(
        &mut self,
        packet: &Packet<'_>,
        time: Timestamp,
        (link, bytes, original_length): (u32, &[u8], u32),
        attribution: &Attribution,
    ) -> Option<Result<Item, Malformed>> {
        self.span = Some(self.span.map_or((time, time), |(from, until)| (from.min(time), until.max(time))));
        let segment = match headers::decode(link, bytes, original_length) {
            Ok(segment) => segment,
            Err(Passed::Skipped(why)) => return Some(Ok(Item::Skipped(why))),
            Err(Passed::Malformed(expected)) => {
                self.malformed += 1;
                let (offset, length) = (packet.offset, packet.record.len() as u64);
                return Some(Err(Malformed { offset, length, expected }));
            }
        };
        self.cut |= segment.is_cut();
        let place = || Place {
            time,
            provenance: Provenance {
                source: self.source.clone(),
                offset: packet.offset,
                length: packet.record.len() as u64,
                sha256: Sha256::of(packet.record),
            },
        };
        match self.table.add(&segment, time, attribution, &place) {
            Taken::Began => None,
            Taken::Counted => Some(Ok(Item::Skipped(COUNTED))),
        }
    }

    fn take_finished(&mut self, queue: &mut VecDeque<Result<Item, Malformed>>) {
        for finished in std::mem::take(&mut self.table.finished) {
            self.note_gap(&finished.flow);
            self.lookups |= finished.flow.lookups.any;
            queue.extend(self.recorder.records(finished.flow, finished.open).into_iter().map(Ok));
        }
    }

    fn note_gap(&mut self, flow: &Flow) {
        if flow.has_gap() {
            let (count, from, until) = self.gaps.unwrap_or((0, flow.start, flow.end));
            self.gaps = Some((count + 1, from.min(flow.start), until.max(flow.end)));
        }
    }

    /// What the end of a capture says: from its first packet to its last it was watched, but for what is known to be lost.
    fn coverage(&mut self, truncated: bool) -> Vec<Item> {
        let Some((from, until)) = self.span else { return Vec::new() };
        let mut sights = FLOWS;
        if !self.cut {
            sights = sights.union(CONTENTS);
            if self.lookups {
                sights.insert(Sight::DnsQuery);
            }
        }
        let mut statements = vec![(sights, from, until, CoverageState::Complete)];
        let mut lost = |from, until, reason, records| {
            statements.push((SIGHTS, from, until, CoverageState::Lost { reason, records }));
        };
        if self.malformed > 0 {
            lost(from, until, Loss::Malformed, Some(self.malformed));
        }
        let dropped: u64 = self.dropped.iter().map(|dropped| dropped.packets).sum();
        if dropped > 0 {
            // Counted since the beginning, or since the packet before: nobody knows when they were lost.
            let latest = self.dropped.iter().filter_map(|dropped| dropped.time).max().unwrap_or(until);
            lost(from, latest.max(from), Loss::SensorLoss, Some(dropped));
        }
        if let Some((flows, from, until)) = self.gaps {
            lost(from, until, Loss::SensorLoss, Some(flows));
        }
        if truncated {
            lost(until, until, Loss::Truncated, None);
        }
        statements
            .into_iter()
            .map(|(sights, from, until, state)| {
                let record = CoverageRecord { format: self.recorder.format.clone(), sights, from, until, state };
                Item::Derived(Box::new(Event {
                    time: from,
                    host: None,
                    format: self.recorder.format.clone(),
                    provenance: Provenance {
                        source: self.source.clone(),
                        offset: 0,
                        length: 0,
                        sha256: Sha256::of(b""),
                    },
                    detail: Detail::Coverage(record),
                }))
            })
            .collect()
    }
}
