//! The beaconing test of Elastic's package, from its published formulas: 360 buckets of a minute, and of these low variance of
//! counts or sizes, or blocks that repeat. Own implementation, not run against Elasticsearch.

/// Buckets of one window: six hours of minutes.
const BUCKETS: usize = 360;

/// What one window shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Beaconing {
    pub(crate) low_source: bool,
    pub(crate) low_destination: bool,
    pub(crate) low_count: bool,
    /// The highest correlation of blocks; a window is periodic from 0.7.
    pub(crate) correlation: f64,
}

impl Beaconing {
    /// The score of the package: 0 to 3.
    pub(crate) fn score(&self) -> f64 {
        let timing = self.low_count || self.is_periodic();
        f64::from(u8::from(timing)) + f64::from(u8::from(self.low_source)) + f64::from(u8::from(self.low_destination))
    }

    pub(crate) fn is_periodic(&self) -> bool {
        self.correlation >= 0.7
    }

    /// Any of the four tests.
    pub(crate) fn is_flagged(&self) -> bool {
        self.low_source || self.low_destination || self.low_count || self.is_periodic()
    }
}

/// The best of all windows of six hours that follow each other. Times in seconds, ascending.
pub(crate) fn best(times: &[f64], sent: &[f64], received: &[f64]) -> Beaconing {
    let mut best = Beaconing::default();
    let Some((first, last)) = times.first().zip(times.last()) else { return best };
    let mut from = *first;
    while from <= *last {
        let inside: Vec<usize> =
            (0..times.len()).filter(|at| from <= times[*at] && times[*at] < from + 60.0 * BUCKETS as f64).collect();
        let window = window(&inside, times, sent, received, from);
        if (window.score(), window.correlation) > (best.score(), best.correlation) {
            best = window;
        }
        from += 60.0 * BUCKETS as f64;
    }
    best
}

fn window(inside: &[usize], times: &[f64], sent: &[f64], received: &[f64], from: f64) -> Beaconing {
    let mut sums = vec![(0.0_f64, 0.0_f64, 0.0_f64); BUCKETS];
    for at in inside {
        let bucket = &mut sums[(((times[*at] - from) / 60.0) as usize).min(BUCKETS - 1)];
        *bucket = (bucket.0 + 1.0, bucket.1 + sent[*at], bucket.2 + received[*at]);
    }
    let filled: Vec<usize> = (0..BUCKETS).filter(|at| sums[*at].0 > 0.0).collect();
    let Some((first, last)) = filled.first().zip(filled.last()) else { return Beaconing::default() };
    if last - first < 12 || filled.len() < 7 {
        return Beaconing::default();
    }
    let span = &sums[*first..=*last];
    let means = |of: fn(&(f64, f64, f64)) -> f64| filled.iter().map(|at| of(&sums[*at]) / sums[*at].0).collect();
    let counts: Vec<f64> = filled.iter().map(|at| sums[*at].0).collect();
    Beaconing {
        low_source: is_low(means(|sum| sum.1), 0.05),
        low_destination: is_low(means(|sum| sum.2), 0.05),
        low_count: filled.len() as f64 > 0.5 * span.len() as f64 && varies_by(&counts) <= 0.1,
        correlation: correlation(&span.iter().map(|sum| sum.0).collect::<Vec<f64>>()),
    }
}

/// Standard deviation over mean.
fn varies_by(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    if mean <= 0.0 {
        return f64::INFINITY;
    }
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    square.sqrt() / mean
}

/// Whether the values between the 10th and the 80th percentile hardly vary.
fn is_low(mut values: Vec<f64>, bound: f64) -> bool {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    let (low, high) = (at(0.1), at(0.8));
    let kept: Vec<f64> = values.iter().copied().filter(|value| low <= *value && *value <= high).collect();
    varies_by(&kept) <= bound
}

/// The highest mean correlation of each block with the one before it, over all lengths of blocks from 2 to a sixth.
fn correlation(counts: &[f64]) -> f64 {
    let mut best = 0.0_f64;
    for period in 2..=(counts.len() / 6).max(1) {
        let blocks: Vec<&[f64]> = counts.chunks_exact(period).collect();
        let pairs = blocks.windows(2).map(|pair| pearson(pair[0], pair[1]));
        let (sum, number) = pairs.fold((0.0, 0.0), |(sum, number), value| (sum + value, number + 1.0));
        if number > 0.0 {
            best = best.max(sum / number);
        }
    }
    best
}

/// The correlation of Pearson; 1 for two blocks without variance that are equal.
fn pearson(left: &[f64], right: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (left_mean, right_mean) = (mean(left), mean(right));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        left.iter().zip(right).map(|(one, two)| of(one - left_mean, two - right_mean)).sum()
    };
    let (both, one, two) = (sum(&|one, two| one * two), sum(&|one, _| one * one), sum(&|_, two| two * two));
    if one == 0.0 || two == 0.0 {
        return if one == two && left_mean == right_mean { 1.0 } else { 0.0 };
    }
    both / (one * two).sqrt()
}

/// Checks against values that can be worked out by hand.
///
/// # Panics
/// When one differs.
pub(crate) fn check() {
    let beats: Vec<f64> = (0..360).map(|beat| 30.0 + f64::from(beat) * 60.0).collect();
    let same = vec![500.0; 360];
    let minute = best(&beats, &same, &same);
    assert_eq!(minute, Beaconing { low_source: true, low_destination: true, low_count: true, correlation: 1.0 });
    // Every fifth minute: blocks of five repeat; a fifth of the buckets is filled, so the count says nothing.
    let fifth: Vec<f64> = beats.iter().copied().step_by(5).collect();
    let varied: Vec<f64> = (0..72).map(|at| if at % 2 == 0 { 100.0 } else { 900.0 }).collect();
    let beaconing = best(&fifth, &varied, &varied);
    assert_eq!((beaconing.low_source, beaconing.low_count, beaconing.is_periodic()), (false, false, true));
    // Ten minutes are too short.
    assert_eq!(best(&beats[..10], &same[..10], &same[..10]), Beaconing::default());
    assert_eq!(pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), 1.0);
}
