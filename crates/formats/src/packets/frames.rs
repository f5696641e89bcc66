//! Frames: the packets of a pcap or pcapng capture, each with its place, its time and what Apple's records say of it.
//!
//! The framing of both files is walked here by hand, so that one bad record costs one record and not the rest of the file,
//! and so that options are cut to their stated length (libraries hand out the padding with the value). Layouts: libpcap's
//! `pcap-savefile(5)`; IETF draft `draft-ietf-opsawg-pcapng`; Apple's blocks as `pcap-ng.h` of Apple's libpcap defines them.

use super::{
    bytes::Order,
    processes::{self, Attribution, Direction, Processes},
};
use crate::Malformed;
use monologue_model::Timestamp;
use std::io::{self, BufRead, Read};

/// Longest block or packet that is read: 16 MiB, as in Wireshark.
const BLOCK_CAP: u32 = 16 << 20;

/// Interfaces of one section; packets of later ones cannot be placed.
const INTERFACE_CAP: usize = 4096;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Apple: a process that later packets of the section name by its place.
const PROCESS_INFORMATION: u32 = 0x8000_0001;

/// One thing found in a capture.
pub(super) enum Frame<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// The capture says that packets were dropped.
    Dropped(Dropped),
}

/// A packet as captured.
pub(super) struct Packet<'a> {
    /// First byte of its record in the file.
    pub(super) offset: u64,
    /// The whole record.
    pub(super) record: &'a [u8],
    /// `None`: the record has no time (simple packet blocks).
    pub(super) time: Option<Timestamp>,
    /// Link type (LINKTYPE_ value).
    pub(super) link: u32,
    /// The captured bytes.
    pub(super) bytes: &'a [u8],
    /// Bytes it had on the wire.
    pub(super) original_length: u32,
    /// What Apple's options say of it.
    pub(super) attribution: Attribution,
}

/// Packets the capture lost, by its own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) packets: u64,
    /// When it was counted. `None` means nobody recorded it.
    pub(super) time: Option<Timestamp>,
}

/// How a file is framed.
enum Framing {
    /// Nothing was read yet.
    Unknown,
    /// pcap.
    Classic { order: Order, nanoseconds: bool, link: u32, header: usize },
    /// pcapng: byte order of the current section.
    Sections { order: Order },
    /// The end, or a place after which nothing can be found.
    Ended,
}

/// Time and link of one interface of a section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u32,
    /// Ticks in a second.
    resolution: u64,
    /// Seconds to add.
    offset_s: i64,
}

/// Walks a capture.
pub(super) struct Frames<'a> {
    reader: Box<dyn BufRead + 'a>,
    offset: u64,
    framing: Framing,
    block: Vec<u8>,
    interfaces: Vec<Interface>,
    processes: Processes,
    /// Drops counted so far on each interface: the counters are cumulative.
    dropped: Vec<u64>,
    /// The file ends in the middle of a record, or framing was lost.
    pub(super) truncated: bool,
    waiting: Option<Dropped>,
}

/// Whether a file begins as a capture does.
pub(crate) fn is_capture(head: &[u8]) -> bool {
    classic_header(head).is_some() || sections_header(head).is_some()
}

/// Whether the beginning of a capture names processes: in blocks of their own, or in a header before each packet.
pub(super) fn names_processes(head: &[u8]) -> bool {
    let mut frames = Frames::new(Box::new(head));
    loop {
        match frames.next_frame() {
            Some(Ok(Frame::Packet(packet))) if processes::is_pktap(packet.link) => return true,
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return !frames.processes.is_empty(),
        }
        if !frames.processes.is_empty() {
            return true;
        }
    }
}

/// Byte order, nanoseconds, and bytes of each packet's header, by the magic number.
fn classic_header(head: &[u8]) -> Option<(Order, bool, usize)> {
    Some(match Order::Big.u32(head, 0)? {
        0xa1b2_c3d4 => (Order::Big, false, 16),
        0xd4c3_b2a1 => (Order::Little, false, 16),
        0xa1b2_3c4d => (Order::Big, true, 16),
        0x4d3c_b2a1 => (Order::Little, true, 16),
        // Kuznetzov's variant: eight more bytes in each packet's header.
        0xa1b2_cd34 => (Order::Big, false, 24),
        0x34cd_b2a1 => (Order::Little, false, 24),
        _ => return None,
    })
}

fn sections_header(head: &[u8]) -> Option<Order> {
    (Order::Big.u32(head, 0)? == SECTION_HEADER).then_some(())?;
    match Order::Big.u32(head, 8)? {
        0x1a2b_3c4d => Some(Order::Big),
        0x4d3c_2b1a => Some(Order::Little),
        _ => None,
    }
}

impl<'a> Frames<'a> {
    pub(super) fn new(reader: Box<dyn BufRead + 'a>) -> Self {
        Self {
            reader,
            offset: 0,
            framing: Framing::Unknown,
            block: Vec::new(),
            interfaces: Vec::new(),
            processes: Processes::default(),
            dropped: Vec::new(),
            truncated: false,
            waiting: None,
        }
    }

    /// The next frame; `None` at the end.
    pub(super) fn next_frame(&mut self) -> Option<Result<Frame<'_>, Malformed>> {
        if let Some(dropped) = self.waiting.take() {
            return Some(Ok(Frame::Dropped(dropped)));
        }
        loop {
            let step = match self.framing {
                Framing::Unknown => self.begin(),
                Framing::Classic { order, nanoseconds, link, header } => {
                    return self.classic_packet(order, nanoseconds, link, header);
                }
                Framing::Sections { order } => self.block(order),
                Framing::Ended => return None,
            };
            match step {
                Ok(Step::Nothing) => {}
                Ok(Step::Dropped(dropped)) => return Some(Ok(Frame::Dropped(dropped))),
                Ok(Step::Packet(kind, order)) => return Some(self.packet_of_block(kind, order)),
                Err(malformed) => return Some(Err(malformed)),
            }
        }
    }

    /// Reads `length` bytes behind what the block holds already. `false`: the file ends before.
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        let taken = self.reader.by_ref().take(length as u64).read_to_end(&mut self.block)?;
        self.offset += taken as u64;
        Ok(taken == length)
    }

    fn start_of_block(&self) -> u64 {
        self.offset.saturating_sub(self.block.len() as u64)
    }

    fn malformed(&self, expected: impl Into<String>) -> Malformed {
        Malformed { offset: self.start_of_block(), length: self.block.len() as u64, expected: expected.into() }
    }

    /// Ends reading: what follows cannot be found.
    fn lost(&mut self, expected: impl Into<String>) -> Malformed {
        self.framing = Framing::Ended;
        self.truncated = true;
        self.malformed(expected)
    }

    /// Reads bytes that must be there, or says that the file is cut.
    fn need(&mut self, length: usize, what: &str) -> Result<(), Malformed> {
        match self.fill(length) {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(self.lost(format!("{what} of {length} bytes, but the file ends; hint: the capture was cut")))
            }
            Err(error) => Err(self.lost(format!("more to read: {error}"))),
        }
    }

    /// Whether nothing follows.
    fn at_end(&mut self) -> bool {
        matches!(self.reader.fill_buf(), Ok(buffer) if buffer.is_empty())
    }

    fn begin(&mut self) -> Result<Step, Malformed> {
        self.block.clear();
        self.need(12, "a file header")?;
        if let Some(order) = sections_header(&self.block) {
            self.framing = Framing::Sections { order };
            return self.rest_of_block(SECTION_HEADER, order);
        }
        let Some((order, nanoseconds, header)) = classic_header(&self.block) else {
            return Err(self.lost("the magic number of a pcap or pcapng file"));
        };
        self.need(12, "the rest of a pcap header")?;
        // The upper bits tell of frame check sequences.
        let link = order.u32(&self.block, 20).unwrap_or(0) & 0x0fff_ffff;
        self.framing = Framing::Classic { order, nanoseconds, link, header };
        Ok(Step::Nothing)
    }

    fn classic_packet(
        &mut self,
        order: Order,
        nanoseconds: bool,
        link: u32,
        header: usize,
    ) -> Option<Result<Frame<'_>, Malformed>> {
        if self.at_end() {
            self.framing = Framing::Ended;
            return None;
        }
        self.block.clear();
        if let Err(malformed) = self.need(header, "a packet header") {
            return Some(Err(malformed));
        }
        let field = |at| order.u32(&self.block, at).unwrap_or(0);
        let (seconds, fraction, captured, original_length) = (field(0), field(4), field(8), field(12));
        if captured > BLOCK_CAP {
            return Some(Err(self.lost(format!("a packet of at most {BLOCK_CAP} bytes, found {captured}"))));
        }
        if let Err(malformed) = self.need(captured as usize, "a packet") {
            return Some(Err(malformed));
        }
        let fraction = i64::from(fraction) * if nanoseconds { 1 } else { 1000 };
        let time = Timestamp::from_seconds(i64::from(seconds)).map(|time| time.saturating_add(fraction));
        Some(Ok(Frame::Packet(Packet {
            offset: self.start_of_block(),
            time,
            link,
            bytes: self.block.get(header..).unwrap_or_default(),
            original_length,
            attribution: Attribution::default(),
            record: &self.block,
        })))
    }

    /// Reads one pcapng block.
    fn block(&mut self, order: Order) -> Result<Step, Malformed> {
        if self.at_end() {
            self.framing = Framing::Ended;
            return Ok(Step::Nothing);
        }
        self.block.clear();
        self.need(12, "a block")?;
        let kind = order.u32(&self.block, 0).unwrap_or(0);
        let order = if kind == SECTION_HEADER {
            let Some(order) = sections_header(&self.block) else {
                return Err(self.lost("the byte-order magic of a section"));
            };
            self.framing = Framing::Sections { order };
            order
        } else {
            order
        };
        self.rest_of_block(kind, order)
    }

    /// Reads what follows the first twelve bytes of a block, and takes in what it says.
    fn rest_of_block(&mut self, kind: u32, order: Order) -> Result<Step, Malformed> {
        let length = order.u32(&self.block, 4).unwrap_or(0);
        if !(12..=BLOCK_CAP).contains(&length) {
            return Err(self.lost(format!("a block of 12 to {BLOCK_CAP} bytes, found {length}")));
        }
        // Lengths are multiples of four; writers that forget it pad all the same.
        self.need(length.next_multiple_of(4) as usize - 12, "the rest of a block")?;
        let trailer = order.u32(&self.block, self.block.len().saturating_sub(4));
        if trailer != Some(length) {
            return Err(self.malformed(format!("a block that ends with its length {length}, found {trailer:?}")));
        }
        match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                self.dropped.clear();
                self.processes = Processes::default();
            }
            INTERFACE_DESCRIPTION => {
                let Some(interface) = Interface::parse(&self.block, order) else {
                    return Err(self.malformed("an interface description"));
                };
                if self.interfaces.len() < INTERFACE_CAP {
                    self.interfaces.push(interface);
                    self.dropped.push(0);
                }
            }
            INTERFACE_STATISTICS => return Ok(self.statistics(order).map_or(Step::Nothing, Step::Dropped)),
            PROCESS_INFORMATION => {
                let pid = order.u32(&self.block, 8);
                let Some(pid) = pid else { return Err(self.malformed("a process information block with a pid")) };
                self.processes.add(pid.cast_signed(), options(body_of(&self.block, 12), order));
            }
            PACKET | SIMPLE_PACKET | ENHANCED_PACKET => return Ok(Step::Packet(kind, order)),
            _ => {}
        }
        Ok(Step::Nothing)
    }

    /// The packets dropped since the last statistics of the interface. Counters: 5 by the interface, 7 by the system.
    fn statistics(&mut self, order: Order) -> Option<Dropped> {
        let interface = order.u32(&self.block, 8)? as usize;
        let time = self.interfaces.get(interface).and_then(|known| known.time(&self.block, order, 12));
        let mut total = 0_u64;
        for (code, value) in options(body_of(&self.block, 20), order) {
            if matches!(code, 5 | 7) {
                total = total.saturating_add(order.u64(value, 0).unwrap_or(0));
            }
        }
        let before = self.dropped.get_mut(interface)?;
        let packets = total.saturating_sub(*before);
        *before = total.max(*before);
        (packets > 0).then_some(Dropped { packets, time })
    }

    fn packet_of_block(&mut self, kind: u32, order: Order) -> Result<Frame<'_>, Malformed> {
        let short = "a whole packet block";
        let field = |at| order.u32(&self.block, at);
        if kind == SIMPLE_PACKET {
            let (Some(original_length), Some(interface)) = (field(8), self.interfaces.first()) else {
                return Err(self.malformed("a simple packet block after an interface description"));
            };
            let body = body_of(&self.block, 12);
            return Ok(Frame::Packet(Packet {
                offset: self.start_of_block(),
                record: &self.block,
                time: None,
                link: interface.link,
                bytes: body.get(..original_length as usize).unwrap_or(body),
                original_length,
                attribution: Attribution::default(),
            }));
        }
        // The obsolete packet block has two halves where the enhanced one has the interface.
        let place = if kind == PACKET { order.u16(&self.block, 8).map(u32::from) } else { field(8) };
        let (Some(place), Some(captured), Some(original_length)) = (place, field(20), field(24)) else {
            return Err(self.malformed(short));
        };
        let Some(interface) = self.interfaces.get(place as usize) else {
            return Err(self.malformed(format!("a packet of a described interface, found interface {place}")));
        };
        let body = body_of(&self.block, 28);
        let Some(bytes) = body.get(..captured as usize) else { return Err(self.malformed(short)) };
        let rest = body.get((captured as usize).next_multiple_of(4)..).unwrap_or_default();
        let time = interface.time(&self.block, order, 12);
        let mut attribution = Attribution::default();
        let mut dropped = if kind == PACKET { order.u16(&self.block, 10).map_or(0, u64::from) } else { 0 };
        if dropped == 0xffff {
            dropped = 0;
        }
        for (code, value) in options(rest, order) {
            match code {
                2 => attribution.direction = Direction::of_flags(order.u32(value, 0).unwrap_or(0)),
                4 if kind == ENHANCED_PACKET => dropped = order.u64(value, 0).unwrap_or(0),
                0x8001 => attribution.owner = self.processes.get(order.u32(value, 0)),
                0x8003 => attribution.effective = self.processes.get(order.u32(value, 0)),
                _ => {}
            }
        }
        if dropped > 0 {
            self.waiting = Some(Dropped { packets: dropped, time });
        }
        Ok(Frame::Packet(Packet {
            offset: self.start_of_block(),
            record: &self.block,
            time,
            link: interface.link,
            bytes,
            original_length,
            attribution,
        }))
    }
}

/// The block from `at` to its trailing length.
fn body_of(block: &[u8], at: usize) -> &[u8] {
    block.get(at..block.len().saturating_sub(4)).unwrap_or_default()
}

enum Step {
    Nothing,
    Dropped(Dropped),
    Packet(u32, Order),
}

impl Interface {
    fn parse(block: &[u8], order: Order) -> Option<Self> {
        let link = u32::from(order.u16(block, 8)?);
        let mut interface = Self { link, resolution: 1_000_000, offset_s: 0 };
        let body = block.get(16..block.len().saturating_sub(4)).unwrap_or_default();
        for (code, value) in options(body, order) {
            match (code, value.first()) {
                (9, Some(exponent)) => {
                    let power = u32::from(exponent & 0x7f);
                    let base: u64 = if exponent & 0x80 == 0 { 10 } else { 2 };
                    // A resolution beyond 64 bits is no clock.
                    interface.resolution = base.checked_pow(power)?;
                }
                (14, _) => interface.offset_s = order.u64(value, 0).unwrap_or(0).cast_signed(),
                _ => {}
            }
        }
        Some(interface)
    }

    /// The time in two halves at `at`, the upper first.
    fn time(&self, block: &[u8], order: Order, at: usize) -> Option<Timestamp> {
        let ticks = u64::from(order.u32(block, at)?) << 32 | u64::from(order.u32(block, at + 4)?);
        let nanoseconds = i128::from(ticks) * 1_000_000_000 / i128::from(self.resolution.max(1))
            + i128::from(self.offset_s) * 1_000_000_000;
        i64::try_from(nanoseconds).ok().map(Timestamp::from_nanoseconds)
    }
}

/// Codes and values of options, each cut to its stated length.
pub(super) fn options(body: &[u8], order: Order) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let (code, length) = (order.u16(rest, 0)?, usize::from(order.u16(rest, 2)?));
        if code == 0 {
            return None;
        }
        let value = rest.get(4..4 + length)?;
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}
