//! Captures by hand: headers as their RFCs lay them out, framing as libpcap and the pcapng draft do.

use std::net::{IpAddr, SocketAddr};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// 2026-03-02T06:00:00Z.
pub(crate) const START_S: u64 = 1_772_431_200;

/// An IP packet (version by the addresses), checksums left at zero.
fn ip(from: IpAddr, to: IpAddr, protocol: u8, body: &[u8]) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut packet = vec![0x45, 0];
            packet.extend((20 + body.len() as u16).to_be_bytes());
            packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(body);
            packet
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut packet = vec![0x60, 0, 0, 0];
            packet.extend((body.len() as u16).to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            packet.extend(body);
            packet
        }
        _ => panic!("two versions of IP"),
    }
}

pub(crate) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.port().to_be_bytes());
    body.extend(to.port().to_be_bytes());
    body.extend((8 + payload.len() as u16).to_be_bytes());
    body.extend([0, 0]);
    body.extend(payload);
    ip(from.ip(), to.ip(), 17, &body)
}

pub(crate) fn tcp(from: SocketAddr, to: SocketAddr, numbers: (u32, u32), flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.port().to_be_bytes());
    body.extend(to.port().to_be_bytes());
    body.extend(numbers.0.to_be_bytes());
    body.extend(numbers.1.to_be_bytes());
    body.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    body.extend(payload);
    ip(from.ip(), to.ip(), 6, &body)
}

pub(crate) fn ethernet(packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(if packet[0] >> 4 == 4 { [0x08, 0x00] } else { [0x86, 0xdd] });
    frame.extend(packet);
    frame
}

/// One TCP connection: the numbers of both sides.
pub(crate) struct Talk {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) sent: u32,
    pub(crate) received: u32,
}

impl Talk {
    pub(crate) fn new(client: &str, server: &str) -> Self {
        Self { client: client.parse().unwrap(), server: server.parse().unwrap(), sent: 1000, received: 90_000 }
    }

    /// A segment from the client.
    pub(crate) fn up(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let acknowledgement = if flags & ACK == 0 { 0 } else { self.received };
        let packet = tcp(self.client, self.server, (self.sent, acknowledgement), flags, payload);
        self.sent =
            self.sent.wrapping_add(payload.len() as u32 + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0));
        packet
    }

    /// A segment from the server.
    pub(crate) fn down(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let packet = tcp(self.server, self.client, (self.received, self.sent), flags, payload);
        self.received = self
            .received
            .wrapping_add(payload.len() as u32 + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0));
        packet
    }

    pub(crate) fn open(&mut self) -> Vec<Vec<u8>> {
        vec![self.up(SYN, &[]), self.down(SYN | ACK, &[]), self.up(ACK, &[])]
    }

    /// The client closes first.
    pub(crate) fn close(&mut self) -> Vec<Vec<u8>> {
        vec![self.up(FIN | ACK, &[]), self.down(FIN | ACK, &[]), self.up(ACK, &[])]
    }

    pub(crate) fn ask(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        vec![self.up(PSH | ACK, payload), self.down(ACK, &[])]
    }

    pub(crate) fn answer(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        vec![self.down(PSH | ACK, payload), self.up(ACK, &[])]
    }
}

/// A pcap file of whole packets.
pub(crate) struct Pcap {
    pub(crate) bytes: Vec<u8>,
    pub(crate) snaplen: usize,
    pub(crate) now_us: u64,
}

impl Pcap {
    pub(crate) fn new(link: u32) -> Self {
        let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(262_144_u32.to_le_bytes());
        bytes.extend(link.to_le_bytes());
        Self { bytes, snaplen: 262_144, now_us: START_S * 1_000_000 }
    }

    /// Appends a frame ten milliseconds after the one before.
    pub(crate) fn frame(&mut self, frame: &[u8]) {
        self.now_us += 10_000;
        let kept = &frame[..frame.len().min(self.snaplen)];
        for field in [self.now_us / 1_000_000, self.now_us % 1_000_000, kept.len() as u64, frame.len() as u64] {
            self.bytes.extend((field as u32).to_le_bytes());
        }
        self.bytes.extend(kept);
    }

    pub(crate) fn ethernet(&mut self, packets: &[Vec<u8>]) {
        packets.iter().for_each(|packet| self.frame(&ethernet(packet)));
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now_us += seconds * 1_000_000;
    }
}

/// A pcapng file.
pub(crate) struct Sections {
    pub(crate) bytes: Vec<u8>,
    pub(crate) now_us: u64,
}

pub(crate) fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let mut option = code.to_le_bytes().to_vec();
    option.extend((value.len() as u16).to_le_bytes());
    option.extend(value);
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

impl Sections {
    pub(crate) fn new() -> Self {
        let mut file = Self { bytes: Vec::new(), now_us: START_S * 1_000_000 };
        let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        section.extend([1, 0, 0, 0]);
        section.extend([0xff; 8]);
        file.block(0x0a0d_0d0a, &section);
        file
    }

    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = (body.len() as u32 + 12).to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(&body);
        self.bytes.extend(length);
    }

    /// An interface: link, and further options.
    pub(crate) fn interface(&mut self, link: u16, options: &[Vec<u8>]) {
        let mut body = link.to_le_bytes().to_vec();
        body.extend([0; 2]);
        body.extend(262_144_u32.to_le_bytes());
        options.iter().for_each(|option| body.extend(option));
        self.block(1, &body);
    }

    /// Apple's process information block.
    pub(crate) fn process(&mut self, pid: u32, name: &[u8], uuid: Option<[u8; 16]>) {
        let mut body = pid.to_le_bytes().to_vec();
        body.extend(option(2, name));
        body.extend(uuid.map(|uuid| option(4, &uuid)).unwrap_or_default());
        self.block(0x8000_0001, &body);
    }

    /// An enhanced packet block, ten milliseconds after the one before.
    pub(crate) fn packet(&mut self, frame: &[u8], options: &[Vec<u8>]) {
        self.now_us += 10_000;
        let mut body = 0_u32.to_le_bytes().to_vec();
        body.extend(((self.now_us >> 32) as u32).to_le_bytes());
        body.extend((self.now_us as u32).to_le_bytes());
        body.extend((frame.len() as u32).to_le_bytes());
        body.extend((frame.len() as u32).to_le_bytes());
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        options.iter().for_each(|option| body.extend(option));
        self.block(6, &body);
    }
}

/// Options of a packet: `out` or in, its process, and the one it acts for.
pub(crate) fn marks(out: bool, owner: Option<u32>, effective: Option<u32>) -> Vec<Vec<u8>> {
    let mut marks = Vec::new();
    marks.extend(owner.map(|place| option(0x8001, &place.to_le_bytes())));
    marks.extend(effective.map(|place| option(0x8003, &place.to_le_bytes())));
    marks.push(option(2, &(if out { 2_u32 } else { 1 }).to_le_bytes()));
    marks.push(option(0x8002, &0_u32.to_le_bytes()));
    marks
}

/// A ClientHello (RFC 8446 section 4.1.2) in one record: TLS 1.3, one GREASE and two other ciphers, the name, `h2`.
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let extension = |number: u16, body: &[u8]| {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
        bytes
    };
    let mut server_name = ((name.len() + 3) as u16).to_be_bytes().to_vec();
    server_name.push(0);
    server_name.extend((name.len() as u16).to_be_bytes());
    server_name.extend(name.bytes());
    let extensions = [
        extension(0x1a1a, &[]),
        extension(0, &server_name),
        extension(16, b"\x00\x03\x02h2"),
        extension(43, &[2, 3, 4]),
        extension(13, &[0, 2, 4, 3]),
    ]
    .concat();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, 6, 0x0a, 0x0a, 0x13, 0x02, 0x13, 0x01, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    handshake(1, &body)
}

/// A ServerHello of TLS 1.3, in one record.
pub(crate) fn server_hello(resumed: bool) -> Vec<u8> {
    let mut extensions = vec![0, 43, 0, 2, 3, 4];
    if resumed {
        extensions.extend([0, 41, 0, 2, 0, 0]);
    }
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0x13, 0x01, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    handshake(2, &body)
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    record(22, &message)
}

pub(crate) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// A question for the address of `name` (RFC 1035); with an address, its answer.
pub(crate) fn dns(id: u16, name: &str, answer: Option<[u8; 4]>) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend(if answer.is_some() { [0x81, 0x80] } else { [0x01, 0x00] });
    message.extend([0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    if let Some(address) = answer {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        message.extend(address);
    }
    message
}

/// A pktap header of the first version (156 bytes): out, owner and the process it acts for, before a frame of that link.
pub(crate) fn pktap_1(link: u32, owner: (i32, &str), effective: (i32, &str), uuid: [u8; 16], frame: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 156];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &156_u32.to_le_bytes());
    put(4, &1_u32.to_le_bytes());
    put(8, &link.to_le_bytes());
    put(12, b"en0");
    put(36, &2_u32.to_le_bytes());
    put(40, &2_u32.to_le_bytes());
    put(52, &owner.0.to_le_bytes());
    put(56, owner.1.as_bytes());
    put(84, &effective.0.to_le_bytes());
    put(88, effective.1.as_bytes());
    put(124, &uuid);
    header.extend(frame);
    header
}

/// A pktap header of the second version: 40 bytes, then what its one-byte offsets point to.
pub(crate) fn pktap_2(link: u16, owner: (i32, &str), uuid: [u8; 16], frame: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 40];
    header[1] = 40;
    header[4] = 56;
    header[6..8].copy_from_slice(&link.to_le_bytes());
    header[28..32].copy_from_slice(&owner.0.to_le_bytes());
    header[32..36].copy_from_slice(&(-1_i32).to_le_bytes());
    header[36..40].copy_from_slice(&(0x0008_0000_u32 | 2).to_le_bytes());
    header.extend(uuid);
    header.extend(owner.1.bytes());
    header.push(0);
    header[0] = header.len() as u8;
    header.extend(frame);
    header
}
