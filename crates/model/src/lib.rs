//! The nouns of Monologue: what is read, joined, judged and reported, as plain data.
//!
//! Nothing here does input or output, reads the clock or prints. The straight line is
//! [`Event`] → [`Exchange`] → [`Channel`] → [`Judgement`] → [`Finding`].

pub mod attack;
mod attributes;
mod bytes;
mod channel;
mod claim;
pub mod containment;
mod counters;
mod coverage;
pub mod escape;
mod event;
mod exchange;
mod finding;
mod gateway;
mod host;
mod identity;
mod judgement;
mod platform;
mod provenance;
mod redact;
mod sight;
mod time;
mod transport;

pub use attack::{AttackPages, AttackReference, AttackSnapshot, AttackSource, AttackState};
pub use attributes::{Attributes, Bounded, WITNESSES_PER_CLAIM, Witness, WitnessKind, Witnesses};
pub use bytes::{ByteCount, ByteLayer, ByteQuality};
pub use channel::{Channel, ChannelId, ChannelKey, DEFAULT_ROW_CAP, MergeError, Row, Service};
pub use claim::{
    COVERAGE_SCHEMA, Claim, ClaimHours, ClaimState, ClaimStretch, ClaimSummary, Claims, CollectionStep, HostClaim,
    SpeaksFrom,
};
pub use counters::{Counters, Counts, Extent, HandlingCounts, Kind, ReplyCounts, Tally};
pub use coverage::{
    CoverageRecord, CoverageState, ExchangeCoverage, FormatCoverage, HostCoverage, Loss, LossCoverage, SightCoverage,
};
pub use event::{
    BackgroundFact, BackgroundTask, ConnectionFact, Detail, DnsQuery, Endpoint, Event, FileEffect, FileEffectKind,
    Flow, HttpTransaction, LaunchItem, NetworkConnection, ProcessExec, ProcessExit, ProcessFork, RecordPhase,
    RequestBody, ResponseContent, ServiceConnect, TaskEvent, TaskFact, TaskId, TaskSummary, TlsHandshake,
};
pub use exchange::{
    Destination, DestinationName, Effect, EffectKind, EffectWindow, Exchange, FailedCheck, Handling, Link,
    LinkStrength, Reply, Teardown,
};
pub use finding::{
    Application, ApprovalOutcome, BlindSpot, Cite, Confidence, DestinationSummary, Finding, HuntSummary, LargestBytes,
    LayerSays, LayerView, Level, Prevalence, Reading, RelatedChannel, Report, SCHEMA, SignalOutcome, SourceSummary,
    TimelineKind, TimelinePoint,
};
pub use gateway::{AnsweredBy, GatewayFacts};
pub use host::{AddressBook, Asset};
pub use identity::{ApplicationKey, ClaimedAgent, ProcessImage, ProcessKey, SignatureState};
pub use judgement::{CodeProfile, CodeSlice, CodeVerdict, Disposition, Judgement, Layer, Needs, SignalId};
pub use platform::{connectivity_check, part_of};
pub use provenance::{Provenance, Sha256};
pub use redact::{redact, redact_arguments};
pub use sight::{Sight, SightSet};
pub use time::{Timestamp, TimestampError};
pub use transport::{FlowReply, Transport};
