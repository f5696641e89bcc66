//! `monologue evaluate`: the findings of a hunt beside the truth of what was simulated. Shares no code with the hunt.

mod intervals;
mod likelihoods;
mod markdown;
mod matching;
mod measure;
mod picture;
mod read;
mod text;

use crate::{
    cli::{EvaluateArguments, EvaluationOutput},
    talk::Verdict,
};
use anyhow::{Result, bail};
use measure::Beside;
use std::io::{self, BufWriter, Write as _};

/// Measures, and prints what was measured. Ends with 1 where something false was claimed.
///
/// # Errors
/// When truth or findings cannot be read, or standard output is closed.
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<Verdict> {
    let truths = read::truth(&arguments.truth)?;
    let findings = read::findings(&arguments.findings)?;
    if truths.is_empty() {
        bail!("expected at least one line of truth in {}, found none", arguments.truth.display());
    }
    let recording = read::recording(&arguments.truth)?;
    let recorded = recording.as_ref().map(|recording| recording.host_days);
    let host_days = arguments.host_days.or(recorded).filter(|days| *days > 0.0);
    let matches = matching::matches(&truths, &findings);
    let minimum = arguments.minimum_level.into();
    let beside = Beside { truths: &truths, findings: &findings, matches: &matches, minimum, host_days };
    let evaluation = beside.evaluate();
    let mut to = BufWriter::new(io::stdout().lock());
    match arguments.output {
        EvaluationOutput::Text => text::write(&evaluation, &mut to)?,
        EvaluationOutput::Markdown => markdown::write(&evaluation, recording.as_ref(), &mut to)?,
        EvaluationOutput::Svg => picture::write(&evaluation, &mut to)?,
        EvaluationOutput::Json => {
            serde_json::to_writer(&mut to, &evaluation)?;
            writeln!(to)?;
        }
    }
    to.flush()?;
    Ok(if evaluation.contradicted.is_empty() { Verdict::Nothing } else { Verdict::Findings })
}

#[cfg(test)]
mod examples;
#[cfg(test)]
mod tests;
