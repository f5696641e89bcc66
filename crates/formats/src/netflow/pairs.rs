//! Pairing: records of both directions, and of all stretches of time, to one flow.

use super::export::Row;
use monologue_model::{ByteCount, ByteLayer, Flow, FlowReply, Provenance, RecordPhase, Timestamp, Transport};
use std::{cmp::Ordering, collections::HashMap, net::SocketAddr, sync::Arc};

/// Flows that wait for more; beyond it the quarter that ended first is told as it stands.
const WAITING_CAP: usize = 262_144;

const SECOND: i64 = 1_000_000_000;

/// How long after a record another may continue its flow: routers cut long flows (active timeout), and idle ones.
const CONTINUES_NS: i64 = 60 * SECOND;

/// How late a record may come: the longest active timeout in use.
const LATE_NS: i64 = 1800 * SECOND;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

/// Most bytes that the headers of one IP packet without payload take: IP with options and TCP with options.
const HEADERS_IPV4: u64 = 60 + 60;
const HEADERS_IPV6: u64 = 80 + 60;

/// Both ends, the lower first, and the protocol.
type Key = (SocketAddr, SocketAddr, u8);

/// One flow as far as it was told.
#[derive(Clone, Debug)]
pub(super) struct Paired {
    /// Direction of the first record.
    first: Direction,
    reverse: Option<Direction>,
    pub(super) provenance: Provenance,
    sampled: bool,
    /// Exported so long ago that nothing more will come.
    settled: bool,
}

/// All records of one direction.
#[derive(Clone, Debug)]
struct Direction {
    from: SocketAddr,
    to: SocketAddr,
    protocol: u8,
    start: Timestamp,
    end: Timestamp,
    bytes: u64,
    packets: u64,
    flags: Option<u8>,
}

impl Direction {
    fn of(row: &Row) -> Self {
        Self {
            from: row.source,
            to: row.destination,
            protocol: row.protocol,
            start: row.start,
            end: row.end,
            bytes: row.bytes,
            packets: row.packets,
            flags: row.flags,
        }
    }

    fn extend(&mut self, row: &Row) {
        self.start = self.start.min(row.start);
        self.end = self.end.max(row.end);
        self.bytes = self.bytes.saturating_add(row.bytes);
        self.packets = self.packets.saturating_add(row.packets);
        self.flags = self.flags.zip(row.flags).map(|(one, other)| one | other);
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.is_some_and(|flags| flags & flag != 0)
    }
}

/// The flows that wait.
#[derive(Default)]
pub(super) struct Pairs {
    waiting: HashMap<Key, Paired>,
    latest: Option<Timestamp>,
    pub(super) finished: Vec<Paired>,
}

impl Pairs {
    /// Takes a record in. `true`: it begins a flow, whose event stands for it.
    pub(super) fn add(&mut self, row: &Row, exported: Timestamp, provenance: impl FnOnce() -> Provenance) -> bool {
        self.latest = Some(self.latest.map_or(exported, |latest| latest.max(exported)));
        let key = (row.source.min(row.destination), row.source.max(row.destination), row.protocol);
        if let Some(known) = self.waiting.get_mut(&key) {
            if known.takes(row) {
                return false;
            }
            let done = self.waiting.remove(&key);
            self.finished.extend(done.map(|paired| Paired { settled: true, ..paired }));
        }
        if self.waiting.len() >= WAITING_CAP {
            self.make_room();
        }
        let mut paired = Paired {
            first: Direction::of(row),
            reverse: None,
            provenance: provenance(),
            sampled: row.sampled,
            settled: false,
        };
        paired.reverse_of(row);
        self.waiting.insert(key, paired);
        true
    }

    fn make_room(&mut self) {
        let mut ends: Vec<(Timestamp, Key)> =
            self.waiting.iter().map(|(key, paired)| (paired.first.end, *key)).collect();
        ends.sort_unstable();
        let oldest: Vec<Key> = ends.into_iter().take(WAITING_CAP / 4).map(|(_, key)| key).collect();
        self.finished.extend(oldest.iter().filter_map(|key| self.waiting.remove(key)));
        self.finished.sort_by(Paired::order);
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        let latest = self.latest;
        let mut left: Vec<Paired> = self.waiting.drain().map(|(_, paired)| paired).collect();
        left.sort_by(Paired::order);
        for mut paired in left {
            paired.settled |= latest.is_some_and(|latest| latest.since(paired.end()) > LATE_NS);
            self.finished.push(paired);
        }
    }
}

impl Paired {
    /// The order in which flows are told: no two that wait are equal in it, whatever order a map has.
    fn order(&self, other: &Self) -> Ordering {
        let place = |paired: &Self| (paired.first.from, paired.first.to, paired.first.protocol, paired.start());
        self.provenance.cmp(&other.provenance).then_with(|| place(self).cmp(&place(other)))
    }

    fn end(&self) -> Timestamp {
        self.reverse.as_ref().map_or(self.first.end, |reverse| reverse.end.max(self.first.end))
    }

    fn start(&self) -> Timestamp {
        self.reverse.as_ref().map_or(self.first.start, |reverse| reverse.start.min(self.first.start))
    }

    /// Takes a record in, if it belongs to this flow.
    fn takes(&mut self, row: &Row) -> bool {
        let near = row.start.since(self.end()) <= CONTINUES_NS && self.start().since(row.end) <= CONTINUES_NS;
        let ours = row.source == self.first.from;
        let direction = if ours { Some(&mut self.first) } else { self.reverse.as_mut() };
        // An opening after the end is another connection on the same ports.
        let renewed = direction.as_ref().is_some_and(|known| {
            known.has(FIN | RST) && row.flags.is_some_and(|flags| flags & SYN != 0) && row.start >= known.end
        });
        if !near || renewed {
            return false;
        }
        match direction {
            Some(known) => known.extend(row),
            None => self.reverse = Some(Direction::of(row)),
        }
        if ours {
            self.reverse_of(row);
        }
        self.sampled |= row.sampled;
        true
    }

    /// Where the exporter counts both directions in one record.
    fn reverse_of(&mut self, row: &Row) {
        let Some((bytes, packets)) = row.reverse else { return };
        let back = Row { source: row.destination, destination: row.source, bytes, packets, flags: None, ..row.clone() };
        match &mut self.reverse {
            Some(known) => known.extend(&back),
            None => self.reverse = Some(Direction::of(&back)),
        }
    }

    /// The flow, begun by whoever sent first; of equals, by whoever does not use the lower port.
    pub(super) fn flow(&self, uid: Arc<str>) -> (Timestamp, Flow) {
        let (mut ours, mut theirs) = (&self.first, self.reverse.as_ref());
        if let Some(reverse) = &self.reverse {
            let earlier = reverse.start.cmp(&self.first.start);
            let by_port = self.first.from.port() < self.first.to.port();
            if earlier.is_lt() || earlier.is_eq() && by_port {
                (ours, theirs) = (reverse, Some(&self.first));
            }
        }
        let transport = match ours.protocol {
            6 => Transport::Tcp,
            17 => Transport::Udp,
            1 | 58 => Transport::Icmp,
            _ => Transport::Other,
        };
        // Alone, a record that comes from a server's port answers what was not told.
        let answer_alone = theirs.is_none() && ours.from.port() < 1024 && ours.to.port() >= 1024;
        let none = ByteCount::absent(ByteLayer::Ip);
        let count = |direction: &Direction| match self.sampled || !self.settled {
            true => ByteCount::partial(direction.bytes, ByteLayer::Ip),
            false => ByteCount::measured(direction.bytes, ByteLayer::Ip),
        };
        let (sent, received) = (count(ours), theirs.map_or(none, &count));
        let mut flow = Flow {
            uid: Some(uid),
            originator: ours.from,
            responder: ours.to,
            transport,
            services: Vec::new(),
            duration_ns: Some(self.end().since(self.start())),
            sent,
            received,
            sent_packets: Some(ours.packets),
            received_packets: theirs.map(|theirs| theirs.packets),
            reply: self.reply(transport, ours, theirs),
            continuation: transport == Transport::Tcp && ours.flags.is_some() && !ours.has(SYN),
            unanswered_attempt: transport == Transport::Tcp && theirs.is_none() && ours.flags == Some(SYN),
            local_originator: None,
            local_responder: None,
            state: None,
            history: None,
            phase: if self.settled { RecordPhase::End } else { RecordPhase::Snapshot },
        };
        if answer_alone {
            (flow.originator, flow.responder) = (flow.responder, flow.originator);
            (flow.sent, flow.received) = (none, flow.sent);
            (flow.sent_packets, flow.received_packets) = (None, flow.sent_packets);
            flow.reply = self.reply(transport, ours, Some(ours));
            flow.unanswered_attempt = false;
        }
        (self.start(), flow)
    }

    /// What the counts state about the other side. Headers are in the bytes: only what they cannot explain is payload.
    fn reply(&self, transport: Transport, ours: &Direction, theirs: Option<&Direction>) -> FlowReply {
        let headers = if ours.from.is_ipv6() { HEADERS_IPV6 } else { HEADERS_IPV4 };
        match (transport, theirs) {
            (Transport::Udp, Some(theirs)) if theirs.bytes > 0 => FlowReply::Payload,
            (Transport::Tcp, Some(theirs))
                if theirs.packets > 0 && theirs.bytes > theirs.packets.saturating_mul(headers) =>
            {
                FlowReply::Payload
            }
            (Transport::Udp, None) if !self.sampled => FlowReply::NothingIfTwoSided,
            (Transport::Tcp, None) if !self.sampled && ours.has(SYN) && !ours.has(ACK | FIN) => {
                FlowReply::NothingIfTwoSided
            }
            _ => FlowReply::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::Sha256;

    #[test]
    fn flows_of_one_export_packet_are_told_in_the_same_order_each_time() {
        let row = |protocol: u8| Row {
            source: "10.0.0.1:40000".parse().unwrap(),
            destination: "192.0.2.1:443".parse().unwrap(),
            protocol,
            start: Timestamp::default(),
            end: Timestamp::default(),
            bytes: 100,
            packets: 1,
            reverse: None,
            flags: None,
            sampled: false,
        };
        // All records of a packet are cited by it: only the protocol tells these apart.
        let packet =
            Provenance { source: "export.pcap".into(), offset: 24, length: 1400, sha256: Sha256::of(b"packet") };
        for _ in 0..4 {
            let mut pairs = Pairs::default();
            for protocol in (0..=255).rev() {
                assert!(pairs.add(&row(protocol), Timestamp::default(), || packet.clone()));
            }
            pairs.end();
            let told: Vec<u8> = pairs.finished.iter().map(|paired| paired.first.protocol).collect();
            assert_eq!(told, (0..=255).collect::<Vec<u8>>());
        }
    }
}
