//! The truth of links: which records of which files belong to one request.

use crate::{Moment, mac::Process, network::Service};
use serde::Serialize;
use std::collections::BTreeMap;

/// What kind of record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The `exec` by which the asking program began.
    Eslogger,
    /// A line of CFNetwork or `nsurlsessiond` about the task.
    UnifiedLogTask,
    /// A line of Network.framework about the connection.
    UnifiedLogConnection,
    /// A row of `conn.log`.
    ZeekConn,
    /// A row of `http.log`.
    ZeekHttp,
    /// A row of `ssl.log`.
    ZeekSsl,
    /// The row of `dns.log` from which the host knew the address.
    ZeekDns,
}

/// Records of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Path of the file below the folder of the fleet.
    pub file: String,
    /// First byte of each record; of a copied record, of every copy.
    pub offsets: Vec<u64>,
}

/// The truth about one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkTruth {
    /// Its number in the recording.
    pub request: u64,
    /// The host that asked.
    pub host: String,
    /// Path of the program that asked.
    pub program: String,
    /// Script for which a general program asked. `None` means nobody recorded it, because it asked for itself.
    pub agent: Option<String>,
    /// Process identifier of the program.
    pub pid: u32,
    /// Full host name asked for, or address.
    pub destination: String,
    /// Registrable domain, or address.
    pub service: String,
    /// When the connection began, on the clock of the Macs: nanoseconds since the epoch.
    pub opened_ns: i64,
    /// Local address and port as the Mac names them.
    pub own_end: String,
    /// Local address and port as the network sensor sees them.
    pub seen_end: String,
    /// Its records, by kind. A kind is missing where nobody recorded it.
    pub records: BTreeMap<Source, Records>,
}

/// A request under way. Records have numbers until their files are written; 0 stands for none.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    host: String,
    program: String,
    pub(crate) agent: Option<String>,
    pid: u32,
    destination: String,
    service: String,
    pub(crate) opened: Moment,
    pub(crate) own_end: String,
    pub(crate) seen_end: String,
    records: Vec<(Source, u64)>,
}

impl Trace {
    pub(crate) fn new(host: &str, process: &Process, service: &Service) -> Self {
        let mut trace = Self {
            host: host.to_owned(),
            program: process.program.path.clone(),
            agent: None,
            pid: process.token.pid,
            destination: service.name.clone(),
            service: service.registrable(),
            opened: 0,
            own_end: String::new(),
            seen_end: String::new(),
            records: Vec::new(),
        };
        trace.note(Source::Eslogger, process.begun_by);
        trace
    }

    /// Notes one of its records, unless nobody wrote it.
    pub(crate) fn note(&mut self, source: Source, record: u64) {
        if record > 0 {
            self.records.push((source, record));
        }
    }

    fn file(&self, source: Source) -> String {
        match source {
            Source::Eslogger => eslogger_path(&self.host),
            Source::UnifiedLogTask | Source::UnifiedLogConnection => unified_log_path(&self.host),
            Source::ZeekConn => network_path("conn"),
            Source::ZeekHttp => network_path("http"),
            Source::ZeekSsl => network_path("ssl"),
            Source::ZeekDns => network_path("dns"),
        }
    }

    /// Its truth, now that all files are written.
    pub(crate) fn settle(self, request: u64, places: &Places) -> LinkTruth {
        let mut records: BTreeMap<Source, Records> = BTreeMap::new();
        for (source, number) in &self.records {
            let file = self.file(*source);
            let offsets = places.of(&file, *number);
            if !offsets.is_empty() {
                let entry = records.entry(*source).or_insert_with(|| Records { file, offsets: Vec::new() });
                entry.offsets.extend_from_slice(offsets);
                entry.offsets.sort_unstable();
                entry.offsets.dedup();
            }
        }
        LinkTruth {
            request,
            host: self.host,
            program: self.program,
            agent: self.agent,
            pid: self.pid,
            destination: self.destination,
            service: self.service,
            opened_ns: self.opened,
            own_end: self.own_end,
            seen_end: self.seen_end,
            records,
        }
    }
}

pub(crate) fn eslogger_path(host: &str) -> String {
    format!("hosts/{host}/eslogger.ndjson")
}

pub(crate) fn unified_log_path(host: &str) -> String {
    format!("hosts/{host}/unified.ndjson")
}

pub(crate) fn network_path(log: &str) -> String {
    format!("network/{log}.log")
}

/// Where records came to stand, by file and number.
#[derive(Default)]
pub(crate) struct Places(BTreeMap<String, BTreeMap<u64, Vec<u64>>>);

impl Places {
    fn of(&self, file: &str, number: u64) -> &[u64] {
        self.0.get(file).and_then(|places| places.get(&number)).map_or(&[], Vec::as_slice)
    }

    /// Writes records to the end of a file, a line each, and notes where those with a number stand.
    pub(crate) fn write(&mut self, file: &str, bytes: &mut Vec<u8>, records: Vec<(String, u64)>) {
        let places = self.0.entry(file.to_owned()).or_default();
        for (text, number) in records {
            if number > 0 {
                places.entry(number).or_default().push(bytes.len() as u64);
            }
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(b'\n');
        }
    }
}
