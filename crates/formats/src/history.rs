//! What a flow's history states about the other side: the one place where rows of Zeek and flows of our own captures are judged.
//!
//! A history is Zeek's: a letter for each kind of packet in the order of their first appearance, capital for the originator
//! (Zeek documentation of `conn.log`).

use monologue_model::{ByteCount, ByteLayer, FlowReply, Transport};

/// The facts of a flow that decide what its counts are worth.
pub(crate) struct Facts<'a> {
    /// Transport protocol.
    pub(crate) transport: Transport,
    /// A look at a flow still open.
    pub(crate) open: bool,
    /// Zeek's `conn_state`; empty means nobody recorded it.
    pub(crate) state: &'a str,
    /// Zeek's `history`. `None` means nobody recorded it.
    pub(crate) history: Option<&'a str>,
    /// Bytes the sensor says it missed.
    pub(crate) missed: u64,
    /// Payload from the responder. `None` means nobody recorded it.
    pub(crate) received: Option<u64>,
}

impl Facts<'_> {
    /// Bytes the sensor missed, by its own count or as gaps in the history (`g` of either side, capital for the
    /// originator).
    fn has_gap(&self) -> bool {
        self.missed > 0 || self.history.is_some_and(|history| history.contains(['g', 'G']))
    }

    /// A count is complete only for a flow that ended while the sensor watched, without gaps.
    pub(crate) fn byte_count(&self, value: Option<u64>) -> ByteCount {
        let partial = self.open || self.has_gap() || matches!(self.state, "OTH" | "S1") || self.is_continuation();
        match value {
            None => ByteCount::absent(ByteLayer::Payload),
            Some(value) if partial => ByteCount::partial(value, ByteLayer::Payload),
            Some(value) => ByteCount::measured(value, ByteLayer::Payload),
        }
    }

    /// A TCP history without any opening packet. `^` means that Zeek turned the direction round by a guess.
    pub(crate) fn is_continuation(&self) -> bool {
        self.transport == Transport::Tcp
            && self.history.is_some_and(|history| !history.is_empty() && !history.contains(['S', 's', 'H', 'h']))
    }

    pub(crate) fn is_attempt(&self) -> bool {
        let only_opening = self.history.is_none_or(|history| history.chars().all(|letter| letter == 'S'));
        self.transport == Transport::Tcp && self.state == "S0" && only_opening
    }

    /// What this row alone states about the responder. In a history, lower-case letters are the responder's packets.
    pub(crate) fn reply(&self) -> FlowReply {
        if self.received.is_some_and(|bytes| bytes > 0) {
            return FlowReply::Payload;
        }
        let Some(history) = self.history else { return self.reply_by_state() };
        if history.contains('d') {
            return FlowReply::Payload;
        }
        if history.contains('^') || self.has_gap() || self.open && history.is_empty() {
            return FlowReply::Unknown;
        }
        let began = match self.transport {
            Transport::Tcp => history.starts_with('S'),
            Transport::Udp => history.starts_with('D'),
            Transport::Icmp | Transport::Other => false,
        };
        let answers = history.chars().any(|letter| letter.is_ascii_lowercase() && letter != 'r');
        match (began, answers) {
            // Whoever acknowledges or sends data was answered: the responder's packets exist, and the sensor missed them.
            (true, false) if self.transport == Transport::Tcp && history.contains(['A', 'D', 'F']) => {
                FlowReply::Unknown
            }
            (true, false) => FlowReply::NothingIfTwoSided,
            // Established and not seen to end: what came so far is not all that comes.
            (true, true) if self.received == Some(0) && self.state != "S1" => FlowReply::NoPayload,
            _ => FlowReply::Unknown,
        }
    }

    fn reply_by_state(&self) -> FlowReply {
        match (self.state, self.received) {
            ("S0" | "REJ", _) if !self.has_gap() && self.transport == Transport::Tcp => FlowReply::NothingIfTwoSided,
            ("SF", Some(0)) if !self.has_gap() && self.transport == Transport::Tcp => FlowReply::NoPayload,
            _ => FlowReply::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(transport: Transport, state: &'a str, history: &'a str, received: Option<u64>) -> Facts<'a> {
        Facts { transport, open: false, state, history: Some(history), missed: 0, received }
    }

    #[test]
    fn what_a_history_states_about_the_other_side() {
        let tcp = |state, history, received| facts(Transport::Tcp, state, history, received).reply();
        assert_eq!(tcp("S0", "S", None), FlowReply::NothingIfTwoSided);
        assert_eq!(tcp("S0", "S", Some(0)), FlowReply::NothingIfTwoSided);
        assert_eq!(tcp("REJ", "Sr", Some(0)), FlowReply::NothingIfTwoSided, "only a reset");
        assert_eq!(tcp("SF", "ShADaFf", Some(0)), FlowReply::NoPayload);
        assert_eq!(tcp("S1", "ShADa", Some(0)), FlowReply::Unknown, "it may go on");
        assert_eq!(tcp("SH", "SADF", Some(0)), FlowReply::Unknown, "nobody acknowledges nothing");
        assert_eq!(tcp("RSTOS0", "SR", Some(0)), FlowReply::NothingIfTwoSided);
        assert_eq!(tcp("SF", "ShADadFf", Some(17)), FlowReply::Payload);
        assert_eq!(tcp("SF", "ShADadFf", None), FlowReply::Payload, "the letter is enough");
        assert_eq!(tcp("SF", "ShADgaFf", Some(0)), FlowReply::Unknown, "a gap");
        assert_eq!(tcp("OTH", "DA", Some(0)), FlowReply::Unknown, "opening unseen");
        assert_eq!(tcp("OTH", "^dA", Some(0)), FlowReply::Payload);
        assert_eq!(tcp("SH", "^hf", Some(0)), FlowReply::Unknown, "direction guessed");
        let udp = |history, received| facts(Transport::Udp, "S0", history, received).reply();
        assert_eq!(udp("D", None), FlowReply::NothingIfTwoSided);
        assert_eq!(udp("Dd", Some(48)), FlowReply::Payload);
    }

    #[test]
    fn only_a_whole_flow_is_measured() {
        let count = |state, history| facts(Transport::Tcp, state, history, Some(0)).byte_count(Some(0));
        assert!(count("SF", "ShADaFf").is_measured_zero());
        assert!(!count("S1", "ShADa").is_measured_zero());
        assert!(!count("OTH", "DA").is_measured_zero());
        let missed = Facts { missed: 5, ..facts(Transport::Tcp, "SF", "ShADaFf", Some(0)) };
        assert!(!missed.byte_count(Some(0)).is_measured_zero());
        assert_eq!(missed.reply(), FlowReply::Unknown);
    }

    #[test]
    fn pieces_and_attempts_are_told_apart() {
        assert!(facts(Transport::Tcp, "OTH", "DadA", None).is_continuation());
        assert!(!facts(Transport::Tcp, "SF", "ShADadFf", None).is_continuation());
        assert!(!facts(Transport::Udp, "SF", "Dd", None).is_continuation());
        assert!(facts(Transport::Tcp, "S0", "S", None).is_attempt());
        assert!(!facts(Transport::Tcp, "S0", "SR", None).is_attempt());
    }
}
