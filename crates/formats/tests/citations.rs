//! Every citation leads back to its bytes: of each sample, each event's place and hash.
#![cfg(test)]

use monologue_formats::{Bundle, Cited, Input, Item, detect, detect_bundle, is_bundle_folder};
use monologue_model::{Provenance, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The inputs below a folder: files, and folders that are one input.
fn inputs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !is_bundle_folder(&path) {
            inputs(&path, found);
        } else if path.file_name().is_none_or(|name| name != "ORIGIN") {
            found.push(path);
        }
    }
}

fn citations(path: &Path) -> Vec<Provenance> {
    let items = if let Some(bundle) = Bundle::open(path).unwrap() {
        detect_bundle(&bundle).unwrap_or_else(|refusals| panic!("{path:?}: {refusals:?}")).read_bundle(bundle)
    } else {
        let (format, input) = Input::open(path).unwrap().with_head(|head| detect(head)).unwrap();
        format.unwrap_or_else(|refusals| panic!("{path:?}: {refusals:?}")).read(input)
    };
    items
        .filter_map(|item| match item {
            Ok(Item::Event(event)) => Some(event.provenance),
            _ => None,
        })
        .collect()
}

#[test]
fn every_event_of_every_sample_is_found_where_it_says() {
    let mut paths = Vec::new();
    inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"), &mut paths);
    let mut checked = 0;
    for path in paths {
        let mut streams: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for cite in citations(&path) {
            let stream = streams.entry(cite.source.to_string()).or_insert_with(|| {
                let mut bytes = Vec::new();
                let mut cited =
                    Cited::open(Path::new(&*cite.source)).unwrap_or_else(|error| panic!("{}: {error}", cite.source));
                cited.reader.read_to_end(&mut bytes).unwrap();
                bytes
            });
            let start = usize::try_from(cite.offset).unwrap();
            let end = start + usize::try_from(cite.length).unwrap();
            let bytes = stream.get(start..end).unwrap_or_else(|| panic!("{cite:?} lies past the end"));
            assert_eq!(Sha256::of(bytes), cite.sha256, "{cite:?}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}
