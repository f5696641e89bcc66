//! An evaluation as text to read.

use super::{
    intervals::Share,
    measure::{Evaluation, OfScenario},
};
use monologue_report::escape::terminal as escaped;
use std::io::{self, Write};

/// False claims and benign findings that are shown one by one.
const SHOWN: usize = 20;

/// `0.950 (0.912 to 0.972, 190 of 200)`.
pub(super) fn words(share: &Share) -> String {
    match share.share {
        Some(value) => format!("{value:.3} ({:.3} to {:.3}, {} of {})", share.low, share.high, share.count, share.of),
        None => "- (of none)".to_owned(),
    }
}

/// Writes the whole evaluation.
///
/// # Errors
/// When writing fails.
pub(super) fn write(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    let Evaluation { minimum_level, channels_examined, channels_of_truth, .. } = evaluation;
    writeln!(to, "Channels examined: {channels_examined}; channels the truth speaks of: {channels_of_truth}.")?;
    writeln!(to, "Found means: at level {minimum_level} or above. In brackets: intervals of 95 %, and the counts.\n")?;
    writeln!(to, "recall, malicious one-way channels      {}", words(&evaluation.recall))?;
    writeln!(to, "  with sensors that show what happened  {}", words(&evaluation.recall_sighted))?;
    writeln!(to, "  with too few sensors to tell          {}", words(&evaluation.recall_blind))?;
    for (shown, of) in &evaluation.recall_shown {
        writeln!(to, "  where what was recorded is {shown:<12}{}", words(of))?;
    }
    writeln!(to, "precision of findings                   {}", words(&evaluation.precision))?;
    match (evaluation.false_positives, evaluation.host_days) {
        (Some(rate), Some(days)) => writeln!(
            to,
            "false positives per 1,000 host-days     {:.2} ({:.2} to {:.2}, {} in {days:.1} host-days)",
            rate.per_thousand, rate.low, rate.high, rate.count
        )?,
        _ => writeln!(to, "false positives per 1,000 host-days     nobody recorded the days: give --host-days")?,
    }
    writeln!(to, "false claims                            {}", words(&evaluation.false_claims))?;
    writeln!(to, "claims where sensors do not suffice     {}", words(&evaluation.unfounded_claims))?;
    dispositions(evaluation, to)?;
    scenarios("Attacks", evaluation.scenarios.iter().filter(|one| one.malicious), "recall", to)?;
    scenarios("Benign software", evaluation.scenarios.iter().filter(|one| !one.malicious), "false positives", to)?;
    calibration(evaluation, to)?;
    examples(evaluation, to)
}

fn dispositions(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\nWhat can be said of the channel\n")?;
    for (name, of) in &evaluation.dispositions {
        let part = |share: &Option<Share>| share.as_ref().map_or_else(|| "-".to_owned(), words);
        writeln!(to, "  {name}: said of {}", part(&of.recall))?;
        if of.precision.is_some() {
            writeln!(to, "    right where claimed: {}", part(&of.precision))?;
        }
        if !of.instead.is_empty() {
            let instead: Vec<String> = of.instead.iter().map(|(said, count)| format!("{said} {count}")).collect();
            writeln!(to, "    said instead: {}", instead.join(", "))?;
        }
    }
    Ok(())
}

fn scenarios<'a>(
    title: &str,
    all: impl Iterator<Item = &'a OfScenario>,
    measure: &str,
    to: &mut dyn Write,
) -> io::Result<()> {
    writeln!(to, "\n{title}\n")?;
    for one in all {
        let falsely =
            if one.false_claims == 0 { String::new() } else { format!("; FALSE CLAIMS of {}", one.false_claims) };
        writeln!(
            to,
            "  {} ({}): {measure} {}; rightly told {}{falsely}",
            escaped(&one.scenario),
            escaped(&one.happened),
            words(&one.found),
            words(&one.right),
        )?;
    }
    Ok(())
}

fn calibration(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\nCalibration: of the findings with such a score, those that are malicious and one-way\n")?;
    for bucket in &evaluation.calibration {
        let mean = bucket.mean_score.map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"));
        writeln!(to, "  {:.2} to {:.2}: mean {mean}, {}", bucket.from, bucket.until, words(&bucket.one_way))?;
    }
    if let Some(brier) = evaluation.brier {
        writeln!(to, "  Brier score: {brier:.5}")?;
    }
    Ok(())
}

fn examples(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    let more = |count: usize| if count > SHOWN { format!(", {SHOWN} of them shown") } else { String::new() };
    let claims = &evaluation.contradicted;
    writeln!(to, "\nFalse claims: {}{}", claims.len(), more(claims.len()))?;
    for one in claims.iter().take(SHOWN) {
        let line = format!("{} on {}: claimed {}, was {}", one.scenario, one.host, one.claimed, one.happened);
        writeln!(to, "  {} {}\n    {}", escaped(&one.id), escaped(&line), escaped(&one.sentence))?;
    }
    let benign = &evaluation.benign_findings;
    writeln!(to, "\nBenign findings: {}{}", benign.len(), more(benign.len()))?;
    for one in benign.iter().take(SHOWN) {
        let line = format!("{} on {}: {} ({:.3})", one.scenario, one.host, one.level, one.score);
        writeln!(to, "  {} {}\n    {}", escaped(&one.id), escaped(&line), escaped(&one.sentence))?;
    }
    Ok(())
}
