//! An evaluation as a page of Markdown: `docs/reference/evaluation.md` is made by it.

use super::{
    intervals::{Rate, Share, share},
    measure::{Evaluation, OfScenario},
};
use monologue_simulate::Recording;
use std::io::{self, Write};

/// What a fleet must show (each with its interval).
const RECALL: f64 = 0.95;
const PRECISION: f64 = 0.95;
const FALSE_POSITIVES: f64 = 1.0;

/// `0.950 (0.912 to 0.972)`, and the counts apart.
fn words(share: &Share) -> String {
    match share.share {
        Some(value) => format!("{value:.3} ({:.3} to {:.3})", share.low, share.high),
        None => "-".to_owned(),
    }
}

fn counts(share: &Share) -> String {
    format!("{} of {}", share.count, share.of)
}

/// Text for a cell.
fn cell(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).collect::<String>().replace('|', "\\|").replace('<', "&lt;")
}

const fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "**missed**" }
}

/// Writes the page.
///
/// # Errors
/// When writing fails.
pub(super) fn write(evaluation: &Evaluation, recording: Option<&Recording>, to: &mut dyn Write) -> io::Result<()> {
    head(evaluation, recording, to)?;
    targets(evaluation, to)?;
    dispositions(evaluation, to)?;
    scenarios("Attacks", "recall", evaluation.scenarios.iter().filter(|one| one.malicious), to)?;
    let benign = evaluation.scenarios.iter().filter(|one| !one.malicious);
    scenarios("Benign software", "found (false positives)", benign, to)?;
    calibration(evaluation, to)?;
    likelihoods(evaluation, to)?;
    if !evaluation.benign_findings.is_empty() {
        writeln!(to, "\n## Benign findings by behaviour\n\n| behaviour | findings |\n|---|---|")?;
        let mut counts: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        for one in &evaluation.benign_findings {
            *counts.entry(one.scenario.as_str()).or_default() += 1;
        }
        for (scenario, count) in counts {
            writeln!(to, "| {} | {count} |", cell(scenario))?;
        }
    }
    if !evaluation.contradicted.is_empty() {
        writeln!(to, "\n## False claims\n\n| behaviour | claimed | was | the finding says |\n|---|---|---|---|")?;
        for one in evaluation.contradicted.iter().take(40) {
            let (scenario, sentence) = (cell(&one.scenario), cell(&one.sentence));
            writeln!(to, "| {scenario} | {} | {} | {sentence} |", cell(&one.claimed), cell(&one.happened))?;
        }
    }
    Ok(())
}

fn head(evaluation: &Evaluation, recording: Option<&Recording>, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "# A hunt beside the truth\n")?;
    if let Some(Recording { seed, hosts, days, .. }) = recording {
        writeln!(
            to,
            "Simulated Macs: {hosts}; days: {days}; seed: {seed} (development uses 1 to 99; other seeds are for reports). Made by\n\n\
             ```sh\n\
             monologue simulate fleet --fleet realistic --hosts {hosts} --days {days} --seed {seed}\n\
             monologue hunt fleet/hosts fleet/network --assets fleet/assets.csv --minimum-level info --output json=findings.ndjson\n\
             monologue evaluate --truth fleet/truth.ndjson findings.ndjson --output markdown\n\
             ```\n"
        )?;
    }
    writeln!(
        to,
        "Channels examined: {}; channels the truth speaks of: {}. Found means: at level `{}` or above. In brackets: intervals of \
         95 % (Wilson for shares, Garwood for rates). They hold for fleets like the simulated ones, not for yours. Every \
         second Mac has one attack: precision depends on that, false positives by host-days do not.",
        evaluation.channels_examined, evaluation.channels_of_truth, evaluation.minimum_level
    )
}

fn targets(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\n## What it must show\n\n| measure | value | counts | target | |\n|---|---|---|---|---|")?;
    let row = |name: &str, share: &Share, target: &str, is_met: bool| {
        format!("| {name} | {} | {} | {target} | {} |", words(share), counts(share), verdict(is_met))
    };
    let at_least = |share: &Share, bound: f64| share.share.is_some_and(|value| value >= bound);
    let Evaluation { recall, recall_sighted, recall_blind, precision, false_claims, unfounded_claims, .. } = evaluation;
    writeln!(to, "{}", row("recall of malicious one-way channels", recall, "≥ 0.95", at_least(recall, RECALL)))?;
    let sighted = at_least(recall_sighted, RECALL);
    writeln!(to, "{}", row("… with sensors that may show what happened", recall_sighted, "≥ 0.95", sighted))?;
    writeln!(to, "| … with too few sensors to tell | {} | {} | - | |", words(recall_blind), counts(recall_blind))?;
    let of = |shown: &str| evaluation.recall_shown.get(shown).copied().unwrap_or_else(|| share(0, 0));
    let (program, connection) = (of("program"), of("connection"));
    let is_met = at_least(&program, RECALL);
    writeln!(to, "{}", row("recall, where a record says which program asked", &program, "≥ 0.95", is_met))?;
    let rows = [
        ("… where only the connection was recorded", connection),
        ("… the same, at `low` or above", evaluation.recall_listed),
        ("… where nothing was recorded", of("nothing")),
    ];
    for (name, of) in rows {
        writeln!(to, "| {name} | {} | {} | - | |", words(&of), counts(&of))?;
    }
    writeln!(to, "{}", row("precision of findings", precision, "≥ 0.95", at_least(precision, PRECISION)))?;
    if let (Some(rate), Some(days)) = (evaluation.false_positives, evaluation.host_days) {
        writeln!(
            to,
            "| false positives per 1,000 host-days | {:.2} ({:.2} to {:.2}) | {} in {days:.0} | ≤ 1 | {} |",
            rate.per_thousand,
            rate.low,
            rate.high,
            rate.count,
            verdict(rate.per_thousand <= FALSE_POSITIVES)
        )?;
    }
    if let Some(rate) = evaluation.honest_listed {
        let Rate { per_thousand, low, high, count } = rate;
        writeln!(to, "| … at `low` or above | {per_thousand:.1} ({low:.1} to {high:.1}) | {count} | - | |")?;
    }
    writeln!(to, "{}", row("false claims", false_claims, "0", false_claims.count == 0))?;
    writeln!(
        to,
        "| definite claims where sensors do not suffice | {} | {} | 0 | {} |",
        words(unfounded_claims),
        counts(unfounded_claims),
        verdict(unfounded_claims.count == 0)
    )
}

fn dispositions(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "\n## By what can be said of the channel\n\nWhat the sensors that were there allow to be said is argued in \
         `crates/simulate/src/realistic/evidence.rs`.\n\n\
         | can be said | said | of | right where claimed | said instead |\n|---|---|---|---|---|"
    )?;
    for (name, of) in &evaluation.dispositions {
        let part = |share: &Option<Share>| share.as_ref().map_or_else(|| "-".to_owned(), words);
        let number = of.recall.as_ref().map_or_else(String::new, counts);
        let instead: Vec<String> = of.instead.iter().map(|(said, count)| format!("{} {count}", cell(said))).collect();
        let (said, right) = (part(&of.recall), part(&of.precision));
        writeln!(to, "| {} | {said} | {number} | {right} | {} |", cell(name), instead.join(", "))?;
    }
    Ok(())
}

fn scenarios<'a>(
    title: &str,
    measure: &str,
    all: impl Iterator<Item = &'a OfScenario>,
    to: &mut dyn Write,
) -> io::Result<()> {
    writeln!(
        to,
        "\n## {title}\n\n| behaviour | what happened | {measure} | counts | rightly told | false claims |\n|---|---|---|---|---|---|"
    )?;
    for one in all {
        let (found, number, right) = (words(&one.found), counts(&one.found), counts(&one.right));
        let (scenario, happened) = (cell(&one.scenario), cell(&one.happened));
        writeln!(to, "| {scenario} | {happened} | {found} | {number} | {right} | {} |", one.false_claims)?;
    }
    Ok(())
}

fn calibration(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "\n## Calibration\n\nOf the findings with such a score, those that are malicious and one-way.\n\n\
         | score | mean score | share | counts |\n|---|---|---|---|"
    )?;
    for bucket in &evaluation.calibration {
        let mean = bucket.mean_score.map_or_else(|| "-".to_owned(), |score| format!("{score:.3}"));
        let (share, number) = (words(&bucket.one_way), counts(&bucket.one_way));
        writeln!(to, "| {:.2} to {:.2} | {mean} | {share} | {number} |", bucket.from, bucket.until)?;
    }
    if let Some(brier) = evaluation.brier {
        writeln!(to, "\nBrier score: {brier:.5}.")?;
    }
    Ok(())
}

fn likelihoods(evaluation: &Evaluation, to: &mut dyn Write) -> io::Result<()> {
    if evaluation.likelihoods.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "\n## Weights beside what was measured\n\nIn decibans: the weight in force, and how much likelier a signal spoke so of \
         malicious one-way channels than of regular honest software, taken alone. Signals depend on each other and a simulation is no \
         fleet, so weights stay well below what is measured.\n\n\
         | signal | weight | attacks | regular software | other honest channels | measured |\n|---|---|---|---|---|---|"
    )?;
    for one in &evaluation.likelihoods {
        writeln!(
            to,
            "| {} | {:+} | {} | {} | {} | {:+.1} ({:+.1} to {:+.1}) |",
            cell(&one.signal),
            one.weight,
            counts(&one.malicious),
            counts(&one.regular),
            counts(&one.other),
            one.measured,
            one.low,
            one.high
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_no_marks_of_tables_or_tags() {
        assert_eq!(cell("a|b <script>\u{1b}[0m"), "a\\|b &lt;script>[0m");
    }
}
