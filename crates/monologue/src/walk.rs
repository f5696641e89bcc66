//! Walking files and folders: each input once, in order, whatever links lead to it.

use crate::talk::note;
use anyhow::{Context, Result, bail};
use monologue_model::SourceSummary;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};
use walkdir::{DirEntry, WalkDir};

/// What was found.
#[derive(Debug)]
pub(crate) struct Walked {
    /// Files to read, and folders that are one input, each once.
    pub(crate) files: Vec<PathBuf>,
    /// What could not be entered, as a refused source: telemetry may be missing there.
    pub(crate) barred: Vec<SourceSummary>,
}

/// Files met before, without the links that led to them.
struct Seen {
    /// Given for another purpose: known to the user, so left out without a word.
    not_telemetry: HashSet<PathBuf>,
    files: HashSet<PathBuf>,
}

/// What was passed over, for one note each.
#[derive(Default)]
struct PassedOver {
    hidden: u64,
    special: u64,
    again: u64,
}

/// All files under the paths, but those that were given for another purpose.
///
/// # Errors
/// When a path does not exist, or nothing was found under any.
pub(crate) fn walk(paths: &[PathBuf], not_telemetry: &[PathBuf]) -> Result<Walked> {
    let mut seen = Seen {
        not_telemetry: not_telemetry.iter().filter_map(|path| path.canonicalize().ok()).collect(),
        files: HashSet::new(),
    };
    let mut walked = Walked { files: Vec::new(), barred: Vec::new() };
    let mut passed_over = PassedOver::default();
    for path in paths {
        std::fs::metadata(path)
            .with_context(|| format!("cannot read {}; hint: check the path and its permissions", path.display()))?;
        walk_one(path, &mut seen, &mut walked, &mut passed_over);
    }
    for (count, what) in [
        (passed_over.hidden, "hidden files and folders"),
        (passed_over.special, "entries that are neither files nor folders"),
        (passed_over.again, "files met a second time"),
    ] {
        if count > 0 {
            note(&format!("{count} {what} were left out"));
        }
    }
    if walked.files.is_empty() && walked.barred.is_empty() {
        bail!("found no files; hint: name a file, or a folder that holds some");
    }
    Ok(walked)
}

fn walk_one(path: &Path, seen: &mut Seen, walked: &mut Walked, passed_over: &mut PassedOver) {
    let is_hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter().filter_entry(|entry| {
        let hidden = is_hidden(entry);
        passed_over.hidden += u64::from(hidden);
        !hidden
    });
    // Files within a folder that is one input are read with it.
    let mut bundle: Option<PathBuf> = None;
    for entry in entries {
        if let (Ok(entry), Some(bundle)) = (&entry, &bundle)
            && entry.path().starts_with(bundle)
        {
            continue;
        }
        match entry {
            Ok(entry) if entry.file_type().is_dir() && monologue_formats::is_bundle_folder(entry.path()) => {
                let path = entry.into_path();
                bundle = Some(path.clone());
                let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
                if seen.files.insert(whole) {
                    walked.files.push(path);
                } else {
                    passed_over.again += 1;
                }
            }
            Ok(entry) if entry.file_type().is_dir() => {}
            // A pipe named by the user, as `<(…)` makes one, is meant; one met on the way may never end.
            Ok(entry) if entry.file_type().is_file() || entry.depth() == 0 => {
                let path = entry.into_path();
                let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
                if seen.not_telemetry.contains(&whole) {
                    continue;
                }
                if seen.files.insert(whole) {
                    walked.files.push(path);
                } else {
                    passed_over.again += 1;
                }
            }
            Ok(_) => passed_over.special += 1,
            // A loop of links hides nothing: its files are met on the way down.
            Err(error) if error.loop_ancestor().is_some() => note(&format!("not followed: {error}")),
            Err(error) => walked.barred.push(SourceSummary {
                source: error.path().unwrap_or(path).display().to_string().into(),
                refused: Some(error.io_error().map_or_else(|| error.to_string(), ToString::to_string)),
                ..SourceSummary::default()
            }),
        }
    }
}
