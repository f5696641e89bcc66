//! `html`: one self-contained page for people. No script, no network request, safe with hostile strings.

mod coverage;
mod sections;
mod timeline;

use crate::{Output, escape, words};
use monologue_model::Report;
use std::io::{self, Write};

/// What the page may do: show its own style, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Findings that are open when the page is opened; the rest are folded.
const OPEN_FINDINGS: usize = 3;

/// The `html` output.
pub(crate) struct Html;

impl Output for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one self-contained page: findings, why, timelines, what could not be seen"
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        write!(
            to,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n<title>Monologue report</title>\n<style>\n{}</style>\n</head>\n<body>\n",
            include_str!("style.css"),
        )?;
        writeln!(
            to,
            "<header><p class=\"brand\">Monologue</p><h1>One-way command and control on Macs</h1></header>\n<main>"
        )?;
        sections::summary(to, report)?;
        sections::table(to, &report.findings)?;
        if !report.findings.is_empty() {
            writeln!(to, "<h2 id=\"findings\">Findings</h2>")?;
        }
        for (at, finding) in report.findings.iter().enumerate() {
            sections::finding(to, finding, at < OPEN_FINDINGS)?;
        }
        coverage::section(to, &report.summary)?;
        sections::sources(to, &report.summary)?;
        sections::methods(to, &report.summary)?;
        writeln!(to, "</main>\n</body>\n</html>")
    }
}

/// Hostile text made safe for the page.
fn safe(text: &str) -> String {
    escape::html(text)
}

/// The short name of a finding, for anchors: hexadecimal digits only.
fn anchor(finding: &monologue_model::Finding) -> String {
    format!("f{}", finding.id)
}

/// The answer in a few sentences, safe for the page.
fn answer(report: &Report) -> String {
    safe(&words::answer(report))
}
