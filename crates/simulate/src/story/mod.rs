//! Stories: what happens on one Mac in a few readable lines, recorded in native formats.
//!
//! A story is how the cases of the hunt and a detection engineer's own scenarios are written. Every line is one thing:
//!
//! ```text
//! recorded 05:30 to 08:00 by endpoint, log, network
//! program agent = ~/Library/agent/agent, ad hoc
//! program curl = /usr/bin/curl, platform com.apple.curl, own stack
//! service c2 = https://api.example.test
//! 06:00:00 launchd starts agent as job com.example.agent
//! every 600 s from 06:00:05, 20 times, give or take 5 %
//!   +0 agent posts 212 to c2: 200 with 180
//!   +1 agent starts curl: curl -s https://api.example.test/{n}
//!   +2 agent writes ~/Library/agent/{n}.txt
//! 07:50:00 agent ends
//! ```
//!
//! Sensors: `endpoint` (all event types of eslogger), `processes` (exec, fork, exit), `starts` (exec, fork), `log` (the
//! unified log), `network` (Zeek). Programs are `ad hoc`, `platform ID` or `team TEAM ID`; `own stack` says that they do not
//! use URLSession; `calls itself USER AGENT`, last, is what they say of themselves. Services are `https://`, `http://` with a name, or an address with a port. What happens to a request:
//! `STATUS with BYTES`, `STATUS`, `silence`, `unreachable`, `refused`, `handshake failed`, `cancelled on send`,
//! `cancelled before send`, `STATUS with BYTES, cancelled at headers`, `…, broken off`, `…, dies`, `dies waiting`,
//! `cached STATUS`, `never sent CODE`, `upgraded, SENT and RECEIVED`, `STATUS with BYTES by the modern loader`. Statuses and
//! sizes may be lists, as `180|500|900`, taken in turn, or ranges, as `180..900`, by chance. `~` is the user's home folder,
//! `{n}` the number of the repetition. Lines that begin with `#` are left out.

mod outcome;
mod parse;
mod play;

use crate::SimulatedFile;
use std::collections::BTreeSet;

/// A story cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found:?}\nhint: docs/guide/stories.md lists the words of a story")]
pub struct StoryError {
    /// Number of the line, from 1; 0 for what does not stand in the story.
    pub line: usize,
    /// What would have been right.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// The sensors a story may be recorded by.
pub const SENSORS: [&str; 5] = ["endpoint", "processes", "starts", "log", "network"];

/// Event types that may be taken away from `endpoint`.
const PARTS: [&str; 2] = ["files", "exits"];

/// Records what a story tells, from the point of view of the named Mac. Sensors in `without` are taken away from those the
/// story names; `files` and `exits` take those event types away from `endpoint`.
///
/// # Errors
/// When a line cannot be understood, with its number.
pub fn record(mac: &str, text: &str, without: &[&str]) -> Result<Vec<SimulatedFile>, StoryError> {
    let mut story = parse::parse(text)?;
    let gone: BTreeSet<&str> = without.iter().copied().collect();
    let known = |name: &&&str| !SENSORS.contains(*name) && !PARTS.contains(*name);
    if let Some(unknown) = gone.iter().find(known) {
        let expected = format!("sensors to leave out, of {}", [&SENSORS[..], &PARTS[..]].concat().join(", "));
        return Err(StoryError { line: 0, expected, found: (*unknown).to_owned() });
    }
    story.take_away(&gone);
    play::play(mac, &story)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "program a = /x/a, ad hoc\nservice s = https://s.test\n06:00:00 a asks s: 200 with 5\n";

    #[test]
    fn what_a_story_may_not_say_is_refused_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("# nothing\n", 1),
            ("06:00:00 a asks s: 200\n", 1),
            ("service s = https://s.test\nprogram a = /x/a, ad hoc\n06:00:00 a asks s: maybe\n", 3),
            ("day 99999999999999 06:00:00 a ends\n", 1),
            ("06:00:1e300 a ends\n", 1),
            ("every 600 s from 06:00:00, 999999999999 times\n  +0 a ends\n", 1),
            ("every 600 s from 06:00:00, 3 times\n  +1e300 a ends\n", 2),
            ("recorded 08:00 to 06:00\n06:00:00 launchd starts sh\n", 1),
            ("service s = nowhere:1\nprogram a = /x/a, ad hoc\n06:00:00 a asks s: 200\n", 3),
        ] {
            let error = record("mac", text, &[]).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
        }
    }

    #[test]
    fn a_sensor_nobody_knows_is_no_blind_twin() {
        let files = |without: &[&str]| record("mac", WHOLE, without).map(|files| files.len());
        // Endpoint, log, five of Zeek, the list of assets.
        assert_eq!(files(&[]), Ok(8));
        assert_eq!(files(&["endpoint", "network"]), Ok(2));
        assert!(files(&["netwrok"]).unwrap_err().to_string().contains("found \"netwrok\""));
    }
}
