//! The numbers the hunt decides by, each with its reason. One place, so that a reviewer can read them all.

mod tuning;
mod weights;

pub use tuning::{FILE_CAP, Line, ServiceKind, Settings, SettingsError, UserContext};
pub use weights::{Weight, Weights};

const SECOND: i64 = 1_000_000_000;

/// After a reply, how long the process and its descendants are watched for a use of it: 30 s. Public cases act within
/// seconds of the fetch; a longer window would catch the application's own life.
pub const EFFECT_WINDOW_NS: i64 = 30 * SECOND;

/// How far back is looked for "what this process does anyway" before a reply: 10 minutes.
pub const HABIT_WINDOW_NS: i64 = 600 * SECOND;

/// After its last record, how long an exchange is held for stragglers before it is handed on: 10 minutes. Lines of one
/// request come out of order by less than a second, a connection's close line follows its last packet by minutes at most.
pub const SETTLE_NS: i64 = 600 * SECOND;

/// How far back deeds, ended processes and replies are carried from one hour to the next: what the windows before and
/// after a reply need, and room for [`SETTLE_NS`].
pub const KEEP_NS: i64 = HABIT_WINDOW_NS + EFFECT_WINDOW_NS + SETTLE_NS;

/// How long an exchange that never ends is held open: a day. After that it is handed on as what is known of it.
pub const HOLD_NS: i64 = 86_400 * SECOND;

/// How far back coverage and names are carried from one hour to the next: a day, the life of a DNS answer, and an hour.
pub const MEMORY_NS: i64 = 90_000 * SECOND;

/// Open exchanges of one host that are held; beyond that, the oldest are handed on as what is known of them.
pub const HELD_CAP: usize = 8192;

/// A process that ends within this after its reply is "gone at once": 2 s.
pub const GONE_AT_ONCE_NS: i64 = 2 * SECOND;

/// Clock difference between a Mac and a network sensor that linking bears: 2 s.
pub const CLOCK_SLACK_NS: i64 = 2 * SECOND;

/// How long before the first packet a connection may have been started (name lookup, path evaluation): 30 s.
pub const CONNECTION_SETUP_NS: i64 = 30 * SECOND;

/// How far the times of a network sensor may be off the host's after their difference was estimated: 0.2 s.
pub const CLOCK_ERROR_NS: i64 = SECOND / 5;

/// How long parts are held at the beginning of a host's telemetry until enough connections show the sensor's clock: 12 h.
pub const CLOCK_WAIT_NS: i64 = 12 * 3600 * SECOND;

/// Connections that are enough to follow a clock by.
pub const CLOCK_PAIRS: usize = 8;

/// Connection attempts of one 5-tuple within this are one attempt: the kernel repeats a SYN for 75 s (BSD
/// `TCPTV_KEEP_INIT`) and waits for the last.
pub const ATTEMPT_RETRY_NS: i64 = 120 * SECOND;

/// Exchanges below which silence is no definite `no-reply` (design 1.3).
pub const NO_REPLY_MINIMUM: u64 = 4;

/// Replies that count as "many identical" for a definite `reply-unhandled`.
pub const IDENTICAL_REPLIES_MINIMUM: u64 = 8;

/// Fresh connections that count as persistence for network records alone: one a hour for a day.
pub const PERSISTENCE_MINIMUM: u64 = 24;

/// Request sizes that differ by no more than this carry nothing back: room for a counter, a time, another session ticket.
pub const REQUEST_SLACK_BYTES: u32 = 256;

/// Handshakes of one kind with one service differ by less than this: tickets, padding, a certificate that was renewed. An
/// answer that is larger by more was no handshake alone.
pub const HANDSHAKE_SLACK_BYTES: u32 = 1024;

/// Responses of one service without a body differ in their headers by less than this: a date, an identifier, a counter
/// compressed differently. What is larger by more had a body.
pub const HEADERS_SLACK_BYTES: u32 = 16;

/// Headers alone hardly reach this; where the least response of a service is larger, it had a body.
pub const HEADERS_GREATEST_BYTES: u32 = 2048;

/// Hosts with a sight below which rarity is blind.
pub const RARITY_MINIMUM_HOSTS: u64 = 10;

/// Watched hours before a first request below which nothing is said of what is new: two days, so that what runs once a day
/// was seen.
pub const KNOWN_HOURS: u64 = 48;

/// Rate of false discoveries among cadence claims.
pub const DISCOVERY_RATE: f64 = 0.01;

/// Programs that open what others send, and have no business starting shells that ask the web: browsers, mail programs,
/// office suites, messengers, archive tools (ATT&CK T1204, T1566).
pub const SUSPICIOUS_PARENTS: &[&str] = &[
    "Safari",
    "Google Chrome",
    "Google Chrome Helper",
    "firefox",
    "Microsoft Edge",
    "Brave Browser",
    "Arc",
    "Opera",
    "Mail",
    "Microsoft Outlook",
    "Thunderbird",
    "Microsoft Word",
    "Microsoft Excel",
    "Microsoft PowerPoint",
    "Pages",
    "Numbers",
    "Keynote",
    "Preview",
    "Adobe Acrobat",
    "AdobeReader",
    "Script Editor",
    "Messages",
    "Slack",
    "Discord",
    "Telegram",
    "zoom.us",
    "Archive Utility",
    "The Unarchiver",
];

/// Score thresholds of the levels low, medium, high, critical (design 5).
pub const LEVEL_THRESHOLDS: [f64; 4] = [0.1, 0.5, 0.9, 0.99];

/// How long after a sensor's last record the end of its coverage may lie: 1 h. A quiet sensor writes nothing; one that is
/// silent for longer is taken as stopped.
pub const QUIET_END_NS: i64 = 3600 * SECOND;

/// Points kept for the picture of one finding.
pub const TIMELINE_POINTS: usize = 400;

/// Time after which a request without an announced timeout is taken as unanswered: URLSession's default of 60 s.
pub const DEFAULT_REQUEST_TIMEOUT_NS: i64 = 60 * SECOND;

/// Every number above that no settings change, with its name and unit, as an evidence pack states them.
#[must_use]
pub fn in_force() -> Vec<(&'static str, f64, &'static str)> {
    let seconds = |nanoseconds: i64| nanoseconds as f64 / 1e9;
    vec![
        ("effect_window", seconds(EFFECT_WINDOW_NS), "seconds"),
        ("habit_window", seconds(HABIT_WINDOW_NS), "seconds"),
        ("settle", seconds(SETTLE_NS), "seconds"),
        ("keep", seconds(KEEP_NS), "seconds"),
        ("hold", seconds(HOLD_NS), "seconds"),
        ("memory", seconds(MEMORY_NS), "seconds"),
        ("held_cap", HELD_CAP as f64, "exchanges"),
        ("gone_at_once", seconds(GONE_AT_ONCE_NS), "seconds"),
        ("clock_slack", seconds(CLOCK_SLACK_NS), "seconds"),
        ("connection_setup", seconds(CONNECTION_SETUP_NS), "seconds"),
        ("clock_error", seconds(CLOCK_ERROR_NS), "seconds"),
        ("clock_wait", seconds(CLOCK_WAIT_NS), "seconds"),
        ("clock_pairs", CLOCK_PAIRS as f64, "connections"),
        ("attempt_retry", seconds(ATTEMPT_RETRY_NS), "seconds"),
        ("no_reply_minimum", NO_REPLY_MINIMUM as f64, "exchanges"),
        ("identical_replies_minimum", IDENTICAL_REPLIES_MINIMUM as f64, "replies"),
        ("persistence_minimum", PERSISTENCE_MINIMUM as f64, "connections"),
        ("request_slack", f64::from(REQUEST_SLACK_BYTES), "bytes"),
        ("handshake_slack", f64::from(HANDSHAKE_SLACK_BYTES), "bytes"),
        ("headers_slack", f64::from(HEADERS_SLACK_BYTES), "bytes"),
        ("headers_greatest", f64::from(HEADERS_GREATEST_BYTES), "bytes"),
        ("quiet_end", seconds(QUIET_END_NS), "seconds"),
        ("default_request_timeout", seconds(DEFAULT_REQUEST_TIMEOUT_NS), "seconds"),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_number_that_decides_is_stated() {
        let source = include_str!("settings.rs");
        // Those that settings change are stated with the settings.
        let elsewhere = [
            "TIMELINE_POINTS",
            "SUSPICIOUS_PARENTS",
            "RARITY_MINIMUM",
            "KNOWN_HOURS",
            "DISCOVERY_RATE",
            "LEVEL_THRESHOLDS",
        ];
        let decides = |line: &&str| line.starts_with("pub const ") && !elsewhere.iter().any(|name| line.contains(name));
        assert_eq!(super::in_force().len(), source.lines().filter(decides).count());
    }
}
