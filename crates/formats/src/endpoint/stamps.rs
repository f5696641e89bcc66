//! Dates and times in the names of files, for tools that print none.

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

/// The moment in a name, in UTC: a date, and after one other sign a time such as `08:15:30` or `08-15-30` or `081530`.
/// `None` if there is none.
pub(crate) fn moment_in_name(source: &str) -> Option<Timestamp> {
    let date = date_in_name(source)?;
    let rest = source.get(source.rfind(date)? + date.len()..)?;
    let digits: String = rest.chars().skip(1).filter(|sign| !matches!(sign, ':' | '-' | '.')).take(6).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hour, minute, second) = (digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?);
    Timestamp::parse(&format!("{date}T{hour}:{minute}:{second}Z")).ok()
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
            assert_eq!(moment_in_name(name), Some(expected), "{name}");
        }
        assert_eq!(moment_in_name("lsof-2026-11-24.txt"), None);
        assert_eq!(moment_in_name("é2026-11-2"), None);
    }
}
