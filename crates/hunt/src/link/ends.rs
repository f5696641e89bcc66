//! Far ends: which of them make an exchange, and which are evidence only.

use monologue_model::Transport;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Ports of DNS and DNS over TLS: asking a resolver is evidence, not a channel.
const RESOLVER_PORTS: &[u16] = &[53, 853, 5353, 5355];

/// Ports of DHCP: never an exchange.
const DHCP_PORTS: &[u16] = &[67, 68, 546, 547];

/// Whether an address can be the far end of an exchange: unicast and not ourselves.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let broadcast =
                v4.is_broadcast() || ((v4.is_private() || v4.is_link_local()) && v4.octets().last() == Some(&255));
            !(v4.is_multicast() || broadcast || v4.is_unspecified() || v4.is_loopback())
        }
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified() || v6.is_loopback()),
    }
}

/// Whether traffic to this responder is evidence about names rather than a channel, or no exchange at all.
pub(crate) fn is_exchange(transport: Transport, responder: SocketAddr, services: &[Arc<str>]) -> bool {
    matches!(transport, Transport::Tcp | Transport::Udp)
        && is_unicast(responder.ip())
        && !RESOLVER_PORTS.contains(&responder.port())
        && !DHCP_PORTS.contains(&responder.port())
        && !services.iter().any(|service| matches!(&**service, "dns" | "dhcp"))
}
