//! What the exchanges of a channel were seen with, bounded so that merging stays associative and commutative.

use crate::{ClaimedAgent, LinkStrength, Provenance, SignatureState, Timestamp, Transport};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Witnesses kept for each claim.
pub const WITNESSES_PER_CLAIM: usize = 3;

/// Distinct values kept of each attribute.
const ATTRIBUTE_CAP: usize = 64;

/// The smallest distinct values of an attribute with their counts; keeps at most `CAP`. Which are kept depends only on the
/// values, so merging stays associative and commutative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded<T: Ord, const CAP: usize = ATTRIBUTE_CAP> {
    entries: BTreeMap<T, u64>,
    /// There were more distinct values than are kept.
    pub overflow: bool,
}

impl<T: Ord, const CAP: usize> Default for Bounded<T, CAP> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), overflow: false }
    }
}

impl<T: Ord + Clone, const CAP: usize> Bounded<T, CAP> {
    /// Counts one value.
    pub fn insert(&mut self, value: T) {
        *self.entries.entry(value).or_insert(0) += 1;
        self.prune();
    }

    /// The values, ascending, with how often each was seen.
    pub fn iter(&self) -> impl Iterator<Item = (&T, u64)> {
        self.entries.iter().map(|(value, count)| (value, *count))
    }

    /// Whether a value was seen (and kept).
    pub fn contains(&self, value: &T) -> bool {
        self.entries.contains_key(value)
    }

    /// Whether no value was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many distinct values are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value seen most often; of equals, the smallest. `None` means none was seen.
    #[must_use]
    pub fn commonest(&self) -> Option<&T> {
        self.entries.iter().rev().max_by_key(|(_, count)| **count).map(|(value, _)| value)
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (value, count) in &other.entries {
            *self.entries.entry(value.clone()).or_insert(0) += count;
        }
        self.overflow |= other.overflow;
        self.prune();
    }

    fn prune(&mut self) {
        while self.entries.len() > CAP {
            self.entries.pop_last();
            self.overflow = true;
        }
    }
}

/// What the exchanges of a channel were seen with; nothing of it is part of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Full host names.
    pub names: Bounded<Arc<str>>,
    /// Addresses.
    pub addresses: Bounded<IpAddr>,
    /// Exchanges whose address nobody recorded.
    pub address_unknown: u64,
    /// Exchanges whose name nobody recorded, though there may have been one.
    pub name_unknown: u64,
    /// Ports.
    pub ports: Bounded<u16>,
    /// Paths of the program, home folder as `~`.
    pub paths: Bounded<Arc<str>>,
    /// Exchanges whose program path nobody recorded.
    pub path_unknown: u64,
    /// Process numbers. Masked names can be compared only within one process.
    pub pids: Bounded<u32>,
    /// Exchanges whose process number nobody recorded.
    pub pid_unknown: u64,
    /// Code directory hashes.
    pub cdhashes: Bounded<Arc<str>>,
    /// Builds (`LC_UUID`).
    #[serde(default)]
    pub code_uuids: Bounded<Arc<str>>,
    /// Signing identifiers.
    pub signing_ids: Bounded<Arc<str>>,
    /// Team identifiers.
    pub team_ids: Bounded<Arc<str>>,
    /// Signature states.
    pub signatures: Bounded<SignatureState>,
    /// Signatures of the processes on whose behalf an interpreter ran.
    #[serde(default)]
    pub agent_signatures: Bounded<SignatureState>,
    /// Effective user ids.
    pub user_ids: Bounded<u32>,
    /// Delegates that owned the socket.
    pub socket_owners: Bounded<Arc<str>>,
    /// Lineages, as one text each.
    pub lineages: Bounded<Arc<str>>,
    /// Application protocols, such as `ntp`.
    pub protocols: Bounded<Arc<str>>,
    /// Transport protocols.
    pub transports: Bounded<Transport>,
    /// Distinct answers, each as what was asked and what came: eight hexadecimal digits for the kind of request (0 where it is
    /// not known), a slash, and sixteen for the answer.
    #[serde(default)]
    pub answers: Bounded<Arc<str>, 8>,
    /// How random addresses asked for look, in tenths of bits per character, where that was recorded and could be told.
    #[serde(default)]
    pub randomness: Bounded<u8>,
    /// What user agents say of the program, where that was recorded.
    #[serde(default)]
    pub claimed_agents: Bounded<ClaimedAgent>,
    /// How records were joined to the application.
    #[serde(default)]
    pub links: Bounded<LinkStrength>,
}

impl Attributes {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.names.merge(&other.names);
        self.addresses.merge(&other.addresses);
        self.address_unknown += other.address_unknown;
        self.name_unknown += other.name_unknown;
        self.ports.merge(&other.ports);
        self.paths.merge(&other.paths);
        self.path_unknown += other.path_unknown;
        self.pids.merge(&other.pids);
        self.pid_unknown += other.pid_unknown;
        self.cdhashes.merge(&other.cdhashes);
        self.code_uuids.merge(&other.code_uuids);
        self.signing_ids.merge(&other.signing_ids);
        self.team_ids.merge(&other.team_ids);
        self.signatures.merge(&other.signatures);
        self.agent_signatures.merge(&other.agent_signatures);
        self.user_ids.merge(&other.user_ids);
        self.socket_owners.merge(&other.socket_owners);
        self.lineages.merge(&other.lineages);
        self.protocols.merge(&other.protocols);
        self.transports.merge(&other.transports);
        self.answers.merge(&other.answers);
        self.randomness.merge(&other.randomness);
        self.claimed_agents.merge(&other.claimed_agents);
        self.links.merge(&other.links);
    }
}

/// What a witness is a witness of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessKind {
    /// A request was made.
    Request,
    /// Nothing came back.
    Silence,
    /// Something came back.
    Answer,
    /// The API shows no response.
    NoResponse,
    /// The client gave the response up.
    Abandoned,
    /// The client took delivery.
    Collected,
    /// Something was done after a reply.
    Effect,
    /// The process ended.
    Exit,
    /// Who the process is: its exec record.
    Identity,
    /// Its output is thrown away.
    Discarded,
    /// The program removed its own file.
    SelfRemoval,
    /// The record was joined to the request, and shows no more than another that is cited. Channels do not keep it.
    Joined,
}

/// One record that shows something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Witness {
    /// Time of the exchange concerned.
    pub time: Timestamp,
    /// Where it is recorded.
    pub provenance: Provenance,
    /// What it shows, for the reader; empty where the kind says enough.
    pub note: Arc<str>,
}

/// The earliest few witnesses of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnesses(BTreeMap<WitnessKind, Vec<Witness>>);

impl Witnesses {
    /// Adds one, keeping the earliest few.
    pub fn insert(&mut self, kind: WitnessKind, witness: Witness) {
        let list = self.0.entry(kind).or_default();
        if let Err(at) = list.binary_search(&witness) {
            list.insert(at, witness);
            list.truncate(WITNESSES_PER_CLAIM);
        }
    }

    /// The witnesses of one kind, earliest first.
    #[must_use]
    pub fn of(&self, kind: WitnessKind) -> &[Witness] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (kind, list) in &other.0 {
            list.iter().for_each(|witness| self.insert(*kind, witness.clone()));
        }
    }
}
