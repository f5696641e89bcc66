//! The lake as a user meets it: the same findings as from files, whatever the order in which telemetry came.
#![cfg(test)]

use monologue_lake::{
    ledger::Lake,
    store::LocalStore,
    tables::{STATES, StateRow, read_states},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder of its own for one test, with a simulated fleet in it.
struct Fleet(PathBuf);

impl Fleet {
    fn new(name: &str, seed: u64, hours: u32) -> Self {
        let path = std::env::temp_dir().join(format!("monologue-lake-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let fleet = Self(path);
        let (seed, hours) = (seed.to_string(), hours.to_string());
        let made = run(&["simulate", &fleet.at("fleet"), "--seed", &seed, "--hours", &hours]);
        assert!(made.status.success(), "{}", stderr(&made));
        fleet
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Every channel as JSON, from files.
    fn hunted(&self) -> String {
        let (hosts, network, assets) = (self.at("fleet/hosts"), self.at("fleet/network"), self.at("fleet/assets.csv"));
        let output =
            run(&["hunt", &hosts, &network, "--assets", &assets, "--output", "json", "--minimum-level", "info"]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every channel as JSON, from the lake.
    fn hunted_lake(&self, more: &[&str]) -> String {
        let lake = self.at("lake");
        let mut arguments = vec!["hunt", "--lake", &lake, "--output", "json", "--minimum-level", "info"];
        arguments.extend(more);
        let output = run(&arguments);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn ingest(&self, paths: &[&str], more: &[&str]) -> String {
        let lake = self.at("lake");
        let mut arguments = vec!["ingest"];
        arguments.extend(paths);
        arguments.extend(["--lake", &lake, "--buckets", "8"]);
        arguments.extend(more);
        let output = run(&arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    }

    fn ingest_all(&self) -> String {
        let (hosts, network, assets) = (self.at("fleet/hosts"), self.at("fleet/network"), self.at("fleet/assets.csv"));
        self.ingest(&[&hosts, &network], &["--assets", &assets])
    }

    fn states(&self) -> BTreeMap<(Arc<str>, i64), StateRow> {
        let lake = Lake::open(Arc::new(LocalStore::new(self.at("lake")))).unwrap();
        let files: Vec<_> = lake.snapshot().files_of(STATES).cloned().collect();
        let mut states = BTreeMap::new();
        for file in files {
            for rows in read_states(lake.read(&file).unwrap(), &(i64::MIN..i64::MAX), true).unwrap() {
                states.extend(rows.unwrap().into_iter().map(|row| ((row.host.clone(), row.hour), row)));
            }
        }
        states
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Keeps the first `percent` of the lines' bytes of every log of a fleet that was put aside.
fn grow(whole: &Path, shown: &Path, percent: usize) {
    for entry in
        walkdir::WalkDir::new(whole).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file())
    {
        let bytes = std::fs::read(entry.path()).unwrap();
        let most = bytes.len() * percent / 100;
        let end = bytes[..most].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let keep = if entry.path().extension().is_some_and(|ending| ending == "csv") { bytes.len() } else { end };
        let target = shown.join(entry.path().strip_prefix(whole).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, &bytes[..keep]).unwrap();
    }
}

#[test]
fn a_lake_says_what_the_files_say_and_a_second_hunt_does_nothing_new() {
    let fleet = Fleet::new("same", 301, 30);
    let files = fleet.hunted();
    assert!(files.lines().count() > 100);
    assert!(fleet.ingest_all().contains("publication 1"));
    assert_eq!(fleet.hunted_lake(&[]), files);
    let first = fleet.states();
    assert_eq!(fleet.hunted_lake(&[]), files);
    let lake = Lake::open(Arc::new(LocalStore::new(fleet.at("lake")))).unwrap();
    assert_eq!(lake.snapshot().number(), 2, "one ingest, one hunt; the second hunt had nothing to keep");
    assert!(!first.is_empty() && fleet.states() == first);
    let again = fleet.ingest_all();
    assert!(again.contains("nothing new") && again.contains("were taken before"), "{again}");
}

#[test]
fn files_that_grow_and_are_hunted_in_between_end_in_the_same() {
    let fleet = Fleet::new("grow", 302, 30);
    let files = fleet.hunted();
    let (whole, shown) = (PathBuf::from(fleet.at("whole")), PathBuf::from(fleet.at("fleet")));
    std::fs::rename(&shown, &whole).unwrap();
    for percent in [35, 70, 100] {
        grow(&whole, &shown, percent);
        fleet.ingest_all();
        fleet.hunted_lake(&[]);
    }
    assert_eq!(fleet.hunted_lake(&[]), files);
}

#[test]
fn leases_that_come_last_move_the_rows_they_concern() {
    let fleet = Fleet::new("leases", 303, 24);
    let files = fleet.hunted();
    fleet.ingest(&[&fleet.at("fleet/network")], &[]);
    assert_ne!(fleet.hunted_lake(&[]), files, "nobody knows whose the addresses are");
    let moved = fleet.ingest(&[&fleet.at("fleet/hosts")], &["--assets", &fleet.at("fleet/assets.csv")]);
    assert!(moved.contains("rows moved to the hosts"), "{moved}");
    assert_eq!(fleet.hunted_lake(&[]), files);
}

#[test]
fn late_rows_are_decided_again_and_nothing_before_them_or_elsewhere() {
    let fleet = Fleet::new("late", 304, 72);
    let files = fleet.hunted();
    // One host's endpoint log of processes comes late.
    let hosts = PathBuf::from(fleet.at("fleet/hosts"));
    let host = std::fs::read_dir(&hosts).unwrap().map(|entry| entry.unwrap().file_name()).min().unwrap();
    let late = PathBuf::from(fleet.at("late"));
    std::fs::rename(hosts.join(&host), &late).unwrap();
    fleet.ingest_all();
    fleet.hunted_lake(&[]);
    let before = fleet.states();
    std::fs::rename(&late, hosts.join(&host)).unwrap();
    fleet.ingest_all();
    assert_eq!(fleet.hunted_lake(&[]), files);
    let after = fleet.states();
    let redone: BTreeSet<&str> = after
        .iter()
        .filter(|(key, row)| before.get(*key).is_none_or(|known| known.publication != row.publication))
        .map(|((host, _), _)| &**host)
        .collect();
    assert_eq!(redone.into_iter().collect::<Vec<_>>(), [host.to_str().unwrap()], "no other host is decided again");
}

#[test]
fn hours_bound_a_hunt_of_a_lake() {
    let fleet = Fleet::new("window", 305, 48);
    fleet.ingest_all();
    let all = fleet.hunted_lake(&[]);
    let one = fleet.hunted_lake(&["--since", "2026-03-03", "--until", "2026-03-03T05:59:59Z"]);
    assert!(one.lines().count() > 10 && one.lines().count() < all.lines().count());
    for line in one.lines() {
        let finding: serde_json::Value = serde_json::from_str(line).unwrap();
        let (first, last) = (finding["first_time"].as_str().unwrap(), finding["last_time"].as_str().unwrap());
        assert!("2026-03-03T00" <= first && last < "2026-03-03T06", "{first} to {last}");
    }
    assert_eq!(fleet.hunted_lake(&[]), all, "what was kept for part of the time does not stand for all of it");
}

#[test]
fn little_memory_changes_nothing() {
    let fleet = Fleet::new("memory", 306, 24);
    let files = fleet.hunted();
    fleet.ingest_all();
    assert_eq!(fleet.hunted_lake(&["--memory", "64MB"]), files);
}

#[test]
fn options_that_do_not_go_with_a_lake_are_named() {
    let folder = std::env::temp_dir().join(format!("monologue-lake-none-{}", std::process::id()));
    let nowhere = folder.to_str().unwrap();
    let none = run(&["hunt", "--lake", nowhere]);
    assert_eq!(none.status.code(), Some(2));
    assert!(stderr(&none).contains("hint: ") && !folder.exists(), "{}", stderr(&none));
    let assets = run(&["hunt", "--lake", nowhere, "--assets", "x.csv"]);
    assert!(stderr(&assets).contains("ingest them, then hunt"), "{}", stderr(&assets));
    let memory = run(&["hunt", "--lake", nowhere, "--memory", "a lot"]);
    assert!(stderr(&memory).contains("such as --memory 2GB"), "{}", stderr(&memory));
}

#[test]
fn compaction_and_retention_keep_what_they_should() {
    let fleet = Fleet::new("keep", 307, 48);
    let (hosts, network) = (fleet.at("fleet/hosts"), fleet.at("fleet/network"));
    let assets = fleet.at("fleet/assets.csv");
    // Each folder on its own makes many small files.
    let mut folders: Vec<_> = std::fs::read_dir(&hosts).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in &folders {
        fleet.ingest(&[folder.to_str().unwrap()], &["--host-pattern", "hosts/{host}/**"]);
    }
    fleet.ingest(&[&network], &["--assets", &assets]);
    let all = fleet.hunted_lake(&[]);
    let lake = fleet.at("lake");
    let compacted = run(&["lake", "compact", &lake]);
    assert!(
        compacted.status.success() && stderr(&compacted).contains("small files together"),
        "{}",
        stderr(&compacted)
    );
    assert_eq!(fleet.hunted_lake(&[]), all);
    let shown = String::from_utf8(run(&["lake", "show", &lake]).stdout).unwrap();
    assert!(shown.contains("network_activity") && shown.contains("2026-03-02 to"), "{shown}");
    let retained = run(&["lake", "retain", &lake, "--since", "2026-03-03"]);
    assert!(retained.status.success(), "{}", stderr(&retained));
    let shown = String::from_utf8(run(&["lake", "show", &lake]).stdout).unwrap();
    assert!(!shown.contains("2026-03-02"), "{shown}");
    assert!(fleet.ingest(&[&network], &[]).contains("nothing new"), "what was removed is not taken again");
    assert_eq!(run(&["lake", "retain", &lake, "--since", "soon"]).status.code(), Some(2));
}

/// A small deterministic generator (SplitMix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(unix)]
#[test]
fn killing_ingest_and_hunt_fifty_times_loses_nothing_and_doubles_nothing() {
    let fleet = Fleet::new("kill", 308, 12);
    let files = fleet.hunted();
    let (lake, assets) = (fleet.at("lake"), fleet.at("fleet/assets.csv"));
    let (whole, shown) = (PathBuf::from(fleet.at("whole")), PathBuf::from(fleet.at("fleet")));
    std::fs::rename(&shown, &whole).unwrap();
    let mut random = 7;
    let mut killed = 0;
    let mut round = 0;
    while killed < 50 && round < 200 {
        grow(&whole, &shown, (20 + round).min(100));
        let (hosts, network) = (fleet.at("fleet/hosts"), fleet.at("fleet/network"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_monologue"));
        if round % 2 == 0 {
            command.args(["ingest", &hosts, &network, "--assets", &assets, "--lake", &lake, "--buckets", "8"]);
        } else {
            command.args(["hunt", "--lake", &lake, "--output", "json=/dev/null"]);
        }
        let null = std::process::Stdio::null;
        let mut child = command.stdout(null()).stderr(null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(next(&mut random) % 500));
        // `kill` is SIGKILL: the process has no chance to tidy up.
        child.kill().unwrap();
        killed += i32::from(child.wait().unwrap().code().is_none());
        round += 1;
    }
    assert!(killed >= 50, "only {killed} were killed before they ended");
    grow(&whole, &shown, 100);
    fleet.ingest_all();
    assert_eq!(fleet.hunted_lake(&[]), files);
}
