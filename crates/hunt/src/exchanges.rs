//! The plain exchanges of one host or many, without summary or judgement: what measuring the links needs.

use crate::{Options, fold, hunt::partition};
use monologue_model::{Event, Exchange, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The events of one host in order of time, then of place, each once: the same events give the same result however they
/// came in. Events of one record (a fork and its coverage) keep the order of their kinds.
pub(crate) fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(|one, other| (one.time, &one.provenance).cmp(&(other.time, &other.provenance)));
    without_copies(events)
}

/// Leaves out what stands twice: records of the same bytes at the same time, in one file or in two that overlap. Where
/// times are whole seconds, two records of the same bytes may be two events, and both stay.
fn without_copies(events: Vec<Event>) -> Vec<Event> {
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    // The places in `kept` of records of this moment, by the hash of their bytes.
    let mut now: HashMap<Sha256, Vec<usize>> = HashMap::new();
    for event in events {
        if kept.last().is_some_and(|last| last.time != event.time) {
            now.clear();
        }
        let exact = event.time.nanoseconds() % 1_000_000_000 != 0 && event.provenance.length > 0;
        let places = now.entry(event.provenance.sha256).or_default();
        let is_copy = places.iter().filter_map(|at| kept.get(*at)).any(|known| {
            (exact || known.provenance == event.provenance)
                && known.host == event.host
                && known.format == event.format
                && known.detail == event.detail
        });
        if !is_copy {
            places.push(kept.len());
            kept.push(event);
        }
    }
    kept
}

/// Links the events of one host, in any order.
#[must_use]
pub fn exchanges(host: &Arc<str>, events: Vec<Event>) -> Vec<Exchange> {
    let (linked, _) = fold::link_all(host, in_order(events));
    linked.into_iter().map(|linked| linked.exchange).collect()
}

/// Gives each event to the host it happened on, as a hunt does, and links the events of each.
#[must_use]
pub fn exchanges_by_host(options: &Options, events: Vec<Event>) -> BTreeMap<Arc<str>, Vec<Exchange>> {
    let by_host = partition(options, events).into_iter();
    by_host.map(|(host, (_, events))| (host.clone(), exchanges(&host, events))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{CoverageRecord, CoverageState, Detail, Provenance, SightSet, Timestamp};

    fn event(nanoseconds: i64, offset: u64, bytes: &str, until: i64) -> Event {
        let (source, length) = ("a.log".into(), bytes.len() as u64);
        let record = CoverageRecord {
            format: "test".into(),
            sights: SightSet::EMPTY,
            from: Timestamp::default(),
            until: Timestamp::from_nanoseconds(until),
            state: CoverageState::Complete,
        };
        Event {
            time: Timestamp::from_nanoseconds(nanoseconds),
            host: None,
            format: "test".into(),
            provenance: Provenance { source, offset, length, sha256: Sha256::of(bytes.as_bytes()) },
            detail: Detail::Coverage(record),
        }
    }

    fn offsets(events: Vec<Event>) -> Vec<u64> {
        in_order(events).iter().map(|event| event.provenance.offset).collect()
    }

    #[test]
    fn a_record_that_stands_twice_is_taken_once() {
        let copies = vec![event(5, 900, "x", 0), event(5, 100, "x", 0), event(5, 500, "y", 0), event(6, 700, "x", 0)];
        assert_eq!(offsets(copies), [100, 500, 700], "the first of the two, and what differs in bytes or time");
        assert_eq!(offsets(vec![event(5, 100, "x", 0), event(5, 100, "x", 1)]), [100, 100], "two events of one record");
        let second = 1_000_000_000;
        let coarse = vec![event(second, 100, "x", 0), event(second, 900, "x", 0), event(second, 900, "x", 0)];
        assert_eq!(offsets(coarse), [100, 900], "whole seconds do not tell two events of the same bytes apart");
    }
}
