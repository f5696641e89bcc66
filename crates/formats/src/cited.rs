//! Where citations lead: the stream of bytes in which the offsets of a source count.

use crate::{Bundle, Input, OpenError, unified_log};
use std::{
    io::{self, BufRead, BufReader, Cursor, Read},
    ops::ControlFlow,
    path::Path,
};

/// Bytes of the head by which text is told from other data.
const HEAD_LENGTH: u64 = 4096;

/// Bytes of a file of the unified log, or of a file in a tar archive, that are read.
const LENGTH_CAP: u64 = 512 << 20;

/// The stream of one source.
pub struct Cited {
    /// The bytes: decompressed; of a tracev3 file its unpacked chunk sets, one after another.
    pub reader: Box<dyn BufRead>,
    /// Whether it is text, so that lines mean something.
    pub is_text: bool,
}

impl Cited {
    /// Opens a source by the name that records of it are cited by: a file, or a file in a tar archive, named after it.
    ///
    /// # Errors
    /// When there is no such source, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if path.is_file() {
            return Self::of(Input::open(path)?.reader);
        }
        let archive = path.ancestors().skip(1).find(|ancestor| ancestor.is_file());
        if let Some(archive) = archive
            && let Ok(name) = path.strip_prefix(archive)
            && let Some(bundle) = Bundle::open(archive)?
        {
            let name = name.to_string_lossy();
            let mut found = None;
            bundle.visit(&|candidate| candidate == name, &mut |_, bytes| {
                found = Some(bytes);
                ControlFlow::Break(())
            })?;
            if let Some(bytes) = found {
                return Self::of(Box::new(Cursor::new(bytes?)));
            }
        }
        Err(io::Error::from(io::ErrorKind::NotFound).into())
    }

    /// The stream of a source whose bytes, decompressed, `reader` gives.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(mut reader: Box<dyn BufRead>) -> Result<Self, OpenError> {
        let mut head = Vec::new();
        reader.by_ref().take(HEAD_LENGTH).read_to_end(&mut head)?;
        let is_text = !head.contains(&0);
        let is_trace = unified_log::is_trace_file(&head);
        let mut whole = Cursor::new(head).chain(reader);
        if !is_trace {
            return Ok(Self { reader: Box::new(BufReader::new(whole)), is_text });
        }
        let mut file = Vec::new();
        whole.by_ref().take(LENGTH_CAP).read_to_end(&mut file)?;
        Ok(Self { reader: Box::new(Cursor::new(unified_log::unpacked(&file))), is_text: false })
    }
}
