//! LZBITMAP, the compression of chunk sets since macOS 27.
//!
//! Groups of eight bytes are copied from a distance behind, but for those that a bitmap names, which are written out. Layout
//! as libzbitmap and dissect.util describe it: `ZBM` and flags, then blocks with their packed and unpacked lengths (24 bits
//! each, the first counting the header too), up to one that holds nothing. A packed block has offsets of its distances,
//! bitmaps and tokens (24 bits each, from its beginning), the bytes written out, those three, and 17 bytes with the tokens'
//! meanings of ten bits each.

use std::{iter::Peekable, slice::Iter};

/// Bytes of a block before those written out: two lengths and three offsets.
const BLOCK_HEADER: usize = 15;

/// Bytes of a block's two lengths.
const LENGTHS: usize = 6;

/// Bytes of the tokens' meanings.
const MEANINGS: usize = 17;

/// Bytes that one token stands for.
const GROUP: usize = 8;

/// Token that begins the count of repetitions of the one before.
const REPEAT: u8 = 15;

/// Repetitions that are not counted.
const LEAST_REPEATED: usize = 4;

/// Unpacks all blocks; at most `most` bytes.
///
/// # Errors
/// What was expected, when it cannot be unpacked.
pub(super) fn unpack(content: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let broken = || "expected a block of LZBITMAP in a chunk set, found something else".to_owned();
    let flags = match content {
        [b'Z', b'B', b'M', flags @ (0x08 | 0x09 | 0x0c | 0x0d), ..] => *flags,
        _ => return Err(broken()),
    };
    let mut unpacked = Vec::new();
    let mut rest = content.get(4..).unwrap_or_default();
    loop {
        let (packed, length) = lengths(rest).ok_or_else(broken)?;
        if length == 0 {
            return Ok(unpacked);
        }
        if unpacked.len().saturating_add(length) > most {
            return Err(format!("expected a chunk set of at most {most} bytes, found {length} more"));
        }
        let block = rest.get(..packed).filter(|block| block.len() > LENGTHS).ok_or_else(broken)?;
        if packed == length + LENGTHS {
            unpacked.extend_from_slice(block.get(LENGTHS..).unwrap_or_default());
        } else {
            Block::new(block, flags & 4 == 0)
                .and_then(|block| block.unpack(length, &mut unpacked))
                .ok_or_else(broken)?;
        }
        rest = rest.get(packed..).unwrap_or_default();
    }
}

/// Bytes that the blocks hold unpacked, by what they say.
pub(super) fn stated_length(content: &[u8]) -> u64 {
    let (mut total, mut rest) = (0, content.get(4..).unwrap_or_default());
    while let Some((packed, length)) = lengths(rest).filter(|(packed, length)| *packed > LENGTHS && *length > 0) {
        total += length as u64;
        rest = rest.get(packed..).unwrap_or_default();
    }
    total
}

fn lengths(block: &[u8]) -> Option<(usize, usize)> {
    Some((u24_at(block, 0)?, u24_at(block, 3)?))
}

fn u24_at(bytes: &[u8], at: usize) -> Option<usize> {
    let number: [u8; 3] = bytes.get(at..at + 3)?.try_into().ok()?;
    Some(number.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

/// What a token means: how many bytes of a new distance are read, and which bytes are written out.
#[derive(Clone, Copy)]
struct Meaning {
    distance_bytes: u8,
    /// `None`: the bitmap is read from the block.
    bitmap: Option<u8>,
}

/// One packed block.
struct Block<'a> {
    written: Iter<'a, u8>,
    distances: Iter<'a, u8>,
    bitmaps: Iter<'a, u8>,
    tokens: &'a [u8],
    meanings: Vec<Meaning>,
    repeats: bool,
    distance: usize,
}

impl<'a> Block<'a> {
    fn new(block: &'a [u8], repeats: bool) -> Option<Self> {
        let end = block.len().checked_sub(MEANINGS)?;
        let (distances, bitmaps, tokens) = (u24_at(block, 6)?, u24_at(block, 9)?, u24_at(block, 12)?);
        let part = |from: usize, until: usize| block.get(from..until);
        let mut meanings: Vec<Meaning> =
            (0..3).map(|distance_bytes| Meaning { distance_bytes, bitmap: None }).collect();
        let table = block.get(end..)?;
        for bit in (0..if repeats { 12 } else { 13 }).map(|token| token * 10) {
            let pair = [*table.get(bit / 8)?, *table.get(bit / 8 + 1)?];
            let value = u16::from_le_bytes(pair) >> (bit % 8);
            let [bitmap, distance_bytes] = value.to_le_bytes();
            meanings.push(Meaning { distance_bytes: distance_bytes & 3, bitmap: Some(bitmap) });
        }
        Some(Self {
            written: part(BLOCK_HEADER, distances)?.iter(),
            distances: part(distances, bitmaps)?.iter(),
            bitmaps: part(bitmaps, tokens)?.iter(),
            tokens: part(tokens, end)?,
            meanings,
            repeats,
            distance: GROUP,
        })
    }

    /// Adds `length` bytes. `None` where the block is broken.
    fn unpack(mut self, length: usize, unpacked: &mut Vec<u8>) -> Option<()> {
        let end = unpacked.len() + length;
        let mut tokens = self.tokens.iter().flat_map(|pair| [pair & 15, pair >> 4]).peekable();
        while unpacked.len() < end {
            let meaning = *self.meanings.get(usize::from(tokens.next()?))?;
            let left = end - unpacked.len();
            let times = if self.repeats && left > GROUP { repetitions(&mut tokens)? } else { 1 };
            for _ in 0..times.min(left.div_ceil(GROUP)) {
                self.group(meaning, end, unpacked)?;
            }
        }
        Some(())
    }

    fn group(&mut self, meaning: Meaning, end: usize, unpacked: &mut Vec<u8>) -> Option<()> {
        let bitmap = match meaning.bitmap {
            Some(bitmap) => bitmap,
            None => *self.bitmaps.next()?,
        };
        match meaning.distance_bytes {
            0 => {}
            1 => self.distance = usize::from(*self.distances.next()?),
            2 => self.distance = usize::from(u16::from_le_bytes([*self.distances.next()?, *self.distances.next()?])),
            _ => return None,
        }
        for bit in 0..GROUP.min(end - unpacked.len()) {
            let byte = if bitmap >> bit & 1 == 1 {
                *self.written.next()?
            } else {
                // A distance of zero points behind the end.
                *unpacked.get(unpacked.len().checked_sub(self.distance)?)?
            };
            unpacked.push(byte);
        }
        Some(())
    }
}

/// How often the token just read stands: once, or as counted by those after a [`REPEAT`].
fn repetitions(tokens: &mut Peekable<impl Iterator<Item = u8>>) -> Option<usize> {
    if *tokens.peek()? != REPEAT {
        return Some(1);
    }
    tokens.next()?;
    let mut total = LEAST_REPEATED;
    loop {
        let more = tokens.next()?;
        total += usize::from(more);
        if more != REPEAT {
            return Some(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u24(number: usize) -> [u8; 3] {
        [number as u8, (number >> 8) as u8, (number >> 16) as u8]
    }

    /// A block of these parts, with the meanings of tokens 3 and up as given.
    fn block(length: usize, parts: [&[u8]; 4], meanings: &[u16]) -> Vec<u8> {
        let mut bits = 0_u128;
        meanings.iter().enumerate().for_each(|(at, meaning)| bits |= u128::from(*meaning) << (at * 10));
        let ends = parts.iter().scan(BLOCK_HEADER, |end, part| {
            *end += part.len();
            Some(*end)
        });
        let ends: Vec<usize> = ends.collect();
        let mut block = [u24(ends[3] + MEANINGS), u24(length), u24(ends[0]), u24(ends[1]), u24(ends[2])].concat();
        block.extend(parts.concat());
        block.extend(bits.to_le_bytes());
        block.push(0);
        block
    }

    fn file(blocks: &[Vec<u8>]) -> Vec<u8> {
        [&b"ZBM\x09"[..], &blocks.concat(), &[6, 0, 0, 0, 0, 0]].concat()
    }

    #[test]
    fn stored_copied_and_repeated_bytes() {
        let stored = [&u24(6 + 3)[..], &u24(3), b"xyz"].concat();
        // Token 0 with bitmap 0xff writes eight bytes out.
        let first = block(8, [b"abcdefgh", &[], &[0xff], &[0]], &[]);
        // Token 3 means "copy all from the distance", which is 8 at first; it stands five times (four and one). Token 1
        // reads a distance of 3, and a bitmap that writes the last byte out.
        let rest = block(40 + 8, [b"!", &[3], &[0x80], &[0xf3, 0x11]], &[0]);
        let backwards = block(8, [b"", &[], &[], &[3]], &[0]);
        let expected = [&b"xyz"[..], &b"abcdefgh".repeat(6), b"fghfghf!"].concat();
        let whole = file(&[stored, first, rest]);
        assert_eq!(String::from_utf8_lossy(&unpack(&whole, 100).unwrap()), String::from_utf8_lossy(&expected));
        assert_eq!(stated_length(&whole), expected.len() as u64);
        assert!(unpack(&whole, 20).unwrap_err().contains("at most"));
        assert!(unpack(&file(&[backwards]), 100).is_err(), "nothing stands behind the first byte");
    }

    #[test]
    fn broken_blocks_are_told() {
        let good = block(8, [b"abcdefgh", &[], &[0xff], &[0]], &[]);
        assert_eq!(unpack(&file(std::slice::from_ref(&good)), 100).unwrap(), b"abcdefgh");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0xff;
            let _ = unpack(&file(&[bad]), 100);
            assert!(unpack(&[b"ZBM\x09", &good[..at]].concat(), 100).is_err(), "cut at {at}");
        }
        let short = block(16, [b"abcdefgh", &[], &[0xff], &[0]], &[]);
        assert!(unpack(&file(&[short]), 100).is_err(), "a second group without a token");
        let zero = block(16, [b"abcdefgh", &[0], &[0xff, 0], &[0x10]], &[]);
        assert!(unpack(&file(&[zero]), 100).is_err(), "a distance of zero");
        assert!(unpack(b"ZBM\x01", 100).is_err() && unpack(b"", 100).is_err());
    }
}
