//! Claims: sentences the product makes about a host and an hour, and whether its telemetry allows them.

use crate::{Sight, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The version of the coverage contract.
pub const COVERAGE_SCHEMA: &str = "monologue.coverage/1";

/// Whether a claim rests on something that was recorded, or on something that was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeaksFrom {
    /// From absence: every exchange must have been seen.
    Absence,
    /// From presence: one witness is enough.
    Presence,
}

impl SpeaksFrom {
    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absence => "absence",
            Self::Presence => "presence",
        }
    }
}

/// One sentence the product can make of a host in an hour, and what must have been watched for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// Its stable name.
    pub id: &'static str,
    /// The sentence, true of an hour in which the claim holds.
    pub sentence: &'static str,
    /// What it rests on.
    pub speaks_from: SpeaksFrom,
    /// Sights that must have been watched: one of each group.
    pub needs: &'static [&'static [Sight]],
    /// Hosts that must be known before it can be made at all. 1: its own.
    pub hosts: u64,
}

/// Whether a claim holds in one hour of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimState {
    /// Some sight it needs was not watched at all.
    Blind,
    /// Watched in part of the hour only, or something was lost.
    Partly,
    /// Watched for the whole hour, as far as it lies in the host's window.
    Holds,
}

impl ClaimState {
    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Partly => "partly",
            Self::Holds => "holds",
        }
    }
}

/// Consecutive hours of one host in the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimStretch {
    /// Start of the first hour.
    pub from: Timestamp,
    /// How many hours.
    pub hours: u64,
    /// Their state.
    pub state: ClaimState,
}

/// How often a claim holds: hours of one host, or host-hours of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimHours {
    /// Hours in which it holds.
    pub holds: u64,
    /// Hours in which it holds in part.
    pub partly: u64,
    /// Hours in which it cannot be made.
    pub blind: u64,
}

impl ClaimHours {
    /// Counts one hour.
    pub const fn count(&mut self, state: ClaimState) {
        match state {
            ClaimState::Holds => self.holds += 1,
            ClaimState::Partly => self.partly += 1,
            ClaimState::Blind => self.blind += 1,
        }
    }

    /// Adds those of another host.
    pub const fn merge(&mut self, other: Self) {
        self.holds += other.holds;
        self.partly += other.partly;
        self.blind += other.blind;
    }

    /// All of them.
    #[must_use]
    pub const fn of(self) -> u64 {
        self.holds + self.partly + self.blind
    }

    /// The share in which it holds, 0 to 100. No hour at all is 0: nothing was watched.
    #[must_use]
    pub fn percent(self) -> f64 {
        if self.of() == 0 { 0.0 } else { self.holds as f64 / self.of() as f64 * 100.0 }
    }
}

/// One claim on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostClaim {
    /// The claim's name.
    pub claim: &'static str,
    /// In how many of the host's hours it holds.
    pub hours: ClaimHours,
    /// Sights that kept it from holding in some hour, the one missing in most hours first.
    pub missing: Vec<Sight>,
    /// The hours, as stretches of the same state.
    pub stretches: Vec<ClaimStretch>,
}

/// One claim over all hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimSummary {
    /// The claim.
    #[serde(flatten)]
    pub claim: Claim,
    /// In how many host-hours it holds.
    pub host_hours: ClaimHours,
    /// Hosts on which it holds in at least one hour.
    pub hosts_holding: u64,
}

/// One thing to collect, and what it would allow to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CollectionStep {
    /// What to do.
    pub step: Arc<str>,
    /// The sights it provides, or makes complete.
    pub sights: Vec<Sight>,
    /// Hosts for which it would change something.
    pub hosts: u64,
    /// Host-hours in which each claim would come to hold that does not now, by the claim's name.
    pub unlocks: Vec<(&'static str, u64)>,
    /// Their sum.
    pub host_hours: u64,
}

/// What the telemetry of a hunt allows to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Each claim over all hosts.
    pub summary: Vec<ClaimSummary>,
    /// Each host's claims, hosts in the order of the coverage list.
    pub hosts: Vec<Vec<HostClaim>>,
    /// Collection steps, the one that unlocks most first. Each is counted alone.
    pub steps: Vec<CollectionStep>,
}
