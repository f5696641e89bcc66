//! The OCSF objects `network_endpoint` and `network_traffic`, and the addresses and byte counts they carry.

use super::{
    error::{Unexpected, narrow},
    process::Text,
};
use monologue_model::{ByteCount, ByteLayer, ByteQuality};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// OCSF `network_endpoint`, by address.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Socket<'a> {
    /// OCSF: the address. `%zone` follows where it has an IPv6 zone (RFC 4007), and `%zone%flow` where it has an IPv6
    /// flow label too.
    ip: Text<'a>,
    /// OCSF: the port.
    port: i32,
}

/// OCSF `network_endpoint`, by whatever the client says of it. Null means the record hides or lacks it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Peer<'a> {
    /// OCSF: name in clear.
    pub(super) hostname: Option<&'a str>,
    /// OCSF: the address. `%zone` follows where it has an IPv6 zone (RFC 4007), and `%zone%flow` where it has an IPv6
    /// flow label too.
    pub(super) ip: Option<Text<'a>>,
    /// OCSF: the port.
    pub(super) port: Option<i32>,
}

/// The text of a socket's address: its zone and flow label stand in it too.
fn address_text(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(six) if six.flowinfo() != 0 => format!("{}%{}%{}", six.ip(), six.scope_id(), six.flowinfo()),
        SocketAddr::V6(six) if six.scope_id() != 0 => format!("{}%{}", six.ip(), six.scope_id()),
        _ => address.ip().to_string(),
    }
}

fn parse_socket(ip: &str, port: u16) -> Option<SocketAddr> {
    let Some((ip, rest)) = ip.split_once('%') else {
        return Some(SocketAddr::new(ip.parse().ok()?, port));
    };
    let (scope, flow) = rest.split_once('%').unwrap_or((rest, "0"));
    let ip: Ipv6Addr = ip.parse().ok()?;
    Some(SocketAddrV6::new(ip, port, flow.parse().ok()?, scope.parse().ok()?).into())
}

fn socket(ip: &str, port: i32, column: &'static str) -> Result<SocketAddr, Unexpected> {
    let port = narrow(port.into(), column)?;
    parse_socket(ip, port).ok_or_else(|| Unexpected::new(column, "an IP address", ip))
}

/// The address that a text is.
pub(super) fn address(text: &str, column: &'static str) -> Result<IpAddr, Unexpected> {
    text.parse().map_err(|_| Unexpected::new(column, "an IP address", text))
}

impl Socket<'_> {
    /// The columns of an address and port.
    pub(super) fn of(address: SocketAddr) -> Self {
        Self { ip: address_text(address).into(), port: address.port().into() }
    }

    /// The address and port the columns carry.
    pub(super) fn address(&self, column: &'static str) -> Result<SocketAddr, Unexpected> {
        socket(&self.ip.0, self.port, column)
    }
}

impl Peer<'_> {
    /// The columns of an address and port.
    pub(super) fn of(address: SocketAddr) -> Self {
        Self { hostname: None, ip: Some(address_text(address).into()), port: Some(address.port().into()) }
    }

    /// The address and port the columns carry.
    pub(super) fn address(&self, column: &'static str) -> Result<SocketAddr, Unexpected> {
        match (&self.ip, self.port) {
            (Some(ip), Some(port)) => socket(&ip.0, port, column),
            _ => Err(Unexpected::new(column, "an address and a port", "none")),
        }
    }
}

/// OCSF `network_traffic`. Null means nobody recorded it; what a number is worth stands in `monologue`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Traffic {
    /// OCSF: bytes sent by who began it.
    pub(super) bytes_out: Option<i64>,
    /// OCSF: bytes sent by the other side.
    pub(super) bytes_in: Option<i64>,
    /// OCSF: packets sent by who began it.
    pub(super) packets_out: Option<i64>,
    /// OCSF: packets sent by the other side.
    pub(super) packets_in: Option<i64>,
}

/// What a byte count is worth.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Worth {
    /// How the count came to be: `measured`, `partial`, `absent` or `not-applicable`. Only a measured zero is a zero.
    quality: ByteQuality,
    /// What was counted: `payload`, `ip`, `frame`, `body` or `message`.
    layer: ByteLayer,
}

impl Worth {
    /// What this count is worth.
    pub(super) const fn of(count: &ByteCount) -> Self {
        Self { quality: count.quality, layer: count.layer }
    }

    /// The count of that value.
    pub(super) fn count(self, value: Option<i64>) -> ByteCount {
        ByteCount { value: value.map(i64::cast_unsigned), quality: self.quality, layer: self.layer }
    }
}

/// A count of up to 64 bits, as it is stored: two's complement.
pub(super) fn stored(value: Option<u64>) -> Option<i64> {
    value.map(u64::cast_signed)
}

/// A count of up to 64 bits, from how it is stored.
pub(super) fn restored(value: Option<i64>) -> Option<u64> {
    value.map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_flow_labels_survive_in_the_text() {
        let link: Ipv6Addr = "fe80::1".parse().unwrap();
        let cases = [(0, 0, "fe80::1"), (0, 3, "fe80::1%3"), (7, 3, "fe80::1%3%7"), (7, 0, "fe80::1%0%7")];
        for (flow, zone, text) in cases {
            let address = SocketAddr::V6(SocketAddrV6::new(link, 443, flow, zone));
            assert_eq!(address_text(address), text);
            assert_eq!(parse_socket(text, 443), Some(address));
        }
        assert_eq!(parse_socket("192.0.2.1%3", 1), None);
        assert_eq!(parse_socket("", 1), None);
    }
}
