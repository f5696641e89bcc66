//! The cadence test on series without a clock and with one.
#![cfg(test)]

#[path = "../examples/series/mod.rs"]
mod series;

use monologue_hunt::cadence;
use series::{CLOCKS, NARROW, NULLS, Random, times};

fn p_value(times: &[i64]) -> Option<f64> {
    cadence::test(&cadence::check_ins(times, cadence::COLLAPSE_NS)).map(|cadence| cadence.p_value)
}

#[test]
fn p_values_are_super_uniform_on_every_null() {
    for (name, draw) in &NULLS {
        let mut random = Random(99);
        let mut p_values = Vec::new();
        for number in 0..3_000 {
            p_values.extend(p_value(&times(&mut random, *draw, [12, 25, 60, 120][number % 4])));
        }
        assert!(p_values.len() > 500, "{name}: only {} series are long enough", p_values.len());
        for alpha in [0.1, 0.01, 0.001] {
            let below = p_values.iter().filter(|p| **p <= alpha).count() as f64;
            let allowed = p_values.len() as f64 * alpha;
            // Three standard deviations of a count whose mean is `allowed`.
            assert!(below <= allowed + 3.0 * allowed.sqrt() + 1.0, "{name}: {below} of {} at {alpha}", p_values.len());
        }
    }
}

#[test]
fn clocks_are_found_whatever_happens_to_them() {
    for (name, draw) in &CLOCKS {
        let mut random = Random(5);
        let found = (0..60).filter(|_| p_value(&times(&mut random, *draw, 150)).is_some_and(|p| p <= 1e-6)).count();
        let expected = if name.starts_with("jitter 50") { 0 } else { 57 };
        assert!(found >= expected, "{name}: found {found} of 60");
    }
}

#[test]
fn narrow_think_times_are_clocks_by_this_definition_as_documented() {
    let (_, draw) = NARROW[0];
    let mut random = Random(5);
    let found = (0..60).filter(|_| p_value(&times(&mut random, draw, 300)).is_some_and(|p| p <= 1e-3)).count();
    assert!(found > 0, "the documented weakness is gone: say so in docs/reference/cadence.md");
}
