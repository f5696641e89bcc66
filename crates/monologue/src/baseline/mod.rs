//! `monologue baseline`: approvals learnt, checked, compared and listed.

mod learn;
mod lulu;
mod read;

pub(crate) use read::read;

use crate::{
    cli::{BaselineCommand, BaselineDiffArguments, BaselineFiles, HuntArguments},
    hunting,
    talk::Verdict,
};
use anyhow::{Result, bail};
use monologue_model::{Finding, Level};
use monologue_report::escape::terminal as escaped;
use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

/// Runs one of the commands.
///
/// # Errors
/// When a baseline cannot be read, telemetry cannot be hunted, or the result cannot be printed.
pub(crate) fn run(command: &BaselineCommand) -> Result<Verdict> {
    match command {
        BaselineCommand::Check(arguments) => check(arguments),
        BaselineCommand::List(arguments) => list(arguments),
        BaselineCommand::Learn(arguments) => learn::learn(arguments),
        BaselineCommand::Diff(arguments) => diff(arguments),
        BaselineCommand::ImportLulu(arguments) => lulu::import(arguments),
    }
}

fn check(arguments: &BaselineFiles) -> Result<Verdict> {
    let baseline = read(&arguments.files)?;
    let lints = baseline.lint();
    let mut out = std::io::stdout().lock();
    for lint in &lints {
        writeln!(out, "{}: {}", escaped(&lint.place), escaped(&lint.what))?;
    }
    writeln!(out, "{} approvals, {} to look at", baseline.approvals().len(), lints.len())?;
    Ok(if lints.is_empty() { Verdict::Nothing } else { Verdict::Findings })
}

fn list(arguments: &BaselineFiles) -> Result<Verdict> {
    let baseline = read(&arguments.files)?;
    let mut out = std::io::stdout().lock();
    for approval in baseline.approvals() {
        let who = match (&approval.signing_id, &approval.team_id, &approval.path) {
            (Some(id), Some(team), _) => format!("{id} ({team})"),
            (Some(id), None, Some(path)) => format!("{id} for {path}"),
            (Some(id), None, None) => id.clone(),
            (None, _, path) => path.clone().unwrap_or_default(),
        };
        let every = approval.cadence_seconds.map_or_else(String::new, |seconds| format!(", every {seconds} s"));
        let line = format!(
            "{who} → {}{every}; {}, until {}: {} [{}]",
            approval.service, approval.owner, approval.expires, approval.reason, approval.place
        );
        writeln!(out, "{}", escaped(&line))?;
    }
    Ok(Verdict::Nothing)
}

/// What a hunt lists with each of two baselines.
fn diff(arguments: &BaselineDiffArguments) -> Result<Verdict> {
    if arguments.hunt.baseline.is_empty() && arguments.before.is_empty() {
        bail!("expected a baseline to compare; hint: --before OLD.toml --baseline NEW.toml");
    }
    let levels = |baseline: Vec<PathBuf>| -> Result<BTreeMap<String, Finding>> {
        let told = HuntArguments { baseline, ..arguments.hunt.clone() };
        let report = hunting::run(&told, Level::Info)?;
        Ok(report.findings.into_iter().map(|finding| (finding.id.to_string(), finding)).collect())
    };
    let (before, after) = (levels(arguments.before.clone())?, levels(arguments.hunt.baseline.clone())?);
    let minimum: Level = arguments.hunt.minimum_level.into();
    let mut out = std::io::stdout().lock();
    let (mut hidden, mut revealed) = (0, 0);
    for (id, finding) in &after {
        let Some(then) = before.get(id) else { continue };
        let word = match (then.level >= minimum, finding.level >= minimum) {
            (true, false) => {
                hidden += 1;
                "hides"
            }
            (false, true) => {
                revealed += 1;
                "reveals"
            }
            _ => continue,
        };
        let why = finding.level_reason.as_deref().filter(|_| word == "hides").unwrap_or_default();
        let line = format!(
            "{word} {} {}: {} → {} on {} ({}) {why}",
            then.level.max(finding.level).name(),
            finding.disposition,
            finding.application.name,
            finding.destination.host,
            finding.host,
            finding.application.signing_id.as_deref().unwrap_or("no signature known"),
        );
        writeln!(out, "{}", escaped(line.trim_end()))?;
    }
    writeln!(out, "{hidden} hidden, {revealed} revealed, of {} channels", after.len())?;
    Ok(if hidden + revealed == 0 { Verdict::Nothing } else { Verdict::Findings })
}
