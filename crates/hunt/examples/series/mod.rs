//! Series of request times without a clock, and with one: to show what the cadence test does on each.

/// A small deterministic generator (SplitMix64).
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

    fn exponential(&mut self, mean: f64) -> f64 {
        -self.uniform().ln() * mean
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// How intervals are drawn, in seconds.
type Draw = fn(&mut Random, &mut f64) -> f64;

/// Series without a clock. The state is what a series remembers between intervals.
pub(crate) const NULLS: [(&str, Draw); 10] = [
    ("exponential, mean 60 s", |random, _| random.exponential(60.0)),
    ("exponential, mean 6 s (cut by collapsing)", |random, _| random.exponential(6.0)),
    ("lognormal, sigma 0.7", |random, _| 120.0 * (0.7 * random.normal()).exp()),
    ("lognormal, sigma 1.5", |random, _| 120.0 * (1.5 * random.normal()).exp()),
    ("lognormal, sigma 2.5", |random, _| 120.0 * (2.5 * random.normal()).exp()),
    ("hyperexponential, 10 s and 1000 s", |random, _| {
        if random.uniform() < 0.7 { random.exponential(10.0) } else { random.exponential(1000.0) }
    }),
    ("Pareto, exponent 1", |random, _| 8.0 / random.uniform()),
    ("Weibull, shape 0.5", |random, _| 60.0 * random.uniform().ln().powi(2)),
    ("sessions: bursts of think times, long pauses", |random, state| {
        // The state is the mean think time of the session; a new session draws its own.
        if *state == 0.0 || random.uniform() < 0.08 {
            *state = 4.0 + random.exponential(40.0);
            return random.exponential(3000.0);
        }
        random.exponential(*state)
    }),
    ("page loads: several connections, then reading", |random, state| {
        *state -= 1.0;
        if *state > 0.0 {
            return random.exponential(0.4);
        }
        *state = 1.0 + (random.uniform() * 12.0).floor();
        25.0 * (1.1 * random.normal()).exp()
    }),
];

/// Series that break the assumption: narrow think times are clocks by this definition.
pub(crate) const NARROW: [(&str, Draw); 2] = [
    ("uniform think time, 20 to 60 s", |random, _| 20.0 + 40.0 * random.uniform()),
    ("uniform think time, 5 to 300 s", |random, _| 5.0 + 295.0 * random.uniform()),
];

/// Series with a clock of 300 s.
pub(crate) const CLOCKS: [(&str, Draw); 7] = [
    ("no jitter", |_, _| 300.0),
    ("jitter 10 %", |random, _| 300.0 * (0.9 + 0.2 * random.uniform())),
    ("jitter 20 %", |random, _| 300.0 * (0.8 + 0.4 * random.uniform())),
    ("jitter 50 %", |random, _| 300.0 * (0.5 + random.uniform())),
    ("30 % of beats missed, jitter 5 %", |random, _| {
        let mut beats = 1.0;
        while random.uniform() < 0.3 {
            beats += 1.0;
        }
        300.0 * beats * (0.95 + 0.1 * random.uniform())
    }),
    ("sleeps now and then, jitter 10 %", |random, _| {
        let sleep = if random.uniform() < 0.08 { 1800.0 + random.exponential(6000.0) } else { 0.0 };
        300.0 * (0.9 + 0.2 * random.uniform()) + sleep
    }),
    ("period changes to 420 s half-way, jitter 5 %", |random, state| {
        *state += 1.0;
        (if *state > 50.0 { 420.0 } else { 300.0 }) * (0.95 + 0.1 * random.uniform())
    }),
];

/// Times in nanoseconds of `count` requests.
pub(crate) fn times(random: &mut Random, draw: Draw, count: usize) -> Vec<i64> {
    let mut state = 0.0;
    let mut seconds = 0.0;
    (0..count)
        .map(|_| {
            seconds += draw(random, &mut state).clamp(1e-6, 1e7);
            (seconds * 1e9) as i64
        })
        .collect()
}
