//! The first page: what was found, what could not be seen, what to do. For a reader with one minute.

use super::{anchor, safe};
use crate::{escape::html_with_code, words};
use monologue_model::{Finding, HuntSummary, Level, Report};
use std::io::{self, Write};

/// Findings named on the first page.
const NAMED: usize = 5;

/// Notes that are open on the first page; more are folded away.
const NOTES_SHOWN: usize = 6;

/// Claims named that do not hold everywhere.
const CLAIMS_NAMED: usize = 3;

/// Writes the page.
pub(super) fn write(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        to,
        "<section class=\"lead\" aria-label=\"Summary\">\n<p class=\"answer\">{}</p>",
        safe(&words::answer(report))
    )?;
    tiles(to, report)?;
    writeln!(to, "<div class=\"columns\">")?;
    found(to, &report.findings)?;
    not_seen(to, report)?;
    to_do(to, report)?;
    writeln!(to, "</div>\n</section>")
}

fn tiles(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    let count = |level: Level| report.findings.iter().filter(|finding| finding.level == level).count();
    writeln!(to, "<div class=\"tiles\">")?;
    for level in [Level::Critical, Level::High, Level::Medium] {
        writeln!(to, "<div class=\"tile {0}\"><b>{1}</b><span>{0}</span></div>", level.name(), count(level))?;
    }
    writeln!(
        to,
        "<div class=\"tile\"><b>{}</b><span>channels looked at</span></div><div class=\"tile\"><b>{}</b><span>hosts</span></div>",
        report.summary.channels_examined, report.summary.hosts,
    )?;
    if let Some(first) = report.summary.claims.summary.first() {
        writeln!(
            to,
            "<div class=\"tile\"><b>{} %</b><span>of host-hours in which a process that ignores replies would be seen</span></div>",
            words::percent(first.host_hours.percent()),
        )?;
    }
    writeln!(to, "</div>")
}

fn found(to: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    writeln!(to, "<div><h2>What was found</h2>")?;
    if findings.is_empty() {
        writeln!(to, "<p>Nothing at the level that was asked for, where one could look.</p>")?;
    } else {
        writeln!(to, "<ol>")?;
        for finding in findings.iter().take(NAMED) {
            writeln!(
                to,
                "<li><span class=\"level {0}\">{0}</span> <a href=\"#{1}\">{2}</a></li>",
                finding.level.name(),
                anchor(finding),
                safe(&finding.sentence),
            )?;
        }
        writeln!(to, "</ol>")?;
        if findings.len() > NAMED {
            writeln!(
                to,
                "<p class=\"note\">And {} more, <a href=\"#findings\">in the list</a>.</p>",
                findings.len() - NAMED
            )?;
        }
    }
    writeln!(to, "</div>")
}

fn not_seen(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(to, "<div><h2>What could not be seen</h2><ul>")?;
    let unknown = report.findings.iter().filter(|finding| !finding.disposition.is_definite()).count();
    if unknown > 0 {
        writeln!(
            to,
            "<li>For {unknown} of {} findings the evidence does not suffice to say what became of the responses. Each names what would settle it.</li>",
            report.findings.len(),
        )?;
    }
    let mut open: Vec<_> = summary
        .claims
        .summary
        .iter()
        .filter(|claim| claim.host_hours.holds < claim.host_hours.of() && claim.claim.hosts == 1)
        .collect();
    // The sort is stable: of two that hold as seldom, the more telling stays first.
    open.sort_by_key(|claim| claim.host_hours.holds);
    for claim in open.iter().take(CLAIMS_NAMED) {
        let hours = claim.host_hours;
        writeln!(
            to,
            "<li>In {} of {} host-hours it cannot be said, or only in part, that {}.</li>",
            hours.of() - hours.holds,
            hours.of(),
            safe(claim.claim.sentence),
        )?;
    }
    if open.len() > CLAIMS_NAMED {
        writeln!(
            to,
            "<li>{} more claims do not hold in every hour: <a href=\"#coverage\">hour by hour</a>.</li>",
            open.len() - CLAIMS_NAMED
        )?;
    }
    losses(to, summary)?;
    let (first, rest) = summary.notes.split_at(summary.notes.len().min(NOTES_SHOWN));
    first.iter().try_for_each(|note| writeln!(to, "<li>{}</li>", safe(note)))?;
    writeln!(to, "</ul>")?;
    if !rest.is_empty() {
        writeln!(to, "<details><summary>{} more notes</summary><ul>", rest.len())?;
        rest.iter().try_for_each(|note| writeln!(to, "<li>{}</li>", safe(note)))?;
        writeln!(to, "</ul></details>")?;
    }
    writeln!(to, "</div>")
}

/// Hosts on which nothing is said from absence, and inputs that could not be read.
fn losses(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    let refused = summary.sources.iter().filter(|source| source.refused.is_some()).count();
    let malformed: u64 = summary.sources.iter().map(|source| source.malformed).sum();
    if refused > 0 {
        writeln!(to, "<li>{} of {} inputs were not read.</li>", refused, summary.sources.len())?;
    }
    if malformed > 0 {
        writeln!(to, "<li>{malformed} records could not be read.</li>")?;
    }
    Ok(())
}

fn to_do(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(to, "<div><h2>What to do</h2><ol>")?;
    for finding in report.findings.iter().take(3) {
        if let Some(step) = finding.triage.first() {
            writeln!(
                to,
                "<li>{} <a href=\"#{}\">(finding {})</a></li>",
                html_with_code(step),
                anchor(finding),
                finding.id.to_string().chars().take(8).collect::<String>(),
            )?;
        }
    }
    for step in report.summary.claims.steps.iter().take(2) {
        writeln!(to, "<li>To see more, on {}: {}</li>", words::plural(step.hosts, "host"), html_with_code(&step.step))?;
    }
    writeln!(to, "</ol></div>")
}
