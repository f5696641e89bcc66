//! The ledger: what the lake holds, as a row of numbered publications, each committed in one atomic step.
//!
//! Data files are written aside, below `_staging`. To write the next numbered file of `ledger` is the commit; then the
//! data files move to their places. Opening a lake ends what a killed writer left half done. Why nothing is lost or
//! doubled, whatever happens in between, stands in `docs/decisions/0006-the-ledger-of-the-lake.md`.

mod checkpoint;
mod compact;
mod error;
mod lake;
mod names;
mod prefix;
mod publication;
mod record;
mod settle;
mod snapshot;

pub use compact::{CompactLimits, Compaction};
pub use error::LedgerError;
pub use lake::{Lake, Options};
pub use names::LAYOUT;
pub use prefix::{PrefixHashes, prefix_hashes};
pub use publication::{Publication, StagedFile};
pub use record::{DataFile, Fact, Record, SourceRecord};
pub use snapshot::Snapshot;

#[cfg(test)]
mod tests;
