//! Exact numbers of a channel, which add up.

use crate::{FailedCheck, Handling, Reply, Sight, Teardown, Timestamp};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// How often something was yes, of how often it was seen at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Exchanges for which it was recorded.
    pub seen: u64,
    /// Exchanges for which it was recorded and so.
    pub yes: u64,
}

impl Tally {
    /// Counts one observation. `None` means nobody recorded it.
    pub fn count(&mut self, value: Option<bool>) {
        if let Some(value) = value {
            self.seen += 1;
            self.yes += u64::from(value);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.seen += other.seen;
        self.yes += other.yes;
    }
}

/// Smallest and largest value of those seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// How many were seen.
    pub seen: u64,
    /// The smallest. `None` means none was seen.
    pub least: Option<u64>,
    /// The largest. `None` means none was seen.
    pub greatest: Option<u64>,
}

impl Extent {
    /// Counts one value. `None` means nobody recorded it.
    pub fn count(&mut self, value: Option<u64>) {
        if let Some(value) = value {
            self.merge(&Self { seen: 1, least: Some(value), greatest: Some(value) });
        }
    }

    /// Whether all values seen are the same (at least one was seen).
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.least.is_some() && self.least == self.greatest
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.seen += other.seen;
        self.least = [self.least, other.least].into_iter().flatten().min();
        self.greatest = [self.greatest, other.greatest].into_iter().flatten().max();
    }
}

/// What exchanges are counted by.
pub trait Kind: Copy {
    /// Its place among its kin.
    fn place(self) -> usize;
}

impl Kind for Reply {
    fn place(self) -> usize {
        self as usize
    }
}

impl Kind for Handling {
    fn place(self) -> usize {
        self as usize
    }
}

impl Kind for FailedCheck {
    fn place(self) -> usize {
        self as usize
    }
}

impl Kind for Teardown {
    fn place(self) -> usize {
        self as usize
    }
}

/// Exchanges by one of `N` kinds. Read from a shorter list, the rest is 0: kinds are only ever added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>", bound = "")]
pub struct Counts<K: Kind, const N: usize>([u64; N], PhantomData<K>);

impl<K: Kind, const N: usize> Default for Counts<K, N> {
    fn default() -> Self {
        Self([0; N], PhantomData)
    }
}

impl<K: Kind, const N: usize> From<Vec<u64>> for Counts<K, N> {
    fn from(list: Vec<u64>) -> Self {
        let mut counts = Self::default();
        counts.0.iter_mut().zip(list).for_each(|(to, from)| *to = from);
        counts
    }
}

impl<K: Kind, const N: usize> From<Counts<K, N>> for Vec<u64> {
    fn from(counts: Counts<K, N>) -> Self {
        counts.0.to_vec()
    }
}

impl<K: Kind, const N: usize> Counts<K, N> {
    /// Exchanges of that kind.
    #[must_use]
    pub fn of(&self, kind: K) -> u64 {
        self.0.get(kind.place()).copied().unwrap_or(0)
    }

    /// Counts one exchange.
    pub fn count(&mut self, kind: K) {
        if let Some(count) = self.0.get_mut(kind.place()) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        add_each(&mut self.0, &other.0);
    }
}

/// Exchanges by what came back.
pub type ReplyCounts = Counts<Reply, 6>;

impl ReplyCounts {
    /// Exchanges of which something of a reply certainly came back.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.of(Reply::Bytes) + self.of(Reply::Empty) + self.of(Reply::Payload)
    }
}

/// Exchanges by how the response was taken.
pub type HandlingCounts = Counts<Handling, { Handling::ALL.len() }>;

impl HandlingCounts {
    /// Exchanges the client gave up.
    #[must_use]
    pub fn abandoned(&self) -> u64 {
        Handling::ALL.into_iter().filter(|handling| handling.is_abandoned()).map(|handling| self.of(handling)).sum()
    }
}

/// Exact numbers of a channel. Dispositions read these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Exchanges.
    pub exchanges: u64,
    /// Exchanges whose reply window runs past the end of coverage: neither seen nor to be seen.
    pub reply_pending: u64,
    /// Exchanges whose effect window runs past the end of coverage.
    pub effect_pending: u64,
    /// Exchanges seen by each sight, in the order of [`Sight::ALL`], pending ones left out.
    pub seen: [u64; Sight::COUNT],
    /// Exchanges by what came back, pending ones left out.
    pub reply: ReplyCounts,
    /// Exchanges by how the response was taken.
    pub handling: HandlingCounts,
    /// Exchanges without a response in the log that cannot be called unanswered, by the check that failed.
    #[serde(default)]
    pub failed_checks: Counts<FailedCheck, { FailedCheck::ALL.len() }>,
    /// Exchanges by who ended the connection, pending ones left out.
    #[serde(default)]
    pub teardown: Counts<Teardown, { Teardown::ALL.len() }>,
    /// Effect windows seen, and those of them in which something was done.
    pub effects: Tally,
    /// Effects witnessed, whether or not the whole window was seen.
    pub effects_witnessed: u64,
    /// Command lines seen, and those of them that throw output away.
    pub output_discarded: Tally,
    /// Process ends watched, and those of them at once after the reply.
    pub process_gone: Tally,
    /// Measured request sizes in bytes, of whole requests: a body's size alone is not counted.
    pub request_bytes: Extent,
    /// Signatures of answers (status, size, content hash, mixed to one number).
    pub answer: Extent,
    /// Sizes of answers in bytes.
    pub response_bytes: Extent,
    /// HTTP statuses.
    pub status: Extent,
    /// Exchanges that made a new connection.
    pub fresh_connections: u64,
    /// When something was first done after a reply. `None` means nothing was seen to be done.
    pub first_effect: Option<Timestamp>,
}

impl Counters {
    /// Exchanges seen by `sight`.
    #[must_use]
    pub fn seen_by(&self, sight: Sight) -> u64 {
        self.seen.get(sight as usize).copied().unwrap_or(0)
    }

    /// Exchanges that would have to be seen before anything may be said from absence of a reply.
    #[must_use]
    pub const fn reply_due(&self) -> u64 {
        self.exchanges - self.reply_pending
    }

    /// Exchanges that would have to be seen before anything may be said from absence of an effect.
    #[must_use]
    pub const fn effect_due(&self) -> u64 {
        self.exchanges - self.effect_pending
    }

    /// Adds the numbers of other exchanges.
    pub fn merge(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.reply_pending += other.reply_pending;
        self.effect_pending += other.effect_pending;
        add_each(&mut self.seen, &other.seen);
        self.reply.merge(&other.reply);
        self.handling.merge(&other.handling);
        self.failed_checks.merge(&other.failed_checks);
        self.teardown.merge(&other.teardown);
        self.effects.merge(&other.effects);
        self.effects_witnessed += other.effects_witnessed;
        self.output_discarded.merge(&other.output_discarded);
        self.process_gone.merge(&other.process_gone);
        self.request_bytes.merge(&other.request_bytes);
        self.answer.merge(&other.answer);
        self.response_bytes.merge(&other.response_bytes);
        self.status.merge(&other.status);
        self.fresh_connections += other.fresh_connections;
        self.first_effect = [self.first_effect, other.first_effect].into_iter().flatten().min();
    }
}

fn add_each<const N: usize>(to: &mut [u64; N], from: &[u64; N]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
