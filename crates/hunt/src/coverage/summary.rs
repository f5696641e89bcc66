//! Coverage in numbers: what the report and `monologue coverage` say of one host.

use super::{Coverage, Span, join};
use monologue_model::{
    Channel, CoverageRecord, CoverageState, ExchangeCoverage, FailedCheck, FormatCoverage, HostCoverage, Loss,
    LossCoverage, Service, Sight, SightCoverage, Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Nanoseconds of an hour.
pub(crate) const HOUR_NS: i64 = 3600 * 1_000_000_000;

/// Hours of a coverage map that are kept for one sight; longer windows keep the first ones.
pub(crate) const HOUR_CAP: usize = 24 * 400;

/// What the numbers are made from, besides the map itself.
pub(crate) struct Told<'a> {
    /// The host.
    pub(crate) host: &'a Arc<str>,
    /// First and last moment of any record of this host.
    pub(crate) window: (Timestamp, Timestamp),
    /// Its channels.
    pub(crate) channels: &'a [Channel],
}

/// The numbers of one host.
pub(crate) fn summarise<'a>(
    coverage: &Coverage,
    records: impl Iterator<Item = &'a CoverageRecord>,
    told: &Told<'_>,
) -> HostCoverage {
    let (formats, losses) = sources(records);
    HostCoverage {
        host: told.host.clone(),
        from: told.window.0,
        until: told.window.1,
        sights: sights(coverage),
        formats,
        losses,
        missing_exchanges: coverage.missing_exchanges(),
        exchanges: exchanges(told.channels),
        os_version: None,
    }
}

/// The numbers of each sight. Sights of one sensor have the same hours, which are kept once.
fn sights(coverage: &Coverage) -> Vec<SightCoverage> {
    let mut sights: Vec<SightCoverage> = Vec::new();
    for mut entry in Sight::ALL.into_iter().filter_map(|sight| sight_coverage(coverage, sight)) {
        if let Some(same) = sights.iter().find(|other| other.hours == entry.hours) {
            entry.hours = same.hours.clone();
        }
        if let Some(same) = sights.iter().find(|other| other.lost_hours == entry.lost_hours) {
            entry.lost_hours = same.lost_hours.clone();
        }
        sights.push(entry);
    }
    sights
}

fn sight_coverage(coverage: &Coverage, sight: Sight) -> Option<SightCoverage> {
    let complete = coverage.complete.get(&sight);
    let losses = coverage.lost.get(&sight);
    let truncated = coverage.truncated.get(&sight).copied();
    if complete.is_none() && losses.is_none() && truncated.is_none() {
        return None;
    }
    let lost = losses.map_or(&[][..], Vec::as_slice);
    let spans = subtract(complete.map_or(&[][..], Vec::as_slice), lost);
    Some(SightCoverage {
        sight,
        covered_nanoseconds: spans.iter().map(|span| span.until.since(span.from)).sum(),
        losses: lost.len() as u64 + truncated.unwrap_or(0),
        hours: by_hour(&spans),
        lost_hours: lost_hours(lost),
    })
}

/// Hours in which something was lost. Spans are sorted by their start and may overlap.
fn lost_hours(lost: &[Span]) -> Arc<[i64]> {
    let mut hours: Vec<i64> = Vec::new();
    for hour in lost.iter().flat_map(|span| span.from.hour()..=span.until.hour()).take(HOUR_CAP) {
        if hours.last().is_none_or(|last| *last < hour) {
            hours.push(hour);
        }
    }
    hours.into()
}

/// Which formats spoke, and what they say was lost.
fn sources<'a>(records: impl Iterator<Item = &'a CoverageRecord>) -> (Vec<FormatCoverage>, Vec<LossCoverage>) {
    let mut formats: BTreeMap<Arc<str>, FormatCoverage> = BTreeMap::new();
    let mut losses: BTreeMap<(Arc<str>, Loss), LossCoverage> = BTreeMap::new();
    // The same statement may come once for each host a sensor speaks for, or in two copies of a file.
    let told: BTreeSet<&CoverageRecord> = records.collect();
    for record in told {
        let format = record.format.clone();
        match record.state {
            CoverageState::Complete => {
                let until = record.until.max(record.from);
                let known = formats.entry(format.clone()).or_insert_with(|| FormatCoverage {
                    format,
                    sights: record.sights,
                    from: record.from,
                    until,
                });
                known.sights = known.sights.union(record.sights);
                known.from = known.from.min(record.from);
                known.until = known.until.max(until);
            }
            CoverageState::Lost { reason, records } => {
                let known = losses.entry((format.clone(), reason)).or_insert_with(|| LossCoverage {
                    format,
                    reason,
                    sights: record.sights,
                    stretches: 0,
                    records: Some(0),
                });
                known.sights = known.sights.union(record.sights);
                known.stretches += 1;
                known.records = known.records.zip(records).map(|(sum, more)| sum.saturating_add(more));
            }
        }
    }
    (formats.into_values().collect(), losses.into_values().collect())
}

fn exchanges(channels: &[Channel]) -> ExchangeCoverage {
    let mut sum = ExchangeCoverage::default();
    for channel in channels {
        let counters = &channel.counters;
        let count = counters.exchanges;
        sum.exchanges += count;
        sum.application_known += if channel.key.application.is_unknown() { 0 } else { count };
        match channel.key.service {
            Service::Name(_) | Service::Part { .. } => sum.destination_named += count,
            Service::Masked(_) => sum.destination_masked += count,
            Service::Address(_) | Service::Unknown => {}
        }
        sum.reply_due += counters.reply_due();
        sum.reply_seen += counters.seen_by(Sight::FlowReply).min(counters.reply_due());
        sum.effect_due += counters.effect_due();
        sum.effect_seen += counters.seen_by(Sight::FileEffect).min(counters.effect_due());
        sum.task_seen += counters.seen_by(Sight::TaskLifecycle);
        sum.modern_loader += counters.failed_checks.of(FailedCheck::ModernLoader);
    }
    sum
}

/// What of `spans` (joined) is left without `holes`.
fn subtract(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut holes = holes.to_vec();
    join(&mut holes);
    let mut left = Vec::new();
    for span in spans {
        let mut from = span.from;
        let first = holes.partition_point(|hole| hole.until < span.from);
        for hole in holes.iter().skip(first).take_while(|hole| hole.from <= span.until) {
            if from < hole.from {
                left.push(Span { from, until: hole.from });
            }
            from = from.max(hole.until);
        }
        if from < span.until {
            left.push(Span { from, until: span.until });
        }
    }
    left
}

fn by_hour(spans: &[Span]) -> Arc<[(i64, f32)]> {
    let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
    for span in spans {
        for hour in span.from.hour()..=span.until.hour() {
            if hours.len() >= HOUR_CAP {
                break;
            }
            let start = Timestamp::from_nanoseconds(hour.saturating_mul(HOUR_NS));
            let end = start.saturating_add(HOUR_NS);
            let covered = span.until.min(end).since(span.from.max(start)).max(0);
            if covered > 0 {
                *hours.entry(hour).or_insert(0) += covered;
            }
        }
    }
    hours.into_iter().map(|(hour, covered)| (hour, (covered as f64 / HOUR_NS as f64).min(1.0) as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::SightSet;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    fn record(from: i64, until: i64, lost: Option<(Loss, Option<u64>)>) -> CoverageRecord {
        CoverageRecord {
            format: "test".into(),
            sights: SightSet::of(&[Sight::FileEffect]),
            from: at(from),
            until: at(until),
            state: lost.map_or(CoverageState::Complete, |(reason, records)| CoverageState::Lost { reason, records }),
        }
    }

    fn summary(records: &[CoverageRecord], until: i64) -> HostCoverage {
        let coverage = Coverage::from_records(records.iter());
        let told = Told { host: &"mac".into(), window: (at(0), at(until)), channels: &[] };
        summarise(&coverage, records.iter(), &told)
    }

    #[test]
    fn numbers_leave_out_what_was_lost() {
        let gap = Some((Loss::SequenceGap, Some(1)));
        let summary = summary(&[record(0, 3600, None), record(3600, 7200, None), record(1800, 5400, gap)], 7200);
        let entry = &summary.sights[0];
        assert_eq!(entry.covered_nanoseconds, 3600 * 1_000_000_000);
        assert_eq!(*entry.hours, [(0, 0.5), (1, 0.5)]);
        assert_eq!(*entry.lost_hours, [0, 1]);
        assert!((summary.percent(Sight::FileEffect) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn losses_are_told_by_reason_and_an_uncounted_one_makes_the_sum_unknown() {
        let records = [
            record(0, 7200, None),
            record(10, 11, Some((Loss::SequenceGap, Some(3)))),
            record(20, 21, Some((Loss::SequenceGap, Some(4)))),
            record(20, 21, Some((Loss::SequenceGap, Some(4)))),
            record(30, 30, Some((Loss::Malformed, None))),
            record(7200, 7200, Some((Loss::Truncated, None))),
        ];
        let summary = summary(&records, 7200);
        let told: Vec<(Loss, u64, Option<u64>)> =
            summary.losses.iter().map(|loss| (loss.reason, loss.stretches, loss.records)).collect();
        assert_eq!(
            told,
            [(Loss::SequenceGap, 2, Some(7)), (Loss::Truncated, 1, None), (Loss::Malformed, 1, None)],
            "the same statement counts once"
        );
        assert_eq!(summary.formats.len(), 1);
        assert_eq!(summary.formats[0].until, at(7200));
    }
}
