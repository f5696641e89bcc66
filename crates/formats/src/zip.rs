//! Zip archives that hold one file, as some consoles export logs: the file is read as if it stood alone.
//!
//! Layout: PKWARE's APPNOTE, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end). What the
//! Finder adds to an archive (`__MACOSX/`) and folders are no files of it.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Take},
};

/// First bytes of an archive.
pub(crate) const MAGIC: &[u8] = b"PK\x03\x04";

/// First bytes of an entry of the central directory, and of its end.
const ENTRY: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// Bytes of the central directory's end without its comment, which has at most 65,535.
const END_LENGTH: u64 = 22;

/// Bytes of the central directory that are read.
const DIRECTORY_CAP: u64 = 1 << 20;

/// The one file of an archive.
pub(crate) struct Member {
    /// Its compressed bytes.
    pub(crate) bytes: Take<BufReader<File>>,
    /// They are deflated; else they stand as they are.
    pub(crate) deflated: bool,
}

/// An entry of the central directory.
struct Entry {
    name: String,
    method: u16,
    encrypted: bool,
    length: u64,
    offset: u64,
}

/// Finds the one file of an archive.
///
/// # Errors
/// When there is none or several, or it is not packed in the common way.
pub(crate) fn only_member(mut file: BufReader<File>) -> io::Result<Member> {
    let mut entries = entries(&mut file)?;
    entries.retain(|entry| !entry.name.ends_with('/') && !entry.name.starts_with("__MACOSX/"));
    let count = entries.len();
    let (Some(entry), None) = (entries.pop(), entries.pop()) else {
        return Err(wrong(&format!("expected one file in the zip archive, found {count}; hint: unpack it")));
    };
    let deflated = match (entry.method, entry.encrypted) {
        (0, false) => false,
        (8, false) => true,
        _ => return Err(wrong("expected a stored or deflated file without a password in the zip archive")),
    };
    file.seek(SeekFrom::Start(entry.offset))?;
    let mut header = [0; 30];
    file.read_exact(&mut header)?;
    if !header.starts_with(MAGIC) {
        return Err(wrong("expected the header of the file in the zip archive"));
    }
    // Name and extra field stand between the header and the bytes.
    let between = u64::from(short(&header, 26)) + u64::from(short(&header, 28));
    file.seek(SeekFrom::Start(entry.offset + 30 + between))?;
    Ok(Member { bytes: file.take(entry.length), deflated })
}

fn wrong(expected: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, expected)
}

fn entries(file: &mut BufReader<File>) -> io::Result<Vec<Entry>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_at = length.saturating_sub(END_LENGTH + u64::from(u16::MAX));
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_at))?;
    file.by_ref().take(END_LENGTH + u64::from(u16::MAX)).read_to_end(&mut tail)?;
    let end = memchr::memmem::rfind(&tail, END).and_then(|at| tail.get(at..));
    let end =
        end.filter(|end| end.len() as u64 >= END_LENGTH).ok_or_else(|| wrong("expected the end of a zip archive"))?;
    let (size, offset) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
    if size > DIRECTORY_CAP {
        return Err(wrong("expected a directory of at most 1 MiB in the zip archive"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut directory = Vec::new();
    file.by_ref().take(size).read_to_end(&mut directory)?;
    let mut entries = Vec::new();
    let mut rest = directory.as_slice();
    while rest.starts_with(ENTRY) && rest.len() >= 46 {
        let (name, extra, comment) = (short(rest, 28), short(rest, 30), short(rest, 32));
        let name = rest.get(46..46 + usize::from(name)).unwrap_or_default();
        let entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            method: short(rest, 10),
            encrypted: short(rest, 8) & 1 != 0,
            length: u64::from(long(rest, 20)),
            offset: u64::from(long(rest, 42)),
        };
        rest = rest.get(46 + name.len() + usize::from(extra) + usize::from(comment)..).unwrap_or_default();
        entries.push(entry);
    }
    Ok(entries)
}

/// Two bytes at a place, the lower first; 0 beyond the end.
fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes)
}

/// Four bytes at a place, the lowest first; 0 beyond the end.
fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}
