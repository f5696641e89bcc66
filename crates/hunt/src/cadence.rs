//! Cadence: whether check-ins keep a clock, with a p-value in closed form against a bursty, heavy-tailed null.
//!
//! # The statistic
//! Connections close together are one check-in. Of the intervals between check-ins each is taken as a candidate period;
//! counted is how many others lie within a tolerance of it (or of its double and triple: missed beats). The largest count
//! over all candidates decides.
//!
//! # The null and its p-value
//! Under the null, intervals are independent, and the density of the *logarithm* of an interval stays below
//! [`LOG_DENSITY_BOUND`]. That holds for everything that spreads over more than about a factor of e: exponential intervals
//! (bound 1/e = 0.37), lognormal ones with σ ≥ 0.4 (0.399/σ), Pareto ones with exponent ≤ 1, and mixtures of them, whatever
//! their scale. Then, given a candidate, each other interval falls into a window of relative half-width δ with probability
//! at most q = bound · ln((1+δ)/(1−δ)), so the count is below Binomial(m−1, q) in distribution. With m candidates and
//! [`TESTS`] combinations of tolerance and missed beats, the union bound gives
//! p ≤ [`TESTS`] · m · P(Binomial(m−1, q) ≥ k). No sampling, so p may be as small as 10⁻³⁰⁰.
//!
//! # What the null does not cover
//! Think times confined to a narrow range (a slide show, a page that reloads itself) are clocks by this definition and will
//! be called so. Intervals that depend on each other beyond a common scale are not covered by the proof.

use std::f64::consts::LN_10;

/// Connections within this of the previous one belong to the same check-in: 5 s.
pub const COLLAPSE_NS: i64 = 5_000_000_000;

/// Intervals below which no test is made: with fewer, even a perfect clock could not reach a small p-value at a tolerance
/// that bears jitter.
pub const MINIMUM_INTERVALS: usize = 7;

/// Bound on the density of the logarithm of an interval under the null. Real intervals to one destination have a
/// coefficient of variation of 0.8 at the fifth percentile (lognormal σ = 0.70, density at most 0.57); collapsing
/// connections cuts short gaps away and can raise that to about 1.
pub const LOG_DENSITY_BOUND: f64 = 1.0;

/// Relative half-widths that are tried.
const TOLERANCES: [f64; 5] = [0.02, 0.05, 0.10, 0.20, 0.35];

/// Largest multiple of the period counted as "missed beats", for each tolerance: none, or up to the triple.
const MULTIPLES: [u32; 2] = [1, 3];

/// Combinations that are tried; each costs its share of the p-value.
pub const TESTS: usize = TOLERANCES.len() * MULTIPLES.len();

/// Intervals that are looked at; of longer series the last ones.
const INTERVAL_CAP: usize = 4096;

/// The best clock found in a series of check-ins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cadence {
    /// The period in nanoseconds.
    pub period_ns: i64,
    /// Relative half-width of the window around it, such as 0.1.
    pub tolerance: f64,
    /// Intervals within the window (of the period, or of a multiple where missed beats are allowed).
    pub within: usize,
    /// Intervals in all.
    pub intervals: usize,
    /// Probability of a count so large under the null, bounded from above; 0 to 1.
    pub p_value: f64,
}

/// Check-ins: of connections that follow each other within `collapse_ns`, the first. `times_ns` ascends.
#[must_use]
pub fn check_ins(times_ns: &[i64], collapse_ns: i64) -> Vec<i64> {
    let mut check_ins = Vec::new();
    let mut previous: Option<i64> = None;
    for time in times_ns {
        if previous.is_none_or(|previous| time.saturating_sub(previous) > collapse_ns) {
            check_ins.push(*time);
        }
        previous = Some(*time);
    }
    check_ins
}

/// Looks for a clock in ascending check-in times. `None`: fewer than [`MINIMUM_INTERVALS`] intervals.
#[must_use]
pub fn test(check_ins_ns: &[i64]) -> Option<Cadence> {
    let intervals = check_ins_ns.windows(2).filter_map(|pair| match pair {
        [one, two] => two.checked_sub(*one).filter(|interval| *interval > 0),
        _ => None,
    });
    let mut sorted: Vec<i64> = intervals.collect();
    let surplus = sorted.len().saturating_sub(INTERVAL_CAP);
    sorted.drain(..surplus);
    if sorted.len() < MINIMUM_INTERVALS {
        return None;
    }
    sorted.sort_unstable();
    let logarithms = ln_factorials(sorted.len());
    let mut best: Option<Cadence> = None;
    for tolerance in TOLERANCES {
        for multiples in MULTIPLES {
            let (period_ns, within) = densest(&sorted, tolerance, multiples);
            let p_value = bound(sorted.len(), within, tolerance, multiples, &logarithms);
            if best.is_none_or(|known| p_value < known.p_value) {
                best = Some(Cadence { period_ns, tolerance, within, intervals: sorted.len(), p_value });
            }
        }
    }
    best
}

/// Whether check-ins come more and more rarely: of the intervals, the median of the last third is at least twice that of the
/// first. `None`: fewer than nine intervals.
#[must_use]
pub fn backs_off(check_ins_ns: &[i64]) -> Option<bool> {
    let intervals: Vec<i64> = check_ins_ns
        .windows(2)
        .filter_map(|pair| match pair {
            [one, two] => two.checked_sub(*one),
            _ => None,
        })
        .collect();
    let third = intervals.len() / 3;
    if third < 3 {
        return None;
    }
    let median = |part: &[i64]| {
        let mut sorted = part.to_vec();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    };
    let (first, last) = (median(intervals.get(..third)?)?, median(intervals.get(intervals.len() - third..)?)?);
    Some(last >= first.saturating_mul(2))
}

/// The candidate with most intervals in its windows, and how many those are, itself included. Candidates ascend, and with them
/// the ends of their windows: one pass over the intervals for each multiple.
fn densest(sorted: &[i64], tolerance: f64, multiples: u32) -> (i64, usize) {
    let mut counts = vec![0; sorted.len()];
    for multiple in 1..=multiples {
        let (mut from, mut until) = (0, 0);
        for (candidate, count) in sorted.iter().zip(&mut counts) {
            let centre = *candidate as f64 * f64::from(multiple);
            let (low, high) = (centre * (1.0 - tolerance), centre * (1.0 + tolerance));
            while sorted.get(from).is_some_and(|interval| (*interval as f64) < low) {
                from += 1;
            }
            until = until.max(from);
            while sorted.get(until).is_some_and(|interval| (*interval as f64) <= high) {
                until += 1;
            }
            *count += until - from;
        }
    }
    let mut best = (0, 0);
    for (candidate, within) in sorted.iter().zip(counts) {
        if within > best.1 {
            best = (*candidate, within);
        }
    }
    best
}

/// The bound of the module comment. `within` counts the candidate itself.
fn bound(intervals: usize, within: usize, tolerance: f64, multiples: u32, ln_factorial: &[f64]) -> f64 {
    let width = ((1.0 + tolerance) / (1.0 - tolerance)).ln();
    let inside = LOG_DENSITY_BOUND * width * f64::from(multiples);
    let others = intervals - 1;
    let ln_tail = ln_binomial_tail(others, within.saturating_sub(1), inside, ln_factorial);
    let ln_p = (TESTS as f64).ln() + (intervals as f64).ln() + ln_tail;
    // The smallest normal number is about 10^-308; keep well above it, so that ratios stay finite.
    ln_p.max(-300.0 * LN_10).exp().min(1.0)
}

/// Natural logarithms of 0! to n!.
fn ln_factorials(n: usize) -> Vec<f64> {
    let mut table = Vec::with_capacity(n + 1);
    let mut sum = 0.0;
    table.push(sum);
    for value in 1..=n {
        sum += (value as f64).ln();
        table.push(sum);
    }
    table
}

/// Natural logarithm of P(Binomial(n, probability) ≥ k), from above; 0 (certainty) where k is no more than expected.
fn ln_binomial_tail(n: usize, k: usize, probability: f64, ln_factorial: &[f64]) -> f64 {
    if probability >= 1.0 || k as f64 <= n as f64 * probability {
        return 0.0;
    }
    if k > n {
        return f64::NEG_INFINITY;
    }
    let at = |index: usize| ln_factorial.get(index).copied().unwrap_or(0.0);
    let ln_first = at(n) - at(k) - at(n - k) + k as f64 * probability.ln() + (n - k) as f64 * (-probability).ln_1p();
    // Above the mean the terms fall; sum them relative to the first.
    let odds = probability / (1.0 - probability);
    let (mut sum, mut term) = (1.0, 1.0);
    for index in k..n {
        term *= (n - index) as f64 / (index + 1) as f64 * odds;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    (ln_first + f64::ln(sum)).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn connections_close_together_are_one_check_in() {
        let seconds = |list: &[i64]| list.iter().map(|time| time * SECOND).collect::<Vec<_>>();
        assert_eq!(check_ins(&seconds(&[0, 3, 7, 60, 61, 200]), COLLAPSE_NS), seconds(&[0, 60, 200]));
        assert!(check_ins(&[], COLLAPSE_NS).is_empty());
    }

    #[test]
    fn the_binomial_tail_agrees_with_exact_counting() {
        // With probability 1/4, P(X ≥ k) = Σ C(n,i) 3^(n-i) / 4^n, in whole numbers.
        let table = ln_factorials(20);
        for n in 1..=20_u32 {
            let mut binomial = vec![1_u128];
            for i in 0..n {
                binomial.push(binomial[i as usize] * u128::from(n - i) / u128::from(i + 1));
            }
            for k in 0..=n {
                let tail: u128 = (k..=n).map(|i| binomial[i as usize] * 3_u128.pow(n - i)).sum();
                let exact = tail as f64 / 4_f64.powi(n as i32);
                let ours = ln_binomial_tail(n as usize, k as usize, 0.25, &table).exp();
                if f64::from(k) <= f64::from(n) * 0.25 {
                    assert_eq!(ours, 1.0, "at or below the mean the bound is certainty");
                } else {
                    assert!((ours / exact - 1.0).abs() < 1e-10, "n {n} k {k}: {ours} {exact}");
                }
            }
        }
        assert_eq!(ln_binomial_tail(5, 6, 0.25, &table), f64::NEG_INFINITY);
    }

    #[test]
    fn a_clock_is_found_and_its_bound_is_the_documented_formula() {
        let times: Vec<i64> = (0..25).map(|beat| beat * 60 * SECOND).collect();
        let cadence = test(&times).unwrap();
        assert_eq!((cadence.period_ns, cadence.within, cadence.intervals), (60 * SECOND, 24, 24));
        // All 23 others inside the narrowest window without missed beats: 10 · 24 · q^23, q = ln(1.02 / 0.98).
        let expected = 10.0 * 24.0 * (1.02_f64 / 0.98).ln().powi(23);
        assert!((cadence.p_value / expected - 1.0).abs() < 1e-9, "{} {expected}", cadence.p_value);
    }

    #[test]
    fn too_few_intervals_are_not_tested_and_long_series_stay_finite() {
        assert!(test(&[0, 1, 2, 3, 4, 5, 6]).is_none());
        let times: Vec<i64> = (0..10_000).map(|beat| beat * 30 * SECOND).collect();
        let cadence = test(&times).unwrap();
        assert_eq!(cadence.intervals, INTERVAL_CAP);
        assert!(cadence.p_value > 0.0 && cadence.p_value < 1e-290);
    }

    #[test]
    fn missed_beats_and_jitter_are_borne() {
        // Every third beat missed: intervals of 60, 120, 60, 120 …
        let missed: Vec<i64> = (0..90).filter(|beat| beat % 3 != 2).map(|beat| beat * 60 * SECOND).collect();
        assert!(test(&missed).unwrap().p_value < 1e-9);
        // Jitter of ±30 % around 200 s, from a fixed sequence of tenths.
        let mut time = 0;
        let jittered: Vec<i64> = (0..80_i64)
            .map(|beat| {
                time += 140 * SECOND + (beat * 7 % 13) * 10 * SECOND;
                time
            })
            .collect();
        assert!(test(&jittered).unwrap().p_value < 1e-6);
    }
}
