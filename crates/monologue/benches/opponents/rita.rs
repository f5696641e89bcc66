//! The beacon score of RITA 5, from its published formulas: a quarter each for the times, the sizes, the histogram and the
//! duration. Own implementation; no line of RITA is used.

/// A series within a data set that spans `from` to `until`, in seconds.
pub(crate) struct Dataset {
    pub(crate) from: f64,
    pub(crate) until: f64,
}

/// The parts of the score, each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Score {
    pub(crate) times: f64,
    pub(crate) sizes: f64,
    pub(crate) histogram: f64,
    pub(crate) duration: f64,
}

impl Score {
    /// The sum with a weight of one quarter each.
    pub(crate) fn total(&self) -> f64 {
        0.25 * (self.times + self.sizes + self.histogram + self.duration)
    }
}

/// The score of connections at these times, in whole seconds, with these bytes. `None`: too few, or too many, to be scored.
pub(crate) fn score(times: &[f64], bytes: &[f64], dataset: &Dataset) -> Option<Score> {
    let mut seconds: Vec<f64> = times.iter().map(|time| time.floor()).collect();
    if seconds.len() >= 86_400 {
        return None;
    }
    seconds.sort_by(f64::total_cmp);
    seconds.dedup();
    let intervals: Vec<f64> =
        seconds.windows(2).map(|pair| pair[1] - pair[0]).filter(|interval| *interval > 0.0).collect();
    if seconds.len() < 4 || intervals.len() < 3 {
        return None;
    }
    let (histogram, duration) = shape(times, &seconds, dataset);
    Some(Score { times: regularity(&intervals, 1.0), sizes: regularity(bytes, 0.0), histogram, duration })
}

/// Symmetry of the quartiles and closeness to the median, in equal parts, to three digits.
fn regularity(values: &[f64], without_median: f64) -> f64 {
    let sorted = sorted(values);
    let (low, middle, high) = quartiles(&sorted);
    let skew = if high - low < 10.0 || middle == low || middle == high {
        1.0
    } else {
        1.0 - (low + high - 2.0 * middle).abs() / (high - low)
    };
    let deviations = self::sorted(&sorted.iter().map(|value| (value - middle).abs()).collect::<Vec<f64>>());
    let deviation = median(&deviations);
    let closeness = if middle < 1.0 { without_median } else { ((middle - deviation) / middle).max(0.0) };
    (500.0 * (skew + closeness)).round() / 1000.0
}

/// The better of two readings of the histogram of a day, and how much of it is covered.
fn shape(times: &[f64], seconds: &[f64], dataset: &Dataset) -> (f64, f64) {
    const BINS: usize = 24;
    let width = (dataset.until - dataset.from) / BINS as f64;
    let mut bins = [0_f64; BINS];
    for time in times {
        let at = ((time - dataset.from) / width).max(0.0) as usize;
        bins[at.min(BINS - 1)] += 1.0;
    }
    let mean = bins.iter().sum::<f64>() / BINS as f64;
    let square = bins.iter().map(|bar| (bar - mean).powi(2)).sum::<f64>() / BINS as f64;
    let variation = (1.0 - square.sqrt() / mean).max(0.0);
    let filled = bins.iter().filter(|bar| **bar > 0.0).count();
    let bimodal = if filled >= 11 { bimodal(&bins, filled) } else { 0.0 };
    let duration = if filled < 6 { 0.0 } else { covered(&bins, seconds, dataset) };
    (variation.max(bimodal), duration)
}

/// The share of bars, rounded down to twentieths of the highest, that have one of the two commonest heights.
fn bimodal(bins: &[f64], filled: usize) -> f64 {
    let highest = bins.iter().copied().fold(0.0, f64::max);
    let step = (0.05 * highest).ceil().max(1.0);
    let mut counts: std::collections::BTreeMap<u64, usize> = std::collections::BTreeMap::new();
    for bar in bins.iter().filter(|bar| **bar > 0.0) {
        *counts.entry((bar / step).floor() as u64).or_default() += 1;
    }
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let two: usize = counts.iter().take(2).sum();
    (two as f64 / (filled.saturating_sub(1)).max(1) as f64).min(1.0)
}

/// The larger of the span of the series within the data set, and half days in a row without a pause, across midnight too.
fn covered(bins: &[f64], seconds: &[f64], dataset: &Dataset) -> f64 {
    let up = |value: f64| (value * 1000.0).ceil() / 1000.0;
    let span = (seconds[seconds.len() - 1] - seconds[0]) / (dataset.until - dataset.from);
    let (mut longest, mut run) = (0_usize, 0_usize);
    for bar in bins.iter().chain(bins) {
        run = if *bar > 0.0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    up(span).min(1.0).max(up(longest.min(bins.len()) as f64 / 12.0).min(1.0))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Quartiles as medians of both halves, the middle value in neither.
fn quartiles(sorted: &[f64]) -> (f64, f64, f64) {
    let half = sorted.len() / 2;
    (median(&sorted[..half]), median(sorted), median(&sorted[sorted.len() - half..]))
}

/// Checks against values that can be worked out by hand.
///
/// # Panics
/// When one differs.
pub(crate) fn check() {
    let day = Dataset { from: 0.0, until: 86_400.0 };
    let beats: Vec<f64> = (0..1_440).map(|beat| f64::from(beat) * 60.0).collect();
    let same = vec![500.0; 1_440];
    // The exact minute all day: 1 in every part.
    assert_eq!(score(&beats, &same, &day).map(|score| score.total()), Some(1.0));
    // For four hours of it: times and sizes are 1, four filled bins give neither histogram nor duration.
    assert_eq!(score(&beats[..240], &same[..240], &day).map(|score| score.total()), Some(0.5));
    assert_eq!(score(&beats[..3], &same[..3], &day), None);
    // Quartiles 10, 25, 60: skew 1 - |10 + 60 - 50| / 50 = 0.6; deviations 0, 15, 15, 35 …: median 15, closeness 0.4.
    assert_eq!(quartiles(&[10.0, 10.0, 25.0, 60.0, 60.0]), (10.0, 25.0, 60.0));
    assert_eq!(regularity(&[10.0, 10.0, 25.0, 60.0, 60.0], 1.0), 0.5);
}
