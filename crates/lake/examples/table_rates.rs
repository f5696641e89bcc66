//! How many events a second the tables take and give, on one thread: `table_rates FOLDER` of telemetry.
//!
//! Events are repeated to 400,000 for each table, with rising times; hashes and offsets differ as real ones do.

use monologue_formats::{Head, Input, Item};
use monologue_lake::tables::{Interner, Select, Table, decode, encode, read, write};
use monologue_model::{Event, Sha256, Timestamp};
use std::{collections::BTreeMap, env, error::Error, fs, path::Path, path::PathBuf, time::Instant};

/// Events measured for each table.
const EVENTS: usize = 400_000;

/// Events encoded at once.
const BATCH: usize = 8192;

fn files_under(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files_under(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn events_of(path: &Path) -> Option<Vec<Event>> {
    let (format, input) = Input::open(path).ok()?.with_head(|head: &Head<'_>| monologue_formats::detect(head)).ok()?;
    let items = format.ok()?.read(input).filter_map(|item| match item {
        Ok(Item::Event(event) | Item::Derived(event)) => Some(*event),
        _ => None,
    });
    Some(items.take(EVENTS).collect())
}

/// The events over and over, each a millisecond later and with its own place.
fn repeated(events: &[Event]) -> Vec<Event> {
    let mut repeated: Vec<Event> = events.iter().cycle().take(EVENTS).cloned().collect();
    for (number, event) in (0_u32..).zip(&mut repeated) {
        event.time = Timestamp::from_nanoseconds(1_700_000_000_000_000_000 + i64::from(number) * 1_000_003);
        event.provenance.offset = u64::from(number) * 517;
        event.provenance.sha256 = Sha256::of(&number.to_le_bytes());
    }
    repeated
}

/// Time taken by this thread: on the processor where the system tells that (Linux), else on the wall.
struct Stopwatch {
    wall: Instant,
    processor_ns: Option<u64>,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: Instant::now(), processor_ns: processor_ns() }
    }

    /// Thousand events a second.
    fn rate(&self, count: usize) -> f64 {
        let seconds = match (self.processor_ns, processor_ns()) {
            (Some(before), Some(now)) => (now - before) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        };
        count as f64 / seconds / 1000.0
    }
}

fn processor_ns() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn measure(name: &str, table: Table, events: &[Event]) -> Result<(), Box<dyn Error>> {
    let events = repeated(events);
    let borrowed: Vec<&Event> = events.iter().collect();
    let watch = Stopwatch::start();
    let batches = borrowed.chunks(BATCH).map(|events| encode(table, events)).collect::<Result<Vec<_>, _>>()?;
    let encoded = watch.rate(events.len());
    let mut file = Vec::new();
    let watch = Stopwatch::start();
    write(table, batches.iter().cloned(), &mut file)?;
    let written = watch.rate(events.len());
    let bytes = file.len() as f64 / events.len() as f64;
    let mut interner = Interner::new();
    let watch = Stopwatch::start();
    for batch in &batches {
        decode(table, batch, &mut interner)?;
    }
    let decoded = watch.rate(events.len());
    let watch = Stopwatch::start();
    let mut count = 0;
    for batch in read(table, bytes::Bytes::from(file), &Select::ALL, &mut interner)? {
        count += batch?.len();
    }
    let read = watch.rate(count);
    let both = 1.0 / (1.0 / encoded + 1.0 / written);
    println!(
        "{name:<24} {table:<24} encode {encoded:>6.0} write {written:>6.0} both {both:>6.0} | decode {decoded:>6.0} \
         read+decode {read:>6.0} thousand events/s | {bytes:>6.1} bytes/event"
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).ok_or("expected a folder of telemetry")?;
    let (mut files, mut tables) = (Vec::new(), BTreeMap::<(String, Table), Vec<Event>>::new());
    files_under(Path::new(&folder), &mut files)?;
    for event in files.iter().filter_map(|path| events_of(path)).flatten() {
        let key = (event.format.to_string(), Table::of(&event.detail));
        let events = tables.entry(key).or_default();
        if events.len() < EVENTS {
            events.push(event);
        }
    }
    for ((format, table), events) in tables.iter().filter(|(_, events)| events.len() >= 100) {
        measure(&format!("{format} ({})", events.len()), *table, events)?;
    }
    Ok(())
}
