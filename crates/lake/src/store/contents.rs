//! A stored file that a Parquet reader can read in pieces.

use bytes::{Buf, Bytes};
use parquet::{
    errors::Result as ParquetResult,
    file::reader::{ChunkReader, Length},
};
use std::{
    fs::File,
    io::{self, BufReader, Read},
};

/// A stored file, opened.
///
/// For a local file, all readers share one place in it, as [`ChunkReader`] allows: let one thread at a time read.
#[derive(Debug)]
pub enum Contents {
    /// A local file.
    File(File),
    /// The whole content, in memory.
    Bytes(Bytes),
}

/// Reads [`Contents`] onwards from one place.
#[derive(Debug)]
pub enum ContentsReader {
    /// Of a local file.
    File(BufReader<File>),
    /// Of bytes in memory.
    Bytes(bytes::buf::Reader<Bytes>),
}

impl Contents {
    /// A reader from the first byte on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reader(&self) -> io::Result<ContentsReader> {
        self.get_read(0).map_err(io::Error::other)
    }
}

impl Read for ContentsReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(reader) => reader.read(buffer),
            Self::Bytes(reader) => reader.read(buffer),
        }
    }
}

impl Length for Contents {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Bytes(bytes) => Length::len(bytes),
        }
    }
}

impl ChunkReader for Contents {
    type T = ContentsReader;

    fn get_read(&self, start: u64) -> ParquetResult<ContentsReader> {
        Ok(match self {
            Self::File(file) => ContentsReader::File(file.get_read(start)?),
            Self::Bytes(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                ContentsReader::Bytes(bytes.slice(start..).reader())
            }
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Bytes(bytes) => bytes.get_bytes(start, length),
        }
    }
}
