//! Series of connections with a clock and without, in a day of 24 hours: times in seconds, bytes sent and received.

use std::f64::consts::TAU;

/// Seconds of a day.
pub(crate) const DAY: f64 = 86_400.0;

/// Chance (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: f64, until: f64) -> f64 {
        from + (until - from) * self.uniform()
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -self.uniform().ln() * mean
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }
}

/// A series.
pub(crate) struct Series {
    /// Seconds, ascending.
    pub(crate) times: Vec<f64>,
    pub(crate) sent: Vec<f64>,
    pub(crate) received: Vec<f64>,
}

/// Makes the times of a series.
type Times = fn(&mut Random) -> Vec<f64>;

/// A generator: its name, and how it makes times.
pub(crate) type Generator = (&'static str, Times);

/// With a clock, written before the statistic was last changed: they are like the series of `crates/hunt/examples/series`.
pub(crate) const BEFORE: [Generator; 8] = [
    ("60 s exactly", |random| clock(random, (60.0, 0.0), 0.0, (0.0, DAY))),
    ("300 s ± 10 %", |random| clock(random, (300.0, 0.1), 0.0, (0.0, DAY))),
    ("300 s ± 20 %", |random| clock(random, (300.0, 0.2), 0.0, (0.0, DAY))),
    ("600 s ± 5 %, 30 % of beats missed", |random| clock(random, (600.0, 0.05), 0.3, (0.0, DAY))),
    ("300 s ± 10 %, sleeps now and then", |random| {
        let times = clock(random, (300.0, 0.1), 0.0, (0.0, DAY));
        asleep(random, times)
    }),
    ("300 s, then 420 s, ± 5 %", |random| {
        let mut times = clock(random, (300.0, 0.05), 0.0, (0.0, DAY / 2.0));
        times.extend(clock(random, (420.0, 0.05), 0.0, (DAY / 2.0, DAY)));
        times
    }),
    ("900.15 s ± 0.02 %", |random| clock(random, (900.15, 0.0002), 0.0, (0.0, DAY))),
    ("45 s ± 5 %, for two hours", |random| {
        let from = random.between(0.0, DAY - 7_200.0);
        clock(random, (45.0, 0.05), 0.0, (from, from + 7_200.0))
    }),
];

/// With a clock, written after: no change of the statistic has looked at them.
pub(crate) const AFTER: [Generator; 8] = [
    ("120 s ± 50 %", |random| clock(random, (120.0, 0.5), 0.0, (0.0, DAY))),
    ("200 s, gamma jitter of shape 16", |random| {
        renewal(random, (0.0, DAY), |random| (0..16).map(|_| random.exponential(200.0 / 16.0)).sum())
    }),
    ("120 s ± 15 %, in working hours", |random| clock(random, (120.0, 0.15), 0.0, (9.0 * 3600.0, 17.0 * 3600.0))),
    ("two clocks, 60 s and 1,700 s, ± 2 %", |random| {
        let mut times = clock(random, (60.0, 0.02), 0.0, (0.0, DAY / 4.0));
        times.extend(clock(random, (1_700.0, 0.02), 0.0, (0.0, DAY)));
        times
    }),
    ("300 s ± 5 %, as much browsing in the same channel", |random| {
        let mut times = clock(random, (300.0, 0.05), 0.0, (0.0, DAY));
        let browsing = pages(random);
        let every = (browsing.len() / times.len().max(1)).max(1);
        times.extend(browsing.into_iter().step_by(every));
        times
    }),
    ("300 s ± 5 %, three connections each, up to 12 s apart", |random| {
        let beats = clock(random, (300.0, 0.05), 0.0, (0.0, DAY));
        beats
            .into_iter()
            .flat_map(|beat| [beat, beat + random.between(0.1, 12.0), beat + random.between(0.1, 12.0)])
            .collect()
    }),
    ("3,600 s ± 2 %", |random| clock(random, (3_600.0, 0.02), 0.0, (0.0, DAY))),
    ("5 s ± 10 %, for an hour", |random| {
        let from = random.between(0.0, DAY - 3_600.0);
        clock(random, (5.0, 0.1), 0.0, (from, from + 3_600.0))
    }),
];

/// Without a clock.
pub(crate) const WITHOUT: [Generator; 10] = [
    ("exponential, mean 60 s", |random| renewal(random, (0.0, DAY), |random| random.exponential(60.0))),
    ("exponential, mean 600 s, in working hours", |random| {
        renewal(random, (9.0 * 3600.0, 17.0 * 3600.0), |random| random.exponential(600.0))
    }),
    ("lognormal, sigma 0.7", |random| renewal(random, (0.0, DAY), |random| random.lognormal(120.0, 0.7))),
    ("lognormal, sigma 1.5", |random| renewal(random, (0.0, DAY), |random| random.lognormal(120.0, 1.5))),
    ("lognormal, sigma 2.5", |random| renewal(random, (0.0, DAY), |random| random.lognormal(60.0, 2.5))),
    ("hyperexponential, 10 s and 1,000 s", |random| {
        renewal(random, (0.0, DAY), |random| {
            let mean = if random.uniform() < 0.7 { 10.0 } else { 1_000.0 };
            random.exponential(mean)
        })
    }),
    ("Pareto, exponent 1", |random| renewal(random, (0.0, DAY), |random| 8.0 / random.uniform())),
    ("Weibull, shape 0.5", |random| renewal(random, (0.0, DAY), |random| 60.0 * random.uniform().ln().powi(2))),
    ("pages of a person, in working hours", pages),
    ("mail: a burst, then a pause of minutes to hours", |random| {
        let mut times = Vec::new();
        let mut time = random.exponential(1_000.0);
        while time < DAY {
            for _ in 0..1 + (random.exponential(3.0) as usize) {
                times.push(time);
                time += random.exponential(2.0);
            }
            time += random.lognormal(700.0, 1.2);
        }
        times
    }),
];

/// Without a clock, yet within a narrow range: nearly clocks.
pub(crate) const NARROW: [Generator; 2] = [
    ("uniform think time, 20 to 60 s", |random| {
        renewal(random, (32_400.0, 54_000.0), |random| random.between(20.0, 60.0))
    }),
    ("uniform think time, 5 to 300 s", |random| {
        renewal(random, (32_400.0, 61_200.0), |random| random.between(5.0, 300.0))
    }),
];

/// A series of this generator. Sizes are the same in half of all series, with a clock or without, so that they tell nothing.
pub(crate) fn series(random: &mut Random, times: Times) -> Series {
    let mut times = times(random);
    times.retain(|time| (0.0..DAY).contains(time));
    times.sort_by(f64::total_cmp);
    let is_fixed = random.uniform() < 0.5;
    let (sent, received) = (random.lognormal(900.0, 0.6).floor(), random.lognormal(700.0, 1.2).floor());
    let mut sizes = |typical: f64| -> Vec<f64> {
        times.iter().map(|_| if is_fixed { typical } else { (typical * random.lognormal(1.0, 0.8)).floor() }).collect()
    };
    let (sent, received) = (sizes(sent), sizes(received));
    Series { times, sent, received }
}

/// Beats of a clock; jitter accumulates, as it does where a program sleeps between its requests.
fn clock(random: &mut Random, (period, spread): (f64, f64), missed: f64, (from, until): (f64, f64)) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time = from + random.between(0.0, period);
    while time < until {
        if random.uniform() >= missed {
            times.push(time);
        }
        time += period * (1.0 + random.between(-spread, spread));
    }
    times
}

fn renewal(random: &mut Random, (from, until): (f64, f64), mut interval: impl FnMut(&mut Random) -> f64) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time = from + interval(random).min(3_600.0);
    while time < until && times.len() < 20_000 {
        times.push(time);
        time += interval(random).max(1e-3);
    }
    times
}

/// Four stretches of sleep, in which nothing is sent; the clock goes on afterwards.
fn asleep(random: &mut Random, times: Vec<f64>) -> Vec<f64> {
    let mut shift = 0.0;
    let mut next = random.exponential(15_000.0);
    times
        .into_iter()
        .map(|time| {
            if time > next {
                shift += 1_800.0 + random.exponential(4_000.0);
                next = time + random.exponential(15_000.0);
            }
            time + shift
        })
        .collect()
}

/// Connections of one person to one site: pages of several connections, think times, pauses of hours.
fn pages(random: &mut Random) -> Vec<f64> {
    let mut times = Vec::new();
    let mut time = 30_000.0 + random.exponential(3_000.0);
    while time < 65_000.0 {
        for _ in 0..1 + random.exponential(8.0) as usize {
            for _ in 0..1 + random.exponential(4.0) as usize {
                times.push(time);
                time += random.lognormal(0.3, 1.3);
            }
            time += random.lognormal(35.0, 0.9);
        }
        time += random.exponential(4_000.0);
    }
    times
}
