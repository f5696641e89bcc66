//! Pieces of one connection: rows that continue it, attempts made again, and what a second sensor saw of it.

#[cfg(test)]
mod tests;

use super::flows::Connection;
use crate::{sensors::sensor_of, settings};
use monologue_model::{Event, Timestamp, Transport};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::SocketAddr,
    sync::Arc,
};

/// Clocks of two sensors may differ by this much, for one connection to be the same: 2 s. A choice: far less than a port is
/// used again after, far more than sensors with a time server differ.
pub(super) const SENSORS_APART_NS: i64 = 2_000_000_000;

/// Connections of one 5-tuple, held at once, beyond which none is brought together: ports used again so often (NTP, or
/// hostile input) tell connections apart no more, and each would be held against each.
const MOST_OF_ONE: usize = 64;

/// A 5-tuple whose connection was handed on without having been seen to close: rows that continue it are no new exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(super) originator: SocketAddr,
    pub(super) responder: SocketAddr,
    pub(super) transport: Transport,
    pub(crate) end: Timestamp,
}

/// Sensors by format and source, each looked at once.
#[derive(Debug, Default)]
pub(super) struct SensorNames(HashMap<(Arc<str>, Arc<str>), Arc<str>>);

impl SensorNames {
    /// The sensor that wrote a record: a program, by the first word of its format, and the folder it writes to.
    pub(super) fn of(&mut self, event: &Event) -> Arc<str> {
        let key = (event.format.clone(), event.provenance.source.clone());
        let name = || {
            let program = event.format.split('-').next().unwrap_or_default();
            format!("{program} in {}", sensor_of(&event.provenance.source)).into()
        };
        self.0.entry(key).or_insert_with(name).clone()
    }
}

/// The sensors that were shown to see both sides of this host's traffic. One that sees both says nothing of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TwoSided(BTreeSet<Arc<str>>);

impl TwoSided {
    /// Learns from connections.
    pub(super) fn learn(&mut self, connections: &[Connection]) {
        for sensor in connections.iter().flat_map(Connection::shows_responder) {
            if !self.0.contains(sensor) {
                self.0.insert(sensor.clone());
            }
        }
    }

    /// Whether a sensor was shown to see both sides.
    pub(super) fn holds(&self, sensor: &Arc<str>) -> bool {
        self.0.contains(sensor)
    }
}

/// A 5-tuple.
type Tuple = (SocketAddr, SocketAddr, Transport);

const fn tuple_of(connection: &Connection) -> Tuple {
    (connection.originator, connection.responder, connection.transport)
}

/// Brings together what several sensors saw of one connection, so that it is one exchange with more witnesses. Only where
/// exactly one connection of the one fits exactly one of the other: two candidates are not one.
pub(super) fn unite(connections: Vec<Connection>) -> Vec<Connection> {
    let mut by_tuple: BTreeMap<Tuple, Vec<usize>> = BTreeMap::new();
    // A gateway's record knows no port of its own, so that all of one client would be the same connection.
    let known = |connection: &Connection| !connection.is_gateway_record() && connection.originator.port() != 0;
    for (at, connection) in connections.iter().enumerate().filter(|(_, connection)| known(connection)) {
        by_tuple.entry(tuple_of(connection)).or_default().push(at);
    }
    by_tuple.retain(|_, places| places.len() > 1);
    let mut into: BTreeMap<usize, usize> = BTreeMap::new();
    for places in by_tuple.values() {
        let sensors = places.iter().filter_map(|at| connections.get(*at)).map(Connection::sensors);
        if sensors.collect::<BTreeSet<_>>().len() > 1 {
            pair(&connections, places, &mut into);
        }
    }
    if into.is_empty() {
        return connections;
    }
    let mut united: BTreeMap<usize, Connection> = connections.into_iter().enumerate().collect();
    for (from, to) in into {
        if let Some(other) = united.remove(&from)
            && let Some(connection) = united.get_mut(&to)
        {
            connection.see_also(other);
        }
    }
    united.into_values().collect()
}

/// Which connections of one 5-tuple other sensors saw as well: each with the place it is brought to.
fn pair(connections: &[Connection], places: &[usize], into: &mut BTreeMap<usize, usize>) {
    if places.len() > MOST_OF_ONE {
        return;
    }
    let known: Vec<(usize, &Connection, BTreeSet<&Arc<str>>)> = places
        .iter()
        .filter_map(|at| connections.get(*at).map(|connection| (*at, connection, connection.sensors())))
        .collect();
    let fits: BTreeMap<usize, Vec<usize>> = known
        .iter()
        .map(|(at, one, sensors)| {
            let same = known.iter().filter(|(_, other, others)| {
                sensors.is_disjoint(others)
                    && one.start.since(other.end) <= SENSORS_APART_NS
                    && other.start.since(one.end) <= SENSORS_APART_NS
            });
            (*at, same.map(|(at, ..)| *at).collect())
        })
        .collect();
    let sensors: BTreeMap<usize, &BTreeSet<&Arc<str>>> = known.iter().map(|(at, _, sensors)| (*at, sensors)).collect();
    // Of what the sensors of `other` saw, only `other` fits `one`.
    let only = |one: usize, other: usize| {
        let of_those =
            |at: &&usize| sensors.get(at).zip(sensors.get(&other)).is_some_and(|(own, its)| !own.is_disjoint(its));
        fits.get(&one).is_some_and(|fitting| fitting.iter().filter(of_those).eq([&other]))
    };
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for (at, ..) in &known {
        if taken.contains(at) {
            continue;
        }
        let mut views = vec![*at];
        for other in fits.get(at).into_iter().flatten().filter(|other| !taken.contains(other)) {
            if views.iter().all(|one| only(*one, *other) && only(*other, *one)) {
                views.push(*other);
            }
        }
        let detail = |at: &usize| connections.get(*at).map(Connection::detail);
        let to = views.iter().copied().reduce(|best, at| if detail(&at) > detail(&best) { at } else { best });
        taken.extend(&views);
        if let Some(to) = to {
            into.extend(views.into_iter().filter(|at| *at != to).map(|at| (at, to)));
        }
    }
}

/// Joins rows that continue a connection (their history lacks the opening) and repeated attempts of one 5-tuple: neither
/// is a new request, nor a silence.
pub(super) fn join(connections: Vec<Connection>, spent: &[Spent]) -> Vec<Connection> {
    // A place past the end stands for a connection that is no longer held.
    let mut latest: BTreeMap<Tuple, usize> =
        spent.iter().map(|gone| ((gone.originator, gone.responder, gone.transport), usize::MAX)).collect();
    let mut joined: Vec<Connection> = Vec::with_capacity(connections.len());
    for connection in connections {
        let tuple = tuple_of(&connection);
        let reverse = (connection.responder, connection.originator, connection.transport);
        let known = latest.get(&tuple).copied();
        let continues = connection.is_continuation();
        if let Some(earlier) = known.and_then(|at| joined.get_mut(at)) {
            let retries = connection.is_attempt()
                && earlier.is_attempt()
                && connection.start.since(earlier.end) <= settings::ATTEMPT_RETRY_NS;
            if continues || retries {
                earlier.absorb(connection);
                continue;
            }
        }
        if continues && (known.is_some() || latest.contains_key(&reverse)) {
            // A connection of ours that was handed on already, or its responder's side, seen again after the sensor forgot
            // its beginning.
            continue;
        }
        latest.insert(tuple, joined.len());
        joined.push(connection);
    }
    joined
}
