//! Events: one normalised record each, shaped after one OCSF 1.8 class.

use crate::{
    ByteCount, CoverageRecord, FlowReply, GatewayFacts, ProcessImage, ProcessKey, Provenance, SightSet, Timestamp,
    Transport,
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, net::SocketAddr, sync::Arc};

/// One normalised record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened: for things that last, when they began.
    pub time: Timestamp,
    /// The host it happened on. `None` means the record does not say (network rows know only addresses).
    pub host: Option<Arc<str>>,
    /// The format that was read, such as `zeek-conn`.
    pub format: Arc<str>,
    /// Where the record stands.
    pub provenance: Provenance,
    /// What happened.
    pub detail: Detail,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "detail")]
pub enum Detail {
    /// A process replaced its program (OCSF 1007 Process Activity, Launch).
    ProcessExec(Box<ProcessExec>),
    /// A process made a copy of itself (OCSF 1007, Launch).
    ProcessFork(Box<ProcessFork>),
    /// A process ended (OCSF 1007, Terminate).
    ProcessExit(Box<ProcessExit>),
    /// A file was made, changed or removed (OCSF 1001 File Activity).
    FileEffect(Box<FileEffect>),
    /// A launch item was registered or removed (OCSF 1006 Scheduled Job Activity).
    LaunchItem(Box<LaunchItem>),
    /// A process connected to a system service (OCSF 1007).
    ServiceConnect(Box<ServiceConnect>),
    /// One fact of an API request's life (OCSF 4002 HTTP Activity).
    Task(Box<TaskEvent>),
    /// One fact of a background request's life, told by `nsurlsessiond` (OCSF 4002).
    Background(Box<BackgroundTask>),
    /// One fact of a connection's life, told by the process that owns it (OCSF 4001 Network Activity).
    Connection(Box<NetworkConnection>),
    /// A name was asked for (OCSF 4003 DNS Activity).
    Dns(Box<DnsQuery>),
    /// A flow as a network sensor saw it (OCSF 4001).
    Flow(Box<Flow>),
    /// An HTTP request and what came back, as a network sensor or proxy saw it (OCSF 4002).
    Http(Box<HttpTransaction>),
    /// A TLS handshake as a network sensor saw it (OCSF 4001).
    Tls(Box<TlsHandshake>),
    /// A source speaks about its own completeness.
    Coverage(CoverageRecord),
}

impl Detail {
    /// The OCSF 1.8 class this detail is shaped after. `None` for coverage, which OCSF has no class for.
    #[must_use]
    pub const fn ocsf_class(&self) -> Option<u32> {
        match self {
            Self::ProcessExec(_) | Self::ProcessFork(_) | Self::ProcessExit(_) | Self::ServiceConnect(_) => Some(1007),
            Self::FileEffect(_) => Some(1001),
            Self::LaunchItem(_) => Some(1006),
            Self::Task(_) | Self::Background(_) | Self::Http(_) => Some(4002),
            Self::Connection(_) | Self::Flow(_) | Self::Tls(_) => Some(4001),
            Self::Dns(_) => Some(4003),
            Self::Coverage(_) => None,
        }
    }
}

/// A process replaced its program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessExec {
    /// The process before.
    pub previous: ProcessImage,
    /// The process after: same pid, next pidversion.
    pub target: ProcessImage,
    /// Command line, secrets redacted.
    pub arguments: Vec<String>,
    /// The script that was run, for `#!` files. `None` means nobody recorded one.
    pub script: Option<Arc<str>>,
    /// Working directory. `None` means nobody recorded it.
    pub working_directory: Option<Arc<str>>,
    /// Launch label (`XPC_SERVICE_NAME` of the environment). `None` means there was none, or it was not recorded.
    pub launch_label: Option<Arc<str>>,
}

/// A process made a copy of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessFork {
    /// The process that forked.
    pub parent: ProcessImage,
    /// The copy: its own pid and pidversion, still the parent's program.
    pub child: ProcessImage,
}

/// A process ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessExit {
    /// The process.
    pub process: ProcessImage,
    /// Raw wait status: signal in the low seven bits, exit code above eight. `None` means nobody recorded it.
    pub status: Option<i32>,
}

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileEffectKind {
    /// Made new.
    Create,
    /// Content changed (a write, or a close after one).
    Write,
    /// Renamed.
    Rename,
    /// Removed.
    Unlink,
    /// Copied or cloned.
    Copy,
    /// Extended attribute set or removed (quarantine is one).
    Attribute,
    /// Mode changed (made executable, for example).
    Mode,
    /// Mapped as code.
    MapExecutable,
}

/// A file was made, changed or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEffect {
    /// Who did it.
    pub process: ProcessImage,
    /// What was done.
    pub effect: FileEffectKind,
    /// The file.
    pub path: Arc<str>,
    /// The other file of a rename or copy. `None` where there is none.
    pub target: Option<Arc<str>>,
}

/// A launch item was registered or removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchItem {
    /// The process on whose behalf it was done. `None` means nobody recorded it.
    pub instigator: Option<ProcessImage>,
    /// Added, or removed.
    pub added: bool,
    /// The item's property list or bundle. `None` means nobody recorded it.
    pub item: Option<Arc<str>>,
    /// What it will run. `None` means nobody recorded it.
    pub executable: Option<Arc<str>>,
}

/// A process connected to a system service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceConnect {
    /// The process.
    pub process: ProcessImage,
    /// The service, such as `com.apple.nsurlsessiond`.
    pub service: Arc<str>,
}

/// Which request of which session: `Task <uuid>.<number>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId {
    /// The task's UUID: 32 hexadecimal digits, upper case, no dashes.
    pub uuid: Arc<str>,
    /// `taskIdentifier`: starts at 1 in every session.
    pub number: u64,
}

/// Whether a request carried a body (`sent request, body S 83`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestBody {
    /// No body (`body N`).
    None,
    /// A body of that many bytes (`body S 83`).
    Bytes(u64),
    /// A body of unknown size (old lines give no number).
    Unsized,
}

/// How the length of a response was announced (`content K`). It does not say whether the body is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseContent {
    /// Length known.
    Known,
    /// Chunked.
    Chunked,
    /// Unknown length.
    Unknown,
}

/// The numbers of one transaction (`Task … summary for task success {…}`). `None` means the line has no such key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// The line says success (else failure).
    pub success: bool,
    /// HTTP status. `None` where the line prints -1: no HTTP response existed.
    pub status: Option<u16>,
    /// Number of the connection within its process. `None`: no connection was used.
    pub connection: Option<u64>,
    /// The connection had been used before.
    pub reused: bool,
    /// Milliseconds since the connection's last use.
    pub reused_after_ms: Option<u64>,
    /// The machine slept between the two uses.
    pub reused_after_sleep: Option<bool>,
    /// Protocol, such as `h2`.
    pub protocol: Option<Arc<str>>,
    /// Duration of the transaction in milliseconds.
    pub duration_ms: Option<u64>,
    /// Header and body bytes sent.
    pub request_bytes: Option<u64>,
    /// Header and body bytes received.
    pub response_bytes: Option<u64>,
    /// A cached response object exists (not the same as "no network").
    pub cache_hit: Option<bool>,
}

/// One fact of an API request's life (CFNetwork lines of the unified log).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fact")]
pub enum TaskFact {
    /// The request was started.
    Resumed {
        /// Request timeout in seconds.
        request_timeout_s: Option<f64>,
        /// Resource timeout in seconds.
        resource_timeout_s: Option<f64>,
        /// The modern loader (`NWURLSession`) runs it: responses are not observable.
        modern_loader: bool,
    },
    /// The request was given a connection (`setting up Connection 65`, `now using Connection 14`).
    ConnectionAssigned {
        /// Number of the connection within its process.
        connection: u64,
    },
    /// The server's certificate was judged (`auth completion disp=1`): shows no more than that the request was alive.
    Authenticated,
    /// The request was sent.
    RequestSent {
        /// Its body.
        body: RequestBody,
    },
    /// Response headers came.
    ResponseReceived {
        /// Status code.
        status: i32,
        /// How the length was announced.
        content: Option<ResponseContent>,
    },
    /// The response's last byte came.
    ResponseEnded,
    /// The request let go of its connection.
    ConnectionReleased {
        /// Number of the connection within its process.
        connection: u64,
    },
    /// The numbers of one transaction.
    Summary(TaskSummary),
    /// `finished successfully`.
    Finished,
    /// `finished with error [code]`.
    Failed {
        /// Error code of the domain, such as -999 (cancelled).
        code: i64,
    },
    /// `HTTP load failed, sent/received bytes`.
    LoadFailed {
        /// Bytes sent.
        bytes_sent: u64,
        /// Bytes received.
        bytes_received: u64,
        /// Error code.
        code: i64,
    },
}

/// One fact of an API request's life, with the process that logged it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskEvent {
    /// The process that logged the line.
    pub process: ProcessImage,
    /// The request.
    pub task: TaskId,
    /// What is said of it.
    pub fact: TaskFact,
}

/// What `nsurlsessiond` says of a background request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fact")]
pub enum BackgroundFact {
    /// The request belongs to that application (`Task <…>.<1> is for <bundle>.<session>.<1>`).
    BelongsTo {
        /// Bundle identifier.
        bundle: Arc<str>,
    },
    /// The client took delivery (`client acknowledged completion` or `… file download`).
    Acknowledged {
        /// A file was taken.
        download: bool,
    },
    /// The client went away (`client … disconnected`).
    ClientDisconnected {
        /// Bundle identifier. `None` where the line masks it.
        bundle: Option<Arc<str>>,
    },
}

/// One fact of a background request's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackgroundTask {
    /// `nsurlsessiond` itself.
    pub process: ProcessImage,
    /// The request. `None` where the line speaks of a whole session.
    pub task: Option<TaskId>,
    /// What is said of it.
    pub fact: BackgroundFact,
}

/// The far end of a connection as the client's log names it. `None` means the line hides or lacks it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Host name in clear.
    pub name: Option<Arc<str>>,
    /// Masked host (`Hostname#cc2f46d4`): comparable only within one process.
    pub name_hash: Option<Arc<str>>,
    /// Address in clear.
    pub address: Option<IpAddr>,
    /// Port.
    pub port: Option<u16>,
}

/// One fact of a connection's life (Network.framework lines of the unified log).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "fact")]
pub enum ConnectionFact {
    /// `… start`.
    Started {
        /// Whom it goes to.
        endpoint: Endpoint,
        /// Transport, such as `tcp`.
        transport: Transport,
        /// TLS is used.
        tls: bool,
    },
    /// The close summary.
    Closed {
        /// Whom it went to.
        endpoint: Endpoint,
        /// Local address and port. `None` where no path was connected.
        local: Option<SocketAddr>,
        /// Duration in milliseconds.
        duration_ms: Option<u64>,
        /// Payload bytes received, TLS handshake included.
        received: ByteCount,
        /// Payload bytes sent, TLS handshake included.
        sent: ByteCount,
    },
    /// It could not be made, or broke (`SO_ERROR [61: Connection refused]`).
    Failed {
        /// Number of the POSIX error.
        error: i32,
    },
    /// An endpoint sensor saw the process reach a far end: a connect event, or a look at a connection that was open. Such
    /// a source tells no end, so nothing more is to be waited for, and what it counts may be a part.
    Contacted {
        /// Whom it went to.
        endpoint: Endpoint,
        /// Local address and port. `None` means nobody recorded both.
        local: Option<SocketAddr>,
        /// Transport, such as `tcp`.
        transport: Transport,
        /// The connection was made then; else it was only seen to be there.
        opened: bool,
        /// Bytes received up to then.
        received: ByteCount,
        /// Bytes sent up to then.
        sent: ByteCount,
    },
}

/// One fact of a connection's life, with the process that logged it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkConnection {
    /// The process that logged the line.
    pub process: ProcessImage,
    /// Number of the connection within its process: the `N` of `[CN …]`, equal to `connection=N` of a task. Endpoint sensors
    /// give none; their readers make one, with the highest bit set, that is the same for every record of one connection.
    pub connection: u64,
    /// What is said of it.
    pub fact: ConnectionFact,
    /// The process for which the owner of the socket made it (`epid` of a pktap capture). `None` means nobody recorded
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_process: Option<ProcessImage>,
}

/// A name was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsQuery {
    /// The asking process, where the source knows it. `None` means nobody recorded it.
    pub process: Option<ProcessImage>,
    /// Who asked on the network. `None` means nobody recorded it.
    pub originator: Option<SocketAddr>,
    /// The resolver. `None` means nobody recorded it.
    pub resolver: Option<SocketAddr>,
    /// The name in clear. `None` means hidden or not recorded.
    pub name: Option<Arc<str>>,
    /// The masked name (16 bytes, base64): the same for every process of this host.
    pub name_hash: Option<Arc<str>>,
    /// Record type, such as `A`.
    pub query_type: Option<Arc<str>>,
    /// Addresses answered.
    pub answers: Vec<IpAddr>,
    /// Response code, such as `NOERROR`. `None` means no answer was recorded.
    pub response_code: Option<Arc<str>>,
}

/// Which part of a flow's life a row speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordPhase {
    /// Its beginning.
    Start,
    /// Some time in the middle; counters may grow.
    Interim,
    /// Its end, with final counters.
    End,
    /// A look at a flow still open.
    Snapshot,
}

/// A flow as a network sensor saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// The sensor's identifier, which joins its other records. `None` means it gives none.
    pub uid: Option<Arc<str>>,
    /// Who began it.
    pub originator: SocketAddr,
    /// The other side.
    pub responder: SocketAddr,
    /// Transport protocol.
    pub transport: Transport,
    /// Application protocols the sensor recognised, such as `ssl` or `dns`.
    pub services: Vec<Arc<str>>,
    /// Nanoseconds it lasted. `None` means nobody recorded it.
    pub duration_ns: Option<i64>,
    /// Payload from originator to responder.
    pub sent: ByteCount,
    /// Payload from responder to originator.
    pub received: ByteCount,
    /// Packets sent by the originator. `None` means nobody recorded it.
    pub sent_packets: Option<u64>,
    /// Packets sent by the responder. `None` means nobody recorded it.
    pub received_packets: Option<u64>,
    /// What this row states about the other side.
    pub reply: FlowReply,
    /// The row continues a flow whose opening the sensor did not see: never a new check-in, never a silence.
    pub continuation: bool,
    /// Only connection attempts without an answer: the kernel repeats them within one attempt.
    pub unanswered_attempt: bool,
    /// The sensor says the originator is ours (only `Some(true)` proves anything).
    pub local_originator: Option<bool>,
    /// The sensor says the responder is ours (only `Some(true)` proves anything).
    pub local_responder: Option<bool>,
    /// Zeek `conn_state`, or the same of our own flows from packets, kept for the reader. `None` for other sensors.
    pub state: Option<Arc<str>>,
    /// Zeek `history`, or the same of our own flows from packets, kept for the reader. `None` for other sensors.
    pub history: Option<Arc<str>>,
    /// Which part of the flow's life.
    pub phase: RecordPhase,
}

/// An HTTP request and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpTransaction {
    /// The sensor's flow identifier.
    pub uid: Option<Arc<str>>,
    /// Who asked.
    pub originator: SocketAddr,
    /// Who was asked (a proxy, where one is used).
    pub responder: SocketAddr,
    /// Number of the request within its connection, from 1. `None` means nobody recorded it.
    pub depth: Option<u64>,
    /// Method, such as `GET`.
    pub method: Option<Arc<str>>,
    /// Host asked for (port removed). `None` means nobody recorded it.
    pub host: Option<Arc<str>>,
    /// Port asked for, where the request names one (CONNECT does).
    pub port: Option<u16>,
    /// Path and query, secrets redacted.
    pub uri: Option<Arc<str>>,
    /// User agent.
    pub user_agent: Option<Arc<str>>,
    /// Body sent.
    pub request_body: ByteCount,
    /// Body received.
    pub response_body: ByteCount,
    /// Status. `None` means no reply was seen.
    pub status: Option<u16>,
    /// The request went through a proxy.
    pub proxied: bool,
    /// Identifies the response's content where the sensor hashed it.
    pub content_hash: Option<Arc<str>>,
    /// Which part of the transaction's life.
    pub phase: RecordPhase,
    /// What only a gateway knows, which wrote this record of its own traffic. `None` for a sensor beside the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Box<GatewayFacts>>,
}

/// A TLS handshake as a network sensor saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TlsHandshake {
    /// The sensor's flow identifier.
    pub uid: Option<Arc<str>>,
    /// Who began it.
    pub originator: SocketAddr,
    /// The other side (a proxy, where one is used).
    pub responder: SocketAddr,
    /// Name asked for. `None` means there was none, or it was not seen.
    pub server_name: Option<Arc<str>>,
    /// Whether the handshake succeeded. `None` means nobody recorded it.
    pub established: Option<bool>,
    /// Whether an earlier session was resumed. `None` means nobody recorded it.
    pub resumed: Option<bool>,
    /// The last alert, such as `unknown_ca`. `None` means none was seen.
    pub last_alert: Option<Arc<str>>,
    /// JA4 fingerprint of the ClientHello. `None` means nobody recorded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja4: Option<Arc<str>>,
    /// Which part of the connection's life.
    pub phase: RecordPhase,
}

impl Event {
    /// The process this event speaks of first. `None` for network records.
    #[must_use]
    pub fn process(&self) -> Option<&ProcessImage> {
        match &self.detail {
            Detail::ProcessExec(exec) => Some(&exec.target),
            Detail::ProcessFork(fork) => Some(&fork.child),
            Detail::ProcessExit(exit) => Some(&exit.process),
            Detail::FileEffect(effect) => Some(&effect.process),
            Detail::LaunchItem(item) => item.instigator.as_ref(),
            Detail::ServiceConnect(connect) => Some(&connect.process),
            Detail::Task(task) => Some(&task.process),
            Detail::Background(task) => Some(&task.process),
            Detail::Connection(connection) => Some(&connection.process),
            Detail::Dns(query) => query.process.as_ref(),
            Detail::Flow(_) | Detail::Http(_) | Detail::Tls(_) | Detail::Coverage(_) => None,
        }
    }

    /// Who began the traffic this event speaks of, by address. `None` for endpoint records.
    #[must_use]
    pub fn originator(&self) -> Option<SocketAddr> {
        match &self.detail {
            Detail::Flow(flow) => Some(flow.originator),
            Detail::Http(http) => Some(http.originator),
            Detail::Tls(tls) => Some(tls.originator),
            Detail::Dns(query) => query.originator,
            _ => None,
        }
    }

    /// The parent of the process this event speaks of first, where recorded.
    #[must_use]
    pub fn parent(&self) -> Option<&ProcessKey> {
        self.process().and_then(|process| process.parent.as_ref())
    }

    /// The sights a coverage event speaks of; empty for any other event.
    #[must_use]
    pub const fn coverage_sights(&self) -> SightSet {
        match &self.detail {
            Detail::Coverage(record) => record.sights,
            _ => SightSet::EMPTY,
        }
    }
}
