//! Times as logs write them: epochs of any unit, RFC 3339, and patterns with or without a zone.

use crate::zone::Zone;
use jiff::fmt::strtime::{self, BrokenDownTime};
use monologue_model::Timestamp;

/// How a time is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// Whole or decimal numbers since 1970, in units of 10 to the power of minus this many seconds.
    Epoch(u32),
    /// The same, with the unit told by the number of digits: 10 or fewer are seconds, then each three more a smaller unit.
    EpochOfAnyUnit,
    /// RFC 3339 or its relaxations; without an offset it is taken in the zone given.
    Iso,
    /// A pattern as `strptime` has them.
    Pattern(String),
}

/// Dates of the common log format, such as `25/Nov/2026:10:00:00 +0100`.
pub(crate) const COMMON_LOG: &str = "%d/%b/%Y:%H:%M:%S %z";

impl TimeForm {
    /// The form of that name: `epoch-s`, `epoch-ms`, `epoch-us`, `epoch-ns`, `epoch-auto`, `iso`, or a pattern with `%`.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Ok(match name {
            "epoch-s" => Self::Epoch(0),
            "epoch-ms" => Self::Epoch(3),
            "epoch-us" => Self::Epoch(6),
            "epoch-ns" => Self::Epoch(9),
            "epoch-auto" => Self::EpochOfAnyUnit,
            "iso" => Self::Iso,
            pattern if pattern.contains('%') => {
                // A pattern that cannot print a date cannot read one.
                let noon = jiff::civil::date(2026, 11, 25).at(12, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
                noon.and_then(|noon| strtime::format(pattern, &noon))
                    .map_err(|error| format!("expected a time pattern, {error}"))?;
                if !["%Y", "%y", "%F", "%D", "%s", "%c", "%G"].iter().any(|code| pattern.contains(code)) {
                    return Err(format!(
                        "expected a pattern with a year, found {pattern:?}: a time of day places nothing"
                    ));
                }
                Self::Pattern(pattern.to_owned())
            }
            other => {
                return Err(format!(
                    "expected `epoch-s`, `epoch-ms`, `epoch-us`, `epoch-ns`, `epoch-auto`, `iso` or a pattern such as \"%Y-%m-%d %H:%M:%S\", found {other:?}"
                ));
            }
        })
    }

    /// Reads a time.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn read(&self, text: &str, zone: &Zone) -> Result<Timestamp, String> {
        let text = text.trim();
        match self {
            Self::Epoch(digits) => epoch(text, *digits),
            Self::EpochOfAnyUnit => epoch(text, unit_of(text)),
            Self::Iso => iso(text, zone),
            Self::Pattern(pattern) => by_pattern(pattern, text, zone),
        }
    }
}

/// Digits below the second that a whole number of this length means: seconds have ten digits until the year 2286.
fn unit_of(text: &str) -> u32 {
    let digits = text.split('.').next().unwrap_or(text).trim_start_matches('-').len();
    match digits {
        0..=11 => 0,
        12..=14 => 3,
        15..=17 => 6,
        _ => 9,
    }
}

/// Moves the decimal point, so that no digit passes through a float.
fn epoch(text: &str, digits: u32) -> Result<Timestamp, String> {
    let seconds = |text: &str| Timestamp::parse_epoch_seconds(text).map_err(|error| error.to_string());
    if digits == 0 {
        return seconds(text);
    }
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if whole.is_empty() || whole.len() > 40 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("expected a number since 1970, found {:?}", shown(text)));
    }
    let padded = format!("{whole:0>width$}", width = digits as usize + 1);
    let (before, after) = padded.split_at_checked(padded.len() - digits as usize).unwrap_or((&padded, ""));
    seconds(&format!("{}{before}.{after}{fraction}", if negative { "-" } else { "" }))
}

fn iso(text: &str, zone: &Zone) -> Result<Timestamp, String> {
    if let Ok(moment) = Timestamp::parse(text) {
        return Ok(moment);
    }
    let bare = text.strip_suffix(" UTC");
    if let Some(moment) = bare.and_then(|bare| Timestamp::parse(&format!("{bare}Z")).ok()) {
        return Ok(moment);
    }
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let local = format!("{date}T{time}").parse::<jiff::civil::DateTime>();
    local
        .ok()
        .and_then(|local| zone.moment(local))
        .ok_or_else(|| format!("expected a time such as 2026-11-24T08:00:00Z, found {:?}", shown(text)))
}

fn by_pattern(pattern: &str, text: &str, zone: &Zone) -> Result<Timestamp, String> {
    let wrong = || format!("expected a time like {pattern:?}, found {:?}", shown(text));
    let time = BrokenDownTime::parse(pattern, text).map_err(|_| wrong())?;
    if let Ok(moment) = time.to_timestamp() {
        return i64::try_from(moment.as_nanosecond()).map(Timestamp::from_nanoseconds).map_err(|_| wrong());
    }
    time.to_datetime().ok().and_then(|local| zone.moment(local)).ok_or_else(wrong)
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, text: &str) -> Result<String, String> {
        TimeForm::named(form)?.read(text, &Zone::default()).map(|moment| moment.to_string())
    }

    #[test]
    fn every_unit_of_epoch_is_the_same_moment_to_the_last_digit() {
        // 20782 days after 1970-01-01 is 2026-11-25; 35200 s are 9 h 46 min 40 s.
        assert_eq!(1_795_600_000, 20_782 * 86_400 + 35_200);
        for (form, text) in [
            ("epoch-s", "1795600000.123456789"),
            ("epoch-ms", "1795600000123.456789"),
            ("epoch-us", "1795600000123456.789"),
            ("epoch-ns", "1795600000123456789"),
        ] {
            assert_eq!(read(form, text).as_deref(), Ok("2026-11-25T09:46:40.123456789Z"), "{form}");
        }
        for text in ["1795600000.123456789", "1795600000123.456789", "1795600000123456.789", "1795600000123456789"] {
            assert_eq!(read("epoch-auto", text).as_deref(), Ok("2026-11-25T09:46:40.123456789Z"), "{text}");
        }
        assert_eq!(read("epoch-ms", "-1500").as_deref(), Ok("1969-12-31T23:59:58.5Z"));
        assert_eq!(read("epoch-ms", "5").as_deref(), Ok("1970-01-01T00:00:00.005Z"));
        assert!(read("epoch-ms", "1.5e12").is_err());
    }

    #[test]
    fn patterns_take_the_zone_of_the_text_before_that_of_the_user() {
        let zone = Zone::known(jiff::tz::TimeZone::get("Europe/Paris").unwrap());
        let with = TimeForm::named(COMMON_LOG).unwrap();
        assert_eq!(
            with.read("25/Nov/2026:10:00:00 -0500", &zone).map(|time| time.to_string()).as_deref(),
            Ok("2026-11-25T15:00:00Z")
        );
        let without = TimeForm::named("%a %b %d %H:%M:%S %Y").unwrap();
        let read = without.read("Wed Nov 25 10:00:00 2026", &zone).unwrap();
        assert_eq!(read.to_string(), "2026-11-25T09:00:00Z");
        assert!(TimeForm::named("%Y-%").is_err());
        assert!(TimeForm::named("yyyy").is_err());
        assert!(TimeForm::named("%H:%M:%S").unwrap_err().contains("places nothing"));
    }

    #[test]
    fn iso_takes_what_logs_make_of_it() {
        assert_eq!(read("iso", "2026-11-25T10:00:00.5+02:00").as_deref(), Ok("2026-11-25T08:00:00.5Z"));
        assert_eq!(read("iso", "2026-11-25 10:00:00").as_deref(), Ok("2026-11-25T10:00:00Z"));
        assert_eq!(read("iso", "2026-11-25 10:00:00.25 UTC").as_deref(), Ok("2026-11-25T10:00:00.25Z"));
        assert!(read("iso", "25.11.2026").is_err());
    }
}
