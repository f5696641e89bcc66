//! Trace points: the records within a chunk, and whose code wrote each, before any text is put together.
//!
//! Layout: dtformats, "Firehose chunk" and "Firehose tracepoint".

use super::{
    catalog::Process,
    chunks::{PREAMBLE, u16_at, u32_at, u64_at, uuid_at},
    strings::Strings,
};
use crate::unified_log::records::Sender;
use std::ops::Range;

/// Bytes of a trace point before its data.
const POINT_HEADER: usize = 24;

/// Bytes of a chunk before its trace points, preamble included.
pub(super) const CHUNK_HEADER: usize = PREAMBLE + 32;

/// Offset of the private data where there is none.
pub(super) const NO_PRIVATE_DATA: u16 = 0x1000;

/// What a trace point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PointKind {
    /// A text that a program logged.
    Message,
    /// Records were lost here.
    Loss,
    /// An activity, a trace or a signpost.
    Other,
}

/// One trace point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    pub(super) kind: PointKind,
    flags: u16,
    format: u32,
    /// Ticks since boot.
    pub(super) ticks: u64,
    /// First byte within the chunk.
    pub(super) offset: usize,
    /// The whole point, without the padding after it.
    pub(super) bytes: &'a [u8],
}

impl<'a> Point<'a> {
    fn data(&self) -> &'a [u8] {
        self.bytes.get(POINT_HEADER..).unwrap_or_default()
    }

    /// Of a loss: first and last moment in ticks, and the number of records. `None` if it is cut.
    pub(super) fn loss(&self) -> Option<(u64, u64, u64)> {
        let data = self.data();
        Some((u64_at(data, 0)?, u64_at(data, 8)?, u64_at(data, 16)?))
    }
}

/// A chunk of trace points of one process.
#[derive(Debug)]
pub(super) struct PointChunk<'a> {
    bytes: &'a [u8],
    /// First and second number of the process, which the catalog knows it by.
    pub(super) process: (u64, u32),
    base: u64,
    public: Range<usize>,
}

impl<'a> PointChunk<'a> {
    /// Reads the beginning of a chunk, preamble included. `None` if it is none.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let public_length = usize::from(u16_at(bytes, 32)?);
        // The length counts itself, its three neighbours and the base time.
        let public = CHUNK_HEADER..CHUNK_HEADER + public_length.checked_sub(16)?;
        bytes.get(public.clone())?;
        Some(Self { bytes, process: (u64_at(bytes, 16)?, u32_at(bytes, 24)?), base: u64_at(bytes, 40)?, public })
    }

    /// The trace points, and at the end bytes that are none.
    pub(super) fn points(&self) -> Points<'a> {
        Points { bytes: self.bytes.get(..self.public.end).unwrap_or_default(), at: self.public.start, base: self.base }
    }

    /// A chunk of this point alone, with the private data it may point to. `None` if that is cut.
    pub(super) fn alone(&self, point: &Point<'_>) -> Option<Vec<u8>> {
        let private = self.private()?;
        let padded = point.bytes.len().next_multiple_of(8);
        let mut chunk = self.bytes.get(..CHUNK_HEADER)?.to_vec();
        chunk.extend_from_slice(point.bytes);
        chunk.resize(CHUNK_HEADER + padded, 0);
        chunk.extend_from_slice(private);
        let length = chunk.len() - PREAMBLE;
        chunk.get_mut(8..16)?.copy_from_slice(&(length as u64).to_le_bytes());
        // "Collapsed": the private data follows the public at once.
        *chunk.get_mut(29)? = 1;
        chunk.get_mut(32..34)?.copy_from_slice(&u16::try_from(padded + 16).ok()?.to_le_bytes());
        Some(chunk)
    }

    fn private(&self) -> Option<&'a [u8]> {
        let virtual_offset = u16_at(self.bytes, 34)?;
        if virtual_offset >= NO_PRIVATE_DATA {
            return Some(&[]);
        }
        let length = usize::from(NO_PRIVATE_DATA - virtual_offset);
        let start = if self.bytes.get(29) == Some(&1) || usize::from(virtual_offset) > self.bytes.len() - 32 {
            self.public.end
        } else {
            32 + usize::from(virtual_offset)
        };
        self.bytes.get(start..start + length)
    }
}

/// The trace points of a chunk.
pub(super) struct Points<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
}

impl<'a> Iterator for Points<'a> {
    type Item = Result<Point<'a>, Range<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        // What is left over from earlier use of the memory is no record; macOS passes over it too.
        if rest.len() < POINT_HEADER || rest.first() == Some(&0) {
            return None;
        }
        let offset = self.at;
        let point = (|| {
            let kind = match rest.first()? {
                4 => PointKind::Message,
                7 => PointKind::Loss,
                2 | 3 | 6 => PointKind::Other,
                _ => return None,
            };
            let bytes = rest.get(..POINT_HEADER + usize::from(u16_at(rest, 22)?))?;
            let passed = u64::from(u32_at(rest, 16)?) | u64::from(u16_at(rest, 20)?) << 32;
            let (flags, format) = (u16_at(rest, 2)?, u32_at(rest, 4)?);
            Some(Point { kind, flags, format, ticks: self.base.saturating_add(passed), offset, bytes })
        })();
        self.at = match &point {
            Some(point) => offset + point.bytes.len().next_multiple_of(8),
            None => self.bytes.len(),
        };
        Some(point.ok_or(offset..self.bytes.len()))
    }
}

/// Whose code wrote a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The sender. `None` means that the strings which would tell it are missing.
    pub(super) sender: Option<Sender>,
    /// Number of the arguments that stand in a chunk of their own. `None` where they stand in the record.
    pub(super) oversize: Option<u32>,
}

impl Point<'_> {
    /// Whose code wrote this message. `None` if the record is too short to tell.
    pub(super) fn origin(&self, process: Option<&Process>, strings: &Strings) -> Option<Origin> {
        let data = self.data();
        let has = |flag: u16| self.flags & flag != 0;
        // Activity, persona (macOS 27) and place of private data stand before the code address, where they stand.
        let mut at =
            [(0x1, 8), (0x40, 4), (0x100, 4)].iter().filter(|(flag, _)| has(*flag)).map(|(_, length)| length).sum();
        let code = u32_at(data, at)?;
        at += 4;
        let image_sender = |uuid: &str| strings.image(uuid).map(|image| image.sender);
        let sender = match self.flags & 0xe {
            0x2 => process.and_then(|process| image_sender(&process.image)),
            0x4 | 0xc => {
                let mut wide = |there: bool| -> Option<u16> {
                    let value = if there { u16_at(data, at)? } else { 0 };
                    at += if there { 2 } else { 0 };
                    Some(value)
                };
                let large_offset = wide(has(0x20))?;
                let large_cache = wide(self.flags & 0xe == 0xc)?;
                let high = high_part(large_offset, large_cache);
                let cache = process.and_then(|process| strings.cache(&process.cache));
                cache.and_then(|cache| {
                    // A format that was not known when the program was built has no place among the strings.
                    if self.format & 0x8000_0000 == 0 {
                        cache.sender_of_string(high + u64::from(self.format))
                    } else {
                        cache.sender_of_code(high + u64::from(code))
                    }
                })
            }
            0x8 => {
                let high = u64::from(u16_at(data, at)?) << 32;
                at += 2;
                process.and_then(|process| process.image_at(high + u64::from(code))).and_then(image_sender)
            }
            0xa => {
                let uuid = uuid_at(data, at)?;
                at += 16;
                image_sender(&uuid)
            }
            _ => None,
        };
        // Subsystem and lifetime.
        at += if has(0x200) { 2 } else { 0 } + if has(0x400) { 1 } else { 0 };
        let oversize = if has(0x800) { u32_at(data, at).filter(|number| *number != 0) } else { None };
        Some(Origin { sender, oversize })
    }
}

/// What is added to offsets into a shared cache larger than 2 GiB: the same reckoning as the library's.
fn high_part(large_offset: u16, large_cache: u16) -> u64 {
    match (large_offset, large_cache) {
        (0, _) => 0,
        (1 | 2, cache) if large_offset > cache => 0x8000_0000 * u64::from(large_offset),
        (_, 0) => 0x1_0000_0000 * u64::from(large_offset),
        (_, cache) => 0x1_0000_0000 * u64::from(cache / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk with the points given, with `private` after them.
    fn chunk(points: &[Vec<u8>], private: &[u8]) -> Vec<u8> {
        let mut public = Vec::new();
        for point in points {
            public.extend_from_slice(point);
            public.resize(public.len().next_multiple_of(8), 0);
        }
        let mut bytes = [0x6001_u32.to_le_bytes(), 0_u32.to_le_bytes()].concat();
        bytes.extend([0; 8]);
        bytes.extend(77_u64.to_le_bytes());
        bytes.extend(88_u32.to_le_bytes());
        bytes.extend([0, 1, 0, 0]);
        bytes.extend((public.len() as u16 + 16).to_le_bytes());
        bytes.extend((NO_PRIVATE_DATA - private.len() as u16).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(1000_u64.to_le_bytes());
        bytes.extend(public);
        bytes.extend_from_slice(private);
        bytes
    }

    fn point(kind: u8, flags: u16, format: u32, passed: u64, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0];
        bytes.extend(flags.to_le_bytes());
        bytes.extend(format.to_le_bytes());
        bytes.extend([9; 8]);
        bytes.extend(&passed.to_le_bytes()[..6]);
        bytes.extend((data.len() as u16).to_le_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn points_follow_each_other_until_rubbish() {
        let loss: Vec<u8> = [5_u64, 6, 63].iter().flat_map(|number| number.to_le_bytes()).collect();
        let bytes =
            chunk(&[point(4, 2, 16, 5, b"abcd"), point(7, 0, 0, 0x1_0000_0000, &loss), point(0x77, 0, 0, 0, b"")], b"");
        let chunk = PointChunk::read(&bytes).unwrap();
        assert_eq!(chunk.process, (77, 88));
        let points: Vec<_> = chunk.points().collect();
        let (first, second) = (points[0].as_ref().unwrap(), points[1].as_ref().unwrap());
        assert_eq!((first.kind, first.ticks, first.offset, first.bytes.len()), (PointKind::Message, 1005, 48, 28));
        assert_eq!((second.kind, second.ticks, second.offset), (PointKind::Loss, 0x1_0000_0000 + 1000, 80));
        assert_eq!(second.loss(), Some((5, 6, 63)));
        assert_eq!(points[2].as_ref().unwrap_err(), &(128..152));
        assert!(PointChunk::read(&bytes[..100]).is_none());
    }

    #[test]
    fn a_point_alone_keeps_its_private_data() {
        let bytes = chunk(&[point(4, 2, 16, 5, b"abcd"), point(4, 2, 17, 6, b"efghijkl")], b"secret");
        let whole = PointChunk::read(&bytes).unwrap();
        let second = whole.points().nth(1).unwrap().unwrap();
        let alone = whole.alone(&second).unwrap();
        let read = PointChunk::read(&alone).unwrap();
        let points: Vec<_> = read.points().map(Result::unwrap).collect();
        assert_eq!((points.len(), points[0].ticks, points[0].data()), (1, 1006, &b"efghijkl"[..]));
        assert_eq!(read.private(), Some(&b"secret"[..]));
        assert_eq!(u64_at(&alone, 8), Some(alone.len() as u64 - 16));
    }

    #[test]
    fn optional_parts_are_passed_over() {
        let mut data = vec![0; 8 + 4];
        data.extend([1, 0, 0, 0]);
        data.extend(7_u16.to_le_bytes());
        data.push(1);
        data.extend(9_u32.to_le_bytes());
        let bytes = chunk(&[point(4, 0x1 | 0x100 | 0x2 | 0x200 | 0x400 | 0x800, 16, 5, &data)], b"");
        let whole = PointChunk::read(&bytes).unwrap();
        let point = whole.points().next().unwrap().unwrap();
        let origin = point.origin(None, &Strings::default()).unwrap();
        assert_eq!(origin, Origin { sender: None, oversize: Some(9) });
    }
}
