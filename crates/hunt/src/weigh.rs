//! Weighing: weights of evidence to a score, and the score to a level.
//!
//! Weights are in decibans (ten times the decimal logarithm of an odds ratio; Good, Probability and the Weighing of
//! Evidence, 1950). They add up, with the prior, to the odds that the channel is malicious one-way traffic.

use crate::{judge::Answer, judge::Context, settings::Weights};
use monologue_model::{Disposition, Judgement, Layer, Level};
use std::collections::BTreeSet;

/// The probability that a sum of decibans means: `1 / (1 + 10^(-sum/10))`.
#[must_use]
pub fn score(decibans: f64) -> f64 {
    1.0 / (1.0 + 10_f64.powf(-decibans / 10.0))
}

/// The signed weight of a judgement.
#[must_use]
pub const fn weight(judgement: &Judgement) -> f64 {
    match judgement {
        Judgement::Supports { weight, .. } => *weight,
        Judgement::Refutes { weight, .. } => -*weight,
        Judgement::Silent | Judgement::Blind { .. } => 0.0,
    }
}

/// What is taken off again where the supporting weights of a layer come to more than its cap, with what they came to.
#[must_use]
pub fn excess(answers: &[Answer], weights: &Weights) -> Vec<(Layer, f64, f64)> {
    let sum = |layer: Layer| -> f64 {
        let of_layer = answers.iter().filter(|answer| answer.signal.id().layer() == Some(layer));
        of_layer.map(|answer| weight(&answer.judgement)).filter(|weight| *weight > 0.0).sum()
    };
    let over = |layer: Layer| {
        let (sum, cap) = (sum(layer), weights.cap(layer)?);
        (sum > cap).then_some((layer, sum, sum - cap))
    };
    Layer::ALL.into_iter().filter_map(over).collect()
}

/// The sum of decibans: the prior, what each signal says, less what goes beyond the caps.
#[must_use]
pub fn sum(answers: &[Answer], weights: &Weights) -> f64 {
    let said: f64 = answers.iter().map(|answer| weight(&answer.judgement)).sum();
    let over: f64 = excess(answers, weights).iter().map(|(_, _, over)| over).sum();
    weights.prior + said - over
}

/// The level of a score, before caps.
fn level_of(score: f64, thresholds: &[f64; 4]) -> Level {
    let reached = thresholds.iter().filter(|threshold| score >= **threshold).count();
    Level::ALL.get(reached).copied().unwrap_or_default()
}

/// The level, and why it is lower than the score alone would make it.
#[must_use]
pub fn level(
    score: f64,
    disposition: Disposition,
    attributed: bool,
    answers: &[Answer],
    context: &Context<'_>,
) -> (Level, Option<String>) {
    let mut level = level_of(score, &context.settings.levels);
    let mut reason = None;
    let mut cap = |at: Level, why: &str| {
        if level > at {
            level = at;
            reason = Some(why.to_owned());
        }
    };
    if let Some(what) = context.documented {
        cap(Level::Info, &format!("this is {what}"));
    }
    if disposition == Disposition::TwoWay {
        cap(Level::Low, "the channel is two-way");
    }
    let supporting: BTreeSet<Layer> = answers
        .iter()
        .filter(|answer| matches!(answer.judgement, Judgement::Supports { .. }))
        .filter_map(|answer| answer.signal.id().layer())
        .collect();
    if !attributed {
        let persistent = answers.iter().any(|answer| {
            answer.signal.id().0 == "wire.persistence" && matches!(answer.judgement, Judgement::Supports { .. })
        });
        if persistent {
            cap(Level::Medium, "no endpoint record says which application it is");
        } else {
            cap(Level::Low, "network records alone need persistence to say more");
        }
    } else if supporting.len() < 2 {
        cap(Level::Medium, "only one layer of evidence supports it");
    }
    (level, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn ten_decibans_are_odds_of_ten_to_one() {
        assert!((score(0.0) - 0.5).abs() < 1e-12);
        assert!((score(10.0) - 10.0 / 11.0).abs() < 1e-12);
        assert!((score(-20.0) - 1.0 / 101.0).abs() < 1e-12);
    }

    #[test]
    fn levels_begin_at_their_thresholds() {
        for (score, level) in
            [(0.099, Level::Info), (0.1, Level::Low), (0.5, Level::Medium), (0.9, Level::High), (0.99, Level::Critical)]
        {
            assert_eq!(level_of(score, &Settings::shipped().levels), level);
        }
    }

    #[test]
    fn network_records_alone_stay_low_without_persistence() {
        let (level, reason) = level(0.999, Disposition::NoReply, false, &[], &Context::default());
        assert_eq!(level, Level::Low);
        assert!(reason.is_some());
    }
}
