//! Synthetic Macs with ground truth, in native formats. Shares no code and no constant with the hunt.

use monologue_model::Timestamp;

/// What to simulate.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Number the fleet is made from.
    pub seed: u64,
    /// Hours.
    pub hours: u32,
    /// Start.
    pub start: Timestamp,
}

/// One file.
#[derive(Clone, Debug)]
pub struct SimulatedFile {
    /// Path.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// A fleet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// Files.
    pub files: Vec<SimulatedFile>,
}

/// Simulates.
#[must_use]
pub fn simulate(_options: &Options) -> Fleet {
    Fleet::default()
}

/// Writes.
///
/// # Errors
/// When it cannot.
pub fn write(_fleet: &Fleet, _dir: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}
