//! macOS unified log exports: what CFNetwork, Network.framework, nsurlsessiond and mDNSResponder say of requests.
//!
//! Read are the log's own files, exports of Apple's tool (`log show`, `log stream`) as JSON and as text, and the JSON of
//! decoders that read the log's files on any system. The log shows that a response was *received*, never that a program used it.

mod account;
mod archive;
mod connection;
mod detect;
mod message;
mod neighbours;
mod preface;
mod reader;
mod records;
mod task;
mod text;

pub(crate) use self::archive::{UnifiedLogArchive, is_store_folder, is_trace_file, unpacked};
pub(crate) use self::text::UnifiedLogText;
use self::{reader::Reader, records::Shape};
use crate::{Format, Head, Input, Records, Refusal, elements};
use monologue_model::{Sight, SightSet};

/// What both spellings can show. Bytes are those of Network.framework's close lines.
const SIGHTS: SightSet = SightSet::of(&[Sight::TaskLifecycle, Sight::FlowBytes, Sight::DnsQuery]);

/// Exports of Apple's `log` tool: one object a line (`--style ndjson`) or one array (`--style json`).
///
/// Layout: manual page `log(1)`; the keys are those of an `OSLogEntryLog` with its process, sender and activity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnifiedLog;

impl Format for UnifiedLog {
    fn name(&self) -> &'static str {
        Shape::Apple.format()
    }

    fn about(&self) -> &'static str {
        "macOS unified log, exported by `log show` or `log stream` with --style ndjson or json"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        detect::apple(head)
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader::new(input, Shape::Apple))
    }
}

/// JSON Lines written by decoders built on the `macos-unifiedlogs` library, from the log's own files (tracev3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnifiedLogDecoded;

impl Format for UnifiedLogDecoded {
    fn name(&self) -> &'static str {
        Shape::Decoded.format()
    }

    fn about(&self) -> &'static str {
        "macOS unified log, decoded from tracev3 files to JSON Lines by macos-unifiedlogs tools"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        detect::decoded(head)
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader::new(input, Shape::Decoded))
    }
}
