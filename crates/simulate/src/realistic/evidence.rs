//! What the sensors of a Mac allow to be said of a pattern. Where it is beyond doubt that they show what happened, the
//! disposition; where it is beyond doubt that they do not, `unknown`; in between, nothing is asserted.
//!
//! This is argued from what each record shows, not from what any hunt does with it:
//! - that nothing came back is shown by a network sensor that sees both sides and loses nothing;
//! - that a reply was given up is shown by the unified log, and only for programs that use URLSession;
//! - that a reply was used, or that nothing used it, is shown by endpoint records of all kinds without a gap, next to a record
//!   of the reply; and only where the connection can be put down to the program: by the unified log, or by a `curl` whose
//!   command line names the address;
//! - translation, proxies, tunnels and losses make all of that doubtful.

use super::pattern::{Client, Pattern, Reply};
use crate::mac::{Sensors, Subscription};

/// What stands around a program: the sensors of its Mac and what lies between them.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) endpoint: Subscription,
    pub(super) has_gaps: bool,
    pub(super) unified_log: bool,
    pub(super) network: bool,
    /// Translation, a proxy, a tunnel, temporary addresses or losses of the network sensor.
    pub(super) is_doubtful: bool,
    /// Other names under which sensors know the host.
    pub(super) seen_as: Vec<String>,
}

impl Surroundings {
    pub(super) fn new(sensors: &Sensors, is_doubtful: bool, seen_as: Vec<String>) -> Self {
        Self {
            endpoint: sensors.endpoint,
            has_gaps: !sensors.dropped.is_empty(),
            unified_log: sensors.unified_log,
            network: sensors.network,
            is_doubtful,
            seen_as,
        }
    }

    fn shows_all_deeds(&self) -> bool {
        self.endpoint == Subscription::Everything && !self.has_gaps
    }
}

/// Whether the unified log shows its requests, and whether any record says which program asked.
fn attribution(pattern: &Pattern, around: &Surroundings) -> (bool, bool) {
    let is_session = !matches!(pattern.client, Client::OwnStack(..) | Client::Curl(..) | Client::CurlLoop(..))
        && !matches!(pattern.client, Client::Script(path, _) if !path.starts_with("/usr/bin/"));
    let is_curl = matches!(pattern.client, Client::Curl(..) | Client::CurlLoop(..));
    let is_logged = around.unified_log && is_session;
    (is_logged, is_logged || (is_curl && around.endpoint != Subscription::Nothing))
}

/// What of its requests any sensor shows, whatever a hunt makes of it.
pub(super) fn shown(pattern: &Pattern, around: &Surroundings) -> &'static str {
    match attribution(pattern, around) {
        (true, _) => "program",
        // A command line names what is asked for; that it was asked for, only a network sensor records, and behind translation,
        // proxies or losses its rows need not be this program's.
        (_, true) if around.network && !around.is_doubtful => "program",
        _ if around.network => "connection",
        _ => "nothing",
    }
}

/// The disposition that can be told.
pub(super) fn told(pattern: &Pattern, around: &Surroundings, exchanges: usize) -> &'static str {
    let is_curl = matches!(pattern.client, Client::Curl(..) | Client::CurlLoop(..));
    let (is_logged, is_attributed) = attribution(pattern, around);
    let is_reply_seen = is_logged || around.network;
    let (told, nothing) = match pattern.happened {
        "no-reply" => (around.network && exchanges >= 4, !around.network && !is_logged),
        "reply-unhandled" => match pattern.reply {
            Reply::CancelledAtHeaders(..) | Reply::CancelledOnSend => (is_logged, !is_logged),
            _ => {
                let is_plain =
                    is_curl || matches!(pattern.client, Client::Helper(_)) || is_repeated(pattern, exchanges);
                (around.shows_all_deeds() && is_attributed && is_reply_seen && is_plain, !around.shows_all_deeds())
            }
        },
        "pull-only" | "two-way" => {
            let is_done = pattern.deed_every > 0 && exchanges >= 3 * pattern.deed_every;
            (
                around.shows_all_deeds() && is_attributed && is_reply_seen && is_done,
                around.endpoint == Subscription::Nothing,
            )
        }
        _ => (false, false),
    };
    match (nothing, told && !around.is_doubtful) {
        (true, _) => "unknown",
        (_, true) => pattern.happened,
        _ => "any",
    }
}

/// Whether it is answered often and always alike, with something in it.
const fn is_repeated(pattern: &Pattern, exchanges: usize) -> bool {
    matches!(pattern.reply, Reply::Same(_, size) if size > 0) && exchanges >= 12
}

/// What is missing, in words.
pub(super) fn missing(around: &Surroundings) -> String {
    let endpoint = match around.endpoint {
        Subscription::Nothing => Some("no endpoint records"),
        Subscription::Starts => Some("only process starts of the endpoint"),
        Subscription::Processes => Some("no file records of the endpoint"),
        Subscription::Everything => None,
    };
    let missing = [
        endpoint,
        around.has_gaps.then_some("endpoint records were dropped"),
        (!around.unified_log).then_some("no unified log"),
        (!around.network).then_some("no network sensor"),
    ];
    let missing: Vec<&str> = missing.into_iter().flatten().collect();
    if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::{super::attacks::ATTACKS, *};

    fn around(endpoint: Subscription, unified_log: bool, network: bool) -> Surroundings {
        Surroundings { endpoint, has_gaps: false, unified_log, network, is_doubtful: false, seen_as: Vec::new() }
    }

    fn of(scenario: &str, around: &Surroundings) -> &'static str {
        told(ATTACKS.iter().find(|pattern| pattern.scenario == scenario).unwrap(), around, 100)
    }

    #[test]
    fn with_every_sensor_every_kind_can_be_told() {
        let all = around(Subscription::Everything, true, true);
        for (scenario, disposition) in [
            ("silver-sparrow", "pull-only"),
            ("cancel-at-headers", "reply-unhandled"),
            ("dead-server", "no-reply"),
            ("gimmick", "two-way"),
            ("constant-answer", "reply-unhandled"),
            // A script with a network stack of its own: nothing says that the connection is its.
            ("invisible-ferret", "any"),
        ] {
            assert_eq!(of(scenario, &all), disposition, "{scenario}");
        }
    }

    #[test]
    fn with_too_few_sensors_nothing_can_be_told() {
        let network = around(Subscription::Nothing, false, true);
        assert_eq!(of("dead-server", &network), "no-reply");
        for scenario in ["silver-sparrow", "cancel-at-headers", "gimmick", "constant-answer"] {
            assert_eq!(of(scenario, &network), "unknown", "{scenario}");
        }
        assert_eq!(of("dead-server", &around(Subscription::Everything, false, false)), "unknown");
        let mut doubtful = around(Subscription::Everything, true, true);
        doubtful.is_doubtful = true;
        assert_eq!(of("silver-sparrow", &doubtful), "any");
    }
}
