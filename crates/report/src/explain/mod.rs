//! One finding explained: every citation back to its bytes, the score step by step, what was not seen, what would change it.
//!
//! It reads the `json` output (schema `monologue.finding/1`) and nothing else, so that a finding can be explained wherever it was
//! kept.

mod change;
mod contract;
mod text;

pub use contract::{ContractError, Explained};
pub use text::write;

use std::sync::Arc;

/// What became of looking a citation up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawState {
    /// The bytes stand there, and their hash is the one that was cited.
    Verified,
    /// Other bytes stand there now.
    Changed,
    /// They could not be read, and why.
    Missing(String),
}

/// The bytes of one citation, as far as they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The source as the finding names it.
    pub source: Arc<str>,
    /// First byte.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// Line it begins in, from 1. `None` where it was not found.
    pub line: Option<u64>,
    /// The file it was found in, where that is not the source's own name.
    pub found_in: Option<String>,
    /// What became of it.
    pub state: RawState,
    /// The beginning of the record, secrets redacted. Empty where it was not found.
    pub text: String,
}
