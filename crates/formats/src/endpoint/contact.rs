//! What an endpoint sensor says of one connection, as a connection of the model.

use super::fields;
use monologue_model::{
    ByteCount, ByteLayer, ConnectionFact, Detail, Endpoint, NetworkConnection, ProcessImage, Sha256, Timestamp,
    Transport,
};
use std::net::{IpAddr, SocketAddr};

/// A mark on every number that a reader makes, so that it is never one that macOS gave.
const MADE: u64 = 1 << 63;

/// One connection at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    /// Whom it goes to.
    pub(crate) far: Endpoint,
    /// This end. `None` means that address or port are not recorded.
    pub(crate) local: Option<SocketAddr>,
    /// Transport protocol.
    pub(crate) transport: Transport,
    /// It was made then.
    pub(crate) opened: bool,
    /// Bytes received so far.
    pub(crate) received: ByteCount,
    /// Bytes sent so far.
    pub(crate) sent: ByteCount,
}

impl Default for Contact {
    fn default() -> Self {
        let unknowable = ByteCount::not_applicable(ByteLayer::Payload);
        Self {
            far: Endpoint::default(),
            local: None,
            transport: Transport::Tcp,
            opened: false,
            received: unknowable,
            sent: unknowable,
        }
    }
}

impl Contact {
    /// The event. `None` if neither address nor name of the far end is known: then nothing is said.
    pub(crate) fn detail(self, process: ProcessImage, number: u64) -> Option<Detail> {
        let fact = ConnectionFact::Contacted {
            endpoint: self.named()?,
            local: self.local,
            transport: self.transport,
            opened: self.opened,
            received: self.received,
            sent: self.sent,
        };
        Some(connection(process, number, fact))
    }

    /// The event of its end, with final counts.
    pub(crate) fn closed(self, process: ProcessImage, number: u64, duration_ms: Option<u64>) -> Option<Detail> {
        let (endpoint, local) = (self.named()?, self.local);
        let fact = ConnectionFact::Closed { endpoint, local, duration_ms, received: self.received, sent: self.sent };
        Some(connection(process, number, fact))
    }

    fn named(&self) -> Option<Endpoint> {
        (self.far.address.is_some() || self.far.name.is_some()).then(|| self.far.clone())
    }
}

fn connection(process: ProcessImage, number: u64, fact: ConnectionFact) -> Detail {
    Detail::Connection(Box::new(NetworkConnection { process, connection: number, fact, effective_process: None }))
}

/// The number of a connection of which there is one record: that of the record's own bytes, so that the same record in
/// two files is one connection.
pub(crate) fn number(record: &Sha256) -> u64 {
    number_of_bytes(record.as_bytes())
}

/// The number of a connection that several records name by the same words.
pub(crate) fn number_of(words: &[&str]) -> u64 {
    number_of_bytes(Sha256::of(words.join("\u{0}").as_bytes()).as_bytes())
}

fn number_of_bytes(bytes: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *bytes;
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) | MADE
}

/// Whole milliseconds from one moment to another. `None` if it would be negative.
pub(crate) fn milliseconds(from: Timestamp, until: Timestamp) -> Option<u64> {
    u64::try_from(until.since(from) / 1_000_000).ok()
}

/// The far end, from whatever a sensor writes as its name (a host, a URL) and its address.
pub(crate) fn endpoint(name: &str, address: &str, port: Option<u16>) -> Endpoint {
    let found = fields::address(address);
    // Some write the name in the place of the address, and the other way round.
    let named = [name, address].into_iter().filter_map(host_name).next();
    let by_name = fields::address(bare_host(name).unwrap_or(name));
    Endpoint {
        name: named.map(|name| name.to_ascii_lowercase().into()),
        name_hash: None,
        address: found.or(by_name),
        port: port.filter(|port| *port != 0).or_else(|| port_of_url(name)),
    }
}

/// The host of a URL or of `host:port`; the text itself where it is neither.
fn bare_host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    if let Some(inside) = authority.strip_prefix('[') {
        return inside.split(']').next();
    }
    match authority.matches(':').count() {
        1 => authority.split(':').next(),
        _ => Some(authority),
    }
}

fn host_name(text: &str) -> Option<&str> {
    let host = bare_host(text.trim())?.trim_end_matches('.');
    let is_name = host.len() <= 255
        && host.contains(|character: char| character.is_ascii_alphabetic())
        && host.chars().all(|character| character.is_alphanumeric() || matches!(character, '.' | '-' | '_'));
    (is_name && fields::address(host).is_none()).then_some(host)
}

fn port_of_url(text: &str) -> Option<u16> {
    match text.split_once("://")?.0 {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        _ => None,
    }
}

/// An address with its port; `None` if either is missing or 0, which means "not known yet".
pub(crate) fn socket(address: &str, port: Option<u16>) -> Option<SocketAddr> {
    socket_of(fields::address(address)?, port)
}

/// As [`socket`], of a known address.
pub(crate) fn socket_of(address: IpAddr, port: Option<u16>) -> Option<SocketAddr> {
    Some(SocketAddr::new(address, port.filter(|port| *port != 0)?))
}

/// Transport by its number in the IP header (IANA protocol numbers). `None` is taken as TCP, which all these sensors mean
/// where they say nothing.
pub(crate) const fn transport_of_number(number: Option<u64>) -> Transport {
    match number {
        None | Some(6) => Transport::Tcp,
        Some(17) => Transport::Udp,
        Some(1 | 58) => Transport::Icmp,
        Some(_) => Transport::Other,
    }
}

/// Transport by name or number.
pub(crate) fn transport(word: Option<&str>) -> Transport {
    let Some(word) = word else { return Transport::Tcp };
    let word = word.to_ascii_lowercase();
    if let Ok(number) = word.parse() {
        return transport_of_number(Some(number));
    }
    match &*word {
        "" => Transport::Tcp,
        _ if word.starts_with("tcp") => Transport::Tcp,
        _ if word.starts_with("udp") || word == "quic" => Transport::Udp,
        _ if word.starts_with("icmp") || word.starts_with("ipv6-icmp") => Transport::Icmp,
        "http" | "https" | "http2" | "ssl" | "tls" => Transport::Tcp,
        _ => Transport::Other,
    }
}

/// Whether a word says that the other side began the connection.
pub(crate) fn is_inbound(word: &str) -> bool {
    matches!(&*word.to_ascii_lowercase(), "in" | "inbound" | "ingress" | "incoming")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_far_end_is_found_in_urls_names_and_addresses() {
        let end = |name, address, port| {
            let end = endpoint(name, address, port);
            (end.name.map(|name| name.to_string()), end.address.map(|address| address.to_string()), end.port)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(end("https://Files.Example/a?b", "", None), (text("files.example"), None, Some(443)));
        assert_eq!(
            end("files.example:8443", "192.0.2.1", Some(8443)),
            (text("files.example"), text("192.0.2.1"), Some(8443))
        );
        assert_eq!(end("", "files.example.", Some(443)), (text("files.example"), None, Some(443)));
        assert_eq!(end("192.0.2.7", "", Some(80)), (None, text("192.0.2.7"), Some(80)));
        assert_eq!(end("http://[2001:db8::1]:80/", "", None), (None, text("2001:db8::1"), Some(80)));
        assert_eq!(end("a b<script>", "", Some(0)), (None, None, None));
    }

    #[test]
    fn a_made_number_is_marked_and_the_same_for_the_same_words() {
        assert_eq!(number_of(&["a", "b"]), number_of(&["a", "b"]));
        assert_ne!(number_of(&["a", "b"]), number_of(&["ab", ""]));
        assert!(number_of(&[]) >= 1 << 63);
    }

    #[test]
    fn transports_by_name_and_number() {
        for (word, expected) in [
            (Some("6"), Transport::Tcp),
            (Some("TcpV4"), Transport::Tcp),
            (Some("udp6"), Transport::Udp),
            (Some("17"), Transport::Udp),
            (Some("58"), Transport::Icmp),
            (Some("sctp"), Transport::Other),
            (None, Transport::Tcp),
        ] {
            assert_eq!(transport(word), expected, "{word:?}");
        }
    }
}
