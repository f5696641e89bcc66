//! `monologue lake`: what a lake holds, and keeping it in order.

use super::{now, store};
use crate::{
    cli::{LakeArguments, LakeCommand},
    listing,
    talk::{Verdict, note},
};
use anyhow::{Context, Result, bail};
use monologue_lake::ledger::{CompactLimits, Lake};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

/// Runs the command.
///
/// # Errors
/// When the lake cannot be read or written.
pub(crate) fn keep(arguments: &LakeArguments) -> Result<Verdict> {
    match &arguments.command {
        LakeCommand::Show(lake) => show(&lake.lake),
        LakeCommand::Columns(arguments) => listing::columns(arguments),
        LakeCommand::Compact(arguments) => compact(&arguments.lake, arguments.least_files),
        LakeCommand::Retain(arguments) => retain(&arguments.lake, &arguments.since),
    }
}

fn show(address: &Path) -> Result<Verdict> {
    let lake = Lake::open(store(address)?).context("cannot open the lake")?;
    let snapshot = lake.snapshot();
    let mut tables: BTreeMap<&str, (u64, u64, u64, &str, &str)> = BTreeMap::new();
    for file in snapshot.files() {
        let (files, rows, bytes, first, last) =
            tables.entry(&file.table).or_insert((0, 0, 0, &*file.date, &*file.date));
        *files += 1;
        *rows += file.rows;
        *bytes += file.bytes;
        *first = (*first).min(&*file.date);
        *last = (*last).max(&*file.date);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{:<24}{:>8}{:>14}{:>14}  dates", "table", "files", "rows", "bytes")?;
    for (table, (files, rows, bytes, first, last)) in tables {
        writeln!(out, "{table:<24}{files:>8}{rows:>14}{bytes:>14}  {first} to {last}")?;
    }
    writeln!(
        out,
        "\n{} publications, {} sources, {} buckets",
        snapshot.number(),
        snapshot.sources().count(),
        lake.buckets()
    )?;
    Ok(Verdict::Nothing)
}

fn compact(address: &Path, least_files: usize) -> Result<Verdict> {
    let mut lake = Lake::open_for_writing(store(address)?).context("cannot open the lake")?;
    let limits = CompactLimits { least_files: least_files.max(2), ..CompactLimits::default() };
    let done = lake.compact(&limits, now()).context("cannot compact")?;
    note(&format!(
        "put {} small files together as {}, {} rows; deleted {} files that belonged to nothing",
        done.files_before, done.files_after, done.rows, done.leftovers
    ));
    Ok(Verdict::Nothing)
}

fn retain(address: &Path, since: &str) -> Result<Verdict> {
    if since.parse::<jiff::civil::Date>().is_err() || since.len() != 10 {
        bail!("expected a date, found {since:?}; hint: such as --since 2026-11-01");
    }
    let mut lake = Lake::open_for_writing(store(address)?).context("cannot open the lake")?;
    let before = lake.snapshot().files().count();
    lake.retain_since(since, now()).context("cannot remove")?;
    note(&format!("removed {} files of dates before {since}", before - lake.snapshot().files().count()));
    Ok(Verdict::Nothing)
}
