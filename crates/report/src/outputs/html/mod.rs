//! `html`: one self-contained page for people. No network request, safe with hostile strings; the one script it runs is its own,
//! named by hash, and the page reads without it.

mod finding;
mod frame;
mod lead;
mod list;
mod sections;
mod timeline;

use crate::{Output, coverage, escape};
use monologue_model::{Finding, HuntSummary, Report};
use std::io::{self, Write};

/// The style of every page.
pub(crate) const STYLE: &str = include_str!("style.css");

/// Turns pages of the list, filters it, and brings findings up. Without it the first ones are there all the same.
const SCRIPT: &str = include_str!("script.js");

/// Findings that are open when the page is opened.
const OPEN_FINDINGS: usize = 3;

/// Findings that stand in the page itself; the rest lie folded away until they are asked for.
const STANDING_FINDINGS: usize = 30;

/// Findings told in full; the rest are told in short, with the command that tells them in full.
const FULL_FINDINGS: usize = 500;

/// The `html` output.
pub(crate) struct Html;

impl Output for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one self-contained page: what was found, what could not be seen, what to do; then findings with timelines"
    }

    fn source(&self) -> &'static str {
        include_str!("mod.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        frame::begin(to, "Monologue report", SCRIPT)?;
        writeln!(
            to,
            "<a class=\"skip\" href=\"#findings\">To the findings</a>\n<header><p class=\"brand\">Monologue</p>\
             <h1>One-way command and control on Macs</h1><nav aria-label=\"Parts\"><a href=\"#findings\">Findings</a> \
             <a href=\"#coverage\">What could be seen</a> <a href=\"#inputs\">Inputs</a> <a href=\"#methods\">Methods and limits</a></nav></header>\n<main>"
        )?;
        lead::write(to, report)?;
        findings(to, report)?;
        if !report.summary.coverage.is_empty() {
            writeln!(to, "<h2 id=\"coverage\">What could be seen</h2>")?;
            coverage::section(to, &report.summary)?;
        }
        sections::sources(to, &report.summary)?;
        sections::methods(to, &report.summary)?;
        writeln!(to, "</main>")?;
        if !report.findings.is_empty() {
            list::data(to, &report.findings)?;
            writeln!(to, "<script>{SCRIPT}</script>")?;
        }
        writeln!(to, "</body>\n</html>")
    }
}

fn findings(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    let Report { summary, findings } = report;
    writeln!(to, "<h2 id=\"findings\" tabindex=\"-1\">Findings</h2>")?;
    if findings.is_empty() {
        return writeln!(
            to,
            "<p>None is listed. That is no clean bill: it means that nothing was found where one could look.</p>"
        );
    }
    list::table(to, findings)?;
    // What the script brings up comes first, so that it is next to the list.
    writeln!(to, "<div id=\"called\"></div>")?;
    for (at, found) in findings.iter().enumerate() {
        let depth = if at < FULL_FINDINGS { finding::Depth::Full } else { finding::Depth::Short };
        if at < STANDING_FINDINGS {
            finding::write(to, summary, found, depth, at < OPEN_FINDINGS)?;
        } else {
            writeln!(to, "<template id=\"t{}\">", anchor(found))?;
            finding::write(to, summary, found, depth, false)?;
            writeln!(to, "</template>")?;
        }
    }
    if findings.len() > STANDING_FINDINGS {
        let rest = findings.len() - STANDING_FINDINGS;
        writeln!(
            to,
            "<p class=\"note\">{rest} more findings come up when they are chosen from the list, which needs this page's own script to run. \
             The json output holds all of them.</p>"
        )?;
    }
    Ok(())
}

/// Hostile text made safe for the page.
fn safe(text: &str) -> String {
    escape::html(text)
}

/// The id of an ATT&CK object, as a link where there is a page to link to.
fn cited(summary: &HuntSummary, id: &str) -> String {
    match summary.attack_pages.as_ref().and_then(|pages| pages.page(id)) {
        Some(page) => format!("<a href=\"{}\">{}</a>", safe(&page), safe(id)),
        None => safe(id),
    }
}

/// The short name of a finding, for anchors: hexadecimal digits only.
fn anchor(finding: &Finding) -> String {
    format!("f{}", finding.id)
}

/// Who asked, for the page.
fn asker(finding: &Finding) -> String {
    match &finding.application.agent {
        Some(agent) => format!("{} <small>for {}</small>", safe(&finding.application.name), safe(agent)),
        None => safe(&finding.application.name),
    }
}
