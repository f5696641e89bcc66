//! Exchanges: one outbound request or flow and all that any sensor recorded of its response.

use crate::{
    ApplicationKey, ByteCount, ClaimedAgent, FileEffectKind, ProcessImage, Provenance, SightSet, SignatureState,
    Timestamp, Transport, WitnessKind,
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

/// What came back, as far as any sensor recorded it. Ordered by how much it proves: merging two sensors keeps the larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Reply {
    /// Nobody recorded it.
    #[default]
    Unknown,
    /// Nothing came back, and a sensor that would have seen it says so.
    Silent,
    /// A TLS handshake was answered and nothing after it: no reply, but not silence either.
    HandshakeOnly,
    /// Bytes came back that may all belong to the TLS handshake, or are shared with other requests.
    Bytes,
    /// A reply without a body came back (204, 304, an empty 200).
    Empty,
    /// A reply with a body came back.
    Payload,
}

impl Reply {
    /// Whether something of a reply certainly came back.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Bytes | Self::Empty | Self::Payload)
    }

    /// Whether what came back is settled one way or the other.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

/// What the API layer shows of how the response was taken (states of the task life cycle).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Handling {
    /// The API layer was not seen, or does not settle it.
    #[default]
    Unknown,
    /// The request was never sent.
    NeverSent,
    /// Served from the cache: no network contact.
    CacheOnly,
    /// Sent; no response came before it ended, and the four checks for a negative passed.
    NoResponse,
    /// Cancelled by the client on or right after sending: it did not wait.
    CancelledOnSend,
    /// Headers came, and the client cancelled instead of taking the body.
    AbandonedAtHeaders,
    /// The connection broke within the body.
    Partial,
    /// A response without a body was delivered.
    DeliveredEmpty,
    /// A response was delivered to the client side, as a rule with a body: its status does not tell. Not: used.
    Delivered,
    /// The client took delivery of a background response.
    Collected,
    /// A redirection came last: the client did not follow it.
    NotFollowed,
    /// The connection went over to another protocol (status 101): what came then is not in the lines of the request.
    Upgraded,
    /// A background response came, and the client went away without taking it.
    NeverCollected,
    /// The process ended before any response.
    EndedWaiting,
    /// Headers came, and the process ended before the body.
    EndedAtHeaders,
}

impl Handling {
    /// Every state.
    pub const ALL: [Self; 15] = [
        Self::Unknown,
        Self::NeverSent,
        Self::CacheOnly,
        Self::NoResponse,
        Self::CancelledOnSend,
        Self::AbandonedAtHeaders,
        Self::Partial,
        Self::DeliveredEmpty,
        Self::Delivered,
        Self::Collected,
        Self::NotFollowed,
        Self::Upgraded,
        Self::NeverCollected,
        Self::EndedWaiting,
        Self::EndedAtHeaders,
    ];

    /// Whether the client gave the response up, by a deed of its own or by ending.
    #[must_use]
    pub const fn is_abandoned(self) -> bool {
        matches!(
            self,
            Self::CancelledOnSend
                | Self::AbandonedAtHeaders
                | Self::NeverCollected
                | Self::EndedWaiting
                | Self::EndedAtHeaders
        )
    }

    /// The state in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "not settled by the log",
            Self::NeverSent => "never sent",
            Self::CacheOnly => "served from the cache",
            Self::NoResponse => "sent, and no response came",
            Self::CancelledOnSend => "cancelled on sending",
            Self::AbandonedAtHeaders => "cancelled at the headers",
            Self::Partial => "broken off within the body",
            Self::DeliveredEmpty => "delivered without a body",
            Self::Delivered => "delivered",
            Self::Collected => "collected by the client",
            Self::NotFollowed => "redirected, and not followed",
            Self::Upgraded => "gone over to another protocol",
            Self::NeverCollected => "never collected by the client",
            Self::EndedWaiting => "left by a process that ended while it waited",
            Self::EndedAtHeaders => "left by a process that ended at the headers",
        }
    }
}

/// Why a request of which the log shows no response cannot be called unanswered: the check that failed, in the order in
/// which they are made (state table of the unified log).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum FailedCheck {
    /// The log ends before the request or its timeout does.
    Window,
    /// Lines were lost meanwhile.
    Loss,
    /// No other request of this log shows a response either.
    NoResponseShown,
    /// The loader that ran it does not log responses.
    ModernLoader,
}

impl FailedCheck {
    /// Every check.
    pub const ALL: [Self; 4] = [Self::Window, Self::Loss, Self::NoResponseShown, Self::ModernLoader];

    /// What failed, after "the log …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Window => "ends before the request or its timeout does",
            Self::Loss => "lost lines meanwhile",
            Self::NoResponseShown => "shows no response of any request",
            Self::ModernLoader => "does not show responses of the modern loader",
        }
    }
}

/// Who ended a connection, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Teardown {
    /// Nobody recorded it, or it was still open.
    #[default]
    Unknown,
    /// It never came about.
    NeverOpened,
    /// The client closed first.
    ClientClosed,
    /// The client reset it.
    ClientReset,
    /// The server closed first.
    ServerClosed,
    /// The server reset it.
    ServerReset,
    /// The client left before the reply was complete, as the gateway says that was passing it on.
    ClientAborted,
}

impl Teardown {
    /// Every way.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::NeverOpened,
        Self::ClientClosed,
        Self::ClientReset,
        Self::ServerClosed,
        Self::ServerReset,
        Self::ClientAborted,
    ];

    /// Whether the client ended it.
    #[must_use]
    pub const fn is_by_client(self) -> bool {
        matches!(self, Self::ClientClosed | Self::ClientReset | Self::ClientAborted)
    }
}

/// The name of a destination, with the reason where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestinationName {
    /// Nobody recorded it: there may well have been one. A wildcard.
    #[default]
    Unknown,
    /// A sensor saw the beginning, and no name was sent.
    Unnamed,
    /// Masked by the log: comparable only within one process, or on one host where it begins with `mdns:`.
    Masked(Arc<str>),
    /// In clear, lower case.
    Known(Arc<str>),
}

/// Whom a request went to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The name asked for.
    pub name: DestinationName,
    /// The address, of the service itself (not of a proxy before it). `None` means nobody recorded it.
    pub address: Option<IpAddr>,
    /// The port. `None` means nobody recorded it.
    pub port: Option<u16>,
    /// Whose part of a shared platform it is, as [`part_of`](crate::part_of) reads it from a path. `None` means that no
    /// path was recorded, or that it names no owner: a wildcard for the parts of that platform.
    pub part: Option<Arc<str>>,
    /// Transport protocol.
    pub transport: Transport,
}

/// What kind of after-effect it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// A file was changed.
    File(FileEffectKind),
    /// A child process was started.
    Child,
    /// A launch item was registered.
    LaunchItem,
    /// A shell ran the reply as a command, by its own command line.
    Evaluated,
    /// The process contacted an address for the first time, which no name lookup gave it.
    Connection,
}

/// Something the process or its descendants did after a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// When.
    pub time: Timestamp,
    /// What kind.
    pub kind: EffectKind,
    /// The file, program or item.
    pub target: Arc<str>,
    /// Where it is recorded.
    pub provenance: Provenance,
}

/// Whether the time after a reply was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectWindow {
    /// Not all of it was covered by process and file telemetry.
    #[default]
    Unseen,
    /// It runs past the end of coverage: in neither `seen` nor `of`.
    Pending,
    /// All of it was covered.
    Seen,
}

/// How two records were joined, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkStrength {
    /// Same process token (pid and pidversion).
    Token,
    /// Same instance identifier (task UUID, sensor uid, connection number within a process).
    Instance,
    /// Same pid within the life of the process, and of those the one with the same build of the program (`LC_UUID`).
    CodeUuid,
    /// As `CodeUuid`, by the hash of the code directory.
    Cdhash,
    /// Same local address and port at the same time.
    LocalEndpoint,
    /// As `CodeUuid`, by the path of the program.
    Path,
    /// Same pid within the life of the process.
    PidAndTime,
    /// The command line names the destination, and the flow lies within the life of the process.
    ArgumentsAndTime,
    /// Same host, destination and time, and nothing more.
    DestinationAndTime,
}

/// One join that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// How.
    pub strength: LinkStrength,
    /// What was joined, as two format names.
    pub between: (Arc<str>, Arc<str>),
    /// How many fitted before the strongest evidence chose: 1 means that no other did.
    pub candidates: u32,
}

impl Link {
    /// A join for which nothing else fitted.
    #[must_use]
    pub const fn sure(strength: LinkStrength, one: Arc<str>, other: Arc<str>) -> Self {
        Self { strength, between: (one, other), candidates: 1 }
    }
}

/// One outbound request or flow and all that any sensor recorded of its response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// When the request was made.
    pub time: Timestamp,
    /// The host that made it.
    pub host: Arc<str>,
    /// The application that asked.
    pub application: ApplicationKey,
    /// The process that asked. `None` means nobody recorded it.
    pub process: Option<ProcessImage>,
    /// Signature of the process on whose behalf an interpreter runs. `None`: it is no process of its own (a script, a label), or
    /// nobody recorded it.
    pub agent_signature: Option<SignatureState>,
    /// Readable lineage, the oldest ancestor first: paths or labels.
    pub lineage: Vec<Arc<str>>,
    /// The delegate that owned the socket, where it was not the asking process.
    pub socket_owner: Option<Arc<str>>,
    /// Whom it went to.
    pub destination: Destination,
    /// A new connection was made for it.
    pub fresh_connection: bool,
    /// `time` is when it was asked. Else it is when a connection was looked at, or the beginning of a sum over a minute:
    /// no moment of the application's own, and no check-in.
    #[serde(default = "yes")]
    pub timed: bool,
    /// Bytes sent, at the best layer known.
    pub request_bytes: ByteCount,
    /// Bytes received, at the best layer known.
    pub response_bytes: ByteCount,
    /// Its TLS session was an earlier one, resumed. `None` means nobody recorded it.
    pub tls_resumed: Option<bool>,
    /// What was asked: a hash of method and path without query. `None` means nobody recorded it.
    pub request_kind: Option<u32>,
    /// How random the most random part of the address asked for looks: tenths of bits per character. `None` means that nobody
    /// recorded it, or no part is long enough to tell.
    pub request_randomness: Option<u8>,
    /// What its user agent says of the program. `None` means that nobody recorded it.
    #[serde(default)]
    pub claimed_agent: Option<ClaimedAgent>,
    /// HTTP status. `None` means nobody recorded one.
    pub status: Option<u16>,
    /// Hash of the response's content. `None` means nobody recorded it.
    pub content_hash: Option<u32>,
    /// What came back.
    pub reply: Reply,
    /// The reply window runs past the end of coverage: in neither `seen` nor `of`.
    pub reply_pending: bool,
    /// How the API layer shows it was taken.
    pub handling: Handling,
    /// Why it cannot be called unanswered though the log shows no response. `None`: it can, or the log shows one.
    pub failed_check: Option<FailedCheck>,
    /// Who ended its connection.
    pub teardown: Teardown,
    /// The sights that saw this exchange.
    pub seen: SightSet,
    /// Whether the time after the reply was watched.
    pub effect_window: EffectWindow,
    /// What was done in it, beyond what this process does anyway.
    pub effects: Vec<Effect>,
    /// The process's output was thrown away. `None` means its command line was not seen.
    pub output_discarded: Option<bool>,
    /// The process ended at once after the reply. `None` means its end was not watched.
    pub process_gone: Option<bool>,
    /// Joins that were made.
    pub links: Vec<Link>,
    /// What is recorded where.
    pub cites: Vec<(WitnessKind, Provenance)>,
}

/// What is taken where older data says nothing: every time was that of a request.
pub(crate) const fn yes() -> bool {
    true
}
