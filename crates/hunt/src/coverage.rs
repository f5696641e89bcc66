//! Coverage: where the sensors of one host were complete, and where something was lost.

mod summary;

pub(crate) use summary::{HOUR_CAP, HOUR_NS, Told, summarise};

use crate::settings;
use monologue_model::{CoverageRecord, CoverageState, Loss, Sight, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stretch of time, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// Where each sight of one host was complete, and where it was lost.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Coverage {
    complete: BTreeMap<Sight, Vec<Span>>,
    lost: BTreeMap<Sight, Vec<Span>>,
    /// Sources that end in the middle. The stretch of completeness ends there already: a bound of the observed window,
    /// not a hole in it.
    truncated: BTreeMap<Sight, u64>,
    /// Records lost, where somebody counted them; each loss nobody counted is one at least.
    lost_records: BTreeMap<Sight, u64>,
}

impl Coverage {
    /// Builds the map from the statements of all sources.
    pub(crate) fn from_records<'a>(records: impl Iterator<Item = &'a CoverageRecord>) -> Self {
        let mut coverage = Self::default();
        coverage.extend(records, None, None);
        coverage
    }

    /// Adds what the statements say of the time from `from` to `until`, both inclusive; `None` is no bound.
    pub(crate) fn extend<'a>(
        &mut self,
        records: impl Iterator<Item = &'a CoverageRecord>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) {
        let coverage = self;
        for record in records {
            let span = Span {
                from: from.map_or(record.from, |bound| record.from.max(bound)),
                until: until.map_or(record.until.max(record.from), |bound| record.until.max(record.from).min(bound)),
            };
            if span.from > span.until {
                continue;
            }
            for sight in record.sights.iter() {
                match record.state {
                    CoverageState::Complete => coverage.complete.entry(sight).or_default().push(span),
                    CoverageState::Lost { reason: Loss::Truncated, .. } => {
                        *coverage.truncated.entry(sight).or_default() += 1
                    }
                    CoverageState::Lost { records, .. } => {
                        coverage.lost.entry(sight).or_default().push(span);
                        *coverage.lost_records.entry(sight).or_default() += records.unwrap_or(1).max(1);
                    }
                }
            }
        }
        coverage.complete.values_mut().for_each(join);
        coverage.lost.values_mut().for_each(|spans| {
            spans.sort_unstable();
            spans.dedup();
        });
    }

    /// Forgets what lies long before `horizon`, and the numbers that only the whole window has.
    pub(crate) fn forget(&mut self, horizon: Timestamp) {
        let oldest = horizon.saturating_add(-settings::MEMORY_NS);
        for spans in [&mut self.complete, &mut self.lost] {
            spans.retain(|_, spans| {
                spans.retain(|span| span.until >= oldest);
                spans.iter_mut().for_each(|span| span.from = span.from.max(oldest));
                spans.dedup();
                !spans.is_empty()
            });
        }
        self.truncated.clear();
        self.lost_records.clear();
    }

    /// Whether `sight` was complete from `from` to `until`: within one stretch, and nothing lost in it.
    pub(crate) fn is_complete(&self, sight: Sight, from: Timestamp, until: Timestamp) -> bool {
        let spans = self.complete.get(&sight).map_or(&[][..], Vec::as_slice);
        spans.iter().any(|span| span.from <= from && until <= span.until) && !self.is_lost(sight, from, until)
    }

    /// Whether something of `sight` was lost between `from` and `until`.
    pub(crate) fn is_lost(&self, sight: Sight, from: Timestamp, until: Timestamp) -> bool {
        self.lost.get(&sight).is_some_and(|spans| spans.iter().any(|span| span.from <= until && from <= span.until))
    }

    /// Whether anything of `sight` was lost at any time.
    pub(crate) fn has_loss(&self, sight: Sight) -> bool {
        self.lost.contains_key(&sight)
    }

    /// Records that may be missing although they would have shown an exchange: the largest number of any such sight.
    /// 0: none was lost in the observed window.
    pub(crate) fn missing_exchanges(&self) -> u64 {
        let shows_exchanges =
            [Sight::TaskLifecycle, Sight::FlowReply, Sight::FlowBytes, Sight::HttpResponse, Sight::TlsHandshake];
        shows_exchanges.iter().filter_map(|sight| self.lost_records.get(sight).copied()).max().unwrap_or(0)
    }

    /// The stretches for which a source says that it was complete, ascending.
    pub(crate) fn complete_spans(&self, sight: Sight) -> &[Span] {
        self.complete.get(&sight).map_or(&[], Vec::as_slice)
    }

    /// The stretches in which something was lost, ascending; they may overlap.
    pub(crate) fn lost_spans(&self, sight: Sight) -> &[Span] {
        self.lost.get(&sight).map_or(&[], Vec::as_slice)
    }

    /// Whether any source says that it was complete for `sight` at any time.
    pub(crate) fn shows(&self, sight: Sight) -> bool {
        self.complete.contains_key(&sight)
    }

    /// The end of the stretch of completeness that holds `time`. `None` if there is none.
    pub(crate) fn end_after(&self, sight: Sight, time: Timestamp) -> Option<Timestamp> {
        self.complete.get(&sight)?.iter().find(|span| span.from <= time && time <= span.until).map(|span| span.until)
    }

    /// Whether a window from `from` to `until` runs past the end of coverage: it begins within the last stretch of
    /// completeness or soon after it, nothing of it was lost, and it ends later.
    pub(crate) fn runs_past_end(&self, sight: Sight, from: Timestamp, until: Timestamp) -> bool {
        let Some(end) = self.complete.get(&sight).and_then(|spans| spans.last()).map(|span| span.until) else {
            return false;
        };
        let begins_in =
            self.end_after(sight, from) == Some(end) || from > end && from.since(end) <= settings::QUIET_END_NS;
        begins_in && until > end && !self.is_lost(sight, from.min(end), until)
    }

    /// The start of the stretch of completeness that holds `time`. `None` if there is none.
    pub(crate) fn start_before(&self, sight: Sight, time: Timestamp) -> Option<Timestamp> {
        self.complete.get(&sight)?.iter().find(|span| span.from <= time && time <= span.until).map(|span| span.from)
    }
}

/// Sorts spans and joins those that touch.
fn join(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans.iter() {
        match joined.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => joined.push(*span),
        }
    }
    *spans = joined;
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{Loss, SightSet};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    fn record(from: i64, until: i64, lost: bool) -> CoverageRecord {
        CoverageRecord {
            format: "test".into(),
            sights: SightSet::of(&[Sight::FileEffect]),
            from: at(from),
            until: at(until),
            state: if lost {
                CoverageState::Lost { reason: Loss::SequenceGap, records: Some(1) }
            } else {
                CoverageState::Complete
            },
        }
    }

    #[test]
    fn loss_outweighs_completeness_and_two_stretches_are_not_one() {
        let records = [record(0, 100, false), record(200, 300, false), record(50, 60, true)];
        let coverage = Coverage::from_records(records.iter());
        let complete = |from, until| coverage.is_complete(Sight::FileEffect, at(from), at(until));
        assert!(complete(0, 49));
        assert!(!complete(40, 55), "a loss lies in it");
        assert!(!complete(90, 210), "nobody speaks for the time between");
        assert!(!coverage.is_complete(Sight::ProcessExec, at(0), at(1)), "another sight");
        assert_eq!(coverage.end_after(Sight::FileEffect, at(250)), Some(at(300)));
    }
}
