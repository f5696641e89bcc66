//! Inputs: opening a file, undoing compression within bounds, looking at its head.

use crate::{zip, zone::Zone};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

/// Bytes of the head that formats are detected by.
const HEAD_LENGTH: usize = 64 * 1024;

/// Decompressed bytes read from one source before it is cut: 64 GiB.
pub const DECOMPRESSED_CAP: u64 = 64 << 30;

/// Decompressed bytes allowed for each compressed byte, after the first 64 MiB: what no honest log reaches.
const EXPANSION_CAP: u64 = 2000;

/// The beginning of an input, decompressed.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// File name without folders.
    pub name: &'a str,
    /// The first bytes, at most 64 KiB.
    pub bytes: &'a [u8],
    /// Whether these are all bytes there are.
    pub complete: bool,
}

impl<'a> Head<'a> {
    /// The lines of the head without their ends and without a byte-order mark. The last may be cut.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .map(|line| line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line))
    }

    /// The first line that is not empty, without its end; at most the head. `None` if there is none.
    #[must_use]
    pub fn first_line(&self) -> Option<&'a [u8]> {
        self.lines().find(|line| !line.trim_ascii().is_empty())
    }
}

/// One input, ready to be read from its first byte.
pub struct Input<'a> {
    /// The source as the user named it.
    pub source: Arc<str>,
    /// Its bytes, decompressed.
    pub reader: Box<dyn BufRead + 'a>,
    /// Zone of the times in it that name none.
    pub zone: Zone,
}

/// Why an input could not be opened. The caller knows its path.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file has no bytes.
    #[error("it is empty")]
    Empty,
}

impl Input<'static> {
    /// Opens a file. gzip, zstd and zip archives of one file are undone; the result is capped, so a bomb is an error in the
    /// middle, not a full disk. With the feature `parquet`, rows of Parquet files are given as lines of JSON.
    ///
    /// # Errors
    /// When the file cannot be opened, or has no bytes.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { source: path.display().to_string().into(), reader: plain(path)?, zone: Zone::default() })
    }
}

/// The bytes of a file, compression undone within bounds.
pub(crate) fn plain(path: &Path) -> Result<Box<dyn BufRead>, OpenError> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let magic = file.fill_buf()?;
    if magic.is_empty() {
        return Err(OpenError::Empty);
    }
    Ok(if magic.starts_with(&[0x1f, 0x8b]) {
        capped(|counted| Ok(flate2::read::MultiGzDecoder::new(counted)), file)?
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        capped(zstd::stream::read::Decoder::with_buffer, file)?
    } else if magic.starts_with(zip::MAGIC) {
        let member = zip::only_member(file)?;
        if member.deflated {
            capped(|counted| Ok(flate2::bufread::DeflateDecoder::new(counted)), member.bytes)?
        } else {
            Box::new(member.bytes)
        }
    } else {
        as_text(file)?
    })
}

/// A file that is not compressed: its bytes, or those of a Parquet file's rows written as lines of JSON.
#[cfg(feature = "parquet")]
fn as_text(mut file: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    use crate::parquet_rows;
    if file.fill_buf()?.starts_with(parquet_rows::MAGIC) {
        return Ok(Box::new(BufReader::with_capacity(256 * 1024, parquet_rows::lines(file.into_inner())?)));
    }
    Ok(Box::new(file))
}

#[cfg(not(feature = "parquet"))]
fn as_text(file: BufReader<File>) -> io::Result<Box<dyn BufRead>> {
    Ok(Box::new(file))
}

impl<'a> Input<'a> {
    /// An input that stands in memory, for tests and the demo.
    #[must_use]
    pub fn from_bytes(source: &str, bytes: &'a [u8]) -> Self {
        Self { source: source.into(), reader: Box::new(bytes), zone: Zone::default() }
    }

    /// Reads the head and puts it back, so that reading starts at the first byte.
    ///
    /// # Errors
    /// When reading fails before the first byte; a later failure only shortens the head.
    pub fn with_head<T>(self, look: impl FnOnce(&Head<'_>) -> T) -> io::Result<(T, Self)> {
        let mut reader = self.reader;
        let mut bytes = Vec::new();
        let error = reader.by_ref().take(HEAD_LENGTH as u64).read_to_end(&mut bytes).err();
        if let (Some(error), true) = (&error, bytes.is_empty()) {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        let name = self.source.rsplit(['/', '\\']).next().unwrap_or(&self.source);
        let looked = look(&Head { name, bytes: &bytes, complete: bytes.len() < HEAD_LENGTH && error.is_none() });
        let rest = Box::new(BufReader::new(AfterError { error, reader }));
        let reader = Box::new(io::Cursor::new(bytes).chain(rest));
        Ok((looked, Self { source: self.source.clone(), reader, zone: self.zone }))
    }
}

/// Gives back an error met while looking at the head, then the rest.
struct AfterError<R> {
    error: Option<io::Error>,
    reader: R,
}

impl<R: Read> Read for AfterError<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.reader.read(buffer),
        }
    }
}

/// Counts the compressed bytes taken.
struct Counted<R> {
    reader: R,
    count: std::rc::Rc<std::cell::Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Ends a decompressed stream that grows beyond all reason.
struct Capped<R> {
    reader: R,
    compressed: std::rc::Rc<std::cell::Cell<u64>>,
    decompressed: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.decompressed += read as u64;
        let allowed = (64 << 20) + self.compressed.get().saturating_mul(EXPANSION_CAP);
        if self.decompressed > DECOMPRESSED_CAP.min(allowed) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "decompressed stream passes {} bytes, more than its compressed size explains",
                    self.decompressed
                ),
            ));
        }
        Ok(read)
    }
}

type Compressed<R> = BufReader<Counted<R>>;

fn capped<R: Read, D: Read + 'static>(
    decoder: impl FnOnce(Compressed<R>) -> io::Result<D>,
    file: R,
) -> io::Result<Box<dyn BufRead>> {
    let compressed = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = BufReader::new(Counted { reader: file, count: compressed.clone() });
    let reader = decoder(counted)?;
    Ok(Box::new(BufReader::with_capacity(256 * 1024, Capped { reader, compressed, decompressed: 0 })))
}
