//! Feeds mutated samples to every format for a time: `formats SECONDS [SEED]`; `formats SECONDS SEED NAME…` takes only the
//! samples and formats whose names begin so, such as `zeek` or `unified-log`; `formats replay FILE…` runs inputs again.

use monologue_formats::{FORMATS, Input};
use monologue_fuzz::{Mutator, SIZE_CAP, one_input_of};
use std::{
    fs,
    io::{self, Read},
    panic,
    path::{Path, PathBuf},
    process::{self, ExitCode},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// Longest time one input may take. Far more than any needs: reaching it means that reading does not end.
const LONGEST: Duration = Duration::from_secs(20);

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/formats/samples");
const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/failures");

/// The input that is being read, and since when.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["replay", files @ ..] if !files.is_empty() => replay(files),
        [seconds] => numbers(seconds, "1").and_then(|(seconds, seed)| fuzz(seconds, seed, &[])),
        [seconds, seed, names @ ..] => numbers(seconds, seed).and_then(|(seconds, seed)| fuzz(seconds, seed, names)),
        _ => Err("expected `formats SECONDS [SEED [NAME…]]` or `formats replay FILE…`".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn numbers(seconds: &str, seed: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| text.parse().map_err(|_| format!("expected a whole number, found {text:?}"));
    Ok((number(seconds)?, number(seed)?))
}

fn fuzz(seconds: u64, seed: u64, names: &[&str]) -> Result<(), String> {
    let among = |name: &str| names.is_empty() || names.iter().any(|wanted| name.starts_with(wanted));
    let mut samples = Vec::new();
    collect(Path::new(SAMPLES), &among, &mut samples).map_err(|error| format!("cannot read the samples: {error}"))?;
    let formats = FORMATS.iter().filter(|format| among(format.name())).count();
    if formats == 0 || samples.is_empty() {
        return Err(format!("expected names that formats begin with, found {}", names.join(" ")));
    }
    println!("fuzz: {formats} formats, {} samples, {seconds} s, seed {seed}", samples.len());
    let mut mutator = Mutator::new(samples, seed);
    let current = watch();
    let began = Instant::now();
    let mut executions = 0;
    while began.elapsed().as_secs() < seconds {
        let input = mutator.input(executions);
        *current.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), input.clone()));
        run(&input, &among)?;
        executions += 1;
    }
    println!("fuzz: {executions} executions in {:.1} s, no failure", began.elapsed().as_secs_f64());
    Ok(())
}

fn replay(files: &[&str]) -> Result<(), String> {
    for file in files {
        let input = fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?;
        run(&input, &|_| true)?;
        println!("{file}: no failure");
    }
    Ok(())
}

fn run(input: &[u8], among: &dyn Fn(&str) -> bool) -> Result<(), String> {
    panic::catch_unwind(panic::AssertUnwindSafe(|| one_input_of(input, among)))
        .map_err(|_| format!("a promise was broken; {}", save(input)))
}

/// Ends the program when one input takes too long.
fn watch() -> Current {
    let current = Current::default();
    let watched = Arc::clone(&current);
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_secs(1));
            let current = watched.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, input)) = current.as_ref()
                && since.elapsed() > LONGEST
            {
                eprintln!("error: reading did not end within {} s; {}", LONGEST.as_secs(), save(input));
                process::exit(1);
            }
        }
    });
    current
}

/// Keeps a failing input, and says where and how to run it again.
fn save(input: &[u8]) -> String {
    let name = monologue_model::Sha256::of(input).to_string();
    let path = PathBuf::from(FAILURES).join(name.get(..16).unwrap_or(&name));
    let kept = fs::create_dir_all(FAILURES).and_then(|()| fs::write(&path, input));
    match kept {
        Ok(()) => {
            let path = path.display();
            format!("run it again with `cargo run --release --manifest-path fuzz/Cargo.toml -- replay {path}`")
        }
        Err(error) => format!("the input could not be kept: {error}"),
    }
}

/// The samples below a folder, decompressed and in the order of their names; none where there is no folder. `among` picks
/// those whose file or folder stands in the folder itself.
fn collect(folder: &Path, among: &dyn Fn(&str) -> bool, samples: &mut Vec<Vec<u8>>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    let wanted = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(among);
    for path in paths.into_iter().filter(wanted) {
        if path.is_dir() {
            collect(&path, &|_| true, samples)?;
        } else if let Ok(input) = Input::open(&path) {
            // A sample may be cut or empty on purpose: what can be read of it is kept.
            let mut bytes = Vec::new();
            let _ = input.reader.take(SIZE_CAP as u64).read_to_end(&mut bytes);
            samples.push(bytes);
        }
    }
    Ok(())
}
