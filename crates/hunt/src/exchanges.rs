//! The plain exchanges of one host or many, without summary or judgement: what measuring the links needs.

use crate::{Options, coverage::Coverage, hunt::partition, link};
use monologue_model::{Detail, Event, Exchange};
use std::{collections::BTreeMap, sync::Arc};

/// The events of one host in order of time, then of place: the same events give the same result however they came in.
/// Events of one record (a fork and its coverage) keep the order of their kinds.
pub(crate) fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(|one, other| (one.time, &one.provenance).cmp(&(other.time, &other.provenance)));
    events.dedup();
    events
}

/// Links the events of one host, in any order.
#[must_use]
pub fn exchanges(host: &Arc<str>, events: Vec<Event>) -> Vec<Exchange> {
    let events = in_order(events);
    let coverage = Coverage::from_records(events.iter().filter_map(|event| match &event.detail {
        Detail::Coverage(record) => Some(record),
        _ => None,
    }));
    link::link(host, &events, &coverage).exchanges.into_iter().map(|linked| linked.exchange).collect()
}

/// Gives each event to the host it happened on, as a hunt does, and links the events of each.
#[must_use]
pub fn exchanges_by_host(options: &Options, events: Vec<Event>) -> BTreeMap<Arc<str>, Vec<Exchange>> {
    let by_host = partition(options, events).into_iter();
    by_host.map(|(host, (_, events))| (host.clone(), exchanges(&host, events))).collect()
}
