//! Cuts a tracev3 file into its chunks, and unpacks the chunk sets within bounds.
//!
//! Layout: "Apple Unified Logging and Activity Tracing formats" of the dtformats project, sections on the tracev3 file.

use super::bitmap;

/// Tag of the chunk that names boot session and clock.
pub(super) const HEADER: u32 = 0x1000;
/// Tag of the chunk that names processes, images and subsystems for the chunk sets after it.
pub(super) const CATALOG: u32 = 0x600b;
/// Tag of a compressed set of chunks.
pub(super) const CHUNK_SET: u32 = 0x600d;
/// Tag of a chunk of trace points, within a set.
pub(super) const FIREHOSE: u32 = 0x6001;
/// Tag of a chunk with the arguments of one record that were too long for its trace point.
pub(super) const OVERSIZE: u32 = 0x6002;

/// Bytes before the content of every chunk: tag, sub tag and size.
pub(super) const PREAMBLE: usize = 16;

/// Bytes that one chunk set may hold unpacked. macOS writes 64 KiB and little more.
const SET_CAP: usize = 16 << 20;

/// Bytes that one packed byte can stand for at most: LZ4 counts lengths in bytes of up to 255, and no set packed by macOS comes
/// near. A set that claims more is not believed, so that a small file cannot take the time of a large one.
const EXPANSION_CAP: usize = 255;

/// One chunk as it stands in the file or in an unpacked set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'a> {
    pub(super) tag: u32,
    /// First byte of its preamble.
    pub(super) offset: usize,
    /// The chunk with its preamble.
    pub(super) bytes: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// What stands after the preamble.
    pub(super) fn content(&self) -> &'a [u8] {
        self.bytes.get(PREAMBLE..).unwrap_or_default()
    }
}

/// The chunks of a file or of an unpacked set. What is no whole chunk ends it, with an error.
pub(super) struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Chunks<'a> {
    /// From the first byte.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

/// Bytes that are no whole chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoChunk {
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, NoChunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        // logd fills the file up with zeros.
        if rest.iter().all(|byte| *byte == 0) {
            return None;
        }
        let offset = self.at;
        let cut = || NoChunk { offset, length: rest.len() };
        let chunk = (|| {
            let tag = u32_at(rest, 0)?;
            let length = usize::try_from(u64_at(rest, 8)?).ok()?.checked_add(PREAMBLE)?;
            Some(Chunk { tag, offset, bytes: rest.get(..length)? })
        })();
        match chunk {
            Some(chunk) => {
                self.at += chunk.bytes.len().next_multiple_of(8);
                Some(Ok(chunk))
            }
            None => {
                self.at = self.bytes.len();
                Some(Err(cut()))
            }
        }
    }
}

/// Unpacks a chunk set: LZBITMAP since macOS 27; before, blocks of LZ4 (`bv41`) or stored bytes (`bv4-`), each of which may look back into those before,
/// closed by `bv4$`.
///
/// # Errors
/// What was expected, when it cannot be unpacked.
pub(super) fn unpack(content: &[u8]) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut rest = content;
    loop {
        let signature = rest.get(..4).unwrap_or_default();
        let length = u32_at(rest, 4).map(|length| length as usize);
        match (signature, length) {
            (b"bv4$", _) => return Ok(unpacked),
            (b"bv41" | b"bv4-", Some(length)) if unpacked.len().saturating_add(length) > SET_CAP => {
                return Err(format!("expected a chunk set of at most {SET_CAP} bytes, found {length} more"));
            }
            (b"bv4-", Some(length)) => {
                let stored =
                    rest.get(8..8 + length).ok_or("expected the stored bytes of a chunk set, found its end")?;
                unpacked.extend_from_slice(stored);
                rest = rest.get(8 + length..).unwrap_or_default();
            }
            (b"bv41", Some(length)) => {
                let packed = u32_at(rest, 8).map(|packed| packed as usize);
                let block = packed.and_then(|packed| rest.get(12..12_usize.checked_add(packed)?));
                let block = block.ok_or("expected the packed bytes of a chunk set, found its end")?;
                if length > block.len().saturating_mul(EXPANSION_CAP) {
                    return Err(format!(
                        "expected at most {EXPANSION_CAP} times {} packed bytes, found {length}",
                        block.len()
                    ));
                }
                let more = lz4_flex::block::decompress_with_dict(block, length, &unpacked);
                unpacked.extend(more.map_err(|error| format!("expected LZ4 in a chunk set, found {error}"))?);
                rest = rest.get(12 + block.len()..).unwrap_or_default();
            }
            ([b'Z', b'B', b'M', ..], _) if unpacked.is_empty() => return bitmap::unpack(rest, SET_CAP),
            _ => return Err("expected a block of LZ4 in a chunk set, found something else".to_owned()),
        }
    }
}

/// Bytes a chunk set holds unpacked, by what it says of itself as far as that can be: known even where it cannot be unpacked.
pub(super) fn stated_length(content: &[u8]) -> u64 {
    let stated = match content.get(..4) {
        Some(b"bv41" | b"bv4-") => u64::from(u32_at(content, 4).unwrap_or(0)),
        Some([b'Z', b'B', b'M', ..]) => bitmap::stated_length(content),
        _ => 0,
    };
    // No more than what would be unpacked at all, so that places after it are the same for all who count.
    stated.min((content.len() as u64).saturating_mul(EXPANSION_CAP as u64)).min(SET_CAP as u64)
}

/// The little-endian number at `at`. `None` past the end.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// The little-endian number at `at`. `None` past the end.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// The little-endian number at `at`. `None` past the end.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The UUID at `at`, as 32 upper-case hexadecimal digits. `None` past the end.
pub(super) fn uuid_at(bytes: &[u8], at: usize) -> Option<String> {
    let number = u128::from_be_bytes(bytes.get(at..at.checked_add(16)?)?.try_into().ok()?);
    Some(format!("{number:032X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(tag: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = [tag.to_le_bytes(), 0x11_u32.to_le_bytes()].concat();
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn chunks_are_padded_and_a_cut_one_is_told() {
        let mut file = chunk(HEADER, b"abc");
        file.extend(chunk(CATALOG, b"12345678"));
        let whole: Vec<_> = Chunks::new(&file).map(|chunk| chunk.map(|chunk| (chunk.tag, chunk.offset))).collect();
        assert_eq!(whole, [Ok((HEADER, 0)), Ok((CATALOG, 24))]);
        file.truncate(40);
        assert_eq!(Chunks::new(&file).last().unwrap().unwrap_err(), NoChunk { offset: 24, length: 16 });
        let mut zeros = chunk(HEADER, b"abc");
        zeros.extend([0; 50]);
        assert_eq!(Chunks::new(&zeros).count(), 1, "zeros at the end are no chunk");
        let mut huge = chunk(HEADER, b"abc");
        huge[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(Chunks::new(&huge).next().unwrap().is_err());
    }

    #[test]
    fn sets_are_unpacked_within_bounds() {
        let text = b"all work and no play, all work and no play, all work".repeat(3);
        let packed = lz4_flex::block::compress(&text);
        let mut set = b"bv41".to_vec();
        set.extend((text.len() as u32).to_le_bytes());
        set.extend((packed.len() as u32).to_le_bytes());
        set.extend(&packed);
        set.extend(b"bv4-\x03\0\0\0xyz");
        let open = set.clone();
        set.extend(b"bv4$");
        assert_eq!(unpack(&set).unwrap(), [&text[..], b"xyz"].concat());
        assert_eq!(stated_length(&set), text.len() as u64);
        assert!(unpack(&open).unwrap_err().contains("something else"));
        set[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(&set).unwrap_err().contains("at most"), "a claim of 4 GiB is not believed");
        set[4..8].copy_from_slice(&(1_u32 << 20).to_le_bytes());
        assert!(unpack(&set).unwrap_err().contains("at most 255 times"), "nor one of 1 MiB from a hundred bytes");
        assert_eq!(stated_length(&set), 255 * set.len() as u64);
        assert!(unpack(b"ZBM\x09").unwrap_err().contains("LZBITMAP"));
        assert!(unpack(b"").is_err() && unpack(b"bv4-\xff\0\0\0x").is_err());
    }
}
