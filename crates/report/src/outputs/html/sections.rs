//! The parts of the page that are text and tables.

use super::{anchor, answer, safe, timeline};
use crate::words;
use monologue_model::{Finding, HuntSummary, LayerSays, Level, Report, Timestamp};
use std::io::{self, Write};

/// Findings listed in the table; more are still shown below it.
const TABLE_ROWS: usize = 200;

/// What was found, what could not be seen, what to do: for a reader with one minute.
pub(super) fn summary(to: &mut dyn Write, report: &Report) -> io::Result<()> {
    let count = |level: Level| report.findings.iter().filter(|finding| finding.level == level).count();
    writeln!(to, "<section class=\"lead\">\n<p class=\"answer\">{}</p>\n<div class=\"tiles\">", answer(report))?;
    for level in [Level::Critical, Level::High, Level::Medium] {
        writeln!(to, "<div class=\"tile {0}\"><b>{1}</b><span>{0}</span></div>", level.name(), count(level))?;
    }
    writeln!(
        to,
        "<div class=\"tile\"><b>{}</b><span>channels looked at</span></div><div class=\"tile\"><b>{}</b><span>hosts</span></div></div>",
        report.summary.channels_examined, report.summary.hosts,
    )?;
    let unknown = report.findings.iter().filter(|finding| !finding.disposition.is_definite()).count();
    if unknown > 0 {
        writeln!(
            to,
            "<p><b>Could not be settled:</b> for {unknown} of the findings the evidence does not suffice to say what became of \
             the responses. Each names the one collection step that would settle it.</p>"
        )?;
    }
    if let Some(first) = report.findings.first().and_then(|finding| finding.triage.first().map(|step| (finding, step)))
    {
        writeln!(
            to,
            "<p><b>Do first:</b> {} <a href=\"#{}\">(finding {})</a></p>",
            safe(first.1),
            anchor(first.0),
            short(first.0),
        )?;
    }
    for note in &report.summary.notes {
        writeln!(to, "<p class=\"note\">{}</p>", safe(note))?;
    }
    writeln!(to, "</section>")
}

fn short(finding: &Finding) -> String {
    finding.id.to_string().chars().take(8).collect()
}

fn asker(finding: &Finding) -> String {
    match &finding.application.agent {
        Some(agent) => format!("{} <small>for {}</small>", safe(&finding.application.name), safe(agent)),
        None => safe(&finding.application.name),
    }
}

/// All findings at a glance.
pub(super) fn table(to: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "<div class=\"scroll\"><table class=\"list\"><thead><tr><th>Level</th><th>What happened</th><th>Application</th>\
         <th>Destination</th><th>Host</th><th class=\"n\">Requests</th><th class=\"n\">Score</th></tr></thead><tbody>"
    )?;
    for finding in findings.iter().take(TABLE_ROWS) {
        writeln!(
            to,
            "<tr><td><span class=\"level {0}\">{0}</span></td><td class=\"what\"><a href=\"#{1}\">{2}</a></td><td>{3}</td><td>{4}</td><td>{5}</td>\
             <td class=\"n\">{6}</td><td class=\"n\">{7:.3}</td></tr>",
            finding.level.name(),
            anchor(finding),
            finding.disposition.name(),
            asker(finding),
            safe(&finding.destination.host),
            safe(&finding.host),
            finding.exchanges,
            finding.score,
        )?;
    }
    writeln!(to, "</tbody></table></div>")?;
    if findings.len() > TABLE_ROWS {
        writeln!(to, "<p class=\"note\">{} more findings follow below.</p>", findings.len() - TABLE_ROWS)?;
    }
    Ok(())
}

/// One finding.
pub(super) fn finding(to: &mut dyn Write, finding: &Finding, open: bool) -> io::Result<()> {
    writeln!(
        to,
        "<details class=\"finding\" id=\"{}\"{}><summary><span class=\"level {2}\">{2}</span> <b>{3}</b> {4} → {5}</summary>",
        anchor(finding),
        if open { " open" } else { "" },
        finding.level.name(),
        finding.disposition.name(),
        asker(finding),
        safe(&finding.destination.host),
    )?;
    writeln!(to, "<p class=\"sentence\">{}</p>", safe(&finding.sentence))?;
    if let Some(confidence) = finding.confidence {
        let readings: Vec<&str> = finding.readings.iter().map(|reading| words::reading(*reading)).collect();
        writeln!(
            to,
            "<p class=\"note\">Confidence in this disposition: <b>{}</b>. In the words of ATT&amp;CK: {}.</p>",
            confidence.name(),
            safe(&readings.join("; ")),
        )?;
    }
    if let Some(leaning) = finding.leaning {
        writeln!(to, "<p>It leans to <b>{}</b>: what was seen looks like it. This is no claim.</p>", leaning.name())?;
    }
    if let Some(reason) = &finding.level_reason {
        writeln!(to, "<p class=\"note\">The level is held down: {}.</p>", safe(reason))?;
    }
    if let Some(drift) = &finding.drift {
        writeln!(to, "<p class=\"contradiction\"><b>Drift:</b> the application is {}.</p>", safe(drift))?;
    }
    layers(to, finding)?;
    timeline::draw(to, finding)?;
    writeln!(to, "<dl class=\"facts\">")?;
    for (label, value) in words::facts(finding) {
        writeln!(to, "<dt>{label}</dt><dd>{}</dd>", safe(&value))?;
    }
    writeln!(to, "</dl>")?;
    signals(to, finding)?;
    blind(to, finding)?;
    writeln!(to, "<h4>What to do next</h4><ol>")?;
    for step in &finding.triage {
        writeln!(to, "<li>{}</li>", safe(step))?;
    }
    writeln!(to, "</ol>")?;
    evidence(to, finding)?;
    writeln!(to, "<p class=\"id\">finding {}</p></details>", finding.id)
}

/// What each layer says of the responses: a strip of words, then the sentences.
fn layers(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    if finding.layers.is_empty() {
        return Ok(());
    }
    writeln!(to, "<div class=\"layers\">")?;
    for layer in &finding.layers {
        writeln!(
            to,
            "<div class=\"layer {}\" title=\"{}\"><b>{}</b><span>{}</span></div>",
            class_of(layer.says),
            safe(&layer.sentence),
            layer.layer,
            layer.says.words(),
        )?;
    }
    writeln!(to, "</div><ul class=\"said\">")?;
    for layer in finding.layers.iter().filter(|layer| layer.says != LayerSays::Blind) {
        writeln!(to, "<li><b>{}</b>: {}</li>", layer.layer, safe(&layer.sentence))?;
    }
    writeln!(to, "</ul>")?;
    for contradiction in &finding.contradictions {
        writeln!(to, "<p class=\"contradiction\"><b>Contradiction:</b> {}.</p>", safe(contradiction))?;
    }
    Ok(())
}

const fn class_of(says: LayerSays) -> &'static str {
    match says {
        LayerSays::Blind => "blind",
        LayerSays::Silent => "silent",
        LayerSays::NothingCame | LayerSays::Left => "supports",
        LayerSays::Came => "came",
        LayerSays::Used => "refutes",
    }
}

fn signals(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    writeln!(
        to,
        "<h4>Why</h4><div class=\"scroll\"><table class=\"signals\"><thead><tr><th class=\"n\">Decibans</th><th>Signal</th><th>Reason</th></tr></thead><tbody>"
    )?;
    for signal in finding.signals.iter().filter(|signal| signal.weight != 0.0) {
        writeln!(
            to,
            "<tr><td class=\"n\">{:+.1}</td><td><code>{}</code></td><td>{}</td></tr>",
            signal.weight,
            safe(signal.id),
            safe(&signal.why),
        )?;
    }
    let sum: f64 = finding.signals.iter().map(|signal| signal.weight).sum();
    let quiet: Vec<String> =
        finding.signals.iter().filter(|signal| signal.judgement == "silent").map(|signal| safe(signal.id)).collect();
    writeln!(
        to,
        "</tbody><tfoot><tr><td class=\"n\">{sum:+.1}</td><td>sum</td><td>a probability of {:.3}: 1 / (1 + 10<sup>−sum/10</sup>)</td></tr></tfoot></table></div>",
        finding.score,
    )?;
    if !quiet.is_empty() {
        writeln!(to, "<p class=\"note\">Looked and had nothing to say: {}.</p>", quiet.join(", "))?;
    }
    Ok(())
}

fn blind(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    if finding.blind.is_empty() {
        return Ok(());
    }
    writeln!(to, "<h4>What was not seen</h4><ul class=\"blind\">")?;
    for spot in &finding.blind {
        writeln!(
            to,
            "<li><code>{}</code>, seen for {} of {}: {}.<br><b>To see it:</b> {}</li>",
            spot.sight,
            spot.seen,
            spot.of,
            safe(&spot.consequence),
            safe(&spot.collect),
        )?;
    }
    writeln!(to, "</ul>")
}

fn evidence(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let cites: Vec<_> =
        finding.signals.iter().flat_map(|signal| signal.cites.iter().map(move |cite| (signal.id, cite))).collect();
    if cites.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "<details><summary>Evidence: {} citations</summary><div class=\"scroll\"><table><thead><tr><th>For</th><th>Source</th>\
         <th class=\"n\">Byte</th><th class=\"n\">Length</th><th>SHA-256</th></tr></thead><tbody>",
        cites.len()
    )?;
    for (id, cite) in cites {
        writeln!(
            to,
            "<tr><td><code>{}</code> {}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td><code class=\"hash\">{}</code></td></tr>",
            safe(id),
            safe(&cite.note),
            safe(&cite.provenance.source),
            cite.provenance.offset,
            cite.provenance.length,
            cite.provenance.sha256,
        )?;
    }
    writeln!(to, "</tbody></table></div></details>")
}

/// What was read.
pub(super) fn sources(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if summary.sources.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "<h2>Inputs</h2><div class=\"scroll\"><table><thead><tr><th>Source</th><th>Read as</th><th class=\"n\">Events</th>\
         <th class=\"n\">Not used</th><th class=\"n\">Malformed</th></tr></thead><tbody>"
    )?;
    for source in &summary.sources {
        let read_as = match (&source.format, &source.refused) {
            (Some(format), _) => safe(format),
            (None, Some(reason)) => format!("<span class=\"note\">not read: {}</span>", safe(reason)),
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
    writeln!(to, "</tbody></table></div>")
}

/// How it was done, and what may not be concluded.
pub(super) fn methods(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    let window = |time: Option<Timestamp>| time.map_or_else(|| "?".to_owned(), words::moment);
    writeln!(
        to,
        "<h2>Methods and limits</h2>\n<p>Absence of data is never absence of a response: a sentence about something that did not \
         happen is made only where every exchange that may belong to the channel was seen by a sensor that would have shown it. \
         Everywhere else the answer is <i>unknown</i>.</p>\n<ul>\n\
         <li><b>no-reply</b>: asked, and nothing came back.</li>\n\
         <li><b>reply-unhandled</b>: replies came, and nothing used them (MITRE ATT&amp;CK AN1601 to the letter).</li>\n\
         <li><b>pull-only</b>: the reply was used, and nothing went back over this service (T1102.003 proper).</li>\n\
         <li><b>two-way</b>: the reply was used, and results went back.</li>\n\
         <li><b>unknown</b>: the evidence does not settle it; the finding says what is missing.</li>\n</ul>\n\
         <p>{} A score is the probability that the listed weights mean, with a documented prior; it is reasoned, not measured on \
         your fleet. The claims hold for the observed window, {} to {} UTC.</p>\n\
         <p class=\"note\">Analytic AN1601, detection strategy DET0581, technique T1102.003: © The MITRE Corporation, reproduced with \
         permission. Monologue {}.</p>",
        safe(&words::discovery(summary)),
        window(summary.first_time),
        window(summary.last_time),
        safe(&summary.version),
    )
}
