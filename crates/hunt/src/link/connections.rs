//! Connections that the host tells of: Network.framework's start and close lines, and what endpoint sensors saw.

use crate::settings;
use monologue_model::{
    ByteCount, ConnectionFact, Detail, Endpoint, Event, ProcessImage, Provenance, Timestamp, Transport,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// The format of captures made on the host itself, which name the process of each connection.
const APPLE_CAPTURE: &str = "apple-capture";

/// One connection of one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) process: ProcessImage,
    /// For whom it was made, where a capture names another process than the owner of the socket.
    pub(crate) effective: Option<ProcessImage>,
    pub(crate) format: Arc<str>,
    /// Its number within the process.
    pub(crate) number: u64,
    pub(crate) start: Timestamp,
    /// `None` means its close was not logged.
    pub(crate) closed: Option<Timestamp>,
    pub(crate) endpoint: Endpoint,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) transport: Transport,
    pub(crate) tls: Option<bool>,
    pub(crate) sent: Option<ByteCount>,
    pub(crate) received: Option<ByteCount>,
    pub(crate) error: Option<i32>,
    pub(crate) provenance: Provenance,
    pub(crate) close_provenance: Option<Provenance>,
    /// Requests were made on it: it is no exchange of its own, even when they are no longer held.
    pub(crate) had_tasks: bool,
    /// Requests on it that were handed on while it was still open.
    pub(crate) tasks_gone: usize,
    /// Its number was given to another connection. `None`: not yet.
    pub(crate) replaced: Option<Timestamp>,
    /// When it was last seen by a source that tells no end. `None`: its source tells ends.
    pub(crate) looked_at: Option<Timestamp>,
    /// It was made at its start, rather than only seen then.
    pub(crate) opened: bool,
}

/// Boot, pid and the connection's number.
type OpenKey = (Option<Arc<str>>, Option<u32>, u64);

/// All connections of one host, from events ordered by time: those still held from before, and what `events` say. Numbers
/// restart with the process, so a start line always begins a new connection.
pub(crate) fn gather(held: Vec<Connection>, events: &[Event]) -> Vec<Connection> {
    let (held_open, mut done): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|connection| connection.closed.is_none() && connection.replaced.is_none());
    let mut open: BTreeMap<OpenKey, Connection> =
        held_open.into_iter().map(|connection| (connection.key(), connection)).collect();
    for event in events {
        let Detail::Connection(entry) = &event.detail else { continue };
        let key = (entry.process.key.boot.clone(), entry.process.key.pid, entry.connection);
        match &entry.fact {
            ConnectionFact::Started { endpoint, transport, tls } => {
                let mut connection = Connection::new(&entry.process, entry.connection, event);
                connection.endpoint = endpoint.clone();
                connection.transport = *transport;
                connection.tls = Some(*tls);
                done.extend(open.insert(key, connection).map(|mut earlier| {
                    earlier.replaced = Some(event.time);
                    earlier
                }));
            }
            ConnectionFact::Closed { endpoint, local, duration_ms, received, sent } => {
                let mut connection = open.remove(&key).unwrap_or_else(|| {
                    let mut unseen = Connection::new(&entry.process, entry.connection, event);
                    let duration_ns = duration_ms.unwrap_or(0).min(1 << 40) as i64 * 1_000_000;
                    unseen.start = event.time.saturating_add(-duration_ns);
                    unseen
                });
                connection.fill(endpoint);
                connection.closed = Some(event.time);
                connection.local = *local;
                connection.sent = Some(*sent);
                connection.received = Some(*received);
                connection.close_provenance = Some(event.provenance.clone());
                done.push(connection);
            }
            ConnectionFact::Contacted { endpoint, local, transport, opened, received, sent } => {
                let known = open.remove(&key).filter(|known| known.looked_at.is_some());
                let mut connection = known.unwrap_or_else(|| {
                    let mut new = Connection::new(&entry.process, entry.connection, event);
                    new.opened = *opened;
                    new
                });
                connection.fill(endpoint);
                connection.local = connection.local.or(*local);
                connection.transport = *transport;
                connection.looked_at = Some(event.time);
                connection.sent = larger(connection.sent, *sent);
                connection.received = larger(connection.received, *received);
                if connection.provenance != event.provenance && connection.received == Some(*received) {
                    connection.close_provenance = Some(event.provenance.clone());
                }
                open.insert(key, connection);
            }
            ConnectionFact::Failed { error } => {
                if let Some(connection) = open.get_mut(&key) {
                    connection.error = Some(*error);
                }
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|one, other| (one.start, &one.provenance).cmp(&(other.start, &other.provenance)));
    told_once(done)
}

/// A connection that the host's own log and a capture made on it both tell is one: by its local end, at the same time. The
/// log's stays, since requests are joined to its number, and takes over what only the capture knows.
fn told_once(connections: Vec<Connection>) -> Vec<Connection> {
    let mut logged: BTreeMap<(SocketAddr, Transport), Vec<usize>> = BTreeMap::new();
    let (captured, mut kept): (Vec<_>, Vec<_>) =
        connections.into_iter().partition(|connection| &*connection.format == APPLE_CAPTURE);
    if captured.is_empty() {
        return kept;
    }
    for (at, connection) in kept.iter().enumerate() {
        if let Some(local) = connection.local {
            logged.entry((local, connection.transport)).or_default().push(at);
        }
    }
    let mut left = Vec::new();
    for connection in captured {
        let same_ends = connection.local.and_then(|local| logged.get(&(local, connection.transport)));
        let mut same = same_ends.into_iter().flatten().filter(|at| {
            kept.get(**at)
                .is_some_and(|known| known.start.since(connection.start).abs() <= settings::CONNECTION_SETUP_NS)
        });
        let known = match (same.next(), same.next()) {
            (Some(at), None) => kept.get_mut(*at),
            _ => None,
        };
        match known {
            Some(known) if known.process.key.pid == connection.process.key.pid => {
                known.effective = known.effective.take().or(connection.effective);
            }
            // Logged by another process than owns the socket: the one that logged it uses it.
            Some(_) => {}
            None => left.push(connection),
        }
    }
    kept.extend(left);
    kept.sort_by(|one, other| (one.start, &one.provenance).cmp(&(other.start, &other.provenance)));
    kept
}

/// Of two counts of the same connection, the later one, which is the larger.
fn larger(known: Option<ByteCount>, new: ByteCount) -> Option<ByteCount> {
    Some(known.filter(|known| known.value > new.value).unwrap_or(new))
}

impl Connection {
    fn key(&self) -> OpenKey {
        (self.process.key.boot.clone(), self.process.key.pid, self.number)
    }

    /// When nothing more is expected of it. `None`: it is still open.
    pub(crate) fn settles_at(&self) -> Option<Timestamp> {
        Some(self.closed.or(self.replaced).or(self.looked_at)?.saturating_add(settings::SETTLE_NS))
    }

    fn new(process: &ProcessImage, number: u64, event: &Event) -> Self {
        Self {
            process: process.clone(),
            effective: match &event.detail {
                Detail::Connection(entry) => entry.effective_process.clone(),
                _ => None,
            },
            format: event.format.clone(),
            number,
            start: event.time,
            closed: None,
            endpoint: Endpoint::default(),
            local: None,
            transport: Transport::Tcp,
            tls: None,
            sent: None,
            received: None,
            error: None,
            provenance: event.provenance.clone(),
            close_provenance: None,
            had_tasks: false,
            tasks_gone: 0,
            replaced: None,
            looked_at: None,
            opened: true,
        }
    }

    /// Whether an endpoint sensor tells of what is no exchange: loopback, broadcast, DNS, DHCP.
    pub(crate) fn is_foreign_to_exchanges(&self) -> bool {
        let far = self.endpoint.address.map(|address| SocketAddr::new(address, self.endpoint.port.unwrap_or(0)));
        self.looked_at.is_some() && far.is_some_and(|far| !super::ends::is_exchange(self.transport, far, &[]))
    }

    /// The last moment of it that any record speaks of.
    pub(crate) fn last(&self) -> Timestamp {
        self.closed.or(self.replaced).or(self.looked_at).unwrap_or(self.start)
    }

    /// The records of it.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Provenance> {
        std::iter::once(&self.provenance).chain(&self.close_provenance)
    }

    fn fill(&mut self, endpoint: &Endpoint) {
        self.endpoint.name = self.endpoint.name.take().or_else(|| endpoint.name.clone());
        self.endpoint.name_hash = self.endpoint.name_hash.take().or_else(|| endpoint.name_hash.clone());
        self.endpoint.address = self.endpoint.address.or(endpoint.address);
        self.endpoint.port = self.endpoint.port.or(endpoint.port);
    }
}

#[cfg(test)]
mod captured;
#[cfg(test)]
mod tests;
