//! Cuts an input into JSON records, from lines or from one array, without ever holding more than one record.

use crate::LINE_CAP;
use std::io::{self, BufRead};

/// One record as it stands in the input.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    /// First byte of the record in the (decompressed) source.
    pub(crate) offset: u64,
    /// Bytes of the record; may be more than `bytes` holds.
    pub(crate) length: u64,
    /// The record, at most [`LINE_CAP`] bytes of it.
    pub(crate) bytes: &'a [u8],
    /// The input ended before the record was known to be whole.
    pub(crate) unterminated: bool,
    /// The record stands in an array.
    pub(crate) in_array: bool,
}

impl Element<'_> {
    /// Whether the record is longer than what is kept.
    pub(crate) const fn too_long(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// How records stand in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Not yet known, or an array was closed.
    Unknown,
    /// One record a line.
    Lines,
    /// Records of an array, each on one line or on many.
    Array,
    /// Objects, each on one line or on many, whatever brackets and commas stand between them.
    Objects,
}

/// Yields records one by one. Not an [`Iterator`], because each record borrows the buffer.
pub(crate) struct Elements<R> {
    reader: R,
    offset: u64,
    buffer: Vec<u8>,
    layout: Layout,
}

/// What one look at the available bytes gave: bytes to take, and whether the record ends with them.
struct Taken {
    count: usize,
    done: bool,
}

impl<R: BufRead> Elements<R> {
    /// Records of `reader`, from its first byte.
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, offset: 0, buffer: Vec::new(), layout: Layout::Unknown }
    }

    /// Objects of `reader`, from its first byte: one a line, of an array, or one after the other over many lines.
    pub(crate) const fn of_objects(reader: R) -> Self {
        Self { reader, offset: 0, buffer: Vec::new(), layout: Layout::Objects }
    }

    /// Bytes read so far.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the records stand in an array whose closing bracket has not been read.
    pub(crate) fn in_open_array(&self) -> bool {
        self.layout == Layout::Array
    }

    /// The next record; `None` at the end. Blank lines and the punctuation of an array are no records.
    ///
    /// # Errors
    /// When reading fails, as with a truncated gzip stream. Nothing can be read after that.
    pub(crate) fn next_element(&mut self) -> io::Result<Option<Element<'_>>> {
        loop {
            let Some(first) = self.skip_blank()? else { return Ok(None) };
            match (self.layout, first) {
                (Layout::Unknown, b'[') => self.layout = Layout::Array,
                (Layout::Array, b',') => {}
                (Layout::Array, b']') => self.layout = Layout::Unknown,
                (Layout::Objects, b'[' | b',' | b']') => {}
                (Layout::Array | Layout::Objects, b'{') => {
                    let mut object = ObjectScan::default();
                    return self.take(|available, kept| object.scan(available, kept)).map(Some);
                }
                (Layout::Array | Layout::Objects, _) => return self.take(scan_junk).map(Some),
                (Layout::Lines | Layout::Unknown, _) => {
                    if first == b'{' {
                        self.layout = Layout::Lines;
                    }
                    return self.take(scan_line).map(Some);
                }
            }
            self.consume(1);
        }
    }

    /// Passes over white space, and over the byte-order mark at the very beginning; gives the next byte.
    fn skip_blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                return Ok(None);
            }
            let mut blank = available.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if self.offset == 0 && blank == 0 && available.starts_with(b"\xef\xbb\xbf") {
                blank = 3;
            }
            let next = available.get(blank).copied();
            self.consume(blank);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.offset += count as u64;
    }

    /// Takes bytes while `scan` wants more; it is told how many came before.
    fn take(&mut self, mut scan: impl FnMut(&[u8], u64) -> Taken) -> io::Result<Element<'_>> {
        self.buffer.clear();
        let offset = self.offset;
        let mut total = 0_u64;
        let mut unterminated = false;
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                unterminated = true;
                break;
            }
            let Taken { count, done } = scan(available, total);
            let part = available.get(..count).unwrap_or(available);
            let room = LINE_CAP.saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(part.get(..room).unwrap_or(part));
            total += part.len() as u64;
            let count = part.len();
            self.consume(count);
            if done {
                break;
            }
        }
        let bytes =
            if total > self.buffer.len() as u64 { self.buffer.as_slice() } else { self.buffer.trim_ascii_end() };
        let trimmed = (self.buffer.len() - bytes.len()) as u64;
        let in_array = self.layout == Layout::Array;
        Ok(Element { offset, length: total - trimmed, bytes, unterminated, in_array })
    }
}

/// Takes up to the end of the line.
fn scan_line(available: &[u8], _kept: u64) -> Taken {
    match memchr::memchr(b'\n', available) {
        Some(end) => Taken { count: end, done: true },
        None => Taken { count: available.len(), done: false },
    }
}

/// Takes what is no record in an array: up to the end of the line or the next object.
fn scan_junk(available: &[u8], _kept: u64) -> Taken {
    match memchr::memchr2(b'\n', b'{', available) {
        Some(end) => Taken { count: end, done: true },
        None => Taken { count: available.len(), done: false },
    }
}

/// Follows one object of an array to its closing brace.
#[derive(Default)]
struct ObjectScan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    at_line_start: bool,
    /// Not valid JSON, or too long: braces cannot be trusted, so a brace in the first column ends the record. Exports
    /// that span lines put only the braces of whole records there.
    broken: bool,
}

impl ObjectScan {
    fn scan(&mut self, available: &[u8], kept: u64) -> Taken {
        if kept > LINE_CAP as u64 {
            self.broken = true;
        }
        for (at, byte) in available.iter().copied().enumerate() {
            if self.broken && self.at_line_start {
                match byte {
                    b'{' => return Taken { count: at, done: true },
                    b'}' => return Taken { count: at + 1, done: true },
                    _ => {}
                }
            }
            self.at_line_start = byte == b'\n';
            if self.in_string {
                self.scan_string(byte);
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' => self.depth += 1,
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Taken { count: at + 1, done: true };
                    }
                }
                _ => {}
            }
        }
        Taken { count: available.len(), done: false }
    }

    fn scan_string(&mut self, byte: u8) {
        match byte {
            // JSON allows no line end in a string: the closing quote is missing.
            b'\n' => {
                self.broken = true;
                self.in_string = false;
                self.escaped = false;
            }
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Records of `text`, read through a buffer of `size` bytes; each must lie where its offset says.
    fn records(text: &str, size: usize) -> (Vec<String>, bool) {
        let mut elements = Elements::new(BufReader::with_capacity(size, text.as_bytes()));
        let mut seen = Vec::new();
        while let Some(element) = elements.next_element().unwrap() {
            let (from, until) = (element.offset as usize, (element.offset + element.length) as usize);
            assert_eq!(&text.as_bytes()[from..until], element.bytes);
            seen.push(String::from_utf8(element.bytes.to_vec()).unwrap());
        }
        (seen, elements.in_open_array())
    }

    #[test]
    fn lines_and_arrays_give_the_same_records_whatever_the_buffer() {
        for size in [1, 2, 7, 4096] {
            for text in [
                "\u{feff}{\"a\":1}\r\n\n{\"b\":\"}{[\\\"\"}\n",
                "[{\"a\":1},{\"b\":\"}{[\\\"\"}]",
                "\n[ {\"a\":1}\n,{\"b\":\"}{[\\\"\"} ]\n",
            ] {
                // A byte-order mark split by a tiny buffer is not recognised; no real reader splits it.
                if size < 4 && text.starts_with('\u{feff}') {
                    continue;
                }
                let (seen, open) = records(text, size);
                assert_eq!(seen, ["{\"a\":1}", "{\"b\":\"}{[\\\"\"}"], "{text}");
                assert!(!open);
            }
        }
    }

    #[test]
    fn objects_are_told_apart_however_they_stand() {
        for text in [
            "{\"a\":1}\n{\n  \"b\": {\n    \"c\": \"}\"\n  }\n}\n",
            "[{\"a\":1},{\n  \"b\": {\n    \"c\": \"}\"\n  }\n}]",
        ] {
            let mut elements = Elements::of_objects(BufReader::with_capacity(3, text.as_bytes()));
            let mut seen = Vec::new();
            while let Some(element) = elements.next_element().unwrap() {
                seen.push(String::from_utf8(element.bytes.to_vec()).unwrap());
            }
            assert_eq!(seen, ["{\"a\":1}", "{\n  \"b\": {\n    \"c\": \"}\"\n  }\n}"], "{text}");
        }
    }

    #[test]
    fn pretty_printed_records_keep_their_lines() {
        let text = "[{\n  \"a\" : {\n    \"b\" : [ { } ]\n  }\n},{\n  \"c\" : 1\n}]\n";
        let (seen, open) = records(text, 5);
        assert_eq!(seen, ["{\n  \"a\" : {\n    \"b\" : [ { } ]\n  }\n}", "{\n  \"c\" : 1\n}"]);
        assert!(!open);
    }

    #[test]
    fn a_broken_record_of_an_array_does_not_swallow_the_next() {
        let text = "[{\n  \"a\" : \"no end,\n  \"b\" : {\n},{\n  \"c\" : 1\n}]";
        let (seen, open) = records(text, 3);
        assert_eq!(seen, ["{\n  \"a\" : \"no end,\n  \"b\" : {\n}", "{\n  \"c\" : 1\n}"]);
        assert!(!open);
    }

    #[test]
    fn a_cut_array_is_open_and_its_last_record_unterminated() {
        let mut elements = Elements::new(&b"[{\"a\":1},{\"b\""[..]);
        assert!(!elements.next_element().unwrap().unwrap().unterminated);
        assert!(elements.next_element().unwrap().unwrap().unterminated);
        assert!(elements.next_element().unwrap().is_none() && elements.in_open_array());
    }

    #[test]
    fn words_before_and_between_are_records_of_their_own() {
        let (seen, open) = records("Filtering the log data\n[{\"a\":1}, oops\n{\"b\":2}]", 64);
        assert_eq!(seen, ["Filtering the log data", "{\"a\":1}", "oops", "{\"b\":2}"]);
        assert!(!open);
    }

    #[test]
    fn a_record_beyond_the_cap_is_not_kept_whole() {
        let mut text = b"[{\"a\":\"".to_vec();
        text.resize(LINE_CAP + 100, b'x');
        text.extend_from_slice(b"\"},{\"b\":1}]");
        let mut elements = Elements::new(&text[..]);
        let first = elements.next_element().unwrap().unwrap();
        assert!(first.too_long());
        // From the brace at offset 1 to the brace two bytes after the filling.
        assert_eq!((first.bytes.len(), first.length), (LINE_CAP, LINE_CAP as u64 + 101));
        assert_eq!(elements.next_element().unwrap().unwrap().bytes, b"{\"b\":1}");
    }
}
