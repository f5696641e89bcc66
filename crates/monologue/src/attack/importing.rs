//! `attack import` and `attack snapshots`: what was taken in, and what its hash proves.

use super::{
    arguments::{Form, FormArguments, ImportArguments},
    open, write,
};
use crate::talk::{self, Verdict};
use anyhow::Result;
use monologue_attack::{Imported, ReleaseFrom, Snapshot, Stated, Whole};
use monologue_model::Timestamp;
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// Problems that are printed; the snapshot counts all.
const SHOWN_CAP: usize = 20;

/// Imports every input as a snapshot of its own.
///
/// # Errors
/// When an input cannot be imported; those before it are.
pub(super) fn import(folder: &Path, arguments: &ImportArguments) -> Result<Verdict> {
    for input in &arguments.inputs {
        let stated = Stated { release: arguments.release.as_deref(), whole: arguments.whole, now: now() };
        let done = monologue_attack::import(folder, input, &stated)?;
        for problem in done.problems.iter().take(SHOWN_CAP) {
            talk::note(&problem.to_string());
        }
        let more = done.problems.len().saturating_sub(SHOWN_CAP);
        if more > 0 && !done.already_there {
            talk::note(&format!("… {} problems in all", done.snapshot.problems));
        }
        match arguments.form.form {
            Form::Json => write::json(&done)?,
            Form::Text => write::text(&told(&done))?,
        }
    }
    Ok(Verdict::Nothing)
}

/// Lists the snapshots.
///
/// # Errors
/// When there is no library, or standard output is closed.
pub(super) fn snapshots(folder: &Path, arguments: FormArguments) -> Result<Verdict> {
    for snapshot in open(folder)?.snapshots()? {
        match arguments.form {
            Form::Json => write::json(&snapshot)?,
            Form::Text => write::text(&card(&snapshot))?,
        }
    }
    Ok(Verdict::Nothing)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanoseconds(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

fn told(done: &Imported) -> String {
    let head = if done.already_there { "already there, nothing changed: " } else { "imported: " };
    format!("{head}{}", card(&done.snapshot))
}

fn card(snapshot: &Snapshot) -> String {
    let from = match snapshot.release_from {
        ReleaseFrom::Collection => "its collection object says so",
        ReleaseFrom::PublishedHash => "its hash is the published one",
        ReleaseFrom::Given => "as given by --release",
        ReleaseFrom::Unknown => "neither its collection object nor --release says; name it with --release",
    };
    let whole = match snapshot.whole {
        Whole::PublishedHash => "yes, it is the published file",
        Whole::Collection => "yes, it holds all that its collection object lists",
        Whole::Given => "as given by --whole",
        Whole::NotProved => "not proved, so nothing counts as deleted in it",
    };
    let files = if snapshot.files == 1 { String::new() } else { format!(" ({} files)", snapshot.files) };
    let mut out = format!("{}\n", monologue_report::escape::terminal(&snapshot.to_string()));
    for (label, value) in [
        ("release", format!("{}: {from}", snapshot.release_name())),
        ("source", format!("{}{files}", snapshot.source)),
        ("sha256", snapshot.sha256.to_string()),
        ("of content", snapshot.content_sha256.map(|hash| hash.to_string()).unwrap_or_default()),
        ("official", snapshot.official_words()),
        ("whole", whole.to_owned()),
        ("STIX", snapshot.stix.clone().unwrap_or_default()),
        ("imported", snapshot.imported.to_string()),
        ("holds", format!("{} objects, {} relationships", snapshot.objects, snapshot.relationships)),
        ("stored", format!("{} that no earlier snapshot held", snapshot.stored)),
        ("points out", format!("{} references to objects that are not in it", snapshot.dangling)),
        ("problems", snapshot.problems.to_string()),
    ] {
        out.push_str(&write::fact(label, &value));
    }
    out
}
