//! Processes of one host over time: which program a pid ran when, who started it, and when it ended.

use crate::{identity, settings};
use monologue_model::{Detail, Event, ProcessExec, ProcessImage, ProcessKey, Provenance, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Instances carried from one hour to the next for one host: many times what runs on a Mac at once.
const INSTANCE_CAP: usize = 32_768;

/// Ancestors followed before a chain is cut: deeper ones do not occur on a Mac.
const LINEAGE_CAP: usize = 16;

/// One program run by one process: from its fork or exec to the next exec or the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) image: ProcessImage,
    /// When this program began here. For a process older than the log: the first record of it.
    pub(crate) start: Timestamp,
    /// When it was replaced or ended. `None` means nobody saw it end.
    pub(crate) end: Option<Timestamp>,
    /// It ended (rather than being replaced by an exec).
    pub(crate) exited: Option<Provenance>,
    /// The exec that began it. `None`: a fork's copy, or older than the log.
    pub(crate) exec: Option<Box<ProcessExec>>,
    /// Where its beginning is recorded.
    pub(crate) started_by: Option<Provenance>,
}

impl Instance {
    fn contains(&self, time: Timestamp, slack_ns: i64) -> bool {
        self.start.saturating_add(-slack_ns) <= time && self.end.is_none_or(|end| time <= end.saturating_add(slack_ns))
    }

    /// Whether its command line names a URL it asks for.
    pub(crate) fn calls(&self) -> bool {
        self.image.path.as_deref().is_some_and(|path| matches!(identity::file_name(path), "curl" | "wget" | "nscurl"))
    }

    /// Command line. `None` means nobody recorded it.
    pub(crate) fn arguments(&self) -> Option<&[String]> {
        self.exec.as_ref().map(|exec| exec.arguments.as_slice())
    }
}

/// All program instances of one host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ProcessTable {
    by_pid: BTreeMap<u32, Vec<Instance>>,
    /// Children by the parent's pid: (time of the fork, child's pid).
    children: BTreeMap<u32, Vec<(Timestamp, u32)>>,
}

impl ProcessTable {
    /// Adds what `events`, ordered by time and later than all before, say.
    pub(crate) fn extend<'a>(&mut self, events: impl Iterator<Item = &'a Event>) {
        let table = self;
        for event in events {
            match &event.detail {
                Detail::ProcessFork(fork) => {
                    table.see(&fork.parent, event.time);
                    table.begin(&fork.child, event.time, None, event);
                    if let (Some(parent), Some(child)) = (fork.parent.key.pid, fork.child.key.pid) {
                        table.children.entry(parent).or_default().push((event.time, child));
                    }
                }
                Detail::ProcessExec(exec) => {
                    table.see(&exec.previous, event.time);
                    table.begin(&exec.target, event.time, Some(exec), event);
                }
                Detail::ProcessExit(exit) => {
                    table.see(&exit.process, event.time);
                    table.end(&exit.process, event);
                }
                Detail::FileEffect(effect) => table.see(&effect.process, event.time),
                Detail::ServiceConnect(connect) => table.see(&connect.process, event.time),
                Detail::LaunchItem(item) => {
                    if let Some(instigator) = &item.instigator {
                        table.see(instigator, event.time);
                    }
                }
                _ => {}
            }
        }
    }

    /// Forgets instances that ended long before `horizon` and of which nothing open speaks: neither one of `pids`, nor a
    /// caller that may have begun a flow at one of the `starts`. Ancestors of what stays are kept.
    pub(crate) fn forget(&mut self, horizon: Timestamp, pids: &BTreeSet<u32>, starts: &[Timestamp]) {
        let since = horizon.saturating_add(-settings::KEEP_NS);
        let wanted = |instance: &Instance| {
            instance.end.is_none_or(|end| end >= since)
                || instance.image.key.pid.is_some_and(|pid| pids.contains(&pid))
                || (instance.calls() && starts.iter().any(|start| instance.contains(*start, settings::CLOCK_SLACK_NS)))
        };
        let mut kept: BTreeSet<(u32, Timestamp)> = BTreeSet::new();
        let place = |instance: &Instance| Some((instance.image.key.pid?, instance.start));
        for instance in self.instances().filter(|instance| wanted(instance)) {
            kept.extend(place(instance));
            kept.extend(self.ancestors(instance).0.into_iter().filter_map(place));
        }
        self.by_pid.retain(|pid, instances| {
            instances.retain(|instance| kept.contains(&(*pid, instance.start)));
            !instances.is_empty()
        });
        let by_pid = &self.by_pid;
        self.children.retain(|_, children| {
            children.retain(|(time, child)| *time >= since || by_pid.contains_key(child));
            !children.is_empty()
        });
        self.bound();
    }

    /// Drops the oldest of the instances that nobody saw begin, where exits are lost or never recorded.
    fn bound(&mut self) {
        let count = self.instances().count();
        if count <= INSTANCE_CAP {
            return;
        }
        let mut glimpsed: Vec<Timestamp> =
            self.instances().filter(|instance| instance.started_by.is_none()).map(|instance| instance.start).collect();
        glimpsed.sort_unstable();
        let Some(bound) = glimpsed.get((count - INSTANCE_CAP).min(glimpsed.len()).saturating_sub(1)).copied() else {
            return;
        };
        self.by_pid.retain(|_, instances| {
            instances.retain(|instance| instance.started_by.is_some() || instance.start > bound);
            !instances.is_empty()
        });
    }

    /// A record mentions a process: if it is not known, it is older than the log.
    fn see(&mut self, image: &ProcessImage, time: Timestamp) {
        let Some(pid) = image.key.pid else { return };
        let instances = self.by_pid.entry(pid).or_default();
        let known = instances.last().is_some_and(|last| last.end.is_none() && same_instance(&last.image, image));
        if !known && !instances.iter().any(|other| same_instance(&other.image, image)) {
            if let Some(last) = instances.last_mut().filter(|last| last.end.is_none()) {
                last.end = Some(time);
            }
            instances.push(Instance {
                image: image.clone(),
                start: time,
                end: None,
                exited: None,
                exec: None,
                started_by: None,
            });
            self.bear(image, time);
        }
    }

    /// Notes a child of whom no fork was recorded: its own records name its parent.
    fn bear(&mut self, image: &ProcessImage, time: Timestamp) {
        if let (Some(child), Some(parent)) = (image.key.pid, image.parent.as_ref().and_then(|parent| parent.pid)) {
            let children = self.children.entry(parent).or_default();
            if parent != child && !children.iter().rev().take(64).any(|(_, known)| *known == child) {
                children.push((time, child));
            }
        }
    }

    fn begin(&mut self, image: &ProcessImage, time: Timestamp, exec: Option<&ProcessExec>, event: &Event) {
        let Some(pid) = image.key.pid else { return };
        let instances = self.by_pid.entry(pid).or_default();
        if let Some(last) = instances.last_mut().filter(|last| last.end.is_none()) {
            last.end = Some(time);
        }
        instances.push(Instance {
            image: image.clone(),
            start: time,
            end: None,
            exited: None,
            exec: exec.map(|exec| Box::new(exec.clone())),
            started_by: Some(event.provenance.clone()),
        });
        if exec.is_some() {
            self.bear(image, time);
        }
    }

    fn end(&mut self, image: &ProcessImage, event: &Event) {
        let Some(pid) = image.key.pid else { return };
        let instances = self.by_pid.entry(pid).or_default();
        if let Some(last) = instances.iter_mut().rev().find(|other| same_instance(&other.image, image)) {
            last.end = Some(event.time);
            last.exited = Some(event.provenance.clone());
        }
    }

    /// The program that `pid` ran at `time`, if exactly one candidate fits; `path` rules out others where it is known.
    pub(crate) fn at(&self, pid: u32, time: Timestamp, path: Option<&str>, slack_ns: i64) -> Option<&Instance> {
        let fits = |instance: &&Instance| {
            instance.contains(time, slack_ns)
                && match (path, &instance.image.path) {
                    (Some(asked), Some(known)) => asked == &**known,
                    _ => true,
                }
        };
        let mut candidates = self.by_pid.get(&pid)?.iter().filter(fits);
        let first = candidates.next()?;
        match candidates.next() {
            None => Some(first),
            // A fork's copy and the exec that follows it lie within the slack of each other: the later program is meant.
            Some(second) => {
                let rest_empty = candidates.next().is_none();
                (rest_empty && first.end == Some(second.start) && path.is_none_or(|_| second.image.path.is_some()))
                    .then_some(second)
            }
        }
    }

    /// The instance with exactly this key.
    pub(crate) fn by_key(&self, key: &ProcessKey) -> Option<&Instance> {
        let version = key.pidversion?;
        self.by_pid.get(&key.pid?)?.iter().find(|instance| instance.image.key.pidversion == Some(version))
    }

    /// The instance that started this one: its parent by token, as it was when this one began.
    pub(crate) fn parent(&self, instance: &Instance) -> Option<&Instance> {
        let key = instance.image.parent.as_ref()?;
        if let Some(parent) = self.by_key(key) {
            return Some(parent);
        }
        // The token names the parent's present version; at the fork it may have run as another program of the same pid.
        self.at(key.pid?, instance.start, None, 0)
    }

    /// Ancestors, nearest first, up to launchd or the first that is not known. The flag says whether launchd was reached.
    pub(crate) fn ancestors<'a>(&'a self, instance: &'a Instance) -> (Vec<&'a Instance>, bool) {
        let mut chain: Vec<&Instance> = Vec::new();
        let mut current = instance;
        for _ in 0..LINEAGE_CAP {
            if current.image.parent.as_ref().and_then(|parent| parent.pid) == Some(1) {
                return (chain, true);
            }
            let Some(parent) = self.parent(current) else { return (chain, false) };
            if std::ptr::eq(parent, current) || chain.iter().any(|seen| std::ptr::eq(*seen, parent)) {
                return (chain, false);
            }
            chain.push(parent);
            current = parent;
        }
        (chain, false)
    }

    /// Every pid that descends from `pid` by forks at or after `from`, with the time of the fork; `pid` itself first.
    pub(crate) fn tree(&self, pid: u32, from: Timestamp, until: Timestamp) -> Vec<(u32, Timestamp)> {
        let mut tree = vec![(pid, from)];
        let mut next = 0;
        while let Some((parent, since)) = tree.get(next).copied() {
            next += 1;
            let forks = self.children.get(&parent).map_or(&[][..], Vec::as_slice);
            for (time, child) in forks.iter().filter(|(time, _)| *time >= since && *time <= until) {
                if tree.len() < 4096 && !tree.iter().any(|(known, _)| known == child) {
                    tree.push((*child, *time));
                }
            }
        }
        tree
    }

    /// When `pid`, running at `time`, ended for good, and where that is recorded. `None` if nobody saw it end.
    pub(crate) fn exit_after(&self, pid: u32, time: Timestamp) -> Option<(Timestamp, &Provenance)> {
        self.by_pid
            .get(&pid)?
            .iter()
            .filter_map(|instance| Some((instance.end?, instance.exited.as_ref()?)))
            .find(|(end, _)| *end >= time)
    }

    /// All instances.
    pub(crate) fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.by_pid.values().flatten()
    }
}

/// Whether two images are of the same program instance. Versions decide where both are known.
fn same_instance(one: &ProcessImage, other: &ProcessImage) -> bool {
    match (one.key.pidversion, other.key.pidversion) {
        (Some(one), Some(other)) => one == other,
        _ => one.path.is_none() || other.path.is_none() || one.path == other.path,
    }
}

/// A chain of names for the reader, the oldest ancestor first.
pub(crate) fn lineage(table: &ProcessTable, instance: &Instance) -> Vec<Arc<str>> {
    let (ancestors, complete) = table.ancestors(instance);
    let mut names: Vec<Arc<str>> = Vec::new();
    names.push(if complete { "launchd".into() } else { "…".into() });
    for step in ancestors.iter().rev().copied().chain([instance]) {
        names.push(step.image.path.clone().unwrap_or_else(|| "unknown".into()));
    }
    names
}
