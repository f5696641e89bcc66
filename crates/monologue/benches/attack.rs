//! How long the ATT&CK library takes on two generated releases of the real size, against merely parsing the same file.
//!
//! `cargo bench -p monologue --bench attack` prints a Markdown table. Times are of the whole program, start included, the
//! best of several runs; beside them stands the processor time, which a busy machine does not change as much. Memory is
//! the largest resident set.

#[path = "../../attack/tests/generated/mod.rs"]
mod generated;

use anyhow::{Result, ensure};
use generated::{Shape, bundle, stix_id};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use wait4::Wait4 as _;

/// Runs of what reads only; imports change the library and are run once.
const RUNS: usize = 7;

#[derive(Clone, Copy)]
struct Used {
    wall: Duration,
    processor: Duration,
    resident_bytes: u64,
}

fn run(folder: &Path, arguments: &[&str]) -> Result<Used> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["attack", "--library", "library"])
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

fn best(folder: &Path, arguments: &[&str]) -> Result<Used> {
    let mut best = run(folder, arguments)?;
    for _ in 1..RUNS {
        let next = run(folder, arguments)?;
        if next.wall < best.wall {
            best = next;
        }
    }
    Ok(best)
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
    for _ in 0..3 {
        let began = Instant::now();
        let value: serde_json::Value = serde_json::from_str(text)?;
        ensure!(value.is_object(), "expected a bundle");
        best = best.min(began.elapsed());
    }
    Ok(best)
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    let first = bundle(&Shape { thinned: 1, release: 1 });
    let objects = first.matches("\"modified\": ").count();
    let parse = parsing(&first)?;
    fs::write(at.join("one.json"), &first)?;
    fs::write(at.join("two.json"), bundle(&Shape { thinned: 1, release: 2 }))?;
    println!(
        "{objects} objects, {} bytes; the JSON crate parses them in {:.0} ms.\n",
        first.len(),
        parse.as_secs_f64() * 1e3
    );
    drop(first);
    println!("| command | ms | processor, ms | MB | times the parsing | aim |");
    println!("|---|---|---|---|---|---|");
    line("import", run(at, &["import", "one.json", "--release", "1.0"])?, parse, "5000 ms, 500 MB");
    let one = fs::metadata(at.join("library/attack.redb"))?.len();
    line("import of a second release", run(at, &["import", "two.json", "--release", "2.0"])?, parse, "5000 ms, 500 MB");
    let two = fs::metadata(at.join("library/attack.redb"))?.len();
    let hub = stix_id("attack-pattern", 0);
    for (name, arguments) in [
        ("show", vec!["show", "AN0100"]),
        ("show of the busiest object", vec!["show", &hub]),
        ("list", vec!["list", "--type", "analytic", "--platform", "macOS"]),
        ("search", vec!["search", "keychain", "beacon", "tunnel"]),
        ("graph", vec!["graph", "AN0100", "--depth", "2"]),
        ("history", vec!["history", "AN0101"]),
    ] {
        line(name, best(at, &arguments)?, parse, "50 ms");
    }
    line("diff", best(at, &["diff", "1.0", "2.0"])?, parse, "1000 ms");
    line("site", run(at, &["site", "site"])?, parse, "30000 ms");
    println!("\nThe database holds {one} bytes after one release and {two} after both.");
    Ok(())
}
