//! Processes of one host over time: which program a pid ran when, who started it, and when it ended.

mod find;

pub(crate) use find::{Found, Match};

use crate::{identity::file_name, settings};
use monologue_model::{Detail, Event, ProcessExec, ProcessImage, ProcessKey, Provenance, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Instances carried from one hour to the next for one host: more than macOS lets run at once (`kern.maxproc` is a few
/// thousand), so that those left out have long ended where nobody records ends.
const INSTANCE_CAP: usize = 16_384;

/// Ancestors followed before a chain is cut: deeper ones do not occur on a Mac.
const LINEAGE_CAP: usize = 16;

/// How far records of one process may come out of order: a quarter of a second. Endpoint Security stamps them on several
/// threads, and the versions of a pid tell their true order.
const DISORDER_NS: i64 = 250_000_000;

/// Programs that only prepare the one they are replaced by: `xpcproxy` starts what launchd runs, the others set up an
/// environment.
const WRAPPERS: &[&str] = &["xpcproxy", "env", "nice", "nohup", "arch", "sandbox-exec"];

/// One program run by one process: from its fork or exec to the next exec or the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The last record of any kind that names its pid while it is the last to have it.
    #[serde(default)]
    pub(crate) mentioned: Timestamp,
}

impl Instance {
    /// A program of which nothing is known but that a record of this time mentions it.
    fn unseen(image: &ProcessImage, time: Timestamp) -> Self {
        Self {
            image: image.clone(),
            start: time,
            end: None,
            exited: None,
            exec: None,
            started_by: None,
            mentioned: time,
        }
    }

    fn contains(&self, time: Timestamp, slack_ns: i64) -> bool {
        self.start.saturating_add(-slack_ns) <= time && self.end.is_none_or(|end| time <= end.saturating_add(slack_ns))
    }

    /// Whether its command line names a URL it asks for.
    pub(crate) fn calls(&self) -> bool {
        self.image.path.as_deref().is_some_and(|path| matches!(file_name(path), "curl" | "wget" | "nscurl"))
    }

    /// Command line. `None` means nobody recorded it.
    pub(crate) fn arguments(&self) -> Option<&[String]> {
        self.exec.as_ref().map(|exec| exec.arguments.as_slice())
    }
}

/// All program instances of one host. It grows by one event at a time, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProcessTable {
    by_pid: BTreeMap<u32, Vec<Instance>>,
    /// Children by the parent's pid: (time of the fork, child's pid).
    children: BTreeMap<u32, Vec<(Timestamp, u32)>>,
    /// Path of the program by its build (`LC_UUID`); `None` where one build ran at two places.
    codes: BTreeMap<Arc<str>, Option<Arc<str>>>,
    /// Pids by the sensor's own identifier of a process: its other records may give nothing else.
    pids: BTreeMap<Arc<str>, u32>,
}

impl ProcessTable {
    /// Forgets instances that ended long before `horizon` and of which nothing open speaks: neither one of `pids`, nor a
    /// caller that may have begun a flow at one of the `starts`. Ancestors of what stays are kept.
    pub(crate) fn forget(&mut self, horizon: Timestamp, pids: &BTreeSet<u32>, starts: &[Timestamp]) {
        let since = horizon.saturating_add(-settings::KEEP_NS);
        let wanted = |instance: &Instance| {
            instance.end.is_none_or(|end| end >= since)
                || instance.image.key.pid.is_some_and(|pid| pids.contains(&pid))
                || (instance.calls() && starts.iter().any(|start| instance.contains(*start, settings::CLOCK_SLACK_NS)))
        };
        let mut kept: BTreeSet<(u32, usize)> = BTreeSet::new();
        let mut open: Vec<&Instance> = self.instances().filter(|instance| wanted(instance)).collect();
        while let Some(instance) = open.pop() {
            let Some(place) = self.place_of(instance) else { continue };
            if kept.insert(place) {
                open.extend(self.parent(instance).into_iter().chain(self.previous(instance)));
            }
        }
        for (pid, instances) in &mut self.by_pid {
            let mut at = 0;
            instances.retain(|_| {
                at += 1;
                kept.contains(&(*pid, at - 1))
            });
        }
        self.by_pid.retain(|_, instances| !instances.is_empty());
        let by_pid = &self.by_pid;
        self.pids.retain(|identifier, pid| {
            let instances = by_pid.get(pid).map_or(&[][..], Vec::as_slice);
            instances.iter().any(|instance| instance.image.key.instance.as_ref() == Some(identifier))
        });
        self.children.retain(|_, children| {
            // Of the forks before that, the last of each pid: who had it before has ended. launchd lives as long as its host.
            let mut again: BTreeSet<u32> = BTreeSet::new();
            children.reverse();
            children.retain(|(time, child)| *time >= since || by_pid.contains_key(child) && again.insert(*child));
            children.reverse();
            !children.is_empty()
        });
        self.bound();
    }

    /// Where ends are lost or never recorded, drops the instances that were not mentioned for longest. Each was longer silent
    /// than as many others as may run at once; what is said of one of them later has no process, and so is not judged by
    /// one.
    fn bound(&mut self) {
        let mut mentioned: Vec<Timestamp> = self.instances().map(|instance| instance.mentioned).collect();
        let Some(excess) = mentioned.len().checked_sub(INSTANCE_CAP).filter(|excess| *excess > 0) else { return };
        let (_, bound, _) = mentioned.select_nth_unstable(excess - 1);
        let bound = *bound;
        self.by_pid.retain(|_, instances| {
            instances.retain(|instance| instance.mentioned > bound);
            !instances.is_empty()
        });
        let by_pid = &self.by_pid;
        self.children.retain(|_, children| {
            children.retain(|(_, child)| by_pid.contains_key(child));
            !children.is_empty()
        });
    }

    /// Takes what `events`, ordered by time and later than all before, say.
    pub(crate) fn extend<'a>(&mut self, events: impl Iterator<Item = &'a Event>) {
        events.for_each(|event| self.take(event));
    }

    /// Takes the next event by time.
    pub(crate) fn take(&mut self, event: &Event) {
        self.mention(event);
        match &event.detail {
            Detail::ProcessFork(fork) => {
                self.see(&fork.parent, event.time);
                self.begin(&fork.child, event.time, None, event);
                if let (Some(parent), Some(child)) = (fork.parent.key.pid, fork.child.key.pid) {
                    self.children.entry(parent).or_default().push((event.time, child));
                }
            }
            Detail::ProcessExec(exec) => {
                self.see(&exec.previous, event.time);
                self.begin(&exec.target, event.time, Some(exec), event);
            }
            Detail::ProcessExit(exit) => {
                self.see(&exit.process, event.time);
                self.end(&exit.process, event);
            }
            Detail::FileEffect(effect) => self.see(&effect.process, event.time),
            Detail::ServiceConnect(connect) => self.see(&connect.process, event.time),
            Detail::LaunchItem(item) => {
                if let Some(instigator) = &item.instigator {
                    self.see(instigator, event.time);
                }
            }
            Detail::Task(task) => self.learn_code(&task.process),
            _ => {}
        }
    }

    fn mention(&mut self, event: &Event) {
        let pid = event.process().and_then(|image| self.pid_of(&image.key));
        if let Some(last) = pid.and_then(|pid| self.by_pid.get_mut(&pid)?.last_mut()) {
            last.mentioned = last.mentioned.max(event.time);
        }
    }

    /// A record mentions a process: if it is not known, it is older than the log.
    fn see(&mut self, image: &ProcessImage, time: Timestamp) {
        let Some(pid) = self.learn_pid(image) else { return };
        let instances = self.by_pid.entry(pid).or_default();
        let known = instances.last().is_some_and(|last| last.end.is_none() && same_instance(&last.image, image));
        if !known && !instances.iter().any(|other| same_instance(&other.image, image)) {
            insert(instances, Instance::unseen(image, time));
            self.bear(image, time);
        }
    }

    /// Notes a child of whom no fork was recorded: its own records name its parent.
    fn bear(&mut self, image: &ProcessImage, time: Timestamp) {
        let parent = image.parent.as_ref().and_then(|parent| self.pid_of(parent));
        if let (Some(child), Some(parent)) = (image.key.pid, parent) {
            let children = self.children.entry(parent).or_default();
            if parent != child && !children.iter().rev().take(64).any(|(_, known)| *known == child) {
                children.push((time, child));
            }
        }
    }

    fn begin(&mut self, image: &ProcessImage, time: Timestamp, exec: Option<&ProcessExec>, event: &Event) {
        let Some(pid) = self.learn_pid(image) else { return };
        let instances = self.by_pid.entry(pid).or_default();
        let begun = Instance {
            exec: exec.map(|exec| Box::new(exec.clone())),
            started_by: Some(event.provenance.clone()),
            ..Instance::unseen(image, time)
        };
        // Its own records may have come a little before that of its beginning.
        let early = instances.iter_mut().rev().find(|known| {
            known.started_by.is_none() && is_same_version(&known.image, image) && time.since(known.start) <= DISORDER_NS
        });
        match early {
            Some(known) => {
                let (start, end, exited) = (known.start, known.end, known.exited.take());
                *known = Instance { start, end, exited, ..begun };
            }
            None => insert(instances, begun),
        }
        if exec.is_some() {
            self.bear(image, time);
        }
    }

    fn end(&mut self, image: &ProcessImage, event: &Event) {
        let Some(pid) = self.pid_of(&image.key) else { return };
        let instances = self.by_pid.entry(pid).or_default();
        if let Some(last) = instances.iter_mut().rev().find(|other| same_instance(&other.image, image)) {
            last.end = Some(event.time);
            last.exited = Some(event.provenance.clone());
        }
    }

    /// The pid of a process, where it is recorded or the sensor's identifier tells it.
    fn pid_of(&self, key: &ProcessKey) -> Option<u32> {
        key.pid.or_else(|| self.pids.get(key.instance.as_ref()?).copied())
    }

    /// As [`Self::pid_of`], and remembers which identifier goes with which pid.
    fn learn_pid(&mut self, image: &ProcessImage) -> Option<u32> {
        if let (Some(pid), Some(identifier)) = (image.key.pid, &image.key.instance) {
            self.pids.insert(identifier.clone(), pid);
        }
        self.pid_of(&image.key)
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
        self.by_token(instance.image.parent.as_ref()?, instance.start)
    }

    /// The instance that a token of this time means.
    fn by_token(&self, key: &ProcessKey, time: Timestamp) -> Option<&Instance> {
        let version = key.pidversion;
        let pid = self.pid_of(key)?;
        let known = self.by_pid.get(&pid)?.iter().rev().find(|instance| {
            let same_version = version.is_some() && instance.image.key.pidversion == version;
            (same_version || is_same_identifier(&instance.image.key, key)) && instance.start.since(time) <= DISORDER_NS
        });
        // The token names the present version; at the fork it may have run as another program of the same pid.
        known.or_else(|| self.at(pid, time, None, 0))
    }

    /// The process that macOS holds responsible for this one, where it is another than itself and launchd. The inner
    /// `None` means that the other was never seen.
    pub(crate) fn responsible(&self, instance: &Instance) -> Option<Option<&Instance>> {
        let key = instance.image.responsible.as_ref()?;
        let pid = key.pid.filter(|pid| *pid != 1 && Some(*pid) != instance.image.key.pid)?;
        let fits = |found: &&Instance| found.image.key.pid == Some(pid);
        Some(self.by_token(key, instance.start).filter(fits))
    }

    /// The program that this one replaced by exec in the same process. `None`: there was none that says who asked (a
    /// fork's copy, a wrapper), or nobody recorded it.
    fn replaced(&self, instance: &Instance) -> Option<&Instance> {
        let mut current = instance;
        for _ in 0..LINEAGE_CAP {
            let previous = self.previous(current)?;
            if previous.exec.is_none() && !self.is_no_copy(previous) {
                return None;
            }
            let wrapper = previous.image.path.as_deref().is_some_and(|path| WRAPPERS.contains(&file_name(path)));
            if !wrapper {
                return Some(previous);
            }
            current = previous;
        }
        None
    }

    /// Whether a program whose exec nobody recorded is certainly not a fork's copy of its parent.
    fn is_no_copy(&self, instance: &Instance) -> bool {
        let Some(path) = instance.image.path.as_deref().filter(|_| instance.started_by.is_none()) else { return false };
        if instance.image.parent.as_ref().and_then(|parent| parent.pid) == Some(1) {
            return file_name(path) != "launchd";
        }
        self.parent(instance).and_then(|parent| parent.image.path.as_deref()).is_some_and(|parent| parent != path)
    }

    /// What the same process ran before its exec.
    pub(crate) fn previous(&self, instance: &Instance) -> Option<&Instance> {
        let key = &instance.exec.as_ref()?.previous.key;
        if key.pidversion.is_some() {
            return self.by_key(key).filter(|previous| !std::ptr::eq(*previous, instance));
        }
        let instances = self.by_pid.get(&key.pid?)?;
        let at = instances.iter().position(|other| std::ptr::eq(other, instance))?;
        instances.get(at.checked_sub(1)?).filter(|previous| previous.end == Some(instance.start))
    }

    /// Ancestors, nearest first, up to launchd or the first that is not known. The flag says whether launchd was reached.
    /// A program replaced by exec in the same process counts as one.
    pub(crate) fn ancestors<'a>(&'a self, instance: &'a Instance) -> (Vec<&'a Instance>, bool) {
        let mut chain: Vec<&Instance> = Vec::new();
        let mut current = instance;
        for _ in 0..LINEAGE_CAP {
            let next = match self.replaced(current) {
                Some(previous) => previous,
                None if current.image.parent.as_ref().and_then(|parent| parent.pid) == Some(1) => return (chain, true),
                None => match self.parent(current) {
                    Some(parent) => parent,
                    None => return (chain, false),
                },
            };
            if std::ptr::eq(next, current) || chain.iter().any(|seen| std::ptr::eq(*seen, next)) {
                return (chain, false);
            }
            chain.push(next);
            current = next;
        }
        (chain, false)
    }

    fn place_of(&self, instance: &Instance) -> Option<(u32, usize)> {
        let pid = instance.image.key.pid?;
        let at = self.by_pid.get(&pid)?.iter().position(|other| std::ptr::eq(other, instance))?;
        Some((pid, at))
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

    /// When the program that `pid` runs at `time` began there. `None` if its beginning was not recorded.
    pub(crate) fn began(&self, pid: u32, time: Timestamp) -> Option<Timestamp> {
        let running = self.by_pid.get(&pid)?.iter().rev().find(|instance| instance.start <= time)?;
        running.started_by.as_ref().map(|_| running.start)
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
        _ if one.key.instance.is_some() && other.key.instance.is_some() && one.key.instance != other.key.instance => {
            false
        }
        _ => one.path.is_none() || other.path.is_none() || one.path == other.path,
    }
}

/// Whether the sensor says that both are the same process.
fn is_same_identifier(one: &ProcessKey, other: &ProcessKey) -> bool {
    one.instance.is_some() && one.instance == other.instance
}

/// Whether both versions are known and the same.
fn is_same_version(one: &ProcessImage, other: &ProcessImage) -> bool {
    one.key.pidversion.is_some() && one.key.pidversion == other.key.pidversion && one.key.boot == other.key.boot
}

/// Puts a program among those of its pid. Usually it is the last, and ends the one before it; where its record came a
/// little late, it stands before what it led to.
fn insert(instances: &mut Vec<Instance>, mut new: Instance) {
    let mut at = instances.len();
    while let Some(later) = at.checked_sub(1).and_then(|before| instances.get(before)) {
        if !leads_to(&new, later) {
            break;
        }
        at -= 1;
    }
    if let Some(next) = instances.get(at) {
        new.start = new.start.min(next.start);
        new.end = Some(next.start);
    }
    if let Some(last) = at.checked_sub(1).and_then(|before| instances.get_mut(before))
        && (last.end.is_none() || last.exited.is_none() && last.end > Some(new.start))
    {
        last.end = Some(new.start.max(last.start));
    }
    instances.insert(at, new);
}

/// Whether `new`, recorded after `known`, came before it all the same.
fn leads_to(new: &Instance, known: &Instance) -> bool {
    if new.start.since(known.start) > DISORDER_NS || new.image.key.boot != known.image.key.boot {
        return false;
    }
    match (new.image.key.pidversion, known.image.key.pidversion) {
        (Some(new), Some(known)) => new < known,
        // Without versions: a fork whose copy has been replaced already.
        _ => {
            let parent = |instance: &Instance| instance.image.parent.as_ref().and_then(|parent| parent.pid);
            new.exec.is_none()
                && new.started_by.is_some()
                && known.exec.is_some()
                && parent(new).is_some()
                && parent(new) == parent(known)
        }
    }
}

#[cfg(test)]
mod tests;
