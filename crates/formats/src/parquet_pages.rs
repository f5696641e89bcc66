//! What the pages of a Parquet file claim to hold, looked at before the library makes room for it.
//!
//! A page begins with a `PageHeader` in Thrift's compact protocol (Apache Parquet, `parquet.thrift`; Apache Thrift,
//! "Thrift Compact protocol encoding"): field 2 is the size of the page when decompressed, field 3 its size in the file.

use parquet::file::metadata::ParquetMetaData;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// Bytes that a page may have when decompressed. Writers aim at one MiB; a single long value may make more of it.
pub(crate) const PAGE_CAP: u64 = 64 << 20;

/// Bytes of a page's header, which may hold the least and the greatest value.
const HEADER_CAP: u64 = 16 << 20;

/// Structures within structures: a page header has three levels.
const DEPTH_CAP: usize = 8;

/// Checks that no page of a file claims more than [`PAGE_CAP`] bytes.
///
/// # Errors
/// The first page that does, or a header that cannot be read.
pub(crate) fn check(file: impl Read + Seek, metadata: &ParquetMetaData) -> io::Result<()> {
    let mut file = BufReader::with_capacity(4096, file);
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (start, length) = column.byte_range();
        let end = start.saturating_add(length);
        let mut at = start;
        while at < end {
            file.seek(SeekFrom::Start(at))?;
            let mut header = Header { input: (&mut file).take(HEADER_CAP), read: 0 };
            let (decompressed, compressed) = header.sizes().map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => wrong(format!("expected the header of a page at byte {at}")),
                _ => error,
            })?;
            if decompressed > PAGE_CAP {
                let expected =
                    format!("expected pages of at most {PAGE_CAP} bytes, found one that claims {decompressed}");
                return Err(wrong(expected));
            }
            at = at.saturating_add(header.read).saturating_add(compressed);
        }
    }
    Ok(())
}

fn wrong(expected: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, expected)
}

/// One header while it is read.
struct Header<R> {
    input: R,
    read: u64,
}

/// Types of the compact protocol.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

impl<R: BufRead> Header<R> {
    /// Bytes of the page when decompressed, and in the file.
    fn sizes(&mut self) -> io::Result<(u64, u64)> {
        let (mut decompressed, mut compressed) = (None, None);
        let mut last = 0;
        while let Some((field, kind)) = self.field(last)? {
            match (field, kind) {
                (2, kind::I32) => decompressed = Some(self.size()?),
                (3, kind::I32) => compressed = Some(self.size()?),
                (_, kind) => self.skip(kind, 0)?,
            }
            last = field;
        }
        decompressed.zip(compressed).ok_or_else(|| wrong("expected the header of a page to say its sizes".to_owned()))
    }

    /// The next field's number and type. `None`: there is none.
    fn field(&mut self, last: i64) -> io::Result<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Ok(None);
        }
        let step = i64::from(byte >> 4);
        let field = if step == 0 { self.number()? } else { last.saturating_add(step) };
        Ok(Some((field, byte & 0x0f)))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.read += 1;
        Ok(byte[0])
    }

    /// A number of seven bits a byte, the least first.
    fn unsigned(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(wrong("expected a number of at most ten bytes in the header of a page".to_owned()))
    }

    /// A number whose sign is in its last bit.
    fn number(&mut self) -> io::Result<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn size(&mut self) -> io::Result<u64> {
        let number = self.number()?;
        u64::try_from(number).map_err(|_| wrong(format!("expected the size of a page, found {number}")))
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink())?;
        self.read += passed;
        if passed < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn skip(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        if depth > DEPTH_CAP {
            return Err(wrong(format!("expected at most {DEPTH_CAP} levels in the header of a page")));
        }
        match kind {
            kind::TRUE | kind::FALSE => Ok(()),
            kind::BYTE => self.pass(1),
            kind::I16 | kind::I32 | kind::I64 => self.unsigned().map(|_| ()),
            kind::DOUBLE => self.pass(8),
            kind::BINARY => {
                let bytes = self.unsigned()?;
                self.pass(bytes)
            }
            kind::LIST | kind::SET => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.unsigned()? } else { u64::from(byte >> 4) };
                // Truth values take a byte each in lists.
                let element = if matches!(byte & 0x0f, kind::TRUE | kind::FALSE) { kind::BYTE } else { byte & 0x0f };
                (0..count).try_for_each(|_| self.skip(element, depth + 1))
            }
            kind::STRUCT => {
                let mut last = 0;
                while let Some((field, kind)) = self.field(last)? {
                    self.skip(kind, depth + 1)?;
                    last = field;
                }
                Ok(())
            }
            // Maps: no page header has one.
            other => Err(wrong(format!("expected a type that the header of a page has, found {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bytes: &[u8]) -> io::Result<(u64, u64, u64)> {
        let mut header = Header { input: bytes, read: 0 };
        let (decompressed, compressed) = header.sizes()?;
        Ok((decompressed, compressed, header.read))
    }

    /// A page header by hand: type 0, 300 bytes decompressed (zigzag 600 = 0xd8 0x04), 17 in the file (zigzag 34), a data page
    /// header of 5 values with encodings and statistics, then the first byte of the page.
    const PAGE: &[u8] = &[
        0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x22, // type, sizes
        0x2c, 0x15, 0x0a, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, // field 5: values, encodings
        0x1c, 0x18, 0x03, b'x', b'y', b'z', 0x16, 0x02, 0x21,
        0x00, // statistics: binary, i64, a truth value, stop
        0x00, 0x00, 0xff, // stop, stop, the page
    ];

    #[test]
    fn the_sizes_of_a_page_are_found_and_the_end_of_its_header() {
        assert_eq!(sizes(PAGE).unwrap(), (300, 17, 28));
        // Field numbers in full instead of steps: 05 04 is field 2 of type i32.
        assert_eq!(sizes(&[0x05, 0x04, 0x02, 0x05, 0x06, 0x04, 0x00]).unwrap(), (1, 2, 7));
        // A list of two truth values, and one of 16 numbers whose count stands apart.
        let mut lists = vec![0x19, 0x21, 0x01, 0x02, 0x15, 0x02, 0x15, 0x04, 0x19, 0xf5, 0x10];
        lists.extend([0x00; 16]);
        lists.push(0x00);
        assert_eq!(sizes(&lists).unwrap(), (1, 2, 28));
    }

    #[test]
    fn headers_made_to_mislead_are_refused() {
        let refused = |bytes: &[u8]| sizes(bytes).unwrap_err().to_string();
        for length in 0..28 {
            assert!(sizes(&PAGE[..length]).is_err(), "cut at {length}");
        }
        assert_eq!(refused(&[0x25, 0x01, 0x15, 0x02, 0x00]), "expected the size of a page, found -1");
        assert_eq!(refused(&[0x00]), "expected the header of a page to say its sizes");
        assert!(refused(&[0x1c; 40]).starts_with("expected at most 8 levels"));
        assert!(
            refused(&[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).contains("ten bytes")
        );
        assert_eq!(sizes(&[0x18, 0xff, 0xff, 0x7f, 0x00]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(refused(&[0x1b]), "expected a type that the header of a page has, found 11");
    }
}
