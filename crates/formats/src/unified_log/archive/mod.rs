//! The unified log's own files: `.logarchive` folders, the one in a sysdiagnose, copies of the store, single tracev3 files.
//!
//! The `macos-unifiedlogs` library puts texts together. Which records it gets to see is decided here, by the image that
//! wrote them, before any string is built; so are their times, to the nanosecond, and their places.

mod bitmap;
mod catalog;
mod chunks;
mod clock;
mod decode;
mod points;
mod reader;
mod strings;
mod texts;

use super::{SIGHTS, records::Shape};
use crate::{Bundle, Format, Head, Input, Records, Refusal};
use monologue_model::SightSet;
use std::path::Path;

/// Whether a file that begins so is a tracev3 file: the header chunk, and the first part of its content, the clock of the boot
/// session.
pub(crate) fn is_trace_file(head: &[u8]) -> bool {
    chunks::u32_at(head, 0) == Some(chunks::HEADER) && chunks::u32_at(head, 0x38) == Some(0x6100)
}

/// The unpacked chunk sets of a tracev3 file, one after another: what the offsets of its records count in. A set that cannot be
/// unpacked is as many zeros as it says it would hold.
pub(crate) fn unpacked(file: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for set in chunks::Chunks::new(file).flatten().filter(|chunk| chunk.tag == chunks::CHUNK_SET) {
        match chunks::unpack(set.content()) {
            Ok(set) => stream.extend(set),
            Err(_) => {
                let length = chunks::stated_length(set.content());
                stream.resize(stream.len().saturating_add(usize::try_from(length).unwrap_or(0)), 0);
            }
        }
    }
    stream
}

/// The log's own files.
///
/// Layout: "Apple Unified Logging and Activity Tracing formats" of the dtformats project.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnifiedLogArchive;

impl Format for UnifiedLogArchive {
    fn name(&self) -> &'static str {
        Shape::Archive.format()
    }

    fn about(&self) -> &'static str {
        "macOS unified log as macOS stores it: .logarchive, sysdiagnose .tar.gz, tracev3 files with their strings"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        if is_trace_file(head.bytes) {
            return Ok(());
        }
        Err(Refusal("expected a tracev3 file (tag 0x1000), a .logarchive folder, or a tar with one".to_owned()))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        reader::single(input)
    }

    fn detect_bundle(&self, bundle: &Bundle) -> Result<(), Refusal> {
        if bundle.names().any(is_trace_name) {
            return Ok(());
        }
        Err(Refusal("expected .tracev3 files in it, as in a .logarchive or sysdiagnose, found none".to_owned()))
    }

    fn read_bundle(&self, bundle: Bundle) -> Records<'static> {
        Box::new(reader::Reader::new(bundle))
    }
}

/// Whether a file of a bundle is a tracev3 file, by its name.
fn is_trace_name(name: &str) -> bool {
    name.ends_with(".tracev3")
}

/// Whether a folder holds files of the log that belong together.
pub(crate) fn is_store_folder(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension == "logarchive") {
        return path.is_dir();
    }
    // A copy of /private/var/db: the log and, beside it, its strings.
    if path.join("diagnostics").is_dir() && path.join("uuidtext").is_dir() {
        return true;
    }
    // A copy of /private/var/db/diagnostics, or tracev3 files with what they need.
    path.join("timesync").is_dir()
        && std::fs::read_dir(path).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name();
                name == "Persist" || name.to_string_lossy().ends_with(".tracev3")
            })
        })
}
