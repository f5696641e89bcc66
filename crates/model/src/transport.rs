//! Transport protocols, as far as they are told apart, and what a row of one connection states of its other side.

use serde::{Deserialize, Serialize};

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP (QUIC included).
    Udp,
    /// ICMP and ICMPv6: never an exchange.
    Icmp,
    /// Anything else, or not recorded.
    Other,
}

/// What one flow row states, by itself, about the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowReply {
    /// The responder sent payload.
    Payload,
    /// The responder answered at the transport level only (SYN-ACK, ACK, FIN): no payload, and nothing was missed.
    NoPayload,
    /// Nothing came from the responder, or only a reset; a fact if the sensor is shown to see both sides.
    NothingIfTwoSided,
    /// The row does not settle it.
    Unknown,
}
