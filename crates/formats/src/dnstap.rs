//! dnstap: what a DNS server was asked and answered, as protocol buffers in Frame Streams.
//!
//! Layouts: `dnstap.proto` of dnstap.info and the Frame Streams format of `fstrm`; both are read by hand, for they are a few
//! fields. Only what clients asked is told: what the resolver asked other servers itself is nobody's question.

use crate::{Format, Head, Input, Item, Malformed, Records, Refusal, Vantage, dns_message::DnsMessage};
use monologue_model::{
    CoverageRecord, CoverageState, Detail, DnsQuery, Event, Loss, Provenance, Sha256, Sight, SightSet, Timestamp,
};
use std::{
    io::{BufRead, Read},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Longest frame that is read: 1 MiB; a message of DNS has 64 KiB at most, and a frame holds two.
const FRAME_CAP: u32 = 1 << 20;

const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

const START: u32 = 2;
const STOP: u32 = 3;

/// Frame Streams of dnstap messages, as BIND, Unbound, Knot and PowerDNS write them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dnstap;

impl Format for Dnstap {
    fn name(&self) -> &'static str {
        "dnstap"
    }

    fn about(&self) -> &'static str {
        "dnstap files of DNS servers (BIND, Unbound, Knot): names that clients asked for, and the answers"
    }

    fn sights(&self) -> SightSet {
        SightSet::of(&[Sight::DnsQuery])
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        // An escape, the control frame's length, and its type.
        let start = word(head.bytes, 0) == Some(0) && word(head.bytes, 8) == Some(START);
        let says = |window: &[u8]| window == CONTENT_TYPE;
        if start && head.bytes.get(..256).unwrap_or(head.bytes).windows(CONTENT_TYPE.len()).any(says) {
            Ok(())
        } else {
            Err(Refusal("expected a Frame Streams start frame of the type protobuf:dnstap.Dnstap".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            reader: Some(input.reader),
            source: input.source,
            format: self.name().into(),
            offset: 0,
            span: None,
            malformed: 0,
            stopped: false,
            ready: Vec::new(),
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|field| u32::from_be_bytes(*field))
}

struct Reader<'a> {
    reader: Option<Box<dyn BufRead + 'a>>,
    source: Arc<str>,
    format: Arc<str>,
    offset: u64,
    span: Option<(Timestamp, Timestamp)>,
    malformed: u64,
    /// The stream said that it ends.
    stopped: bool,
    ready: Vec<Item>,
}

/// One step through the stream.
enum Frame {
    Data(Vec<u8>),
    Control(u32),
    End,
    Cut(&'static str),
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop() {
                return Some(Ok(item));
            }
            let start = self.offset;
            match self.frame()? {
                Frame::Data(bytes) => {
                    let read = self.message(start, &bytes);
                    self.malformed += u64::from(read.is_err());
                    return Some(read);
                }
                Frame::Control(kind) => self.stopped |= kind == STOP,
                Frame::End => self.end(),
                Frame::Cut(expected) => {
                    let malformed = Malformed { offset: start, length: self.offset - start, expected: expected.into() };
                    self.stopped = false;
                    self.end();
                    return Some(Err(malformed));
                }
            }
        }
    }
}

impl Reader<'_> {
    /// Reads up to `length` bytes.
    fn take(&mut self, length: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(reader) = &mut self.reader {
            // A read that fails ends the stream as a cut does.
            let _ = reader.by_ref().take(u64::from(length)).read_to_end(&mut bytes);
        }
        self.offset += bytes.len() as u64;
        bytes
    }

    /// `None`: the stream is over already.
    fn frame(&mut self) -> Option<Frame> {
        self.reader.as_ref()?;
        let head = self.take(4);
        if head.is_empty() {
            return Some(Frame::End);
        }
        let control = word(&head, 0) == Some(0);
        let length = if control { word(&self.take(4), 0) } else { word(&head, 0) };
        let Some(length) = length else { return Some(Frame::Cut("the length of a frame, but the file ends")) };
        if length > FRAME_CAP {
            return Some(Frame::Cut("a frame of at most 1 MiB"));
        }
        let bytes = self.take(length);
        if bytes.len() < length as usize {
            return Some(Frame::Cut("a whole frame, but the file ends"));
        }
        Some(if control { Frame::Control(word(&bytes, 0).unwrap_or(0)) } else { Frame::Data(bytes) })
    }

    fn message(&mut self, offset: u64, bytes: &[u8]) -> Result<Item, Malformed> {
        let malformed =
            |expected: &str| Malformed { offset, length: bytes.len() as u64 + 4, expected: expected.into() };
        let message = fields(bytes).find_map(|field| match field {
            (14, Value::Bytes(message)) => Some(message),
            _ => None,
        });
        let message = message.ok_or_else(|| malformed("a dnstap frame with a message"))?;
        let Some(tap) = Tap::parse(message) else { return Err(malformed("a dnstap message with a type")) };
        if !matches!(tap.kind, 5 | 6 | 9 | 10) {
            return Ok(Item::Skipped("a message between servers: no client asked it"));
        }
        let time = tap.query_time.or(tap.response_time).ok_or_else(|| malformed("a dnstap message with a time"))?;
        let dns = tap.response.or(tap.query).and_then(DnsMessage::parse);
        let dns = dns.ok_or_else(|| malformed("a DNS message within the dnstap message"))?;
        self.span = Some(self.span.map_or((time, time), |(from, until)| (from.min(time), until.max(time))));
        let query = DnsQuery {
            process: None,
            originator: tap.client,
            resolver: tap.server,
            name: dns.name,
            name_hash: None,
            query_type: dns.query_type,
            answers: dns.answers,
            response_code: dns.is_response.then_some(dns.response_code),
        };
        Ok(Item::Event(self.event(time, Detail::Dns(Box::new(query)), offset, bytes)))
    }

    fn event(&self, time: Timestamp, detail: Detail, offset: u64, bytes: &[u8]) -> Box<Event> {
        // The frame's length stands before it.
        let (offset, length) = if bytes.is_empty() { (0, 0) } else { (offset + 4, bytes.len() as u64) };
        let provenance = Provenance { source: self.source.clone(), offset, length, sha256: Sha256::of(bytes) };
        Box::new(Event { time, host: None, format: self.format.clone(), provenance, detail })
    }

    /// What the end says: from the first message to the last the server told what it was asked; without a stop frame it was
    /// cut.
    fn end(&mut self) {
        self.reader = None;
        let Some((from, until)) = self.span else { return };
        let lost = |reason, records| CoverageState::Lost { reason, records };
        let mut statements = vec![(from, until, CoverageState::Complete)];
        if self.malformed > 0 {
            statements.push((from, until, lost(Loss::Malformed, Some(self.malformed))));
        }
        if !self.stopped {
            statements.push((until, until, lost(Loss::Truncated, None)));
        }
        for (from, until, state) in statements.into_iter().rev() {
            let sights = SightSet::of(&[Sight::DnsQuery]);
            let record = CoverageRecord { format: self.format.clone(), sights, from, until, state };
            self.ready.push(Item::Derived(self.event(from, Detail::Coverage(record), 0, &[])));
        }
    }
}

/// The fields of `Message` that are read.
#[derive(Debug, Default)]
struct Tap<'a> {
    kind: u64,
    client: Option<SocketAddr>,
    server: Option<SocketAddr>,
    query_time: Option<Timestamp>,
    response_time: Option<Timestamp>,
    query: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
}

impl<'a> Tap<'a> {
    /// `None`: it has no type.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut tap = Self::default();
        let (mut client, mut server) = ((None, None), (None, None));
        let (mut asked, mut answered) = ((None, 0), (None, 0));
        for field in fields(bytes) {
            match field {
                (1, Value::Number(kind)) => tap.kind = kind,
                (4, Value::Bytes(ip)) => client.0 = address(ip),
                (5, Value::Bytes(ip)) => server.0 = address(ip),
                (6, Value::Number(port)) => client.1 = u16::try_from(port).ok(),
                (7, Value::Number(port)) => server.1 = u16::try_from(port).ok(),
                (8, Value::Number(seconds)) => asked.0 = Some(seconds),
                (9, Value::Number(nanoseconds)) => asked.1 = nanoseconds,
                (10, Value::Bytes(message)) => tap.query = Some(message),
                (12, Value::Number(seconds)) => answered.0 = Some(seconds),
                (13, Value::Number(nanoseconds)) => answered.1 = nanoseconds,
                (14, Value::Bytes(message)) => tap.response = Some(message),
                _ => {}
            }
        }
        // Some servers leave ports out.
        let end = |(ip, port): (Option<IpAddr>, Option<u16>)| Some(SocketAddr::new(ip?, port.unwrap_or(0)));
        (tap.client, tap.server) = (end(client), end(server));
        (tap.query_time, tap.response_time) = (time(asked), time(answered));
        (tap.kind > 0).then_some(tap)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes)),
        16 => bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes)),
        _ => None,
    }
}

fn time((seconds, nanoseconds): (Option<u64>, u64)) -> Option<Timestamp> {
    let start = Timestamp::from_seconds(i64::try_from(seconds?).ok()?)?;
    Some(start.saturating_add(i64::try_from(nanoseconds).ok().filter(|part| *part < 1_000_000_000)?))
}

/// A field's value, as far as dnstap uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protocol buffer (its encoding guide): numbers, eight or four fixed bytes, and lengths with bytes. What
/// is not understood ends it.
fn fields(bytes: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut rest)?),
            1 => {
                let (fixed, after) = rest.split_first_chunk::<8>()?;
                rest = after;
                Value::Number(u64::from_le_bytes(*fixed))
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                Value::Bytes(value)
            }
            5 => {
                let (fixed, after) = rest.split_first_chunk::<4>()?;
                rest = after;
                Value::Number(u64::from(u32::from_le_bytes(*fixed)))
            }
            _ => return None,
        };
        Some((tag >> 3, value))
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Base64 (RFC 4648), enough for the published vector.
    fn base64(text: &str) -> Vec<u8> {
        let digit = |byte: u8| match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        let bits: Vec<u8> = text
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
            .flat_map(|byte| (0..6).rev().map(move |bit| digit(byte) >> bit & 1))
            .collect();
        bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect()
    }

    #[test]
    fn a_message_of_a_real_server_is_understood() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/data/formats/dnstap/vector-parse_dnstap-example.b64");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: ../shared/data is not there");
            return;
        };
        let bytes = base64(&text);
        let message = fields(&bytes).find_map(|(number, value)| match value {
            Value::Bytes(message) if number == 14 => Some(message),
            _ => None,
        });
        let tap = Tap::parse(message.unwrap()).unwrap();
        // The fields by a walk over the tags: BIND 9.16.3 asked [2001:502:7094::30]:53 itself (type 3, a resolver's query).
        assert_eq!(tap.kind, 3);
        assert_eq!(tap.server.unwrap().to_string(), "[2001:502:7094::30]:53");
        assert_eq!(tap.query_time.unwrap().nanoseconds(), 1_593_489_007_920_014_129);
        let asked = DnsMessage::parse(tap.query.unwrap()).unwrap();
        assert_eq!((asked.name.as_deref(), asked.query_type.as_deref()), (Some("facebook1.com"), Some("A")));
        let other = DnsMessage::parse(tap.response.unwrap()).unwrap();
        assert_eq!(other.name.as_deref(), Some("h5.example.com"));
    }
}
