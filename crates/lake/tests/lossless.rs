//! The law of the tables: what was encoded comes back, through columns and through files.
#![cfg(test)]

mod arbitrary;

use monologue_formats::{Head, Input, Item};
use monologue_lake::tables::{Interner, OCSF_VERSION, Select, Table, decode, encode, read, write};
use monologue_model::Event;
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};
use proptest::{collection::vec, prelude::ProptestConfig, proptest};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn by_table(events: &[Event]) -> BTreeMap<Table, Vec<&Event>> {
    let mut tables: BTreeMap<Table, Vec<&Event>> = BTreeMap::new();
    events.iter().for_each(|event| tables.entry(Table::of(&event.detail)).or_default().push(event));
    tables
}

fn file(table: Table, events: &[&Event]) -> bytes::Bytes {
    let mut file = Vec::new();
    let batches = events.chunks(5000).map(|events| encode(table, events).unwrap());
    let written = write(table, batches, &mut file).unwrap();
    assert_eq!(written.rows, events.len() as u64);
    assert_eq!(written.first_ns, events.iter().map(|event| event.time.nanoseconds()).min());
    assert_eq!(written.last_ns, events.iter().map(|event| event.time.nanoseconds()).max());
    file.into()
}

fn read_all<R: ChunkReader + 'static>(table: Table, file: R, select: &Select) -> Vec<Event> {
    let mut interner = Interner::new();
    let batches: Vec<Vec<Event>> = read(table, file, select, &mut interner).unwrap().collect::<Result<_, _>>().unwrap();
    batches.concat()
}

/// Through columns and through files; how many events there were.
fn assert_survives(events: &[Event]) -> usize {
    let mut count = 0;
    for (table, events) in by_table(events) {
        let batch = encode(table, &events).unwrap();
        assert_eq!(batch.schema(), table.schema());
        let decoded = decode(table, &batch, &mut Interner::new()).unwrap();
        assert_eq!(decoded.iter().collect::<Vec<_>>(), events, "{table}");
        let read = read_all(table, file(table, &events), &Select::ALL);
        assert_eq!(read.iter().collect::<Vec<_>>(), events, "{table}");
        count += events.len();
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 4000 }))]

    #[test]
    fn every_possible_event_survives(events in vec(arbitrary::event(), 0..24)) {
        assert_eq!(assert_survives(&events), events.len());
    }

    #[test]
    fn a_selection_is_the_events_of_its_time(
        events in vec(arbitrary::event(), 1..24),
        bounds in (arbitrary::signed(), arbitrary::signed()),
    ) {
        let select = Select { from_ns: bounds.0.min(bounds.1), until_ns: bounds.0.max(bounds.1) };
        for (table, events) in by_table(&events) {
            let wanted: Vec<&Event> = events
                .iter()
                .copied()
                .filter(|event| event.time.nanoseconds() >= select.from_ns)
                .filter(|event| event.time.nanoseconds() < select.until_ns || select.until_ns == i64::MAX)
                .collect();
            let read = read_all(table, file(table, &events), &select);
            assert_eq!(read.iter().collect::<Vec<_>>(), wanted);
        }
    }
}

fn files_under(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_under(&path, files) } else { files.push(path) }
    }
    files.sort();
}

/// The events of every file that some format reads, at most `limit` of each.
fn events_under(folder: &Path, limit: usize) -> Vec<Event> {
    let (mut files, mut events) = (Vec::new(), Vec::new());
    files_under(folder, &mut files);
    for path in files {
        let Ok(input) = Input::open(&path) else { continue };
        let Ok((format, input)) = input.with_head(|head: &Head<'_>| monologue_formats::detect(head)) else { continue };
        let Ok(format) = format else { continue };
        let items = format.read(input).filter_map(|item| match item {
            Ok(Item::Event(event) | Item::Derived(event)) => Some(*event),
            Ok(Item::Skipped(_)) | Err(_) => None,
        });
        events.extend(items.take(limit));
    }
    events
}

#[test]
fn samples_of_every_format_survive() {
    let events = events_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/samples"), usize::MAX);
    let tables: BTreeSet<Table> = events.iter().map(|event| Table::of(&event.detail)).collect();
    assert_eq!(tables.len(), Table::ALL.len(), "the samples fill {tables:?} only");
    assert_eq!(assert_survives(&events), events.len());
}

#[test]
fn small_files_are_compressed_by_snappy_and_large_ones_by_zstandard() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/samples");
    let events = events_under(&folder, 1);
    let event = events.first().unwrap();
    for (rows, expected) in [(1, "SNAPPY"), (4095, "SNAPPY"), (4096, "ZSTD"), (12_000, "ZSTD")] {
        let table = Table::of(&event.detail);
        let reader = SerializedFileReader::new(file(table, &vec![event; rows])).unwrap();
        let groups = reader.metadata().row_groups();
        let columns = groups.iter().flat_map(|group| group.columns());
        let found: BTreeSet<String> = columns.map(|column| format!("{:?}", column.compression())).collect();
        assert!(!found.is_empty() && found.iter().all(|name| name.starts_with(expected)), "{rows} rows: {found:?}");
    }
}

fn shared_data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = folder.is_dir();
    if !found {
        eprintln!("skipped: ../shared/data is not there");
    }
    found.then_some(folder)
}

#[test]
fn real_data_survives() {
    let Some(folder) = shared_data() else { return };
    let events = events_under(&folder, 20_000);
    assert!(events.len() > 10_000, "{}", events.len());
    assert_eq!(assert_survives(&events), events.len());
}

/// Attributes that OCSF requires of a class, of the profiles we do not apply left out.
fn required(text: &str, class: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("## {class} ")));
    let line = lines.find_map(|line| line.trim().strip_prefix("REQUIRED: [")).unwrap();
    let names = line.trim_end_matches(']').split(", ").map(|name| name.trim_matches('\'').to_owned());
    names.filter(|name| !name.contains('@')).collect()
}

#[test]
fn tables_have_what_ocsf_requires() {
    let Some(folder) = shared_data() else { return };
    let text = fs::read_to_string(folder.join(format!("attack/ocsf-{OCSF_VERSION}-required.txt"))).unwrap();
    for table in Table::ALL.into_iter().filter(|table| *table != Table::Coverage) {
        let required = required(&text, table.name());
        assert!(required.len() >= 7, "{table}: {required:?}");
        for name in required {
            let schema = table.schema();
            let column = schema.field_with_name(&name);
            assert!(column.is_ok_and(|column| !column.is_nullable()), "{table} lacks {name}");
        }
    }
}
