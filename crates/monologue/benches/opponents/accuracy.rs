//! How well a score tells series with a clock from series without.

/// Area under the curve: the share of pairs of one with and one without a clock in which the one with has the higher score;
/// equal scores count half.
pub(crate) fn area(with: &[f64], without: &[f64]) -> f64 {
    let mut sorted = without.to_vec();
    sorted.sort_by(f64::total_cmp);
    let sum: f64 = with
        .iter()
        .map(|score| {
            let below = sorted.partition_point(|other| other < score);
            let equal = sorted.partition_point(|other| other <= score) - below;
            below as f64 + 0.5 * equal as f64
        })
        .sum();
    sum / (with.len() as f64 * without.len() as f64)
}

/// The share of series with a clock that score higher than all but that share of those without.
pub(crate) fn recall(with: &[f64], without: &[f64], false_positives: f64) -> f64 {
    let mut sorted = without.to_vec();
    sorted.sort_by(|left, right| right.total_cmp(left));
    let allowed = (sorted.len() as f64 * false_positives) as usize;
    let threshold = sorted.get(allowed).copied().unwrap_or(f64::NEG_INFINITY);
    with.iter().filter(|score| **score > threshold).count() as f64 / with.len() as f64
}

/// Checks against values that can be worked out by hand.
///
/// # Panics
/// When one differs.
pub(crate) fn check() {
    // Pairs: 3 > 1, 3 > 2, 2 > 1, and 2 = 2 counts half.
    assert_eq!(area(&[3.0, 2.0], &[1.0, 2.0]), 3.5 / 4.0);
    // Of four without a clock one may score higher: the threshold is the second highest, 5.
    assert_eq!(recall(&[4.0, 5.0, 6.0, 9.0], &[8.0, 5.0, 2.0, 1.0], 0.25), 0.5);
    assert_eq!(recall(&[9.0], &[8.0, 5.0], 0.0), 1.0);
}
