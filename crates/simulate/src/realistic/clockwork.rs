//! When things happen: the hours of a person, the sleep of a Mac, timers that bear it, and chance that is not even.

use crate::{Moment, chance::Chance, clock::seconds, mac::Mac, stage::Stage};

/// How a timer bears sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// It stands still while the Mac sleeps.
    Awake,
    /// What was missed happens once, on waking.
    Wall,
}

/// Seconds in an hour.
const HOUR: f64 = 3600.0;

impl Chance {
    /// A number of the standard normal distribution (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.between(0.0, 1.0)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.between(0.0, 1.0)).cos()
    }

    /// A lognormal number of this median; `sigma` is the deviation of its logarithm.
    pub(super) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A whole number of at least 1 with this mean (geometric).
    pub(super) fn geometric(&mut self, mean: f64) -> u64 {
        let mut count = 1;
        while count < 10_000 && !self.happens(1.0 / mean) {
            count += 1;
        }
        count
    }

    /// One of a list.
    pub(super) fn one_of<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.whole(0, (list.len() as u64).saturating_sub(1)) as usize)
    }
}

/// The stretches in which a person sits at the Mac: eight to ten hours of each day, with a pause at noon.
pub(super) fn at_work(start: Moment, days: u32, chance: &mut Chance) -> Vec<(Moment, Moment)> {
    let mut stretches = Vec::new();
    for day in 0..days {
        let hour = |value: f64| start + seconds(HOUR * (24.0 * f64::from(day) + value));
        let begins = chance.between(7.5, 9.8);
        let noon = begins + chance.between(3.2, 4.6);
        let back = noon + chance.between(0.3, 1.1);
        let ends = begins + chance.between(8.6, 10.4);
        stretches.extend([(hour(begins), hour(noon)), (hour(back), hour(ends))]);
    }
    stretches
}

/// When a Mac sleeps that sleeps whenever nobody sits at it. It wakes for less than a minute or so every now and then.
pub(super) fn sleeps(
    work: &[(Moment, Moment)],
    start: Moment,
    end: Moment,
    chance: &mut Chance,
) -> Vec<(Moment, Moment)> {
    let mut sleeps = Vec::new();
    let mut idle = start + seconds(60.0);
    let ends = std::iter::once((end, end));
    for (from, until) in work.iter().copied().chain(ends) {
        let mut time = idle;
        while time + seconds(300.0) < from {
            let awake = (time + seconds(HOUR * chance.between(0.35, 1.9))).min(from - seconds(20.0));
            sleeps.push((time, awake));
            time = awake + seconds(chance.between(45.0, 80.0));
        }
        idle = until + seconds(chance.between(120.0, 900.0));
    }
    sleeps
}

impl Mac {
    /// The end of the sleep in which it lies at that moment. `None`: it is awake.
    fn wakes(&self, time: Moment) -> Option<Moment> {
        self.sleeps.iter().find(|(asleep, awake)| *asleep <= time && time < *awake).map(|(_, awake)| *awake)
    }

    /// How long it sleeps from then on before it has been awake for so long, in nanoseconds.
    fn asleep_during(&self, from: Moment, awake_for: i64) -> i64 {
        let mut until = from + awake_for;
        for (asleep, awake) in &self.sleeps {
            if *awake > from && *asleep < until {
                until += awake - (*asleep).max(from);
            }
        }
        until - from - awake_for
    }
}

impl Stage<'_> {
    /// Moments at which a timer fires, from `first` on, at most `limit`: `interval` seconds apart give or take a share of it,
    /// on a Mac that sleeps, with `needed` seconds left before it sleeps or the recording ends.
    pub(super) fn beats(
        &mut self,
        first: Moment,
        (interval, spread): (f64, f64),
        timer: Timer,
        (needed, limit): (f64, usize),
    ) -> Vec<Moment> {
        let mut beats = Vec::new();
        let mut time = first;
        while time + seconds(needed) < self.end && beats.len() < limit {
            if let Some(awake) = self.mac.wakes(time) {
                time = awake + seconds(self.chance.between(1.0, 9.0));
                continue;
            }
            if self.mac.is_awake(time, time + seconds(needed)) {
                beats.push(time);
            }
            let step = seconds(interval * (1.0 + self.chance.between(-spread, spread)));
            let step = step.max(1_000_000);
            time += step + if timer == Timer::Awake { self.mac.asleep_during(time, step) } else { 0 };
        }
        beats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_NS: i64 = 3_600_000_000_000;

    #[test]
    fn a_laptop_sleeps_when_nobody_is_there_and_never_while_somebody_is() {
        let mut chance = Chance::new(7, 1);
        let work = at_work(0, 3, &mut chance);
        let sleeps = sleeps(&work, 0, 72 * HOUR_NS, &mut chance);
        assert_eq!(work.len(), 6);
        for (asleep, awake) in &sleeps {
            assert!(asleep < awake);
            assert!(work.iter().all(|(from, until)| awake <= from || until <= asleep), "asleep at work");
        }
        // Gaps of a day over ten minutes: 22 in the capture of a real Mac, the longest 6,984 s.
        let long = sleeps.iter().filter(|(asleep, awake)| awake - asleep > 600_000_000_000).count();
        assert!((30..=90).contains(&long), "{long} in three days");
        let longest = sleeps.iter().map(|(asleep, awake)| awake - asleep).max().unwrap();
        assert!((HOUR_NS..=2 * HOUR_NS).contains(&longest));
    }

    #[test]
    fn chance_has_the_shape_it_is_asked_for() {
        let mut chance = Chance::new(3, 0);
        let mut numbers: Vec<f64> = (0..20_000).map(|_| chance.lognormal(10.0, 1.0)).collect();
        numbers.sort_by(f64::total_cmp);
        assert!((numbers[10_000] / 10.0 - 1.0).abs() < 0.05, "median {}", numbers[10_000]);
        // One standard deviation of the logarithm is the 84.13 % quantile.
        assert!((numbers[16_826] / 10.0_f64 / std::f64::consts::E - 1.0).abs() < 0.05);
        let sum: u64 = (0..20_000).map(|_| chance.geometric(7.5)).sum();
        assert!((sum as f64 / 20_000.0 - 7.5).abs() < 0.2);
    }
}
