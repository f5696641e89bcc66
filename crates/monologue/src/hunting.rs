//! `monologue hunt`: from files to a report.

use crate::{
    assets,
    attack::citing::{self, Site},
    baseline,
    cli::HuntArguments,
    code, evidence,
    inputs::{self, Plan},
    lake, outputs, settings,
    talk::{Verdict, note},
    window::Window,
};
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use monologue_hunt::{Baseline, CodeProfiles, Hunt, IpNet, Options, Settings};
use monologue_model::{Asset, Level, Report, Sight};
use std::{net::IpAddr, sync::Arc};

/// Runs the command.
///
/// # Errors
/// When an option cannot be understood, no input can be read, or a report cannot be written.
pub(crate) fn hunt(arguments: &HuntArguments) -> Result<Verdict> {
    let mut wishes = arguments.outputs.iter().map(|text| outputs::wish(text)).collect::<Result<Vec<_>>>()?;
    if let Some(file) = &arguments.report {
        wishes.push(outputs::wish(&format!("html={}", file.display()))?);
    }
    if wishes.is_empty() || (arguments.outputs.is_empty() && arguments.report.is_some()) {
        wishes.push(outputs::wish("text")?);
    }
    let required = requirements(&arguments.require)?;
    if let Some(folder) = &arguments.evidence {
        evidence::prepare(folder)?;
    }
    let site = arguments.attack_site.as_deref().map(Site::of).transpose()?;
    let minimum = arguments.minimum_level.into();
    let mut report = run(arguments, minimum)?;
    citing::cite(&mut report, arguments.library.as_deref())?;
    outputs::write(&wishes, &mut report, site.as_ref())?;
    if let Some(folder) = &arguments.evidence {
        // The pack stands alone: it links to nothing that lies beside it.
        report.summary.attack_pages = None;
        evidence::write(folder, arguments, &report)?;
    }
    if !looked_as_required(&report, &required) {
        return Ok(Verdict::CouldNotLook);
    }
    let found = report.findings.iter().any(|finding| finding.level >= minimum);
    Ok(if found { Verdict::Findings } else { Verdict::Nothing })
}

/// Reads and hunts, without writing anything.
///
/// # Errors
/// As [`hunt`].
pub(crate) fn run(arguments: &HuntArguments, minimum: Level) -> Result<Report> {
    let mut local: Vec<IpNet> = Vec::new();
    for text in &arguments.local {
        // One address is the network of itself.
        local.push(
            text.parse()
                .or_else(|error| text.parse::<IpAddr>().map(IpNet::from).map_err(|_| error))
                .with_context(|| format!("expected a network, found {text:?}; hint: such as --local 10.0.0.0/8"))?,
        );
    }
    let known = Known {
        code: code::read(&arguments.code)?,
        baseline: baseline::read(&arguments.baseline)?,
        settings: settings::read(arguments.settings.as_deref())?,
    };
    match &arguments.lake {
        Some(address) => lake::hunt(arguments, address, &local, known, minimum),
        None => run_on_files(arguments, local, known, minimum),
    }
}

/// What a hunt is told besides telemetry.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Profiles of programs' code.
    pub(crate) code: CodeProfiles,
    /// Approvals.
    pub(crate) baseline: Baseline,
    /// What a team may change.
    pub(crate) settings: Arc<Settings>,
}

/// Reads and hunts files: in memory while they fit, else through a temporary lake.
fn run_on_files(arguments: &HuntArguments, local: Vec<IpNet>, known: Known, minimum: Level) -> Result<Report> {
    let memory = arguments.memory.as_deref().map_or(Ok(lake::DEFAULT_MEMORY), lake::memory)?;
    let plan = Plan::new(&arguments.inputs, &arguments.assets)?;
    let mut assets = Vec::new();
    for path in &arguments.assets {
        assets.extend(assets::read(path)?);
    }
    let mut hunt = Hunt::new(Options {
        assets: assets.clone(),
        local: local.clone(),
        since: plan.since,
        until: plan.until,
        code: known.code.clone(),
        baseline: known.baseline.clone(),
        settings: known.settings.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let mut unnamed = false;
    let most = memory / lake::EVENT_BYTES;
    let mut taken = 0;
    let read = plan.read(inputs::READERS, |event| {
        taken += 1;
        if taken > most {
            return Err(DoesNotFit.into());
        }
        unnamed |= inputs::is_unnamed(&event);
        hunt.take(event);
        Ok(())
    });
    let sources = match read {
        Err(error) if error.is::<DoesNotFit>() => {
            drop(hunt);
            let told = lake::Told { local: &local, known, memory, minimum };
            return through_a_lake(arguments, &plan, &assets, told);
        }
        read => read?,
    };
    inputs::account(&sources, unnamed)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("hunting {bar:30} {pos}/{len} hosts {elapsed}") {
        bar.set_style(style);
    }
    let mut report = hunt.finish(minimum, &mut |progress| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    report.summary.sources = sources;
    Ok(report)
}

/// There are more events than memory was allowed for.
#[derive(Debug, thiserror::Error)]
#[error("expected events that fit in memory, found more")]
struct DoesNotFit;

/// The same hunt through a lake in a temporary folder, which is removed at the end.
fn through_a_lake(arguments: &HuntArguments, plan: &Plan, assets: &[Asset], told: lake::Told<'_>) -> Result<Report> {
    let context = "cannot make a temporary folder; hint: free some disk space, or give more --memory";
    let folder = tempfile::tempdir().context(context)?;
    note(&format!("more than fits in memory: working through a temporary lake in {}", folder.path().display()));
    let address = folder.path().join("lake");
    let taken = lake::ingest_plan(&address, plan, assets, lake::DEFAULT_BUCKETS, told.memory)?;
    inputs::account(&taken.summaries(), taken.unnamed)?;
    let mut report = lake::hunt_lake(&address, &Window::new(&arguments.inputs)?, told)?;
    report.summary.sources = taken.summaries();
    Ok(report)
}

/// Understands each `SIGHT=PERCENT`.
///
/// # Errors
/// When one of them is not of that form.
pub(crate) fn requirements(texts: &[String]) -> Result<Vec<(Sight, f64)>> {
    texts.iter().map(|text| requirement(text)).collect()
}

/// Whether all hosts were watched as required; says of each that was not, and how to watch it.
pub(crate) fn looked_as_required(report: &Report, required: &[(Sight, f64)]) -> bool {
    let short = fall_short(report, required);
    short.iter().for_each(|line| note(line));
    short.is_empty()
}

fn requirement(text: &str) -> Result<(Sight, f64)> {
    let (name, percent) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("expected SIGHT=PERCENT, found {text:?}; hint: such as --require flow.reply=90"))?;
    let sight = Sight::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Sight::ALL.iter().map(|sight| sight.name()).collect();
        anyhow!("expected a sight, found {name:?}; hint: one of {}", names.join(", "))
    })?;
    let percent: f64 = percent
        .trim_end_matches('%')
        .parse()
        .map_err(|_| anyhow!("expected a percentage, found {percent:?}; hint: such as --require {name}=90"))?;
    if !(0.0..=100.0).contains(&percent) {
        bail!("expected a percentage from 0 to 100, found {percent}; hint: such as --require {name}=90");
    }
    Ok((sight, percent))
}

/// What to say of hosts that were watched less than required: a line each, then how to watch them.
fn fall_short(report: &Report, required: &[(Sight, f64)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (sight, percent) in required {
        let before = lines.len();
        if report.summary.coverage.is_empty() {
            lines.push(format!("could not look: {sight} is required, and no host was seen at all"));
        }
        for host in &report.summary.coverage {
            let covered = host.percent(*sight);
            if covered < *percent {
                lines.push(format!(
                    "could not look: {} was watched by {sight} for {covered:.1} % of its time, {percent} % is required",
                    host.host,
                ));
            }
        }
        if lines.len() > before {
            lines.push(format!("hint: {}", sight.how_to_collect()));
        }
    }
    lines
}
