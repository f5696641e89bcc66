//! Lines with their offsets, each within a cap, from anything that can be read.

use std::io::{self, BufRead};

/// Longest line that is kept: 10 MiB. Longer ones are counted as malformed and passed over.
pub const LINE_CAP: usize = 10 << 20;

/// One line.
#[derive(Debug)]
pub struct Line<'a> {
    /// First byte of the line in the (decompressed) source.
    pub offset: u64,
    /// Length in bytes, without the line end; may be more than `bytes` holds.
    pub length: u64,
    /// The line without its end (LF or CR LF) and without a byte-order mark on the first line.
    pub bytes: &'a [u8],
    /// The line was longer than the cap; `bytes` holds only its beginning.
    pub cut: bool,
    /// The line ends with a line feed; only the last line of a source may lack one.
    pub terminated: bool,
}

/// Reads lines one by one. Not an [`Iterator`], because each line borrows the buffer.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    offset: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `reader`, from its first byte.
    #[must_use]
    pub const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), offset: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// When reading fails, as with a truncated gzip stream. Nothing can be read after that.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let start = self.offset;
        let mut total = 0_u64;
        let mut terminated = false;
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', available);
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            let room = LINE_CAP.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(part.get(..room).unwrap_or(part));
            total += part.len() as u64;
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            self.offset += consumed as u64;
            if end.is_some() {
                terminated = true;
                break;
            }
        }
        if total == 0 && !terminated {
            return Ok(None);
        }
        let cut = total > self.buffer.len() as u64;
        let mut bytes = self.buffer.as_slice();
        let mut length = total;
        if let (false, Some(rest)) = (cut, bytes.strip_suffix(b"\r")) {
            bytes = rest;
            length -= 1;
        }
        let mut offset = start;
        if let (0, Some(rest)) = (start, bytes.strip_prefix(b"\xef\xbb\xbf")) {
            bytes = rest;
            offset += 3;
            length -= 3;
        }
        Ok(Some(Line { offset, length, bytes, cut, terminated }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_point_at_the_bytes_of_each_line() {
        let text = b"\xef\xbb\xbfone\r\n\nthree";
        let mut lines = Lines::new(&text[..]);
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            assert_eq!(&text[line.offset as usize..(line.offset + line.length) as usize], line.bytes);
            seen.push((line.offset, line.bytes.to_vec(), line.terminated));
        }
        assert_eq!(seen, [(3, b"one".to_vec(), true), (8, vec![], true), (9, b"three".to_vec(), false)]);
    }

    #[test]
    fn a_line_beyond_the_cap_is_cut_and_the_next_is_whole() {
        let mut text = vec![b'a'; LINE_CAP + 5];
        text.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::new(&text[..]);
        let first = lines.next_line().unwrap().unwrap();
        assert!(first.cut && first.terminated);
        assert_eq!((first.bytes.len(), first.length), (LINE_CAP, LINE_CAP as u64 + 5));
        let second = lines.next_line().unwrap().unwrap();
        assert_eq!((second.bytes, second.offset), (&b"next"[..], LINE_CAP as u64 + 6));
        assert!(lines.next_line().unwrap().is_none());
    }
}
