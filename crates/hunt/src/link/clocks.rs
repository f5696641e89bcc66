//! The clock of a network sensor against that of the host, from connections that both recorded.
//!
//! One pair with the same local address and port may be a coincidence: ports are used again. Many pairs with one and the
//! same difference of times, and hardly any with another, are not. The difference is followed through the recording,
//! since clocks drift.

use crate::settings;
use monologue_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Differences beyond this are not looked for: 14 h, the largest offset of any time zone, for a sensor that was set to
/// local time.
const BOUND_NS: i64 = 14 * 3600 * 1_000_000_000 + settings::CLOCK_SLACK_NS;

/// Pairs that must agree before a difference is believed.
const AGREEING_MINIMUM: usize = 8;

/// How many times more pairs must agree on a difference than on any other.
const AGREEING_RATIO: usize = 4;

/// Pairs of which the middle one is taken while following the difference.
const FOLLOWED: usize = 9;

/// Pairs that make one point of the course, at least.
const POINT_PAIRS: usize = 5;

/// Time that one point of the course stands for, at least: 30 min.
const POINT_NS: i64 = 1_800 * 1_000_000_000;

/// A clock runs no faster or slower than this, in parts per million: ten times what a bad quartz does.
const DRIFT_CAP_PPM: i64 = 1_000;

/// One connection as host and sensor recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Pair {
    /// When it began on the host's clock, in nanoseconds.
    pub(super) host: i64,
    /// Its first packet on the sensor's clock, in nanoseconds.
    pub(super) sensor: i64,
}

impl Pair {
    pub(super) const fn new(host: Timestamp, sensor: Timestamp) -> Self {
        Self { host: host.nanoseconds(), sensor: sensor.nanoseconds() }
    }

    /// The median of (sensor − host). `None` without a pair.
    pub(super) fn median_difference(pairs: &[Self]) -> Option<i64> {
        (!pairs.is_empty()).then(|| median(pairs.iter().map(|pair| pair.difference())))
    }

    const fn difference(self) -> i64 {
        self.sensor.saturating_sub(self.host)
    }
}

/// Pairs of half an hour that are carried on, at most.
const CARRIED: usize = 8;

/// Keeps a few pairs of each half hour of the last day: enough to follow a drift across a night without any.
pub(super) fn thin(pairs: &mut Vec<Pair>, horizon: Timestamp) {
    let oldest = horizon.saturating_add(-settings::HOLD_NS).nanoseconds();
    pairs.sort_unstable();
    pairs.dedup();
    let (mut half_hour, mut count) = (i64::MIN, 0);
    pairs.retain(|pair| {
        let own = pair.host.div_euclid(POINT_NS);
        count = if own == half_hour { count + 1 } else { 1 };
        half_hour = own;
        pair.host >= oldest && count <= CARRIED
    });
}

/// The course of (sensor − host) over time. Empty: nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// Time on the host's clock, and the difference then; sorted.
    points: Vec<(i64, i64)>,
    /// Change of the difference before the first and after the last point, in parts per million.
    slope_ppm: i64,
}

impl Clock {
    /// The clock that `pairs` agree on: every connection with every flow of its local address and port. Empty if they do
    /// not.
    pub(super) fn agreed(mut pairs: Vec<Pair>) -> Self {
        pairs.retain(|pair| pair.difference().abs() <= BOUND_NS);
        pairs.sort_unstable();
        match agreed_difference(&pairs) {
            Some(difference) => Self::through(&follow(&pairs, difference)),
            None => Self::default(),
        }
    }

    /// The course through pairs that are certain, sorted by time.
    pub(super) fn through(pairs: &[Pair]) -> Self {
        let mut points = Vec::new();
        let mut rest = pairs;
        while let Some(first) = rest.first() {
            let long = rest.partition_point(|pair| pair.host.saturating_sub(first.host) < POINT_NS);
            let mut length = long.max(POINT_PAIRS).min(rest.len());
            if rest.len() - length < POINT_PAIRS {
                length = rest.len();
            }
            let (part, after) = rest.split_at(length);
            points.push((median(part.iter().map(|pair| pair.host)), median(part.iter().map(|pair| pair.difference()))));
            rest = after;
        }
        let slope_ppm = slope_ppm(&points);
        Self { points, slope_ppm }
    }

    /// What the sensor's clock shows more than the host's at this time of the host. `None`: nobody knows.
    pub(super) fn at_host(&self, time: Timestamp) -> Option<i64> {
        let (time, next) = (time.nanoseconds(), self.points.partition_point(|(at, _)| *at < time.nanoseconds()));
        let extended = |(at, difference): (i64, i64)| {
            difference.saturating_add(time.saturating_sub(at) / 1_000_000 * self.slope_ppm)
        };
        let before = next.checked_sub(1).and_then(|at| self.points.get(at)).copied();
        match (before, self.points.get(next).copied()) {
            (Some((start, from)), Some((end, to))) => {
                let share = (time - start) as f64 / (end - start).max(1) as f64;
                Some(from.saturating_add(((to - from) as f64 * share) as i64))
            }
            (Some(point), None) | (None, Some(point)) => Some(extended(point)),
            (None, None) => None,
        }
    }

    /// How far a time of the sensor may be off the host's after correction, in nanoseconds: more the farther it lies from
    /// where the clock was shown, since clocks drift. Never more than the slack that is borne without any correction.
    pub(super) fn error_at_sensor(&self, time: Timestamp) -> i64 {
        let (Some((first, _)), Some((last, _)), Some((_, rough))) =
            (self.points.first(), self.points.last(), self.points.get(self.points.len() / 2))
        else {
            return settings::CLOCK_SLACK_NS;
        };
        let host = time.nanoseconds().saturating_sub(*rough);
        let beyond = first.saturating_sub(host).max(host.saturating_sub(*last)).max(0);
        let drift = beyond.saturating_sub(POINT_NS).max(0) / 1_000_000_000 * QUARTZ_NS_PER_S;
        settings::CLOCK_ERROR_NS.saturating_add(drift).min(settings::CLOCK_SLACK_NS)
    }

    /// As [`Clock::at_host`], for a time of the sensor.
    pub(super) fn at_sensor(&self, time: Timestamp) -> Option<i64> {
        let (_, rough) = self.points.get(self.points.len() / 2)?;
        self.at_host(time.saturating_add(-rough))
    }
}

/// Nanoseconds by which a bad quartz is off after a second: 100 parts per million.
const QUARTZ_NS_PER_S: i64 = 100_000;

/// The difference that clearly more pairs agree on, within the slack, than on any other.
fn agreed_difference(pairs: &[Pair]) -> Option<i64> {
    let mut differences: Vec<i64> = pairs.iter().map(|pair| pair.difference()).collect();
    differences.sort_unstable();
    let width = 2 * settings::CLOCK_SLACK_NS;
    let count_from = |at: usize, from: i64| {
        let rest = differences.get(at..).unwrap_or_default();
        rest.partition_point(|difference| difference.saturating_sub(from) <= width)
    };
    let windows: Vec<(usize, i64)> =
        differences.iter().enumerate().map(|(at, from)| (count_from(at, *from), *from)).collect();
    let (count, from) = windows.iter().copied().max_by_key(|(count, from)| (*count, -from))?;
    // A drifting clock, and connections that were slow to begin, lie beside the best window: only what is far is another.
    let far = |other: i64| other.saturating_sub(from).abs() > 60 * 1_000_000_000;
    let rival = windows.iter().filter(|(_, other)| far(*other)).map(|(count, _)| *count).max().unwrap_or(0);
    let certain = count >= AGREEING_MINIMUM && count >= AGREEING_RATIO * rival;
    certain.then(|| {
        let start = differences.partition_point(|difference| *difference < from);
        median(differences.iter().skip(start).take(count).copied())
    })
}

/// The pairs that follow the agreed difference from one to the next, from the middle of those that have it outwards.
fn follow(pairs: &[Pair], difference: i64) -> Vec<Pair> {
    let near = |pair: &Pair, expected: i64| (pair.difference() - expected).abs() <= settings::CLOCK_SLACK_NS;
    let members: Vec<usize> =
        pairs.iter().enumerate().filter(|(_, pair)| near(pair, difference)).map(|(at, _)| at).collect();
    let Some(middle) = members.get(members.len() / 2).copied() else { return Vec::new() };
    let (before, after) = pairs.split_at(middle);
    let walk = |steps: &mut dyn Iterator<Item = &Pair>| {
        let mut taken: Vec<Pair> = Vec::new();
        for pair in steps {
            let recent = taken.iter().rev().take(FOLLOWED).map(|pair| pair.difference());
            let expected = if taken.is_empty() { difference } else { median(recent) };
            if near(pair, expected) {
                taken.push(*pair);
            }
        }
        taken
    };
    let mut followed = walk(&mut before.iter().rev());
    followed.extend(walk(&mut after.iter()));
    followed.sort_unstable();
    followed
}

/// The median change between two points, by all pairs of them (Theil 1950, Sen 1968), in parts per million.
fn slope_ppm(points: &[(i64, i64)]) -> i64 {
    // Far points say most of a slope, and a day of half hours is little: a longer course is thinned.
    let step = points.len() / 64 + 1;
    let thin: Vec<(i64, i64)> = points.iter().step_by(step).copied().collect();
    let slopes = thin.iter().enumerate().flat_map(|(at, (start, from))| {
        thin.iter()
            .skip(at + 1)
            .map(move |(end, to)| (to - from).saturating_mul(1_000) / ((end - start) / 1_000).max(1))
    });
    median(slopes).clamp(-DRIFT_CAP_PPM, DRIFT_CAP_PPM)
}

/// The upper median; 0 of nothing.
fn median(values: impl Iterator<Item = i64>) -> i64 {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// Pairs every ten minutes for a day; `difference` in nanoseconds by the time in seconds.
    fn pairs(difference: impl Fn(i64) -> i64) -> Vec<Pair> {
        (0..144)
            .map(|at| at * 600)
            .map(|time| Pair { host: time * SECOND, sensor: time * SECOND + difference(time) + time % 7 * 5_000_000 })
            .collect()
    }

    fn error_ns(clock: &Clock, difference: impl Fn(i64) -> i64) -> i64 {
        let errors = (0..86_400).step_by(60).map(|time| {
            let at = Timestamp::from_nanoseconds(time * SECOND);
            (clock.at_host(at).unwrap() - difference(time)).abs()
        });
        errors.max().unwrap()
    }

    #[test]
    fn a_constant_difference_is_found_near_and_far() {
        for seconds in [0, 2, -2, 30, 3_600, -14 * 3_600] {
            let clock = Clock::agreed(pairs(|_| seconds * SECOND));
            assert!(error_ns(&clock, |_| seconds * SECOND) < SECOND / 20, "{seconds}");
        }
        assert_eq!(Clock::agreed(pairs(|_| 15 * 3_600 * SECOND)), Clock::default(), "beyond the bound");
    }

    #[test]
    fn drift_is_followed_through_the_day_and_beyond_the_last_pair() {
        // 50 parts per million are 50 µs a second.
        let drift = |time: i64| time * 50_000 - 2 * SECOND;
        assert!(error_ns(&Clock::agreed(pairs(drift)), drift) < SECOND / 20);
        let mut early = pairs(drift);
        early.truncate(100);
        assert!(error_ns(&Clock::agreed(early), drift) < SECOND / 10, "the last pair lies seven hours before the end");
    }

    #[test]
    fn coincidences_and_two_equal_differences_are_no_agreement() {
        let scattered = pairs(|time| (time * 7_919 % 40_000 - 20_000) * SECOND);
        assert_eq!(Clock::agreed(scattered), Clock::default());
        let mut few = pairs(|_| 30 * SECOND);
        few.truncate(AGREEING_MINIMUM - 1);
        assert_eq!(Clock::agreed(few), Clock::default());
        let split = pairs(|time| if time % 1_200 == 0 { 0 } else { 3_600 * SECOND });
        assert_eq!(Clock::agreed(split), Clock::default());
    }

    #[test]
    fn slow_beginnings_and_strays_do_not_move_the_clock() {
        let mut disturbed = pairs(|_| 2 * SECOND);
        for (at, pair) in disturbed.iter_mut().enumerate() {
            if at % 5 == 0 {
                pair.sensor += 1_500_000_000;
            }
        }
        assert!(error_ns(&Clock::agreed(disturbed), |_| 2 * SECOND) < SECOND / 20);
    }

    #[test]
    fn a_clock_that_was_shown_long_ago_says_how_far_off_it_may_be() {
        let drift = |time: i64| time * 50_000;
        for shown in [6, 8, 30, 144] {
            let clock = Clock::through(pairs(drift).get(..shown).unwrap());
            for time in (0..86_400).step_by(600) {
                let at = Timestamp::from_nanoseconds(time * SECOND);
                let off = (clock.at_sensor(at).unwrap() - drift(time)).abs();
                let borne = clock.error_at_sensor(at);
                assert!(off <= borne || borne == settings::CLOCK_SLACK_NS, "{shown} pairs, {time} s: {off} of {borne}");
            }
        }
        assert_eq!(Clock::default().error_at_sensor(Timestamp::default()), settings::CLOCK_SLACK_NS);
        let far = Clock::through(&pairs(drift)[..6]).error_at_sensor(Timestamp::from_nanoseconds(86_400 * SECOND));
        assert_eq!(far, settings::CLOCK_SLACK_NS, "never more than without correction");
    }
}
