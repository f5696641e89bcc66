//! A real process, killed at random moments, again and again on the same lake: nothing is lost, nothing is doubled.
#![cfg(test)]

use monologue_lake::{
    ledger::Lake,
    store::{LocalStore, Store},
};
use monologue_model::Sha256;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

const KILLS: u64 = 60;

/// The example beside this test's own program.
fn publisher() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().parent().unwrap().join("examples/publisher");
    assert!(path.exists(), "expected {}; hint: cargo build -p monologue-lake --example publisher", path.display());
    path
}

/// Runs the publisher until it is killed after `delay` from its opening. Gives the last number it said it published.
fn run_and_kill(program: &PathBuf, folder: &std::path::Path, delay: Duration) -> u64 {
    let mut child = Command::new(program).arg(folder).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Its first line says with which number it opened.
    let reader = std::thread::spawn(move || {
        lines.map_while(Result::ok).filter_map(|line| line.rsplit(' ').next()?.parse().ok()).last().unwrap_or(0)
    });
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// What the lake must hold after `last` publications: the second file of each, and the first of the latest three.
fn expected_files(last: u64) -> Vec<(u16, u64)> {
    let first = (last.saturating_sub(2).max(1)..=last).map(|number| (0, number));
    first.chain((1..=last).map(|number| (1, number))).collect()
}

fn check(lake: &Lake, store: &dyn Store, said: u64) -> u64 {
    let snapshot = lake.snapshot();
    let last = snapshot.number();
    assert!((said..=said + 1).contains(&last), "said {said}, found {last}");
    let files: Vec<(u16, u64)> = snapshot.files().map(|file| (file.bucket, file.publication)).collect();
    assert_eq!(files, expected_files(last));
    assert_eq!(
        snapshot.facts().map(|fact| fact.read::<u64>().unwrap()).collect::<Vec<_>>(),
        (1..=last).collect::<Vec<_>>()
    );
    assert!((1..=last).all(|number| snapshot.taken(&Sha256::of(number.to_string().as_bytes())).is_some()));
    for file in snapshot.files() {
        let content = store.read(&file.path(), 1 << 20).unwrap();
        assert_eq!(content, file.publication.to_string().repeat(500).as_bytes());
    }
    let listed = store.list("").unwrap().into_iter().map(|file| file.path);
    let in_folders: Vec<String> = listed.filter(|path| path.starts_with("events/")).collect();
    assert_eq!(in_folders, snapshot.files().map(|file| file.path()).collect::<Vec<_>>());
    last
}

#[test]
fn a_publisher_killed_at_random_moments_loses_and_doubles_nothing() {
    let program = publisher();
    let folder = tempfile::tempdir().unwrap();
    let lake_folder = folder.path().join("lake");
    let store: Arc<dyn Store> = Arc::new(LocalStore::new(&lake_folder));
    let (mut last, mut torn, mut slowness) = (0, 0, 1);
    for kill in 0..KILLS {
        // Spread over a few publications, by a step that shares no period with them.
        let delay = Duration::from_micros((8_000 + kill * 6_151 % 61_000) * slowness);
        let before = last;
        let said = run_and_kill(&program, &lake_folder, delay).max(last);
        if store.size("lake.json").unwrap().is_none() {
            slowness = (slowness * 2).min(4);
            continue;
        }
        torn += u64::from(!store.list("_staging").unwrap().is_empty());
        // A reader first, every other time: it rolls forward too.
        if kill % 2 == 0 {
            let reader = Lake::open(store.clone()).unwrap();
            check(&reader, &*store, said);
        }
        last = check(&Lake::open_for_writing(store.clone()).unwrap(), &*store, said);
        assert!(store.list("_staging").unwrap().is_empty());
        // A machine at work needs longer to come to a publication at all.
        slowness = if last == before { (slowness * 2).min(4) } else { 1 };
    }
    println!("{KILLS} kills, {last} publications, {torn} times something lay aside");
    assert!(last > 10 && torn > 10, "{last} publications, {torn} torn");
}
