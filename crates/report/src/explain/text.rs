//! The explanation for a terminal.

use super::{
    Raw, RawState, change,
    contract::{Explained, Signal},
};
use crate::wrap::{item, paragraph};
use monologue_model::Provenance;
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Writes the explanation. `thresholds` are the scores at which the levels low, medium, high and critical begin.
///
/// # Errors
/// When writing fails.
pub fn write(finding: &Explained, evidence: &[Raw], thresholds: &[f64; 4], to: &mut dyn Write) -> io::Result<()> {
    let places = places(evidence);
    heading(finding, to)?;
    layers(finding, to)?;
    score(finding, thresholds, &places, to)?;
    not_seen(finding, to)?;
    list("What would change the answer", &change::of_disposition(finding), to)?;
    list("What would change the score", &change::of_score(finding, thresholds), to)?;
    relations(finding, to)?;
    list("Next", &finding.triage, to)?;
    raw(finding, evidence, to)
}

/// Numbers of citations by their place.
type Places<'a> = BTreeMap<(&'a str, u64, u64), usize>;

fn places(evidence: &[Raw]) -> Places<'_> {
    evidence.iter().zip(1..).map(|(raw, number)| ((&*raw.source, raw.offset, raw.length), number)).collect()
}

fn number(places: &Places<'_>, provenance: &Provenance) -> Option<usize> {
    places.get(&(&*provenance.source, provenance.offset, provenance.length)).copied()
}

fn heading(finding: &Explained, to: &mut dyn Write) -> io::Result<()> {
    let sure = finding.confidence.as_ref().map_or_else(String::new, |sure| format!(" ({sure} confidence)"));
    let line = format!(
        "{} · {}{sure} · score {:.3} · {}",
        finding.level.name().to_uppercase(),
        finding.disposition.name(),
        finding.score,
        finding.id
    );
    paragraph(to, "", &line)?;
    paragraph(to, "", &finding.sentence)?;
    if let Some(leaning) = finding.leaning {
        paragraph(to, "", &format!("It leans to {}: what was seen looks like it. This is no claim.", leaning.name()))?;
    }
    if let Some(drift) = &finding.drift {
        paragraph(to, "", &format!("Drift: the application is {drift}."))?;
    }
    writeln!(to)?;
    let application = &finding.application;
    let mut facts: Vec<(&str, String)> = vec![
        ("host", finding.host.clone()),
        ("application", application.path.clone().unwrap_or_else(|| application.name.clone())),
    ];
    let optional = [
        ("run for", &application.agent),
        ("socket owner", &application.socket_owner),
        ("signing id", &application.signing_id),
        ("team", &application.team_id),
        ("cdhash", &application.cdhash),
        ("started by", &application.lineage),
    ];
    facts.extend(optional.into_iter().filter_map(|(label, value)| Some((label, value.clone()?))));
    facts.push(("signature", application.signature.clone()));
    let destination = &finding.destination;
    let ports: Vec<String> = destination.ports.iter().map(ToString::to_string).collect();
    facts.push(("destination", format!("{} (judged as {})", destination.host, destination.service)));
    facts.push(("addresses", format!("{}; ports {}", destination.ips.join(", "), ports.join(", "))));
    facts.push(("when", format!("{} requests, {} to {}", finding.exchanges, finding.first_time, finding.last_time)));
    let alike = match finding.prevalence.of {
        0 => "not known: on no host it is recorded which programs run".to_owned(),
        of => format!("{} of {of}", finding.prevalence.hosts),
    };
    facts.push(("hosts alike", alike));
    if !finding.readings.is_empty() {
        facts.push(("reading", finding.readings.join(", ")));
    }
    facts.iter().try_for_each(|(label, value)| item(to, &format!("   {label:<13}"), value))
}

fn layers(finding: &Explained, to: &mut dyn Write) -> io::Result<()> {
    writeln!(to, "\nWhat the layers say of the responses:")?;
    for layer in &finding.layers {
        item(
            to,
            &format!("   {:<8}", crate::escape::terminal(&layer.layer)),
            &format!("{}: {}", layer.says, layer.sentence),
        )?;
    }
    for contradiction in &finding.contradictions {
        item(to, "   contradiction: ", contradiction)?;
    }
    Ok(())
}

/// Each weight, and what the score is after it.
fn score(finding: &Explained, thresholds: &[f64; 4], places: &Places<'_>, to: &mut dyn Write) -> io::Result<()> {
    writeln!(
        to,
        "\nThe score, step by step (decibans: +10 is ten times likelier; the score is 1 / (1 + 10^(-sum/10))):"
    )?;
    writeln!(to, "   {:>7} {:>7} {:>7}", "weight", "sum", "score")?;
    let mut sum = 0.0;
    for signal in finding.signals.iter().filter(|signal| signal.weight != 0.0) {
        sum += signal.weight;
        let lead = format!("   {:>+7.1} {sum:>+7.1} {:>7.3}  ", signal.weight, change::probability(sum));
        item(to, &lead, &format!("{}: {}{}", signal.id, signal.why, cited(signal, places)))?;
    }
    let level = change::level_of(change::probability(sum), thresholds);
    let computed = change::probability(sum);
    if (computed - finding.score).abs() < 5e-4 {
        item(
            to,
            "   ",
            &format!(
                "The sum {sum:+.1} means {computed:.3}, as the finding says: level {level} before anything holds it down."
            ),
        )?;
    } else {
        item(
            to,
            "   ",
            &format!(
                "The sum {sum:+.1} means {computed:.3}, but the finding says {:.3}: do not trust this line.",
                finding.score
            ),
        )?;
    }
    let of = |judgement: &str| -> Vec<&Signal> {
        finding.signals.iter().filter(|signal| signal.judgement == judgement).collect()
    };
    let silent: Vec<&str> = of("silent").iter().map(|signal| signal.id.as_str()).collect();
    if !silent.is_empty() {
        item(to, "   looked and had nothing to say: ", &silent.join(", "))?;
    }
    let blind: Vec<String> =
        of("blind").iter().map(|signal| format!("{} ({} of {})", signal.id, signal.seen, signal.of)).collect();
    if !blind.is_empty() {
        item(to, "   could not look: ", &blind.join(", "))?;
    }
    Ok(())
}

fn cited(signal: &Signal, places: &Places<'_>) -> String {
    let numbers: Vec<String> = signal
        .cites
        .iter()
        .filter_map(|cite| number(places, &cite.provenance))
        .map(|number| format!("[{number}]"))
        .collect();
    if numbers.is_empty() { String::new() } else { format!(" {}", numbers.join(" ")) }
}

fn not_seen(finding: &Explained, to: &mut dyn Write) -> io::Result<()> {
    if finding.blind.is_empty() {
        return Ok(());
    }
    writeln!(to, "\nNot seen:")?;
    for blind in &finding.blind {
        let text = format!(
            "{} ({} of {}); it would say {}. To see it: {}",
            blind.sight, blind.seen, blind.of, blind.consequence, blind.collect
        );
        item(to, "   - ", &text)?;
    }
    Ok(())
}

fn relations(finding: &Explained, to: &mut dyn Write) -> io::Result<()> {
    if finding.related.is_empty() && finding.supersedes.is_empty() {
        return Ok(());
    }
    writeln!(to, "\nBelongs together with:")?;
    for related in &finding.related {
        let results = match related.results {
            0 => String::new(),
            count => format!("; {count} requests there may carry results"),
        };
        item(to, "   - ", &format!("{}: {}{results} ({})", related.service, related.disposition.name(), related.id))?;
    }
    finding.supersedes.iter().try_for_each(|id| item(to, "   - ", &format!("stands for {id}, which knew less")))
}

fn list(title: &str, sentences: &[String], to: &mut dyn Write) -> io::Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(to, "\n{title}:")?;
    sentences.iter().try_for_each(|sentence| item(to, "   - ", sentence))
}

/// Every citation with its bytes.
fn raw(finding: &Explained, evidence: &[Raw], to: &mut dyn Write) -> io::Result<()> {
    let verified = evidence.iter().filter(|raw| raw.state == RawState::Verified).count();
    if evidence.is_empty() {
        return writeln!(to, "\nEvidence: none is cited, since no signal spoke from a record.");
    }
    writeln!(to, "\nEvidence: {} citations, {verified} found and unchanged:", evidence.len())?;
    for (raw, at) in evidence.iter().zip(1..) {
        let place = match raw.line {
            Some(line) => format!("{}, line {line}, byte {}, {} bytes", raw.source, raw.offset, raw.length),
            None => format!("{}, byte {}, {} bytes", raw.source, raw.offset, raw.length),
        };
        let found = raw.found_in.as_ref().map_or_else(String::new, |file| format!(" (found in {file})"));
        let state = match &raw.state {
            RawState::Verified => "the bytes are the ones cited".to_owned(),
            RawState::Changed => "OTHER BYTES STAND THERE NOW".to_owned(),
            RawState::Missing(why) => format!("not found: {why}"),
        };
        item(to, &format!("   [{at}] "), &format!("{place}{found}: {state}"))?;
        let uses: Vec<String> = finding
            .signals
            .iter()
            .flat_map(|signal| signal.cites.iter().map(move |cite| (signal, cite)))
            .filter(|(_, cite)| {
                (&*cite.provenance.source, cite.provenance.offset, cite.provenance.length)
                    == (&*raw.source, raw.offset, raw.length)
            })
            .map(
                |(signal, cite)| {
                    if cite.note.is_empty() { signal.id.clone() } else { format!("{} ({})", signal.id, cite.note) }
                },
            )
            .collect();
        item(to, "       for ", &uses.join(", "))?;
        if !raw.text.is_empty() {
            item(to, "       | ", &raw.text)?;
        }
    }
    Ok(())
}
