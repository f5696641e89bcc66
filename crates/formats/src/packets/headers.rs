//! Headers: from a frame to a TCP segment or UDP datagram, with the payload length it had on the wire.
//!
//! A capture may keep only the beginning of each packet. Lengths are therefore taken from the headers, never from what was
//! captured; that is why no header library is used here: those that bear cut packets shorten the lengths with them.
//! Layouts: IEEE 802.3 and 802.1Q, RFC 791, 8200, 9293, 768; link types as in libpcap's list (LINKTYPE_).

use super::bytes::{be16, be32};
use monologue_model::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// VLAN tags, MPLS labels and IPv6 extension headers passed over in one packet.
const NESTING_CAP: usize = 8;

/// One TCP segment or UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) transport: Transport,
    /// Payload bytes on the wire.
    pub(super) payload_length: u32,
    /// Payload bytes captured, from the first; fewer than `payload_length` where the capture cut the packet.
    pub(super) payload: &'a [u8],
    /// What only TCP has.
    pub(super) tcp: Option<Tcp>,
}

/// Fields of a TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tcp {
    pub(super) sequence: u32,
    pub(super) acknowledgement: u32,
    pub(super) flags: u8,
    pub(super) window: u16,
}

impl Tcp {
    pub(super) const FIN: u8 = 1;
    pub(super) const SYN: u8 = 2;
    pub(super) const RST: u8 = 4;
    pub(super) const ACK: u8 = 16;

    pub(super) const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl Segment<'_> {
    /// Whether the capture kept less than there was.
    pub(super) const fn is_cut(&self) -> bool {
        (self.payload.len() as u64) < self.payload_length as u64
    }
}

/// Why a frame is no segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// It is understood, and of no use here.
    Skipped(&'static str),
    /// It could not be read: what was expected.
    Malformed(String),
}

const NOT_IP: Passed = Passed::Skipped("a packet that is not IP");

fn cut(what: &str) -> Passed {
    Passed::Malformed(format!("{what}, but the packet ends before; hint: capture whole packets (snaplen 0)"))
}

/// Decodes a frame of that link type, which had `original_length` bytes on the wire.
pub(super) fn decode(link: u32, frame: &[u8], original_length: u32) -> Result<Segment<'_>, Passed> {
    let (ether_type, at) = match link {
        1 => ethernet(frame)?,
        // Cooked: version 1 has the type at 14 of 16 bytes, version 2 at 0 of 20.
        113 => (be16(frame, 14).ok_or_else(|| cut("a cooked header"))?, 16),
        276 => (be16(frame, 0).ok_or_else(|| cut("a cooked header"))?, 20),
        // NULL and LOOP: four bytes of address family, whose values differ between systems; the IP version tells as much.
        0 | 108 => (0, 4),
        // Raw IP, by several numbers.
        12 | 14 | 101 | 228 | 229 => (0, 0),
        9 | 50 => point_to_point(frame)?,
        _ => return Err(Passed::Skipped("a packet of a link type that is not read")),
    };
    let (ether_type, at) = inner(frame, ether_type, at)?;
    let packet = frame.get(at..).unwrap_or_default();
    let original_length = original_length.saturating_sub(u32::try_from(at).unwrap_or(u32::MAX));
    let version = packet.first().map(|first| first >> 4);
    match (ether_type, version) {
        (0 | 0x0800, Some(4)) => version_4(packet, original_length),
        (0 | 0x86dd, Some(6)) => version_6(packet, original_length),
        (0 | 0x0800 | 0x86dd, None) => Err(cut("an IP header")),
        _ => Err(NOT_IP),
    }
}

fn ethernet(frame: &[u8]) -> Result<(u16, usize), Passed> {
    let ether_type = be16(frame, 12).ok_or_else(|| cut("an Ethernet header"))?;
    // Below 1536 it is a length (IEEE 802.3): spanning tree and the like.
    if ether_type < 0x0600 { Err(NOT_IP) } else { Ok((ether_type, 14)) }
}

fn point_to_point(frame: &[u8]) -> Result<(u16, usize), Passed> {
    let at = if frame.starts_with(&[0xff, 0x03]) { 2 } else { 0 };
    match be16(frame, at) {
        Some(0x0021) => Ok((0x0800, at + 2)),
        Some(0x0057) => Ok((0x86dd, at + 2)),
        Some(_) => Err(NOT_IP),
        None => Err(cut("a PPP header")),
    }
}

/// Passes over VLAN tags, PPPoE and MPLS labels.
fn inner(frame: &[u8], mut ether_type: u16, mut at: usize) -> Result<(u16, usize), Passed> {
    for _ in 0..NESTING_CAP {
        match ether_type {
            0x8100 | 0x88a8 | 0x9100 => {
                ether_type = be16(frame, at + 2).ok_or_else(|| cut("a VLAN tag"))?;
                at += 4;
            }
            0x8864 => {
                ether_type = match be16(frame, at + 6) {
                    Some(0x0021) => 0x0800,
                    Some(0x0057) => 0x86dd,
                    Some(_) => return Err(NOT_IP),
                    None => return Err(cut("a PPPoE header")),
                };
                at += 8;
            }
            0x8847 => {
                let label = be32(frame, at).ok_or_else(|| cut("an MPLS label"))?;
                at += 4;
                if label & 0x100 != 0 {
                    ether_type = 0;
                }
            }
            _ => break,
        }
    }
    Ok((ether_type, at))
}

fn version_4(packet: &[u8], original_length: u32) -> Result<Segment<'_>, Passed> {
    let short = || cut("an IPv4 header");
    let header_length = usize::from(packet.first().ok_or_else(short)? & 0x0f) * 4;
    if header_length < 20 {
        return Err(Passed::Malformed(format!("an IPv4 header of 20 bytes or more, found {header_length}")));
    }
    let total = u32::from(be16(packet, 2).ok_or_else(short)?);
    let fragment = be16(packet, 6).ok_or_else(short)?;
    let protocol = *packet.get(9).ok_or_else(short)?;
    let address = |at| be32(packet, at).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))).ok_or_else(short);
    let (source, destination) = (address(12)?, address(16)?);
    // Zero is written where the network card cuts the packet into several (segmentation offload).
    let total = if total == 0 { original_length } else { total };
    let length = total
        .checked_sub(header_length as u32)
        .ok_or_else(|| Passed::Malformed(format!("an IPv4 packet of {header_length} bytes or more, found {total}")))?;
    if fragment & 0x1fff != 0 {
        return Err(LATER_FRAGMENT);
    }
    let body = packet.get(header_length..).unwrap_or_default();
    let fragmented = fragment & 0x2000 != 0;
    transport(Addressed { source, destination, protocol, length, fragmented }, within(body, length))
}

const LATER_FRAGMENT: Passed = Passed::Skipped("a fragment: the first one tells the length of all");

fn version_6(packet: &[u8], original_length: u32) -> Result<Segment<'_>, Passed> {
    let short = || cut("an IPv6 header");
    let length = u32::from(be16(packet, 4).ok_or_else(short)?);
    let mut protocol = *packet.get(6).ok_or_else(short)?;
    let address = |at: usize| {
        let bytes = packet.get(at..).and_then(|rest| rest.first_chunk::<16>()).ok_or_else(short)?;
        Ok(IpAddr::V6(Ipv6Addr::from(*bytes)))
    };
    let (source, destination) = (address(8)?, address(24)?);
    // Zero: a jumbo payload, or segmentation offload.
    let length = if length == 0 { original_length.saturating_sub(40) } else { length };
    let body = within(packet.get(40..).unwrap_or_default(), length);
    let mut at = 0_usize;
    let mut fragmented = false;
    for _ in 0..NESTING_CAP {
        let next = body.get(at).copied();
        let size = body.get(at + 1).map(|size| usize::from(*size));
        let step = match (protocol, size) {
            (0 | 43 | 60 | 135, Some(size)) => (size + 1) * 8,
            (51, Some(size)) => (size + 2) * 4,
            (44, Some(_)) => {
                let offset = be16(body, at + 2).ok_or_else(short)?;
                if offset & 0xfff8 != 0 {
                    return Err(LATER_FRAGMENT);
                }
                fragmented = offset & 1 != 0;
                8
            }
            (0 | 43 | 44 | 51 | 60 | 135, None) => return Err(cut("an IPv6 extension header")),
            _ => break,
        };
        protocol = next.ok_or_else(short)?;
        at += step;
    }
    let length = length.saturating_sub(u32::try_from(at).unwrap_or(u32::MAX));
    let body = body.get(at..).unwrap_or_default();
    transport(Addressed { source, destination, protocol, length, fragmented }, body)
}

/// At most `length` bytes: what follows is padding of the link.
fn within(body: &[u8], length: u32) -> &[u8] {
    body.get(..length as usize).unwrap_or(body)
}

/// What IP says of its payload.
struct Addressed {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Bytes after the IP header.
    length: u32,
    /// More fragments follow.
    fragmented: bool,
}

fn transport(ip: Addressed, body: &[u8]) -> Result<Segment<'_>, Passed> {
    let segment = |source, destination, transport, header: u32, payload_length, tcp| Segment {
        source: SocketAddr::new(ip.source, source),
        destination: SocketAddr::new(ip.destination, destination),
        transport,
        payload_length,
        payload: body.get(header as usize..).unwrap_or_default(),
        tcp,
    };
    match ip.protocol {
        6 => {
            let short = || cut("a TCP header");
            let tcp = Tcp {
                sequence: be32(body, 4).ok_or_else(short)?,
                acknowledgement: be32(body, 8).ok_or_else(short)?,
                flags: *body.get(13).ok_or_else(short)?,
                window: be16(body, 14).ok_or_else(short)?,
            };
            let header = u32::from(body.get(12).ok_or_else(short)? >> 4) * 4;
            let payload_length = ip.length.checked_sub(header).filter(|_| header >= 20).ok_or_else(|| {
                Passed::Malformed(format!("a TCP header of 20 to {} bytes, found {header}", ip.length))
            })?;
            let (source, destination) = (be16(body, 0).ok_or_else(short)?, be16(body, 2).ok_or_else(short)?);
            Ok(segment(source, destination, Transport::Tcp, header, payload_length, Some(tcp)))
        }
        17 => {
            let short = || cut("a UDP header");
            let (source, destination) = (be16(body, 0).ok_or_else(short)?, be16(body, 2).ok_or_else(short)?);
            let stated = u32::from(be16(body, 4).ok_or_else(short)?);
            // Of a fragmented datagram the first part states the length of all. Else IP's length bounds it.
            let whole = ip.length.saturating_sub(8);
            let payload_length = match stated.checked_sub(8) {
                Some(length) if ip.fragmented || length <= whole => length,
                _ => whole,
            };
            let mut found = segment(source, destination, Transport::Udp, 8, payload_length, None);
            found.payload = within(found.payload, payload_length);
            Ok(found)
        }
        1 | 58 => Err(Passed::Skipped("ICMP: never an exchange")),
        _ => Err(Passed::Skipped("an IP packet that is neither TCP nor UDP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 header (RFC 791): 20 bytes, given total length, flags and offset, protocol, 10.0.0.1 to 192.0.2.1.
    fn ip(total: u16, fragment: u16, protocol: u8) -> Vec<u8> {
        let mut header = vec![0x45, 0];
        header.extend(total.to_be_bytes());
        header.extend([0, 1]);
        header.extend(fragment.to_be_bytes());
        header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 192, 0, 2, 1]);
        header
    }

    fn udp(length: u16, payload: &[u8]) -> Vec<u8> {
        let mut datagram = vec![0x30, 0x39, 0, 53];
        datagram.extend(length.to_be_bytes());
        datagram.extend([0, 0]);
        datagram.extend(payload);
        datagram
    }

    fn raw(parts: &[Vec<u8>]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn a_cut_packet_keeps_the_length_it_had() {
        let packet = raw(&[ip(20 + 8 + 500, 0, 17), udp(508, &[7; 4])]);
        let segment = decode(101, &packet, 528).unwrap();
        assert_eq!((segment.payload_length, segment.payload, segment.is_cut()), (500, &[7; 4][..], true));
        assert_eq!(segment.source.to_string(), "10.0.0.1:12345");
        assert_eq!(segment.destination.to_string(), "192.0.2.1:53");
        assert!(matches!(decode(101, &packet[..22], 528), Err(Passed::Malformed(_))), "no ports, no flow");
    }

    #[test]
    fn padding_of_the_link_is_no_payload() {
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend(raw(&[ip(20 + 8 + 2, 0, 17), udp(10, &[1, 2])]));
        frame.resize(60, 0);
        let segment = decode(1, &frame, 60).unwrap();
        assert_eq!((segment.payload_length, segment.payload), (2, &[1, 2][..]));
    }

    #[test]
    fn the_first_fragment_counts_the_whole_datagram_and_later_ones_nothing() {
        let first = raw(&[ip(20 + 8 + 16, 0x2000, 17), udp(8 + 3000, &[5; 16])]);
        assert_eq!(decode(101, &first, 44).unwrap().payload_length, 3000);
        let later = raw(&[ip(20 + 16, 3, 17), vec![5; 16]]);
        assert_eq!(decode(101, &later, 36), Err(LATER_FRAGMENT));
    }

    #[test]
    fn tags_labels_and_extension_headers_are_passed_over() {
        let packet = raw(&[ip(30, 0, 17), udp(10, &[1, 2])]);
        let mut tagged = vec![0; 12];
        tagged.extend([0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 0x08, 0x00]);
        tagged.extend(&packet);
        assert_eq!(decode(1, &tagged, tagged.len() as u32).unwrap().payload, [1, 2]);
        let mut labelled = vec![0; 12];
        labelled.extend([0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64]);
        labelled.extend(&packet);
        assert_eq!(decode(1, &labelled, labelled.len() as u32).unwrap().payload, [1, 2]);
        // IPv6 (RFC 8200): payload length 8 + 10, a hop-by-hop header of 8 bytes, then UDP.
        let mut six = vec![0x60, 0, 0, 0, 0, 18, 0, 64];
        six.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        six.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        six.extend([17, 0, 1, 4, 0, 0, 0, 0]);
        six.extend(udp(10, &[3, 4]));
        let looped = [&[30, 0, 0, 0], &six[..]].concat();
        let segment = decode(0, &looped, 62).unwrap();
        assert_eq!((segment.payload_length, segment.payload), (2, &[3, 4][..]));
        assert_eq!(segment.destination.to_string(), "[2001:db8::2]:53");
    }

    #[test]
    fn a_length_of_zero_means_that_the_card_cut_it() {
        let mut tcp = vec![0xc0, 0, 1, 0xbb];
        tcp.extend([0, 0, 0, 9, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
        tcp.extend([6; 3000]);
        let packet = raw(&[ip(0, 0, 6), tcp]);
        let segment = decode(12, &packet, packet.len() as u32).unwrap();
        assert_eq!((segment.payload_length, segment.tcp.unwrap().sequence), (3000, 9));
    }
}
