//! Evidence pack: what was collected, what was lost, what was in force, and what may and may not be claimed from it.
//!
//! Nothing in it comes from a clock or a machine's name: the same inputs and options give the same bytes.

use crate::{coverage, escape, words};
use monologue_model::{ClaimHours, Disposition, HuntSummary, Level, Report, Sha256, attack};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
};

/// The version of the manifest's contract.
pub const EVIDENCE_SCHEMA: &str = "monologue.evidence/1";

/// Lines listed one by one in the statement.
const LISTED: usize = 50;

/// Values of an option that stand in one line; more stand in a line each.
const FEW: usize = 8;

/// A file that bore on the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedFile {
    /// The name it was given by.
    pub name: Arc<str>,
    /// Its hash as stored. `None` means it could not be read any more, or is no file.
    pub sha256: Option<Sha256>,
    /// Its bytes as stored. `None` as for the hash.
    pub bytes: Option<u64>,
}

impl HashedFile {
    fn json(&self) -> Value {
        json!({"name": self.name, "sha256": self.sha256, "bytes": self.bytes})
    }
}

/// What was in force besides the telemetry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InForce {
    /// Options that decide what is found, by name, in the order of the command line's help.
    pub options: Vec<(&'static str, Vec<String>)>,
    /// Every number the hunt decides by: name, value, unit.
    pub settings: Vec<(&'static str, f64, &'static str)>,
    /// Each source's content.
    pub inputs: Vec<HashedFile>,
    /// Lists of whose address was whose.
    pub assets: Vec<HashedFile>,
    /// Baselines.
    pub baselines: Vec<HashedFile>,
    /// Approvals in them, and those that had expired when they were read.
    pub approvals: (u64, u64),
    /// Profiles of programs' code.
    pub code: Vec<HashedFile>,
}

/// The manifest, for machines: indented JSON.
///
/// # Errors
/// When writing fails.
pub fn manifest(report: &Report, in_force: &InForce, to: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let hashes: BTreeMap<&str, &HashedFile> = in_force.inputs.iter().map(|file| (&*file.name, file)).collect();
    let inputs: Vec<Value> = summary
        .sources
        .iter()
        .map(|source| {
            let file = hashes.get(&*source.source);
            json!({
                "source": source.source,
                "sha256": file.and_then(|file| file.sha256),
                "bytes": file.and_then(|file| file.bytes),
                "format": source.format,
                "events": source.events,
                "skipped": source.skipped,
                "malformed": source.malformed,
                "problems": source.problems,
                "refused": source.refused,
            })
        })
        .collect();
    let files = |files: &[HashedFile]| files.iter().map(HashedFile::json).collect::<Vec<_>>();
    let settings: serde_json::Map<String, Value> = in_force
        .settings
        .iter()
        .map(|(name, value, unit)| ((*name).to_owned(), json!({"value": value, "unit": unit})))
        .collect();
    let options: serde_json::Map<String, Value> =
        in_force.options.iter().map(|(name, values)| ((*name).to_owned(), json!(values))).collect();
    let losses: Vec<Value> = summary
        .coverage
        .iter()
        .filter(|host| !host.losses.is_empty() || host.missing_exchanges > 0)
        .map(|host| json!({"host": host.host, "losses": host.losses, "missing_exchanges": host.missing_exchanges}))
        .collect();
    let manifest = json!({
        "schema": EVIDENCE_SCHEMA,
        "version": summary.version,
        "from": summary.first_time,
        "until": summary.last_time,
        "hosts": summary.hosts,
        "exchanges": summary.exchanges,
        "channels_examined": summary.channels_examined,
        "channels_not_listed": summary.not_listed,
        "findings": report.findings.len(),
        "cadence": {"tested": summary.cadence_tested, "threshold": summary.cadence_threshold},
        "inputs": inputs,
        "losses": losses,
        "notes": summary.notes,
        "options": options,
        "settings": settings,
        "assets": files(&in_force.assets),
        "baselines": files(&in_force.baselines),
        "approvals": {"all": in_force.approvals.0, "expired": in_force.approvals.1},
        "code": files(&in_force.code),
        "attack": attack_in_force(summary),
    });
    // Line by line: the line ends are ours, within strings they are escapes already.
    serde_json::to_string_pretty(&manifest)?.lines().try_for_each(|line| writeln!(to, "{}", escape::json(line)))
}

/// The analytic, and the state of it that was in force.
fn attack_in_force(summary: &HuntSummary) -> Value {
    let state = &summary.attack;
    let same_in: &[&str] = if state.is_as_built_in() { &attack::BUILT_IN_SAME_IN } else { &[] };
    json!({
        "analytic": attack::ANALYTIC,
        "strategy": attack::STRATEGY,
        "technique": attack::ONE_WAY_TECHNIQUE,
        "source": state.source,
        "release": state.release,
        "analytic_sha256": state.analytic_sha256,
        "analytic_as_built_in": state.is_as_built_in(),
        "analytic_same_in_releases": same_in,
        "snapshot": summary.attack_snapshot,
    })
}

/// Hostile text within a line of Markdown.
fn inert(text: &str) -> String {
    let mut safe = String::new();
    // Quotes mean nothing outside a tag, and escaped they are hard to read.
    for character in escape::html(text).replace("&quot;", "\"").replace("&#39;", "'").chars() {
        if matches!(character, '`' | '*' | '_' | '[' | ']' | '|' | '\\' | '#') {
            safe.push('\\');
        }
        safe.push(character);
    }
    safe
}

/// The statement, for people: Markdown.
///
/// # Errors
/// When writing fails.
pub fn statement(report: &Report, in_force: &InForce, to: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(to, "# What was looked at, and what may be said of it\n\n{}\n", inert(&words::answer(report)))?;
    writeln!(
        to,
        "Written by Monologue {}. `manifest.json` has all of this for machines, with the hash of every input.\n",
        inert(&summary.version)
    )?;
    collected(report, to)?;
    lost(report, to)?;
    claims(report, to)?;
    not_claimed(report, to)?;
    force(in_force, summary, to)?;
    writeln!(
        to,
        "## How to check it\n\n`sha256sum --check SHA256SUMS` in this folder checks its files. `manifest.json` names the hash of every input as it was \
         stored. The same version with the same inputs, options and baselines writes the same bytes again; only approvals that expire change \
         that, and the manifest counts them. `monologue explain ID --findings findings.ndjson --evidence PATH…` leads each citation back to \
         its bytes."
    )
}

fn collected(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "## What was collected\n\n| format | inputs | events | not used | malformed |\n| --- | ---: | ---: | ---: | ---: |"
    )?;
    let mut by_format: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for source in &report.summary.sources {
        let sum = by_format.entry(source.format.as_deref().unwrap_or("not read")).or_default();
        let more = [1, source.events, source.skipped, source.malformed];
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
    for (format, [inputs, events, skipped, malformed]) in by_format {
        writeln!(to, "| {} | {inputs} | {events} | {skipped} | {malformed} |", inert(format))?;
    }
    writeln!(to, "\nBy host, with the times for which a source says that it was complete:\n")?;
    for host in report.summary.coverage.iter().take(LISTED) {
        let formats: Vec<String> = host
            .formats
            .iter()
            .map(|format| {
                format!("{} {} to {}", inert(&format.format), words::moment(format.from), words::moment(format.until))
            })
            .collect();
        let formats = if formats.is_empty() { "none says so".to_owned() } else { formats.join("; ") };
        writeln!(to, "- {}: {formats}", inert(&host.host))?;
    }
    more(report.summary.coverage.len(), "hosts", to)
}

fn lost(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\n## What was lost\n")?;
    let lossy: Vec<_> =
        report.summary.coverage.iter().filter(|host| !host.losses.is_empty() || host.missing_exchanges > 0).collect();
    if lossy.is_empty() {
        writeln!(
            to,
            "No source says that it lost anything. A record that vanishes without a trace cannot be missed by anybody."
        )?;
    }
    for host in lossy.iter().take(LISTED) {
        let losses: Vec<String> = host
            .losses
            .iter()
            .map(|loss| {
                let records =
                    loss.records.map_or_else(|| "not counted".to_owned(), |count| words::plural(count, "record"));
                let times = words::plural(loss.stretches, "time");
                format!("{}: {}, {times} ({records})", inert(&loss.format), loss.reason.words())
            })
            .collect();
        let absence = if host.missing_exchanges > 0 { "; nothing is said from absence here" } else { "" };
        writeln!(to, "- {}: {}{absence}", inert(&host.host), losses.join("; "))?;
    }
    more(lossy.len(), "hosts", to)?;
    let refused: Vec<_> = report.summary.sources.iter().filter(|source| source.refused.is_some()).collect();
    for source in refused.iter().take(LISTED) {
        writeln!(
            to,
            "- not read: {}: {}",
            inert(&source.source),
            inert(words::refusal(source.refused.as_deref().unwrap_or_default()).0)
        )?;
    }
    more(refused.len(), "inputs that were not read", to)
}

fn claims(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\n## What may be claimed\n")?;
    for disposition in [
        Disposition::NoReply,
        Disposition::ReplyUnhandled,
        Disposition::PullOnly,
        Disposition::TwoWay,
        Disposition::Unknown,
    ] {
        let of = report.findings.iter().filter(|finding| finding.disposition == disposition);
        let urgent = of.clone().filter(|finding| finding.level >= Level::Medium).count();
        let count = of.count();
        if count > 0 {
            writeln!(
                to,
                "- {count} findings are `{}`, {urgent} of them at level medium or above.",
                disposition.name()
            )?;
        }
    }
    for claim in &report.summary.claims.summary {
        if claim.host_hours.holds > 0 {
            writeln!(
                to,
                "- In {} of {} host-hours, on {}, {}.",
                claim.host_hours.holds,
                claim.host_hours.of(),
                words::plural(claim.hosts_holding, "host"),
                inert(claim.claim.sentence)
            )?;
        }
    }
    Ok(())
}

fn not_claimed(report: &Report, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "\n## What may not be claimed\n\n\
         - That nothing else happened. No finding means: nothing found where one could look.\n\
         - That a program used a response because a log shows it. Logs show that it was received.\n\
         - That one-way traffic is malice. A score is an argument in numbers; it is not measured on this fleet.\n\
         - Anything about the time before and after the window."
    )?;
    for claim in &report.summary.claims.summary {
        let ClaimHours { partly, blind, .. } = claim.host_hours;
        if partly + blind > 0 {
            let what = inert(claim.claim.sentence);
            writeln!(to, "- That {what}: not in {blind} host-hours, and only in part in {partly} more.")?;
        }
    }
    writeln!(to, "\nWhat no record of the kind that was collected can show:\n")?;
    let mut spots: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for host in &report.summary.coverage {
        for spot in coverage::blind_spots(host) {
            spots.entry(spot).or_default().push(&host.host);
        }
    }
    for (spot, hosts) in spots.iter().take(LISTED) {
        let named: Vec<String> = hosts.iter().take(5).map(|host| inert(host)).collect();
        let rest = if hosts.len() > 5 { format!(" and {} more", hosts.len() - 5) } else { String::new() };
        writeln!(to, "- {} ({}{rest})", inert(spot), named.join(", "))?;
    }
    more(spots.len(), "blind spots", to)
}

fn force(in_force: &InForce, summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\n## What was in force\n")?;
    for (name, values) in &in_force.options {
        let values: Vec<String> = values.iter().map(|value| inert(value)).collect();
        match values.as_slice() {
            [] => writeln!(to, "- {name}: not given")?,
            few if few.len() <= FEW => writeln!(to, "- {name}: {}", few.join(", "))?,
            many => writeln!(to, "- {name}:\n  - {}", many.join("\n  - "))?,
        }
    }
    let (all, expired) = in_force.approvals;
    writeln!(to, "- approvals: {all}, of which {expired} had expired")?;
    for file in in_force.baselines.iter().chain(&in_force.assets).chain(&in_force.code) {
        let hash = file.sha256.map_or_else(|| "not hashed".to_owned(), |hash| hash.to_string());
        writeln!(to, "- {}: {hash}", inert(&file.name))?;
    }
    writeln!(
        to,
        "- {}\n- the {} numbers the hunt decides by stand in `manifest.json` under `settings`\n",
        inert(&words::attack(summary)),
        in_force.settings.len()
    )
}

fn more(count: usize, what: &str, to: &mut dyn Write) -> io::Result<()> {
    if count > LISTED {
        writeln!(to, "- and {} more {what}", count - LISTED)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_text_in_markdown() {
        assert_eq!(inert("a|b`c`[x](y)<b>"), r"a\|b\`c\`\[x\](y)&lt;b&gt;");
    }

    #[test]
    fn the_same_report_gives_the_same_bytes_and_the_manifest_is_json() {
        let in_force = InForce { settings: vec![("prior", -20.0, "decibans")], ..InForce::default() };
        let written = || {
            let mut bytes = Vec::new();
            manifest(&Report::default(), &in_force, &mut bytes).unwrap();
            bytes
        };
        assert_eq!(written(), written());
        let value: Value = serde_json::from_slice(&written()).unwrap();
        assert_eq!(value["schema"], EVIDENCE_SCHEMA);
        assert_eq!(value["settings"]["prior"]["value"], -20.0);
        let mut text = Vec::new();
        statement(&Report::default(), &in_force, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for heading in ["collected", "lost", "may be claimed", "may not be claimed", "in force", "check it"] {
            assert!(text.contains(heading), "{heading}");
        }
    }
}
