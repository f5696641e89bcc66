//! How fast is a store of the unified log read, against the library's own way to JSON Lines on the same files?
//!
//! `cargo bench -p monologue-formats --bench archive` prints a Markdown table. Two stores: copies of the real file in
//! `../shared/data`, whose strings are missing, so the library has no text to put together either; and a made one with all
//! its strings, in which one record of sixteen is of a sender that speaks of requests. Both sides read from disk; the
//! library's lines are written to nowhere.

#[path = "../tests/archive/write.rs"]
#[expect(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "shared with the tests, which use all of it and may panic"
)]
mod write;

use macos_unifiedlogs::{
    cache::MemoryStringCache,
    filesystem::LogarchiveProvider,
    iterator::UnifiedLogIterator,
    parser::{build_log, collect_timesync},
    traits::{FileProvider, SourceFile},
    unified_log::UnifiedLogData,
};
use monologue_formats::{Bundle, Item, detect_bundle};
use std::{
    error::Error,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use write::{Argument, Chunk, Format, LANTERN, Store, TICKS};

/// The allocator of the program, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Copies of the real file.
const COPIES: usize = 40;

/// Files of the made store, chunk sets in each, and records in each set.
const MADE: (u64, u64, u64) = (16, 60, 480);

/// Runs of each side, of which the fastest counts.
const RUNS: usize = 3;

fn main() -> Outcome<()> {
    let folder = std::env::temp_dir().join(format!("monologue-bench-archive-{}", std::process::id()));
    println!("| store | bytes of tracev3 | records | library to JSON Lines | monologue | times faster |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (name, archive) in [("real, no strings", real(&folder)?), ("made, all strings", made(&folder)?)] {
        let Some(archive) = archive else { continue };
        compare(name, &archive)?;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A store of copies of the real file, where it is at hand.
fn real(folder: &Path) -> Outcome<Option<PathBuf>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/unified-log/dtformats");
    let Ok(bytes) = std::fs::read(data.join("0000000000000f85.tracev3")) else { return Ok(None) };
    let store: Store = (0..COPIES).map(|copy| (format!("Persist/{copy:016x}.tracev3"), bytes.clone())).collect();
    let archive = folder.join("real.logarchive");
    write::write(&store, &archive);
    Ok(Some(archive))
}

/// A made store with all its strings.
fn made(folder: &Path) -> Outcome<Option<PathBuf>> {
    const APP: (u64, u32) = (301, 9001);
    let (files, sets, records) = MADE;
    let mut store = Store::from([
        ("timesync/0000000000000001.timesync".into(), write::timesync()),
        (write::image_name(LANTERN), write::image("/Applications/Lantern.app/Contents/MacOS/Lantern", &["x"])),
        (format!("dsc/{:032X}", write::CACHE), write::cache()),
    ]);
    for file in 0..files {
        let chunks = (0..sets).map(|set| {
            let base = TICKS + (file * sets + set) * records * 1000;
            let mut chunks = Vec::new();
            for group in 0..records / 16 {
                let mut chunk = Chunk::of(APP, base);
                for place in 0..16 {
                    let ticks = base + (group * 16 + place) * 1000;
                    chunk = if place == 0 {
                        let task = format!("Task <A1B2C3D4-0001-4A5B-8C6D-{ticks:012}>.<7>");
                        let text = [Argument::Text(&task), Argument::Number(200), Argument::Text("K")];
                        chunk.message(ticks, Format::Library(0, 2), &text)
                    } else {
                        chunk.message(ticks, Format::Library(2, 0), &[Argument::Text("/Users/anna/Library/some.db")])
                    };
                }
                chunks.push(chunk);
            }
            chunks
        });
        let chunks: Vec<Vec<Chunk>> = chunks.collect();
        let sets: Vec<&[Chunk]> = chunks.iter().map(Vec::as_slice).collect();
        store.insert(format!("Persist/{file:016x}.tracev3"), write::trace(&[(APP, 612, 501, LANTERN)], &sets));
    }
    let archive = folder.join("made.logarchive");
    write::write(&store, &archive);
    Ok(Some(archive))
}

fn compare(name: &str, archive: &Path) -> Outcome<()> {
    let (library, records) = fastest(|| library(archive))?;
    let (ours, counted) = fastest(|| ours(archive))?;
    if records != counted {
        return Err(format!("{name}: the library counts {records} records, and we {counted}").into());
    }
    let bytes: u64 = std::fs::read_dir(archive.join("Persist"))?
        .map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |metadata| metadata.len()))
        .sum();
    println!(
        "| {name} | {bytes} | {records} | {:.2} s | {:.2} s | {:.1} |",
        library.as_secs_f64(),
        ours.as_secs_f64(),
        library.as_secs_f64() / ours.as_secs_f64()
    );
    Ok(())
}

fn fastest(mut run: impl FnMut() -> Outcome<u64>) -> Outcome<(Duration, u64)> {
    let (mut best, mut counted) = (Duration::MAX, 0);
    for _ in 0..RUNS {
        let begun = Instant::now();
        counted = run()?;
        best = best.min(begun.elapsed());
    }
    Ok((best, counted))
}

/// As the library's example for JSON Lines does it: file after file, catalog after catalog, every record.
fn library(archive: &Path) -> Outcome<u64> {
    let provider = LogarchiveProvider::new(archive);
    let cache = MemoryStringCache::default();
    let timesync = collect_timesync(&provider).unwrap_or_default();
    let mut oversize = UnifiedLogData::default();
    let mut to = BufWriter::new(std::io::sink());
    let mut records = 0;
    for mut source in provider.tracev3_files() {
        let mut data = Vec::new();
        source.reader().read_to_end(&mut data)?;
        let evidence = source.source_path().to_owned();
        for mut chunk in (UnifiedLogIterator { data, header: Vec::new(), evidence }) {
            chunk.oversize.append(&mut oversize.oversize);
            let (built, _) = build_log(&chunk, &provider, &cache, &timesync, false);
            oversize.oversize = chunk.oversize;
            for record in built {
                serde_json::to_writer(&mut to, &record)?;
                to.write_all(b"\n")?;
                records += 1;
            }
        }
    }
    to.flush()?;
    Ok(records)
}

fn ours(archive: &Path) -> Outcome<u64> {
    let bundle = Bundle::open(archive)?.ok_or("expected a bundle")?;
    let format = detect_bundle(&bundle).map_err(|_| "expected a store of the log")?;
    let mut records = 0;
    for item in format.read_bundle(bundle) {
        records += u64::from(!matches!(item?, Item::Derived(_)));
    }
    Ok(records)
}
