//! What could be seen: stretches of time in which a sensor was complete, and what was lost.

use crate::{Sight, SightSet, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a stretch of telemetry is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Sequence numbers jumped: the kernel dropped events.
    SequenceGap,
    /// The sensor itself counted packets or records it lost.
    SensorLoss,
    /// The source ends in the middle: no trailer, or a cut record.
    Truncated,
    /// Records that could not be read stand here.
    Malformed,
    /// Somebody marked this stretch as lost (a missing file, a removed record).
    Removed,
}

/// Whether a sensor was complete in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum CoverageState {
    /// All that the sensor shows was recorded.
    Complete,
    /// Something is missing.
    Lost {
        /// Why.
        reason: Loss,
        /// Records lost. `None` means nobody counted them.
        records: Option<u64>,
    },
}

/// One statement of a source about its own completeness. Losses outweigh completeness where they overlap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CoverageRecord {
    /// The format that speaks, such as `eslogger`.
    pub format: Arc<str>,
    /// The sights spoken of: for completeness, those shown (only subscribed event types); for a loss, those hurt.
    pub sights: SightSet,
    /// Start of the stretch.
    pub from: Timestamp,
    /// End of the stretch, inclusive.
    pub until: Timestamp,
    /// Complete, or what was lost.
    pub state: CoverageState,
}

/// Coverage of one sight on one host, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SightCoverage {
    /// The sight.
    pub sight: Sight,
    /// Nanoseconds of the host's window in which a source was complete for it.
    pub covered_nanoseconds: i64,
    /// Stretches that were lost.
    pub losses: u64,
    /// Hours (counted from the epoch) of the host's window in which some of it was covered, each with the share 0 to 1.
    pub hours: Vec<(i64, f32)>,
}

/// What the telemetry of one host could show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostCoverage {
    /// The host.
    pub host: Arc<str>,
    /// First and last moment of any record of this host.
    pub from: Timestamp,
    /// See `from`.
    pub until: Timestamp,
    /// Each sight that any source showed.
    pub sights: Vec<SightCoverage>,
}

impl HostCoverage {
    /// The share, 0 to 100, of the host's window in which `sight` was covered.
    #[must_use]
    pub fn percent(&self, sight: Sight) -> f64 {
        let window = self.until.since(self.from).max(1);
        let covered =
            self.sights.iter().find(|entry| entry.sight == sight).map_or(0, |entry| entry.covered_nanoseconds);
        (covered as f64 / window as f64 * 100.0).clamp(0.0, 100.0)
    }
}
