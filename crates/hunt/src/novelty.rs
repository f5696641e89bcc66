//! Novelty: whether a service was new when a host first asked it, and how long the host had been watched by then.

use monologue_model::{Channel, HostCoverage, Sight, Timestamp};

const HOUR_NS: i64 = 3_600_000_000_000;

/// Hours before the first request that are looked back at: 14 days.
const BACK_HOURS: i64 = 14 * 24;

/// Sights that show what is asked, whoever answers.
const SIGHTS: [Sight; 3] = [Sight::FlowReply, Sight::TaskLifecycle, Sight::HttpResponse];

/// What was asked before, as far as records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Novelty {
    /// Whole hours before the host's first request in which what shows the channel watched this host and lost nothing.
    pub watched_hours: u64,
    /// The first time that this host asked the service, whichever program did.
    pub host_first: Timestamp,
    /// The first time that any host of the hunt asked it.
    pub fleet_first: Timestamp,
    /// What watched the longest.
    pub sight: Sight,
}

/// How long the host was watched before it first asked the service, by what shows every exchange of the channel.
pub(crate) fn of(channel: &Channel, coverage: &HostCoverage, host_first: Timestamp, fleet_first: Timestamp) -> Novelty {
    let exchanges = channel.counters.exchanges;
    let shown = SIGHTS.into_iter().filter(|sight| channel.counters.seen_by(*sight) == exchanges);
    let watched = shown.map(|sight| (watched_hours(coverage, sight, host_first), sight));
    let (watched_hours, sight) = watched.max_by_key(|(hours, _)| *hours).unwrap_or((0, Sight::FlowReply));
    Novelty { watched_hours, host_first, fleet_first, sight }
}

fn watched_hours(coverage: &HostCoverage, sight: Sight, first: Timestamp) -> u64 {
    let until = first.nanoseconds().div_euclid(HOUR_NS);
    let Some(covered) = coverage.sight(sight) else { return 0 };
    let before = covered.hours.iter().filter(|(hour, _)| (until - BACK_HOURS..until).contains(hour));
    let whole = before.filter(|(hour, _)| !covered.lost_hours.contains(hour)).map(|(_, share)| f64::from(*share));
    // Shares are rounded; a tenth of a minute is no hour lost.
    (whole.sum::<f64>() + 0.001).floor() as u64
}
