//! What the machine outputs ask of a finding, in the terms they share: place, technique, title, times.

use monologue_model::{Disposition, Finding, Level, SignatureState, Timestamp};
use serde_json::Value;
use std::net::IpAddr;

/// What the name of a host or destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Nobody recorded it.
    Unknown,
    /// An address.
    Address(IpAddr),
    /// A host name.
    Name(&'a str),
    /// A text that is neither, such as a masked name of the unified log.
    Other(&'a str),
}

impl<'a> Place<'a> {
    /// Looks at the text.
    pub(crate) fn of(text: &'a str) -> Self {
        if text.is_empty() || text == "unknown" {
            return Self::Unknown;
        }
        if let Ok(address) = text.parse() {
            return Self::Address(address);
        }
        let labels = |text: &str| {
            text.len() <= 253
                && text.split('.').all(|label| {
                    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
                    (1..=63).contains(&label.len()) && label.bytes().all(allowed)
                })
        };
        if labels(text) { Self::Name(text) } else { Self::Other(text) }
    }

    /// The address, where it is one.
    pub(crate) const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            _ => None,
        }
    }

    /// The host name, where it is one.
    pub(crate) const fn name(self) -> Option<&'a str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// A technique of ATT&CK (v19.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Technique {
    /// Its ATT&CK id.
    pub(crate) id: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Its STIX id.
    pub(crate) object: &'static str,
}

/// The tactic of all techniques here: id, name, and short name as STIX and Navigator write it.
pub(crate) const TACTIC: (&str, &str, &str) = ("TA0011", "Command and Control", "command-and-control");

/// The technique above both: id and name.
pub(crate) const PARENT: (&str, &str) = ("T1102", "Web Service");

/// T1102.003.
pub(crate) const ONE_WAY: Technique = Technique {
    id: "T1102.003",
    name: "One-Way Communication",
    object: "attack-pattern--9c99724c-a483-4d60-ad9d-7f004e42e8e8",
};

/// T1102.002.
pub(crate) const TWO_WAY: Technique = Technique {
    id: "T1102.002",
    name: "Bidirectional Communication",
    object: "attack-pattern--be055942-6e63-49d7-9fa1-9cb7d8a8f3f4",
};

/// The technique that the disposition matches. `None`: the evidence settles none, so none is claimed.
pub(crate) const fn technique(finding: &Finding) -> Option<Technique> {
    match finding.disposition {
        Disposition::NoReply | Disposition::ReplyUnhandled | Disposition::PullOnly => Some(ONE_WAY),
        Disposition::TwoWay => Some(TWO_WAY),
        Disposition::Unknown => None,
    }
}

/// The disposition as a heading.
pub(crate) const fn title(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Unknown => "Web requests whose responses were not seen",
        Disposition::NoReply => "Web requests that nothing answers",
        Disposition::ReplyUnhandled => "Web responses that nothing uses",
        Disposition::PullOnly => "Web responses acted on, nothing sent back",
        Disposition::TwoWay => "Web responses acted on, results sent back",
    }
}

/// The probability as a whole number, 0 to 100.
pub(crate) fn whole_percent(finding: &Finding) -> u8 {
    // A probability; rounding keeps it within the range.
    (finding.score.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// Whether a machine should raise it: from the default minimum level on, and not approved.
pub(crate) fn is_alert(finding: &Finding) -> bool {
    finding.level >= Level::Medium && finding.approval.is_none()
}

/// The user as a number, where it is one, else as a name. `(number, name)`.
pub(crate) fn user(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match finding.user.as_deref() {
        None => (None, None),
        Some(user) => match user.strip_prefix("uid ") {
            Some(number) => (Some(number), None),
            None => (None, Some(user)),
        },
    }
}

/// The name of the application; `None` means nobody recorded it.
pub(crate) fn application_name(finding: &Finding) -> Option<&str> {
    Some(&*finding.application.name).filter(|name| *name != "unknown")
}

/// Whether the program carries a signature. `None` means nobody recorded it.
pub(crate) const fn is_signed(state: SignatureState) -> Option<bool> {
    match state {
        SignatureState::Unknown => None,
        SignatureState::Unsigned => Some(false),
        SignatureState::AdHoc | SignatureState::Team | SignatureState::Platform => Some(true),
    }
}

/// Milliseconds since the epoch.
pub(crate) const fn milliseconds(time: Timestamp) -> i64 {
    time.nanoseconds().div_euclid(1_000_000)
}

/// Microseconds since the epoch.
pub(crate) const fn microseconds(time: Timestamp) -> i64 {
    time.nanoseconds().div_euclid(1000)
}

/// RFC 3339 with exactly three digits of fraction and `Z`, as STIX wants it.
pub(crate) fn to_the_millisecond(time: Timestamp) -> String {
    format!("{}Z", with_fraction(time, 3))
}

/// RFC 3339 with exactly six digits of fraction and `+00:00`, as plaso writes it.
pub(crate) fn to_the_microsecond(time: Timestamp) -> String {
    format!("{}+00:00", with_fraction(time, 6))
}

/// The date, in UTC.
pub(crate) fn date(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

fn with_fraction(time: Timestamp, digits: usize) -> String {
    let text = time.to_string();
    let text = text.trim_end_matches('Z');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    format!("{whole}.{fraction}")
}

/// The value without members that are null or empty: an absent member says "nobody recorded it" in these schemas.
pub(crate) fn known(value: Value) -> Value {
    let nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| (key, known(value)));
            Value::Object(members.filter(|(_, value)| !nothing(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(known).filter(|item| !nothing(item)).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_is_what_its_text_can_be() {
        assert_eq!(Place::of("unknown"), Place::Unknown);
        assert_eq!(Place::of("a.example"), Place::Name("a.example"));
        assert_eq!(Place::of("203.0.113.7").address(), Some("203.0.113.7".parse().unwrap()));
        assert_eq!(Place::of("2001:db8::1").address(), Some("2001:db8::1".parse().unwrap()));
        for other in ["masked:a1b2", "a..b", "a b", "<b>", "tele\u{202e}gram.org", &"a".repeat(64)] {
            assert_eq!(Place::of(other), Place::Other(other));
        }
    }

    #[test]
    fn times_have_the_digits_their_readers_want() {
        // 2026-11-24T08:00:00Z is 20,781 days and 8 hours after the epoch.
        let time = Timestamp::from_nanoseconds((20_781 * 86_400 + 28_800) * 1_000_000_000 + 123_456_789);
        assert_eq!(milliseconds(time), 1_795_507_200_123);
        assert_eq!(microseconds(time), 1_795_507_200_123_456);
        assert_eq!(to_the_millisecond(time), "2026-11-24T08:00:00.123Z");
        assert_eq!(to_the_microsecond(time), "2026-11-24T08:00:00.123456+00:00");
        assert_eq!(date(time), "2026-11-24");
        let before = Timestamp::from_nanoseconds(-1);
        assert_eq!((milliseconds(before), &*to_the_millisecond(before)), (-1, "1969-12-31T23:59:59.999Z"));
    }

    #[test]
    fn what_nobody_recorded_is_absent_and_a_zero_stays() {
        let value = json!({"a": null, "b": {"c": null}, "d": [null, 0], "e": false, "f": ""});
        assert_eq!(known(value), json!({"d": [0], "e": false, "f": ""}));
    }
}
