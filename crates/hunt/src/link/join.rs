//! Joins: connections to flows by local address and port, requests to connections by number, flows to callers by command
//! line. Two candidates are none.

use super::{connections, flows, tasks};
use crate::{
    identity,
    processes::{Found, Instance, Match, ProcessTable},
    settings,
};
use monologue_model::{Destination, DestinationName, LinkStrength, Timestamp, part_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

/// How long before the first packet a connection may have been started (name lookup, path evaluation): 30 s.
const SETUP_NS: i64 = 30 * 1_000_000_000;

/// Which flow carried which connection.
#[derive(Debug, Default)]
pub(super) struct JoinedFlows {
    pub(super) flow_of: BTreeMap<usize, usize>,
    pub(super) taken: BTreeSet<usize>,
    /// Median of (flow's first packet − connection's start) over the pairs. `None`: no pair.
    pub(super) skew_ns: Option<i64>,
    /// Connections for which two flows fitted, or that share a flow with another.
    pub(super) refused: u64,
}

/// Joins by local address and port at the same time.
pub(super) fn connections_to_flows(
    connections: &[connections::Connection],
    flows: &[flows::Connection],
) -> JoinedFlows {
    let mut by_local: BTreeMap<SocketAddr, Vec<usize>> = BTreeMap::new();
    for (at, flow) in flows.iter().enumerate() {
        by_local.entry(flow.originator).or_default().push(at);
    }
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut joined = JoinedFlows::default();
    for (at, connection) in connections.iter().enumerate() {
        let Some(local) = connection.local else { continue };
        let end = connection.closed.unwrap_or(connection.start).saturating_add(settings::CLOCK_SLACK_NS);
        let start = connection.start.saturating_add(-settings::CLOCK_SLACK_NS);
        let fits = |flow: &flows::Connection| {
            flow.transport == connection.transport
                && start <= flow.start
                && flow.start <= end
                && flow.start.since(connection.start) <= SETUP_NS
                && connection.endpoint.address.is_none_or(|address| address == flow.responder.ip())
        };
        let candidates = by_local.get(&local).map_or(&[][..], Vec::as_slice);
        let mut fitting = candidates.iter().copied().filter(|flow| flows.get(*flow).is_some_and(fits));
        match (fitting.next(), fitting.next()) {
            (Some(flow), None) => claims.entry(flow).or_default().push(at),
            (Some(_), Some(_)) => joined.refused += 1,
            _ => {}
        }
    }
    let mut differences = Vec::new();
    for (flow, claimants) in claims {
        if let [connection] = claimants.as_slice() {
            joined.flow_of.insert(*connection, flow);
            joined.taken.insert(flow);
            if let (Some(flow), Some(connection)) = (flows.get(flow), connections.get(*connection)) {
                differences.push(flow.start.since(connection.start));
            }
        } else {
            joined.refused += claimants.len() as u64;
        }
    }
    differences.sort_unstable();
    joined.skew_ns = differences.get(differences.len() / 2).copied();
    joined
}

/// Which connection carried which task, and how many tasks each carried.
#[derive(Debug, Default)]
pub(super) struct JoinedTasks {
    pub(super) connection_of: BTreeMap<usize, usize>,
    pub(super) tasks_on: BTreeMap<usize, usize>,
    /// Tasks for which two connections fitted.
    pub(super) refused: u64,
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
            _ => joined.refused += 1,
        }
    }
    joined
}

/// Processes whose command line names a URL: `curl`, `wget`, `nscurl`.
pub(super) struct Callers<'a> {
    by_name: BTreeMap<String, Vec<&'a Instance>>,
}

impl<'a> Callers<'a> {
    pub(super) fn collect(table: &'a ProcessTable) -> Self {
        let mut by_name: BTreeMap<String, Vec<&Instance>> = BTreeMap::new();
        for instance in table.instances() {
            let path = instance.image.path.as_deref().unwrap_or_default();
            if !matches!(identity::file_name(path), "curl" | "wget" | "nscurl") {
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
