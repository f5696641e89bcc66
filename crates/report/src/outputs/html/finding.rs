//! One finding on the page.

use super::{anchor, asker, cited, safe, timeline};
use crate::{escape::html_with_code, words};
use monologue_model::{Finding, HuntSummary, LayerSays, attack::CITED};
use std::io::{self, Write};

/// How much is told of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All of it.
    Full,
    /// What it is, and how to be told the rest: for one of thousands.
    Short,
}

/// Hosts drawn as marks in the picture of prevalence.
const HOSTS_DRAWN: u64 = 60;

/// Citations listed of one finding.
const CITES_SHOWN: usize = 40;

/// Writes one finding, folded unless `open`.
pub(super) fn write(
    to: &mut dyn Write,
    summary: &HuntSummary,
    finding: &Finding,
    depth: Depth,
    open: bool,
) -> io::Result<()> {
    writeln!(
        to,
        "<details class=\"finding\" id=\"{}\"{}><summary><span class=\"level {2}\">{2}</span> <b>{3}</b> {4} → {5} <span class=\"on\">on {6}</span></summary>",
        anchor(finding),
        if open { " open" } else { "" },
        finding.level.name(),
        finding.disposition.name(),
        asker(finding),
        safe(&finding.destination.host),
        safe(&finding.host),
    )?;
    what(to, summary, finding)?;
    match depth {
        Depth::Full => full(to, finding)?,
        Depth::Short => short(to, finding)?,
    }
    writeln!(to, "<p class=\"id\">finding {}</p></details>", finding.id)
}

fn what(to: &mut dyn Write, summary: &HuntSummary, finding: &Finding) -> io::Result<()> {
    writeln!(to, "<p class=\"sentence\">{}</p>", safe(&finding.sentence))?;
    if let Some(confidence) = finding.confidence {
        let readings: Vec<String> =
            finding.readings.iter().map(|reading| with_links(summary, words::reading(*reading))).collect();
        writeln!(
            to,
            "<p class=\"note\">Confidence in this disposition: <b>{}</b>. In the words of ATT&amp;CK: {}.</p>",
            confidence.name(),
            readings.join("; "),
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
    if let Some(approval) = &finding.approval {
        writeln!(
            to,
            "<p class=\"note\">Approved by {} until {}: {}.</p>",
            safe(&approval.owner),
            safe(&approval.expires),
            safe(&approval.reason)
        )?;
    }
    Ok(())
}

/// One of our own sentences, in which the ids of ATT&CK objects become links where there are pages.
fn with_links(summary: &HuntSummary, sentence: &str) -> String {
    CITED.iter().fold(safe(sentence), |text, id| text.replace(id, &cited(summary, id)))
}

fn full(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    layers(to, finding)?;
    lineage(to, finding)?;
    timeline::draw(to, finding)?;
    writeln!(to, "<dl class=\"facts\">")?;
    for (label, value) in words::facts(finding) {
        writeln!(to, "<dt>{label}</dt><dd>{}</dd>", safe(&value))?;
    }
    writeln!(to, "</dl>")?;
    prevalence(to, finding)?;
    signals(to, finding)?;
    blind(to, finding)?;
    related(to, finding)?;
    writeln!(to, "<h4>What to do next</h4><ol class=\"steps\">")?;
    for step in &finding.triage {
        writeln!(to, "<li>{}</li>", html_with_code(step))?;
    }
    writeln!(to, "</ol>")?;
    evidence(to, finding)
}

fn short(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let says: Vec<String> =
        finding.layers.iter().map(|layer| format!("{} {}", layer.layer, layer.says.words())).collect();
    let weighs: Vec<String> = finding
        .signals
        .iter()
        .filter(|signal| signal.weight != 0.0)
        .map(|signal| format!("{} {:+.1}", safe(signal.id), signal.weight))
        .collect();
    writeln!(
        to,
        "<p>{}.</p><p class=\"note\">{}</p><p class=\"note\">Told in short, as one of many: <code>monologue explain {} --findings FINDINGS.ndjson</code> tells all of it.</p>",
        safe(&says.join("; ")),
        weighs.join(", "),
        finding.id.to_string().chars().take(12).collect::<String>(),
    )
}

/// Who started whom, down to the destination.
fn lineage(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let Some(lineage) = &finding.application.lineage else { return Ok(()) };
    let program = finding.application.path.as_deref().unwrap_or(&finding.application.name);
    let mut steps: Vec<&str> = lineage.split(" → ").collect();
    if steps.last().is_none_or(|last| *last != program) {
        steps.push(program);
    }
    writeln!(to, "<ol class=\"lineage\" aria-label=\"Lineage\">")?;
    steps.iter().try_for_each(|step| writeln!(to, "<li>{}</li>", safe(step)))?;
    writeln!(to, "<li class=\"there\">{}</li></ol>", safe(&finding.destination.host))
}

/// How many hosts do the same: one mark a host.
fn prevalence(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let (hosts, of) = (finding.prevalence.hosts.min(finding.prevalence.of), finding.prevalence.of);
    if of == 0 {
        return writeln!(
            to,
            "<p class=\"note\">Whether other hosts do the same is not known: on no host is the application known.</p>"
        );
    }
    let drawn = of.min(HOSTS_DRAWN);
    // At least one mark for those that do the same, whatever the share.
    let same = if of <= HOSTS_DRAWN { hosts } else { (hosts * drawn).div_ceil(of) };
    writeln!(
        to,
        "<p class=\"prevalence\"><svg viewBox=\"0 0 {} 12\" width=\"{}\" height=\"12\" role=\"img\" aria-label=\"{hosts} of {of} hosts\">",
        drawn * 10,
        drawn * 10
    )?;
    for at in 0..drawn {
        let class = if at < same { "same" } else { "other" };
        write!(to, "<rect class=\"{class}\" x=\"{}\" y=\"1\" width=\"7\" height=\"10\"/>", at * 10)?;
    }
    writeln!(to, "</svg> <span>{hosts} of {of} hosts do the same.</span></p>")
}

fn related(to: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    if finding.related.is_empty() {
        return Ok(());
    }
    writeln!(to, "<h4>Belongs together with</h4><ul>")?;
    for other in &finding.related {
        let results = match other.results {
            0 => String::new(),
            count => format!("; {count} requests there may carry results"),
        };
        writeln!(
            to,
            "<li><a href=\"#f{}\">{}</a>: {}{results}</li>",
            other.id,
            safe(&other.service),
            other.disposition.name()
        )?;
    }
    writeln!(to, "</ul>")
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
        "<h4>Why</h4><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table class=\"signals\"><thead><tr><th class=\"n\">Decibans</th><th>Signal</th><th>Reason</th></tr></thead><tbody>"
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
            html_with_code(&spot.collect),
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
        "<details><summary>Evidence: {} citations</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table><thead><tr><th>For</th><th>Source</th>\
         <th class=\"n\">Byte</th><th class=\"n\">Length</th><th>SHA-256</th></tr></thead><tbody>",
        cites.len()
    )?;
    let count = cites.len();
    for (id, cite) in cites.into_iter().take(CITES_SHOWN) {
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
    writeln!(to, "</tbody></table></div>")?;
    if count > CITES_SHOWN {
        writeln!(to, "<p class=\"note\">{} more stand in the json output.</p>", count - CITES_SHOWN)?;
    }
    writeln!(to, "</details>")
}
