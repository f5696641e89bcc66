//! How much likelier each case of each signal is among attacks: the offline measurement that the weights are reviewed against.

use super::{
    intervals::{Share, share},
    matching::ELSEWHERE,
    measure::{Beside, is_one_way},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The 97.5 % quantile of the normal distribution.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// One case of a signal, and where it was said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Likelihood {
    /// The signal.
    pub(super) signal: String,
    /// Its weight in force, in decibans; with the signal's name it tells the case.
    pub(super) weight: f64,
    /// Findings of malicious one-way channels of which it was said.
    pub(super) malicious: Share,
    /// Findings of honest software that talks again and again.
    pub(super) regular: Share,
    /// Findings of everything else that is honest: people who browse, services of macOS that nobody named.
    pub(super) other: Share,
    /// Decibans by which it is likelier among attacks than among regular software, with half a finding added to each count.
    pub(super) measured: f64,
    /// Lower end of the interval of 95 % (Katz and others 1978).
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// Decibans of a ratio of two shares and their interval, with half a finding added to each count (Jeffreys).
fn decibans((said, of): (u64, u64), (said_else, of_else): (u64, u64)) -> (f64, f64, f64) {
    let (a, b, c, d) = (said as f64 + 0.5, of as f64 + 1.0, said_else as f64 + 0.5, of_else as f64 + 1.0);
    let ratio = (a / b / (c / d)).ln();
    let deviation = (1.0 / a - 1.0 / b + 1.0 / c - 1.0 / d).max(0.0).sqrt() * QUANTILE;
    let scale = 10.0 / std::f64::consts::LN_10;
    (ratio * scale, (ratio - deviation) * scale, (ratio + deviation) * scale)
}

/// Every case that was said, by signal.
pub(super) fn likelihoods(beside: &Beside<'_>) -> Vec<Likelihood> {
    let mut counts: BTreeMap<(&str, i64), [u64; 3]> = BTreeMap::new();
    let mut all = [0_u64; 3];
    for (at, finding) in beside.findings.iter().enumerate() {
        let mut truths = beside.truths_of(at);
        let class = if truths.clone().any(is_one_way) {
            0
        } else if truths.clone().any(|truth| truth.malicious) {
            // A way back, or a further channel of an attack: neither honest nor what is looked for.
            continue;
        } else if truths.any(|truth| truth.destination != ELSEWHERE) {
            1
        } else {
            2
        };
        all.iter_mut().enumerate().filter(|(place, _)| *place == class).for_each(|(_, count)| *count += 1);
        for signal in finding.signals.iter().filter(|one| matches!(one.judgement.as_str(), "supports" | "refutes")) {
            let entry = counts.entry((&signal.id, (signal.weight * 1000.0) as i64)).or_default();
            entry.iter_mut().enumerate().filter(|(place, _)| *place == class).for_each(|(_, count)| *count += 1);
        }
    }
    let [one_way, regular, other] = all;
    let of_case = |((signal, weight), said): (&(&str, i64), &[u64; 3])| {
        let [in_attacks, in_regular, in_other] = *said;
        let (measured, low, high) = decibans((in_attacks, one_way), (in_regular, regular));
        Likelihood {
            signal: (*signal).to_owned(),
            weight: *weight as f64 / 1000.0,
            malicious: share(in_attacks, one_way),
            regular: share(in_regular, regular),
            other: share(in_other, other),
            measured,
            low,
            high,
        }
    };
    counts.iter().map(of_case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_ten_is_ten_decibans_and_its_interval_is_that_of_katz() {
        // 89.5 of 100 against 8.95 of 100 is a ratio of ten; both counts have a half added.
        let (measured, ..) = decibans((89, 99), (17, 199));
        assert!((measured - 10.0 * f64::log10(89.5 / 100.0 / (17.5 / 200.0))).abs() < 1e-9);
        let (middle, low, high) = decibans((9, 99), (9, 99));
        assert!(middle.abs() < 1e-12 && (low + high).abs() < 1e-12);
        // ln ratio deviates by sqrt(2 (1/9.5 - 1/100)) = 0.43649; times 1.96 and 4.3429 that is 3.7154 decibans.
        assert!((high - 3.7154).abs() < 1e-3, "{high}");
    }
}
