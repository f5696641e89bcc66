//! Drafts: exchanges as far as they are known, and which parts are handed on together.

use super::{Carry, LinkedExchange, contacts::Asker, effects::Aftermath, join};
use crate::settings;
use monologue_model::{EffectWindow, Provenance, Timestamp, WitnessKind};
use std::collections::BTreeMap;

/// Parts that are handed on together: a connection with its requests and its flow, or one part alone. By place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Connection(usize),
    Task(usize),
    Flow(usize),
}

/// Which parts belong together.
pub(super) struct Joined {
    pub(super) flows: join::JoinedFlows,
    pub(super) tasks: join::JoinedTasks,
    /// The connection that each flow carried.
    connection_of: BTreeMap<usize, usize>,
}

impl Joined {
    pub(super) fn new(carry: &Carry) -> Self {
        let flows = join::connections_to_flows(&carry.connections, &carry.flows, &carry.pairs);
        let connection_of = flows.flow_of.iter().map(|(connection, flow)| (*flow, *connection)).collect();
        Self { tasks: join::tasks_to_connections(&carry.tasks, &carry.connections), flows, connection_of }
    }

    pub(super) fn group_of_task(&self, task: usize) -> Group {
        self.tasks.connection_of.get(&task).map_or(Group::Task(task), |connection| Group::Connection(*connection))
    }

    pub(super) fn connection_of_flow(&self, flow: usize) -> Option<usize> {
        self.connection_of.get(&flow).copied()
    }
}

/// An exchange as far as it is known so far.
pub(super) struct Draft {
    pub(super) linked: LinkedExchange,
    pub(super) group: Group,
    /// The pid whose descendants act with the asking process.
    pub(super) root: Option<u32>,
    /// The asking process itself. `None` where its beginning was not recorded.
    pub(super) asker: Option<Asker>,
    /// What followed its reply, where that was looked at.
    pub(super) aftermath: Option<Aftermath>,
}

impl Draft {
    /// The record of the request: it names the exchange from hour to hour.
    pub(super) fn request(&self) -> Option<&Provenance> {
        self.linked.exchange.cites.iter().find(|(kind, _)| *kind == WitnessKind::Request).map(|(_, found)| found)
    }

    /// What followed its reply, once the whole time after it is over at `horizon`: what is needed to look again is then
    /// forgotten.
    pub(super) fn remembered(&self, horizon: Timestamp) -> Option<(Provenance, Aftermath)> {
        let aftermath = self.aftermath.as_ref().filter(|found| found.window != EffectWindow::Pending)?;
        let (_, end) = self.linked.answer?;
        let over = end.saturating_add(settings::EFFECT_WINDOW_NS + self.linked.clock_error_ns) <= horizon;
        over.then(|| Some((self.request()?.clone(), aftermath.clone()))).flatten()
    }
}
