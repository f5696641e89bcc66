//! False-discovery control: of many tests at once, which still count.

/// The largest p-value that counts when at most `rate` of the discoveries may be false on average: Benjamini and Hochberg
/// 1995, "Controlling the False Discovery Rate". `None`: none counts. A value that is no number counts as 1.
#[must_use]
pub fn threshold(p_values: &[f64], rate: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = p_values.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect();
    sorted.sort_by(f64::total_cmp);
    let family = sorted.len() as f64;
    let passing = sorted.iter().enumerate().rev().find(|(rank, p)| **p <= (rank + 1) as f64 / family * rate);
    passing.map(|(_, p)| *p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_paper() {
        // Benjamini and Hochberg 1995, section 4: fifteen p-values, at a rate of 0.05 the first four are rejected.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        assert_eq!(threshold(&p, 0.05), Some(0.0095));
        let mut reversed = p;
        reversed.reverse();
        assert_eq!(threshold(&reversed, 0.05), Some(0.0095), "order changes nothing");
    }

    #[test]
    fn nothing_counts_where_nothing_is_small_or_a_number() {
        assert_eq!(threshold(&[], 0.05), None);
        assert_eq!(threshold(&[0.9, f64::NAN, 0.8], 0.05), None);
        assert_eq!(threshold(&[0.01, 0.01, 0.01], 0.01), Some(0.01), "ties count together");
    }
}
