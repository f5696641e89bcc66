//! Times as logs write them: epochs of any unit, RFC 3339, and patterns with or without a zone.

use crate::zone::Zone;
use jiff::fmt::strtime::BrokenDownTime;
use monologue_model::Timestamp;

/// How a time is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// Whole or decimal numbers since 1970, in units of 10 to the power of minus this many seconds.
    Epoch(u32),
    /// A pattern as `strptime` has them.
    Pattern(String),
}

/// Dates of the common log format, such as `25/Nov/2026:10:00:00 +0100`.
pub(crate) const COMMON_LOG: &str = "%d/%b/%Y:%H:%M:%S %z";

impl TimeForm {
    /// Reads a time.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn read(&self, text: &str, zone: &Zone) -> Result<Timestamp, String> {
        let text = text.trim();
        match self {
            Self::Epoch(digits) => epoch(text, *digits),
            Self::Pattern(pattern) => by_pattern(pattern, text, zone),
        }
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

    #[test]
    fn every_unit_of_epoch_is_the_same_moment_to_the_last_digit() {
        // 20782 days after 1970-01-01 is 2026-11-25; 35200 s are 9 h 46 min 40 s.
        assert_eq!(1_795_600_000, 20_782 * 86_400 + 35_200);
        let read = |digits, text| TimeForm::Epoch(digits).read(text, &Zone::default()).map(|time| time.to_string());
        let texts = ["1795600000.123456789", "1795600000123.456789", "1795600000123456.789", "1795600000123456789"];
        for (digits, text) in [0, 3, 6, 9].into_iter().zip(texts) {
            assert_eq!(read(digits, text).as_deref(), Ok("2026-11-25T09:46:40.123456789Z"), "{text}");
        }
        assert_eq!(read(3, "-1500").as_deref(), Ok("1969-12-31T23:59:58.5Z"));
        assert_eq!(read(3, "5").as_deref(), Ok("1970-01-01T00:00:00.005Z"));
        assert!(read(3, "1.5e12").is_err());
    }

    #[test]
    fn patterns_take_the_zone_of_the_text_before_that_of_the_user() {
        let zone = Zone::known(jiff::tz::TimeZone::get("Europe/Paris").unwrap());
        let with = TimeForm::Pattern(COMMON_LOG.to_owned());
        assert_eq!(
            with.read("25/Nov/2026:10:00:00 -0500", &zone).map(|time| time.to_string()).as_deref(),
            Ok("2026-11-25T15:00:00Z")
        );
        let without = TimeForm::Pattern("%a %b %d %H:%M:%S %Y".to_owned());
        let read = without.read("Wed Nov 25 10:00:00 2026", &zone).unwrap();
        assert_eq!(read.to_string(), "2026-11-25T09:00:00Z");
    }
}
