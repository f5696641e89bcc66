//! Deciding one bucket: the hours that are new or touched, forward until the state agrees with what was kept.

use super::{
    access::Access,
    date_of_hour,
    routing::owner_of,
    timetable::{HostTable, Timetable, Touched},
};
use anyhow::{Context, Result};
use monologue_hunt::{Fold, HostHours, HostHunt, HourOutcome, Origin, RULES, Statements};
use monologue_lake::tables::{
    self, Interner, STATES, SUMMARIES, Select, StateRow, SummaryRow, Table, encode_summaries,
};
use monologue_model::{CoverageRecord, Detail, Event};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::IpAddr,
    ops::Range,
    sync::Arc,
};

/// Nanoseconds of an hour.
const HOUR_NS: i64 = 3600 * 1_000_000_000;

/// A state is kept at the last hour of each stretch of so many hours, and at the last hour of each day.
const STATE_HOURS: i64 = 6;

/// Summaries encoded at once.
const BATCH_ROWS: usize = 4096;

/// What is the same for all buckets of a hunt.
pub(super) struct Plan<'a, 'lake> {
    /// The lake.
    pub(super) access: &'a Access<'lake>,
    /// The last publication that is looked at.
    pub(super) known: u64,
    /// Whose addresses are.
    pub(super) origin: Origin,
    /// First hour whose requests count.
    pub(super) since_hour: i64,
    /// Last hour that is looked at.
    pub(super) until_hour: i64,
    /// Events that may be in memory at once.
    pub(super) rows: usize,
    /// What network sensors say of their completeness, with the sensor.
    pub(super) shared: Vec<(Arc<str>, CoverageRecord)>,
    /// When they said so.
    pub(super) touched: Arc<Touched>,
}

/// One host while its bucket is decided.
struct Live {
    hours: HostHours,
    records: Statements,
    /// The state at the end of an hour.
    state: Option<(i64, Fold)>,
    /// That state is another than the one kept, or none was kept: what follows must be done again.
    diverged: bool,
}

/// Events by host and hour.
type Events = BTreeMap<Arc<str>, BTreeMap<i64, Vec<Event>>>;

/// What hours yielded besides summaries, as JSON, by host and hour.
type Outcomes = BTreeMap<(Arc<str>, i64), String>;

/// What was decided anew for one date.
#[derive(Default)]
struct Fresh {
    states: BTreeMap<(Arc<str>, i64), StateRow>,
    summaries: Vec<SummaryRow>,
}

/// Decides a bucket and yields its hosts.
///
/// # Errors
/// When a data file cannot be read or written.
pub(super) fn decide(plan: &Plan<'_, '_>, bucket: u16) -> Result<Vec<HostHunt>> {
    let timetable = Timetable::read(plan.access, bucket, plan.touched.clone())?;
    let mut records = own_records(plan, bucket)?;
    let mut live: BTreeMap<Arc<str>, Live> = BTreeMap::new();
    for (host, table) in &timetable.hosts {
        let mut records = records.remove(host).unwrap_or_default();
        if table.has_network() {
            // A sensor that recorded nobody's traffic speaks for all, since nobody knows whom it watches.
            let speaks =
                |sensor: &Arc<str>| table.sensors.contains_key(sensor) || !plan.touched.sensors.contains_key(sensor);
            records.extend(plan.shared.iter().filter(|(sensor, _)| speaks(sensor)).map(|(_, record)| record.clone()));
        }
        let (hours, records) = (HostHours::new(host.clone()), Statements::new(records));
        live.insert(host.clone(), Live { hours, records, state: None, diverged: false });
    }
    let worker = Worker { plan, bucket, timetable };
    let dates: BTreeSet<i64> =
        worker.timetable.hosts.values().flat_map(|table| table.hours.keys()).map(|hour| hour.div_euclid(24)).collect();
    for day in dates.into_iter().filter(|day| day.saturating_mul(24) <= plan.until_hour) {
        worker.decide_day(day, &mut live)?;
    }
    worker.finish(live)
}

/// What the sensors of each host say of their completeness.
fn own_records(plan: &Plan<'_, '_>, bucket: u16) -> Result<BTreeMap<Arc<str>, Vec<CoverageRecord>>> {
    let mut records: BTreeMap<Arc<str>, Vec<CoverageRecord>> = BTreeMap::new();
    let mut interner = Interner::new();
    for file in plan.access.files(Table::Coverage.name(), bucket) {
        plan.access.events(&file, &Select::ALL, &mut interner, |event| {
            if let (Some(host), Detail::Coverage(record)) = (event.host, event.detail) {
                records.entry(host).or_default().push(record);
            }
        })?;
    }
    Ok(records)
}

struct Worker<'a, 'lake> {
    plan: &'a Plan<'a, 'lake>,
    bucket: u16,
    timetable: Timetable,
}

impl Worker<'_, '_> {
    /// Decides what must be decided of one day, keeps it, and adds the day's summaries to the hosts.
    fn decide_day(&self, day: i64, live: &mut BTreeMap<Arc<str>, Live>) -> Result<()> {
        let todo = self.todo(day, live)?;
        let mut fresh = Fresh::default();
        for hours in self.passes(&todo) {
            let mut events = self.events(&hours, &todo)?;
            for (host, wanted) in &todo {
                let Some(live) = live.get_mut(host) else { continue };
                let mut own = events.remove(host).unwrap_or_default();
                for hour in wanted.iter().copied().filter(|hour| hours.contains(hour)) {
                    self.step(host, hour, own.remove(&hour).unwrap_or_default(), live, &mut fresh)?;
                }
            }
        }
        self.keep(day, fresh, live)
    }

    /// The hours that must be decided, by host.
    fn todo(&self, day: i64, live: &mut BTreeMap<Arc<str>, Live>) -> Result<BTreeMap<Arc<str>, Vec<i64>>> {
        let hours = day.saturating_mul(24)..=day.saturating_mul(24).saturating_add(23).min(self.plan.until_hour);
        let mut todo = BTreeMap::new();
        let mut wanted = BTreeSet::new();
        for (host, table) in &self.timetable.hosts {
            let Some(live) = live.get(host) else { continue };
            let Some(first) = self.first_to_decide(table, live, hours.clone()) else { continue };
            let last_state = table
                .decided
                .range(..first)
                .rev()
                .find(|(hour, decided)| decided.has_state && table.hours.contains_key(hour))
                .map(|(hour, _)| *hour);
            let held = live.state.as_ref().map(|(hour, _)| *hour);
            // What is held is never older than what is kept, once anything was decided anew.
            let base = if live.diverged { held } else { held.max(last_state) };
            if base != held {
                wanted.extend(base.map(|hour| (host.clone(), hour)));
            }
            let from = base.map_or(i64::MIN, |base| base.saturating_add(1));
            let list: Vec<i64> = table.hours.range(from..=*hours.end()).map(|(hour, _)| *hour).collect();
            todo.insert(host.clone(), list);
        }
        for ((host, hour), state) in self.states(&wanted)? {
            if let Some(live) = live.get_mut(&host) {
                live.state = Some((hour, state));
            }
        }
        Ok(todo)
    }

    /// The first hour of the day that must be decided. `None`: none must.
    fn first_to_decide(&self, table: &HostTable, live: &Live, mut hours: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let of_day = table.hours.range(hours.clone()).map(|(hour, _)| *hour);
        if live.diverged {
            return of_day.min();
        }
        let touched = of_day.clone().find(|hour| !table.stands(*hour, &self.timetable.shared));
        // The last hour that is looked at must end with a state, to see what is open then.
        let last = table.hours.range(..=self.plan.until_hour).next_back().map(|(hour, _)| *hour);
        let stateless = last.filter(|last| {
            hours.by_ref().any(|hour| hour == *last)
                && table.decided.get(last).is_some_and(|decided| !decided.has_state)
        });
        touched.into_iter().chain(stateless).min()
    }

    /// Stretches of hours that fit in memory, one after another.
    fn passes(&self, todo: &BTreeMap<Arc<str>, Vec<i64>>) -> Vec<Range<i64>> {
        let mut rows: BTreeMap<i64, u64> = BTreeMap::new();
        for (host, hours) in todo {
            let Some(table) = self.timetable.hosts.get(host) else { continue };
            for hour in hours {
                *rows.entry(*hour).or_insert(0) += table.hours.get(hour).map_or(0, |found| found.rows);
            }
        }
        let mut passes: Vec<Range<i64>> = Vec::new();
        let mut filled = 0;
        for (hour, count) in rows {
            filled += count;
            match passes.last_mut() {
                Some(pass) if filled <= self.plan.rows as u64 => pass.end = hour.saturating_add(1),
                _ => {
                    filled = count;
                    passes.push(hour..hour.saturating_add(1));
                }
            }
        }
        passes
    }

    /// The events of some hours, by host and hour.
    fn events(&self, hours: &Range<i64>, todo: &BTreeMap<Arc<str>, Vec<i64>>) -> Result<Events> {
        let select =
            Select { from_ns: hours.start.saturating_mul(HOUR_NS), until_ns: hours.end.saturating_mul(HOUR_NS) };
        let mut interner = Interner::new();
        let mut events = Events::new();
        let mut dates: BTreeSet<String> = BTreeSet::new();
        for day in hours.start.div_euclid(24)..=hours.end.saturating_sub(1).div_euclid(24) {
            dates.insert(date_of_hour(day.saturating_mul(24)));
        }
        for date in dates {
            for table in Table::ALL.into_iter().filter(|table| *table != Table::Coverage) {
                for file in self.plan.access.files_at(table.name(), &date, self.bucket) {
                    if file.last_time_ns < select.from_ns || file.first_time_ns >= select.until_ns {
                        continue;
                    }
                    self.plan.access.events(&file, &select, &mut interner, |event| {
                        let owner = owner_of(&event, &self.plan.origin);
                        let hour = event.time.hour();
                        if todo.get(&owner.host).is_some_and(|wanted| wanted.binary_search(&hour).is_ok()) {
                            events.entry(owner.host).or_default().entry(hour).or_default().push(event);
                        }
                    })?;
                }
            }
        }
        Ok(events)
    }

    /// Decides one hour of one host.
    fn step(&self, host: &Arc<str>, hour: i64, events: Vec<Event>, live: &mut Live, fresh: &mut Fresh) -> Result<()> {
        let mut fold = match live.state.take() {
            Some((_, fold)) => fold,
            None => Fold::new(host.clone()),
        };
        let outcome = fold.step(hour, events, &live.records);
        let digest = fold.digest()?;
        let table = self.timetable.hosts.get(host);
        let kept = table.and_then(|table| table.decided.get(&hour));
        live.diverged = kept.is_none_or(|kept| !kept.ended_with(&digest));
        let next = table.and_then(|table| table.hours.range(hour.saturating_add(1)..).next()).map(|(hour, _)| *hour);
        let ends_stretch = next.is_none_or(|next| next.div_euclid(STATE_HOURS) != hour.div_euclid(STATE_HOURS));
        let state = if ends_stretch { Some(String::from_utf8(fold.to_bytes()?)?) } else { None };
        let row = StateRow {
            host: host.clone(),
            hour,
            publication: self.plan.known,
            rules: RULES,
            digest,
            outcome: serde_json::to_string(&outcome)?,
            has_state: state.is_some(),
            state,
        };
        fresh.states.insert((host.clone(), hour), row);
        fresh.summaries.extend(outcome.summaries.into_iter().map(|summary| SummaryRow {
            hour: summary.hour,
            decided_hour: hour,
            channel: summary.channel,
        }));
        live.state = Some((hour, fold));
        Ok(())
    }

    /// Keeps what was decided of a day beside what still stands, and adds all of it to the hosts.
    fn keep(&self, day: i64, fresh: Fresh, live: &mut BTreeMap<Arc<str>, Live>) -> Result<()> {
        let date = date_of_hour(day.saturating_mul(24));
        let files = self.plan.access.files_at(SUMMARIES, &date, self.bucket);
        let outcomes = self.outcomes(&date, &fresh.states)?;
        let mut summaries = fresh.summaries;
        for file in &files {
            let context = || format!("cannot read {}", file.path());
            let rows = tables::read_summaries(self.plan.access.open(file)?, &(i64::MIN..i64::MAX));
            for rows in rows.with_context(context)? {
                let standing = rows.with_context(context)?.into_iter().filter(|row| {
                    let host = &row.channel.key.host;
                    let known = self
                        .timetable
                        .hosts
                        .get(host)
                        .is_some_and(|table| table.decided.contains_key(&row.decided_hour));
                    known && !fresh.states.contains_key(&(host.clone(), row.decided_hour))
                });
                summaries.extend(standing);
            }
        }
        if self.plan.access.keeps() && !fresh.states.is_empty() {
            summaries.sort_by(|one, other| {
                let order = |row: &SummaryRow| (row.channel.key.clone(), row.hour, row.decided_hour);
                order(one).cmp(&order(other))
            });
            self.write_summaries(&date, &summaries, &files)?;
            self.write_states(&date, &fresh.states)?;
        }
        for (host, live) in live.iter_mut() {
            self.add_outcomes(host, day, &outcomes, live)?;
        }
        for row in summaries {
            let counts = (self.plan.since_hour..=self.plan.until_hour).contains(&row.hour)
                && row.decided_hour <= self.plan.until_hour;
            if let (true, Some(live)) = (counts, live.get_mut(&row.channel.key.host)) {
                live.hours.add_channel(row.channel);
            }
        }
        Ok(())
    }

    /// What the hours of one date yielded besides summaries, decided now or before. Read for each date, as a host of many
    /// years has more of them than there may be in memory.
    fn outcomes(&self, date: &str, fresh: &BTreeMap<(Arc<str>, i64), StateRow>) -> Result<Outcomes> {
        let mut outcomes = Outcomes::new();
        for file in self.plan.access.files_at(STATES, date, self.bucket) {
            let context = || format!("cannot read {}", file.path());
            let rows = tables::read_states(self.plan.access.open(&file)?, &(i64::MIN..i64::MAX), false);
            for rows in rows.with_context(context)? {
                let rows = rows.with_context(context)?;
                outcomes.extend(rows.into_iter().map(|row| ((row.host, row.hour), row.outcome)));
            }
        }
        outcomes.extend(fresh.iter().map(|(key, row)| (key.clone(), row.outcome.clone())));
        Ok(outcomes)
    }

    fn add_outcomes(&self, host: &Arc<str>, day: i64, outcomes: &Outcomes, live: &mut Live) -> Result<()> {
        let Some(table) = self.timetable.hosts.get(host) else { return Ok(()) };
        let from = day.saturating_mul(24).max(self.plan.since_hour);
        let until = day.saturating_mul(24).saturating_add(23).min(self.plan.until_hour);
        if from > until {
            return Ok(());
        }
        for (hour, _) in table.hours.range(from..=until) {
            if let Some(text) = outcomes.get(&(host.clone(), *hour)) {
                let outcome: HourOutcome =
                    serde_json::from_str(text).with_context(|| format!("in the hour {hour} of {host}"))?;
                live.hours.add_rest(&outcome);
            }
        }
        Ok(())
    }

    fn write_summaries(
        &self,
        date: &str,
        rows: &[SummaryRow],
        replaced: &[monologue_lake::ledger::DataFile],
    ) -> Result<()> {
        let Some(mut file) = self.plan.access.replace(SUMMARIES, date, self.bucket, replaced)? else { return Ok(()) };
        let mut failed = None;
        let batches = rows.chunks(BATCH_ROWS).map_while(|rows| match encode_summaries(rows) {
            Ok(batch) => Some(batch),
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        let written = tables::write_summaries(batches, &mut file)?;
        if let Some(error) = failed {
            return Err(error).context("cannot encode summaries");
        }
        file.flush()?;
        file.finish(written.rows, written.first_ns.unwrap_or(0), written.last_ns.unwrap_or(0))?;
        Ok(())
    }

    fn write_states(&self, date: &str, fresh: &BTreeMap<(Arc<str>, i64), StateRow>) -> Result<()> {
        let files = self.plan.access.files_at(STATES, date, self.bucket);
        let mut rows: BTreeMap<(Arc<str>, i64), StateRow> = BTreeMap::new();
        for file in &files {
            let context = || format!("cannot read {}", file.path());
            let kept = tables::read_states(self.plan.access.open(file)?, &(i64::MIN..i64::MAX), true);
            for kept in kept.with_context(context)? {
                rows.extend(kept.with_context(context)?.into_iter().map(|row| ((row.host.clone(), row.hour), row)));
            }
        }
        rows.extend(fresh.iter().map(|(key, row)| (key.clone(), row.clone())));
        let Some(mut file) = self.plan.access.replace(STATES, date, self.bucket, &files)? else { return Ok(()) };
        let rows: Vec<StateRow> = rows.into_values().collect();
        let written = tables::write_states(&rows, &mut file)?;
        file.flush()?;
        file.finish(written.rows, written.first_ns.unwrap_or(0), written.last_ns.unwrap_or(0))?;
        Ok(())
    }

    /// States that were kept, for some hosts and hours.
    fn states(&self, wanted: &BTreeSet<(Arc<str>, i64)>) -> Result<BTreeMap<(Arc<str>, i64), Fold>> {
        let mut by_date: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (_, hour) in wanted {
            by_date.entry(date_of_hour(*hour)).or_default().push(*hour);
        }
        let mut states = BTreeMap::new();
        for (date, hours) in by_date {
            let (Some(first), Some(last)) = (hours.iter().min(), hours.iter().max()) else { continue };
            for file in self.plan.access.files_at(STATES, &date, self.bucket) {
                let context = || format!("cannot read {}", file.path());
                let rows = tables::read_states(self.plan.access.open(&file)?, &(*first..last.saturating_add(1)), true);
                for rows in rows.with_context(context)? {
                    for row in rows.with_context(context)? {
                        let key = (row.host, row.hour);
                        if let (true, Some(text)) = (wanted.contains(&key), row.state) {
                            states.insert(key, Fold::from_bytes(text.as_bytes()).with_context(context)?);
                        }
                    }
                }
            }
        }
        Ok(states)
    }

    /// The hosts, with what is still open.
    fn finish(&self, mut live: BTreeMap<Arc<str>, Live>) -> Result<Vec<HostHunt>> {
        let until = self.plan.until_hour;
        let last_hour = |table: &HostTable| table.hours.range(..=until).next_back().map(|(hour, _)| *hour);
        let mut wanted = BTreeSet::new();
        for (host, table) in &self.timetable.hosts {
            let held = live.get(host).and_then(|live| live.state.as_ref()).map(|(hour, _)| *hour);
            wanted.extend(last_hour(table).filter(|last| held != Some(*last)).map(|last| (host.clone(), last)));
        }
        for ((host, hour), state) in self.states(&wanted)? {
            if let Some(live) = live.get_mut(&host) {
                live.state = Some((hour, state));
            }
        }
        let mut hunted = Vec::new();
        for (host, mut live) in live {
            let Some(table) = self.timetable.hosts.get(&host) else { continue };
            let ours = |address: IpAddr| self.plan.origin.is_ours(address);
            if !table.named && host.parse().is_ok_and(|address| !ours(address)) {
                continue;
            }
            let fold = live.state.take().map_or_else(|| Fold::new(host.clone()), |(_, fold)| fold);
            let rest = fold.rest(&live.records);
            live.hours.add_rest(&rest);
            for summary in rest.summaries {
                if (self.plan.since_hour..=until).contains(&summary.hour) {
                    live.hours.add_channel(summary.channel);
                }
            }
            let times = table.times(self.plan.since_hour, until);
            let host = live.hours.finish(&live.records, times, fold.clock_skew_ns());
            // An address that began no exchange (multicast chatter, a resolver) is nobody's Mac.
            if table.named || !host.channels.is_empty() {
                hunted.push(host);
            }
        }
        Ok(hunted)
    }
}
