//! DNS messages as they stand in a datagram: the first question, the addresses answered, and the response code.
//!
//! Layout: RFC 1035 section 4. Names are read with their compression, which is bounded.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

/// Pointers followed in one name; a message of 512 bytes has no use for more.
const POINTER_CAP: usize = 32;

/// Answers read of one message.
const ANSWER_CAP: usize = 256;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DnsMessage {
    pub(crate) id: u16,
    pub(crate) is_response: bool,
    /// Lower case, without the last dot. `None`: the message has no question, or that of the root.
    pub(crate) name: Option<Arc<str>>,
    /// Such as `A` or `TYPE1234`. `None`: the message has no question.
    pub(crate) query_type: Option<Arc<str>>,
    /// Addresses of the answers (A and AAAA).
    pub(crate) answers: Vec<IpAddr>,
    /// Such as `NOERROR` or `RCODE99`.
    pub(crate) response_code: Arc<str>,
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|pair| u16::from_be_bytes(*pair))
}

impl DnsMessage {
    /// Reads a message. `None`: it is none, or ends within its question. Answers are read as far as the message goes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (id, flags) = (short(bytes, 0)?, short(bytes, 2)?);
        let (questions, answers) = (short(bytes, 4)?, short(bytes, 6)?);
        // Only standard queries (opcode 0): notifications and updates ask nothing.
        if bytes.len() < 12 || flags & 0x7800 != 0 || questions > 1 {
            return None;
        }
        let (mut at, mut name, mut query_type) = (12, None, None);
        if questions == 1 {
            let (text, after) = read_name(bytes, at)?;
            query_type = Some(type_name(short(bytes, after)?));
            name = (!text.is_empty()).then(|| text.into());
            at = after + 4;
        }
        Some(Self {
            id,
            is_response: flags & 0x8000 != 0,
            name,
            query_type,
            answers: read_answers(bytes, at, usize::from(answers).min(ANSWER_CAP)),
            response_code: response_code_name(flags & 0x000f),
        })
    }
}

fn read_answers(bytes: &[u8], mut at: usize, count: usize) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    let mut next = || {
        let (_, after) = read_name(bytes, at)?;
        let (kind, length) = (short(bytes, after)?, usize::from(short(bytes, after + 8)?));
        let data = bytes.get(after + 10..after + 10 + length)?;
        at = after + 10 + length;
        Some((kind, data))
    };
    for _ in 0..count {
        match next() {
            Some((1, data)) => {
                addresses.extend(data.first_chunk::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(*bytes))))
            }
            Some((28, data)) => {
                addresses.extend(data.first_chunk::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(*bytes))));
            }
            Some(_) => {}
            None => break,
        }
    }
    addresses
}

/// A name and the place after it.
fn read_name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut after, mut pointers) = (start, None, 0);
    let mut name: Vec<u8> = Vec::new();
    loop {
        let length = *bytes.get(at)?;
        match length {
            0 => break,
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                // RFC 1035 section 2.3.4: 255 bytes at most.
                if name.len() > 255 {
                    return None;
                }
                at += 1 + usize::from(length);
            }
            0xc0.. => {
                pointers += 1;
                if pointers > POINTER_CAP {
                    return None;
                }
                after.get_or_insert(at + 2);
                at = usize::from(short(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    Some((String::from_utf8_lossy(&name).to_ascii_lowercase(), after.unwrap_or(at + 1)))
}

/// Name of a record type (IANA registry "Resource Record (RR) TYPEs").
pub(crate) fn type_name(number: u16) -> Arc<str> {
    match number {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        35 => "NAPTR",
        43 => "DS",
        48 => "DNSKEY",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "ANY",
        _ => return format!("TYPE{number}").into(),
    }
    .into()
}

/// Name of a response code (IANA registry "DNS RCODEs").
pub(crate) fn response_code_name(number: u16) -> Arc<str> {
    match number {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => return format!("RCODE{number}").into(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response to `A www.example.com`: a CNAME to `example.com` by pointer, then its address.
    fn response() -> Vec<u8> {
        let mut bytes = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        bytes.extend(b"\x03WWW\x07example\x03com\x00\x00\x01\x00\x01");
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 16]);
        bytes.extend([0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        bytes
    }

    #[test]
    fn a_compressed_response_is_read() {
        let message = DnsMessage::parse(&response()).unwrap();
        assert_eq!(message.name.as_deref(), Some("www.example.com"));
        assert_eq!((message.id, message.is_response, message.query_type.as_deref()), (0x1234, true, Some("A")));
        assert_eq!(message.answers, ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(&*message.response_code, "NOERROR");
        let cut = response();
        let message = DnsMessage::parse(&cut[..cut.len() - 2]).unwrap();
        assert!(message.answers.is_empty(), "an answer that is cut is none");
    }

    #[test]
    fn names_that_point_to_themselves_end() {
        let mut bytes = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend([0xc0, 12, 0, 1, 0, 1]);
        assert_eq!(DnsMessage::parse(&bytes), None);
        assert_eq!(DnsMessage::parse(&[0; 11]), None);
    }
}
