//! Sights: the things a telemetry source can show. Formats provide them, signals need them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One thing that a telemetry source can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Sight {
    /// A process was started, by whom and from which file.
    ProcessExec,
    /// A process made a copy of itself.
    ProcessFork,
    /// A process ended, and when.
    ProcessExit,
    /// The code signature of a program.
    ProcessSignature,
    /// The command line of a process.
    ProcessArguments,
    /// Life of an API request: sent, answered, ended, cancelled.
    TaskLifecycle,
    /// Bytes on a connection, per direction.
    FlowBytes,
    /// Whether anything came back on a connection.
    FlowReply,
    /// Who ended a connection, and how.
    FlowTeardown,
    /// Status and size of an HTTP response.
    HttpResponse,
    /// Size of an HTTP request.
    HttpRequest,
    /// The name a TLS client asked for, and whether the handshake succeeded.
    TlsHandshake,
    /// Files created, written, renamed, copied or removed.
    FileEffect,
    /// A launch item was registered or removed.
    LaunchItem,
    /// Names a process or host asked for, and the answers.
    DnsQuery,
    /// Connection to a system service (XPC).
    ServiceConnect,
    /// Records of a proxy or gateway.
    GatewayRecord,
    /// What a program's code can do with a response.
    CodeProfile,
    /// Who was logged in.
    SessionUser,
    /// When the machine slept.
    PowerSleep,
}

impl Sight {
    /// Every sight, in the order of the coverage matrix.
    pub const ALL: [Self; 20] = [
        Self::ProcessExec,
        Self::ProcessFork,
        Self::ProcessExit,
        Self::ProcessSignature,
        Self::ProcessArguments,
        Self::TaskLifecycle,
        Self::FlowBytes,
        Self::FlowReply,
        Self::FlowTeardown,
        Self::HttpResponse,
        Self::HttpRequest,
        Self::TlsHandshake,
        Self::FileEffect,
        Self::LaunchItem,
        Self::DnsQuery,
        Self::ServiceConnect,
        Self::GatewayRecord,
        Self::CodeProfile,
        Self::SessionUser,
        Self::PowerSleep,
    ];

    /// How many sights there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The stable name, as used in `--require` and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcessExec => "process.exec",
            Self::ProcessFork => "process.fork",
            Self::ProcessExit => "process.exit",
            Self::ProcessSignature => "process.signature",
            Self::ProcessArguments => "process.arguments",
            Self::TaskLifecycle => "task.lifecycle",
            Self::FlowBytes => "flow.bytes",
            Self::FlowReply => "flow.reply",
            Self::FlowTeardown => "flow.teardown",
            Self::HttpResponse => "http.response",
            Self::HttpRequest => "http.request",
            Self::TlsHandshake => "tls.handshake",
            Self::FileEffect => "file.effect",
            Self::LaunchItem => "launch.item",
            Self::DnsQuery => "dns.query",
            Self::ServiceConnect => "service.connect",
            Self::GatewayRecord => "gateway.record",
            Self::CodeProfile => "code.profile",
            Self::SessionUser => "session.user",
            Self::PowerSleep => "power.sleep",
        }
    }

    /// The sight of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sight| sight.name() == name)
    }

    /// The one collection step that would provide this sight on a Mac or its network.
    #[must_use]
    pub const fn how_to_collect(self) -> &'static str {
        match self {
            Self::ProcessExec | Self::ProcessSignature | Self::ProcessArguments => {
                "run `eslogger exec fork exit` as root with Full Disk Access and keep its output"
            }
            Self::ProcessFork => "add `fork` to the event types eslogger is run with",
            Self::ProcessExit => "add `exit` to the event types eslogger is run with",
            Self::TaskLifecycle => {
                "export the unified log: `log show --style ndjson --info --predicate 'senderImagePath ENDSWITH \"/CFNetwork\"'`"
            }
            Self::FlowBytes | Self::FlowReply | Self::FlowTeardown => {
                "place a Zeek sensor (or an equal flow sensor) where it sees both directions of this host's traffic"
            }
            Self::HttpResponse | Self::HttpRequest | Self::GatewayRecord => {
                "collect the records of the proxy or gateway that this host's web traffic passes"
            }
            Self::TlsHandshake => "collect Zeek ssl.log (or equal TLS records) for this host's traffic",
            Self::FileEffect => {
                "add `create close rename unlink clone copyfile` to the event types eslogger is run with"
            }
            Self::LaunchItem => {
                "add `btm_launch_item_add btm_launch_item_remove` to the event types eslogger is run with"
            }
            Self::DnsQuery => {
                "collect DNS records: Zeek dns.log, the resolver's log, or mDNSResponder lines of the unified log"
            }
            Self::ServiceConnect => "add `xpc_connect` to the event types eslogger is run with",
            Self::CodeProfile => "inspect the program file: keep a copy of the binary with this cdhash",
            Self::SessionUser => "collect login and session records of this host",
            Self::PowerSleep => "collect power events of this host: `pmset -g log`",
        }
    }

    const fn bit(self) -> u32 {
        1 << (self as u8)
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Sight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Sight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("expected the name of a sight, found {name:?}")))
    }
}

/// A set of sights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SightSet(u32);

impl SightSet {
    /// No sight at all.
    pub const EMPTY: Self = Self(0);

    /// The set of `sights`.
    #[must_use]
    pub const fn of(sights: &[Sight]) -> Self {
        let mut bits = 0;
        let mut rest = sights;
        while let [first, tail @ ..] = rest {
            bits |= first.bit();
            rest = tail;
        }
        Self(bits)
    }

    /// Adds one sight.
    pub const fn insert(&mut self, sight: Sight) {
        self.0 |= sight.bit();
    }

    /// Takes one sight away.
    pub const fn remove(&mut self, sight: Sight) {
        self.0 &= !sight.bit();
    }

    /// Whether `sight` is in the set.
    #[must_use]
    pub const fn contains(self, sight: Sight) -> bool {
        self.0 & sight.bit() != 0
    }

    /// The sights of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The sights of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The sights of the set, in the order of [`Sight::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Sight> {
        Sight::ALL.into_iter().filter(move |sight| self.contains(*sight))
    }
}

impl FromIterator<Sight> for SightSet {
    fn from_iter<I: IntoIterator<Item = Sight>>(sights: I) -> Self {
        let mut set = Self::EMPTY;
        sights.into_iter().for_each(|sight| set.insert(sight));
        set
    }
}

impl Serialize for SightSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for SightSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Sight>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sight_has_its_own_name_and_bit() {
        let mut set = SightSet::EMPTY;
        for sight in Sight::ALL {
            assert_eq!(Sight::from_name(sight.name()), Some(sight));
            assert!(!set.contains(sight), "{sight} shares a bit");
            set.insert(sight);
        }
        assert_eq!(set.iter().count(), Sight::COUNT);
        set.remove(Sight::FlowReply);
        assert!(!set.contains(Sight::FlowReply));
        assert_eq!(SightSet::of(&Sight::ALL).iter().count(), Sight::COUNT);
    }
}
