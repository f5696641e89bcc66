//! Points in time: nanoseconds since 1970-01-01T00:00:00Z, as every record is normalised to.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A moment in UTC, in nanoseconds since the Unix epoch. Covers the years 1678 to 2262.
///
/// Written and read as RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text or number is not a moment we can represent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text does not follow the expected form.
    #[error("expected an RFC 3339 time such as 2026-11-24T08:00:00Z, found {0:?}")]
    Form(String),
    /// The moment lies outside the years 1678 to 2262, or outside what telemetry can mean.
    #[error("expected a time between 1678 and 2262, found {0:?}")]
    Range(String),
}

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;

impl Timestamp {
    /// The moment `nanoseconds` after the epoch.
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// The moment `seconds` after the epoch, if it can be represented.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        match seconds.checked_mul(SECOND) {
            Some(nanoseconds) => Some(Self(nanoseconds)),
            None => None,
        }
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with fraction. Only for display and statistics: loses precision below a microsecond.
    #[must_use]
    pub fn seconds_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Number of the hour this moment lies in, counted from the epoch. Hours are what summaries merge by.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(3600 * SECOND)
    }

    /// This moment moved by `nanoseconds`, stopping at the ends of the representable range.
    #[must_use]
    pub const fn saturating_add(self, nanoseconds: i64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// Nanoseconds from `earlier` to this moment; negative if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339, with any number of fraction digits (those past nanoseconds are dropped), a `T` or a space,
    /// and `Z`, `+hh:mm`, `+hhmm` or `+hh` as the offset.
    ///
    /// # Errors
    /// When the text has another form, or the moment cannot be represented.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let form = || TimestampError::Form(text.chars().take(64).collect());
        let (local, offset_seconds) = split_offset(text).ok_or_else(form)?;
        let (whole, fraction) = match local.split_once(['.', ',']) {
            Some((whole, fraction)) => (whole, fraction),
            None => (local, ""),
        };
        let seconds = parse_civil(whole).ok_or_else(form)?.checked_sub(offset_seconds).ok_or_else(form)?;
        let nanoseconds = parse_fraction(fraction).ok_or_else(form)?;
        // Wide, since the first second of the range begins before the range does.
        i64::try_from(i128::from(seconds) * i128::from(SECOND) + i128::from(nanoseconds))
            .map(Self)
            .map_err(|_| TimestampError::Range(text.chars().take(64).collect()))
    }

    /// Reads decimal seconds since the epoch such as `1672843056.914972`, exactly (never through a float).
    ///
    /// # Errors
    /// When the text is not a decimal number, or the moment cannot be represented.
    pub fn parse_epoch_seconds(text: &str) -> Result<Self, TimestampError> {
        let form = || TimestampError::Form(text.chars().take(64).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(form());
        }
        let range = || TimestampError::Range(text.chars().take(64).collect());
        let seconds: i64 = whole.parse().map_err(|_| range())?;
        let nanoseconds = parse_fraction(fraction).ok_or_else(form)?;
        let total = seconds.checked_mul(SECOND).and_then(|value| value.checked_add(nanoseconds)).ok_or_else(range)?;
        Ok(Self(if negative { -total } else { total }))
    }
}

/// Splits the offset from the end of an RFC 3339 time; gives it in seconds east of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let at = text.rfind(['+', '-']).filter(|at| *at >= 19)?;
    let (local, offset) = text.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = match digits.len() {
        2 => (digits.parse().ok()?, 0),
        4 => (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some((local, sign * (hours * 3600 + minutes * 60)))
}

/// Seconds since the epoch of `YYYY-MM-DD?hh:mm:ss` in the proleptic Gregorian calendar.
fn parse_civil(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 19 || !text.is_ascii() {
        return None;
    }
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, expected)| bytes.get(*at) != Some(expected))
        || !matches!(bytes.get(10), Some(b'T' | b't' | b' '))
    {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    // A leap second (60) is taken as the first second of the next minute, as POSIX time does.
    if day < 1 || day > days_in_month || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, counting years from March so that the leap day
/// is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year_from_march.div_euclid(4) - year_from_march.div_euclid(100) + year_from_march.div_euclid(400);
    year_from_march * 365 + leap_days + day_of_year - 719_468
}

/// Nanoseconds of a decimal fraction given without its point; digits past the ninth are dropped.
fn parse_fraction(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value = 0_i64;
    for place in 0..9 {
        let digit = digits.as_bytes().get(place).map_or(0, |byte| i64::from(byte - b'0'));
        value = value * 10 + digit;
    }
    Some(value)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => write!(formatter, "{moment}"),
            Err(_) => write!(formatter, "{}ns", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_offset_form_as_the_same_moment() {
        // 2026-11-24T08:00:00Z is 20781 days and 8 hours after the epoch: 20781 * 86400 + 28800.
        let expected = Timestamp::from_nanoseconds((20_781 * 86_400 + 28_800) * SECOND + 123_456_789);
        for text in [
            "2026-11-24T08:00:00.123456789Z",
            "2026-11-24 08:00:00.1234567891+0000",
            "2026-11-24T10:00:00.123456789+02:00",
            "2026-11-24T01:30:00.123456789-0630",
            "2026-11-24 09:00:00.123456789+01",
        ] {
            assert_eq!(Timestamp::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-24T08:00:00",
            "X026-11-24T08:00:00Z",
            "é",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
        assert!(matches!(Timestamp::parse("1601-01-01T00:00:00Z"), Err(TimestampError::Range(_))));
    }

    #[test]
    fn epoch_seconds_are_exact() {
        assert_eq!(
            Timestamp::parse_epoch_seconds("1672843056.914972").map(Timestamp::nanoseconds),
            Ok(1_672_843_056_914_972_000)
        );
        assert_eq!(Timestamp::parse_epoch_seconds("-1.5").map(Timestamp::nanoseconds), Ok(-1_500_000_000));
        assert!(Timestamp::parse_epoch_seconds("1e9").is_err());
        assert!(Timestamp::parse_epoch_seconds("XXXXXXXXXX.XXXXXX").is_err());
    }

    #[test]
    fn display_and_parse_agree_with_an_independent_calendar() {
        for nanoseconds in [0, -1, 951_782_400 * SECOND, 4_102_444_799 * SECOND + 999_999_999, -2_208_988_800 * SECOND]
        {
            let moment = Timestamp::from_nanoseconds(nanoseconds);
            assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }
    }

    #[test]
    fn the_ends_of_the_range_survive_json() {
        for nanoseconds in [i64::MIN, i64::MIN + 1, i64::MAX] {
            let moment = Timestamp::from_nanoseconds(nanoseconds);
            let text = serde_json::to_string(&moment).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment, "{text}");
        }
        assert!(Timestamp::parse("1677-09-21T00:12:43.145224191Z").is_err());
        assert!(Timestamp::parse("2262-04-11T23:47:16.854775808Z").is_err());
    }

    #[test]
    fn hours_go_down_before_the_epoch() {
        assert_eq!(Timestamp::from_nanoseconds(-1).hour(), -1);
        assert_eq!(Timestamp::from_nanoseconds(3600 * SECOND).hour(), 1);
    }
}
