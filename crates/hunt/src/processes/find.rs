//! Which program instance a record means, how surely, and how many others it may have meant.

use super::{DISORDER_NS, Instance, ProcessTable, WRAPPERS, is_same_identifier};
use crate::identity::{file_name, is_named};
use monologue_model::{LinkStrength, ProcessImage, Timestamp};
use std::sync::Arc;

/// Builds of programs (`LC_UUID`) whose path is remembered.
const CODE_CAP: usize = 4096;

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// One.
    One(Match<'a>),
    /// Several fit, and nothing singles one out: two candidates are none.
    Several,
    /// None.
    Nobody,
}

/// The one instance that fits, and by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) strength: LinkStrength,
    /// How many fitted by pid and time alone; a fork's copy and what replaced it are one.
    pub(crate) candidates: u32,
}

impl ProcessTable {
    /// The instance that a record of this host means: by its token, else by pid and time. Where several had the pid about
    /// that time, the build of the program, its code directory or its path may single one out.
    pub(crate) fn find(&self, image: &ProcessImage, time: Timestamp, slack_ns: i64) -> Found<'_> {
        let pid = self.pid_of(&image.key);
        let Some(instances) = pid.and_then(|pid| self.by_pid.get(&pid)) else { return Found::Nobody };
        if let Some(version) = image.key.pidversion {
            let same = |instance: &&Instance| {
                instance.image.key.pidversion == Some(version) && instance.start.since(time) <= slack_ns
            };
            return match instances.iter().rev().find(same) {
                Some(instance) => Found::One(Match { instance, strength: LinkStrength::Token, candidates: 1 }),
                None => Found::Nobody,
            };
        }
        // A process may run one program after another under the identifier that its sensor gives it: the last begun.
        let identified = instances
            .iter()
            .rev()
            .find(|found| is_same_identifier(&found.image.key, &image.key) && found.start.since(time) <= slack_ns);
        if let Some(instance) = identified {
            return Found::One(Match { instance, strength: LinkStrength::Instance, candidates: 1 });
        }
        let fitting: Vec<&Instance> = instances
            .iter()
            .enumerate()
            .filter(|(at, instance)| {
                same_boot(&instance.image, image)
                    && (instance.contains(time, slack_ns) || *at == 0 && is_older(instance, image, time))
            })
            .map(|(_, instance)| instance)
            .collect();
        let candidates = u32::try_from(one_of_each_process(&fitting).len()).unwrap_or(u32::MAX);
        let mut strength = LinkStrength::PidAndTime;
        let mut left = fitting;
        for (kind, evidence) in self.evidence(image) {
            let before = left.len();
            left.retain(|instance| evidence.allows(&instance.image));
            if left.len() < before && candidates > 1 {
                strength = strength.min(kind);
            }
        }
        let mut left = one_of_each_process(&left);
        if left.is_empty() {
            return Found::Nobody;
        }
        if left.len() > 1 {
            // The host's own records share a clock: of two uses of a pid, the one that was running.
            left.retain(|instance| instance.contains(time, DISORDER_NS / 5));
        }
        match left.as_slice() {
            [instance] => Found::One(Match { instance, strength, candidates }),
            _ => Found::Several,
        }
    }

    /// Remembers which program a build belongs to, from a record in which the program itself speaks.
    pub(super) fn learn_code(&mut self, image: &ProcessImage) {
        let (Some(uuid), Some(path)) = (&image.code_uuid, &image.path) else { return };
        let full = self.codes.len() >= CODE_CAP;
        match self.codes.get_mut(uuid) {
            Some(known) if known.as_ref() == Some(path) => {}
            // One build at two places names neither.
            Some(known) => *known = None,
            None if full => {}
            None => {
                self.codes.insert(uuid.clone(), Some(path.clone()));
            }
        }
    }

    /// What is known of the program, the strongest last.
    fn evidence(&self, image: &ProcessImage) -> Vec<(LinkStrength, Evidence)> {
        let by_code = image.code_uuid.as_ref().and_then(|uuid| self.codes.get(uuid)).cloned().flatten();
        let path = image.path.clone().map(|path| (LinkStrength::Path, Evidence::Path(path)));
        let cdhash = image.cdhash.clone().map(|hash| (LinkStrength::Cdhash, Evidence::Cdhash(hash)));
        let code = by_code.map(|path| (LinkStrength::CodeUuid, Evidence::Path(path)));
        path.into_iter().chain(cdhash).chain(code).collect()
    }
}

enum Evidence {
    Path(Arc<str>),
    Cdhash(Arc<str>),
}

impl Evidence {
    /// Whether an image may be meant: what it does not say, it does not contradict.
    fn allows(&self, image: &ProcessImage) -> bool {
        match self {
            Self::Path(path) => image.path.as_ref().is_none_or(|known| is_program(path, known)),
            Self::Cdhash(hash) => image.cdhash.as_ref().is_none_or(|known| known == hash),
        }
    }
}

fn same_boot(one: &ProcessImage, other: &ProcessImage) -> bool {
    match (&one.key.boot, &other.key.boot) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Whether a process whose beginning nobody recorded may have run this program before its first record: only the same
/// program says so.
fn is_older(first: &Instance, image: &ProcessImage, time: Timestamp) -> bool {
    let same = |one: &Option<Arc<str>>, other: &Option<Arc<str>>| one.is_some() && one == other;
    first.started_by.is_none()
        && time < first.start
        && (first.image.path.as_ref().zip(image.path.as_ref()).is_some_and(|(known, said)| is_program(said, known))
            || same(&first.image.cdhash, &image.cdhash))
}

/// Whether what a record says of a program fits its path. A capture knows the bare name only, cut by the kernel.
fn is_program(said: &str, path: &str) -> bool {
    said == path || !said.contains('/') && is_named(said, file_name(path))
}

/// Of a fork's copy or a wrapper and the program that replaced it, the latter: all are one process.
fn one_of_each_process<'a>(instances: &[&'a Instance]) -> Vec<&'a Instance> {
    let mut kept: Vec<&Instance> = Vec::with_capacity(instances.len());
    for instance in instances {
        let replaces = |earlier: &Instance| {
            let passing = earlier.exec.is_none()
                || earlier.image.path.as_deref().is_some_and(|path| WRAPPERS.contains(&file_name(path)));
            instance.exec.is_some() && passing && earlier.end == Some(instance.start) && earlier.exited.is_none()
        };
        if kept.last().is_some_and(|earlier| replaces(earlier)) {
            kept.pop();
        }
        kept.push(instance);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ProcessExec, ProcessKey, Provenance, Sha256};

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(milliseconds * 1_000_000)
    }

    fn ran(pid: u32, version: u32, path: &str, from: i64, until: Option<i64>) -> Instance {
        let image = ProcessImage {
            key: ProcessKey::from_pid(pid, Some(version)),
            path: Some(path.into()),
            cdhash: Some(format!("{version:040}").into()),
            ..ProcessImage::default()
        };
        let provenance =
            Provenance { source: "x".into(), offset: from.unsigned_abs(), length: 1, sha256: Sha256::default() };
        let exec = ProcessExec {
            previous: ProcessImage::default(),
            target: image.clone(),
            arguments: Vec::new(),
            script: None,
            working_directory: None,
            launch_label: None,
        };
        Instance {
            image,
            start: at(from),
            end: until.map(at),
            exited: until.map(|_| provenance.clone()),
            exec: Some(Box::new(exec)),
            started_by: Some(provenance),
            mentioned: at(from),
        }
    }

    /// One pid, used by three programs within two seconds.
    fn table() -> ProcessTable {
        let mut table = ProcessTable::default();
        let uses = vec![
            ran(7, 1, "/opt/a", 0, Some(500)),
            ran(7, 9, "/opt/b", 700, Some(1_200)),
            ran(7, 20, "/opt/b", 1_300, None),
        ];
        table.by_pid.insert(7, uses);
        table
    }

    fn record(path: Option<&str>) -> ProcessImage {
        ProcessImage { key: ProcessKey::from_pid(7, None), path: path.map(Into::into), ..ProcessImage::default() }
    }

    fn found(table: &ProcessTable, image: &ProcessImage, time: i64) -> (Option<u32>, LinkStrength, u32) {
        match table.find(image, at(time), 2_000_000_000) {
            Found::One(found) => (found.instance.image.key.pidversion, found.strength, found.candidates),
            Found::Several => (None, LinkStrength::DestinationAndTime, 2),
            Found::Nobody => (None, LinkStrength::DestinationAndTime, 0),
        }
    }

    #[test]
    fn a_token_is_beyond_doubt() {
        let image = ProcessImage { key: ProcessKey::from_pid(7, Some(9)), ..ProcessImage::default() };
        assert_eq!(found(&table(), &image, 900), (Some(9), LinkStrength::Token, 1));
        let other = ProcessImage { key: ProcessKey::from_pid(7, Some(10)), ..ProcessImage::default() };
        assert_eq!(found(&table(), &other, 900).0, None, "another process than any that was seen");
    }

    #[test]
    fn path_cdhash_and_build_single_one_out() {
        let mut table = table();
        assert_eq!(found(&table, &record(Some("/opt/a")), 900), (Some(1), LinkStrength::Path, 3));
        let mut image = record(None);
        image.cdhash = Some(format!("{:040}", 20).into());
        assert_eq!(found(&table, &image, 900), (Some(20), LinkStrength::Cdhash, 3));
        let mut build = record(None);
        build.code_uuid = Some("AA".into());
        let speaks = ProcessImage { path: Some("/opt/a".into()), ..build.clone() };
        table.learn_code(&speaks);
        assert_eq!(found(&table, &build, 900), (Some(1), LinkStrength::CodeUuid, 3));
        // The same build seen at another place names no program any more; then time decides, or nothing does.
        table.learn_code(&ProcessImage { path: Some("/opt/c".into()), ..build.clone() });
        assert_eq!(found(&table, &build, 600), (None, LinkStrength::DestinationAndTime, 2));
    }

    #[test]
    fn of_several_uses_of_a_pid_the_one_that_was_running_is_meant() {
        assert_eq!(found(&table(), &record(None), 900), (Some(9), LinkStrength::PidAndTime, 3));
        assert_eq!(found(&table(), &record(Some("/opt/b")), 1_100), (Some(9), LinkStrength::Path, 3));
        assert_eq!(found(&table(), &record(None), 1_250), (None, LinkStrength::DestinationAndTime, 2), "between two");
        assert_eq!(found(&table(), &record(None), 9_000), (Some(20), LinkStrength::PidAndTime, 1));
        assert_eq!(found(&table(), &record(Some("/opt/z")), 900).2, 0, "none of them is that program");
        assert_eq!(found(&table(), &record(Some("b")), 900), (Some(9), LinkStrength::Path, 3), "its bare name");
        assert_eq!(found(&table(), &record(Some("opt")), 900).2, 0, "a folder is no name");
    }

    #[test]
    fn a_forks_copy_and_what_replaced_it_are_one_candidate() {
        let mut table = ProcessTable::default();
        let mut copy = ran(7, 1, "/bin/sh", 0, None);
        (copy.exec, copy.exited, copy.end) = (None, None, Some(at(3)));
        table.by_pid.insert(7, vec![copy, ran(7, 2, "/usr/bin/curl", 3, Some(400))]);
        assert_eq!(found(&table, &record(None), 4), (Some(2), LinkStrength::PidAndTime, 1));
    }

    #[test]
    fn a_process_older_than_the_log_is_known_before_its_first_record_by_its_path_alone() {
        let mut table = ProcessTable::default();
        let mut old = ran(7, 3, "/opt/daemon", 60_000, None);
        (old.exec, old.started_by) = (None, None);
        table.by_pid.insert(7, vec![old]);
        assert_eq!(found(&table, &record(Some("/opt/daemon")), 0), (Some(3), LinkStrength::PidAndTime, 1));
        assert_eq!(found(&table, &record(None), 0).0, None);
        assert_eq!(found(&table, &record(Some("/opt/other")), 0).0, None);
    }
}
