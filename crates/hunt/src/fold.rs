//! The hunt of one host as a fold over hours: each hour's events to the exchanges that are done with, and what is carried on.

use crate::{
    RefusedJoins,
    awake::AwakeMinutes,
    exchanges::in_order,
    link::{self, Carry, LinkedExchange},
    statements::Statements,
    summarise,
};
use monologue_model::{Channel, Detail, Event, Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;
use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    sync::Arc,
};

/// Nanoseconds of an hour.
const HOUR_NS: i64 = 3600 * 1_000_000_000;

/// The summary of one channel's exchanges of one hour.
#[derive(Clone, Debug, PartialEq)]
pub struct HourSummary {
    /// The hour of the requests, counted from the epoch.
    pub hour: i64,
    /// The summary.
    pub channel: Channel,
}

/// Version of the rules by which an hour is decided. A kept hour of another version is decided again.
pub const RULES: u64 = 6;

/// What one hour of one host yields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HourOutcome {
    /// Summaries of the exchanges that are done with. Not written with the rest: they have a table of their own.
    #[serde(skip)]
    pub summaries: Vec<HourSummary>,
    /// In which minutes of the hour the host showed itself awake.
    pub awake: AwakeMinutes,
    /// Joins that were refused because two candidates fitted.
    pub refused: RefusedJoins,
}

/// One host between two hours: all that later hours need to know of earlier ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fold {
    host: Arc<str>,
    /// Everything before this was taken in. `None`: nothing yet.
    horizon: Option<Timestamp>,
    carry: Carry,
}

/// A state that was kept cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("expected the state of a host between two hours: {0}")]
pub struct StateError(#[from] serde_json::Error);

impl Fold {
    /// A host of which nothing is known yet.
    #[must_use]
    pub fn new(host: Arc<str>) -> Self {
        Self { host, horizon: None, carry: Carry::default() }
    }

    /// Takes in one hour (counted from the epoch, later than all before) with its events, in any order, and yields the
    /// summaries of the exchanges that are done with at its end. `coverage` are the statements of this host's sensors; only
    /// what they say of the time since the hour before is looked at.
    pub fn step(&mut self, hour: i64, events: Vec<Event>, coverage: &Statements) -> HourOutcome {
        let events = in_order(events);
        let mut awake = AwakeMinutes::default();
        events.iter().for_each(|event| awake.take(event));
        let end = Timestamp::from_nanoseconds(hour.saturating_add(1).saturating_mul(HOUR_NS));
        self.carry.coverage.extend(coverage.around(self.horizon, Some(end)), self.horizon, Some(end));
        let exchanges = link::advance(&self.host, &mut self.carry, &events, Some(end));
        self.horizon = Some(end);
        HourOutcome { summaries: by_hour(&exchanges), awake, refused: refused_by(&exchanges) }
    }

    /// The summaries of the exchanges that are still open, as if nothing more came.
    #[must_use]
    pub fn rest(&self, coverage: &Statements) -> HourOutcome {
        let exchanges = self.open(coverage);
        let mut refused = refused_by(&exchanges);
        refused.names += self.carry.refused_names();
        HourOutcome { summaries: by_hour(&exchanges), refused, ..HourOutcome::default() }
    }

    fn open(&self, coverage: &Statements) -> Vec<LinkedExchange> {
        let mut carry = self.carry.clone();
        carry.coverage.extend(coverage.around(self.horizon, None), self.horizon, None);
        link::advance(&self.host, &mut carry, &[], None)
    }

    /// Masked names for which several lookups fitted.
    pub(crate) fn refused_names(&self) -> u64 {
        self.carry.refused_names()
    }

    /// Estimated clock difference, sensor minus host, in nanoseconds. `None` means no pair was matched.
    #[must_use]
    pub fn clock_skew_ns(&self) -> Option<i64> {
        self.carry.skew_ns()
    }

    /// The state as bytes: equal states have equal bytes.
    ///
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The state that [`Fold::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are no such state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The hash of the state: where it agrees, later hours need not be done again. The same as that of [`Fold::to_bytes`],
    /// without holding them.
    ///
    /// # Errors
    /// As [`Fold::to_bytes`].
    pub fn digest(&self) -> Result<Sha256, StateError> {
        let mut hashing = BufWriter::new(Hashing(sha2::Sha256::new()));
        serde_json::to_writer(&mut hashing, self)?;
        let hashing = hashing.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))?;
        Ok(Sha256::from_bytes(hashing.0.finalize().into()))
    }
}

/// Hashes what is written to it.
struct Hashing(sha2::Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All exchanges of one host, linked hour by hour.
pub(crate) fn link_all(host: &Arc<str>, events: Vec<Event>) -> (Vec<LinkedExchange>, Fold) {
    let (hours, coverage) = split(events);
    let mut fold = Fold::new(host.clone());
    let mut exchanges = Vec::new();
    for (hour, events) in hours {
        let end = Timestamp::from_nanoseconds(hour.saturating_add(1).saturating_mul(HOUR_NS));
        fold.carry.coverage.extend(coverage.around(fold.horizon, Some(end)), fold.horizon, Some(end));
        exchanges.extend(link::advance(host, &mut fold.carry, &events, Some(end)));
        fold.horizon = Some(end);
    }
    exchanges.extend(fold.open(&coverage));
    exchanges.sort_by_cached_key(LinkedExchange::order);
    (exchanges, fold)
}

/// Events by hour, and the statements about coverage.
fn split(events: Vec<Event>) -> (BTreeMap<i64, Vec<Event>>, Statements) {
    let mut hours: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    let mut coverage = Vec::new();
    for event in events {
        match event.detail {
            Detail::Coverage(record) => coverage.push(record),
            _ => hours.entry(event.time.hour()).or_default().push(event),
        }
    }
    (hours, Statements::new(coverage))
}

/// The joins refused while these exchanges were linked.
pub(crate) fn refused_by(exchanges: &[LinkedExchange]) -> RefusedJoins {
    let mut refused = RefusedJoins::default();
    exchanges.iter().for_each(|linked| refused.merge(&linked.refused));
    refused
}

fn by_hour(exchanges: &[LinkedExchange]) -> Vec<HourSummary> {
    let mut hours: BTreeMap<i64, Vec<&LinkedExchange>> = BTreeMap::new();
    for linked in exchanges {
        hours.entry(linked.exchange.time.hour()).or_default().push(linked);
    }
    hours
        .into_iter()
        .flat_map(|(hour, exchanges)| {
            summarise::summarise(exchanges).into_iter().map(move |channel| HourSummary { hour, channel })
        })
        .collect()
}
