//! How long the ATT&CK library takes on two generated releases of the real size, against merely parsing the same file.
//!
//! `cargo bench -p monologue --bench attack` prints a Markdown table. Times are of the whole program, start included, the
//! best of several runs; beside them stands the processor time, which a busy machine does not change as much. Memory is
//! the largest resident set. The releases are made and parsed by another process: a child's memory would otherwise
//! count what its parent held when it began.

#[path = "../../attack/tests/generated/mod.rs"]
mod generated;

use anyhow::{Context as _, Result, ensure};
use generated::{Shape, bundle, stix_id};
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use wait4::Wait4 as _;

/// Runs of what reads only.
const RUNS: usize = 7;

/// Runs of what writes, each into a place of its own.
const WRITES: usize = 3;

/// The argument by which this program makes the releases, followed by the folder.
const GENERATE: &str = "--generate";

#[derive(Clone, Copy)]
struct Used {
    wall: Duration,
    processor: Duration,
    resident_bytes: u64,
}

fn run(folder: &Path, arguments: &[&str]) -> Result<Used> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .arg("attack")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let used = child.wait4()?;
    let wall = began.elapsed();
    ensure!(used.status.success(), "expected {arguments:?} to succeed");
    Ok(Used { wall, processor: used.rusage.utime + used.rusage.stime, resident_bytes: used.rusage.maxrss })
}

/// The best of several runs, each with arguments of its own.
fn best(runs: usize, folder: &Path, arguments: impl Fn(usize) -> Vec<String>) -> Result<Used> {
    let mut best: Option<Used> = None;
    for number in 0..runs {
        let arguments = arguments(number);
        let next = run(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
        best = Some(best.filter(|best| best.wall <= next.wall).unwrap_or(next));
    }
    best.context("expected at least one run")
}

fn line(name: &str, used: Used, parse: Duration, aim: &str) {
    println!(
        "| {name} | {:.1} | {:.1} | {} | {:.2} | {aim} |",
        used.wall.as_secs_f64() * 1e3,
        used.processor.as_secs_f64() * 1e3,
        used.resident_bytes / 1_000_000,
        used.wall.as_secs_f64() / parse.as_secs_f64(),
    );
}

/// What the JSON crate alone needs for the file.
fn parsing(text: &str) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..WRITES {
        let began = Instant::now();
        let value: serde_json::Value = serde_json::from_str(text)?;
        ensure!(value.is_object(), "expected a bundle");
        best = best.min(began.elapsed());
    }
    Ok(best)
}

/// Writes both releases, and prints how many objects and bytes the first has and how many nanoseconds parsing it takes.
fn generate(folder: &Path) -> Result<()> {
    let first = bundle(&Shape { thinned: 1, release: 1 });
    fs::write(folder.join("one.json"), &first)?;
    fs::write(folder.join("two.json"), bundle(&Shape { thinned: 1, release: 2 }))?;
    let objects = first.matches("\"modified\": ").count();
    println!("{objects} {} {}", first.len(), parsing(&first)?.as_nanos());
    Ok(())
}

/// How many of a snapshot's objects no earlier one held, and how many it has.
fn stored(folder: &Path) -> Result<Vec<(u64, u64)>> {
    let output = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["attack", "--library", "library0", "snapshots", "--output", "json"])
        .current_dir(folder)
        .output()?;
    let snapshots = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
    snapshots
        .map(|snapshot| {
            let snapshot = snapshot?;
            let number = |key: &str| snapshot.get(key).and_then(serde_json::Value::as_u64).unwrap_or_default();
            Ok((number("stored"), number("objects") + number("relationships")))
        })
        .collect()
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == GENERATE) {
        return generate(Path::new(arguments.get(place + 1).context("expected a folder")?));
    }
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    let made = Command::new(env::current_exe()?).arg(GENERATE).arg(at).output()?;
    let numbers = String::from_utf8(made.stdout)?;
    let numbers: Vec<u64> = numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let &[objects, bytes, parse] = numbers.as_slice() else { anyhow::bail!("expected three numbers") };
    let parse = Duration::from_nanos(parse);
    println!("{objects} objects, {bytes} bytes; the JSON crate parses them in {:.0} ms.\n", parse.as_secs_f64() * 1e3);
    println!("| command | ms | processor, ms | MB | times the parsing | aim |");
    println!("|---|---|---|---|---|---|");
    let import = |release: &'static str, file: &'static str| {
        move |number: usize| {
            ["--library", &format!("library{number}"), "import", file, "--release", release].map(str::to_owned).to_vec()
        }
    };
    line("import", best(WRITES, at, import("1.0", "one.json"))?, parse, "5000 ms, 500 MB");
    line("import of a second release", best(WRITES, at, import("2.0", "two.json"))?, parse, "5000 ms, 500 MB");
    let hub = stix_id("attack-pattern", 0);
    let asked = |arguments: &[&str]| {
        let arguments: Vec<String> =
            ["--library", "library0"].iter().chain(arguments).map(ToString::to_string).collect();
        move |_| arguments.clone()
    };
    for (name, arguments) in [
        ("show", vec!["show", "AN0100"]),
        ("show of the busiest object", vec!["show", &hub]),
        ("list", vec!["list", "--type", "analytic", "--platform", "macOS"]),
        ("search", vec!["search", "keychain", "beacon", "tunnel"]),
        ("graph", vec!["graph", "AN0100", "--depth", "2"]),
        ("history", vec!["history", "AN0101"]),
    ] {
        line(name, best(RUNS, at, asked(&arguments))?, parse, "50 ms");
    }
    line("diff", best(RUNS, at, asked(&["diff", "1.0", "2.0"]))?, parse, "1000 ms");
    let site = |number: usize| ["--library", "library0", "site", &format!("site{number}")].map(str::to_owned).to_vec();
    line("site", best(WRITES, at, site)?, parse, "30000 ms");
    println!();
    for (number, (new, all)) in (1..).zip(stored(at)?) {
        println!("Release {number}: {all} objects and relationships, {new} of them stored.");
    }
    println!("The database holds {} bytes.", fs::metadata(at.join("library0/attack.redb"))?.len());
    Ok(())
}
