//! Civil time of the simulated day, as each format writes it. Shares no code with the readers.

use crate::Moment;

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// Nanoseconds in a millisecond.
pub(crate) const MILLISECOND: i64 = 1_000_000;

/// Nanoseconds in so many seconds.
pub(crate) fn seconds(value: f64) -> i64 {
    (value * SECOND as f64) as i64
}

/// Year, month, day, hour, minute, second, nanosecond in UTC.
fn civil(moment: Moment) -> (i64, i64, i64, i64, i64, i64, i64) {
    let whole = moment.div_euclid(SECOND);
    let (days, second_of_day) = (whole.div_euclid(86_400), whole.rem_euclid(86_400));
    // Counts whole eras of 400 years from 0000-03-01, so that the leap day ends its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day, second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60, moment.rem_euclid(SECOND))
}

/// `2026-03-02T06:00:00.000000000Z`, as Endpoint Security writes times of events.
pub(crate) fn nanosecond_text(moment: Moment) -> String {
    let (year, month, day, hour, minute, second, fraction) = civil(moment);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:09}Z")
}

/// `2026-03-02T06:00:00.000000Z`, as Endpoint Security writes starts of processes.
pub(crate) fn microsecond_text(moment: Moment) -> String {
    let (year, month, day, hour, minute, second, fraction) = civil(moment);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", fraction / 1000)
}

/// `2026-03-02 06:00:00.000000+0000`, as the unified log writes times.
pub(crate) fn log_text(moment: Moment) -> String {
    let (year, month, day, hour, minute, second, fraction) = civil(moment);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}+0000", fraction / 1000)
}

/// `2026-03-02-06-00-00`, as Zeek writes `#open` and `#close`.
pub(crate) fn zeek_header_text(moment: Moment) -> String {
    let (year, month, day, hour, minute, second, _) = civil(moment);
    format!("{year:04}-{month:02}-{day:02}-{hour:02}-{minute:02}-{second:02}")
}

/// Decimal seconds since the epoch with six digits, as Zeek writes times.
pub(crate) fn epoch_text(moment: Moment) -> String {
    format!("{}.{:06}", moment.div_euclid(SECOND), moment.rem_euclid(SECOND) / 1000)
}
