//! `flow` records: what counters of whole packets, and the flags of each side, state about the other side.

use super::members::{Flow as Counters, Tcp};
use monologue_model::{ByteCount, ByteLayer, FlowReply, RecordPhase, Transport};

const FIN: u8 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;

/// Most bytes of headers that a TCP packet without payload can have: Ethernet with two VLAN tags (22), IP with options (60)
/// or with extension headers (80), TCP with options (60). More than that is payload.
const HEADERS_IPV4: u64 = 22 + 60 + 60;
const HEADERS_IPV6: u64 = 22 + 80 + 60;

/// What decides the worth of a record.
pub(super) struct Facts {
    transport: Transport,
    ipv6: bool,
    to_server: Option<u64>,
    to_client: Option<u64>,
    packets_to_client: Option<u64>,
    /// Flags of each side. `None`: no TCP, or not recorded.
    flags: Option<(u8, u8)>,
    /// Bytes are missing, or the sensor stopped looking before the flow was over.
    incomplete: bool,
    /// The sensor stopped while the flow went on.
    cut_short: bool,
}

impl Facts {
    pub(super) fn of(transport: Transport, ipv6: bool, flow: &Counters<'_>, tcp: Option<&Tcp<'_>>) -> Self {
        let flags = |text: Option<&str>| text.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let both = tcp.and_then(|tcp| flags(tcp.tcp_flags_ts.as_deref()).zip(flags(tcp.tcp_flags_tc.as_deref())));
        let gap = tcp.is_some_and(|tcp| tcp.ts_gap == Some(true) || tcp.tc_gap == Some(true));
        let bypassed = flow.bypass.is_some() || flow.state.as_deref() == Some("bypassed");
        let cut_short =
            matches!(flow.reason.as_deref(), Some("forced" | "shutdown")) && flow.state.as_deref() != Some("closed");
        Self {
            transport,
            ipv6,
            to_server: flow.bytes_toserver,
            to_client: flow.bytes_toclient,
            packets_to_client: flow.pkts_toclient,
            flags: both.filter(|_| transport == Transport::Tcp),
            incomplete: gap || bypassed || cut_short,
            cut_short,
        }
    }

    /// Bytes to the server and to the client. Where no packet came at all, nobody counted a silence: that is the reply's to tell.
    pub(super) fn bytes(&self) -> (ByteCount, ByteCount) {
        let count = |value: Option<u64>| match value {
            None => ByteCount::absent(ByteLayer::Frame),
            Some(value) if self.incomplete || self.is_continuation() => ByteCount::partial(value, ByteLayer::Frame),
            Some(value) => ByteCount::measured(value, ByteLayer::Frame),
        };
        let received = self.to_client.filter(|_| self.packets_to_client != Some(0));
        (count(self.to_server), count(received))
    }

    /// TCP of which neither side was seen to open.
    pub(super) fn is_continuation(&self) -> bool {
        self.flags.is_some_and(|(to_server, to_client)| (to_server | to_client) & SYN == 0)
    }

    /// Only openings, and nothing came back.
    pub(super) fn is_attempt(&self) -> bool {
        self.packets_to_client == Some(0) && self.flags.is_some_and(|(to_server, _)| to_server == SYN)
    }

    pub(super) const fn phase(&self) -> RecordPhase {
        if self.cut_short { RecordPhase::Snapshot } else { RecordPhase::End }
    }

    /// What the record alone states about the other side. That it sent headers only cannot be told from their bytes.
    pub(super) fn reply(&self) -> FlowReply {
        let (Some(bytes), Some(packets)) = (self.to_client, self.packets_to_client) else { return FlowReply::Unknown };
        match self.transport {
            Transport::Udp if packets > 0 => FlowReply::Payload,
            Transport::Udp if !self.incomplete => FlowReply::NothingIfTwoSided,
            Transport::Tcp => self.tcp_reply(bytes, packets),
            _ => FlowReply::Unknown,
        }
    }

    fn tcp_reply(&self, bytes: u64, packets: u64) -> FlowReply {
        let headers = if self.ipv6 { HEADERS_IPV6 } else { HEADERS_IPV4 };
        if bytes > packets.saturating_mul(headers) {
            return FlowReply::Payload;
        }
        let Some((to_server, to_client)) = self.flags.filter(|_| !self.incomplete) else { return FlowReply::Unknown };
        // Whoever acknowledges was answered, whether or not the sensor saw it.
        let asked_only = to_server & SYN != 0 && to_server & (ACK | FIN) == 0;
        let nothing = packets == 0 || to_client & (SYN | FIN) == 0 && to_client & 4 != 0;
        if asked_only && nothing { FlowReply::NothingIfTwoSided } else { FlowReply::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(packets: u64, bytes: u64, flags: (u8, u8)) -> Facts {
        Facts {
            transport: Transport::Tcp,
            ipv6: false,
            to_server: Some(700),
            to_client: Some(bytes),
            packets_to_client: Some(packets),
            flags: Some(flags),
            incomplete: false,
            cut_short: false,
        }
    }

    #[test]
    fn a_handshake_has_bytes_and_is_no_reply() {
        // SYN-ACK, ACK, FIN-ACK of 66, 60 and 60 bytes.
        assert_eq!(facts(3, 186, (0x1b, 0x13)).reply(), FlowReply::Unknown);
        assert_eq!(facts(3, 3 * 142 + 1, (0x1b, 0x1b)).reply(), FlowReply::Payload);
        let six = Facts { ipv6: true, ..facts(3, 3 * 142 + 1, (0x1b, 0x1b)) };
        assert_eq!(six.reply(), FlowReply::Unknown, "headers of IPv6 may be longer");
    }

    #[test]
    fn nothing_came_only_where_nobody_acknowledged_anything() {
        assert_eq!(facts(0, 0, (SYN, 0)).reply(), FlowReply::NothingIfTwoSided);
        assert!(facts(0, 0, (SYN, 0)).is_attempt());
        assert_eq!(facts(1, 60, (SYN, 0x14)).reply(), FlowReply::NothingIfTwoSided, "refused by a reset");
        assert_eq!(facts(0, 0, (SYN | ACK, 0)).reply(), FlowReply::Unknown, "one side only");
        let gap = Facts { incomplete: true, ..facts(0, 0, (SYN, 0)) };
        assert_eq!(gap.reply(), FlowReply::Unknown);
        assert!(gap.bytes().0.measured_value().is_none());
        assert!(facts(5, 400, (0x18, 0x18)).is_continuation());
    }

    #[test]
    fn datagrams_that_came_back_are_a_reply() {
        let udp = |packets, bytes| Facts { transport: Transport::Udp, flags: None, ..facts(packets, bytes, (0, 0)) };
        assert_eq!(udp(1, 90).reply(), FlowReply::Payload);
        assert_eq!(udp(0, 0).reply(), FlowReply::NothingIfTwoSided);
        assert_eq!(udp(0, 0).bytes().1, ByteCount::absent(ByteLayer::Frame), "a silence is not a measured zero");
    }
}
