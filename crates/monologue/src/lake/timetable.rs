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

/// The last publication whose coverage speaks of an hour, for every hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    /// By the first hour of a stretch of hours with the same answer; 0 for none.
    since: BTreeMap<i64, u64>,
    /// Network sensors that recorded traffic of anybody, with the first publication of each.
    pub(super) sensors: BTreeMap<Arc<str>, u64>,
}

impl Touched {
    /// Sweeps over the stretches from the first hour to the last.
    pub(super) fn by(stretches: &[Stretch]) -> Self {
        let mut steps: BTreeMap<i64, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
        for stretch in stretches.iter().filter(|stretch| stretch.from_hour <= stretch.until_hour) {
            steps.entry(stretch.from_hour).or_default().0.push(stretch.publication);
            steps.entry(stretch.until_hour.saturating_add(1)).or_default().1.push(stretch.publication);
        }
        let mut open: BTreeMap<u64, usize> = BTreeMap::new();
        let mut since = BTreeMap::new();
        for (hour, (begun, ended)) in steps {
            begun.into_iter().for_each(|publication| *open.entry(publication).or_default() += 1);
            for publication in ended {
                let left = open.get_mut(&publication).map_or(0, |count| {
                    *count -= 1;
                    *count
                });
                if left == 0 {
                    open.remove(&publication);
                }
            }
            since.insert(hour, open.last_key_value().map_or(0, |(publication, _)| *publication));
        }
        Self { since, sensors: BTreeMap::new() }
    }

    /// `None`: nothing speaks of that hour.
    fn at(&self, hour: i64) -> Option<u64> {
        self.since
            .range(..=hour)
            .next_back()
            .map(|(_, publication)| *publication)
            .filter(|publication| *publication > 0)
    }
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

/// What was decided of an hour. A host of years has tens of thousands of them, so they are small.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    publication: u64,
    /// The beginning of the hash of the state at its end.
    digest: [u8; 16],
    /// By the rules of this program.
    by_these_rules: bool,
    /// The state at its end is kept.
    pub(super) has_state: bool,
}

impl Decided {
    /// Whether the state at its end was this one.
    pub(super) fn ended_with(&self, digest: &Sha256) -> bool {
        self.digest == beginning(digest)
    }
}

fn beginning(digest: &Sha256) -> [u8; 16] {
    let mut beginning = [0; 16];
    beginning.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    beginning
}

/// All hours of one host.
#[derive(Debug, Default)]
pub(super) struct HostTable {
    /// Something but its address names it.
    pub(super) named: bool,
    /// Network sensors that recorded traffic of it, with the first publication of each.
    pub(super) sensors: BTreeMap<Arc<str>, u64>,
    /// Hours with rows.
    pub(super) hours: BTreeMap<i64, Hour>,
    coverage: Vec<Stretch>,
    /// What `coverage` comes to.
    touched: Touched,
    /// Hours that were decided before.
    pub(super) decided: BTreeMap<i64, Decided>,
}

impl HostTable {
    /// Whether a network sensor recorded traffic of it.
    pub(super) fn has_network(&self) -> bool {
        !self.sensors.is_empty()
    }

    /// Times of the first and last row between two hours, both inclusive.
    pub(super) fn times(&self, from_hour: i64, until_hour: i64) -> Option<(Timestamp, Timestamp)> {
        let within = || self.hours.range(from_hour..=until_hour).map(|(_, hour)| hour).filter(|hour| hour.rows > 0);
        let first = within().map(|hour| hour.first_time_ns).min()?;
        let last = within().map(|hour| hour.last_time_ns).max()?;
        Some((Timestamp::from_nanoseconds(first), Timestamp::from_nanoseconds(last)))
    }

    /// Whether what was decided of an hour still stands, as far as the hour itself goes.
    pub(super) fn stands(&self, hour: i64, shared: &Touched) -> bool {
        let Some(decided) = self.decided.get(&hour).filter(|decided| decided.by_these_rules) else { return false };
        // A sensor that is new, of this host or of any, changes whose statements count.
        let since = self.sensors.values().chain(shared.sensors.values()).max().filter(|_| self.has_network());
        let by_sensors = since.and_then(|since| Some(shared.at(hour)?.max(*since)));
        let by_rows = self.hours.get(&hour).map(|hour| hour.publication);
        [by_rows, self.touched.at(hour), by_sensors].into_iter().flatten().all(|last| last <= decided.publication)
    }
}

/// All hosts of one bucket.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    /// By name.
    pub(super) hosts: BTreeMap<Arc<str>, HostTable>,
    /// What network sensors say of themselves.
    pub(super) shared: Arc<Touched>,
}

impl Timetable {
    /// Reads the timetable of a bucket; `shared` are the statements of network sensors, which concern every bucket.
    ///
    /// # Errors
    /// When a data file cannot be read.
    pub(super) fn read(access: &Access<'_>, bucket: u16, shared: Arc<Touched>) -> Result<Self> {
        let mut table = Self { shared, ..Self::default() };
        for_each_mark(access, bucket, |mark| {
            if !mark.host.is_empty() {
                table.note(mark);
            }
        })?;
        for host in table.hosts.values_mut() {
            host.touched = Touched::by(&std::mem::take(&mut host.coverage));
        }
        for file in access.files(STATES, bucket) {
            let context = || format!("cannot read {}", file.path());
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
        if !mark.sensor.is_empty() {
            let since = host.sensors.entry(mark.sensor).or_insert(mark.publication);
            *since = mark.publication.min(*since);
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
        let StateRow { host, hour, publication, rules, digest, has_state, .. } = row;
        if let Some(host) = self.hosts.get_mut(&host) {
            let (digest, by_these_rules) = (beginning(&digest), rules == RULES);
            host.decided.insert(hour, Decided { publication, digest, by_these_rules, has_state });
        }
    }
}

/// When network sensors spoke of which hours, from the bucket where that is kept.
///
/// # Errors
/// When a data file cannot be read.
pub(super) fn touched_by_sensors(access: &Access<'_>, bucket: u16) -> Result<Touched> {
    let mut shared = Vec::new();
    let mut sensors: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for_each_mark(access, bucket, |mark| {
        if mark.host.is_empty() && mark.rows > 0 {
            let since = sensors.entry(mark.sensor).or_insert(mark.publication);
            *since = mark.publication.min(*since);
        } else if mark.host.is_empty() {
            let Mark { hour: from_hour, until_hour, publication, .. } = mark;
            shared.push(Stretch { from_hour, until_hour, publication });
        }
    })?;
    Ok(Touched { sensors, ..Touched::by(&shared) })
}

fn for_each_mark(access: &Access<'_>, bucket: u16, mut take: impl FnMut(Mark)) -> Result<()> {
    for file in access.files(MARKS, bucket) {
        let context = || format!("cannot read {}", file.path());
        for marks in tables::read_marks(access.open(&file)?).with_context(context)? {
            marks.with_context(context)?.into_iter().for_each(&mut take);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_publication_that_speaks_of_an_hour_is_found() {
        let stretch = |from_hour, until_hour, publication| Stretch { from_hour, until_hour, publication };
        let stretches = [
            stretch(0, 9, 3),
            stretch(5, 20, 2),
            stretch(5, 6, 7),
            stretch(30, 30, 1),
            stretch(30, 29, 9),
            stretch(-4, 2, 3),
        ];
        let touched = Touched::by(&stretches);
        for hour in -10..40 {
            let over = stretches.iter().filter(|one| one.from_hour <= hour && hour <= one.until_hour);
            assert_eq!(touched.at(hour), over.map(|one| one.publication).max(), "hour {hour}");
        }
    }
}
