//! One series of sequence numbers: which are missing, when it began anew, and how far lines may stand out of order.
//!
//! The number of a record is one more than that of the record before it in its series; a jump means that the kernel
//! dropped what lies between. Lines may stand a little out of order, so a jump is a gap only if nothing fills it within
//! [`FILL_CAP`] records.

use monologue_model::{Provenance, Timestamp};
use std::collections::BTreeMap;

/// Records of the source within which a missing number may still come.
const FILL_CAP: u64 = 1000;

/// How far the times of two records may go against their numbers, in nanoseconds: two processors at work.
const CLOCK_TOLERANCE_NS: i64 = 10_000_000;

/// How far time may go back while numbers go on, in nanoseconds: a clock that was set. Beyond it another client speaks.
const CLOCK_STEP_NS: i64 = 10_000_000_000;

/// Numbers that open at once; beyond this the oldest become gaps early.
const OPEN_CAP: usize = 4096;

/// Where a record stands in its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Its time.
    pub(super) time: Timestamp,
    /// Its number among all records of the client. `None` means nobody recorded it.
    pub(super) global: Option<u64>,
}

/// Numbers that are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// First missing number.
    pub(super) first: u64,
    /// Last missing number.
    pub(super) last: u64,
    /// The record with the number before.
    pub(super) before: Mark,
    /// The record with the number after.
    pub(super) after: Mark,
    /// A record at one of its ends.
    pub(super) provenance: Provenance,
}

impl Gap {
    /// How many numbers are missing.
    pub(super) const fn count(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

/// A jump that may still be filled.
struct Open {
    gap: Gap,
    /// Record of the source at which it was seen.
    seen_at: u64,
}

/// One series.
pub(super) struct Series {
    lowest: u64,
    lowest_mark: Mark,
    next: u64,
    last_mark: Mark,
    latest: Timestamp,
    began_at: u64,
    /// By first missing number.
    open: BTreeMap<u64, Open>,
    oldest_seen_at: u64,
}

impl Series {
    /// A series that begins with this record, the `at`-th of its source.
    pub(super) const fn new(number: u64, mark: Mark, at: u64) -> Self {
        Self {
            lowest: number,
            lowest_mark: mark,
            next: number.saturating_add(1),
            last_mark: mark,
            latest: mark.time,
            began_at: at,
            open: BTreeMap::new(),
            oldest_seen_at: at,
        }
    }

    /// Whether this record belongs to another client: its number goes down while time goes on, or time goes far back
    /// while its number goes on. Changes nothing.
    pub(super) const fn is_foreign(&self, number: u64, mark: Mark) -> bool {
        let later = mark.time.since(self.latest);
        if number < self.next { later > CLOCK_TOLERANCE_NS } else { later < -CLOCK_STEP_NS }
    }

    /// Takes the next record in order of the source; gaps that became certain are added to `certain`.
    ///
    /// False for a number that was taken before, or that lies too far back to be of this series.
    pub(super) fn take(
        &mut self,
        number: u64,
        mark: Mark,
        at: u64,
        provenance: &dyn Fn() -> Provenance,
        certain: &mut Vec<Gap>,
    ) -> bool {
        self.settle_old(at, certain);
        if number < self.lowest {
            return self.extend_down(number, mark, at, provenance, certain);
        }
        if number < self.next {
            return self.fill(number, mark, provenance);
        }
        if number > self.next {
            let gap = Gap {
                first: self.next,
                last: number - 1,
                before: self.last_mark,
                after: mark,
                provenance: provenance(),
            };
            self.open(gap, at, certain);
        }
        self.next = number.saturating_add(1);
        self.last_mark = mark;
        self.latest = self.latest.max(mark.time);
        true
    }

    /// All that is still open is missing for good.
    pub(super) fn finish(&mut self, certain: &mut Vec<Gap>) {
        certain.extend(std::mem::take(&mut self.open).into_values().map(|open| open.gap));
    }

    fn open(&mut self, gap: Gap, at: u64, certain: &mut Vec<Gap>) {
        if self.open.is_empty() {
            self.oldest_seen_at = at;
        }
        if self.open.len() >= OPEN_CAP
            && let Some((_, oldest)) = self.open.pop_first()
        {
            certain.push(oldest.gap);
        }
        self.open.insert(gap.first, Open { gap, seen_at: at });
    }

    /// A number below the first one seen belongs to the series only near its beginning: lines out of order.
    fn extend_down(
        &mut self,
        number: u64,
        mark: Mark,
        at: u64,
        provenance: &dyn Fn() -> Provenance,
        certain: &mut Vec<Gap>,
    ) -> bool {
        if at - self.began_at > FILL_CAP || self.lowest - number > FILL_CAP {
            return false;
        }
        if number + 1 < self.lowest {
            let (first, last) = (number + 1, self.lowest - 1);
            let gap = Gap { first, last, before: mark, after: self.lowest_mark, provenance: provenance() };
            self.open(gap, at, certain);
        }
        self.lowest = number;
        self.lowest_mark = mark;
        true
    }

    /// A number that was jumped over comes late: what is left of the jump may be two smaller ones.
    fn fill(&mut self, number: u64, mark: Mark, provenance: &dyn Fn() -> Provenance) -> bool {
        let found = self.open.range(..=number).next_back().filter(|(_, open)| number <= open.gap.last);
        let Some(start) = found.map(|(start, _)| *start) else { return false };
        let Some(Open { gap, seen_at }) = self.open.remove(&start) else { return false };
        if gap.first < number {
            let lower = Gap { last: number - 1, after: mark, provenance: provenance(), ..gap };
            self.open.insert(lower.first, Open { gap: lower, seen_at });
        }
        if number < gap.last {
            let upper = Gap { first: number + 1, before: mark, ..gap };
            self.open.insert(upper.first, Open { gap: upper, seen_at });
        }
        true
    }

    /// Jumps that nothing filled in time become gaps.
    fn settle_old(&mut self, at: u64, certain: &mut Vec<Gap>) {
        if self.open.is_empty() || at - self.oldest_seen_at <= FILL_CAP {
            return;
        }
        let mut oldest = at;
        self.open.retain(|_, open| {
            let keep = at - open.seen_at <= FILL_CAP;
            if keep {
                oldest = oldest.min(open.seen_at);
            } else {
                certain.push(open.gap.clone());
            }
            keep
        });
        self.oldest_seen_at = oldest;
    }
}
