//! OCSF 4001 Network Activity: flows and TLS handshakes of sensors, and connections told by the process that owns them.

use super::{
    Interner,
    endpoints::{Peer, Socket, Traffic, Worth, address, restored, stored},
    error::{Unexpected, narrow_option, need},
    process::{Actor, Process},
    shape::Shape,
};
use monologue_model::{
    ByteCount, ConnectionFact, Detail, Endpoint, Flow, FlowReply, NetworkConnection, RecordPhase, TlsHandshake,
    Transport,
};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct NetworkActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct NetworkRow<'a> {
    /// OCSF: the process that owns the connection and logged the row. Null for rows of network sensors.
    actor: Option<Actor<'a>>,
    /// OCSF: who began it; for a connection that was closed, its local end.
    src_endpoint: Option<Socket<'a>>,
    /// OCSF: the other side.
    dst_endpoint: Option<Peer<'a>>,
    /// OCSF: about the connection.
    connection_info: Option<ConnectionInfo<'a>>,
    /// OCSF: how much went each way.
    traffic: Option<Traffic>,
    /// OCSF: how long it lasted, in milliseconds; rounded down for flows, whose exact duration is
    /// `monologue.flow.duration_ns`.
    duration: Option<i64>,
    /// OCSF: about TLS.
    tls: Option<Tls<'a>>,
    /// What OCSF has no names for.
    monologue: NetworkFacts<'a>,
}

/// OCSF `network_connection_info`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct ConnectionInfo<'a> {
    /// OCSF: the sensor's identifier of the flow, which joins its other records. Null means it gives none.
    pub(super) uid: Option<&'a str>,
    /// OCSF: transport protocol: `tcp`, `udp`, `icmp` or `other`. Null where the row says nothing of it.
    protocol_name: Option<Transport>,
}

impl<'a> ConnectionInfo<'a> {
    /// The connection that a sensor calls so.
    pub(super) const fn named(uid: &'a str) -> Self {
        Self { uid: Some(uid), protocol_name: None }
    }
}

/// OCSF `tls`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Tls<'a> {
    /// OCSF: name asked for. Null means there was none, or it was not seen.
    sni: Option<&'a str>,
}

/// What OCSF has no names for in network activity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct NetworkFacts<'a> {
    /// What the row is: `flow`, `connection-started`, `connection-closed`, `connection-failed`, `connection-contacted` or
    /// `tls`.
    kind: NetworkKind,
    /// Which part of the flow's life a sensor's row speaks of: `start`, `interim`, `end` or `snapshot`.
    phase: Option<RecordPhase>,
    /// What `traffic.bytes_out` is worth.
    sent: Option<Worth>,
    /// What `traffic.bytes_in` is worth.
    received: Option<Worth>,
    /// Of a flow.
    flow: Option<FlowFacts<'a>>,
    /// Of a connection told by its owner.
    connection: Option<ConnectionFacts<'a>>,
    /// Of a TLS handshake.
    handshake: Option<HandshakeFacts<'a>>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NetworkKind {
    Flow,
    ConnectionStarted,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionContacted,
    Tls,
}

/// What only flows have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct FlowFacts<'a> {
    /// Application protocols the sensor recognised, such as `ssl`.
    services: Vec<&'a str>,
    /// Nanoseconds it lasted. Null means nobody recorded it.
    duration_ns: Option<i64>,
    /// What the row itself states about the other side: `payload`, `no-payload`, `nothing-if-two-sided` or `unknown`.
    reply: FlowReply,
    /// The row continues a flow whose opening the sensor did not see.
    continuation: bool,
    /// Only connection attempts without an answer.
    unanswered_attempt: bool,
    /// The sensor says that who began it is ours.
    local_originator: Option<bool>,
    /// The sensor says that the other side is ours.
    local_responder: Option<bool>,
    /// Zeek `conn_state`. Null for other sensors.
    state: Option<&'a str>,
    /// Zeek `history`. Null for other sensors.
    history: Option<&'a str>,
}

/// What only connections told by their owner have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ConnectionFacts<'a> {
    /// Number of the connection within its process.
    number: i64,
    /// Masked host of the other side (`Hostname#cc2f46d4`): comparable only within one process.
    name_hash: Option<&'a str>,
    /// Whether TLS is used; of a connection that started.
    tls: Option<bool>,
    /// Number of the POSIX error; of a connection that failed.
    error: Option<i32>,
    /// The connection was made then; of one that an endpoint sensor saw.
    opened: Option<bool>,
    /// The process on whose behalf it was made, where a capture names it. Null means nobody recorded one.
    effective_process: Option<Process<'a>>,
}

/// What only TLS handshakes have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct HandshakeFacts<'a> {
    /// Whether the handshake succeeded. Null means nobody recorded it.
    established: Option<bool>,
    /// Whether an earlier session was resumed. Null means nobody recorded it.
    resumed: Option<bool>,
    /// The last alert, such as `unknown_ca`. Null means none was seen.
    last_alert: Option<&'a str>,
    /// JA4 fingerprint of the ClientHello. Null means nobody recorded one.
    ja4: Option<&'a str>,
}

/// OCSF activities of the class.
const OPEN: i32 = 1;
const CLOSE: i32 = 2;
const FAIL: i32 = 4;
const TRAFFIC: i32 = 6;
const OTHER: i32 = 99;

impl NetworkFacts<'_> {
    const fn of(kind: NetworkKind) -> Self {
        Self { kind, phase: None, sent: None, received: None, flow: None, connection: None, handshake: None }
    }
}

impl NetworkRow<'_> {
    const fn of(kind: NetworkKind) -> Self {
        Self {
            actor: None,
            src_endpoint: None,
            dst_endpoint: None,
            connection_info: None,
            traffic: None,
            duration: None,
            tls: None,
            monologue: NetworkFacts::of(kind),
        }
    }
}

fn flow_row(flow: &Flow) -> NetworkRow<'_> {
    NetworkRow {
        src_endpoint: Some(Socket::of(flow.originator)),
        dst_endpoint: Some(Peer::of(flow.responder)),
        connection_info: Some(ConnectionInfo { uid: flow.uid.as_deref(), protocol_name: Some(flow.transport) }),
        traffic: Some(Traffic {
            bytes_out: stored(flow.sent.value),
            bytes_in: stored(flow.received.value),
            packets_out: stored(flow.sent_packets),
            packets_in: stored(flow.received_packets),
        }),
        duration: flow.duration_ns.map(|nanoseconds| nanoseconds.div_euclid(1_000_000)),
        monologue: NetworkFacts {
            phase: Some(flow.phase),
            sent: Some(Worth::of(&flow.sent)),
            received: Some(Worth::of(&flow.received)),
            flow: Some(FlowFacts {
                services: flow.services.iter().map(|service| &**service).collect(),
                duration_ns: flow.duration_ns,
                reply: flow.reply,
                continuation: flow.continuation,
                unanswered_attempt: flow.unanswered_attempt,
                local_originator: flow.local_originator,
                local_responder: flow.local_responder,
                state: flow.state.as_deref(),
                history: flow.history.as_deref(),
            }),
            ..NetworkFacts::of(NetworkKind::Flow)
        },
        ..NetworkRow::of(NetworkKind::Flow)
    }
}

fn peer(endpoint: &Endpoint) -> Peer<'_> {
    Peer {
        hostname: endpoint.name.as_deref(),
        ip: endpoint.address.map(|address| address.to_string().into()),
        port: endpoint.port.map(i32::from),
    }
}

fn connection_row(connection: &NetworkConnection) -> (i32, NetworkRow<'_>) {
    let (activity, kind) = match connection.fact {
        ConnectionFact::Started { .. } => (OPEN, NetworkKind::ConnectionStarted),
        ConnectionFact::Closed { .. } => (CLOSE, NetworkKind::ConnectionClosed),
        ConnectionFact::Failed { .. } => (FAIL, NetworkKind::ConnectionFailed),
        ConnectionFact::Contacted { opened: true, .. } => (OPEN, NetworkKind::ConnectionContacted),
        ConnectionFact::Contacted { opened: false, .. } => (TRAFFIC, NetworkKind::ConnectionContacted),
    };
    let mut row = NetworkRow { actor: Some(Actor::of(&connection.process)), ..NetworkRow::of(kind) };
    let mut facts = ConnectionFacts {
        number: connection.connection.cast_signed(),
        name_hash: None,
        tls: None,
        error: None,
        opened: None,
        effective_process: connection.effective_process.as_ref().map(Process::of),
    };
    match &connection.fact {
        ConnectionFact::Started { endpoint, transport, tls } => {
            row.dst_endpoint = Some(peer(endpoint));
            row.connection_info = Some(ConnectionInfo { uid: None, protocol_name: Some(*transport) });
            facts.name_hash = endpoint.name_hash.as_deref();
            facts.tls = Some(*tls);
        }
        ConnectionFact::Closed { endpoint, local, duration_ms, received, sent } => {
            row.dst_endpoint = Some(peer(endpoint));
            row.src_endpoint = local.map(Socket::of);
            row.duration = stored(*duration_ms);
            row.count(received, sent);
            facts.name_hash = endpoint.name_hash.as_deref();
        }
        ConnectionFact::Failed { error } => facts.error = Some(*error),
        ConnectionFact::Contacted { endpoint, local, transport, opened, received, sent } => {
            row.dst_endpoint = Some(peer(endpoint));
            row.src_endpoint = local.map(Socket::of);
            row.connection_info = Some(ConnectionInfo { uid: None, protocol_name: Some(*transport) });
            row.count(received, sent);
            facts.name_hash = endpoint.name_hash.as_deref();
            facts.opened = Some(*opened);
        }
    }
    row.monologue.connection = Some(facts);
    (activity, row)
}

fn handshake_row(handshake: &TlsHandshake) -> NetworkRow<'_> {
    NetworkRow {
        src_endpoint: Some(Socket::of(handshake.originator)),
        dst_endpoint: Some(Peer::of(handshake.responder)),
        connection_info: handshake.uid.as_deref().map(ConnectionInfo::named),
        tls: Some(Tls { sni: handshake.server_name.as_deref() }),
        monologue: NetworkFacts {
            phase: Some(handshake.phase),
            handshake: Some(HandshakeFacts {
                established: handshake.established,
                resumed: handshake.resumed,
                last_alert: handshake.last_alert.as_deref(),
                ja4: handshake.ja4.as_deref(),
            }),
            ..NetworkFacts::of(NetworkKind::Tls)
        },
        ..NetworkRow::of(NetworkKind::Tls)
    }
}

impl NetworkRow<'_> {
    fn count(&mut self, received: &ByteCount, sent: &ByteCount) {
        self.traffic = Some(Traffic {
            bytes_out: stored(sent.value),
            bytes_in: stored(received.value),
            packets_out: None,
            packets_in: None,
        });
        self.monologue.sent = Some(Worth::of(sent));
        self.monologue.received = Some(Worth::of(received));
    }

    fn flow(self, interner: &mut Interner) -> Result<Flow, Unexpected> {
        let facts = need(self.monologue.flow, "monologue.flow")?;
        let traffic = self.traffic.unwrap_or_default();
        let info = need(self.connection_info, "connection_info")?;
        Ok(Flow {
            uid: info.uid.map(Into::into),
            originator: need(self.src_endpoint, "src_endpoint")?.address("src_endpoint")?,
            responder: need(self.dst_endpoint, "dst_endpoint")?.address("dst_endpoint")?,
            transport: need(info.protocol_name, "connection_info.protocol_name")?,
            services: facts.services.iter().map(|service| interner.text(service)).collect(),
            duration_ns: facts.duration_ns,
            sent: need(self.monologue.sent, "monologue.sent")?.count(traffic.bytes_out),
            received: need(self.monologue.received, "monologue.received")?.count(traffic.bytes_in),
            sent_packets: restored(traffic.packets_out),
            received_packets: restored(traffic.packets_in),
            reply: facts.reply,
            continuation: facts.continuation,
            unanswered_attempt: facts.unanswered_attempt,
            local_originator: facts.local_originator,
            local_responder: facts.local_responder,
            state: interner.option(facts.state),
            history: interner.option(facts.history),
            phase: need(self.monologue.phase, "monologue.phase")?,
        })
    }

    fn handshake(self, interner: &mut Interner) -> Result<TlsHandshake, Unexpected> {
        let facts = need(self.monologue.handshake, "monologue.handshake")?;
        Ok(TlsHandshake {
            uid: self.connection_info.and_then(|info| info.uid).map(Into::into),
            originator: need(self.src_endpoint, "src_endpoint")?.address("src_endpoint")?,
            responder: need(self.dst_endpoint, "dst_endpoint")?.address("dst_endpoint")?,
            server_name: interner.option(self.tls.and_then(|tls| tls.sni)),
            established: facts.established,
            resumed: facts.resumed,
            last_alert: interner.option(facts.last_alert),
            ja4: interner.option(facts.ja4),
            phase: need(self.monologue.phase, "monologue.phase")?,
        })
    }

    fn connection(self, interner: &mut Interner) -> Result<NetworkConnection, Unexpected> {
        let facts = need(self.monologue.connection, "monologue.connection")?;
        let process = need(self.actor, "actor")?.image(interner)?;
        let fact = match self.monologue.kind {
            NetworkKind::ConnectionStarted => ConnectionFact::Started {
                endpoint: endpoint(self.dst_endpoint, facts.name_hash, interner)?,
                transport: need(self.connection_info.and_then(|info| info.protocol_name), "connection_info")?,
                tls: need(facts.tls, "monologue.connection.tls")?,
            },
            NetworkKind::ConnectionClosed => {
                let traffic = self.traffic.unwrap_or_default();
                ConnectionFact::Closed {
                    endpoint: endpoint(self.dst_endpoint, facts.name_hash, interner)?,
                    local: self.src_endpoint.map(|local| local.address("src_endpoint")).transpose()?,
                    duration_ms: restored(self.duration),
                    received: need(self.monologue.received, "monologue.received")?.count(traffic.bytes_in),
                    sent: need(self.monologue.sent, "monologue.sent")?.count(traffic.bytes_out),
                }
            }
            NetworkKind::ConnectionContacted => {
                let traffic = self.traffic.unwrap_or_default();
                ConnectionFact::Contacted {
                    endpoint: endpoint(self.dst_endpoint, facts.name_hash, interner)?,
                    local: self.src_endpoint.map(|local| local.address("src_endpoint")).transpose()?,
                    transport: need(self.connection_info.and_then(|info| info.protocol_name), "connection_info")?,
                    opened: need(facts.opened, "monologue.connection.opened")?,
                    received: need(self.monologue.received, "monologue.received")?.count(traffic.bytes_in),
                    sent: need(self.monologue.sent, "monologue.sent")?.count(traffic.bytes_out),
                }
            }
            _ => ConnectionFact::Failed { error: need(facts.error, "monologue.connection.error")? },
        };
        let effective = facts.effective_process.as_ref().map(|process| process.image(interner)).transpose()?;
        Ok(NetworkConnection {
            process: need(process, "actor.process")?,
            connection: facts.number.cast_unsigned(),
            fact,
            effective_process: effective,
        })
    }
}

fn endpoint(peer: Option<Peer<'_>>, hash: Option<&str>, interner: &mut Interner) -> Result<Endpoint, Unexpected> {
    let peer = need(peer, "dst_endpoint")?;
    Ok(Endpoint {
        name: interner.option(peer.hostname),
        name_hash: interner.option(hash),
        address: peer.ip.map(|ip| address(&ip.0, "dst_endpoint.ip")).transpose()?,
        port: narrow_option(peer.port.map(i64::from), "dst_endpoint.port")?,
    })
}

impl Shape for NetworkActivity {
    type Row<'a> = NetworkRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, NetworkRow<'_>)> {
        Some(match detail {
            Detail::Flow(flow) if flow.phase == RecordPhase::Start => (OPEN, flow_row(flow)),
            Detail::Flow(flow) => (TRAFFIC, flow_row(flow)),
            Detail::Connection(connection) => connection_row(connection),
            Detail::Tls(handshake) => (OTHER, handshake_row(handshake)),
            _ => return None,
        })
    }

    fn detail(row: NetworkRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        Ok(match row.monologue.kind {
            NetworkKind::Flow => Detail::Flow(Box::new(row.flow(interner)?)),
            NetworkKind::Tls => Detail::Tls(Box::new(row.handshake(interner)?)),
            NetworkKind::ConnectionStarted
            | NetworkKind::ConnectionClosed
            | NetworkKind::ConnectionFailed
            | NetworkKind::ConnectionContacted => Detail::Connection(Box::new(row.connection(interner)?)),
        })
    }
}
