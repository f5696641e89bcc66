//! The flows of a capture that are not over yet: bounded in number, and each let go when nothing more is expected of it.

use super::{
    conversation::Place,
    flow::{Flow, Standing},
    headers::Segment,
    processes::Attribution,
    sequence::Budget,
};
use monologue_model::{Timestamp, Transport};
use std::{collections::HashMap, net::SocketAddr};

/// Flows held at once. Beyond it the quarter that was silent longest is let go, as if it had timed out.
const FLOW_CAP: usize = 65_536;

const SECOND: i64 = 1_000_000_000;

/// How often flows are looked through.
const SWEEP_NS: i64 = 10 * SECOND;

/// Silence after which a flow is over. An answer that comes later counts as a flow of its own; times as in Zeek
/// (`tcp_attempt_delay`, `udp_inactivity_timeout`), but for connections, which are kept longer.
const ATTEMPT_NS: i64 = 5 * SECOND;
const DATAGRAMS_NS: i64 = 60 * SECOND;
const CLOSED_NS: i64 = 30 * SECOND;
const CONNECTION_NS: i64 = 3600 * SECOND;

/// Both ends, the lower first, and the transport.
type Key = (SocketAddr, SocketAddr, Transport);

/// A flow that is over.
pub(super) struct Finished {
    pub(super) flow: Flow,
    /// The capture ended before it could be said to be over.
    pub(super) open: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It begins a flow, whose record stands for it.
    Began,
    /// It was counted in a flow.
    Counted,
}

/// The flows.
#[derive(Default)]
pub(super) struct Table {
    flows: HashMap<Key, Flow>,
    budget: Budget,
    clock: Option<Timestamp>,
    swept: Option<Timestamp>,
    pub(super) finished: Vec<Finished>,
}

impl Table {
    /// Adds a packet.
    pub(super) fn add(
        &mut self,
        segment: &Segment<'_>,
        time: Timestamp,
        attribution: &Attribution,
        place: &dyn Fn() -> Place,
    ) -> Taken {
        self.tick(time);
        let (low, high) = (segment.source.min(segment.destination), segment.source.max(segment.destination));
        let key = (low, high, segment.transport);
        if self.flows.get(&key).is_some_and(|flow| flow.is_renewed_by(segment) || is_over(flow, time)) {
            self.finish(&[key], false);
        }
        if !self.flows.contains_key(&key) && self.flows.len() >= FLOW_CAP {
            self.make_room();
        }
        let mut taken = Taken::Counted;
        let flow = self.flows.entry(key).or_insert_with(|| {
            taken = Taken::Began;
            Flow::begin(segment, time, place().provenance)
        });
        flow.add(segment, time, attribution, &mut self.budget, place);
        taken
    }

    fn tick(&mut self, time: Timestamp) {
        let now = self.clock.map_or(time, |clock| clock.max(time));
        self.clock = Some(now);
        let swept = *self.swept.get_or_insert(now);
        if now.since(swept) >= SWEEP_NS {
            self.swept = Some(now);
            let over: Vec<Key> =
                self.flows.iter().filter(|(_, flow)| is_over(flow, now)).map(|(key, _)| *key).collect();
            self.finish(&over, false);
        }
    }

    fn make_room(&mut self) {
        let mut ends: Vec<(Timestamp, u64, Key)> =
            self.flows.iter().map(|(key, flow)| (flow.end, flow.first.offset, *key)).collect();
        ends.sort_unstable_by_key(|(end, offset, _)| (*end, *offset));
        let oldest: Vec<Key> = ends.into_iter().take(FLOW_CAP / 4).map(|(_, _, key)| key).collect();
        self.finish(&oldest, false);
    }

    /// Hands over flows, in the order of their first packets: the same however they were hashed.
    fn finish(&mut self, keys: &[Key], ended: bool) {
        let mut flows: Vec<Flow> = keys.iter().filter_map(|key| self.flows.remove(key)).collect();
        flows.sort_unstable_by_key(|flow| flow.first.offset);
        let now = self.clock;
        for mut flow in flows {
            flow.release(&mut self.budget);
            flow.lookups.end();
            let open = ended && flow.standing() != Standing::Closed && !now.is_some_and(|now| is_over(&flow, now));
            self.finished.push(Finished { flow, open });
        }
    }

    /// The capture ends.
    pub(super) fn end(&mut self) {
        let all: Vec<Key> = self.flows.keys().copied().collect();
        self.finish(&all, true);
    }
}

/// Whether nothing more is expected of a flow at that time.
fn is_over(flow: &Flow, now: Timestamp) -> bool {
    let silence = now.since(flow.end);
    match (flow.transport, flow.standing()) {
        (Transport::Tcp, Standing::Attempt) => silence > ATTEMPT_NS,
        (Transport::Tcp, Standing::Closed) => silence > CLOSED_NS,
        (Transport::Tcp, Standing::Open) => silence > CONNECTION_NS,
        _ => silence > DATAGRAMS_NS,
    }
}
