//! Intervals of confidence: Wilson for shares, Garwood for counts of rare things.

use serde::Serialize;

/// The 97.5 % quantile of the normal distribution: both sides together leave out 5 %.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// A share with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    /// How many of them.
    pub(super) count: u64,
    /// Of how many.
    pub(super) of: u64,
    /// The share, 0 to 1. `None`: of nothing.
    pub(super) share: Option<f64>,
    /// Lower end.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// The share with the interval of Wilson 1927 (score interval, without correction for continuity).
pub(super) fn share(count: u64, of: u64) -> Share {
    if of == 0 {
        return Share { count, of, share: None, low: 0.0, high: 1.0 };
    }
    let (all, square) = (of as f64, QUANTILE * QUANTILE);
    let share = count as f64 / all;
    let centre = share + square / (2.0 * all);
    let half = QUANTILE * (share * (1.0 - share) / all + square / (4.0 * all * all)).sqrt();
    let scale = 1.0 + square / all;
    Share {
        count,
        of,
        share: Some(share),
        low: ((centre - half) / scale).max(0.0),
        high: ((centre + half) / scale).min(1.0),
    }
}

/// A rate with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Rate {
    /// How often.
    pub(super) count: u64,
    /// For one thousand of the units it was counted over.
    pub(super) per_thousand: f64,
    /// Lower end.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// The rate of `count` events in so many units, for a thousand of them, with the exact interval of Garwood 1936: the means of
/// Poisson distributions under which so many, or so few, would be seen with a probability of 2.5 %.
pub(super) fn rate(count: u64, units: f64) -> Rate {
    let thousands = units / 1000.0;
    let low = if count == 0 { 0.0 } else { solve(|mean| 1.0 - poisson_up_to(count - 1, mean) - 0.025, count) };
    let high = solve(|mean| 0.025 - poisson_up_to(count, mean), count);
    Rate { count, per_thousand: count as f64 / thousands, low: low / thousands, high: high / thousands }
}

/// P(X ≤ count) of a Poisson distribution.
fn poisson_up_to(count: u64, mean: f64) -> f64 {
    let (mut logarithm, mut sum) = (-mean, (-mean).exp());
    for step in 1..=count {
        logarithm += (mean / step as f64).ln();
        sum += logarithm.exp();
    }
    sum.min(1.0)
}

/// The mean at which a rising function is zero.
fn solve(rising: impl Fn(f64) -> f64, count: u64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 2.0 * count as f64 + 20.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_agree_with_published_intervals() {
        // Newcombe 1998 (Statistics in Medicine 17), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (count, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let share = share(count, of);
            assert!((share.low - low).abs() < 5e-5 && (share.high - high).abs() < 5e-5, "{share:?}");
        }
        assert_eq!(share(0, 0).share, None);
    }

    #[test]
    fn rates_agree_with_the_exact_formula() {
        // With no event the upper end is -ln 0.025; with one, the lower end is -ln 0.975.
        let none = rate(0, 1000.0);
        assert!((none.high - 3.688_879).abs() < 1e-5 && none.low == 0.0, "{none:?}");
        let one = rate(1, 1000.0);
        assert!((one.low - 0.025_318).abs() < 1e-5, "{one:?}");
        // Garwood's table: 10 events, 4.795 to 18.390.
        let ten = rate(10, 2000.0);
        assert!((ten.low - 4.795 / 2.0).abs() < 1e-3 && (ten.high - 18.390 / 2.0).abs() < 1e-3, "{ten:?}");
    }
}
