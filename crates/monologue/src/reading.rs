//! `monologue read`: what was understood, as NDJSON.

use crate::{
    cli::ReadArguments,
    field_origins::Choice,
    inputs::{self, Plan},
    talk::{Verdict, note},
};
use anyhow::Result;
use monologue_report::escape;
use std::io::{self, BufWriter, Write};

/// Runs the command.
///
/// # Errors
/// When an option cannot be understood, no input can be read, or standard output is closed.
pub(crate) fn read(arguments: &ReadArguments) -> Result<Verdict> {
    let plan = Plan::new(&arguments.inputs, &[])?;
    let mut to = BufWriter::new(io::stdout().lock());
    let mut unnamed = false;
    let mut choice = arguments.explain.as_deref().map(Choice::new).transpose()?;
    let (since, until) = (plan.since, plan.until);
    // One file at a time: the same inputs print the same lines.
    let sources = plan.read(1, |event| {
        unnamed |= inputs::is_unnamed(&event);
        if since.is_none_or(|since| event.time >= since) && until.is_none_or(|until| event.time <= until) {
            if let Some(choice) = &mut choice {
                choice.consider(event);
            } else {
                let line = serde_json::to_string(&event)?;
                to.write_all(escape::json(&line).as_bytes())?;
                to.write_all(b"\n")?;
            }
        }
        Ok(())
    })?;
    if let Some(choice) = choice {
        choice.print(&mut to)?;
    }
    to.flush()?;
    let sum = |pick: fn(&monologue_model::SourceSummary) -> u64| sources.iter().map(pick).sum::<u64>();
    note(&format!(
        "{} events, {} skipped, {} malformed, from {} inputs",
        sum(|source| source.events),
        sum(|source| source.skipped),
        sum(|source| source.malformed),
        sources.iter().filter(|source| source.refused.is_none()).count(),
    ));
    inputs::account(&sources, unnamed)?;
    Ok(Verdict::Nothing)
}
