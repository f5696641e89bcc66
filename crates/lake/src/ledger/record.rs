//! What a publication says, as a ledger file holds it.

use super::{
    LedgerError,
    names::{self, LAYOUT},
};
use crate::store::{Store, StoreError};
use monologue_model::{Sha256, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Largest ledger file of one publication, in bytes.
pub(super) const RECORD_BYTES: u64 = 256 << 20;

/// Largest `lake.json`, in bytes.
pub(super) const LAKE_FILE_BYTES: u64 = 1 << 20;

/// One data file of a table: rows of one date and bucket. A lake of years holds hundreds of thousands of them, so that
/// the path, which follows from the rest, is not kept.
///
/// Ordered by table, date, bucket, publication, and its place in that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct DataFile {
    /// The table.
    pub table: Arc<str>,
    /// The date of its rows in UTC, such as `2026-03-02`.
    pub date: Arc<str>,
    /// The bucket of its rows' owners.
    pub bucket: u16,
    /// The publication that added it.
    pub publication: u64,
    /// Which of the files of that publication it is, from 1.
    pub count: u32,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Time of the first row, in nanoseconds since the Unix epoch.
    pub first_time_ns: i64,
    /// Time of the last row, in nanoseconds since the Unix epoch.
    pub last_time_ns: i64,
    /// Hash of the bytes.
    pub sha256: Sha256,
}

/// A data file as ledger files state it.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Its path inside the lake.
    path: String,
    table: Arc<str>,
    date: Arc<str>,
    bucket: u16,
    rows: u64,
    bytes: u64,
    first_time_ns: i64,
    last_time_ns: i64,
    sha256: Sha256,
}

impl From<DataFile> for Written {
    fn from(file: DataFile) -> Self {
        let path = file.path();
        let DataFile { table, date, bucket, rows, bytes, first_time_ns, last_time_ns, sha256, .. } = file;
        Self { path, table, date, bucket, rows, bytes, first_time_ns, last_time_ns, sha256 }
    }
}

impl TryFrom<Written> for DataFile {
    type Error = String;

    /// Checks that path and fields say the same, and nothing leaves the lake.
    fn try_from(written: Written) -> Result<Self, String> {
        let Written { path, table, date, bucket, rows, bytes, first_time_ns, last_time_ns, sha256 } = written;
        let shown = || -> String { path.chars().take(120).collect() };
        let named = names::parse_data_path(&path)
            .filter(|named| (named.table, named.date) == (&*table, &*date) && named.bucket == bucket);
        let Some(names::DataPath { publication, count, .. }) = named else {
            return Err(format!("expected a path of its table, date and bucket, found {:?}", shown()));
        };
        if first_time_ns > last_time_ns {
            return Err(format!("expected a first time before the last of {:?}", shown()));
        }
        Ok(Self { table, date, bucket, publication, count, rows, bytes, first_time_ns, last_time_ns, sha256 })
    }
}

impl DataFile {
    /// Its path inside the lake: `<table>/date=<date>/bucket=<bucket>/<publication>-<count>.parquet`.
    #[must_use]
    pub fn path(&self) -> String {
        names::data_path(&self.table, &self.date, self.bucket, self.publication, self.count)
    }

    /// What its path says.
    pub(super) fn place(&self) -> names::DataPath<'_> {
        names::DataPath {
            table: &self.table,
            date: &self.date,
            bucket: self.bucket,
            publication: self.publication,
            count: self.count,
        }
    }

    /// Checks that its bucket is one that the lake has.
    pub(super) fn problem(&self, buckets: u16) -> Option<String> {
        (self.bucket >= buckets).then(|| format!("expected one of {buckets} buckets, found {:?}", self.path()))
    }
}

/// What was taken from one source, so that it is not taken again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// The source as the user named it, usually a path.
    pub source: Arc<str>,
    /// Hash of its content as stored, before decompression.
    pub content_sha256: Sha256,
    /// Bytes of that content.
    pub content_bytes: u64,
    /// Offset in the decompressed stream up to which records were taken.
    pub taken_until: u64,
    /// The format it was read as. `None` means every format refused it.
    pub format: Option<Arc<str>>,
    /// Records that became events.
    pub events: u64,
    /// Records that are understood and of no use here.
    pub skipped: u64,
    /// Records that could not be read.
    pub malformed: u64,
    /// The first few reasons, each with its offset.
    pub problems: Vec<String>,
    /// Why it was refused. `None` means it was read.
    pub refused: Option<String>,
}

/// A fact that a caller keeps in the ledger, whose meaning the ledger does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fact {
    /// The publication that stated it.
    pub publication: u64,
    /// The value, as JSON.
    pub value: Box<RawValue>,
}

impl Fact {
    /// The value as the caller's type.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, LedgerError> {
        serde_json::from_str(self.value.get())
            .map_err(|error| LedgerError::corrupt(&names::ledger_path(self.publication), format!("a fact: {error}")))
    }
}

impl PartialEq for Fact {
    fn eq(&self, other: &Self) -> bool {
        self.publication == other.publication && self.value.get() == other.value.get()
    }
}

/// One publication: what the ledger file of its number says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The layout it is written in.
    pub layout: u64,
    /// Its number, from 1.
    pub number: u64,
    /// When it was published, as the caller says.
    pub time: Timestamp,
    /// The program that wrote it, with its version.
    pub program: String,
    /// The folder below `_staging` in which its files were written.
    pub staging: String,
    /// Files that it adds.
    pub added: Vec<DataFile>,
    /// Paths of the files that it removes.
    pub removed: Vec<String>,
    /// What was taken from each source.
    pub sources: Vec<SourceRecord>,
    /// Facts of the caller.
    pub facts: Vec<Box<RawValue>>,
}

impl Record {
    /// Reads and checks the ledger file of one publication.
    pub(super) fn load(store: &dyn Store, number: u64, buckets: u16) -> Result<Self, LedgerError> {
        let path = names::ledger_path(number);
        let bytes = store.read(&path, RECORD_BYTES).map_err(|error| match error {
            StoreError::NotFound { path } => LedgerError::MissingPublication { path },
            error => error.into(),
        })?;
        let record: Self = parse(&path, &bytes)?;
        record.check(number, buckets).map_err(|problem| LedgerError::corrupt(&path, problem))?;
        Ok(record)
    }

    /// What every publication must fulfil, whether it is about to be written or was read.
    pub(super) fn check(&self, number: u64, buckets: u16) -> Result<(), String> {
        if self.number != number {
            return Err(format!("expected publication {number}, found {}", self.number));
        }
        if names::parse_staging_folder(&self.staging) != Some(number) {
            let shown: String = self.staging.chars().take(80).collect();
            return Err(format!("expected a staging folder of publication {number}, found {shown:?}"));
        }
        for file in &self.added {
            if let Some(problem) = file.problem(buckets) {
                return Err(problem);
            }
            if file.publication != number {
                return Err(format!("expected a file of publication {number}, found {}", file.path()));
            }
        }
        Ok(())
    }
}

/// Reads a JSON file that states its layout; the layout is looked at first, so that a newer one is named as such.
pub(super) fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, LedgerError> {
    #[derive(Deserialize)]
    struct Layout {
        layout: u64,
    }
    let corrupt = |error: serde_json::Error| LedgerError::corrupt(path, format!("expected JSON of layout 1: {error}"));
    let Layout { layout: found } = serde_json::from_slice(bytes).map_err(corrupt)?;
    if found != LAYOUT {
        return Err(LedgerError::Layout { path: path.to_owned(), expected: LAYOUT, found });
    }
    serde_json::from_slice(bytes).map_err(corrupt)
}
