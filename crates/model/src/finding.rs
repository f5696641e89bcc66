//! Findings and the report: what is handed to people and machines.

use crate::{
    AttackPages, AttackReference, AttackSnapshot, AttackState, ByteCount, ChannelId, Claims, Disposition, HostCoverage,
    Provenance, Sight, SignatureState, Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, net::IpAddr, sync::Arc};

/// The version of the finding contract.
pub const SCHEMA: &str = "monologue.finding/1";

/// How much attention a finding asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Listed only on request.
    #[default]
    Info,
    /// Score at least 0.1.
    Low,
    /// Score at least 0.5.
    Medium,
    /// Score at least 0.9.
    High,
    /// Score at least 0.99.
    Critical,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which meaning of "one-way" a finding matches (AN1601, its siblings and the technique mean three things).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// No return traffic: the wording of AN1599 and AN1602.
    NoReturn,
    /// A reply arrives and the process does not handle it: AN1601 to the letter.
    An1601Strict,
    /// The reply is used and nothing goes back over that service: T1102.003 proper.
    PullOnly,
    /// Not one-way.
    TwoWay,
}

/// A citation: where a fact stands, and the hash of the bytes there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cite {
    /// Source, offset, length and hash.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// What stands there, in a few words. Empty where the signal says enough.
    pub note: Arc<str>,
}

/// The application of a finding. `None` means nobody recorded it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Application {
    /// Path of the program that asked, home folder as `~`.
    pub path: Option<Arc<str>>,
    /// Its file name, or `unknown`.
    pub name: Arc<str>,
    /// The script, launch label or nearest ancestor that is not a shell.
    pub agent: Option<Arc<str>>,
    /// The delegate that owned the socket.
    pub socket_owner: Option<Arc<str>>,
    /// Signing identifier.
    pub signing_id: Option<Arc<str>>,
    /// Team identifier.
    pub team_id: Option<Arc<str>>,
    /// Code directory hash.
    pub cdhash: Option<Arc<str>>,
    /// State of the code signature.
    pub signature: SignatureState,
    /// Readable lineage, the oldest ancestor first.
    pub lineage: Option<Arc<str>>,
}

/// The destination of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DestinationSummary {
    /// The commonest full name; the address where no name is known.
    pub host: Arc<str>,
    /// All full names seen.
    pub hosts: Vec<Arc<str>>,
    /// The service that was judged.
    pub service: Arc<str>,
    /// Addresses.
    pub ips: Vec<IpAddr>,
    /// Ports.
    pub ports: Vec<u16>,
}

/// What a layer says of a channel's responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerSays {
    /// It could not look.
    Blind,
    /// It looked, and nothing of it settles anything.
    Silent,
    /// Nothing came back.
    NothingCame,
    /// Responses came.
    Came,
    /// Responses came, or would have, and nothing took them.
    Left,
    /// Responses were used.
    Used,
}

impl LayerSays {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Silent => "does not settle it",
            Self::NothingCame => "nothing came",
            Self::Came => "responses came",
            Self::Left => "nothing took them",
            Self::Used => "they were used",
        }
    }
}

/// One of the four layers that response handling is argued from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerView {
    /// `code`, `api`, `wire` or `effect`.
    pub layer: &'static str,
    /// What it says.
    pub says: LayerSays,
    /// The same as a sentence, with numbers.
    pub sentence: String,
}

/// How sure a definite disposition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Layers contradict each other.
    Low,
    /// One layer says it, or the application is known by a weak join only.
    Medium,
    /// Two layers say it, and none contradicts.
    High,
}

impl Confidence {
    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Another channel of the same application: to the same platform or domain, or where results may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelatedChannel {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub id: ChannelId,
    /// Its service.
    pub service: Arc<str>,
    /// What happened to its responses.
    pub disposition: Disposition,
    /// Requests to it that followed deeds within a minute and carried clearly more than any to the finding's own service:
    /// results may go there. 0 where there are none.
    pub results: u64,
}

/// What one signal said, as listed in a finding. The weights of all add up to the score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalOutcome {
    /// The signal, or `prior`.
    pub id: &'static str,
    /// `supports`, `refutes`, `silent`, `blind` or `prior`.
    pub judgement: &'static str,
    /// Decibans, positive towards malicious one-way.
    pub weight: f64,
    /// The reason, as a sentence.
    pub why: String,
    /// Exchanges whose facts were seen.
    pub seen: u64,
    /// Exchanges that would have had to be seen.
    pub of: u64,
    /// Where the facts stand.
    pub cites: Vec<Cite>,
}

/// Something that was not visible, and what would make it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlindSpot {
    /// What was not seen.
    pub sight: Sight,
    /// Exchanges for which it was seen.
    pub seen: u64,
    /// Exchanges for which it would have had to be seen.
    pub of: u64,
    /// What could not be said because of it.
    pub consequence: String,
    /// The one collection step that would settle it.
    pub collect: String,
}

/// A baseline entry that covers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalOutcome {
    /// Who answers for it.
    pub owner: String,
    /// Why it is approved.
    pub reason: String,
    /// Until when (a date).
    pub expires: String,
}

/// How many hosts do the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prevalence {
    /// Hosts on which this application talks to this service.
    pub hosts: u64,
    /// Hosts that were looked at.
    pub of: u64,
}

/// What a point of a timeline shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimelineKind {
    /// A request to which nothing came back.
    Silent,
    /// A request whose reply nobody recorded.
    Unseen,
    /// A request that got no further than the TLS handshake.
    Handshake,
    /// A request that was answered.
    Answered,
    /// A request whose response the client gave up.
    Abandoned,
    /// A request that was answered, and something was done after.
    ActedOn,
}

/// One exchange on the timeline of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TimelinePoint {
    /// When the request was made.
    pub time: Timestamp,
    /// What became of it.
    pub kind: TimelineKind,
    /// Bytes sent. `None` means nobody recorded it.
    pub request_bytes: Option<u32>,
    /// Bytes received. `None` means nobody recorded it.
    pub response_bytes: Option<u32>,
    /// HTTP status. `None` means nobody recorded one.
    pub status: Option<u16>,
}

/// A channel with all that is said of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Version of this contract: [`SCHEMA`].
    pub schema: &'static str,
    /// Name of the channel: the same tomorrow.
    #[serde(serialize_with = "as_text")]
    pub id: ChannelId,
    /// Names of channels with fewer known parts that this one stands for.
    #[serde(serialize_with = "as_texts")]
    pub supersedes: Vec<ChannelId>,
    /// The host.
    pub host: Arc<str>,
    /// The application.
    pub application: Application,
    /// Effective user id, or name where known. `None` means nobody recorded it.
    pub user: Option<Arc<str>>,
    /// The destination.
    pub destination: DestinationSummary,
    /// What happened to the responses.
    pub disposition: Disposition,
    /// What it would be if the unseen exchanges were like the seen ones. Not a claim.
    pub leaning: Option<Disposition>,
    /// How sure the disposition is. `None` for `unknown`.
    pub confidence: Option<Confidence>,
    /// What each of the four layers says of the responses.
    pub layers: Vec<LayerView>,
    /// Where layers contradict each other, as sentences.
    pub contradictions: Vec<String>,
    /// One sentence a person would write.
    pub sentence: String,
    /// Which meanings of "one-way" it matches.
    pub readings: Vec<Reading>,
    /// How much attention it asks for.
    pub level: Level,
    /// Why the level is not what the score alone would give. `None` where it is.
    pub level_reason: Option<String>,
    /// Probability, 0 to 1, that the sum of weights means.
    pub score: f64,
    /// First request.
    pub first_time: Timestamp,
    /// Last request.
    pub last_time: Timestamp,
    /// Exchanges.
    pub exchanges: u64,
    /// Bytes sent by the largest and received by the largest exchange.
    pub largest: LargestBytes,
    /// What each signal said.
    pub signals: Vec<SignalOutcome>,
    /// What was not visible.
    pub blind: Vec<BlindSpot>,
    /// The baseline entry that covers it, if any.
    pub approval: Option<ApprovalOutcome>,
    /// Period of its requests in seconds, where a cadence passed its test. `None` where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_seconds: Option<f64>,
    /// How an approved application differs here from what is approved. `None` where it does not, or is not approved at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// What the same application does on the same platform or domain under other keys: one-way by one URL may be two-way
    /// by the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedChannel>,
    /// How many hosts do the same.
    pub prevalence: Prevalence,
    /// ATT&CK objects.
    pub attack: AttackReference,
    /// What to do next.
    pub triage: Vec<String>,
    /// Exchanges for the picture, thinned to a few hundred.
    #[serde(skip)]
    pub timeline: Vec<TimelinePoint>,
}

/// The largest request and response of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LargestBytes {
    /// Bytes sent.
    pub request: ByteCount,
    /// Bytes received.
    pub response: ByteCount,
}

fn as_text<S: Serializer>(id: &ChannelId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn as_texts<S: Serializer>(ids: &[ChannelId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}

/// What became of one input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceSummary {
    /// The source as the user named it.
    pub source: Arc<str>,
    /// The format it was read as. `None` means every format refused it.
    pub format: Option<Arc<str>>,
    /// Records that became events.
    pub events: u64,
    /// Records that are understood and of no use here.
    pub skipped: u64,
    /// Records that could not be read.
    pub malformed: u64,
    /// The first few reasons, each with its offset.
    pub problems: Vec<String>,
    /// Why it was refused. `None` means it was read.
    pub refused: Option<String>,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HuntSummary {
    /// Version of the program.
    pub version: Arc<str>,
    /// Hosts looked at.
    pub hosts: u64,
    /// Exchanges joined.
    pub exchanges: u64,
    /// Channels judged.
    pub channels_examined: u64,
    /// Channels with enough check-ins for a cadence test.
    pub cadence_tested: u64,
    /// Largest p-value that still counts as a cadence, by false-discovery control. `None` means none does.
    pub cadence_threshold: Option<f64>,
    /// First record of all.
    pub first_time: Option<Timestamp>,
    /// Last record of all.
    pub last_time: Option<Timestamp>,
    /// The inputs.
    pub sources: Vec<SourceSummary>,
    /// What each host's telemetry could show.
    pub coverage: Vec<HostCoverage>,
    /// What that coverage allows to say, and what would allow more.
    #[serde(skip)]
    pub claims: Claims,
    /// Channels below the minimum level, which are not listed.
    pub not_listed: u64,
    /// The state of ATT&CK's analytic that was in force.
    pub attack: AttackState,
    /// The snapshot of the library it was taken from. `None` where it is the built-in one.
    pub attack_snapshot: Option<AttackSnapshot>,
    /// Pages of ATT&CK to link to. `None` where none were named.
    #[serde(skip)]
    pub attack_pages: Option<AttackPages>,
    /// What else the reader should know.
    pub notes: Vec<String>,
}

/// All that is handed to an output.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// What was looked at.
    pub summary: HuntSummary,
    /// Findings at or above the minimum level, the most urgent first.
    pub findings: Vec<Finding>,
}
