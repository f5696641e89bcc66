//! The lake: events and channel summaries as Parquet tables with OCSF names, in buckets by owner, with a ledger.

pub mod ledger;
pub mod store;
pub mod tables;
