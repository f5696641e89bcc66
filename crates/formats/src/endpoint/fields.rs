//! Fields of a JSON record: nested or with dots in their names, numbers as numbers or texts, what is not there in any of
//! its spellings.

use monologue_model::{Timestamp, TimestampError};
use serde_json::Value;
use std::{borrow::Cow, net::IpAddr, sync::Arc};

/// Levels of nesting that a dotted name may mean.
const DEPTH_CAP: usize = 8;

/// Texts by which sensors say that there is nothing.
const NOTHING: &[&str] = &["", "-", "null", "(null)", "None", "N/A", "NA", "NULL"];

/// One record.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl<'a> Fields<'a> {
    /// The value of a field, given with dots. Whether the record nests its fields or writes the dots does not matter.
    pub(crate) fn value(self, name: &str) -> Option<&'a Value> {
        find(self.0, name, DEPTH_CAP).filter(|value| !value.is_null())
    }

    /// A part of the record.
    pub(crate) fn part(self, name: &str) -> Option<Self> {
        self.value(name).filter(|value| value.is_object()).map(Self)
    }

    /// A text, or a number as a text; of an array its first. `None` for what means nothing.
    pub(crate) fn text(self, name: &str) -> Option<Cow<'a, str>> {
        text_of(self.value(name)?)
    }

    /// The first of these fields that says something.
    pub(crate) fn first(self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| self.text(name))
    }

    /// A whole number that is not negative, written as a number or a text. Never through a float: identifiers have 64 bits.
    pub(crate) fn number<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        let value = self.value(name)?;
        let number = match value {
            Value::Number(number) => number.as_u64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        T::try_from(number).ok()
    }

    /// A yes or no.
    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_u64().map(|number| number != 0),
            Value::String(text) if matches!(&**text, "true" | "True" | "TRUE" | "1" | "yes" | "Yes") => Some(true),
            Value::String(text) if matches!(&**text, "false" | "False" | "FALSE" | "0" | "no" | "No") => Some(false),
            _ => None,
        }
    }

    /// The items of a list; none if it is no list.
    pub(crate) fn list(self, name: &str) -> &'a [Value] {
        match self.value(name) {
            Some(Value::Array(items)) => items,
            _ => &[],
        }
    }

    /// Texts of a list.
    pub(crate) fn texts(self, name: &str) -> Vec<Cow<'a, str>> {
        self.list(name).iter().filter_map(text_of).collect()
    }

    /// A time in that form.
    ///
    /// # Errors
    /// What was expected, with the field's name.
    pub(crate) fn time(self, name: &str, form: Time) -> Result<Timestamp, String> {
        let text = self.text(name).ok_or_else(|| format!("expected a time in `{name}`"))?;
        form.read(&text).map_err(|error| format!("in `{name}`: {error}"))
    }
}

/// A value as a text.
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.trim()).filter(|text| !NOTHING.contains(text)).map(Cow::Borrowed),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Array(items) => text_of(items.first().filter(|first| !first.is_array())?),
        _ => None,
    }
}

fn find<'a>(value: &'a Value, name: &str, depth: usize) -> Option<&'a Value> {
    let object = value.as_object()?;
    if let Some(found) = object.get(name) {
        return Some(found);
    }
    if depth == 0 {
        return None;
    }
    let dots = name.match_indices('.').map(|(at, _)| at);
    dots.filter_map(|at| name.split_at_checked(at)).find_map(|(outer, inner)| {
        let nested = object.get(outer)?;
        find(nested, inner.strip_prefix('.')?, depth - 1)
    })
}

/// An address as text: brackets, a zone and the IPv4 in IPv6 form are undone.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    let bare = bare.split('%').next().unwrap_or(bare);
    let address: IpAddr = bare.parse().ok()?;
    let address = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    (!address.is_unspecified()).then_some(address)
}

/// How a sensor writes its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// RFC 3339, with `T` or a space; without an offset it is UTC, as the vendor documents or a service made it.
    Utc,
    /// Seconds since 1970, with or without fraction.
    Seconds,
    /// Milliseconds since 1970, with or without fraction.
    Milliseconds,
    /// A number since 1970 whose unit its size tells (to the year 2286), or a text as [`Self::Utc`].
    Any,
}

impl Time {
    /// Reads a time.
    ///
    /// # Errors
    /// When the text has another form.
    pub(crate) fn read(self, text: &str) -> Result<Timestamp, TimestampError> {
        let form = || TimestampError::Form(text.chars().take(64).collect());
        match self {
            Self::Utc => {
                let with_zone = text.len() <= 19 || text.ends_with(['Z', 'z']) || has_offset(text);
                match (with_zone, text.len()) {
                    (true, length) if length > 19 => Timestamp::parse(text),
                    _ => Timestamp::parse(&format!("{text}Z")),
                }
            }
            Self::Seconds => Timestamp::parse_epoch_seconds(text),
            Self::Milliseconds => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                scaled(whole, fraction, 1_000_000).ok_or_else(form)
            }
            Self::Any => {
                let whole = text.split('.').next().unwrap_or(text);
                if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Self::Utc.read(text);
                }
                match whole.len() {
                    0..=11 => Timestamp::parse_epoch_seconds(text),
                    12..=14 => Self::Milliseconds.read(text),
                    15..=17 => scaled(whole, "", 1_000).ok_or_else(form),
                    _ => scaled(whole, "", 1).ok_or_else(form),
                }
            }
        }
    }
}

/// Whether a time text ends with an offset such as `+02:00`, after the clock time.
fn has_offset(text: &str) -> bool {
    text.get(19..).is_some_and(|rest| rest.contains(['+', '-']))
}

/// A whole number of a unit, and a fraction of it in decimal digits.
fn scaled(whole: &str, fraction: &str, unit_ns: i64) -> Option<Timestamp> {
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut nanoseconds = whole.parse::<i64>().ok()?.checked_mul(unit_ns)?;
    let mut unit = unit_ns / 10;
    for digit in fraction.bytes().take(9) {
        nanoseconds = nanoseconds.checked_add(i64::from(digit - b'0') * unit)?;
        unit /= 10;
    }
    Some(Timestamp::from_nanoseconds(nanoseconds))
}

/// Names of the commonest record types (RFC 1035, 3596, 9460).
pub(crate) fn query_type(number: &str) -> Option<Arc<str>> {
    let name = match number {
        "1" => "A",
        "5" => "CNAME",
        "12" => "PTR",
        "15" => "MX",
        "16" => "TXT",
        "28" => "AAAA",
        "33" => "SRV",
        "65" => "HTTPS",
        _ => return Some(format!("TYPE{number}").into()),
    };
    Some(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dots_and_nesting_are_the_same() {
        let flat = json!({"a.b.c": "1", "a": {"x": 2}});
        let nested = json!({"a": {"b": {"c": 1}, "x": "2"}});
        let mixed = json!({"a": {"b.c": "1", "x": [2, 3]}});
        for record in [&flat, &nested, &mixed] {
            let fields = Fields(record);
            assert_eq!(fields.text("a.b.c").as_deref(), Some("1"), "{record}");
            assert_eq!(fields.text("a.x").as_deref(), Some("2"), "{record}");
            assert_eq!(fields.text("a.b.c.d"), None);
        }
    }

    #[test]
    fn sixty_four_bit_identifiers_are_exact() {
        let record = json!({"text": "494725112584640957", "number": 494_725_112_584_640_957_u64, "float": 1e3});
        let fields = Fields(&record);
        assert_eq!(fields.text("text").as_deref(), Some("494725112584640957"));
        assert_eq!(fields.text("number").as_deref(), Some("494725112584640957"));
        assert_eq!(fields.number::<u64>("number"), Some(494_725_112_584_640_957));
        assert_eq!(fields.number::<u16>("number"), None);
        assert_eq!(fields.number::<u64>("float"), None);
    }

    #[test]
    fn what_means_nothing_is_nothing() {
        let record = json!({"a": "-", "b": "", "c": null, "d": [], "e": "None", "f": {}});
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            assert_eq!(Fields(&record).text(name), None, "{name}");
        }
    }

    #[test]
    fn every_form_of_a_time_is_read() {
        // 2026-11-24T08:00:00.123Z is 1795507200123 ms after the epoch (20781 days and 8 hours).
        let expected = Timestamp::from_nanoseconds(1_795_507_200_123_000_000);
        for (form, text) in [
            (Time::Utc, "2026-11-24T08:00:00.1230000Z"),
            (Time::Utc, "2026-11-24 08:00:00.123"),
            (Time::Utc, "2026-11-24T10:00:00.123+02:00"),
            (Time::Seconds, "1795507200.123"),
            (Time::Milliseconds, "1795507200123"),
            (Time::Any, "1795507200.123"),
            (Time::Any, "1795507200123"),
            (Time::Any, "1795507200123000"),
            (Time::Any, "1795507200123000000"),
            (Time::Any, "2026-11-24 08:00:00.123Z"),
        ] {
            assert_eq!(form.read(text), Ok(expected), "{text}");
        }
        assert_eq!(Time::Utc.read("2026-11-24 08:00:00"), Ok(Timestamp::from_nanoseconds(1_795_507_200_000_000_000)));
        assert_eq!(
            Time::Milliseconds.read("1795507200123.5"),
            Ok(Timestamp::from_nanoseconds(1_795_507_200_123_500_000))
        );
        for (form, text) in [(Time::Utc, "soon"), (Time::Milliseconds, "-1"), (Time::Any, ""), (Time::Any, "é")] {
            assert!(form.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_lose_their_dress() {
        assert_eq!(address("[2001:db8::1]").unwrap().to_string(), "2001:db8::1");
        assert_eq!(address("fe80::1%en0").unwrap().to_string(), "fe80::1");
        assert_eq!(address("::ffff:192.0.2.1").unwrap().to_string(), "192.0.2.1");
        assert_eq!(address("0.0.0.0"), None);
    }
}
