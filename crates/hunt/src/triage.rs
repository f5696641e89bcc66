//! Triage: what to do next, in terms of this finding's own host, program, destination and times.
//!
//! Each step begins with its kind: what to look at first, what to collect on the Mac, how to contain it, and when to close it as
//! benign. Whatever stands in a command came from telemetry, so it is quoted for the shell.

mod shell;

use crate::{
    finding::{in_words, is_named},
    identity::file_name,
};
use monologue_model::{Disposition, Finding, SignatureState, Timestamp};
use shell::quoted;

/// Seconds before the first and after the last request for which records are worth collecting.
const MARGIN_SECONDS: i64 = 120;

/// Steps for the analyst, the most telling first.
pub(crate) fn steps(finding: &Finding) -> Vec<String> {
    let mut steps = vec![look_first(finding)];
    steps.extend(settle(finding));
    steps.extend(results_elsewhere(finding));
    steps.extend(collect_program(finding));
    steps.extend(collect_starter(finding));
    steps.push(collect_records(finding));
    steps.extend(contain(finding));
    steps.push(close(finding));
    steps
}

/// The file that decides what happens: the script where one is run, else the program. `None` means nobody recorded it.
fn subject(finding: &Finding) -> Option<&str> {
    match &finding.application.agent {
        Some(agent) if agent.contains('/') => Some(agent),
        _ => finding.application.path.as_deref(),
    }
}

/// What a person would call it.
fn who(finding: &Finding) -> String {
    match (&*finding.application.name, &finding.application.agent) {
        ("unknown", _) => "the unknown application".to_owned(),
        (name, Some(agent)) => format!("{name} for {agent}"),
        (name, None) => name.to_owned(),
    }
}

/// A moment to the second, for people.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    text.split('.').next().unwrap_or(&text).trim_end_matches('Z').replace('T', " ")
}

/// Where the first fact of a signal stands.
fn first_cite(finding: &Finding, signal: &str) -> Option<String> {
    let cite = finding.signals.iter().find(|outcome| outcome.id == signal)?.cites.first()?;
    let place = format!("{} at byte {}", cite.provenance.source, cite.provenance.offset);
    Some(if cite.note.is_empty() { place } else { format!("{} ({place})", cite.note) })
}

fn look_first(finding: &Finding) -> String {
    let destination = in_words(&finding.destination);
    let (first, last) = (moment(finding.first_time), moment(finding.last_time));
    let others = match (finding.prevalence.hosts, finding.prevalence.of) {
        (_, 0 | 1) => String::new(),
        (0 | 1, of) => format!("; none of the other {} hosts does the same", of - 1),
        (hosts, of) => format!("; {hosts} of {of} hosts do the same, so look at one where it is known to be wanted"),
    };
    let what = match finding.disposition {
        Disposition::NoReply => format!(
            "whether {destination} ever answered anyone: records of other hosts, passive DNS, and whether it was taken down or sinkholed before {first}"
        ),
        Disposition::ReplyUnhandled if cites(finding, "api.abandoned") => format!(
            "why {} gives up what {destination} sends: {}",
            who(finding),
            first_cite(finding, "api.abandoned").unwrap_or_default()
        ),
        Disposition::ReplyUnhandled => format!(
            "what {destination} answers: ask it the same from a clean network; a reply worth reading makes ignoring it odd, an empty one makes it a check-in"
        ),
        Disposition::PullOnly | Disposition::TwoWay => match first_cite(finding, "effect.acted-on-reply") {
            Some(deed) => format!("what was done after a reply from {destination}: {deed}"),
            None => format!("what {} did after the replies from {destination}, from {first} on", who(finding)),
        },
        Disposition::Unknown if finding.application.path.is_none() => return unattributed(finding),
        Disposition::Unknown if !is_named(&finding.destination) => format!(
            "which destination {} asked {} from {first} to {last} UTC: no record names it; records of a resolver, a proxy or the network of that time may",
            who(finding),
            times(finding.exchanges)
        ),
        Disposition::Unknown => format!(
            "whether {} has any business with {destination}: it asked {} from {first} to {last} UTC",
            who(finding),
            times(finding.exchanges)
        ),
    };
    let drift = finding.drift.as_ref().map_or_else(String::new, |drift| format!("; it was approved, and is {drift}"));
    format!("Look first at {what}{others}{drift}")
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn cites(finding: &Finding, signal: &str) -> bool {
    first_cite(finding, signal).is_some()
}

/// Nobody recorded which program it is: that comes before everything else.
fn unattributed(finding: &Finding) -> String {
    let window = format!("between {} and {} UTC", moment(finding.first_time), moment(finding.last_time));
    let host = &finding.host;
    match (&finding.application.socket_owner, finding.destination.ips.first()) {
        (Some(owner), _) => format!(
            "Look first for the application that {owner} acted for: on {host}, its lines `Task … is for <bundle>` of the unified log {window}"
        ),
        (None, Some(address)) => format!(
            "Look first for the program behind it: on {host}, `sudo lsof -nP -i @{address}` while it runs{}, or endpoint records {window}",
            period(finding).map_or_else(String::new, |period| format!(" (it asks every {period})")),
        ),
        (None, None) => format!("Look first for the program behind it: endpoint records of {host} {window}"),
    }
}

fn period(finding: &Finding) -> Option<String> {
    let seconds = finding.period_seconds.filter(|seconds| *seconds > 0.0)?;
    Some(if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    })
}

fn settle(finding: &Finding) -> Option<String> {
    let blind = finding.blind.first()?;
    let leaning = finding.leaning.map_or_else(String::new, |leaning| format!(" (it leans to {})", leaning.name()));
    Some(format!(
        "Settle it{leaning}: {} was seen for {} of {} requests; on {}, {}",
        blind.sight, blind.seen, blind.of, finding.host, blind.collect
    ))
}

fn results_elsewhere(finding: &Finding) -> Option<String> {
    let related = finding.related.iter().filter(|related| related.results > 0).max_by_key(|related| related.results)?;
    Some(format!(
        "Look at {} as well (finding {}): {} of its requests followed deeds within a minute and were larger; results may go there",
        related.service, related.id, related.results
    ))
}

fn collect_program(finding: &Finding) -> Option<String> {
    let host = &finding.host;
    let path = subject(finding)?;
    let file = quoted(path);
    let script = finding.application.agent.as_deref() == Some(path);
    Some(if script {
        format!(
            "Collect on {host} the script `{file}`: a copy, then `shasum -a 256`, `stat -x` and `xattr -l` of it; read what it does with the reply"
        )
    } else if finding.application.signature == SignatureState::Platform {
        let lineage = finding.application.lineage.as_deref().unwrap_or("nobody recorded what");
        format!(
            "Collect on {host}: who ran {path}, a part of macOS, and with which arguments; what started it: {lineage}"
        )
    } else {
        let known =
            finding.application.cdhash.as_ref().map_or_else(String::new, |cdhash| format!("; its cdhash was {cdhash}"));
        format!(
            "Collect on {host} the program `{file}`: a copy, then `codesign -dvvv`, `spctl -a -vv`, `xattr -l` and `shasum -a 256` of it{known}"
        )
    })
}

fn collect_starter(finding: &Finding) -> Option<String> {
    let name = quoted(file_name(subject(finding)?));
    if finding.application.signature == SignatureState::Platform && finding.application.agent.is_none() {
        return None;
    }
    Some(format!(
        "Collect what starts it on {}: `grep -rlF -- {name} ~/Library/LaunchAgents /Library/LaunchAgents /Library/LaunchDaemons`, `crontab -l`, `sfltool dumpbtm`",
        finding.host
    ))
}

/// The log of the time around it, before the store forgets it.
fn collect_records(finding: &Finding) -> String {
    let margin = MARGIN_SECONDS * 1_000_000_000;
    let (from, until) = (finding.first_time.saturating_add(-margin), finding.last_time.saturating_add(margin));
    let predicate = match finding.application.path.as_deref().or(finding.application.socket_owner.as_deref()) {
        Some(path) => {
            let name: String =
                file_name(path).chars().filter(|character| !matches!(character, '"' | '\\' | '\'')).collect();
            format!(" --predicate {}", quoted(&format!("process == \"{name}\"")))
        }
        None => String::new(),
    };
    format!(
        "Collect the log of {} while it is kept: `log show --style ndjson --info --start '{}+0000' --end '{}+0000'{predicate}`",
        finding.host,
        moment(from),
        moment(until),
    )
}

fn contain(finding: &Finding) -> Option<String> {
    if finding.level < monologue_model::Level::Medium {
        return None;
    }
    if !is_named(&finding.destination) {
        return Some(format!(
            "Contain it, if nobody vouches for it: its destination is not known, so isolate {}",
            finding.host
        ));
    }
    let addresses: Vec<String> = finding.destination.ips.iter().take(4).map(ToString::to_string).collect();
    let destination =
        match addresses.is_empty() || addresses.iter().any(|address| **address == *finding.destination.host) {
            true => finding.destination.host.to_string(),
            false => format!("{} ({})", finding.destination.host, addresses.join(", ")),
        };
    let host = &finding.host;
    let then = match finding.disposition {
        Disposition::PullOnly | Disposition::TwoWay => {
            format!("isolate {host}: orders were carried out there. Block {destination} for the fleet")
        }
        Disposition::NoReply => {
            format!(
                "block {destination} for {host} only once the copies are made: nobody answers it now, and a block shows it that it was seen"
            )
        }
        Disposition::ReplyUnhandled | Disposition::Unknown => {
            format!(
                "block {destination} for {host} at the proxy or resolver, and watch whether it turns to another destination"
            )
        }
    };
    let process = match subject(finding) {
        Some(path) => format!("; keep {path} in place until it was copied"),
        None => String::new(),
    };
    Some(format!("Contain it, if nobody vouches for it: {then}{process}"))
}

fn close(finding: &Finding) -> String {
    let application = &finding.application;
    let destination = in_words(&finding.destination);
    if !is_named(&finding.destination) {
        return format!(
            "Close as benign only once a record names what {} asked on {}; until then it stays open",
            who(finding),
            finding.host
        );
    }
    let Some(path) = subject(finding) else {
        return format!(
            "Close as benign if the program behind it is found and its owner says what {destination} is for; without the program it stays open"
        );
    };
    let condition = match &application.team_id {
        _ if application.agent.is_some() => format!(
            "the owner of {} knows {path}, wrote it down, and it does nothing but ask {destination}",
            finding.host
        ),
        Some(team) => format!("team {team} documents that {} talks to {destination} like this", application.name),
        None if application.signature == SignatureState::Platform => {
            format!("this is a documented duty of {path} in macOS with {destination}")
        }
        None if application.signature == SignatureState::Unknown && is_sealed(path) => format!(
            "`codesign -dvvv {}` on {} names Apple as the signer, as a place on the sealed system volume suggests, and the program has a documented duty with {destination}",
            quoted(path),
            finding.host
        ),
        None => {
            format!("somebody at your place built {path} and says what {destination} is for; ask for it to be signed")
        }
    };
    format!("Close as benign if {condition}; then approve it with {}", approval(finding))
}

/// Whether a path lies where macOS lets nobody write: the sealed system volume. A record can still lie about a path.
fn is_sealed(path: &str) -> bool {
    ["/System/", "/usr/libexec/", "/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"]
        .iter()
        .any(|place| path.starts_with(place))
        && !path.starts_with("/System/Volumes/Data/")
        && !path.contains("/../")
}

/// The entry that would approve it, as far as the finding knows it: owner, reason and expiry are for a person to add.
fn approval(finding: &Finding) -> String {
    let application = &finding.application;
    let mut parts = Vec::new();
    let mut part =
        |name: &str, value: Option<&str>| parts.extend(value.map(|value| format!("{name} = {}", in_toml(value))));
    part("team_id", application.team_id.as_deref());
    part("signing_id", application.signing_id.as_deref());
    // A signed program is named by its signature alone; an interpreter only together with what it runs.
    part(
        "path",
        application.agent.as_deref().or(application.path.as_deref().filter(|_| application.signing_id.is_none())),
    );
    part("service", Some(&finding.destination.service));
    format!("`[[approval]]` {}", parts.join(", "))
}

/// A string of a TOML file: the escapes of JSON mean the same there.
fn in_toml(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests;
