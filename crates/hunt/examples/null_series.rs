//! Prints, as the table of `docs/reference/cadence.md`, how often the cadence test errs on series without a clock, and how
//! often it finds one that is there. `cargo run --release -p monologue-hunt --example null_series -- 1000000`
#![expect(clippy::print_stdout, reason = "an example prints its result")]

mod series;

use monologue_hunt::cadence;
use series::{CLOCKS, NARROW, NULLS, Random, times};

const ALPHAS: [f64; 4] = [1e-1, 1e-2, 1e-3, 1e-4];
const LENGTHS: [usize; 5] = [10, 20, 40, 100, 300];

fn p_value(times: &[i64]) -> Option<f64> {
    cadence::test(&cadence::check_ins(times, cadence::COLLAPSE_NS)).map(|cadence| cadence.p_value)
}

fn main() {
    let total: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let each = total / (NULLS.len() + NARROW.len());
    println!(
        "| series without a clock | tested | p ≤ 0.1 | p ≤ 0.01 | p ≤ 0.001 | p ≤ 0.0001 |\n|---|---|---|---|---|---|"
    );
    for (name, draw) in NULLS.iter().chain(&NARROW) {
        let mut random = Random(20_260_302);
        let (mut tested, mut below) = (0_u32, [0_u32; ALPHAS.len()]);
        for number in 0..each {
            let length = LENGTHS.get(number % LENGTHS.len()).copied().unwrap_or(20);
            if let Some(p) = p_value(&times(&mut random, *draw, length)) {
                tested += 1;
                below.iter_mut().zip(ALPHAS).for_each(|(count, alpha)| *count += u32::from(p <= alpha));
            }
        }
        let ratios: Vec<String> = below
            .iter()
            .zip(ALPHAS)
            .map(|(count, alpha)| format!("{:.3}", f64::from(*count) / f64::from(tested.max(1)) / alpha))
            .collect();
        println!("| {name} | {tested} | {} |", ratios.join(" | "));
    }
    println!("\n| clock of 300 s | 24 requests | 100 requests | 300 requests |\n|---|---|---|---|");
    for (name, draw) in &CLOCKS {
        let shares: Vec<String> = [24, 100, 300]
            .into_iter()
            .map(|length| {
                let mut random = Random(7);
                let found =
                    (0..300).filter(|_| p_value(&times(&mut random, *draw, length)).is_some_and(|p| p <= 1e-6)).count();
                format!("{:.2}", found as f64 / 300.0)
            })
            .collect();
        println!("| {name} | {} |", shares.join(" | "));
    }
}
