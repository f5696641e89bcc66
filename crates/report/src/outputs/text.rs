//! `text`: the report for a terminal, in plain words.

use crate::{
    Output,
    escape::terminal,
    words,
    wrap::{item, paragraph},
};
use monologue_model::{Finding, HuntSummary, Report, Sight};
use std::io::{self, Write};

/// Citations shown of one finding.
const CITES_SHOWN: usize = 4;

/// Triage steps shown of one finding.
const STEPS_SHOWN: usize = 9;

/// Hosts and sources shown.
const LINES_SHOWN: usize = 40;

/// Sights shown in the coverage lines: one of each layer.
const KEY_SIGHTS: [Sight; 5] =
    [Sight::ProcessExec, Sight::FileEffect, Sight::TaskLifecycle, Sight::FlowReply, Sight::HttpResponse];

/// The `text` output.
pub(crate) struct Text;

impl Output for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "plain words for a terminal (the default)"
    }

    fn source(&self) -> &'static str {
        include_str!("text.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        paragraph(to, "", &words::answer(report))?;
        for (at, finding) in report.findings.iter().enumerate() {
            writeln!(to)?;
            write_finding(to, at + 1, finding)?;
        }
        writeln!(to)?;
        write_summary(to, &report.summary)
    }
}

fn write_finding(to: &mut dyn Write, number: usize, finding: &Finding) -> io::Result<()> {
    let id: String = finding.id.to_string().chars().take(12).collect();
    let sure = finding.confidence.map_or_else(String::new, |confidence| format!(" ({} confidence)", confidence.name()));
    writeln!(to, "{number}. {} · {}{sure} · {id}", finding.level.name().to_uppercase(), finding.disposition.name())?;
    paragraph(to, "   ", &finding.sentence)?;
    if let Some(leaning) = finding.leaning {
        paragraph(
            to,
            "   ",
            &format!("It leans to {} (what was seen looks like it; this is no claim).", leaning.name()),
        )?;
    }
    if let Some(reason) = &finding.level_reason {
        paragraph(to, "   ", &format!("The level is held down: {reason}."))?;
    }
    if let Some(drift) = &finding.drift {
        paragraph(to, "   ", &format!("Drift: the application is {drift}."))?;
    }
    for (label, value) in words::facts(finding) {
        item(to, &format!("   {label:<13}"), &value)?;
    }
    writeln!(to, "   What the layers say of the responses:")?;
    for layer in &finding.layers {
        let text = format!("{}. {}", layer.says.words(), layer.sentence);
        item(to, &format!("     {:<8}", layer.layer), &text)?;
    }
    for contradiction in &finding.contradictions {
        item(to, "     contradiction: ", contradiction)?;
    }
    writeln!(to, "   Why, in decibans (+10 is ten times likelier):")?;
    for signal in finding.signals.iter().filter(|signal| signal.weight != 0.0) {
        item(to, &format!("   {:>+7.1}  ", signal.weight), &format!("{}: {}", signal.id, signal.why))?;
    }
    let sum: f64 = finding.signals.iter().map(|signal| signal.weight).sum();
    writeln!(to, "   {sum:>+7.1}  sum, which means a probability of {:.3}", finding.score)?;
    if !finding.blind.is_empty() {
        writeln!(to, "   Not seen:")?;
        for blind in &finding.blind {
            let text = format!(
                "{} ({} of {}); it would say {}. To see it: {}",
                blind.sight, blind.seen, blind.of, blind.consequence, blind.collect
            );
            item(to, "     - ", &text)?;
        }
    }
    writeln!(to, "   Next:")?;
    for step in finding.triage.iter().take(STEPS_SHOWN) {
        item(to, "     - ", step)?;
    }
    let mut cites: Vec<_> = finding.signals.iter().flat_map(|signal| &signal.cites).collect();
    let mut known = std::collections::BTreeSet::new();
    cites.retain(|cite| known.insert(&cite.provenance));
    if !cites.is_empty() {
        writeln!(to, "   Evidence:")?;
        for cite in cites.iter().take(CITES_SHOWN) {
            let place = format!(
                "{} at byte {}, {} bytes",
                cite.provenance.source, cite.provenance.offset, cite.provenance.length
            );
            let note = if cite.note.is_empty() { String::new() } else { format!(" ({})", cite.note) };
            item(to, "     - ", &format!("{place}{note}"))?;
        }
        if cites.len() > CITES_SHOWN {
            writeln!(to, "     - and {} more in the json output", cites.len() - CITES_SHOWN)?;
        }
    }
    Ok(())
}

fn write_summary(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if !summary.coverage.is_empty() {
        writeln!(to, "What could be seen, in % of each host's time:")?;
        let names: Vec<&str> = KEY_SIGHTS.iter().map(|sight| sight.name()).collect();
        writeln!(to, "   {:<28}{}", "host", names.iter().map(|name| format!("{name:>15}")).collect::<String>())?;
        for host in summary.coverage.iter().take(LINES_SHOWN) {
            let name: String = terminal(&host.host).chars().take(27).collect();
            let cells: String =
                KEY_SIGHTS.iter().map(|sight| format!("{:>15}", words::percent(host.percent(*sight)))).collect();
            writeln!(to, "   {name:<28}{cells}")?;
        }
        more(to, summary.coverage.len(), "hosts")?;
    }
    let troubled: Vec<_> =
        summary.sources.iter().filter(|source| source.refused.is_some() || source.malformed > 0).collect();
    let events: u64 = summary.sources.iter().map(|source| source.events).sum();
    writeln!(to, "Read {events} events from {} inputs.", summary.sources.len())?;
    for source in troubled.iter().take(LINES_SHOWN) {
        let what = match &source.refused {
            Some(reason) => format!("not read: {}", words::refusal(reason).0),
            None => format!("{} malformed of {}", source.malformed, source.events + source.skipped + source.malformed),
        };
        item(to, "   - ", &format!("{}: {what}", source.source))?;
    }
    more(to, troubled.len(), "inputs")?;
    for note in &summary.notes {
        item(to, "Note: ", note)?;
    }
    item(to, "", &words::discovery(summary))?;
    item(to, "", &words::attack(summary))
}

fn more(to: &mut dyn Write, count: usize, what: &str) -> io::Result<()> {
    if count > LINES_SHOWN {
        writeln!(to, "   … and {} more {what}", count - LINES_SHOWN)?;
    }
    Ok(())
}
