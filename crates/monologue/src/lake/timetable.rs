//! The timetable of one bucket: which hours each host has, what was decided of them, and which must be decided anew.

use super::access::Access;
use anyhow::{Context, Result};
use monologue_hunt::RULES;
use monologue_lake::tables::{self, MARKS, Mark, STATES, StateRow};
use monologue_model::{Sha256, Timestamp};
use std::{collections::BTreeMap, sync::Arc};

/// What a stretch of coverage says by being there: which hours, and since which publication.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from_hour: i64,
    until_hour: i64,
    publication: u64,
}

/// One hour of one host.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hour {
    /// Rows.
    pub(super) rows: u64,
    /// The last publication that added or took away rows.
    publication: u64,
    first_time_ns: i64,
    last_time_ns: i64,
}

/// What was decided of an hour.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    publication: u64,
    rules: u64,
    /// Hash of the state at its end.
    pub(super) digest: Sha256,
    /// What it yielded besides summaries, as JSON.
    pub(super) outcome: String,
    /// The state at its end is kept.
    pub(super) has_state: bool,
}

/// All hours of one host.
#[derive(Debug, Default)]
pub(super) struct HostTable {
    /// Something but its address names it.
    pub(super) named: bool,
    /// The first publication with rows of a network sensor. `None`: there are none.
    network_since: Option<u64>,
    /// Hours with rows.
    pub(super) hours: BTreeMap<i64, Hour>,
    coverage: Vec<Stretch>,
    /// Hours that were decided before.
    pub(super) decided: BTreeMap<i64, Decided>,
}

impl HostTable {
    /// Whether a network sensor recorded traffic of it.
    pub(super) const fn has_network(&self) -> bool {
        self.network_since.is_some()
    }

    /// Times of the first and last row between two hours, both inclusive.
    pub(super) fn times(&self, from_hour: i64, until_hour: i64) -> Option<(Timestamp, Timestamp)> {
        let within = || self.hours.range(from_hour..=until_hour).map(|(_, hour)| hour).filter(|hour| hour.rows > 0);
        let first = within().map(|hour| hour.first_time_ns).min()?;
        let last = within().map(|hour| hour.last_time_ns).max()?;
        Some((Timestamp::from_nanoseconds(first), Timestamp::from_nanoseconds(last)))
    }

    /// Whether what was decided of an hour still stands, as far as the hour itself goes.
    pub(super) fn stands(&self, hour: i64, shared: &[Stretch]) -> bool {
        let Some(decided) = self.decided.get(&hour).filter(|decided| decided.rules == RULES) else { return false };
        let touched = |stretches: &[Stretch]| {
            let over = stretches.iter().filter(|stretch| stretch.from_hour <= hour && hour <= stretch.until_hour);
            over.map(|stretch| stretch.publication).max()
        };
        let by_sensors = self.network_since.and_then(|since| Some(touched(shared)?.max(since)));
        let by_rows = self.hours.get(&hour).map(|hour| hour.publication);
        [by_rows, touched(&self.coverage), by_sensors].into_iter().flatten().all(|last| last <= decided.publication)
    }
}

/// All hosts of one bucket.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    /// By name.
    pub(super) hosts: BTreeMap<Arc<str>, HostTable>,
    /// What network sensors say of themselves.
    pub(super) shared: Vec<Stretch>,
}

impl Timetable {
    /// Reads the timetable of a bucket; `shared` are the statements of network sensors, which concern every bucket.
    ///
    /// # Errors
    /// When a data file cannot be read.
    pub(super) fn read(access: &Access<'_>, bucket: u16, shared: Vec<Stretch>) -> Result<Self> {
        let mut table = Self { shared, ..Self::default() };
        for_each_mark(access, bucket, |mark| {
            if !mark.host.is_empty() {
                table.note(mark);
            }
        })?;
        for file in access.files(STATES, bucket) {
            let context = || format!("cannot read {}", file.path);
            let rows = tables::read_states(access.open(&file)?, &(i64::MIN..i64::MAX), false).with_context(context)?;
            for rows in rows {
                rows.with_context(context)?.into_iter().for_each(|row| table.decide(row));
            }
        }
        Ok(table)
    }

    fn note(&mut self, mark: Mark) {
        let host = self.hosts.entry(mark.host).or_default();
        host.named |= mark.named;
        if mark.rows == 0 {
            host.coverage.push(Stretch {
                from_hour: mark.hour,
                until_hour: mark.until_hour,
                publication: mark.publication,
            });
            return;
        }
        if mark.network {
            host.network_since = Some(host.network_since.map_or(mark.publication, |since| since.min(mark.publication)));
        }
        let hour = host.hours.entry(mark.hour).or_insert(Hour {
            first_time_ns: mark.first_time_ns,
            last_time_ns: mark.last_time_ns,
            ..Hour::default()
        });
        hour.rows = hour.rows.saturating_add(mark.rows);
        hour.publication = hour.publication.max(mark.publication);
        hour.first_time_ns = hour.first_time_ns.min(mark.first_time_ns);
        hour.last_time_ns = hour.last_time_ns.max(mark.last_time_ns);
    }

    fn decide(&mut self, row: StateRow) {
        let StateRow { host, hour, publication, rules, digest, outcome, has_state, .. } = row;
        if let Some(host) = self.hosts.get_mut(&host) {
            host.decided.insert(hour, Decided { publication, rules, digest, outcome, has_state });
        }
    }
}

/// What network sensors say of themselves, from the bucket where it is kept.
///
/// # Errors
/// When a data file cannot be read.
pub(super) fn shared_stretches(access: &Access<'_>, bucket: u16) -> Result<Vec<Stretch>> {
    let mut shared = Vec::new();
    for_each_mark(access, bucket, |mark| {
        if mark.host.is_empty() {
            let Mark { hour: from_hour, until_hour, publication, .. } = mark;
            shared.push(Stretch { from_hour, until_hour, publication });
        }
    })?;
    Ok(shared)
}

fn for_each_mark(access: &Access<'_>, bucket: u16, mut take: impl FnMut(Mark)) -> Result<()> {
    for file in access.files(MARKS, bucket) {
        let context = || format!("cannot read {}", file.path);
        for marks in tables::read_marks(access.open(&file)?).with_context(context)? {
            marks.with_context(context)?.into_iter().for_each(&mut take);
        }
    }
    Ok(())
}
