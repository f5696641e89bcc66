//! `monologue read`: what was understood, as NDJSON.

use crate::{
    cli::ReadArguments,
    inputs::{self, Plan},
    talk::{Verdict, note},
};
use anyhow::Result;
use std::io::{self, BufWriter, Write};

/// Runs the command.
///
/// # Errors
/// When an option cannot be understood, no input can be read, or standard output is closed.
pub(crate) fn read(arguments: &ReadArguments) -> Result<Verdict> {
    let plan = Plan::new(&arguments.inputs)?;
    let mut to = BufWriter::new(io::stdout().lock());
    let mut unnamed = false;
    let (since, until) = (plan.since, plan.until);
    let sources = plan.read(|event| {
        unnamed |= inputs::is_unnamed(&event);
        if since.is_none_or(|since| event.time >= since) && until.is_none_or(|until| event.time <= until) {
            let line = serde_json::to_string(&event)?;
            to.write_all(inert_json(&line).as_bytes())?;
            to.write_all(b"\n")?;
        }
        Ok(())
    })?;
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

/// JSON in which characters that act on a terminal are written as escapes; serde escapes those below U+0020 itself.
fn inert_json(line: &str) -> String {
    let acts = |character: char| matches!(character, '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if !line.contains(acts) {
        return line.to_owned();
    }
    let mut inert = String::with_capacity(line.len() + 16);
    for character in line.chars() {
        if acts(character) {
            inert.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            inert.push(character);
        }
    }
    inert
}
