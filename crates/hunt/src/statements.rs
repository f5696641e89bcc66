//! What the sensors of one host say of their own completeness, in an order in which those of a stretch of time are found
//! without looking at all of them.

use monologue_model::{CoverageRecord, CoverageState, SightSet, Timestamp};
use std::{collections::HashMap, sync::Arc};

/// Statements about coverage, of one host.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    /// By the time they begin with.
    records: Vec<CoverageRecord>,
    /// The latest end of any statement up to that place.
    latest: Vec<Timestamp>,
}

impl Statements {
    /// Puts statements, in any order, into theirs.
    #[must_use]
    pub fn new(records: Vec<CoverageRecord>) -> Self {
        let records = coalesce(records);
        let mut latest: Vec<Timestamp> = Vec::with_capacity(records.len());
        for record in &records {
            let until = record.until.max(record.from);
            latest.push(latest.last().map_or(until, |known| until.max(*known)));
        }
        Self { records, latest }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &CoverageRecord> + Clone {
        self.records.iter()
    }

    /// Those that may speak of the time from `from` to `until`, both inclusive, and a few that do not; `None` is no bound.
    pub(crate) fn around(
        &self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> impl Iterator<Item = &CoverageRecord> {
        let first = from.map_or(0, |from| self.latest.partition_point(|latest| *latest < from));
        let past =
            until.map_or(self.records.len(), |until| self.records.partition_point(|record| record.from <= until));
        self.records.get(first..past).unwrap_or_default().iter()
    }
}

/// Statements by the time they begin with, in which those of one format that say "complete" of the same sights, and meet or
/// overlap, are one. A sensor that begins a file each hour says the same as one that began a single file, and a host of
/// years need not keep each.
#[must_use]
pub fn coalesce(mut records: Vec<CoverageRecord>) -> Vec<CoverageRecord> {
    records.sort_by_key(|record| record.from);
    let mut open: HashMap<(Arc<str>, SightSet), usize> = HashMap::new();
    let mut kept: Vec<CoverageRecord> = Vec::new();
    for mut record in records {
        if record.state == CoverageState::Complete {
            record.until = record.until.max(record.from);
            let place = open.entry((record.format.clone(), record.sights)).or_insert(usize::MAX);
            if let Some(known) = kept.get_mut(*place).filter(|known| record.from <= known.until) {
                known.until = known.until.max(record.until);
                continue;
            }
            *place = kept.len();
        }
        kept.push(record);
    }
    kept.shrink_to_fit();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Coverage;
    use monologue_model::{CoverageState, Loss, Sight, SightSet};
    use proptest::prelude::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_nanoseconds(number * 1_000_000_000)
    }

    fn record((from, length, lost): (i64, i64, bool)) -> CoverageRecord {
        let state = match lost {
            true => CoverageState::Lost { reason: Loss::SequenceGap, records: Some(1) },
            false => CoverageState::Complete,
        };
        CoverageRecord {
            format: "zeek-conn".into(),
            sights: SightSet::of(&[Sight::FlowBytes]),
            from: second(from),
            // Some run backwards, as hostile ones may.
            until: second(from + length),
            state,
        }
    }

    #[test]
    fn stretches_that_meet_are_one_and_losses_stay() {
        let records = [(0, 10, false), (10, 10, false), (30, 5, false), (5, 2, true), (5, 2, true)].map(record);
        let kept: Vec<(i64, i64)> = coalesce(records.to_vec())
            .iter()
            .map(|record| (record.from.nanoseconds() / 1_000_000_000, record.until.nanoseconds() / 1_000_000_000))
            .collect();
        assert_eq!(kept, [(0, 20), (5, 7), (5, 7), (30, 35)]);
        let mut other = record((12, 3, false));
        other.sights = SightSet::of(&[Sight::FlowReply]);
        assert_eq!(coalesce(vec![record((10, 10, false)), other]).len(), 2, "they speak of different things");
    }

    proptest! {
        #[test]
        fn those_around_a_stretch_say_the_same_of_it_as_all(
            parts in proptest::collection::vec((0_i64..200, -5_i64..60, any::<bool>()), 0..40),
            from in proptest::option::of(-10_i64..220),
            until in proptest::option::of(-10_i64..220),
        ) {
            let records: Vec<CoverageRecord> = parts.into_iter().map(record).collect();
            let statements = Statements::new(records.clone());
            let (from, until) = (from.map(second), until.map(second));
            let (mut some, mut all) = (Coverage::default(), Coverage::default());
            some.extend(statements.around(from, until), from, until);
            all.extend(records.iter(), from, until);
            prop_assert_eq!(format!("{some:?}"), format!("{all:?}"));
        }
    }
}
