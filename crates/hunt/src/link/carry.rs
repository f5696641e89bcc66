//! What linking carries from one hour to the next: everything open, and as much of the past as windows still need.
//!
//! Linking is a fold over hours. An exchange is handed on in the hour in which nothing more is expected of it; until then
//! its parts are held here. So an hour's result depends on this and on the hour's own events, and on nothing else: it can be
//! kept, and done again from here when late data comes.

use super::{
    Draft, Group, Joined, LinkedExchange,
    clocks::{self, Pair},
    connections,
    contacts::Contacts,
    effects::{Aftermath, Deeds},
    flows,
    masks::Masks,
    names,
    pieces::{Spent, TwoSided},
    tasks,
};
use crate::{coverage::Coverage, processes::ProcessTable, settings};
use monologue_model::{EffectWindow, Event, Provenance, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Clocks that differ by less need no longer holding: a minute, far within what parts are held for anyway.
const AGREEING_NS: i64 = 60_000_000_000;

/// The state between two hours of one host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Carry {
    pub(crate) coverage: Coverage,
    pub(super) table: ProcessTable,
    pub(super) deeds: Deeds,
    pub(super) names: names::Names,
    pub(super) masks: Masks,
    pub(super) tasks: Vec<tasks::Task>,
    pub(super) connections: Vec<connections::Connection>,
    pub(super) flows: Vec<flows::Connection>,
    spent: Vec<Spent>,
    /// What followed replies of exchanges that are still held, by the record of the request.
    pub(super) aftermaths: Vec<(Provenance, Aftermath)>,
    /// Times of recent replies, by the pid whose descendants act on them.
    pub(super) replies: BTreeMap<u32, Vec<Timestamp>>,
    /// Bare addresses contacted by what was handed on.
    pub(super) contacts: Contacts,
    /// The end of the first hour.
    begun: Option<Timestamp>,
    /// The host logs its connections, whose close lines name local ends.
    logs_connections: bool,
    /// The network sensors that were shown to see both sides.
    pub(super) two_sided: TwoSided,
    /// The unified log was shown to hold responses.
    pub(super) log_shows_responses: bool,
    /// The latest pairs of connection and flow, sorted by time: what is known of the sensor's clock.
    pub(super) pairs: Vec<Pair>,
}

/// When a group of parts is done with.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    /// When nothing more is expected. `None`: something is open.
    settles: Option<Timestamp>,
    /// The last record of any part.
    last: Option<Timestamp>,
    /// The time after a reply runs past what was covered so far.
    pending: bool,
}

impl Fate {
    fn add(&mut self, settles: Option<Timestamp>, last: Timestamp) {
        self.settles = match (self.last, self.settles, settles) {
            (None, _, first) => first,
            (_, Some(known), Some(other)) => Some(known.max(other)),
            _ => None,
        };
        self.last = self.last.max(Some(last));
    }

    fn is_settled(&self, horizon: Timestamp) -> bool {
        !self.pending && self.settles.is_some_and(|settles| settles <= horizon)
    }

    fn is_overdue(&self, horizon: Timestamp) -> bool {
        self.last.is_none_or(|last| last.saturating_add(settings::HOLD_NS) <= horizon)
    }
}

impl Carry {
    /// Estimated clock difference, sensor minus host, in nanoseconds. `None` means no pair was matched yet.
    pub(crate) fn skew_ns(&self) -> Option<i64> {
        Pair::median_difference(&self.pairs)
    }

    /// Masked names for which several lookups fitted.
    pub(crate) fn refused_names(&self) -> u64 {
        self.masks.refused()
    }

    /// How much longer parts are held because sensor and host show different times: one comes an hour after the other,
    /// say. 0 where the clocks agree within a minute.
    fn lag_ns(&self) -> i64 {
        self.skew_ns().map_or(0, i64::abs).clamp(AGREEING_NS, settings::HOLD_NS) - AGREEING_NS
    }

    /// Takes in events ordered by time, later than all before.
    pub(super) fn take_in(&mut self, events: &[Event]) {
        self.tasks = tasks::gather(std::mem::take(&mut self.tasks), events);
        self.connections = connections::gather(std::mem::take(&mut self.connections), events);
        self.flows = flows::gather(std::mem::take(&mut self.flows), &self.spent, events);
        self.table.extend(events.iter());
        self.deeds.extend(events);
        self.names.extend(events);
        events.iter().for_each(|event| self.masks.take(event));
        // Only a connection with a local end can ever show the sensor's clock.
        self.logs_connections |=
            self.connections.iter().any(|connection| connection.looked_at.is_none() || connection.local.is_some());
        self.two_sided.learn(&self.flows);
        self.log_shows_responses |= tasks::shows_responses(&self.tasks);
    }

    /// Hands on what is done with at `horizon`, and forgets what nothing needs any more.
    pub(super) fn hand_on(&mut self, drafts: Vec<Draft>, joined: &Joined, horizon: Timestamp) -> Vec<LinkedExchange> {
        self.begun.get_or_insert(horizon);
        self.know_clock(joined, horizon);
        let waits = self.waits_for_clock(horizon);
        let fates = self.fates(&drafts, joined, waits);
        let settled_by = horizon.saturating_add(-self.lag_ns());
        let settled: BTreeSet<Group> =
            fates.iter().filter(|(_, fate)| fate.is_settled(settled_by)).map(|(group, _)| *group).collect();
        let forced = forced(&fates, &settled, horizon);
        let mut done = Vec::new();
        let mut aftermaths = BTreeMap::new();
        for mut draft in drafts {
            if let (Some(root), Some((from, _))) = (draft.root, draft.linked.answer) {
                self.replies.entry(root).or_default().push(from);
            }
            if forced.contains(&draft.group) || settled.contains(&draft.group) {
                self.contacts.remember(&draft);
            }
            if forced.contains(&draft.group) {
                // Whatever it waits for did not come within a day: it counts as not seen.
                draft.linked.exchange.reply_pending = false;
                if draft.linked.exchange.effect_window == EffectWindow::Pending {
                    draft.linked.exchange.effect_window = EffectWindow::Unseen;
                }
                done.push(draft.linked);
            } else if settled.contains(&draft.group) {
                done.push(draft.linked);
            } else if let (false, Some((request, aftermath))) = (waits, draft.remembered(horizon)) {
                aftermaths.insert(request, aftermath);
            }
        }
        self.aftermaths = aftermaths.into_iter().collect();
        self.drop_parts(joined, &settled, &forced);
        self.forget(horizon);
        done
    }

    /// When each group of parts is done with.
    fn fates(&self, drafts: &[Draft], joined: &Joined, waits: bool) -> BTreeMap<Group, Fate> {
        let mut fates: BTreeMap<Group, Fate> = BTreeMap::new();
        let gone = |pid: Option<u32>, time| {
            let (exit, _) = self.table.exit_after(pid?, time)?;
            Some(exit.saturating_add(settings::SETTLE_NS))
        };
        for (at, connection) in self.connections.iter().enumerate() {
            let settles = connection.settles_at().or_else(|| gone(connection.process.key.pid, connection.start));
            let last = connection.last();
            fates.entry(Group::Connection(at)).or_default().add(settles, last);
        }
        for (at, task) in self.tasks.iter().enumerate() {
            let settles = task
                .settles_at(self.log_shows_responses)
                .or_else(|| gone(task.process.key.pid, task.first).map(|gone| gone.max(task.last)));
            fates.entry(joined.group_of_task(at)).or_default().add(settles, task.last);
        }
        for (at, flow) in self.flows.iter().enumerate() {
            match joined.connection_of_flow(at) {
                Some(connection) => {
                    let settles = flow.end.saturating_add(settings::SETTLE_NS);
                    fates.entry(Group::Connection(connection)).or_default().add(Some(settles), flow.end);
                }
                None => fates.entry(Group::Flow(at)).or_default().add(flow.settles_at(&self.two_sided), flow.end),
            }
        }
        if waits {
            fates.values_mut().for_each(|fate| fate.settles = None);
        }
        for draft in drafts {
            let exchange = &draft.linked.exchange;
            let fate = fates.entry(draft.group).or_default();
            fate.pending |= exchange.reply_pending || exchange.effect_window == EffectWindow::Pending;
        }
        fates
    }

    /// Drops the parts of what was handed on. A connection that is still open leaves a mark, so that its close is no new
    /// exchange.
    fn drop_parts(&mut self, joined: &Joined, settled: &BTreeSet<Group>, forced: &BTreeSet<Group>) {
        let done = |group: &Group| settled.contains(group) || forced.contains(group);
        let flows = std::mem::take(&mut self.flows);
        for (at, flow) in flows.into_iter().enumerate() {
            let group = joined.connection_of_flow(at).map_or(Group::Flow(at), Group::Connection);
            if done(&group) {
                self.spent.extend(flow.spent());
            } else {
                self.flows.push(flow);
            }
        }
        let mut at = 0;
        self.tasks.retain(|_| {
            at += 1;
            !done(&joined.group_of_task(at - 1))
        });
        let mut at = 0;
        self.connections.retain_mut(|connection| {
            at += 1;
            let group = Group::Connection(at - 1);
            let tasks = joined.tasks.tasks_on.get(&(at - 1)).copied().unwrap_or(0);
            connection.had_tasks |= forced.contains(&group) || tasks > 0;
            if forced.contains(&group) {
                connection.tasks_gone += tasks;
            }
            let open = connection.settles_at().is_none();
            !settled.contains(&group) && (open || !forced.contains(&group))
        });
    }

    /// Whether the host logs connections that could show the sensor's clock, and too few of them have.
    pub(super) fn misses_clock(&self, joined: &[Pair]) -> bool {
        self.logs_connections && self.pairs.len() + joined.len() < settings::CLOCK_PAIRS
    }

    /// Learns the sensor's clock from what was joined.
    fn know_clock(&mut self, joined: &Joined, horizon: Timestamp) {
        self.pairs.extend_from_slice(&joined.flows.pairs);
        clocks::thin(&mut self.pairs, horizon);
    }

    /// Whether the sensor's clock is still to be learnt: the host logs connections, the sensor records flows, and too
    /// little was joined yet to follow a drift. Behind address translation nothing ever is, so this waits for a few hours only.
    fn waits_for_clock(&self, horizon: Timestamp) -> bool {
        let young = self.begun.is_some_and(|begun| horizon.since(begun) < settings::CLOCK_WAIT_NS);
        young && self.pairs.len() < settings::CLOCK_PAIRS && self.logs_connections && !self.flows.is_empty()
    }

    fn forget(&mut self, horizon: Timestamp) {
        let recent = horizon.saturating_add(-settings::KEEP_NS);
        self.replies.retain(|_, times| {
            times.retain(|time| *time >= recent);
            times.sort_unstable();
            times.dedup();
            !times.is_empty()
        });
        let table = &self.table;
        self.contacts.forget(|(pid, start)| table.exit_after(pid, start).is_some_and(|(end, _)| end < recent));
        self.spent.retain(|gone| gone.end.saturating_add(settings::HOLD_NS) > horizon);
        self.spent.sort_unstable();
        self.spent.dedup();
        let pids: BTreeSet<u32> = self
            .tasks
            .iter()
            .map(|task| &task.process)
            .chain(self.connections.iter().filter(|connection| !connection.had_tasks).map(|found| &found.process))
            .filter_map(|process| process.key.pid)
            .collect();
        let starts: Vec<Timestamp> = self.flows.iter().map(|flow| flow.start).collect();
        let lag_ns = if self.waits_for_clock(horizon) { settings::CLOCK_WAIT_NS } else { self.lag_ns() };
        let behind = horizon.saturating_add(-lag_ns);
        self.table.forget(behind, &pids, &starts);
        self.deeds.forget(behind);
        self.names.forget(horizon);
        self.masks.forget(horizon);
        self.coverage.forget(horizon);
    }
}

/// What is handed on although it is open: held for a day, or the oldest of too many.
fn forced(fates: &BTreeMap<Group, Fate>, settled: &BTreeSet<Group>, horizon: Timestamp) -> BTreeSet<Group> {
    let mut open: Vec<(Option<Timestamp>, Group)> = Vec::new();
    let mut forced = BTreeSet::new();
    for (group, fate) in fates.iter().filter(|(group, _)| !settled.contains(group)) {
        if fate.is_overdue(horizon) {
            forced.insert(*group);
        } else {
            open.push((fate.last, *group));
        }
    }
    open.sort_unstable();
    let excess = open.len().saturating_sub(settings::HELD_CAP);
    forced.extend(open.into_iter().take(excess).map(|(_, group)| group));
    forced
}
