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

impl Loss {
    /// In words, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SequenceGap => "gaps in sequence numbers",
            Self::SensorLoss => "losses the sensor counted itself",
            Self::Truncated => "sources that end in the middle",
            Self::Malformed => "records that could not be read",
            Self::Removed => "stretches marked as removed",
        }
    }
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
    pub hours: Arc<[(i64, f32)]>,
    /// Hours (counted from the epoch) in which something of it was lost, however short.
    pub lost_hours: Arc<[i64]>,
}

/// One format that spoke for a host, and what its sources showed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FormatCoverage {
    /// The format, such as `eslogger`.
    pub format: Arc<str>,
    /// The sights it was complete for at some time (only the event types that were subscribed).
    pub sights: SightSet,
    /// Start of its first stretch.
    pub from: Timestamp,
    /// End of its last stretch.
    pub until: Timestamp,
}

/// What the sources of one format say they lost, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LossCoverage {
    /// The format that says so.
    pub format: Arc<str>,
    /// Why it was lost.
    pub reason: Loss,
    /// The sights that are hurt.
    pub sights: SightSet,
    /// Stretches that were lost.
    pub stretches: u64,
    /// Records lost. `None` means that for at least one stretch nobody counted them.
    pub records: Option<u64>,
}

/// What was seen of the exchanges of one host: where coverage ends in practice, whatever the sensors promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeCoverage {
    /// Exchanges that were joined.
    pub exchanges: u64,
    /// Of these, with a known application.
    pub application_known: u64,
    /// Of these, with a destination that is known by name.
    pub destination_named: u64,
    /// Of these, with a destination whose name is masked in the log.
    pub destination_masked: u64,
    /// Exchanges whose reply could be due: not still open at the end of coverage.
    pub reply_due: u64,
    /// Of these, seen by a sensor that would have shown a reply.
    pub reply_seen: u64,
    /// Replies whose whole time after could be watched: not cut by the end of coverage.
    pub effect_due: u64,
    /// Of these, watched.
    pub effect_seen: u64,
    /// Exchanges whose life the API's log shows.
    pub task_seen: u64,
    /// Requests run by a loader that logs no responses.
    pub modern_loader: u64,
}

impl ExchangeCoverage {
    /// Adds those of another host.
    pub fn merge(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.application_known += other.application_known;
        self.destination_named += other.destination_named;
        self.destination_masked += other.destination_masked;
        self.reply_due += other.reply_due;
        self.reply_seen += other.reply_seen;
        self.effect_due += other.effect_due;
        self.effect_seen += other.effect_seen;
        self.task_seen += other.task_seen;
        self.modern_loader += other.modern_loader;
    }
}

/// What the telemetry of one host could show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostCoverage {
    /// The host.
    pub host: Arc<str>,
    /// First and last moment of any record of this host.
    pub from: Timestamp,
    /// See `from`.
    pub until: Timestamp,
    /// Each sight that any source showed.
    pub sights: Vec<SightCoverage>,
    /// Each format that spoke.
    pub formats: Vec<FormatCoverage>,
    /// What was lost, by format and reason.
    pub losses: Vec<LossCoverage>,
    /// Records that would have shown exchanges and were lost: while this is not 0, nothing is said from absence here.
    pub missing_exchanges: u64,
    /// What was seen of the exchanges themselves.
    pub exchanges: ExchangeCoverage,
    /// Version of macOS, such as `15.3.1`, where an inventory says it. `None` means none does.
    pub os_version: Option<Arc<str>>,
}

impl HostCoverage {
    /// Coverage of `sight`. `None` if no source showed it at any time.
    #[must_use]
    pub fn sight(&self, sight: Sight) -> Option<&SightCoverage> {
        self.sights.iter().find(|entry| entry.sight == sight)
    }

    /// The share, 0 to 100, of the host's window in which `sight` was covered.
    #[must_use]
    pub fn percent(&self, sight: Sight) -> f64 {
        let window = self.until.since(self.from).max(1);
        let covered =
            self.sights.iter().find(|entry| entry.sight == sight).map_or(0, |entry| entry.covered_nanoseconds);
        (covered as f64 / window as f64 * 100.0).clamp(0.0, 100.0)
    }
}
