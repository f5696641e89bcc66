//! Network.framework's lines about one connection: `[C<N> …] start`, `[C<N> …] cancelled` with its summary, errors.

use super::message::{leading_number, normalise_uuid};
use monologue_model::{ByteCount, ByteLayer, ConnectionFact, Endpoint, Transport};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Longest host name that DNS allows, in characters.
const NAME_CAP: usize = 253;

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConnectionLine {
    /// Number of the connection within its process.
    pub(super) connection: u64,
    /// The fact.
    pub(super) fact: ConnectionFact,
    /// `LC_UUID` of the executable the connection is made for (`proc:`). `None` where the line has none.
    pub(super) code_uuid: Option<Arc<str>>,
}

/// Reads one line. `None` means that it is neither a start, a close summary nor a socket error.
pub(super) fn parse(message: &str) -> Option<ConnectionLine> {
    const CANCELLED: &str = "] cancelled";
    if let Some(inside) = message.strip_prefix('[') {
        if let Some(inside) = inside.trim_end().strip_suffix("] start") {
            return Some(started(Subject::parse(inside)?));
        }
        let (inside, summary) = inside.split_once(CANCELLED)?;
        // `] cancelled socket-flow …` and the like are events of a flow, not the end of the connection.
        if !summary.is_empty() && !summary.starts_with(['\n', '\r']) {
            return None;
        }
        return Some(closed(Subject::parse(inside)?, summary));
    }
    failed(message)
}

fn started(subject: Subject) -> ConnectionLine {
    let Subject { connection, endpoint, transport, tls, code_uuid } = subject;
    ConnectionLine { connection, fact: ConnectionFact::Started { endpoint, transport, tls }, code_uuid }
}

/// `nw_socket_handle_socket_event [C8.1.1:2] Socket SO_ERROR [61: Connection refused]`.
fn failed(message: &str) -> Option<ConnectionLine> {
    let (before, after) = message.split_once(" SO_ERROR [")?;
    let (error, _) = leading_number::<i32>(after).filter(|(error, _)| *error > 0)?;
    let (_, inside) = before.rsplit_once('[')?;
    let (connection, _) = leading_number(inside.strip_prefix('C').unwrap_or(inside))?;
    Some(ConnectionLine { connection, fact: ConnectionFact::Failed { error }, code_uuid: None })
}

/// The indented lines after `cancelled`. A part that is missing stays unknown.
fn closed(subject: Subject, summary: &str) -> ConnectionLine {
    let Subject { connection, mut endpoint, code_uuid, .. } = subject;
    let mut local = None;
    let mut duration_ms = None;
    let mut received = ByteCount::absent(ByteLayer::Payload);
    let mut sent = received;
    for line in summary.lines().map(str::trim) {
        if let Some((near, remote)) = connected_pair(line).filter(|_| local.is_none()) {
            local = socket_address(near);
            add_remote(&mut endpoint, &parse_endpoint(remote));
        } else if let Some(text) = line.strip_prefix("Duration: ") {
            duration_ms = milliseconds(text);
        } else if let Some((bytes_in, bytes_out)) = line.strip_prefix("bytes in/out: ").and_then(byte_pair) {
            received = ByteCount::measured(bytes_in, ByteLayer::Payload);
            sent = ByteCount::measured(bytes_out, ByteLayer::Payload);
        }
    }
    let fact = ConnectionFact::Closed { endpoint, local, duration_ms, received, sent };
    ConnectionLine { connection, fact, code_uuid }
}

/// `[C8.1 UUID local<->remote]`: both ends as written.
fn connected_pair(line: &str) -> Option<(&str, &str)> {
    let inside = line.strip_prefix('[')?.strip_suffix(']')?;
    let (near, remote) = inside.split_once("<->")?;
    Some((near.rsplit(' ').next()?, remote.trim()))
}

/// Adds the address of the connected path. A path to another port leads to a proxy: its address is not the
/// destination's.
fn add_remote(endpoint: &mut Endpoint, remote: &Endpoint) {
    let same_port = endpoint.port.is_none() || remote.port.is_none() || endpoint.port == remote.port;
    if endpoint.address.is_none() && same_port {
        endpoint.address = remote.address;
        endpoint.port = endpoint.port.or(remote.port);
    }
}

/// `1.042s, DNS @…`: whole seconds and a fraction.
fn milliseconds(text: &str) -> Option<u64> {
    let (seconds, rest) = leading_number::<u64>(text)?;
    let fraction = rest.strip_prefix('.').unwrap_or("").bytes().take_while(u8::is_ascii_digit).chain(*b"000").take(3);
    let fraction = fraction.fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    seconds.checked_mul(1000)?.checked_add(fraction)
}

/// `7310/912, …`: bytes received, then sent.
fn byte_pair(text: &str) -> Option<(u64, u64)> {
    let (bytes_in, rest) = leading_number(text)?;
    let (bytes_out, _) = leading_number(rest.strip_prefix('/')?)?;
    Some((bytes_in, bytes_out))
}

/// What stands in the brackets of a start or close line.
struct Subject {
    connection: u64,
    endpoint: Endpoint,
    transport: Transport,
    tls: bool,
    code_uuid: Option<Arc<str>>,
}

impl Subject {
    /// `C8 UUID host:443 tcp, url hash: …, tls, context: …, proc: UUID` (macOS 10.14 and later; the UUID may be
    /// missing) or `8 host:443 stream, pid: 501, tls` (macOS 10.13).
    fn parse(inside: &str) -> Option<Self> {
        let (name, rest) = inside.split_once(' ')?;
        // `C8.1` names a path of a connection, not a connection.
        let connection = match leading_number(name.strip_prefix('C').unwrap_or(name))? {
            (connection, "") => connection,
            _ => return None,
        };
        let rest = match rest.split_once(' ') {
            Some((first, after)) if is_uuid(first) => after,
            _ => rest,
        };
        let mut parts = rest.split(", ");
        let (target, kind) = parts.next().map(|first| first.split_once(' ').unwrap_or((first, "")))?;
        let transport = transport(kind);
        let (mut tls, mut code_uuid) = (kind.starts_with("quic"), None);
        for part in parts {
            if part == "tls" {
                tls = true;
            } else if let Some(uuid) = part.strip_prefix("proc: ") {
                code_uuid = normalise_uuid(uuid).map(Arc::from);
            }
        }
        Some(Self { connection, endpoint: parse_endpoint(target), transport, tls, code_uuid })
    }
}

fn is_uuid(word: &str) -> bool {
    matches!(word.len(), 32 | 36) && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn transport(kind: &str) -> Transport {
    match kind.split([' ', '-']).next() {
        Some("tcp" | "stream") => Transport::Tcp,
        Some("udp" | "quic" | "datagram") => Transport::Udp,
        _ => Transport::Other,
    }
}

/// Reads an endpoint: `host:443`, `1.2.3.4:443`, `1.2.3.4.443`, `2001:db8::1%en0.443`, `[2001:db8::1]:443`,
/// `Hostname#5eaf00d1:443`, `IPv4#0ddba115:443`. What cannot be read stays unknown.
fn parse_endpoint(text: &str) -> Endpoint {
    if let Some(address) = socket_address(text) {
        return Endpoint { address: Some(address.ip()), port: Some(address.port()), ..Endpoint::default() };
    }
    if let Ok(address) = without_zone(text).parse::<IpAddr>() {
        return Endpoint { address: Some(address), ..Endpoint::default() };
    }
    let (host, port) = match text.rsplit_once([':', '.']).map(|(host, port)| (host, port.parse().ok())) {
        Some((host, Some(port))) => (host, Some(port)),
        _ => (text, None),
    };
    let masked = host.split_once('#').is_some_and(|(kind, hash)| {
        matches!(kind, "Hostname" | "IPv4" | "IPv6")
            && hash.len() <= NAME_CAP
            && !hash.is_empty()
            && hash.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let name_hash = masked.then(|| host.into());
    Endpoint { name: host_name(host), name_hash, address: None, port }
}

/// A host name in lower case without the final dot. `None` if it is masked or no host name.
pub(super) fn host_name(text: &str) -> Option<Arc<str>> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (plain && !name.is_empty() && name.len() <= NAME_CAP).then(|| name.to_ascii_lowercase().into())
}

/// An address with a port after `:` or, as BSD tools write it, after `.`; an IPv6 zone such as `%en0` is dropped.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some((inside, port)) = text.strip_prefix('[').and_then(|text| text.split_once("]:")) {
        return Some(SocketAddr::new(without_zone(inside).parse().ok()?, port.parse().ok()?));
    }
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (host, port) = text.rsplit_once('.')?;
    Some(SocketAddr::new(without_zone(host).parse().ok()?, port.parse().ok()?))
}

fn without_zone(text: &str) -> &str {
    text.split_once('%').map_or(text, |(address, _)| address)
}

#[cfg(test)]
mod tests;
