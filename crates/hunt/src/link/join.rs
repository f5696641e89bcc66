//! Joins: connections to flows by local address and port, requests to connections by number, flows to callers by command
//! line. Two candidates are none.

use super::{
    clocks::{Clock, Pair},
    connections, flows, tasks,
};
use crate::{
    processes::{Found, Instance, Match, ProcessTable},
    settings,
};
use monologue_model::{Destination, DestinationName, LinkStrength, Timestamp, part_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

/// Flows of one local address and port beyond which they say nothing of the clocks.
const CANDIDATE_CAP: usize = 64;

/// Which flow carried which connection.
#[derive(Debug, Default)]
pub(super) struct JoinedFlows {
    pub(super) flow_of: BTreeMap<usize, usize>,
    pub(super) taken: BTreeSet<usize>,
    /// Median of (flow's first packet − connection's start) over the pairs. `None`: no pair.
    pub(super) skew_ns: Option<i64>,
    /// Connections for which two flows fitted, or that share a flow with another.
    pub(super) refused: BTreeSet<usize>,
    /// The pairs that were joined, sorted by time.
    pub(super) pairs: Vec<Pair>,
    /// The course of that difference.
    pub(super) clock: Clock,
    /// The times of both do not fit together: what could be joined does not join, by whatever difference.
    pub(super) clocks_differ: bool,
}

/// Joins by local address and port at the same time, on the clock that the pairs agree on; else within the slack of the
/// clocks as they are, as long as that does not leave out most of what could be joined. `known` are pairs joined before,
/// sorted by time.
pub(super) fn connections_to_flows(
    connections: &[connections::Connection],
    flows: &[flows::Connection],
    known: &[Pair],
) -> JoinedFlows {
    let candidates = Candidates::new(connections, flows);
    let mut all = candidates.pairs();
    all.extend_from_slice(known);
    let by_all = Clock::agreed(all);
    let together = by_all != Clock::default();
    // Too few to agree on anything: what earlier hours say goes on.
    let agreed = if together { by_all } else { Clock::through(known) };
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut joined = JoinedFlows::default();
    for (at, connection) in connections.iter().enumerate() {
        let ahead = agreed.at_host(connection.start).unwrap_or(0);
        let begun = connection.start.saturating_add(ahead);
        let start = begun.saturating_add(-settings::CLOCK_SLACK_NS);
        let end = connection
            .closed
            .or(connection.looked_at)
            .unwrap_or(connection.start)
            .saturating_add(ahead + settings::CLOCK_SLACK_NS);
        let fits = |flow: &flows::Connection| {
            start <= flow.start && flow.start <= end && flow.start.since(begun) <= settings::CONNECTION_SETUP_NS
        };
        let mut fitting = candidates.of(connection).filter(|(_, flow)| fits(flow));
        match (fitting.next(), fitting.next()) {
            (Some((flow, _)), None) => claims.entry(flow).or_default().push(at),
            (Some(_), Some(_)) => drop(joined.refused.insert(at)),
            _ => {}
        }
    }
    let mut pairs = Vec::new();
    for (flow, claimants) in claims {
        if let [connection] = claimants.as_slice() {
            joined.flow_of.insert(*connection, flow);
            joined.taken.insert(flow);
            if let (Some(flow), Some(connection)) = (flows.get(flow), connections.get(*connection)) {
                pairs.push(Pair::new(connection.start, flow.start));
            }
        } else {
            joined.refused.extend(claimants);
        }
    }
    let joinable = connections.iter().filter(|connection| candidates.of(connection).next().is_some()).count();
    if agreed == Clock::default() && 2 * pairs.len() < joinable {
        // The few that fit are coincidences: the clocks differ by nobody knows what.
        return JoinedFlows { clocks_differ: true, ..JoinedFlows::default() };
    }
    pairs.sort_unstable();
    joined.skew_ns = Pair::median_difference(&pairs);
    joined.clock = if together {
        agreed
    } else {
        let mut certain = [known, &pairs].concat();
        certain.sort_unstable();
        certain.dedup();
        Clock::through(&certain)
    };
    joined.pairs = pairs;
    joined
}

/// Connections and flows that have the same ends, whenever they were.
struct Candidates<'a> {
    connections: &'a [connections::Connection],
    flows: &'a [flows::Connection],
    by_local: BTreeMap<SocketAddr, Vec<usize>>,
}

impl<'a> Candidates<'a> {
    fn new(connections: &'a [connections::Connection], flows: &'a [flows::Connection]) -> Self {
        let mut by_local: BTreeMap<SocketAddr, Vec<usize>> = BTreeMap::new();
        for (at, flow) in flows.iter().enumerate() {
            by_local.entry(flow.originator).or_default().push(at);
        }
        Self { connections, flows, by_local }
    }

    /// The flows with the ends of this connection.
    fn of<'c>(
        &'c self,
        connection: &'c connections::Connection,
    ) -> impl Iterator<Item = (usize, &'a flows::Connection)> {
        let local = connection.local.and_then(|local| self.by_local.get(&local));
        let flows = local.map_or(&[][..], Vec::as_slice).iter().filter_map(|at| Some((*at, self.flows.get(*at)?)));
        flows.filter(|(_, flow)| {
            flow.transport == connection.transport
                && connection.endpoint.address.is_none_or(|address| address == flow.responder.ip())
                // Another port is that of a proxy, or the flow is another.
                && (connection.endpoint.port.is_none_or(|port| port == flow.responder.port()) || flow.is_proxied())
        })
    }

    /// The times of every connection with each of its flows, as far as those are few.
    fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for connection in self.connections {
            let few = self.of(connection).take(CANDIDATE_CAP + 1).count() <= CANDIDATE_CAP;
            let flows = self.of(connection).filter(|_| few);
            pairs.extend(flows.map(|(_, flow)| Pair::new(connection.start, flow.start)));
        }
        pairs
    }
}

/// Which connection carried which task, and how many tasks each carried.
#[derive(Debug, Default)]
pub(super) struct JoinedTasks {
    pub(super) connection_of: BTreeMap<usize, usize>,
    pub(super) tasks_on: BTreeMap<usize, usize>,
    /// Tasks for which two connections fitted.
    pub(super) refused: BTreeSet<usize>,
}

/// Joins by the connection's number within the same process, at the same time.
pub(super) fn tasks_to_connections(tasks: &[tasks::Task], connections: &[connections::Connection]) -> JoinedTasks {
    let mut by_number: BTreeMap<(Option<u32>, u64), Vec<usize>> = BTreeMap::new();
    for (at, connection) in connections.iter().enumerate() {
        by_number.entry((connection.process.key.pid, connection.number)).or_default().push(at);
    }
    let mut joined = JoinedTasks::default();
    for (at, task) in tasks.iter().enumerate() {
        let Some(number) = task.connection else { continue };
        let fits = |connection: &connections::Connection| {
            connection.process.key.boot == task.process.key.boot
                && connection.process.path == task.process.path
                && connection.start.saturating_add(-settings::CLOCK_SLACK_NS) <= task.last
                && connection.closed.is_none_or(|closed| task.first <= closed.saturating_add(settings::CLOCK_SLACK_NS))
        };
        let candidates = by_number.get(&(task.process.key.pid, number)).map_or(&[][..], Vec::as_slice);
        let mut fitting: Vec<usize> =
            candidates.iter().copied().filter(|found| connections.get(*found).is_some_and(fits)).collect();
        if fitting.len() > 1 {
            // Two processes had the pid and the number: the build of the program may tell them apart.
            let same_build = |found: &usize| {
                let code = connections.get(*found).and_then(|connection| connection.process.code_uuid.as_ref());
                code.is_some() && code == task.process.code_uuid.as_ref()
            };
            if fitting.iter().any(same_build) {
                fitting.retain(same_build);
            }
        }
        match fitting.as_slice() {
            [connection] => {
                joined.connection_of.insert(at, *connection);
                *joined.tasks_on.entry(*connection).or_insert(0) += 1;
            }
            [] => {}
            _ => drop(joined.refused.insert(at)),
        }
    }
    joined
}

/// Processes whose command line names a URL: `curl`, `wget`, `nscurl`.
#[derive(Default)]
pub(super) struct Callers<'a> {
    by_name: BTreeMap<String, Vec<&'a Instance>>,
}

impl<'a> Callers<'a> {
    pub(super) fn collect(table: &'a ProcessTable) -> Self {
        let mut by_name: BTreeMap<String, Vec<&Instance>> = BTreeMap::new();
        for instance in table.instances() {
            if !instance.calls() {
                continue;
            }
            for argument in instance.arguments().unwrap_or_default() {
                if let Some(name) = host_of_url(argument) {
                    by_name.entry(name).or_default().push(instance);
                }
            }
        }
        Self { by_name }
    }

    /// The process that asked for this name while the flow began, if one fits.
    pub(super) fn of(
        &self,
        destination: &Destination,
        start: Timestamp,
        end: Timestamp,
        clock_known: bool,
    ) -> Found<'a> {
        let name = match (&destination.name, destination.address) {
            (DestinationName::Known(name), _) => name.to_string(),
            (_, Some(address)) => address.to_string(),
            _ => return Found::Nobody,
        };
        let slack = if clock_known { settings::CLOCK_SLACK_NS / 2 } else { settings::CLOCK_SLACK_NS };
        let mut callers = self.by_name.get(&name).into_iter().flatten().filter(|instance| {
            instance.start.saturating_add(-slack) <= start
                && instance
                    .end
                    .is_none_or(|gone| start <= gone.saturating_add(slack) && end <= gone.saturating_add(5 * slack))
        });
        match (callers.next(), callers.next()) {
            (Some(instance), None) => {
                Found::One(Match { instance, strength: LinkStrength::ArgumentsAndTime, candidates: 1 })
            }
            (None, _) => Found::Nobody,
            _ => Found::Several,
        }
    }
}

/// The part of a shared platform that a command line asks for, where TLS hides the path: all its URLs of that host must
/// agree.
pub(super) fn part_asked(caller: &Instance, destination: &Destination) -> Option<Arc<str>> {
    let DestinationName::Known(name) = &destination.name else { return None };
    let urls = caller.arguments()?.iter().filter(|argument| host_of_url(argument).as_deref() == Some(&**name));
    let mut parts = urls.map(|url| part_of(name, url));
    let first = parts.next()??;
    parts.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The host part of an `http` or `https` URL, lower case, without user, port and brackets.
fn host_of_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(inside) => inside.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_bare() {
        assert_eq!(host_of_url("https://User:x@Files.Example:8443/a?b#c").as_deref(), Some("files.example"));
        assert_eq!(host_of_url("http://[2001:db8::1]:80/").as_deref(), Some("2001:db8::1"));
        assert_eq!(host_of_url("-o"), None);
        assert_eq!(host_of_url("https:///x"), None);
    }
}
