//! Readers: bytes to events. One format is one file, two lines in [`FORMATS`] and one sample.

mod asa;
mod bundle;
mod cited;
mod cortex;
mod crowdstrike;
mod defender;
mod dns_message;
mod dnstap;
mod elastic;
mod elements;
mod endpoint;
mod eslogger;
mod har;
mod history;
mod input;
mod jamf;
mod lines;
mod little_snitch;
mod lsof;
mod mapped;
mod mitmproxy;
mod netflow;
mod nettop;
mod objective_see;
mod osquery;
mod packets;
#[cfg(feature = "parquet")]
mod parquet_pages;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod rows;
mod santa;
mod sentinelone;
mod squid;
mod suricata;
mod target;
mod texts;
mod times;
mod unified_log;
mod url;
mod zeek;
mod zip;
mod zone;

pub use bundle::Bundle;
pub use cited::Cited;
pub use input::{DECOMPRESSED_CAP, Head, Input, OpenError};
pub use lines::{LINE_CAP, Line, Lines};
pub use mapped::{MappingError, user_mapping};
pub use zone::Zone;

use monologue_model::{Event, SightSet};

/// What became of one step of reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// The event of one record.
    Event(Box<Event>),
    /// An event that follows from records already counted, such as a coverage statement or the second event of a record.
    Derived(Box<Event>),
    /// A record that is understood and of no use here; the reason is for the reader of the counts.
    Skipped(&'static str),
}

/// A record that could not be read. Reading goes on after it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {expected}")]
pub struct Malformed {
    /// First byte of the record.
    pub offset: u64,
    /// Bytes of the record.
    pub length: u64,
    /// What was expected there.
    pub expected: String,
}

/// Why a format does not read an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// What a reader yields: for every record exactly one event, one skip or one malformation, and any number of derived
/// events besides. So events + skipped + malformed = records.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Item, Malformed>> + 'a>;

/// From where a source looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vantage {
    /// On the Mac itself: its files belong to one host, which they seldom name.
    Endpoint,
    /// From the network: it knows hosts by their addresses.
    Network,
}

/// A telemetry format.
pub trait Format: Sync {
    /// Its name, as in `--format zeek-conn`.
    fn name(&self) -> &'static str;
    /// One line for `monologue formats`: what it is and who writes it.
    fn about(&self) -> &'static str;
    /// What it can show, and so what its silence would mean.
    fn sights(&self) -> SightSet;
    /// From where its source looks.
    fn vantage(&self) -> Vantage {
        Vantage::Endpoint
    }
    /// Whether it reads this input.
    ///
    /// # Errors
    /// The reason why not.
    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal>;
    /// Reads all records.
    fn read<'a>(&self, input: Input<'a>) -> Records<'a>;
    /// Whether it reads this bundle: several files that only make sense together.
    ///
    /// # Errors
    /// The reason why not.
    fn detect_bundle(&self, _bundle: &Bundle) -> Result<(), Refusal> {
        Err(Refusal("reads single files only".to_owned()))
    }
    /// Reads all records of a bundle. Formats that read single files have none.
    fn read_bundle(&self, _bundle: Bundle) -> Records<'static> {
        Box::new(std::iter::empty())
    }
}

/// Every format, in the order in which they are asked.
pub static FORMATS: &[&dyn Format] = &[
    &eslogger::ESLOGGER,
    &eslogger::MAC_MONITOR,
    &eslogger::JAMF_TELEMETRY,
    &crowdstrike::CROWDSTRIKE,
    &defender::DEFENDER,
    &defender::DEFENDER_CSV,
    &sentinelone::SENTINELONE,
    &elastic::ELASTIC,
    &cortex::CORTEX,
    &jamf::JAMF,
    &santa::SANTA,
    &santa::SANTA_LOG,
    &santa::SANTA_SPOOL,
    &osquery::OSQUERY,
    &objective_see::MONITORS,
    &objective_see::DNS_MONITOR,
    &little_snitch::LITTLE_SNITCH,
    &nettop::NETTOP,
    &lsof::LSOF,
    &unified_log::UnifiedLog,
    &unified_log::UnifiedLogDecoded,
    &unified_log::UnifiedLogArchive,
    &unified_log::UnifiedLogText,
    &zeek::CONN,
    &zeek::HTTP,
    &zeek::SSL,
    &zeek::DNS,
    &zeek::CAPTURE_LOSS,
    &zeek::OTHER,
    &squid::SQUID,
    &squid::CISCO_WSA,
    &mitmproxy::Mitmproxy,
    &har::Har,
    &mapped::ZSCALER_WEB,
    &mapped::UMBRELLA_PROXY,
    &mapped::UMBRELLA_DNS,
    &mapped::UMBRELLA_DNS_JSON,
    &mapped::NETSKOPE_WEB,
    &mapped::CLOUDFLARE_GATEWAY,
    &mapped::BLUECOAT,
    &mapped::WEBGATEWAY,
    &mapped::PAN_TRAFFIC,
    &mapped::PAN_URL,
    &mapped::FORTIGATE,
    &mapped::CISCO_FTD,
    &asa::CISCO_ASA,
    &mapped::CEF_WEB,
    &mapped::CEF_FLOW,
    &mapped::LEEF_WEB,
    &mapped::HAPROXY,
    &mapped::ENVOY,
    &mapped::AWS_VPC_FLOW,
    &mapped::ROUTE53_RESOLVER,
    &mapped::NFDUMP,
    &mapped::BIND,
    &mapped::UNBOUND,
    &mapped::OCSF_HTTP,
    &mapped::OCSF_NETWORK,
    &mapped::OCSF_DNS,
    &packets::AppleCapture,
    &netflow::Netflow,
    &packets::Capture,
    &suricata::Eve,
    &dnstap::Dnstap,
];

/// The format of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The first format that reads this input.
///
/// # Errors
/// The refusal of every format, by name, when none does.
pub fn detect(head: &Head<'_>) -> Result<&'static dyn Format, Vec<(&'static str, Refusal)>> {
    let mut refusals = Vec::new();
    for format in FORMATS.iter().copied() {
        match format.detect(head) {
            Ok(()) => return Ok(format),
            Err(refusal) => refusals.push((format.name(), refusal)),
        }
    }
    Err(refusals)
}

/// The first format that reads this bundle.
///
/// # Errors
/// The refusal of every format, by name, when none does.
pub fn detect_bundle(bundle: &Bundle) -> Result<&'static dyn Format, Vec<(&'static str, Refusal)>> {
    let mut refusals = Vec::new();
    for format in FORMATS.iter().copied() {
        match format.detect_bundle(bundle) {
            Ok(()) => return Ok(format),
            Err(refusal) => refusals.push((format.name(), refusal)),
        }
    }
    Err(refusals)
}

/// Whether a folder is one input, not to be walked file by file: the files of the unified log, as `log collect` or a copy
/// of `/private/var/db/diagnostics` (with `uuidtext` within or beside it) holds them.
#[must_use]
pub fn is_bundle_folder(path: &std::path::Path) -> bool {
    unified_log::is_store_folder(path)
}
