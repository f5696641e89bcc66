//! Connections that the owning process logged itself: Network.framework's start and close lines.

use monologue_model::{
    ByteCount, ConnectionFact, Detail, Endpoint, Event, ProcessImage, Provenance, Timestamp, Transport,
};
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// One connection of one process.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) process: ProcessImage,
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
}

/// Boot, pid and the connection's number.
type OpenKey = (Option<Arc<str>>, Option<u32>, u64);

/// All connections of one host, from events ordered by time. Numbers restart with the process, so a start line always
/// begins a new connection.
pub(crate) fn collect(events: &[Event]) -> Vec<Connection> {
    let mut open: BTreeMap<OpenKey, Connection> = BTreeMap::new();
    let mut done = Vec::new();
    for event in events {
        let Detail::Connection(entry) = &event.detail else { continue };
        let key = (entry.process.key.boot.clone(), entry.process.key.pid, entry.connection);
        match &entry.fact {
            ConnectionFact::Started { endpoint, transport, tls } => {
                let mut connection = Connection::new(&entry.process, entry.connection, event);
                connection.endpoint = endpoint.clone();
                connection.transport = *transport;
                connection.tls = Some(*tls);
                done.extend(open.insert(key, connection));
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
            ConnectionFact::Failed { error } => {
                if let Some(connection) = open.get_mut(&key) {
                    connection.error = Some(*error);
                }
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|one, other| (one.start, &one.provenance).cmp(&(other.start, &other.provenance)));
    done
}

impl Connection {
    fn new(process: &ProcessImage, number: u64, event: &Event) -> Self {
        Self {
            process: process.clone(),
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
        }
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
