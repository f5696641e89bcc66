//! One golden test for every format: it has samples with an origin, they are detected as its own, and their events are
//! as reviewed.
#![cfg(test)]

use monologue_formats::{Bundle, FORMATS, Format, Input, Item, Records};
use std::path::{Path, PathBuf};

const LIMIT: u64 = 64 * 1024;

fn samples(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name} has no folder {folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_format_has_samples_with_an_origin() {
    for format in FORMATS {
        let files = samples(format.name());
        let origin = files.iter().find(|file| file.file_name().is_some_and(|name| name == "ORIGIN"));
        let text =
            std::fs::read_to_string(origin.unwrap_or_else(|| panic!("{} has no ORIGIN", format.name()))).unwrap();
        assert!(text.len() > 20, "{}: an origin says synthetic, or from which layout", format.name());
        assert!(files.len() > 1, "{} has no sample", format.name());
        for file in files {
            assert!(file.metadata().unwrap().len() <= LIMIT, "{file:?} is larger than 64 kB");
        }
    }
}

fn read<'a>(file: &str, bytes: &'a [u8]) -> (&'static dyn Format, Records<'a>) {
    let (found, input) = Input::from_bytes(file, bytes).with_head(monologue_formats::detect).unwrap();
    let found = found.unwrap_or_else(|refusals| panic!("{file} is refused: {refusals:?}"));
    (found, found.read(input))
}

/// A folder that is one input; its source is told without the folders of this machine.
fn read_folder(path: &Path, file: &str) -> (&'static dyn Format, Records<'static>) {
    let mut bundle = Bundle::open(path).unwrap().unwrap();
    bundle.source = file.into();
    let found = monologue_formats::detect_bundle(&bundle);
    let found = found.unwrap_or_else(|refusals| panic!("{file} is refused: {refusals:?}"));
    (found, found.read_bundle(bundle))
}

#[test]
fn samples_are_read_as_reviewed() {
    for format in FORMATS {
        for path in samples(format.name()).iter().filter(|path| !path.ends_with("ORIGIN")) {
            let file = path.file_name().unwrap().to_str().unwrap();
            let bytes = if path.is_dir() { Vec::new() } else { std::fs::read(path).unwrap() };
            let (found, records) = if path.is_dir() { read_folder(path, file) } else { read(file, &bytes) };
            assert_eq!(found.name(), format.name(), "{file}");
            let mut shown = String::new();
            for item in records {
                let line = match item {
                    Ok(Item::Event(event)) => format!("event {}", serde_json::to_string(&event).unwrap()),
                    Ok(Item::Derived(event)) => format!("derived {}", serde_json::to_string(&event.detail).unwrap()),
                    Ok(Item::Skipped(why)) => format!("skipped: {why}"),
                    Err(malformed) => format!("malformed {malformed}"),
                };
                shown.push_str(&line);
                shown.push('\n');
            }
            insta::assert_snapshot!(format!("{}__{file}", format.name()), shown);
        }
    }
}
