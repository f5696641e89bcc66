//! The strings that records leave out: format strings and image paths, of which only those that matter are kept.
//!
//! Layouts: dtformats, "uuidtext file" and "Shared-Cache strings (dsc) file", versions 1 and 2.

use super::chunks::{u16_at, u32_at, u64_at, uuid_at};
use crate::unified_log::records::Sender;
use macos_unifiedlogs::{
    dsc::{RangeDescriptor, SharedCacheStrings, UUIDDescriptor},
    traits::{FileProvider, SourceFile, StringCache},
    uuidtext::{UUIDText, UUIDTextEntry},
};
use std::{collections::HashMap, io, sync::Arc};

/// Images and caches that are kept.
const IMAGE_CAP: usize = 200_000;

/// Bytes of format strings that are kept: the images that speak of requests hold a few megabytes.
const TEXT_CAP: usize = 256 << 20;

/// Longest path that is kept, in bytes.
const PATH_CAP: usize = 4096;

/// Longest format string, in bytes. Those that matter stay below 1,024.
const FORMAT_CAP: usize = 4096;

/// Digits of a width or precision that are believed.
const DIGIT_CAP: usize = 2;

/// One image with its own strings.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) path: Arc<str>,
    pub(super) sender: Sender,
    text: Arc<UUIDText>,
}

/// One image of a shared cache.
#[derive(Debug)]
struct CacheImage {
    sender: Sender,
    from: u64,
    until: u64,
}

/// Where the strings of an image stand in a shared cache.
#[derive(Clone, Copy, Debug)]
struct Range {
    from: u64,
    until: u64,
    image: usize,
}

/// The strings of all libraries that macOS keeps in one file.
#[derive(Debug)]
pub(super) struct SharedCache {
    images: Vec<CacheImage>,
    ranges: Vec<Range>,
    text: Arc<SharedCacheStrings>,
}

impl SharedCache {
    /// Whose format string stands at `offset`. `None` if nobody's.
    pub(super) fn sender_of_string(&self, offset: u64) -> Option<Sender> {
        let after = self.ranges.partition_point(|range| range.from <= offset);
        let range = after.checked_sub(1).and_then(|last| self.ranges.get(last))?;
        (offset < range.until).then(|| self.images.get(range.image))?.map(|image| image.sender)
    }

    /// Whose code stands at `offset`. `None` if nobody's.
    pub(super) fn sender_of_code(&self, offset: u64) -> Option<Sender> {
        let image = self.images.iter().find(|image| (image.from..image.until).contains(&offset));
        image.map(|image| image.sender)
    }
}

/// The strings of a store.
#[derive(Debug, Default)]
pub(super) struct Strings {
    images: HashMap<String, Image>,
    caches: HashMap<String, SharedCache>,
    bytes: usize,
}

impl Strings {
    /// The image with that UUID.
    pub(super) fn image(&self, uuid: &str) -> Option<&Image> {
        self.images.get(uuid)
    }

    /// The shared cache with that UUID.
    pub(super) fn cache(&self, uuid: &str) -> Option<&SharedCache> {
        self.caches.get(uuid)
    }

    /// Takes the strings of one image: a file of the folder `uuidtext`, named by its UUID.
    ///
    /// # Errors
    /// What was expected, when it is no such file.
    pub(super) fn take_image(&mut self, uuid: String, bytes: &[u8]) -> Result<(), String> {
        if u32_at(bytes, 0) != Some(0x6677_8899) {
            return Err("expected the strings of an image (signature 0x66778899), found something else".to_owned());
        }
        let cut = || "expected the strings of an image, found its end".to_owned();
        let count = u32_at(bytes, 12).ok_or_else(cut)? as usize;
        let strings = bytes.get(16_usize.saturating_add(count.saturating_mul(8))..).ok_or_else(cut)?;
        let entries = (0..count).map(|entry| {
            let at = 16 + entry * 8;
            Some(UUIDTextEntry { range_start_offset: u32_at(bytes, at)?, entry_size: u32_at(bytes, at + 4)? })
        });
        let entries = entries.collect::<Option<Vec<_>>>().ok_or_else(cut)?;
        let before = entries.iter().map(|entry| u64::from(entry.entry_size)).sum::<u64>();
        let path = usize::try_from(before).ok().and_then(|before| strings.get(before..)).and_then(path_at);
        let path: Arc<str> = path.ok_or_else(cut)?.into();
        let sender = Sender::of_image(&path);
        let text = if sender.speaks() && self.has_room(strings.len()) {
            let mut footer_data = strings.to_vec();
            tame(&mut footer_data);
            UUIDText { entry_descriptors: entries, footer_data, ..UUIDText::default() }
        } else {
            // The path is all that is asked of images that write no lines of ours.
            let footer_data = [path.as_bytes(), &[0]].concat();
            UUIDText { footer_data, ..UUIDText::default() }
        };
        if self.images.len() < IMAGE_CAP {
            self.images.insert(uuid, Image { path, sender, text: Arc::new(text) });
        }
        Ok(())
    }

    /// Takes a shared cache: a file of the folder `dsc`, named by its UUID.
    ///
    /// # Errors
    /// What was expected, when it is no such file.
    pub(super) fn take_cache(&mut self, uuid: String, bytes: &[u8]) -> Result<(), String> {
        if bytes.get(..4) != Some(b"hcsd") {
            return Err("expected a shared cache of strings (signature hcsd), found something else".to_owned());
        }
        let cut = || "expected a shared cache of strings, found its end".to_owned();
        let layout = CacheLayout::new(u16_at(bytes, 4).ok_or_else(cut)?);
        let (ranges, images) = (u32_at(bytes, 8).ok_or_else(cut)?, u32_at(bytes, 12).ok_or_else(cut)?);
        let raw_ranges = layout.ranges(bytes, ranges as usize).ok_or_else(cut)?;
        let raw_images = layout.images(bytes, ranges as usize, images as usize).ok_or_else(cut)?;
        let mut text = SharedCacheStrings::default();
        // Place of each image that speaks among the kept ones.
        let mut kept: HashMap<usize, u64> = HashMap::new();
        let mut known = Vec::with_capacity(raw_images.len());
        for (place, image) in raw_images.into_iter().enumerate() {
            let path = bytes.get(image.path..).and_then(path_at).unwrap_or_default();
            let sender = Sender::of_image(path);
            known.push(CacheImage { sender, from: image.from, until: image.from.saturating_add(image.length) });
            if sender.speaks() {
                kept.insert(place, text.uuids.len() as u64);
                let path_string = path.to_owned();
                text.uuids.push(UUIDDescriptor { uuid: image.uuid, path_string, ..UUIDDescriptor::default() });
            }
        }
        let mut table = Vec::with_capacity(raw_ranges.len());
        for range in raw_ranges {
            table.push(Range { from: range.from, until: range.from.saturating_add(range.length), image: range.image });
            let Some(uuid_index) = kept.get(&range.image).copied() else { continue };
            let end = usize::try_from(range.length).ok().and_then(|length| range.data.checked_add(length));
            let Some(strings) = end.and_then(|end| bytes.get(range.data..end)) else { continue };
            if !self.has_room(strings.len()) {
                continue;
            }
            let mut strings = strings.to_vec();
            tame(&mut strings);
            text.ranges.push(RangeDescriptor {
                range_offset: range.from,
                range_size: u32::try_from(range.length).unwrap_or(u32::MAX),
                uuid_index,
                strings,
                ..RangeDescriptor::default()
            });
        }
        table.sort_by_key(|range| range.from);
        if self.caches.len() < IMAGE_CAP {
            self.caches.insert(uuid, SharedCache { images: known, ranges: table, text: Arc::new(text) });
        }
        Ok(())
    }

    fn has_room(&mut self, more: usize) -> bool {
        self.bytes = self.bytes.saturating_add(more);
        self.bytes <= TEXT_CAP
    }
}

/// Gives the library what it asks for, and no more than we kept.
impl StringCache for Strings {
    fn get_or_load_uuidtext(&self, uuid: &str, _provider: &impl FileProvider) -> Option<Arc<UUIDText>> {
        self.images.get(uuid).map(|image| image.text.clone())
    }

    fn get_or_load_dsc(&self, uuid: &str, _provider: &impl FileProvider) -> Option<Arc<SharedCacheStrings>> {
        self.caches.get(uuid).map(|cache| cache.text.clone())
    }
}

/// No files: the library reads none by itself.
pub(super) struct NoFiles;

/// A file that is never there.
pub(super) struct NoFile;

impl SourceFile for NoFile {
    fn reader(&mut self) -> impl io::Read {
        io::empty()
    }

    fn source_path(&self) -> &str {
        ""
    }
}

impl FileProvider for NoFiles {
    fn tracev3_files(&self) -> impl Iterator<Item = impl SourceFile> {
        std::iter::empty::<NoFile>()
    }

    fn uuidtext_files(&self) -> impl Iterator<Item = impl SourceFile> {
        std::iter::empty::<NoFile>()
    }

    fn read_uuidtext(&self, _uuid: &str) -> Result<UUIDText, io::Error> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn dsc_files(&self) -> impl Iterator<Item = impl SourceFile> {
        std::iter::empty::<NoFile>()
    }

    fn read_dsc_uuid(&self, _uuid: &str) -> Result<SharedCacheStrings, io::Error> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn timesync_files(&self) -> impl Iterator<Item = impl SourceFile> {
        std::iter::empty::<NoFile>()
    }
}

/// Sizes and places of the parts of a shared cache.
struct CacheLayout {
    wide: bool,
}

struct RawRange {
    from: u64,
    length: u64,
    data: usize,
    image: usize,
}

struct RawImage {
    from: u64,
    length: u64,
    uuid: String,
    path: usize,
}

impl CacheLayout {
    /// Version 1 up to macOS 11; version 2 has offsets of eight bytes.
    const fn new(version: u16) -> Self {
        Self { wide: version >= 2 }
    }

    const fn range_length(&self) -> usize {
        if self.wide { 24 } else { 16 }
    }

    const fn image_length(&self) -> usize {
        if self.wide { 32 } else { 28 }
    }

    fn ranges(&self, bytes: &[u8], count: usize) -> Option<Vec<RawRange>> {
        let length = self.range_length();
        let table = bytes.get(16..16_usize.checked_add(count.checked_mul(length)?)?)?;
        let read = |record: &[u8]| {
            let number = |at| u32_at(record, at);
            let (from, data, long, image) = if self.wide {
                (u64_at(record, 0)?, number(8)?, number(12)?, u64_at(record, 16)?)
            } else {
                (u64::from(number(4)?), number(8)?, number(12)?, u64::from(number(0)?))
            };
            let (data, image) = (usize::try_from(data).ok()?, usize::try_from(image).ok()?);
            Some(RawRange { from, length: u64::from(long), data, image })
        };
        table.chunks_exact(length).map(read).collect()
    }

    fn images(&self, bytes: &[u8], ranges: usize, count: usize) -> Option<Vec<RawImage>> {
        let (first, length) = (16_usize.checked_add(ranges.checked_mul(self.range_length())?)?, self.image_length());
        let table = bytes.get(first..first.checked_add(count.checked_mul(length)?)?)?;
        let read = |record: &[u8]| {
            let (from, at) = if self.wide { (u64_at(record, 0)?, 8) } else { (u64::from(u32_at(record, 0)?), 4) };
            let path = usize::try_from(u32_at(record, at + 20)?).ok()?;
            Some(RawImage { from, length: u64::from(u32_at(record, at)?), uuid: uuid_at(record, at + 4)?, path })
        };
        table.chunks_exact(length).map(read).collect()
    }
}

/// The path that begins `bytes` and ends with a zero byte. `None` if it is none, or too long.
fn path_at(bytes: &[u8]) -> Option<&str> {
    let length = bytes.iter().take(PATH_CAP).position(|byte| *byte == 0)?;
    std::str::from_utf8(bytes.get(..length)?).ok()
}

/// Makes format strings harmless, in place and without moving any: none longer than [`FORMAT_CAP`], no width or
/// precision of more than [`DIGIT_CAP`] digits. What a real program logs stays as it is.
fn tame(strings: &mut [u8]) {
    for string in strings.split_mut(|byte| *byte == 0) {
        if let Some(last) = string.get_mut(FORMAT_CAP..) {
            last.fill(0);
        }
    }
    let mut at = 0;
    while let Some(rest) = strings.get_mut(at..) {
        let Some(percent) = memchr::memchr(b'%', rest) else { break };
        at += percent + 1;
        let rest = rest.get_mut(percent + 1..).unwrap_or_default();
        let braces = match rest.first() {
            Some(b'{') => memchr::memchr2(b'}', 0, rest).map_or(0, |end| end + 1),
            _ => 0,
        };
        let rest = rest.get_mut(braces..).unwrap_or_default();
        let numbers = rest.iter().take_while(|byte| byte.is_ascii_digit() || b"-+ #.*'".contains(byte)).count();
        let numbers = rest.get_mut(..numbers).unwrap_or_default();
        numbers
            .split_mut(|byte| !byte.is_ascii_digit())
            .filter(|run| run.len() > DIGIT_CAP)
            .for_each(|run| run.fill(b'0'));
        at += braces;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_beyond_reason_are_taken_out_and_others_stay() {
        let mut strings = b"took %u.%03us of %99999999d\0%{public,x:9999}.*P %{public}.16P 100% 12345\0%".to_vec();
        tame(&mut strings);
        let expected = b"took %u.%03us of %00000000d\0%{public,x:9999}.*P %{public}.16P 100% 00000\0%";
        assert_eq!(String::from_utf8_lossy(&strings), String::from_utf8_lossy(expected));
        let mut long = vec![b'a'; FORMAT_CAP + 10];
        tame(&mut long);
        assert_eq!(long.iter().position(|byte| *byte == 0), Some(FORMAT_CAP));
    }

    fn image(entries: &[(u32, u32)], strings: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [0x6677_8899, 2, 1, entries.len() as u32] {
            bytes.extend(number.to_le_bytes());
        }
        for (start, length) in entries {
            bytes.extend([start.to_le_bytes(), length.to_le_bytes()].concat());
        }
        bytes.extend_from_slice(strings);
        bytes
    }

    #[test]
    fn an_image_that_does_not_speak_leaves_its_path_only() {
        let mut strings = Strings::default();
        strings.take_image("A".into(), &image(&[(0x10, 3)], b"%d\0/usr/bin/true\0")).unwrap();
        strings.take_image("B".into(), &image(&[(0x10, 3)], b"%d\0/usr/sbin/mDNSResponder\0")).unwrap();
        let (silent, speaking) = (strings.image("A").unwrap(), strings.image("B").unwrap());
        assert_eq!((&*silent.path, silent.sender, silent.text.footer_data.len()), ("/usr/bin/true", Sender::Other, 14));
        assert_eq!((speaking.sender, &speaking.text.footer_data[..3]), (Sender::Resolver, &b"%d\0"[..]));
        let wrong: [&[u8]; 4] = [b"", b"abcd", &image(&[(0, 99)], b"x\0"), &image(&[(0, 0)], b"no end")];
        for bytes in wrong {
            assert!(strings.take_image("C".into(), bytes).is_err(), "{bytes:?}");
        }
        let mut counted = image(&[], b"/x\0");
        counted[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(strings.take_image("C".into(), &counted).is_err(), "a count beyond the file");
    }
}
