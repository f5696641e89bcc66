//! Transport protocols, as far as they are told apart.

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
