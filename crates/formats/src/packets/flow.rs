//! Flows: the packets of one connection, and what they state about both sides.

use super::{
    conversation::{Conversation, Place, Side},
    headers::{Segment, Tcp},
    lookups::Lookups,
    processes::{Attribution, Direction},
    sequence::{Budget, Sequence, Stream},
};
use monologue_model::{ProcessImage, Provenance, Timestamp, Transport};
use std::{net::SocketAddr, sync::Arc};

/// Letters of a history that are kept.
const HISTORY_CAP: usize = 32;

/// Ports below this belong to servers (RFC 6335: system ports).
const SYSTEM_PORTS: u16 = 1024;

/// One connection or exchange of datagrams.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) transport: Transport,
    pub(super) originator: SocketAddr,
    pub(super) responder: SocketAddr,
    /// Its first packet.
    pub(super) first: Provenance,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Letters as in Zeek's `history`.
    pub(super) history: String,
    pub(super) client: End,
    pub(super) server: End,
    pub(super) conversation: Conversation,
    pub(super) lookups: Lookups,
    /// Bytes of the budget that the conversation holds.
    charged: usize,
    /// Both streams were seen from their beginning to their end; settled when the flow is over.
    pub(super) heard_out: bool,
}

/// One side of a flow.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) sequence: Sequence,
    stream: Stream,
    pub(super) packets: u64,
    datagram_bytes: u64,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    /// It opened with two numbers: a capture on both sides of a firewall that rewrites them shows every segment twice.
    conflict: bool,
    pub(super) owner: Owner,
}

/// The process of one side, from all its packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Owner {
    /// No packet says.
    #[default]
    Nobody,
    One {
        owner: Arc<ProcessImage>,
        /// Another process on whose behalf it acts.
        effective: Option<Arc<ProcessImage>>,
    },
    /// Packets disagree: two candidates are none.
    Several,
}

impl Owner {
    /// Adds what one packet says. The kernel's own packets (pid 0) say nothing of who asked.
    fn add(&mut self, attribution: &Attribution) {
        let Some(said) = &attribution.owner else { return };
        let kernel = |image: &ProcessImage| image.key.pid == Some(0);
        let acts_for = attribution.effective.as_ref().filter(|effective| effective.key.pid != said.key.pid).cloned();
        *self = match std::mem::take(self) {
            Self::Nobody => Self::One { owner: said.clone(), effective: acts_for },
            Self::Several => Self::Several,
            Self::One { owner, .. } if kernel(&owner) && !kernel(said) => {
                Self::One { owner: said.clone(), effective: acts_for }
            }
            Self::One { owner, effective } if kernel(said) => Self::One { owner, effective },
            Self::One { owner, effective } => {
                let same =
                    |one: &ProcessImage, other: &ProcessImage| one.key.pid == other.key.pid && one.path == other.path;
                let agree = match (&effective, &acts_for) {
                    (Some(known), Some(new)) => same(known, new),
                    _ => true,
                };
                if same(&owner, said) && agree {
                    Self::One { owner, effective: effective.or(acts_for) }
                } else {
                    Self::Several
                }
            }
        };
    }
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Only openings without an answer.
    Attempt,
    /// It may go on.
    Open,
    /// Reset, or closed by both sides.
    Closed,
}

impl Flow {
    /// A flow that begins with this packet.
    pub(super) fn begin(segment: &Segment<'_>, time: Timestamp, first: Provenance) -> Self {
        let server_speaks = match segment.tcp {
            Some(tcp) if tcp.has(Tcp::SYN) => tcp.has(Tcp::ACK),
            // The beginning was not seen: whoever uses a server's port is taken as the server.
            _ => segment.source.port() < SYSTEM_PORTS && segment.destination.port() >= SYSTEM_PORTS,
        };
        let (originator, responder) =
            if server_speaks { (segment.destination, segment.source) } else { (segment.source, segment.destination) };
        Self {
            transport: segment.transport,
            originator,
            responder,
            first,
            start: time,
            end: time,
            history: if server_speaks { "^".to_owned() } else { String::new() },
            client: End::default(),
            server: End::default(),
            conversation: Conversation::default(),
            lookups: Lookups::default(),
            charged: 0,
            heard_out: false,
        }
    }

    /// Whether this packet opens another connection on the same ports.
    pub(super) fn is_renewed_by(&self, segment: &Segment<'_>) -> bool {
        let Some(tcp) = segment.tcp.filter(|tcp| tcp.has(Tcp::SYN) && !tcp.has(Tcp::ACK)) else { return false };
        match self.client.sequence.syn().filter(|_| segment.source == self.originator) {
            Some(known) => known != tcp.sequence,
            None => self.standing() == Standing::Closed || !self.client.syn,
        }
    }

    /// Adds a packet.
    pub(super) fn add(
        &mut self,
        segment: &Segment<'_>,
        time: Timestamp,
        attribution: &Attribution,
        budget: &mut Budget,
        place: &dyn Fn() -> Place,
    ) {
        self.start = self.start.min(time);
        self.end = self.end.max(time);
        let side = if segment.source == self.originator { Side::Originator } else { Side::Responder };
        self.attribute(side, attribution);
        self.end_of(side).packets += 1;
        match segment.tcp {
            Some(tcp) => self.add_tcp(side, segment, tcp, budget, place),
            None => {
                self.end_of(side).datagram_bytes += u64::from(segment.payload_length);
                self.note(side, 'D');
                if self.responder.port() == 53 {
                    self.lookups.add(side, segment.payload, place);
                }
            }
        }
    }

    const fn end_of(&mut self, side: Side) -> &mut End {
        match side {
            Side::Originator => &mut self.client,
            Side::Responder => &mut self.server,
        }
    }

    /// A packet that went out is its sender's, one that came in its receiver's.
    fn attribute(&mut self, side: Side, attribution: &Attribution) {
        let local = match (attribution.direction, side) {
            (Direction::Out, side) => side,
            (Direction::In, Side::Originator) => Side::Responder,
            (Direction::In, Side::Responder) => Side::Originator,
            (Direction::Unknown, _) => return,
        };
        self.end_of(local).owner.add(attribution);
    }

    /// Notes a kind of packet once for each side: capital for the originator.
    fn note(&mut self, side: Side, letter: char) {
        let letter = if side == Side::Originator { letter } else { letter.to_ascii_lowercase() };
        if !self.history.contains(letter) && self.history.len() < HISTORY_CAP {
            self.history.push(letter);
        }
    }

    fn add_tcp(&mut self, side: Side, segment: &Segment<'_>, tcp: Tcp, budget: &mut Budget, place: &dyn Fn() -> Place) {
        let other = if side == Side::Originator { Side::Responder } else { Side::Originator };
        if tcp.has(Tcp::RST) {
            self.end_of(side).rst = true;
            return self.note(side, 'R');
        }
        let mut sequence = tcp.sequence;
        if tcp.has(Tcp::SYN) {
            self.note(side, if tcp.has(Tcp::ACK) { 'H' } else { 'S' });
            let end = self.end_of(side);
            let agrees = end.sequence.open(tcp.sequence);
            end.syn |= agrees;
            end.conflict |= !agrees;
            sequence = sequence.wrapping_add(1);
        }
        if tcp.has(Tcp::ACK) {
            self.end_of(other).sequence.acknowledge(tcp.acknowledgement);
        }
        let added = self.end_of(side).sequence.add(sequence, segment.payload_length);
        if segment.payload_length > 0 {
            self.note(side, if added.new > 0 { 'D' } else { 'T' });
            self.converse(side, added.at, segment, budget, place);
        } else if !tcp.has(Tcp::SYN | Tcp::FIN) {
            self.note(side, 'A');
        }
        if tcp.has(Tcp::FIN) {
            let end = self.end_of(side);
            end.fin = true;
            end.sequence.finish(added.at + i64::from(segment.payload_length));
            self.note(side, 'F');
        }
    }

    /// Hands payload to the conversation, in order, as long as its beginning was seen and it says something.
    fn converse(&mut self, side: Side, at: i64, segment: &Segment<'_>, budget: &mut Budget, place: &dyn Fn() -> Place) {
        if self.conversation.is_over() {
            return;
        }
        let Self { client, server, conversation, .. } = self;
        let end = match side {
            Side::Originator => &mut *client,
            Side::Responder => &mut *server,
        };
        if !end.syn {
            end.stream.give_up(budget);
            return conversation.stop();
        }
        end.stream.add(at, segment.payload, !segment.is_cut(), budget, |bytes| conversation.feed(side, bytes, place));
        let held = conversation.held();
        if held > self.charged && !budget.take(held - self.charged) {
            client.stream.give_up(budget);
            return server.stream.give_up(budget);
        }
        budget.give_back(self.charged.saturating_sub(held));
        self.charged = held;
    }

    /// Lets go of what is held, for good.
    pub(super) fn release(&mut self, budget: &mut Budget) {
        budget.give_back(self.charged);
        self.charged = 0;
        let whole = |end: &End| end.syn && !end.stream.broken && !end.stream.waits() && !end.sequence.has_gap();
        let (client, server) = (whole(&self.client), whole(&self.server));
        self.heard_out = self.standing() == Standing::Closed && client && server;
        self.conversation.end(self.server.fin && server);
        self.client.stream.give_up(budget);
        self.server.stream.give_up(budget);
    }

    pub(super) fn standing(&self) -> Standing {
        let (client, server) = (&self.client, &self.server);
        if client.rst || server.rst || client.fin && server.fin {
            Standing::Closed
        } else if self.transport == Transport::Tcp && client.syn && server.packets == 0 && !client.fin {
            Standing::Attempt
        } else {
            Standing::Open
        }
    }

    /// Payload bytes of one side, each once.
    pub(super) fn bytes(&self, side: Side) -> u64 {
        let end = if side == Side::Originator { &self.client } else { &self.server };
        end.sequence.bytes() + end.datagram_bytes
    }

    /// Whether its sequence numbers contradict each other, so that no count is sure.
    pub(super) const fn is_inconsistent(&self) -> bool {
        self.client.conflict || self.server.conflict
    }

    /// Whether the capture missed packets of it.
    pub(super) fn has_gap(&self) -> bool {
        // Packets of a responder whose SYN-ACK was not seen came after one that was missed.
        let opening_missed = self.client.syn && !self.server.syn && self.answered_in_part();
        opening_missed || self.client.sequence.has_gap() || self.server.sequence.has_gap()
    }

    /// The state as Zeek names it (`conn_state` in its documentation of `conn.log`).
    pub(super) fn state(&self) -> &'static str {
        let (client, server) = (&self.client, &self.server);
        if self.transport != Transport::Tcp {
            return match (client.packets, server.packets) {
                (0, _) => "SHR",
                (_, 0) => "S0",
                _ => "SF",
            };
        }
        match (client.syn, server.syn) {
            (true, true) if client.fin && server.fin => "SF",
            (true, true) if client.rst && !(server.rst && self.comes_first('r', 'R')) => "RSTO",
            (true, true) if server.rst => "RSTR",
            (true, true) if client.fin => "S2",
            (true, true) if server.fin => "S3",
            (true, true) => "S1",
            (true, false) if server.rst && server.packets > 0 && !self.answered_in_part() => "REJ",
            (true, false) if self.answered_in_part() => "OTH",
            // Whoever acknowledges was answered: the other side was not captured.
            (true, false) if self.history.contains(['A', 'D', 'F']) => "OTH",
            (true, false) if client.rst => "RSTOS0",
            (true, false) => "S0",
            (false, true) if server.rst => "RSTRH",
            (false, true) if server.fin => "SHR",
            _ => "OTH",
        }
    }

    /// The responder sent something other than a reset.
    fn answered_in_part(&self) -> bool {
        self.history.contains(|letter: char| letter.is_ascii_lowercase() && letter != 'r')
    }

    fn comes_first(&self, one: char, other: char) -> bool {
        match (self.history.find(one), self.history.find(other)) {
            (Some(one), Some(other)) => one < other,
            (Some(_), None) => true,
            _ => false,
        }
    }
}
