//! What one signal says of a channel, and what the evidence allows to be claimed.

use crate::Sight;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The stable name of a signal: `layer.plain-words`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SignalId(pub &'static str);

impl SignalId {
    /// The part before the dot.
    #[must_use]
    pub fn layer(self) -> Option<Layer> {
        Layer::ALL.into_iter().find(|layer| self.0.split('.').next() == Some(layer.name()))
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// The side from which a signal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What the program's code can do with a response.
    Code,
    /// What the life of the API request shows.
    Api,
    /// Bytes, status, teardown.
    Wire,
    /// What the process and its children did after the reply.
    Effect,
    /// When it happens.
    Time,
    /// Who does it.
    Identity,
    /// Whom it talks to.
    Destination,
    /// What the request looks like.
    Request,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 8] =
        [Self::Code, Self::Api, Self::Wire, Self::Effect, Self::Time, Self::Identity, Self::Destination, Self::Request];

    /// The first part of a signal's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Api => "api",
            Self::Wire => "wire",
            Self::Effect => "effect",
            Self::Time => "time",
            Self::Identity => "identity",
            Self::Destination => "destination",
            Self::Request => "request",
        }
    }
}

/// What a signal must be able to see before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The signal speaks from absence: each of these sights must have been seen for *every* exchange that may belong to
    /// the channel.
    Every(&'static [Sight]),
    /// The signal speaks from presence: one exchange seen by any of these sights is enough.
    Any(&'static [Sight]),
}

impl Needs {
    /// The sights concerned.
    #[must_use]
    pub const fn sights(self) -> &'static [Sight] {
        match self {
            Self::Every(sights) | Self::Any(sights) => sights,
        }
    }
}

/// What one signal says of a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// Evidence towards malicious one-way traffic.
    Supports {
        /// Weight in decibans, positive.
        weight: f64,
        /// The reason, as a sentence for the reader.
        why: String,
    },
    /// Evidence against it.
    Refutes {
        /// Weight in decibans, positive; counted against.
        weight: f64,
        /// The reason, as a sentence for the reader.
        why: String,
    },
    /// Looked, and has nothing to say.
    Silent,
    /// Could not look. Only the engine says this, never a signal.
    Blind {
        /// Exchanges whose facts were seen.
        seen: u64,
        /// Exchanges that would have had to be seen.
        of: u64,
        /// What was missing.
        sight: Sight,
    },
}

/// What static inspection says of a program's code (`inspect`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeVerdict {
    /// At least one path handles a response.
    HandlerPresent,
    /// Every request is made without a path that looks at its response.
    FireAndForgetOnly,
    /// Neither could be proved.
    Unproved,
    /// The code cannot be read by inspection (packed, or of a language it does not know). Words of such verdicts vary.
    #[serde(other)]
    Opaque,
}

/// One architecture of a program file, and how telemetry names its code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSlice {
    /// Code directory hash, hexadecimal. `None` means it is not signed.
    pub cdhash: Option<Arc<str>>,
    /// `LC_UUID`: 32 hexadecimal digits, dashes allowed. `None` means it has none.
    pub uuid: Option<Arc<str>>,
}

/// What static inspection says of one program file: the keys of `inspect --output json` that a hunt needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeProfile {
    /// The file as it was named.
    pub path: Arc<str>,
    /// The verdict.
    pub verdict: CodeVerdict,
    /// Its architectures.
    pub slices: Vec<CodeSlice>,
}

/// What happened to the responses of a channel in the observed window (design 1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// The evidence does not settle it.
    #[default]
    Unknown,
    /// Asked, and nothing came back.
    NoReply,
    /// A reply came and nothing used it.
    ReplyUnhandled,
    /// The reply was used and nothing went back over this service.
    PullOnly,
    /// The reply was used, and requests to the same service then grew or varied with what happened.
    TwoWay,
}

impl Disposition {
    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NoReply => "no-reply",
            Self::ReplyUnhandled => "reply-unhandled",
            Self::PullOnly => "pull-only",
            Self::TwoWay => "two-way",
        }
    }

    /// Whether this is a claim rather than the admission that the evidence does not suffice.
    #[must_use]
    pub const fn is_definite(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signals_layer_is_the_first_part_of_its_name() {
        assert_eq!(SignalId("wire.no-reply").layer(), Some(Layer::Wire));
        assert_eq!(SignalId("prior").layer(), None);
    }

    #[test]
    fn only_unknown_is_no_claim() {
        assert!(!Disposition::Unknown.is_definite());
        assert!(Disposition::TwoWay.is_definite());
    }
}
