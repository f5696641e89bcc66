//! Feeds mutated STIX bundles to their reader for a time: `attack SECONDS [SEED]`; `attack replay FILE…` runs inputs again.

use monologue_fuzz::{ATTACK_SAMPLES, Mutator, one_bundle};
use std::{
    fs, panic,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

/// Longest time one input may take. Far more than any needs.
const LONGEST: Duration = Duration::from_secs(20);

const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/failures");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().map_err(|_| format!("expected a whole number, found {text:?}"));
    let result = match arguments.as_slice() {
        ["replay", files @ ..] if !files.is_empty() => replay(files),
        [seconds] => number(seconds).and_then(|seconds| fuzz(seconds, 1)),
        [seconds, seed] => number(seconds).and_then(|seconds| fuzz(seconds, number(seed)?)),
        _ => Err("expected `attack SECONDS [SEED]` or `attack replay FILE…`".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz(seconds: u64, seed: u64) -> Result<(), String> {
    println!("fuzz: STIX bundles, {} samples, {seconds} s, seed {seed}", ATTACK_SAMPLES.len());
    let samples = ATTACK_SAMPLES.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    let mut mutator = Mutator::new(samples, seed);
    let began = Instant::now();
    let mut executions = 0;
    while began.elapsed().as_secs() < seconds {
        run(&mutator.input(executions))?;
        executions += 1;
    }
    println!("fuzz: {executions} executions in {:.1} s, no failure", began.elapsed().as_secs_f64());
    Ok(())
}

fn replay(files: &[&str]) -> Result<(), String> {
    for file in files {
        run(&fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?)?;
        println!("{file}: no failure");
    }
    Ok(())
}

fn run(input: &[u8]) -> Result<(), String> {
    let began = Instant::now();
    let kept = panic::catch_unwind(|| one_bundle(input)).is_ok();
    if kept && began.elapsed() < LONGEST {
        return Ok(());
    }
    let name = monologue_model::Sha256::of(input).to_string();
    let path = PathBuf::from(FAILURES).join(name.get(..16).unwrap_or(&name));
    let saved = fs::create_dir_all(FAILURES).and_then(|()| fs::write(&path, input));
    let where_kept =
        saved.map_or_else(|error| format!("the input could not be kept: {error}"), |()| path.display().to_string());
    Err(format!("a promise was broken, or reading took too long; input: {where_kept}"))
}
