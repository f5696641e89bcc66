//! Words that several outputs share: the answer, the facts of a finding, what was tested.

use monologue_model::{AttackSource, Finding, HuntSummary, Level, Reading, Report, Sight, attack::ANALYTIC};
use std::collections::BTreeMap;

/// A time for people: to the second, in UTC.
pub(crate) fn moment(time: monologue_model::Timestamp) -> String {
    let text = time.to_string();
    let whole = text.split('.').next().unwrap_or(&text).trim_end_matches('Z');
    whole.replace('T', " ")
}

/// Which meaning of "one-way" it is: ATT&CK's texts differ.
pub(crate) const fn reading(reading: Reading) -> &'static str {
    match reading {
        Reading::NoReturn => "no return traffic (AN1599, AN1602)",
        Reading::An1601Strict => "no response handling (AN1601 to the letter)",
        Reading::PullOnly => "commands in, no output over this service (T1102.003 itself)",
        Reading::TwoWay => "bidirectional (T1102.002), not one-way",
    }
}

/// A share for people: `0`, `<1`, `97`.
pub(crate) fn percent(value: f64) -> String {
    if value <= 0.0 {
        "0".to_owned()
    } else if value < 1.0 {
        "<1".to_owned()
    } else {
        format!("{value:.0}")
    }
}

pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How the refusal of an input begins where the reasons of all formats follow, in brackets: a page of them.
const NOBODY_READS_IT: &str = "no format reads it";

/// A refusal in a few words, and the reasons of all formats where those were left out.
pub(crate) fn refusal(reason: &str) -> (&str, Option<&str>) {
    let reasons = reason.strip_prefix(NOBODY_READS_IT).and_then(|rest| rest.strip_prefix(" (")?.strip_suffix(')'));
    match reasons {
        Some(reasons) => (NOBODY_READS_IT, Some(reasons)),
        None => (reason, None),
    }
}

/// The whole report in a few sentences; why it is empty, where it is.
pub(crate) fn answer(report: &Report) -> String {
    let summary = &report.summary;
    let looked =
        format!("Looked at {} on {}", plural(summary.channels_examined, "channel"), plural(summary.hosts, "host"));
    let when = match (summary.first_time, summary.last_time) {
        (Some(from), Some(until)) => format!(", from {} to {} UTC", moment(from), moment(until)),
        _ => String::new(),
    };
    let found = match report.findings.len() {
        0 => why_empty(summary),
        count => {
            let worst = report.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Info);
            format!("{}, the most urgent at level {}", plural(count as u64, "finding"), worst.name())
        }
    };
    let rest = match summary.not_listed {
        0 => String::new(),
        count => format!(" {} below the minimum level are not listed.", plural(count, "channel")),
    };
    format!("{looked}{when}. {found}.{rest}{}", not_judged(summary).unwrap_or_default())
}

/// How much of the time could not be judged, and for want of what. `None` where all of it could.
fn not_judged(summary: &HuntSummary) -> Option<String> {
    let first = summary.claims.summary.first()?;
    let hours = first.host_hours;
    let short = hours.of() - hours.holds;
    if short == 0 {
        return None;
    }
    let mut missing: BTreeMap<Sight, u64> = BTreeMap::new();
    for claim in summary.claims.hosts.iter().filter_map(|claims| claims.first()) {
        if let Some(sight) = claim.missing.first() {
            *missing.entry(*sight).or_insert(0) += claim.hours.of() - claim.hours.holds;
        }
    }
    // Of equals the first in the order of the coverage matrix.
    let most = missing.iter().rev().max_by_key(|(_, hours)| **hours).map(|(sight, _)| *sight);
    let why = most.map_or_else(|| "records were lost".to_owned(), |sight| format!("{sight} was not watched"));
    Some(format!(
        " In {} % of {} it cannot be said, or only in part, that {}: most often {why}.",
        percent(short as f64 / hours.of() as f64 * 100.0),
        plural(hours.of(), "host-hour"),
        first.claim.sentence,
    ))
}

fn why_empty(summary: &HuntSummary) -> String {
    if summary.channels_examined > 0 {
        "No finding: no channel reached the minimum level".to_owned()
    } else if summary.sources.iter().all(|source| source.events == 0) {
        "No finding, because no record could be used".to_owned()
    } else {
        "No finding, because the records show no outbound request: add network records, or the unified log".to_owned()
    }
}

/// What a finding is about, as label and value.
pub(crate) fn facts(finding: &Finding) -> Vec<(&'static str, String)> {
    let application = &finding.application;
    let mut facts = vec![("host", finding.host.to_string())];
    let path = application.path.as_deref().unwrap_or(&application.name);
    facts.push(("application", path.to_owned()));
    if let Some(agent) = &application.agent {
        facts.push(("run for", agent.to_string()));
    }
    if let Some(owner) = &application.socket_owner {
        facts.push(("socket owner", owner.to_string()));
    }
    let identity = match (&application.signing_id, &application.team_id) {
        (Some(id), Some(team)) => format!("{}, {id}, team {team}", application.signature.name()),
        (Some(id), None) => format!("{}, {id}", application.signature.name()),
        _ => application.signature.name().to_owned(),
    };
    facts.push(("signature", identity));
    if let Some(lineage) = &application.lineage {
        facts.push(("started by", lineage.to_string()));
    }
    if let Some(user) = &finding.user {
        facts.push(("user", user.to_string()));
    }
    let ports: Vec<String> = finding.destination.ports.iter().take(6).map(ToString::to_string).collect();
    let ports = if ports.is_empty() { String::new() } else { format!(", port {}", ports.join(", ")) };
    facts.push(("destination", format!("{}{ports}", finding.destination.host)));
    let ips: Vec<String> = finding.destination.ips.iter().take(6).map(ToString::to_string).collect();
    if !ips.is_empty() {
        facts.push(("addresses", ips.join(", ")));
    }
    facts.push((
        "when",
        format!(
            "{} from {} to {} UTC",
            plural(finding.exchanges, "request"),
            moment(finding.first_time),
            moment(finding.last_time)
        ),
    ));
    facts
}

/// Which state of ATT&CK's analytic was in force, and how it is known.
pub(crate) fn attack(summary: &HuntSummary) -> String {
    let state = &summary.attack;
    let release =
        state.release.as_deref().map_or_else(|| "an unknown release".to_owned(), |name| format!("release {name}"));
    let from = match (state.source, &summary.attack_snapshot) {
        (AttackSource::BuiltIn, _) => "built in, for want of an ATT&CK library that holds it".to_owned(),
        (AttackSource::Library, Some(snapshot)) if snapshot.official => {
            "from the ATT&CK library, a file with the published hash".to_owned()
        }
        (AttackSource::Library, _) => "from the ATT&CK library, not an official file".to_owned(),
    };
    let changed = if state.is_as_built_in() { "" } else { ". It is not the one this program was written after" };
    format!(
        "ATT&CK analytic {ANALYTIC} of {release} ({from}); SHA-256 of the object {}{changed}.",
        state.analytic_sha256
    )
}

/// What the false-discovery control did.
pub(crate) fn discovery(summary: &HuntSummary) -> String {
    let tested = plural(summary.cadence_tested, "channel");
    match summary.cadence_threshold {
        Some(threshold) => format!(
            "Cadence was tested on {tested}; by false-discovery control at 1 % a p-value of {threshold:.1e} or less counts."
        ),
        None => format!("Cadence was tested on {tested}; by false-discovery control at 1 % none counts."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{AttackSnapshot, Sha256};

    #[test]
    fn the_reasons_of_all_formats_are_parted_from_the_refusal() {
        assert_eq!(
            refusal("no format reads it (a: one; b: two (2))"),
            ("no format reads it", Some("a: one; b: two (2)"))
        );
        assert_eq!(refusal("cannot open it"), ("cannot open it", None));
        assert_eq!(refusal("no format reads it"), ("no format reads it", None));
    }

    #[test]
    fn the_analytic_in_force_is_named_with_what_proves_it() {
        let mut summary = HuntSummary::default();
        assert!(attack(&summary).contains("release 19.1 (built in, "));
        summary.attack.source = AttackSource::Library;
        summary.attack.release = None;
        let sha256 = Sha256::of(b"a bundle");
        summary.attack_snapshot = Some(AttackSnapshot { imported_from: "a.json".into(), sha256, official: true });
        let told = attack(&summary);
        assert!(
            told.contains("an unknown release (from the ATT&CK library, a file with the published hash)"),
            "{told}"
        );
        assert!(!told.contains("not the one"), "the same object, whatever its release");
        summary.attack.analytic_sha256 = Sha256::of(b"another object");
        assert!(attack(&summary).ends_with("It is not the one this program was written after."));
    }
}
