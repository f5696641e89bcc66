//! One host: its events to its channels. A pure function, whatever the order of the events.

use crate::HourOutcome;
use crate::{
    RefusedJoins, Statements,
    awake::AwakeMinutes,
    coverage::{self, Coverage},
    exchanges::in_order,
    fold, summarise,
};
use monologue_model::{Channel, ChannelKey, CoverageRecord, Detail, Event, HostCoverage, SightCoverage, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What hunting one host yields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostHunt {
    /// The host.
    pub host: Arc<str>,
    /// Its channels, sorted by key.
    pub channels: Vec<Channel>,
    /// Exchanges that were joined.
    pub exchanges: u64,
    /// What its telemetry could show.
    pub coverage: HostCoverage,
    /// Records that would have shown exchanges and were lost: while this is not 0, nothing is said from absence.
    pub missing_exchanges: u64,
    /// Estimated clock difference, sensor minus host, in nanoseconds. `None` means no pair was matched.
    pub clock_skew_ns: Option<i64>,
    /// When it was awake, as far as its telemetry shows.
    pub awake: AwakeMinutes,
    /// Joins that were refused because two candidates fitted.
    pub refused: RefusedJoins,
}

/// Memory of one channel without its rows, about: attributes and witnesses, as measured on simulated fleets.
const CHANNEL_BYTES: usize = 6_144;

impl HostHunt {
    /// Memory that it takes, in bytes, about.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let channels: usize = self.channels.iter().map(|channel| CHANNEL_BYTES + channel.row_bytes()).sum();
        let mut hours: BTreeSet<*const (i64, f32)> = BTreeSet::new();
        let sights = self.coverage.sights.iter().map(|entry| {
            // Sights of one sensor share their hours.
            let own = if hours.insert(entry.hours.as_ptr()) { size_of_val(&*entry.hours) } else { 0 };
            size_of::<SightCoverage>() + own + size_of_val(&*entry.lost_hours)
        });
        let coverage: usize = sights.sum();
        (size_of::<Self>() + channels + coverage + self.awake.memory_bytes()) as u64
    }
}

/// Links and summarises the events of one host.
#[must_use]
pub fn hunt_host(host: &Arc<str>, events: Vec<Event>) -> HostHunt {
    let events = in_order(events);
    let statements: Vec<CoverageRecord> = events
        .iter()
        .filter_map(|event| match &event.detail {
            Detail::Coverage(record) => Some(record.clone()),
            _ => None,
        })
        .collect();
    let coverage = Coverage::from_records(statements.iter());
    let (from, until) = window(&events, statements.iter());
    let awake = AwakeMinutes::from_events(&events, &coverage);
    let (exchanges, fold) = fold::link_all(host, events);
    let mut refused = fold::refused_by(&exchanges);
    refused.names += fold.refused_names();
    let channels = summarise::summarise(&exchanges);
    let told = coverage::Told { host, window: (from, until), channels: &channels };
    HostHunt {
        host: host.clone(),
        exchanges: exchanges.len() as u64,
        coverage: coverage::summarise(&coverage, statements.iter(), &told),
        channels,
        missing_exchanges: coverage.missing_exchanges(),
        clock_skew_ns: fold.clock_skew_ns(),
        awake,
        refused,
    }
}

/// The hours of one host, brought together in any order: what [`hunt_host`] yields from all its events at once.
#[derive(Debug)]
pub struct HostHours {
    host: Arc<str>,
    channels: BTreeMap<ChannelKey, Channel>,
    awake: AwakeMinutes,
    refused: RefusedJoins,
}

impl HostHours {
    /// A host without hours.
    #[must_use]
    pub fn new(host: Arc<str>) -> Self {
        let (channels, awake, refused) = (BTreeMap::new(), AwakeMinutes::default(), RefusedJoins::default());
        Self { host, channels, awake, refused }
    }

    /// Adds the summary of one channel's exchanges. Each exchange must be in one summary only.
    pub fn add_channel(&mut self, channel: Channel) {
        match self.channels.get_mut(&channel.key) {
            // The keys are the same, so merging cannot fail.
            Some(known) => drop(known.absorb(&channel)),
            None => drop(self.channels.insert(channel.key.clone(), channel)),
        }
    }

    /// Adds what an hour yielded besides summaries.
    pub fn add_rest(&mut self, outcome: &HourOutcome) {
        self.awake.merge(&outcome.awake);
        self.refused.merge(&outcome.refused);
    }

    /// The host, with what its sensors say of their coverage, and the times of its first and last record. Without records,
    /// coverage bounds the window.
    #[must_use]
    pub fn finish(
        self,
        records: &Statements,
        times: Option<(Timestamp, Timestamp)>,
        clock_skew_ns: Option<i64>,
    ) -> HostHunt {
        let coverage = Coverage::from_records(records.iter());
        let (from, until) = times.unwrap_or_else(|| window(&[], records.iter()));
        let mut awake = self.awake;
        awake.watch(&coverage);
        let mut channels: Vec<Channel> = self.channels.into_values().collect();
        channels.iter_mut().for_each(Channel::prune);
        let told = coverage::Told { host: &self.host, window: (from, until), channels: &channels };
        HostHunt {
            exchanges: channels.iter().map(|channel| channel.counters.exchanges).sum(),
            coverage: coverage::summarise(&coverage, records.iter(), &told),
            channels,
            host: self.host,
            missing_exchanges: coverage.missing_exchanges(),
            clock_skew_ns,
            awake,
            refused: self.refused,
        }
    }
}

fn window<'a>(events: &[Event], records: impl Iterator<Item = &'a CoverageRecord>) -> (Timestamp, Timestamp) {
    let own = events.iter().filter(|event| !matches!(event.detail, Detail::Coverage(_))).map(|event| event.time);
    let (mut from, mut until) = (own.clone().min(), own.max());
    if from.is_none() {
        for record in records {
            from = Some(from.map_or(record.from, |known| known.min(record.from)));
            until = Some(until.map_or(record.until, |known| known.max(record.until)));
        }
    }
    (from.unwrap_or_default(), until.unwrap_or_default())
}
