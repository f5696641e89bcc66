//! Coverage for a terminal.

use super::blind_spots;
use crate::{
    escape::terminal,
    words,
    wrap::{item, paragraph},
};
use monologue_model::{ClaimState, ExchangeCoverage, HostClaim, HostCoverage, HuntSummary};
use std::io::{self, Write};

/// Hosts told one by one.
const HOSTS_SHOWN: usize = 20;

/// Collection steps shown.
const STEPS_SHOWN: usize = 5;

/// Columns of a map; more hours are put together.
const COLUMNS: u64 = 72;

/// Writes all of it.
pub(super) fn write(summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    paragraph(to, "", &answer(summary))?;
    if summary.coverage.is_empty() {
        return Ok(());
    }
    writeln!(to, "\nWhat the telemetry allows to say, in host-hours:")?;
    writeln!(to, "   {:<20}{:>8}{:>8}{:>8}{:>7}", "claim", "holds", "partly", "blind", "%")?;
    for claim in &summary.claims.summary {
        let hours = claim.host_hours;
        writeln!(
            to,
            "   {:<20}{:>8}{:>8}{:>8}{:>7}",
            claim.claim.id,
            hours.holds,
            hours.partly,
            hours.blind,
            words::percent(hours.percent())
        )?;
        let (needed, here) = (claim.claim.hosts, summary.coverage.len() as u64);
        let too_few =
            if needed > here { format!(" (that takes {needed} hosts, and here are {here})") } else { String::new() };
        item(to, "      ", &format!("{}{too_few}", claim.claim.sentence))?;
    }
    steps(summary, to)?;
    for (at, host) in summary.coverage.iter().take(HOSTS_SHOWN).enumerate() {
        writeln!(to)?;
        let claims = summary.claims.hosts.get(at).map_or(&[][..], Vec::as_slice);
        write_host(host, claims, to)?;
    }
    if summary.coverage.len() > HOSTS_SHOWN {
        writeln!(to, "\n… and {} more hosts: --output json lists all.", summary.coverage.len() - HOSTS_SHOWN)?;
    }
    Ok(())
}

/// The first sentences: how much was looked at, and how much of it could not be judged.
pub(crate) fn answer(summary: &HuntSummary) -> String {
    if summary.coverage.is_empty() {
        return "No host was seen at all: no record names one, or every input was refused.".to_owned();
    }
    let when = match (summary.first_time, summary.last_time) {
        (Some(from), Some(until)) => format!(", from {} to {} UTC", words::moment(from), words::moment(until)),
        _ => String::new(),
    };
    let hosts = words::plural(summary.coverage.len() as u64, "host");
    let Some(first) = summary.claims.summary.first() else { return format!("Looked at {hosts}{when}.") };
    let of = first.host_hours.of();
    format!(
        "Looked at {hosts}{when}: {}. In {} of them, {}; in the rest it would not, or only in part.",
        words::plural(of, "host-hour"),
        first.host_hours.holds,
        first.claim.sentence,
    )
}

fn steps(summary: &HuntSummary, to: &mut dyn Write) -> io::Result<()> {
    let steps = &summary.claims.steps;
    if steps.is_empty() {
        return writeln!(to, "\nNothing more could be collected that would allow another claim.");
    }
    writeln!(to, "\nWhat one step more would allow, the one that unlocks most first:")?;
    for (at, step) in steps.iter().take(STEPS_SHOWN).enumerate() {
        let hosts = words::plural(step.hosts, "host");
        item(to, &format!("   {}. ", at + 1), &format!("on {hosts}: {}", step.step))?;
        let unlocks: Vec<String> = step.unlocks.iter().map(|(claim, hours)| format!("{claim} {hours}")).collect();
        item(to, "      ", &format!("host-hours gained: {}", unlocks.join(", ")))?;
    }
    Ok(())
}

fn write_host(host: &HostCoverage, claims: &[HostClaim], to: &mut dyn Write) -> io::Result<()> {
    let version = host.os_version.as_ref().map_or_else(String::new, |version| format!(", macOS {version}"));
    let window = format!("{}{version}, {} to {} UTC", host.host, words::moment(host.from), words::moment(host.until));
    paragraph(to, "", &window)?;
    for format in &host.formats {
        let sights: Vec<&str> = format.sights.iter().map(|sight| sight.name()).collect();
        let text = format!(
            "complete from {} to {} for {}",
            words::moment(format.from),
            words::moment(format.until),
            sights.join(", ")
        );
        item(to, &format!("   {:<20}", terminal(&format.format)), &text)?;
    }
    for loss in &host.losses {
        let sights: Vec<&str> = loss.sights.iter().map(|sight| sight.name()).collect();
        let records =
            loss.records.map_or_else(|| "records not counted".to_owned(), |count| words::plural(count, "record"));
        let text = format!(
            "{}: {}, {}, {records}; hurts {}",
            loss.format,
            loss.reason.words(),
            words::plural(loss.stretches, "time"),
            sights.join(", ")
        );
        item(to, &format!("   {:<20}", "lost"), &text)?;
    }
    item(to, &format!("   {:<20}", "exchanges"), &exchanges(&host.exchanges))?;
    if let Some(first) = claims.first() {
        let hours = first.hours.of();
        let per_column = hours.div_ceil(COLUMNS).max(1);
        writeln!(to, "   {:<20}█ holds  ▒ partly  · blind; {per_column} h a column, from the left", "map")?;
    }
    for claim in claims {
        let missing = claim.missing.first().map_or_else(String::new, |sight| format!("  lacks {sight}"));
        writeln!(to, "   {:<20}{}{missing}", claim.claim, map(claim))?;
    }
    for spot in blind_spots(host) {
        item(to, "   - ", &spot)?;
    }
    Ok(())
}

fn exchanges(seen: &ExchangeCoverage) -> String {
    if seen.exchanges == 0 {
        return "none: the records show no outbound request".to_owned();
    }
    let share = |part: u64, of: u64| {
        if of == 0 { "none due".to_owned() } else { format!("{} %", words::percent(part as f64 / of as f64 * 100.0)) }
    };
    format!(
        "{}; application known {}, destination named {}, reply watched {}, time after the reply watched {}",
        seen.exchanges,
        share(seen.application_known, seen.exchanges),
        share(seen.destination_named, seen.exchanges),
        share(seen.reply_seen, seen.reply_due),
        share(seen.effect_seen, seen.effect_due),
    )
}

/// One character a column: the worst state of its hours, so that a gap never hides.
fn map(claim: &HostClaim) -> String {
    let per_column = claim.hours.of().div_ceil(COLUMNS).max(1);
    let states: Vec<ClaimState> = claim
        .stretches
        .iter()
        .flat_map(|stretch| std::iter::repeat_n(stretch.state, usize::try_from(stretch.hours).unwrap_or(0)))
        .collect();
    let column = |states: &[ClaimState]| match (states.iter().min(), states.iter().max()) {
        (Some(ClaimState::Holds), _) => '█',
        (_, Some(ClaimState::Blind)) | (None, _) => '·',
        _ => '▒',
    };
    states.chunks(usize::try_from(per_column).unwrap_or(1)).map(column).collect()
}
