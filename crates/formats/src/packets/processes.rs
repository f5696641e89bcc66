//! Whose packet it is: Apple's process blocks, packet options and pktap headers.
//!
//! Layouts: `pcap-ng.h` and `pktap.h` of Apple's libpcap and XNU. Of the flags 0x1 and 0x2 of a pktap header XNU's comments
//! are swapped; Apple's tcpdump prints 0x1 as "in".

use super::bytes::{Order, text};
use monologue_model::{ProcessImage, ProcessKey};
use std::sync::Arc;

/// Process blocks of one section that are kept.
const PROCESS_CAP: usize = 65_536;

/// Which way a packet went, seen from the capturing host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Direction {
    #[default]
    Unknown,
    In,
    Out,
}

impl Direction {
    /// From `epb_flags`, and from the flags of a pktap header: bit 0 in, bit 1 out.
    pub(super) const fn of_flags(flags: u32) -> Self {
        match flags & 3 {
            1 => Self::In,
            2 => Self::Out,
            _ => Self::Unknown,
        }
    }
}

/// What a capture says of a packet's process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attribution {
    /// The process that owns the socket. `None` means nobody recorded it.
    pub(super) owner: Option<Arc<ProcessImage>>,
    /// The process on whose behalf the owner acts. `None` means nobody recorded one.
    pub(super) effective: Option<Arc<ProcessImage>>,
    /// Which way it went.
    pub(super) direction: Direction,
}

/// The process blocks of one section, by their place.
#[derive(Debug, Default)]
pub(super) struct Processes {
    blocks: Vec<Arc<ProcessImage>>,
}

impl Processes {
    /// Takes in a process block: options 2 (name) and 4 (`LC_UUID` of the main executable).
    pub(super) fn add<'o>(&mut self, pid: i32, options: impl Iterator<Item = (u16, &'o [u8])>) {
        if self.blocks.len() >= PROCESS_CAP {
            return;
        }
        let (mut name, mut uuid) = (None, None);
        for (code, value) in options {
            match code {
                // Old writers count the NUL.
                2 => name = text(value),
                4 => uuid = code_uuid(value),
                _ => {}
            }
        }
        self.blocks.push(image(pid, name, uuid));
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The process at that place. A process named only as the effective one has a block of its own, without its build: a
    /// block of the same pid and name tells it.
    pub(super) fn get(&self, place: Option<u32>) -> Option<Arc<ProcessImage>> {
        let found = self.blocks.get(place? as usize)?;
        if found.code_uuid.is_some() {
            return Some(found.clone());
        }
        let same = |other: &&Arc<ProcessImage>| {
            other.code_uuid.is_some() && other.key.pid == found.key.pid && other.path == found.path
        };
        Some(self.blocks.iter().rev().find(same).unwrap_or(found).clone())
    }
}

/// A process of which a capture knows pid, name and build. The name stands in for the path: a bare name, cut to 15 or 16
/// bytes by the kernel.
fn image(pid: i32, name: Option<String>, code_uuid: Option<String>) -> Arc<ProcessImage> {
    Arc::new(ProcessImage {
        key: ProcessKey { pid: u32::try_from(pid).ok(), ..ProcessKey::default() },
        path: name.map(Into::into),
        code_uuid: code_uuid.map(Into::into),
        ..ProcessImage::default()
    })
}

/// `None` where the field is missing or all zero: no build was recorded.
fn code_uuid(field: &[u8]) -> Option<String> {
    let field = field.first_chunk::<16>()?;
    field.iter().any(|byte| *byte != 0).then(|| field.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// A packet with its pktap header taken off.
pub(super) struct Peeled<'a> {
    /// Link type of what follows (a DLT_ value of macOS).
    pub(super) link: u32,
    /// What follows the header.
    pub(super) bytes: &'a [u8],
    /// Bytes of the header.
    pub(super) header_length: u32,
    /// What the header says.
    pub(super) attribution: Attribution,
}

/// Shortest first-version header: up to the effective command.
const VERSION_1_MINIMUM: usize = 108;

/// `PTH_FLAG_V2_HDR`: the flags stand at the same place in both versions.
const VERSION_2: u32 = 0x0008_0000;

/// Whether packets of that link type begin with a pktap header: LINKTYPE_PKTAP, or 149 (DLT_USER2) as macOS writes it.
pub(super) const fn is_pktap(link: u32) -> bool {
    matches!(link, 149 | 258)
}

/// Takes off a pktap header. Its fields are little-endian on every Mac that writes one today.
///
/// # Errors
/// What was expected in which field.
pub(super) fn peel(bytes: &[u8]) -> Result<Peeled<'_>, String> {
    let order = Order::Little;
    let flags = order.u32(bytes, 36).ok_or("a pktap header of at least 40 bytes")?;
    if flags & VERSION_2 == 0 { version_1(bytes, order, flags) } else { version_2(bytes, order, flags) }
}

fn version_1(bytes: &[u8], order: Order, flags: u32) -> Result<Peeled<'_>, String> {
    let length = order.u32(bytes, 0).unwrap_or(0) as usize;
    let header = bytes.get(..length).filter(|header| header.len() >= VERSION_1_MINIMUM).ok_or_else(|| {
        format!("a pktap header of {VERSION_1_MINIMUM} bytes or more within the packet, found {length}")
    })?;
    if order.u32(header, 4) != Some(1) {
        return Err("a pktap header that a packet follows".to_owned());
    }
    let uuid = |at: usize| header.get(at..at + 16).and_then(code_uuid);
    let process = |pid_at, name_at: usize, uuid| {
        process(order.u32(header, pid_at), header.get(name_at..name_at + 17).and_then(text), uuid)
    };
    Ok(Peeled {
        link: order.u32(header, 8).unwrap_or(0),
        bytes: bytes.get(length..).unwrap_or_default(),
        header_length: u32::try_from(length).unwrap_or(u32::MAX),
        attribution: Attribution {
            owner: process(52, 56, uuid(124)),
            effective: process(84, 88, uuid(140)),
            direction: Direction::of_flags(flags),
        },
    })
}

fn version_2(bytes: &[u8], order: Order, flags: u32) -> Result<Peeled<'_>, String> {
    let length = usize::from(bytes.first().copied().unwrap_or(0));
    let header = bytes
        .get(..length)
        .filter(|header| header.len() >= 40)
        .ok_or_else(|| format!("a pktap header of 40 bytes or more within the packet, found {length}"))?;
    // Offsets of what may be there; 0 means it is not.
    let part = |at: usize, longest: usize| {
        let start = usize::from(header.get(at).copied().filter(|offset| *offset >= 40)?);
        let rest = header.get(start..)?;
        Some(rest.get(..longest).unwrap_or(rest))
    };
    let name = |at| part(at, 17).and_then(text);
    let uuid = |at| part(at, 16).and_then(code_uuid);
    Ok(Peeled {
        link: u32::from(order.u16(header, 6).unwrap_or(0)),
        bytes: bytes.get(length..).unwrap_or_default(),
        header_length: u32::try_from(length).unwrap_or(u32::MAX),
        attribution: Attribution {
            owner: process(order.u32(header, 28), name(4), uuid(1)),
            effective: process(order.u32(header, 32), name(5), uuid(2)),
            direction: Direction::of_flags(flags),
        },
    })
}

/// `None` for the pid -1 (nobody), and for pid 0 without a name (not filled in).
fn process(pid: Option<u32>, name: Option<String>, uuid: Option<String>) -> Option<Arc<ProcessImage>> {
    let pid = pid?.cast_signed();
    (pid > 0 || pid == 0 && name.is_some()).then(|| image(pid, name, uuid))
}
