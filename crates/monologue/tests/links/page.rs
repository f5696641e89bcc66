//! The page of the documentation with the measured links.

use super::{
    measure::{Count, Measured, Pair, wilson},
    verdicts::Verdicts,
};
use std::fmt::Write as _;

const HEAD: &str = include_str!("page.md");

/// The whole page.
pub(crate) fn page(results: &[(&str, Measured, Verdicts)]) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n| disturbance | pair | joins made | precision | possible | recall |\n|---|---|---|---|---|---|\n");
    for (name, measured, _) in results {
        for pair in Pair::ALL {
            let Count { made, right, possible, found } = measured.counts.get(&pair).copied().unwrap_or_default();
            if made > 0 || possible > 0 {
                let (precision, recall) = (share(right, made), share(found, possible));
                let _ = writeln!(text, "| {name} | {} | {made} | {precision} | {possible} | {recall} |", pair.name());
            }
        }
    }
    text.push_str(
        "\n| disturbance | largest error of a corrected time, s | attacks named | false claims | honest software at medium or above |\n\
         |---|---|---|---|---|\n",
    );
    for (name, measured, said) in results {
        let (error, attacks, named) = (measured.clock_error_s, said.attacks, said.named);
        let error = error.map_or_else(|| "–".to_owned(), |error| format!("{error:.3}"));
        let (claims, alarms) = (said.false_claims.len(), said.alarms.len());
        let _ = writeln!(text, "| {name} | {error} | {named} of {attacks} | {claims} | {alarms} |");
    }
    text
}

/// A share with its interval, in per cent.
fn share(part: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    let (low, high) = wilson(part, of);
    let percent = |share: f64| {
        let shown = format!("{:.2}", 100.0 * share);
        shown.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    format!("{} % ({}–{})", percent(part as f64 / of as f64), percent(low), percent(high))
}
