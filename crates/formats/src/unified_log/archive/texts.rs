//! Puts the texts of chosen records together, with the `macos-unifiedlogs` library.

use super::{
    catalog::Catalog,
    chunks::{CATALOG, CHUNK_SET, OVERSIZE, u32_at, u64_at},
    points::CHUNK_HEADER,
    strings::{NoFiles, Strings},
};
use macos_unifiedlogs::unified_log::{LogData, UnifiedLogData};
use monologue_model::containment::contain;
use std::collections::HashMap;

/// Arguments of one record that stand in a chunk of their own: first and second number of the process, own number.
pub(super) type OversizeKey = (u64, u32, u32);

/// The key of a chunk of arguments, preamble included. `None` if it is none.
pub(super) fn oversize_key(chunk: &[u8]) -> Option<OversizeKey> {
    (u32_at(chunk, 0)? == OVERSIZE).then_some(())?;
    Some((u64_at(chunk, 16)?, u32_at(chunk, 24)?, u32_at(chunk, 40)?))
}

/// Beginnings of what the library writes in place of a text it could not put together.
const FAILURES: [&str; 4] = ["Failed to get ", "Unknown shared string message", "Error: Invalid ", "<compose failure"];

/// What it writes in place of an argument it could not find.
const MISSING: &str = "<Missing message data>";

/// A record to put together: a chunk that holds it alone, and the chunk of its arguments where it has one.
pub(super) type Lone<'a> = (&'a [u8], Option<&'a [u8]>);

/// The texts of records, in their order. `None` where none could be put together.
pub(super) fn compose(
    header: &UnifiedLogData,
    catalog: &mut Catalog,
    strings: &Strings,
    records: &[Lone<'_>],
) -> Vec<Option<String>> {
    if let Some(texts) = attempt(header, catalog, strings, records) {
        return texts;
    }
    // One record made the library give up; the others shall not suffer for it.
    let mut texts = Vec::with_capacity(records.len());
    for record in records {
        let alone = std::slice::from_ref(record);
        texts.push(attempt(header, catalog, strings, alone).and_then(|mut texts| texts.pop()?));
    }
    texts
}

/// `None` when the library gave up.
fn attempt(
    header: &UnifiedLogData,
    catalog: &mut Catalog,
    strings: &Strings,
    records: &[Lone<'_>],
) -> Option<Vec<Option<String>>> {
    let mut texts = vec![None; records.len()];
    let file = small_file(records);
    let parsed = contain(|| LogData::parse_unified_log(&file, "").ok().map(|(_, parsed)| parsed))?;
    let Some(mut parsed) = parsed else { return Some(texts) };
    let Some(chunks) = parsed.catalog_data.pop() else { return Some(texts) };
    let points = chunks.firehose.iter().flat_map(|chunk| &chunk.public_data);
    let numbers: Vec<u64> = points.map(|point| point.thread_id).collect();
    let mut known = std::mem::take(&mut catalog.data);
    known.firehose = chunks.firehose;
    parsed.oversize.extend(chunks.oversize);
    let mut data = UnifiedLogData {
        header: header.header.clone(),
        catalog_data: vec![known],
        oversize: parsed.oversize,
        evidence: String::new(),
    };
    let built = contain(|| LogData::build_log(&data, &NoFiles, strings, &HashMap::new(), false).0);
    if let Some(mut known) = data.catalog_data.pop() {
        known.firehose.clear();
        catalog.data = known;
    }
    for (number, record) in numbers.into_iter().zip(built?) {
        let message = record.message;
        let failed = message.is_empty()
            || message.contains(MISSING)
            || FAILURES.iter().any(|beginning| message.starts_with(beginning));
        if let Some(text) = usize::try_from(number).ok().and_then(|number| texts.get_mut(number)) {
            *text = (!failed).then_some(message);
        }
    }
    Some(texts)
}

/// A file that holds an empty catalog and one stored chunk set with these records. Each bears its number in place of its
/// thread, since the library leaves out what it cannot read.
fn small_file(records: &[Lone<'_>]) -> Vec<u8> {
    let mut set = Vec::new();
    for (number, (chunk, oversize)) in records.iter().enumerate() {
        let mut chunk = chunk.to_vec();
        if let Some(thread) = chunk.get_mut(CHUNK_HEADER + 8..CHUNK_HEADER + 16) {
            thread.copy_from_slice(&(number as u64).to_le_bytes());
        }
        for part in [Some(chunk.as_slice()), *oversize].into_iter().flatten() {
            set.extend_from_slice(part);
            set.resize(set.len().next_multiple_of(8), 0);
        }
    }
    let mut file = Vec::with_capacity(set.len() + 80);
    begin(&mut file, CATALOG, 24);
    file.extend([0; 24]);
    begin(&mut file, CHUNK_SET, set.len() + 12);
    file.extend(b"bv4-");
    file.extend(u32::try_from(set.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(set);
    file.extend(b"bv4$");
    file.resize(file.len().next_multiple_of(8), 0);
    file
}

fn begin(file: &mut Vec<u8>, tag: u32, length: usize) {
    file.extend(tag.to_le_bytes());
    file.extend(0x11_u32.to_le_bytes());
    file.extend((length as u64).to_le_bytes());
}
