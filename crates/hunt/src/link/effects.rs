//! After-effects: what a process and its descendants did after a reply, beyond what they do anyway.

use crate::{
    coverage::Coverage,
    identity,
    processes::{Instance, ProcessTable},
    settings,
};
use monologue_model::{Detail, Effect, EffectKind, EffectWindow, Event, FileEffectKind, Provenance, Sight, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Folders that the networking and system frameworks write to by themselves: a cached or cookie-carrying reply is not a
/// handled one. Substrings of paths.
const FRAMEWORK_FOLDERS: &[&str] = &[
    "/Library/Caches/CloudKit/",
    "/Library/Caches/com.apple.nsurlsessiond/",
    "/Library/HTTPStorages/",
    "/Library/Cookies/",
    "/Library/WebKit/",
    "/Library/Logs/",
    "/Library/Saved Application State/",
    "/var/log/",
    "/dev/",
];

/// Where programs keep what they fetched, and where the networking libraries of some keep it by themselves. A file there may
/// be a use of the reply or may not: it shows neither that the reply was used nor that nothing was done.
const CACHE_FOLDER: &str = "/Library/Caches/";

/// What `NSURLCache` keeps below a program's folder of caches: a cached reply is not a handled one.
const CACHE_STORES: &[&str] = &["/Cache.db", "/fsCachedData/"];

/// Start of the names of files that `URLSession` puts a download into, before the program takes it.
const DOWNLOAD_FILE: &str = "/CFNetworkDownload_";

/// Programs that wait, print or test: starting one uses nothing of a reply.
const IDLE_PROGRAMS: &[&str] =
    &["sleep", "date", "echo", "printf", "test", "[", "true", "false", "logger", "wait4path"];

/// Effects kept for one exchange.
const EFFECT_CAP: usize = 64;

/// Everything this host's processes did, by pid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deeds {
    by_pid: BTreeMap<u32, Vec<Effect>>,
    /// Deeds before this are forgotten. `None`: none is.
    since: Option<Timestamp>,
}

/// What is known of the time after one reply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Aftermath {
    pub(crate) window: EffectWindow,
    pub(crate) effects: Vec<Effect>,
    pub(crate) gone: Option<bool>,
    pub(crate) exit: Option<Provenance>,
}

/// The time after a reply, and whose deeds count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch<'a> {
    /// The process that asked.
    pub(crate) asker: &'a Instance,
    /// The pid whose descendants act with it: its own, or that of the script it runs for.
    pub(crate) root: u32,
    /// When the reply began to come, at the earliest.
    pub(crate) from: Timestamp,
    /// When all of it was there.
    pub(crate) answered_at: Timestamp,
    /// How far these times may be off the host's clock, in nanoseconds: 0 where the host itself logged them.
    pub(crate) clock_error_ns: i64,
}

impl Deeds {
    /// Adds the deeds of one host, from events ordered by time.
    pub(crate) fn extend(&mut self, events: &[Event]) {
        for event in events {
            if let Some((pid, kind, target)) = deed_of(event) {
                self.by_pid.entry(pid).or_default().push(Effect {
                    time: event.time,
                    kind,
                    target,
                    provenance: event.provenance.clone(),
                });
            }
        }
    }

    /// Forgets what no window that ends after `horizon` needs.
    pub(crate) fn forget(&mut self, horizon: Timestamp) {
        let since = horizon.saturating_add(-settings::KEEP_NS);
        self.by_pid.retain(|_, effects| {
            effects.retain(|effect| effect.time >= since);
            !effects.is_empty()
        });
        self.since = Some(since);
    }

    fn between(&self, pid: u32, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &Effect> {
        let all = self.by_pid.get(&pid).map_or(&[][..], Vec::as_slice);
        let start = all.partition_point(|effect| effect.time < from);
        all.get(start..).unwrap_or_default().iter().take_while(move |effect| effect.time <= until)
    }

    /// Looks at the time after one reply. `replies` are the times of all replies to the same root, sorted: what happens
    /// after another of them is no habit.
    pub(crate) fn after(
        &self,
        watch: Watch<'_>,
        replies: &[Timestamp],
        table: &ProcessTable,
        coverage: &Coverage,
    ) -> Aftermath {
        let full_end = watch.answered_at.saturating_add(settings::EFFECT_WINDOW_NS + watch.clock_error_ns);
        // A process whose beginning nobody recorded may be older than its first record: only a recorded one bounds the past.
        // One that acts for another (`curl` for a script) was forked by it before it became itself.
        let began = match table.began(watch.root, watch.from) {
            Some(root) if watch.asker.started_by.is_some() => root.min(watch.asker.start),
            _ => Timestamp::from_nanoseconds(i64::MIN),
        };
        let habit_from = watch.from.saturating_add(-settings::HABIT_WINDOW_NS).max(began);
        let tree = table.tree(watch.root, habit_from.min(began), full_end);
        let end = tree_end(table, &tree, watch.from).map_or(full_end, |gone| gone.clamp(watch.answered_at, full_end));
        // A lost fork hides a descendant for as long as it lives.
        let lineage_lost = [Sight::ProcessExec, Sight::ProcessFork]
            .iter()
            .any(|sight| coverage.is_lost(*sight, began.min(watch.from), end));
        // What it does anyway is looked for before the reply too: without that time covered, nothing is "beyond" it.
        let shows = |sights: &[Sight]| {
            let covered_from = habit_from.max(first_covered(coverage, sights, watch.from));
            let remembered = self.since.is_none_or(|since| covered_from >= since);
            remembered && !lineage_lost && sights.iter().all(|sight| coverage.is_complete(*sight, covered_from, end))
        };
        let sights = [Sight::ProcessExec, Sight::FileEffect];
        let complete = shows(&sights);
        let window = if complete {
            EffectWindow::Seen
        } else if sights.iter().all(|sight| coverage.runs_past_end(*sight, watch.from, end)) {
            EffectWindow::Pending
        } else {
            EffectWindow::Unseen
        };
        // Presence needs one witness: a deed counts where its own kind was watched, whatever else was not.
        let starts_shown = complete || shows(&[Sight::ProcessExec]);
        let items_shown = complete || shows(&[Sight::ProcessExec, Sight::LaunchItem]);
        let counts = |effect: &Effect| match effect.kind {
            EffectKind::Child => starts_shown,
            EffectKind::LaunchItem => items_shown,
            EffectKind::File(_) | EffectKind::Evaluated | EffectKind::Connection => complete,
        };
        let mut effects = if starts_shown {
            self.beyond_habit(watch, &tree, (habit_from, end), table.began(watch.root, watch.from), replies)
        } else {
            Vec::new()
        };
        effects.retain(counts);
        // What was done within the error of the clocks may have come before the reply: it is no witness of a use, and the
        // time after the reply cannot be called empty either.
        let certain = watch.from.saturating_add(watch.clock_error_ns);
        let early = effects.iter().any(|effect| effect.time < certain) && watch.clock_error_ns > 0;
        effects.retain(|effect| effect.time >= certain);
        let cached = effects.iter().any(may_be_automatic);
        effects.retain(|effect| !may_be_automatic(effect));
        let doubtful = early || cached;
        let window = if doubtful && effects.is_empty() { EffectWindow::Unseen } else { window };
        let (gone, exit) = gone_at_once(watch, table, coverage);
        Aftermath { window, effects, gone, exit }
    }

    fn beyond_habit(
        &self,
        watch: Watch<'_>,
        tree: &[(u32, Timestamp)],
        (habit_from, end): (Timestamp, Timestamp),
        began: Option<Timestamp>,
        replies: &[Timestamp],
    ) -> Vec<Effect> {
        let begins = watch.from.saturating_add(-watch.clock_error_ns);
        let in_other_window = |time: Timestamp| {
            let earlier = replies.partition_point(|reply| *reply <= time);
            earlier > 0
                && replies.get(earlier - 1).is_some_and(|reply| time.since(*reply) <= settings::EFFECT_WINDOW_NS)
        };
        let since_began = began.unwrap_or(Timestamp::from_nanoseconds(i64::MIN));
        let habits: Vec<(EffectKind, String)> = tree
            .iter()
            .flat_map(|(pid, since)| self.between(*pid, habit_from.max(*since), begins.saturating_add(-1)))
            .filter(|effect| !in_other_window(effect.time))
            // Being started is nothing that a process does.
            .filter(|effect| effect.kind != EffectKind::Child || effect.time > since_began)
            .map(signature)
            .collect();
        let asker_program = watch.asker.image.path.as_deref().map(identity::file_name);
        let mut effects: Vec<Effect> = tree
            .iter()
            .flat_map(|(pid, since)| self.between(*pid, begins.max(*since), end))
            .filter(|effect| {
                let again = effect.kind == EffectKind::Child
                    && Some(identity::file_name(&effect.target)) == asker_program
                    && identity::is_interpreter(&effect.target);
                // What came before the asker itself cannot follow its request, whatever the clocks.
                let later = watch.asker.started_by.is_none() || effect.time > watch.asker.start;
                later && !again && !habits.contains(&signature(effect))
            })
            .cloned()
            .collect();
        effects.sort_by(|one, other| (one.time, &one.provenance).cmp(&(other.time, &other.provenance)));
        effects.truncate(EFFECT_CAP);
        effects
    }

    /// The record in which this program removed its own file. `None` if none was seen.
    pub(crate) fn self_removal(&self, instance: &Instance) -> Option<&Effect> {
        let pid = instance.image.key.pid?;
        let path = instance.image.path.as_ref()?;
        let until = instance.end.unwrap_or(Timestamp::from_nanoseconds(i64::MAX));
        self.between(pid, instance.start, until)
            .find(|effect| effect.kind == EffectKind::File(FileEffectKind::Unlink) && effect.target == *path)
    }
}

/// The earliest time from which all sights are covered without a break up to `time`; `time` itself if none is.
fn first_covered(coverage: &Coverage, sights: &[Sight], time: Timestamp) -> Timestamp {
    sights.iter().filter_map(|sight| coverage.start_before(*sight, time)).max().unwrap_or(time)
}

/// When the last process of the tree ended. `None` if one of them was not seen to end.
fn tree_end(table: &ProcessTable, tree: &[(u32, Timestamp)], from: Timestamp) -> Option<Timestamp> {
    let mut last = None;
    for (pid, since) in tree {
        let (end, _) = table.exit_after(*pid, *since)?;
        last = last.max(Some(end.max(from)));
    }
    last
}

fn gone_at_once(watch: Watch<'_>, table: &ProcessTable, coverage: &Coverage) -> (Option<bool>, Option<Provenance>) {
    let limit = watch.answered_at.saturating_add(settings::GONE_AT_ONCE_NS);
    // A sensor's clock may put the end of the reply a little after the end of the process.
    let since = watch.answered_at.saturating_add(-settings::CLOCK_SLACK_NS).max(watch.from);
    match table.exit_after(watch.root, since) {
        Some((end, provenance)) if end <= limit => (Some(true), Some(provenance.clone())),
        _ if coverage.is_complete(Sight::ProcessExit, watch.from, limit) => (Some(false), None),
        _ => (None, None),
    }
}

fn deed_of(event: &Event) -> Option<(u32, EffectKind, Arc<str>)> {
    match &event.detail {
        Detail::FileEffect(effect) => {
            let pid = effect.process.key.pid?;
            (!is_of_framework(&effect.path)).then(|| (pid, EffectKind::File(effect.effect), effect.path.clone()))
        }
        Detail::ProcessExec(exec) => {
            let path = exec.target.path.clone()?;
            let idle = IDLE_PROGRAMS.contains(&identity::file_name(&path)) || &*path == "/usr/libexec/xpcproxy";
            (!idle).then_some((exec.target.key.pid?, EffectKind::Child, path))
        }
        Detail::LaunchItem(item) if item.added => {
            let pid = item.instigator.as_ref()?.key.pid?;
            Some((pid, EffectKind::LaunchItem, item.item.clone().or_else(|| item.executable.clone())?))
        }
        _ => None,
    }
}

/// Whether the system's frameworks write this file by themselves.
fn is_of_framework(path: &str) -> bool {
    let cached = path.split_once(CACHE_FOLDER).map(|(_, rest)| rest);
    FRAMEWORK_FOLDERS.iter().any(|folder| path.contains(folder))
        || cached.is_some_and(|rest| CACHE_STORES.iter().any(|store| rest.contains(store)))
        || path.contains(DOWNLOAD_FILE)
}

/// Whether a library may have written this file without the program.
fn may_be_automatic(effect: &Effect) -> bool {
    matches!(effect.kind, EffectKind::File(_)) && effect.target.contains(CACHE_FOLDER)
}

/// What makes two deeds "the same thing again": the kind, and the program, or the folder and ending of the file.
fn signature(effect: &Effect) -> (EffectKind, String) {
    let target = match effect.kind {
        EffectKind::File(_) => {
            let (folder, name) = effect.target.rsplit_once('/').unwrap_or(("", &effect.target));
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            format!("{folder}/*.{ending}")
        }
        EffectKind::Child | EffectKind::LaunchItem | EffectKind::Evaluated | EffectKind::Connection => {
            effect.target.to_string()
        }
    };
    (effect.kind, target)
}
