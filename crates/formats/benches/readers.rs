//! How fast is each hand-written reader, beside the ceiling of what it parses with?
//!
//! `cargo bench -p monologue-formats --bench readers [-- NAME…]` prints a Markdown table. Input is a simulated fleet where
//! the simulator writes that format, else the samples over and over; all of it stands in memory. The ceiling of JSON is
//! `serde_json` making a value of each record and dropping it; beside it stands the same crate passing over each record
//! without a value, which checks no more than its grammar. The ceiling of text is `memchr` looking for the ends of lines
//! and fields. A reader does more than either: it hashes each record, for its citation, and makes an event of it.
//! Mapped formats are read by one engine, measured by three of them; archives of the unified log have a bench of their
//! own.

use monologue_formats::{FORMATS, Format, Input, Item};
use monologue_simulate::{Options, simulate};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    error::Error,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

/// The allocator of the program, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Bytes to which the samples of a format are repeated.
const REPEATED: usize = 8 << 20;

/// Bytes of the simulated fleet that are kept of one format.
const SIMULATED: usize = 32 << 20;

/// Time for which one side runs, at least, and runs of which the fastest counts.
const LEAST: Duration = Duration::from_millis(300);
const RUNS: usize = 5;

/// Mapped formats that stand for their engine: JSON, columns and templates.
const MAPPED: [&str; 3] = ["zscaler-web", "pan-traffic", "haproxy"];

/// What is read: a few inputs.
struct Corpus {
    made: &'static str,
    inputs: Vec<Vec<u8>>,
}

impl Corpus {
    fn bytes(&self) -> usize {
        self.inputs.iter().map(Vec::len).sum()
    }
}

fn main() -> Outcome<()> {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut simulated = simulated();
    println!(
        "| format | input | MB | MB/s | MB/s on two cores | ceiling, MB/s | of the ceiling | passing over, MB/s |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for format in FORMATS.iter().copied() {
        let name = format.name();
        let is_asked = asked.is_empty() || asked.iter().any(|asked| name.contains(asked.as_str()));
        if !is_asked
            || matches!(name, "unified-log-archive" | "zeek-other")
            || (is_mapped(name) && !MAPPED.contains(&name))
        {
            continue;
        }
        let corpus = match simulated.remove(name) {
            Some(corpus) if corpus.bytes() > REPEATED / 8 => corpus,
            _ => repeated(name)?,
        };
        measure(format, &corpus);
    }
    Ok(())
}

fn is_mapped(name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/mapped/mappings/{name}.toml")).exists()
}

/// The files of a simulated fleet, by the format that reads them.
fn simulated() -> BTreeMap<&'static str, Corpus> {
    let mut found: BTreeMap<&'static str, Corpus> = BTreeMap::new();
    for file in simulate(&Options::default()).files {
        let detected = Input::from_bytes(&file.path, &file.bytes).with_head(monologue_formats::detect);
        let Ok(Ok(format)) = detected.map(|(format, _)| format) else { continue };
        let corpus = found.entry(format.name()).or_insert(Corpus { made: "simulated", inputs: Vec::new() });
        if corpus.bytes() < SIMULATED {
            corpus.inputs.push(file.bytes);
        }
    }
    found
}

/// The samples of a format, each repeated within one input where its records stand in lines, else as an input of its own
/// each time.
fn repeated(name: &str) -> Outcome<Corpus> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("ORIGIN") {
            continue;
        }
        let sample = std::fs::read(&path)?;
        let times = REPEATED / sample.len().max(1) + 1;
        let is_lines = !sample.contains(&0) && !matches!(name, "har" | "mitmproxy");
        if is_lines {
            inputs.push(sample.repeat(times));
        } else {
            inputs.extend(std::iter::repeat_n(sample, times.min(4096)));
        }
    }
    Ok(Corpus { made: "samples", inputs })
}

fn measure(format: &dyn Format, corpus: &Corpus) {
    let megabytes = corpus.bytes() as f64 / 1e6;
    let rate = |run: &dyn Fn()| megabytes / fastest(run).as_secs_f64();
    let ours = rate(&|| read(format, corpus));
    let both = 2.0
        * rate(&|| {
            std::thread::scope(|scope| {
                scope.spawn(|| read(format, corpus));
                read(format, corpus);
            });
        });
    // ProcessMonitor's JSON is made by hand, and often none.
    let (ceiling, passing) = if is_json(corpus) && format.name() != "process-monitor" {
        (rate(&|| parse::<Value>(corpus)), format!("{:.0}", rate(&|| parse::<IgnoredAny>(corpus))))
    } else {
        (rate(&|| search(corpus)), String::new())
    };
    println!(
        "| {} | {} | {megabytes:.0} | {ours:.0} | {both:.0} | {ceiling:.0} | {:.0} % | {passing} |",
        format.name(),
        corpus.made,
        100.0 * ours / ceiling,
    );
}

fn fastest(run: &dyn Fn()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let (begun, mut times) = (Instant::now(), 0);
        while begun.elapsed() < LEAST {
            run();
            times += 1;
        }
        best = best.min(begun.elapsed() / times);
    }
    best
}

fn read(format: &dyn Format, corpus: &Corpus) {
    for input in &corpus.inputs {
        let mut events = 0;
        for item in format.read(Input::from_bytes("bench-2026-11-25T10-00-00Z", input)) {
            events += u64::from(matches!(item, Ok(Item::Event(_))));
        }
        black_box(events);
    }
}

/// Whether the first record of all is a JSON object, alone or in an array.
fn is_json(corpus: &Corpus) -> bool {
    corpus.inputs.first().is_some_and(|input| {
        let mut signs = input.iter().filter(|byte| !byte.is_ascii_whitespace());
        matches!((signs.next(), signs.next()), (Some(b'{'), _) | (Some(b'['), Some(b'{')))
    }) && corpus.inputs.iter().all(|input| !input.contains(&0))
}

/// Parses every record: line by line, or one after the other where they span lines. What is no JSON ends a line or an
/// input, as it costs a reader an error.
fn parse<T: for<'a> serde::Deserialize<'a>>(corpus: &Corpus) {
    for input in &corpus.inputs {
        let first = input.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if serde_json::from_slice::<IgnoredAny>(first).is_ok() {
            let mut rest = input.as_slice();
            while let Some(end) = memchr::memchr(b'\n', rest) {
                let (line, after) = rest.split_at(end);
                let _ = black_box(serde_json::from_slice::<T>(line));
                rest = after.get(1..).unwrap_or_default();
            }
        } else {
            for value in serde_json::Deserializer::from_slice(input).into_iter::<T>() {
                let _ = black_box(value);
            }
        }
    }
}

/// Looks for the ends of lines and of fields.
fn search(corpus: &Corpus) {
    for input in &corpus.inputs {
        black_box(memchr::memchr2_iter(b'\n', b'\t', input).count());
    }
}
