//! Coverage as one self-contained page.

use super::{picture, text};
use crate::{
    escape::{html, html_with_code},
    outputs::html::STYLE,
};
use monologue_model::HuntSummary;
use std::io::{self, Write};

/// What the page may do: show its own style, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Writes the page.
pub(super) fn write(summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    write!(
        to,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>Monologue coverage</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><p class=\"brand\">Monologue</p><h1>What could be seen</h1></header>\n<main>\n<p class=\"answer\">{}</p>\n",
        html(&text::answer(summary)),
    )?;
    section(to, summary)?;
    writeln!(
        to,
        "<p class=\"note\">A claim holds in an hour if each sight it needs was watched for 99 % of it and nothing was lost. Absence \
         of data is never absence of a response. Monologue {}.</p>\n</main>\n</body>\n</html>",
        html(&summary.version)
    )
}

/// The claims, the steps and the map: for this page and for the report.
pub(crate) fn section(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if summary.claims.summary.is_empty() {
        return Ok(());
    }
    claims(to, summary)?;
    steps(to, summary)?;
    maps(to, summary)
}

fn claims(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    writeln!(
        to,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Claims\"><table class=\"claims\"><thead><tr><th>The telemetry allows to say</th><th class=\"n\">holds</th>\
         <th class=\"n\">in part</th><th class=\"n\">blind</th><th class=\"n\">%</th></tr></thead><tbody>"
    )?;
    for claim in &summary.claims.summary {
        let hours = claim.host_hours;
        writeln!(
            to,
            "<tr><td><code>{}</code> {}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            html(claim.claim.id),
            html(claim.claim.sentence),
            hours.holds,
            hours.partly,
            hours.blind,
            html(&crate::words::percent(hours.percent())),
        )?;
    }
    writeln!(to, "</tbody></table></div><p class=\"note\">Numbers are host-hours: one hour of one host.</p>")
}

fn steps(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if summary.claims.steps.is_empty() {
        return Ok(());
    }
    writeln!(to, "<h3>What one step more would allow</h3><ol class=\"steps\">")?;
    for step in summary.claims.steps.iter().take(5) {
        let unlocks: Vec<String> = step.unlocks.iter().map(|(claim, hours)| format!("{claim} {hours}")).collect();
        writeln!(
            to,
            "<li>On {}: {}<br><span class=\"note\">host-hours gained: {}</span></li>",
            crate::words::plural(step.hosts, "host"),
            html_with_code(&step.step),
            html(&unlocks.join(", ")),
        )?;
    }
    writeln!(to, "</ol>")
}

fn maps(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    let Some(axis) = picture::Axis::of(summary) else { return Ok(()) };
    let (from, until) = axis.ends();
    writeln!(to, "<h3>By host and hour, {from} to {until} UTC</h3><p class=\"legend\">")?;
    for (class, words) in picture::LEGEND {
        writeln!(to, "<span class=\"swatch {class}\">{words}</span>")?;
    }
    writeln!(to, "</p>")?;
    let hosts = summary.coverage.iter().zip(&summary.claims.hosts);
    for (at, (host, claims)) in hosts.take(picture::HOSTS_SHOWN).enumerate() {
        writeln!(
            to,
            "<details class=\"host\"{}><summary><b>{}</b> <span class=\"note\">{}</span></summary>\
             <figure><svg viewBox=\"0 0 960 {:.0}\" role=\"img\" aria-label=\"Claims by hour on {}\">",
            if at < 4 { " open" } else { "" },
            html(&host.host),
            html(&standing(claims)),
            picture::height(claims),
            html(&host.host),
        )?;
        picture::rows(to, claims, axis, 0.0)?;
        writeln!(to, "</svg></figure>")?;
        let spots = super::blind_spots(host);
        if !spots.is_empty() {
            writeln!(to, "<ul class=\"blind\">")?;
            spots.iter().try_for_each(|spot| writeln!(to, "<li>{}</li>", html(spot)))?;
            writeln!(to, "</ul>")?;
        }
        writeln!(to, "</details>")?;
    }
    let rest = summary.coverage.len().saturating_sub(picture::HOSTS_SHOWN);
    if rest > 0 {
        writeln!(
            to,
            "<p class=\"note\">{rest} more hosts are not drawn; <code>monologue coverage --output json</code> lists all.</p>"
        )?;
    }
    Ok(())
}

/// The first claim in words, for the line of a host.
fn standing(claims: &[monologue_model::HostClaim]) -> String {
    claims.first().map_or_else(String::new, |claim| {
        format!("{} holds in {} of {} hours", claim.claim, claim.hours.holds, claim.hours.of())
    })
}
