//! The awake clock: laptops sleep, and a timer fires only while they are awake. Each host has a bitmap of minutes that says
//! when it was, merged by OR; intervals are measured on the time that it leaves.
//!
//! Activity proves awake: an endpoint record, or a flow that the host began. Asleep (or off) is only what was silent
//! altogether, for at least [`SILENCE_MINUTES`], while an endpoint sensor was complete and nothing was lost. Where nothing
//! is known, time counts: absence of data is never sleep.

use crate::coverage::Coverage;
use monologue_model::{Detail, Event, Sight, TaskFact, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE_NS: i64 = 60 * 1_000_000_000;
const MINUTES_PER_HOUR: i64 = 60;

/// Silence of everything below which a Mac is taken as idle, not asleep: 10 minutes. A choice: far above the pauses in a
/// log of all processes or all requests of an awake Mac, far below a sleep that would blur a cadence.
pub const SILENCE_MINUTES: i64 = 10;

/// Active minutes that each silence must be matched with, on average, before silences are taken as sleep: 10. A source
/// with a record or two between silences does not show the whole host, and its silences are its own.
pub const ACTIVE_MINUTES_PER_SILENCE: u64 = 10;

/// Hours kept: 400 days; of longer series the last ones.
const HOUR_CAP: usize = 24 * 400;

/// Witnesses of sleep kept; of more the last ones.
const WITNESS_CAP: usize = 512;

/// Longest stretch in which a witness may place a sleep: 3 days.
const WITNESS_MINUTES: i64 = 3 * 24 * MINUTES_PER_HOUR;

/// Sights whose completeness means that this host itself was watched.
const ENDPOINT_SIGHTS: [Sight; 4] = [Sight::ProcessExec, Sight::ProcessFork, Sight::FileEffect, Sight::TaskLifecycle];

/// What is known of the minutes of one hour, one bit each, the first minute lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Hour {
    /// Something was recorded that only an awake host does.
    active: u64,
    /// An endpoint sensor was complete.
    watched: u64,
    /// Records were lost that may have shown activity.
    lost: u64,
}

/// What is known of the time in which one host was awake. Merging is OR: associative, commutative, and the same twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwakeMinutes {
    /// By hour since the epoch.
    hours: BTreeMap<i64, Hour>,
    /// Stretches, first and last minute, in each of which the host slept at some time.
    slept_within: BTreeSet<(i64, i64)>,
}

/// Wall time without the time asleep. Made once from [`AwakeMinutes`], then asked often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwakeClock {
    /// Stretches asleep, ascending: begin and end in nanoseconds, and the time asleep before the begin.
    asleep: Vec<(i64, i64, i64)>,
}

impl AwakeMinutes {
    /// Gathers what the events of one host show.
    pub(crate) fn from_events(events: &[Event], coverage: &Coverage) -> Self {
        let mut minutes = Self::default();
        for event in events {
            minutes.take(event);
        }
        minutes.watch(coverage);
        minutes
    }

    /// Adds when the sensors of this host were complete, and when they lost records.
    pub(crate) fn watch(&mut self, coverage: &Coverage) {
        for sight in ENDPOINT_SIGHTS {
            coverage.complete_spans(sight).iter().for_each(|span| self.mark_watched(span.from, span.until));
            coverage.lost_spans(sight).iter().for_each(|span| self.mark_lost(span.from, span.until));
        }
    }

    /// Takes one event, in any order.
    pub fn take(&mut self, event: &Event) {
        match &event.detail {
            // What a source says of itself, and rows that the far end alone may have caused.
            Detail::Coverage(_) => return,
            Detail::Flow(flow) if flow.continuation => return,
            Detail::Task(task) => {
                if let TaskFact::Summary(summary) = &task.fact
                    && summary.reused_after_sleep == Some(true)
                {
                    let back_ms = summary.reused_after_ms.unwrap_or(0).saturating_add(summary.duration_ms.unwrap_or(0));
                    let back_ns = i64::try_from(back_ms).unwrap_or(i64::MAX).saturating_mul(1_000_000);
                    self.mark_slept_within(event.time.saturating_add(back_ns.saturating_neg()), event.time);
                }
            }
            _ => {}
        }
        self.mark_active(event.time);
    }

    /// The host was awake at this time.
    pub fn mark_active(&mut self, time: Timestamp) {
        let minute = minute_of(time);
        self.hour(minute).active |= 1 << minute.rem_euclid(MINUTES_PER_HOUR);
        self.prune();
    }

    /// An endpoint sensor of this host was complete all this time.
    pub fn mark_watched(&mut self, from: Timestamp, until: Timestamp) {
        // Whole minutes only.
        let first = minute_of(from.saturating_add(MINUTE_NS - 1));
        let last = minute_of(until.saturating_add(1)) - 1;
        self.mark(first, last, |hour| &mut hour.watched);
    }

    /// Records of this host were lost in this time.
    pub fn mark_lost(&mut self, from: Timestamp, until: Timestamp) {
        self.mark(minute_of(from), minute_of(until), |hour| &mut hour.lost);
    }

    /// The host slept at some time in this stretch (`reused_after_sleep=true` of a connection used before and after).
    pub fn mark_slept_within(&mut self, from: Timestamp, until: Timestamp) {
        let (first, last) = (minute_of(from), minute_of(until));
        if first <= last && last - first <= WITNESS_MINUTES {
            self.slept_within.insert((first, last));
            self.prune();
        }
    }

    /// Memory that it takes, in bytes, about: a map is two thirds full.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        (self.hours.len() * size_of::<(i64, Hour)>() + self.slept_within.len() * size_of::<(i64, i64)>()) * 3 / 2
    }

    /// Adds what another part of the same host's telemetry shows.
    pub fn merge(&mut self, other: &Self) {
        for (number, hour) in &other.hours {
            let own = self.hours.entry(*number).or_default();
            own.active |= hour.active;
            own.watched |= hour.watched;
            own.lost |= hour.lost;
        }
        self.slept_within.extend(&other.slept_within);
        self.prune();
    }

    /// The clock that these minutes give.
    #[must_use]
    pub fn clock(&self) -> AwakeClock {
        let silences = self.silences();
        let active: u64 = self.hours.values().map(|hour| u64::from(hour.active.count_ones())).sum();
        let shows_the_host = active >= ACTIVE_MINUTES_PER_SILENCE.saturating_mul(silences.len() as u64);
        let mut asleep = if shows_the_host { silences } else { Vec::new() };
        asleep.extend(self.slept_within.iter().filter_map(|(first, last)| self.longest_silence(*first, *last)));
        AwakeClock::new(asleep)
    }

    /// Nanoseconds from `from` to `until` in which the host was not known to sleep. Make a [`AwakeMinutes::clock`] to ask
    /// more than once.
    #[must_use]
    pub fn elapsed_awake(&self, from: Timestamp, until: Timestamp) -> i64 {
        self.clock().elapsed(from, until)
    }

    fn hour(&mut self, minute: i64) -> &mut Hour {
        self.hours.entry(minute.div_euclid(MINUTES_PER_HOUR)).or_default()
    }

    fn mark(&mut self, first: i64, last: i64, bits: impl Fn(&mut Hour) -> &mut u64) {
        if first > last {
            return;
        }
        let cap = HOUR_CAP as i64 * MINUTES_PER_HOUR;
        let first = first.max(last.saturating_sub(cap));
        for number in first.div_euclid(MINUTES_PER_HOUR)..=last.div_euclid(MINUTES_PER_HOUR) {
            let start = number * MINUTES_PER_HOUR;
            let low = (first - start).clamp(0, MINUTES_PER_HOUR - 1);
            let high = (last - start).clamp(0, MINUTES_PER_HOUR - 1);
            let mask = (1_u64 << (high + 1)) - (1_u64 << low);
            *bits(self.hours.entry(number).or_default()) |= mask;
        }
        self.prune();
    }

    fn prune(&mut self) {
        while self.hours.len() > HOUR_CAP {
            self.hours.pop_first();
        }
        while self.slept_within.len() > WITNESS_CAP {
            self.slept_within.pop_first();
        }
    }

    /// Stretches of watched silence that are long enough, as first and last minute.
    fn silences(&self) -> Vec<(i64, i64)> {
        let mut silences = Vec::new();
        let mut open: Option<(i64, i64)> = None;
        for (number, hour) in &self.hours {
            let silent = hour.watched & !hour.active & !hour.lost;
            for bit in 0..MINUTES_PER_HOUR {
                let minute = number * MINUTES_PER_HOUR + bit;
                if silent >> bit & 1 == 0 {
                    continue;
                }
                match &mut open {
                    Some((_, last)) if *last + 1 == minute => *last = minute,
                    _ => silences.extend(open.replace((minute, minute))),
                }
            }
        }
        silences.extend(open);
        silences.retain(|(first, last)| last - first + 1 >= SILENCE_MINUTES);
        silences
    }

    /// The longest stretch without activity between two minutes; of equals the first. `None` if it is too short.
    fn longest_silence(&self, first: i64, last: i64) -> Option<(i64, i64)> {
        let mut best: Option<(i64, i64)> = None;
        let mut start = first;
        for minute in first..=last.saturating_add(1) {
            let hour = self.hours.get(&minute.div_euclid(MINUTES_PER_HOUR)).copied().unwrap_or_default();
            let busy = (hour.active | hour.lost) >> minute.rem_euclid(MINUTES_PER_HOUR) & 1 == 1;
            if busy || minute > last {
                if best.is_none_or(|(from, until)| minute - start > until - from + 1) && minute > start {
                    best = Some((start, minute - 1));
                }
                start = minute + 1;
            }
        }
        best.filter(|(from, until)| until - from + 1 >= SILENCE_MINUTES)
    }
}

impl AwakeClock {
    /// From stretches asleep, as first and last minute, in any order; they may overlap.
    fn new(mut minutes: Vec<(i64, i64)>) -> Self {
        minutes.sort_unstable();
        let mut asleep: Vec<(i64, i64, i64)> = Vec::with_capacity(minutes.len());
        for (first, last) in minutes {
            let begin = first.saturating_mul(MINUTE_NS);
            let end = last.saturating_add(1).saturating_mul(MINUTE_NS);
            match asleep.last_mut() {
                Some(before) if begin <= before.1 => before.1 = before.1.max(end),
                _ => asleep.push((begin, end, 0)),
            }
        }
        let mut before = 0_i64;
        for stretch in &mut asleep {
            stretch.2 = before;
            before = before.saturating_add(stretch.1.saturating_sub(stretch.0));
        }
        Self { asleep }
    }

    /// Whether no sleep is known: this is the clock on the wall.
    #[must_use]
    pub fn is_wall_clock(&self) -> bool {
        self.asleep.is_empty()
    }

    /// Nanoseconds from `from` to `until` in which the host was not known to sleep; negative if `until` is earlier.
    #[must_use]
    pub fn elapsed(&self, from: Timestamp, until: Timestamp) -> i64 {
        self.reading(until).saturating_sub(self.reading(from))
    }

    /// What the clock reads at a time: nanoseconds since the epoch, less those asleep until then.
    #[must_use]
    pub fn reading(&self, time: Timestamp) -> i64 {
        let now = time.nanoseconds();
        let later = self.asleep.partition_point(|(begin, _, _)| *begin <= now);
        let asleep = match later.checked_sub(1).and_then(|at| self.asleep.get(at)) {
            Some((begin, end, before)) => before.saturating_add(now.min(*end).saturating_sub(*begin)),
            None => 0,
        };
        now.saturating_sub(asleep)
    }
}

fn minute_of(time: Timestamp) -> i64 {
    time.nanoseconds().div_euclid(MINUTE_NS)
}

#[cfg(test)]
mod tests;
