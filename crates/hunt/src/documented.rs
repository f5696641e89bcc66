//! Protocols that never answer and connectivity checks: recognised by what they are, never by being regular.

use monologue_model::{Channel, Service, Transport, connectivity_check};

/// Ports of datagram protocols that send without expecting an answer, or retry for ever by their specification, with
/// what they are.
const DATAGRAM_PROTOCOLS: &[(u16, &str)] = &[
    (123, "NTP, which asks for the time and asks again (RFC 5905)"),
    (514, "syslog over UDP, which never answers (RFC 5426)"),
    (2055, "NetFlow export, which never answers (RFC 3954)"),
    (4739, "IPFIX export, which never answers (RFC 7011)"),
    (6343, "sFlow export, which never answers"),
    (8125, "StatsD metrics, which never answer"),
    (3478, "STUN, which probes addresses that may not exist (RFC 8489)"),
];

/// Programs of macOS, on its sealed volume, whose documented way of working looks like giving responses up.
const PROGRAMS: &[(&str, &str)] =
    &[("/usr/bin/networkQuality", "macOS's network quality test, which cancels its own loads (networkQuality(8))")];

/// What a program is, if all requests are one documented program's.
fn program(channel: &Channel) -> Option<&'static str> {
    let attributes = &channel.attributes;
    if attributes.path_unknown > 0 || attributes.paths.overflow || attributes.paths.len() != 1 {
        return None;
    }
    let path = attributes.paths.commonest()?;
    PROGRAMS.iter().find(|(known, _)| **known == **path).map(|(_, what)| *what)
}

/// What a channel is, if all of it is one documented thing. `None` means it is nothing documented here.
pub(crate) fn explain(channel: &Channel) -> Option<&'static str> {
    if let Some(what) = program(channel) {
        return Some(what);
    }
    let attributes = &channel.attributes;
    let datagrams_only = attributes.transports.iter().all(|(transport, _)| *transport == Transport::Udp);
    if !attributes.ports.overflow {
        let mut explained = attributes
            .ports
            .iter()
            .map(|(port, _)| DATAGRAM_PROTOCOLS.iter().find(|(known, _)| known == port).map(|(_, what)| *what));
        if let Some(Some(first)) = explained.next()
            && datagrams_only
            && explained.all(|other| other == Some(first))
        {
            return Some(first);
        }
    }
    if !matches!(channel.key.service, Service::Name(_)) || attributes.names.overflow || attributes.name_unknown > 0 {
        return None;
    }
    let mut explained = attributes.names.iter().map(|(name, _)| connectivity_check(name));
    let first = explained.next()??;
    explained.all(|other| other.is_some()).then_some(first)
}
