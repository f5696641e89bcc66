//! The zone of times that name none: what the user says it is, and whether anybody had to assume it.

use jiff::{civil::DateTime, tz::TimeZone};
use monologue_model::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How times without a zone are taken. Copies share what was assumed, so that who opened an input can say so afterwards.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    /// `None`: nobody said; UTC is assumed.
    zone: Option<TimeZone>,
    assumed: Arc<AtomicBool>,
}

impl Zone {
    /// The zone that the user names, such as `Europe/Paris`.
    #[must_use]
    pub fn known(zone: TimeZone) -> Self {
        Self { zone: Some(zone), assumed: Arc::default() }
    }

    /// The same zone, with nothing assumed yet.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self { zone: self.zone.clone(), assumed: Arc::default() }
    }

    /// Whether a time without a zone was met and nobody had said which: it was taken as UTC.
    #[must_use]
    pub fn was_assumed(&self) -> bool {
        self.assumed.load(Ordering::Relaxed)
    }

    /// The moment of a local date and time. A time that the clocks jumped over or showed twice is the one by the offset
    /// before the change. `None`: it cannot be represented.
    #[must_use]
    pub fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let zone = self.zone.clone().unwrap_or_else(|| {
            self.assumed.store(true, Ordering::Relaxed);
            TimeZone::UTC
        });
        let moment = zone.to_ambiguous_timestamp(local).compatible().ok()?;
        i64::try_from(moment.as_nanosecond()).ok().map(Timestamp::from_nanoseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_nobody_named_is_utc_and_flagged() {
        let local: DateTime = "2026-07-01T12:00:00".parse().unwrap();
        let unknown = Zone::default();
        assert!(!unknown.was_assumed());
        assert_eq!(unknown.clone().moment(local), Timestamp::parse("2026-07-01T12:00:00Z").ok());
        assert!(unknown.was_assumed() && !unknown.renewed().was_assumed());
        let paris = Zone::known(TimeZone::get("Europe/Paris").unwrap());
        assert_eq!(paris.moment(local), Timestamp::parse("2026-07-01T12:00:00+02:00").ok());
        assert!(!paris.was_assumed());
        // The clocks went from 02:00 to 03:00 that night, and from 03:00 to 02:00 in October.
        let skipped: DateTime = "2026-03-29T02:30:00".parse().unwrap();
        assert_eq!(paris.moment(skipped), Timestamp::parse("2026-03-29T02:30:00+01:00").ok());
        let twice: DateTime = "2026-10-25T02:30:00".parse().unwrap();
        assert_eq!(paris.moment(twice), Timestamp::parse("2026-10-25T02:30:00+02:00").ok());
    }
}
