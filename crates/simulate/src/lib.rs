//! Synthetic Macs with ground truth, in native formats. Shares no code and no constant with the hunt.
//!
//! Every host of the fleet lives an ordinary day. Some also run something that talks one way, and for each of those
//! there is a blind twin: the same behaviour, recorded by too few sensors to say what became of the replies.

mod agents;
mod answers;
mod chance;
mod clock;
mod disturbance;
mod eslogger;
mod fleet;
mod implants;
mod links;
mod mac;
mod names;
mod network;
mod ordinary;
mod programs;
mod proxy;
mod realistic;
mod requests;
mod stage;
mod stealth;
pub mod story;
mod truth;
mod unified_log;
mod zeek;

pub use disturbance::Disturbance;
pub use links::{LinkTruth, Records, Source};
pub use realistic::{MOST_HOSTS, RealisticOptions, Recording, simulate_realistic};
pub use truth::{DEFINITE, Truth};

use monologue_model::Timestamp;
use std::{fs, io, path::Path};

/// Nanoseconds since the epoch, on the clock of the Macs.
pub(crate) type Moment = i64;

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Seed of all chance: the same seed gives the same bytes.
    pub seed: u64,
    /// How long the fleet is recorded, in hours. Behaviours keep their counts only if there are at least 24.
    pub hours: u32,
    /// When recording starts.
    pub start: Timestamp,
    /// What stands between events and their records.
    pub disturbance: Disturbance,
    /// Every Mac is shut down at the end: what still runs ends then. Else it is not seen to end.
    pub shut_down: bool,
}

impl Default for Options {
    fn default() -> Self {
        // 2026-03-02T06:00:00Z is 20,514 days and 6 hours after the epoch.
        let start = Timestamp::from_nanoseconds((20_514 * 86_400 + 6 * 3600) * clock::SECOND);
        Self { seed: 1, hours: 24, start, disturbance: Disturbance::default(), shut_down: false }
    }
}

/// One file of telemetry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedFile {
    /// Path below the folder of the fleet, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A recorded fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// All files, the truth among them, in the order of their paths.
    pub files: Vec<SimulatedFile>,
    /// What really happened, one entry for each channel that is of interest.
    pub truth: Vec<Truth>,
    /// Which records belong to which request, one entry for each request.
    pub links: Vec<LinkTruth>,
}

/// Simulates a fleet. Depends on nothing but the options.
#[must_use]
pub fn simulate(options: &Options) -> Fleet {
    fleet::simulate(options)
}

/// Writes the files of a fleet below a folder, which is made where it is missing.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write(fleet: &Fleet, folder: &Path) -> io::Result<()> {
    for file in &fleet.files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &file.bytes)?;
    }
    Ok(())
}
