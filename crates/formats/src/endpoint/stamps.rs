//! Dates and times in the names of files, for tools that print none.

use crate::zone::Zone;
use monologue_model::Timestamp;

/// The date in a name, such as `2026-11-24` in `nettop-2026-11-24.csv`. `None` if there is none.
pub(crate) fn date_in_name(source: &str) -> Option<&str> {
    let name = source.rsplit(['/', '\\']).next()?;
    let is_date = |text: &&str| {
        text.bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    };
    (0..name.len()).filter_map(|at| name.get(at..at + 10)).find(is_date)
}

/// The moment in a name: a date, and after one other sign a time such as `08:15:30` or `08-15-30` or `081530`; with a `Z`
/// behind it in UTC, else in `zone`. `None` if there is none.
pub(crate) fn moment_in_name(source: &str, zone: &Zone) -> Option<Timestamp> {
    let date = date_in_name(source)?;
    let rest = source.get(source.rfind(date)? + date.len()..)?;
    let mut signs = rest.chars().skip(1).filter(|sign| !matches!(sign, ':' | '-' | '.'));
    let digits: String = signs.by_ref().take(6).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hour, minute, second) = (digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?);
    let text = format!("{date}T{hour}:{minute}:{second}");
    if signs.next() == Some('Z') {
        return Timestamp::parse(&format!("{text}Z")).ok();
    }
    zone.moment(text.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_dates_and_moments() {
        assert_eq!(date_in_name("/x/2020-01-01/nettop-2026-11-24.csv"), Some("2026-11-24"));
        assert_eq!(date_in_name("nettop.csv"), None);
        let expected = Timestamp::parse("2026-11-24T08:15:30Z").unwrap();
        for name in ["lsof-2026-11-24T08:15:30Z.txt", "lsof-2026-11-24_08-15-30.txt", "a/lsof-2026-11-24T081530Z"] {
            assert_eq!(moment_in_name(name, &Zone::default()), Some(expected), "{name}");
        }
        assert_eq!(moment_in_name("lsof-2026-11-24.txt", &Zone::default()), None);
        assert_eq!(moment_in_name("é2026-11-2", &Zone::default()), None);
    }

    #[test]
    fn a_name_without_a_zone_is_of_the_users_and_flagged_without() {
        let tokyo = Zone::known(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
        let of = |name: &str| moment_in_name(name, &tokyo).map(|time| time.to_string());
        assert_eq!(of("lsof-2026-11-24_08-15-30.txt").as_deref(), Some("2026-11-23T23:15:30Z"));
        assert_eq!(of("lsof-2026-11-24T08-15-30Z.txt").as_deref(), Some("2026-11-24T08:15:30Z"));
        let unknown = Zone::default();
        moment_in_name("lsof-2026-11-24T08-15-30Z.txt", &unknown);
        assert!(!unknown.was_assumed());
        moment_in_name("lsof-2026-11-24T08-15-30.txt", &unknown);
        assert!(unknown.was_assumed());
    }
}
