//! The last parts of the page: what was read, and how it was done.

use super::{cited, safe};
use crate::words;
use monologue_model::{HuntSummary, Timestamp, attack};
use std::io::{self, Write};

/// Inputs listed; more are counted.
const INPUTS_SHOWN: usize = 500;

/// What was read.
pub(super) fn sources(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if summary.sources.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "<h2 id=\"inputs\">Inputs</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Inputs\"><table><thead><tr><th>Source</th><th>Read as</th><th class=\"n\">Events</th>\
         <th class=\"n\">Not used</th><th class=\"n\">Malformed</th></tr></thead><tbody>"
    )?;
    for source in summary.sources.iter().take(INPUTS_SHOWN) {
        let read_as = match (&source.format, &source.refused) {
            (Some(format), _) => safe(format),
            (None, Some(reason)) => not_read(reason),
            (None, None) => String::new(),
        };
        let problems: String =
            source.problems.iter().map(|problem| format!("<br><small>{}</small>", safe(problem))).collect();
        writeln!(
            to,
            "<tr><td>{}{problems}</td><td>{read_as}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            safe(&source.source),
            source.events,
            source.skipped,
            source.malformed,
        )?;
    }
    writeln!(to, "</tbody></table></div>")?;
    if summary.sources.len() > INPUTS_SHOWN {
        writeln!(to, "<p class=\"note\">{} more inputs are not listed.</p>", summary.sources.len() - INPUTS_SHOWN)?;
    }
    Ok(())
}

/// A refusal; the reasons of all formats are folded away.
fn not_read(reason: &str) -> String {
    match words::refusal(reason) {
        (short, None) => format!("<span class=\"note\">not read: {}</span>", safe(short)),
        (short, Some(reasons)) => format!(
            "<details class=\"note\"><summary>not read: {}</summary>{}</details>",
            safe(short),
            reasons.split("; ").map(safe).collect::<Vec<_>>().join(";<br>")
        ),
    }
}

/// How it was done, and what may not be concluded.
pub(super) fn methods(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    let window = |time: Option<Timestamp>| time.map_or_else(|| "?".to_owned(), words::moment);
    writeln!(
        to,
        "<h2 id=\"methods\">Methods and limits</h2>\n<p>Absence of data is never absence of a response: a sentence about something that did not \
         happen is made only where every exchange that may belong to the channel was seen by a sensor that would have shown it. \
         Everywhere else the answer is <i>unknown</i>.</p>\n<ul>\n\
         <li><b>no-reply</b>: asked, and nothing came back.</li>\n\
         <li><b>reply-unhandled</b>: replies came, and nothing used them (MITRE ATT&amp;CK AN1601 to the letter).</li>\n\
         <li><b>pull-only</b>: the reply was used, and nothing went back over this service (T1102.003 proper).</li>\n\
         <li><b>two-way</b>: the reply was used, and results went back.</li>\n\
         <li><b>unknown</b>: the evidence does not settle it; the finding says what is missing.</li>\n</ul>\n\
         <p>{} A score is the probability that the listed weights mean, with a documented prior; it is reasoned, not measured on \
         your fleet. The claims hold for the observed window, {} to {} UTC.</p>\n\
         <p class=\"note\">Analytic {}, detection strategy {}, technique {}: © The MITRE Corporation, reproduced with \
         permission. {} Monologue {}.</p>",
        safe(&words::discovery(summary)),
        window(summary.first_time),
        window(summary.last_time),
        cited(summary, attack::ANALYTIC),
        cited(summary, attack::STRATEGY),
        cited(summary, attack::ONE_WAY_TECHNIQUE),
        safe(&words::attack(summary)),
        safe(&summary.version),
    )
}
