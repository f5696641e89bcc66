//! What can go wrong with a lake, and what to do then.

use crate::store::StoreError;
use parquet::errors::ParquetError;

/// Why a lake could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no lake at the address.
    #[error("expected a lake in {address}, found no lake.json; hint: ingest into it first, or look at the address")]
    NoLake {
        /// The address.
        address: String,
    },
    /// A lake that should be new is there already.
    #[error("expected no lake yet in {address}, found one; hint: open it, or choose another place")]
    LakeExists {
        /// The address.
        address: String,
    },
    /// A file was written by a newer version.
    #[error(
        "expected layout {expected} in {path}, found {found}, written by a newer version; \
         hint: use that version, or ingest into a new lake"
    )]
    Layout {
        /// The file.
        path: String,
        /// The layout that this version knows.
        expected: u64,
        /// The layout found.
        found: u64,
    },
    /// A file does not say what it should.
    #[error("{path}: {problem}; hint: {hint}")]
    Corrupt {
        /// The file.
        path: String,
        /// What was expected, and what was found.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// The numbers of the ledger have a gap.
    #[error(
        "expected {path}, since a later publication or checkpoint is there, found none; \
         hint: restore it from a copy, or ingest into a new lake"
    )]
    MissingPublication {
        /// The file that is missing.
        path: String,
    },
    /// A data file is no longer there, because a later publication removed it.
    #[error("expected the data file {path}, found none; hint: a later publication removed it; open the lake again")]
    Gone {
        /// The file.
        path: String,
    },
    /// Another writer committed the same number first.
    #[error("expected to publish as number {number}, but another publication came first; hint: run it again")]
    Outrun {
        /// The number that is taken.
        number: u64,
    },
    /// The commit failed in a way that does not tell whether it came through.
    #[error(
        "publication {number} failed at its commit: {source}; hint: open the lake again, which shows if it came through"
    )]
    InDoubt {
        /// Its number.
        number: u64,
        /// What failed.
        source: StoreError,
    },
    /// The publication is committed, but its files could not all be moved to their places.
    #[error(
        "publication {number} is committed, but its files are not all in place: {source}; hint: open the lake again"
    )]
    Unfinished {
        /// Its number.
        number: u64,
        /// What failed.
        source: Box<LedgerError>,
    },
    /// The lake was opened for reading only, or an earlier commit is in doubt.
    #[error("expected a lake opened for writing, found one {state}; hint: open it for writing again")]
    NotWritable {
        /// Why not.
        state: &'static str,
    },
    /// A caller gave something that the ledger cannot hold.
    #[error("expected {expected}, found {found}")]
    Invalid {
        /// What would do.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A data file is not readable as Parquet, or could not be written as such.
    #[error("{path}: {source}")]
    Parquet {
        /// The file.
        path: String,
        /// The reason.
        source: ParquetError,
    },
}

impl LedgerError {
    pub(super) fn invalid(expected: &'static str, found: impl Into<String>) -> Self {
        let found: String = found.into();
        Self::Invalid { expected, found: found.chars().take(120).collect() }
    }

    pub(super) fn corrupt(path: &str, problem: impl Into<String>) -> Self {
        let hint = "restore it from a copy, or ingest into a new lake";
        Self::Corrupt { path: path.to_owned(), problem: problem.into(), hint }
    }
}
