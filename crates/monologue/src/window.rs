//! The window of time that was asked for.

use crate::cli::InputArguments;
use anyhow::{Context, Result, anyhow, bail};
use jiff::{civil, tz::TimeZone};
use monologue_model::Timestamp;

/// From when until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Its start. `None` means nobody asked for one.
    pub(crate) since: Option<Timestamp>,
    /// Its end. `None` means nobody asked for one.
    pub(crate) until: Option<Timestamp>,
}

impl Window {
    /// From the options.
    ///
    /// # Errors
    /// When a time or the zone cannot be understood, or the window ends before it starts.
    pub(crate) fn new(arguments: &InputArguments) -> Result<Self> {
        let zone = named_zone(arguments.timezone.as_deref())?.unwrap_or(TimeZone::UTC);
        let time = |text: &Option<String>| text.as_deref().map(|text| moment(text, &zone)).transpose();
        let window = Self { since: time(&arguments.since)?, until: time(&arguments.until)? };
        if window.since.zip(window.until).is_some_and(|(since, until)| until < since) {
            bail!(
                "expected --until after --since; hint: a date means its first moment, so name the day after the last"
            );
        }
        Ok(window)
    }
}

/// The zone of that name. `None`: nobody named one.
///
/// # Errors
/// When there is no such zone.
pub(crate) fn named_zone(name: Option<&str>) -> Result<Option<TimeZone>> {
    match name {
        None => Ok(None),
        Some(name) => TimeZone::get(name)
            .map(Some)
            .with_context(|| format!("expected a time zone, found {name:?}; hint: such as --timezone Europe/Paris")),
    }
}

/// A moment given as RFC 3339, or as a date (its midnight) or a time without an offset, both in the zone.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp> {
    if let Ok(moment) = Timestamp::parse(text) {
        return Ok(moment);
    }
    // Both are parsed in full, so a time never passes as a date.
    let civil = match text.len() {
        10 => text.parse::<civil::Date>().map(|date| date.to_datetime(civil::Time::midnight())),
        _ => text.parse::<civil::DateTime>(),
    };
    let zoned = civil.and_then(|civil| civil.to_zoned_datetime(zone.clone())).map_err(|_| {
        anyhow!("expected a date or a time, found {text:?}; hint: such as 2026-11-24 or 2026-11-24T08:00:00Z")
    })?;
    i64::try_from(zoned.timestamp().as_nanosecond())
        .map(Timestamp::from_nanoseconds)
        .with_context(|| format!("expected a date between 1678 and 2262, found {text:?}; hint: check the year"))
}
