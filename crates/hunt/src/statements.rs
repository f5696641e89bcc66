//! What the sensors of one host say of their own completeness, in an order in which those of a stretch of time are found
//! without looking at all of them.

use monologue_model::{CoverageRecord, Timestamp};

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
    pub fn new(mut records: Vec<CoverageRecord>) -> Self {
        records.sort_by_key(|record| record.from);
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
