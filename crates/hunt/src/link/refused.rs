//! Joins that were refused because more than one candidate fitted. A wrong link is worse than none, and what it costs is
//! counted and said.

use serde::{Deserialize, Serialize};

/// Joins refused on one host, by what was to be joined. Merging is addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedJoins {
    /// Requests and connections in the host's log for which several processes fitted.
    pub processes: u64,
    /// Flows for which the command lines of several processes fitted.
    pub callers: u64,
    /// Connections in the host's log for which several flows fitted, or the other way round.
    pub flows: u64,
    /// Requests in the host's log for which several connections fitted.
    pub connections: u64,
    /// Masked names for which several resolved names fitted.
    pub names: u64,
}

impl RefusedJoins {
    /// Adds what another part of the same host's telemetry refused.
    pub const fn merge(&mut self, other: &Self) {
        self.processes += other.processes;
        self.callers += other.callers;
        self.flows += other.flows;
        self.connections += other.connections;
        self.names += other.names;
    }

    /// What the reader should know of it, one sentence for each kind that occurred, without the host.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let of = |count: u64, one: &str, many: &str, rest: &str| {
            (count > 0).then(|| format!("{count} {} {rest}", if count == 1 { one } else { many }))
        };
        [
            of(self.processes, "request", "requests", "could not be attributed because two processes fitted"),
            of(self.callers, "flow", "flows", "could not be attributed because two processes fitted"),
            of(self.flows, "connection", "connections", "could not be joined because two flows fitted"),
            of(self.connections, "request", "requests", "could not be joined because two connections fitted"),
            of(self.names, "masked name", "masked names", "could not be told because two lookups fitted"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_add_up_and_are_said_in_words() {
        let mut one = RefusedJoins { callers: 11, ..RefusedJoins::default() };
        one.merge(&RefusedJoins { callers: 1, flows: 1, ..RefusedJoins::default() });
        let expected = [
            "12 flows could not be attributed because two processes fitted",
            "1 connection could not be joined because two flows fitted",
        ];
        assert_eq!(one.sentences(), expected);
        assert!(RefusedJoins::default().sentences().is_empty());
    }
}
