//! `monologue demo` and `monologue simulate`: a fleet that never was, with the truth beside it.

use crate::{
    cli::{DemoArguments, FleetKind, HuntArguments, InputArguments, MinimumLevel, SimulateArguments},
    hunting, outputs,
    talk::{Verdict, note},
};
use anyhow::{Context, Result, bail};
use monologue_model::{Level, Timestamp};
use monologue_simulate::{Fleet, Options, RealisticOptions, simulate_realistic, story};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Simulates, hunts, reports.
///
/// # Errors
/// When the folder cannot be written to.
pub(crate) fn demo(arguments: &DemoArguments) -> Result<Verdict> {
    let folder = match &arguments.keep {
        Some(folder) => folder.clone(),
        None => fresh_folder()?,
    };
    note("simulating a day of a small fleet of Macs, with implants and with honest software that looks like them …");
    refuse_if_taken(&folder, "name another with --keep")?;
    write_fleet(&folder, &Options::default())?;
    let hunt = HuntArguments {
        inputs: InputArguments {
            paths: vec![folder.join("hosts"), folder.join("network")],
            ..InputArguments::default()
        },
        outputs: Vec::new(),
        report: None,
        evidence: None,
        assets: vec![folder.join("assets.csv")],
        lake: None,
        memory: None,
        local: Vec::new(),
        library: None,
        attack_site: None,
        code: Vec::new(),
        baseline: Vec::new(),
        settings: None,
        minimum_level: MinimumLevel::Medium,
        require: Vec::new(),
    };
    let mut report = hunting::run(&hunt, Level::Medium)?;
    let file = folder.join("report.html");
    let wishes = [outputs::wish("text")?, outputs::wish(&format!("html={}", file.display()))?];
    outputs::write(&wishes, &mut report, None)?;
    note(&format!("\nthe truth of what was simulated: {}", folder.join("truth.ndjson").display()));
    note(&format!("the report to open in a browser: {}", file.display()));
    Ok(Verdict::Nothing)
}

/// Writes the telemetry of a simulated fleet.
///
/// # Errors
/// When the folder is not empty, or cannot be written to.
pub(crate) fn simulate(arguments: &SimulateArguments) -> Result<Verdict> {
    if let Some(story) = &arguments.story {
        return tell(arguments, story);
    }
    let options =
        Options { seed: arguments.seed, hours: arguments.hours, disturbance: arguments.disturb, ..Options::default() };
    if !arguments.force {
        refuse_if_taken(&arguments.folder, "name another, or use --force")?;
    }
    let files = match arguments.fleet {
        FleetKind::Small => write_fleet(&arguments.folder, &options)?,
        FleetKind::Realistic => write_realistic(arguments)?,
    };
    let shown = arguments.folder.display();
    note(&format!(
        "wrote {files} files to {shown}; hunt them with: monologue hunt {shown} --assets {shown}/assets.csv"
    ));
    Ok(Verdict::Nothing)
}

/// Bytes of one story at most.
const STORY_BYTES: u64 = 1024 * 1024;

/// The Mac of a story.
const STORY_MAC: &str = "anna-mac";

/// Records a story.
fn tell(arguments: &SimulateArguments, path: &Path) -> Result<Verdict> {
    let context =
        || format!("cannot read the story {}; hint: it is a text of at most {STORY_BYTES} bytes", path.display());
    if std::fs::metadata(path).with_context(context)?.len() > STORY_BYTES {
        bail!("{}", context());
    }
    let text = std::fs::read_to_string(path).with_context(context)?;
    let without: Vec<&str> = arguments.without.iter().map(String::as_str).collect();
    let files =
        story::record(STORY_MAC, story_in(&text), &without).with_context(|| format!("in {}", path.display()))?;
    if !arguments.force {
        refuse_if_taken(&arguments.folder, "name another, or use --force")?;
    }
    let fleet = Fleet { files, truth: Vec::new(), links: Vec::new() };
    monologue_simulate::write(&fleet, &arguments.folder)
        .with_context(|| format!("cannot write to {}", arguments.folder.display()))?;
    let shown = arguments.folder.display();
    note(&format!(
        "wrote {} files to {shown}; hunt them with: monologue hunt {shown} --assets {shown}/assets.csv --minimum-level info",
        fleet.files.len()
    ));
    Ok(Verdict::Nothing)
}

/// The block `story` of a Markdown text; the whole text if it has none.
fn story_in(text: &str) -> &str {
    let block = text.split_once("\n```story\n").and_then(|(_, rest)| rest.split_once("\n```"));
    block.map_or(text, |(block, _)| block)
}

/// A folder in the system's place for temporary files that was not there before: what somebody else laid out under a
/// name that can be guessed is never written through.
fn fresh_folder() -> Result<PathBuf> {
    let place = std::env::temp_dir();
    let failed = || format!("cannot make a folder in {}; hint: name one with --keep", place.display());
    for attempt in 0..100 {
        let folder = place.join(format!("monologue-demo-{}-{attempt}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(failed),
        }
    }
    bail!("{}", failed())
}

/// Refuses a folder in which something stands.
///
/// # Errors
/// When something does.
pub(crate) fn refuse_if_taken(folder: &Path, hint: &str) -> Result<()> {
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("expected an empty or new folder, found files in {}; hint: {hint}", folder.display());
    }
    Ok(())
}

fn write_fleet(folder: &Path, options: &Options) -> Result<usize> {
    let fleet = monologue_simulate::simulate(options);
    monologue_simulate::write(&fleet, folder)
        .with_context(|| format!("cannot write to {}; hint: check its permissions", folder.display()))?;
    Ok(fleet.files.len())
}

/// Writes a realistic fleet, a site at a time.
fn write_realistic(arguments: &SimulateArguments) -> Result<usize> {
    let SimulateArguments { folder, seed, hosts, days, start, without_attacks, .. } = arguments;
    let Ok(start) = Timestamp::parse(&format!("{start}T00:00:00Z")) else {
        bail!("expected a date in --start, found {start:?}; hint: such as 2026-03-01");
    };
    let options = RealisticOptions { seed: *seed, hosts: *hosts, days: *days, start, attacks: !without_attacks };
    let mut files = 0;
    let written = simulate_realistic(&options, &mut |file| {
        files += 1;
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, &file.bytes)
    });
    written.with_context(|| format!("cannot write to {}; hint: is there room?", folder.display()))?;
    Ok(files)
}
