//! The lines that `log` prints before the records, and what its predicate leaves of completeness.

use super::SIGHTS;
use monologue_model::{Sight, SightSet};

/// How such lines begin.
const BEGINNINGS: [&[u8]; 2] = [PREDICATE, b"Skipping info and debug messages"];

/// How the line that names the predicate begins.
const PREDICATE: &[u8] = b"Filtering the log data using ";

/// Words of a predicate that choose records by who wrote them, and so take all lines of a writer or none. Lower case.
const HARMLESS: [&str; 12] = [
    "senderimagepath",
    "sender",
    "subsystem",
    "or",
    "in",
    "endswith",
    "beginswith",
    "contains",
    "like",
    "c",
    "d",
    "cd",
];

/// Whether `line` is printed before the records.
pub(super) fn is_preface(line: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

/// The sights that an export can be complete for, judged by a line before its records.
///
/// A predicate on process, message, level or the like hides requests of others, so it leaves nothing. One on the
/// subsystem alone hides most CFNetwork lines of macOS 11, whose subsystem is empty.
pub(super) fn possible_sights(line: &[u8]) -> SightSet {
    let Some(predicate) = line.strip_prefix(PREDICATE) else { return SIGHTS };
    let predicate = String::from_utf8_lossy(predicate).to_lowercase();
    let predicate = predicate.trim().trim_matches('"').replace("\\\"", "\"");
    // Every other part stands between quotes and is a value.
    let outside: Vec<&str> = predicate.split(['"', '\'']).step_by(2).collect();
    let words = outside.iter().flat_map(|part| part.split(|c: char| !c.is_alphanumeric())).filter(|w| !w.is_empty());
    let mut words = words.peekable();
    if words.peek().is_none() || !words.clone().all(|word| HARMLESS.contains(&word)) {
        return SightSet::EMPTY;
    }
    if outside.iter().any(|part| part.contains(['!', '&'])) {
        return SightSet::EMPTY;
    }
    let mut sights = SIGHTS;
    if !words.any(|word| word.starts_with("sender")) || !predicate.contains("cfnetwork") {
        sights.remove(Sight::TaskLifecycle);
    }
    sights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possible(predicate: &str) -> SightSet {
        let line = format!("Filtering the log data using \"{}\"", predicate.replace('"', "\\\""));
        assert!(is_preface(line.as_bytes()));
        possible_sights(line.as_bytes())
    }

    #[test]
    fn a_predicate_on_senders_leaves_all() {
        for predicate in [
            "senderImagePath ENDSWITH \"/CFNetwork\"",
            "senderImagePath ENDSWITH[c] '/cfnetwork' OR subsystem == \"com.apple.mDNSResponder\"",
            "sender IN {\"CFNetwork\", \"libnetwork.dylib\"}",
        ] {
            assert_eq!(possible(predicate), SIGHTS, "{predicate}");
        }
        assert_eq!(possible_sights(b"Skipping info and debug messages, pass --info"), SIGHTS);
    }

    #[test]
    fn a_predicate_on_the_subsystem_alone_may_hide_requests() {
        let expected = SightSet::of(&[Sight::FlowBytes, Sight::DnsQuery]);
        assert_eq!(possible("subsystem == \"com.apple.CFNetwork\""), expected);
        assert_eq!(possible("sender == \"libnetwork.dylib\""), expected);
    }

    #[test]
    fn any_other_predicate_leaves_nothing() {
        for predicate in [
            "process == \"Notes\"",
            "senderImagePath ENDSWITH \"/CFNetwork\" AND process == \"Notes\"",
            "senderImagePath ENDSWITH \"/CFNetwork\" && subsystem != \"\"",
            "NOT sender == \"CFNetwork\"",
            "!(sender == \"CFNetwork\")",
            "eventMessage CONTAINS \"sender\"",
            "",
        ] {
            assert_eq!(possible(predicate), SightSet::EMPTY, "{predicate}");
        }
    }
}
