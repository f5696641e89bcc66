//! Looking citations up: the bytes at a place of a source, their line, and whether their hash is the one cited.

use monologue_formats::Cited;
use monologue_model::{Provenance, Sha256, redact};
use monologue_report::explain::{Raw, RawState};
use std::{
    collections::BTreeMap,
    io::{BufRead, Read},
    path::{Path, PathBuf},
    sync::Arc,
};
use walkdir::WalkDir;

/// Bytes of one record at most.
const RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// Characters of a record that are shown.
const SHOWN: usize = 1200;

/// Bytes that are shown of a record that is no text.
const BINARY_SHOWN: usize = 64;

/// Files looked at in the folders of --evidence.
const FILES: usize = 1_000_000;

/// Looks each citation up, in the file it names or in one of the same name among the evidence.
pub(super) fn look_up(citations: &[Provenance], evidence: &[PathBuf]) -> Vec<Raw> {
    let mut by_source: BTreeMap<&Arc<str>, Vec<&Provenance>> = BTreeMap::new();
    for citation in citations {
        by_source.entry(&citation.source).or_default().push(citation);
    }
    let files = if evidence.is_empty() { Vec::new() } else { files_in(evidence) };
    let mut found: BTreeMap<&Provenance, Raw> = BTreeMap::new();
    for (source, mut wanted) in by_source {
        wanted.sort_by_key(|citation| citation.offset);
        let mut tried = Vec::new();
        for path in candidates(source, &files, !evidence.is_empty()) {
            let left: Vec<&Provenance> =
                wanted.iter().copied().filter(|one| !found.get(*one).is_some_and(is_verified)).collect();
            if left.is_empty() {
                break;
            }
            let named = (path.as_os_str() != &**source).then(|| path.display().to_string());
            match read(&path, &left) {
                Ok(read) => {
                    for (citation, raw) in left.into_iter().zip(read) {
                        let raw = Raw { found_in: named.clone(), ..raw };
                        if is_verified(&raw) || !found.contains_key(citation) {
                            found.insert(citation, raw);
                        }
                    }
                }
                Err(error) => tried.push(format!("{}: {error}", path.display())),
            }
        }
        for citation in wanted {
            found.entry(citation).or_insert_with(|| missing(citation, &tried));
        }
    }
    citations.iter().filter_map(|citation| found.remove(citation)).collect()
}

fn is_verified(raw: &Raw) -> bool {
    raw.state == RawState::Verified
}

fn missing(citation: &Provenance, tried: &[String]) -> Raw {
    let why = match tried.first() {
        Some(first) => first.clone(),
        None => "no file of that name among the evidence; --evidence names files or folders to look in".to_owned(),
    };
    raw(citation, None, RawState::Missing(why), String::new())
}

fn raw(citation: &Provenance, line: Option<u64>, state: RawState, text: String) -> Raw {
    let (source, offset, length) = (citation.source.clone(), citation.offset, citation.length);
    Raw { source, offset, length, line, found_in: None, state, text }
}

fn files_in(evidence: &[PathBuf]) -> Vec<PathBuf> {
    let walk = |path: &PathBuf| WalkDir::new(path).sort_by_file_name().into_iter().flatten();
    let files = evidence.iter().flat_map(walk).filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).take(FILES).collect()
}

/// Files that may be the source: of the evidence those whose path ends most alike first, and the name itself.
fn candidates(source: &str, files: &[PathBuf], has_evidence: bool) -> Vec<PathBuf> {
    let own = Path::new(source);
    let alike = |file: &Path| {
        let (mut one, mut other) = (file.components().rev(), own.components().rev());
        std::iter::from_fn(|| Some(one.next()? == other.next()?)).take_while(|same| *same).count()
    };
    let mut ranked: Vec<(usize, &PathBuf)> =
        files.iter().map(|file| (alike(file), file)).filter(|(alike, _)| *alike > 0).collect();
    ranked.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    let mut paths: Vec<PathBuf> = ranked.into_iter().take(8).map(|(_, file)| file.clone()).collect();
    if !has_evidence || own.is_file() {
        paths.push(own.to_owned());
    }
    paths
}

/// Reads some places of one file, in order of their offsets, in one pass.
fn read(path: &Path, citations: &[&Provenance]) -> Result<Vec<Raw>, String> {
    let Cited { mut reader, is_text } = Cited::open(path).map_err(|error| error.to_string())?;
    let mut lines = 1_u64;
    let (mut at, mut raws) = (0_u64, Vec::new());
    // The record before, which the next may overlap: several facts may stand in one.
    let mut last: Option<(u64, Vec<u8>)> = None;
    for citation in citations {
        let length = citation.length.min(RECORD_BYTES);
        let overlap = last.as_ref().filter(|(start, bytes)| {
            *start <= citation.offset
                && citation.offset.saturating_add(length) <= start.saturating_add(bytes.len() as u64)
        });
        let (line, bytes) = if let Some((start, bytes)) = overlap {
            let from = usize::try_from(citation.offset - start).unwrap_or(usize::MAX);
            let until = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            let before = bytes.get(..from).unwrap_or_default();
            let first_line = lines.saturating_sub(newlines(bytes));
            (first_line + newlines(before), bytes.get(from..until).unwrap_or_default().to_vec())
        } else if citation.offset < at {
            // It begins within the record before and ends after it: nothing we wrote cites so.
            raws.push(raw(citation, None, RawState::Missing("it overlaps another citation".to_owned()), String::new()));
            continue;
        } else {
            lines += skip(&mut reader, citation.offset - at).map_err(|error| error.to_string())?;
            let mut bytes = Vec::new();
            reader.by_ref().take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            at = citation.offset.saturating_add(bytes.len() as u64);
            let line = lines;
            lines += newlines(&bytes);
            (line, bytes)
        };
        let state = if bytes.len() as u64 == citation.length && Sha256::of(&bytes) == citation.sha256 {
            RawState::Verified
        } else if (bytes.len() as u64) < citation.length {
            RawState::Missing("the file ends before it".to_owned())
        } else {
            RawState::Changed
        };
        raws.push(raw(citation, is_text.then_some(line), state, shown(&bytes)));
        if overlap.is_none() {
            last = Some((citation.offset, bytes));
        }
    }
    Ok(raws)
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Passes over bytes and counts the lines that end in them. An end before that is no error here: the record is missing then.
fn skip(reader: &mut dyn BufRead, mut count: u64) -> std::io::Result<u64> {
    let mut lines = 0;
    while count > 0 {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let taken = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
        lines += newlines(buffer.get(..taken).unwrap_or_default());
        reader.consume(taken);
        count -= taken as u64;
    }
    Ok(lines)
}

/// The beginning of a record for people: secrets redacted before it is cut, so that no half of one is left.
fn shown(bytes: &[u8]) -> String {
    if bytes.contains(&0) {
        let digits: Vec<String> = bytes.iter().take(BINARY_SHOWN).map(|byte| format!("{byte:02x}")).collect();
        let rest = if bytes.len() > BINARY_SHOWN { " …" } else { "" };
        return format!("{}{rest}", digits.join(" "));
    }
    let text = String::from_utf8_lossy(bytes);
    let redacted = redact(&text);
    let mut short: String = redacted.chars().take(SHOWN).collect();
    if redacted.chars().nth(SHOWN).is_some() {
        short.push_str(" …");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cite(source: &str, bytes: &[u8], offset: u64, length: usize) -> Provenance {
        let start = usize::try_from(offset).unwrap();
        let sha256 = Sha256::of(&bytes[start..start + length]);
        Provenance { source: source.into(), offset, length: length as u64, sha256 }
    }

    #[test]
    fn places_are_found_with_their_line_and_checked_by_their_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hosts/anna/conn.log");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = b"one\ntwo --password hunter2\nthree\n";
        std::fs::write(&path, bytes).unwrap();
        let named = path.display().to_string();
        let cites = [cite(&named, bytes, 0, 3), cite(&named, bytes, 4, 22), cite(&named, bytes, 27, 5)];
        let raws = look_up(&cites, &[]);
        let told: Vec<(Option<u64>, &RawState)> = raws.iter().map(|raw| (raw.line, &raw.state)).collect();
        assert_eq!(
            told,
            [(Some(1), &RawState::Verified), (Some(2), &RawState::Verified), (Some(3), &RawState::Verified)]
        );
        assert_eq!(raws[1].text, "two --password ***", "shown without its secret");
        // The same records, cited by a name they had elsewhere.
        let moved: Vec<Provenance> =
            cites.iter().map(|cite| Provenance { source: "/old/place/anna/conn.log".into(), ..cite.clone() }).collect();
        let raws = look_up(&moved, &[folder.path().to_owned()]);
        assert!(raws.iter().all(is_verified));
        assert_eq!(raws[0].found_in.as_deref(), Some(&*named));
        assert!(matches!(look_up(&moved, &[])[0].state, RawState::Missing(_)));
    }

    #[test]
    fn changed_and_cut_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let bytes = b"one\ntwo\nthree\n";
        std::fs::write(&path, b"one\ntwX\nth").unwrap();
        let named = path.display().to_string();
        let raws = look_up(&[cite(&named, bytes, 0, 3), cite(&named, bytes, 4, 3), cite(&named, bytes, 8, 5)], &[]);
        assert_eq!(raws[0].state, RawState::Verified);
        assert_eq!(raws[1].state, RawState::Changed);
        assert_eq!(raws[2].state, RawState::Missing("the file ends before it".to_owned()));
    }
}
