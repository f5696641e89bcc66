//! Dead letters: what could not be delivered, as it stood, so that it can be sent again.

use crate::SendError;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// The file of dead letters, made when the first one comes. What is in it already stays.
pub(crate) struct DeadLetters {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl DeadLetters {
    /// Dead letters in this file.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None }
    }

    /// Keeps an item.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn keep(&mut self, item: &[u8]) -> Result<(), SendError> {
        let kept = self.open().and_then(|file| file.write_all(item).and_then(|()| file.write_all(b"\n")));
        kept.map_err(|source| self.failed(source))
    }

    /// Makes sure that all of them are in the file.
    ///
    /// # Errors
    /// As [`DeadLetters::keep`].
    pub(crate) fn flush(&mut self) -> Result<(), SendError> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        flushed.map_err(|source| self.failed(source))
    }

    fn open(&mut self) -> io::Result<&mut BufWriter<File>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => BufWriter::new(OpenOptions::new().append(true).create(true).open(&self.path)?),
        };
        Ok(self.file.insert(file))
    }

    fn failed(&self, source: io::Error) -> SendError {
        SendError::DeadLetters { path: self.path.display().to_string(), source }
    }
}

/// Passes bytes on as they come, for items too long to be held.
impl Write for DeadLetters {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}
