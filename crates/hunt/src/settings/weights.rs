//! Weights: what each case of each signal counts, from one reviewed table.

use monologue_model::{Layer, SignalId};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The table the product ships.
const TABLE: &str = include_str!("weights.toml");

/// Largest weight that settings may give, in decibans: a thousand to one.
pub(super) const WEIGHT_CAP: f64 = 30.0;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    /// The signal.
    pub signal: String,
    /// What it says then.
    pub case: String,
    /// How much, in decibans, without a sign.
    pub decibans: f64,
    /// Why so much.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    prior: f64,
    prior_reason: String,
    caps: BTreeMap<String, f64>,
    weight: Vec<Weight>,
}

/// Every weight in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Before any evidence, in decibans.
    pub prior: f64,
    /// Why so much.
    pub prior_reason: String,
    /// What the supporting weights of one layer come to at most.
    caps: BTreeMap<String, f64>,
    table: BTreeMap<(String, String), Weight>,
}

impl Weights {
    /// Those the product ships.
    ///
    /// # Errors
    /// Never for the table that is built in; a test reads it.
    pub(super) fn shipped() -> Result<Self, toml::de::Error> {
        let Table { prior, prior_reason, caps, weight } = toml::from_str(TABLE)?;
        let key = |weight: &Weight| (weight.signal.clone(), weight.case.clone());
        Ok(Self { prior, prior_reason, caps, table: weight.into_iter().map(|weight| (key(&weight), weight)).collect() })
    }

    /// No weights at all: what stands where the table cannot be read.
    pub(super) fn none() -> Self {
        Self { prior: 0.0, prior_reason: String::new(), caps: BTreeMap::new(), table: BTreeMap::new() }
    }

    /// What a case of a signal counts, in decibans. A case that is not in the table counts nothing.
    #[must_use]
    pub fn of(&self, signal: SignalId, case: &str) -> f64 {
        self.table.get(&(signal.0.to_owned(), case.to_owned())).map_or(0.0, |weight| weight.decibans)
    }

    /// What the supporting weights of a layer come to at most. `None`: they are not capped.
    #[must_use]
    pub fn cap(&self, layer: Layer) -> Option<f64> {
        self.caps.get(layer.name()).copied()
    }

    /// Every weight, by signal and case.
    pub fn iter(&self) -> impl Iterator<Item = &Weight> {
        self.table.values()
    }

    /// Every cap, by layer.
    pub fn caps(&self) -> impl Iterator<Item = (&str, f64)> {
        self.caps.iter().map(|(layer, cap)| (layer.as_str(), *cap))
    }

    /// Changes one weight. `false`: there is no such case.
    pub(super) fn set(&mut self, signal: &str, case: &str, decibans: f64, reason: String) -> bool {
        let found = self.table.get_mut(&(signal.to_owned(), case.to_owned()));
        let known = found.is_some();
        if let Some(weight) = found {
            (weight.decibans, weight.reason) = (decibans, reason);
        }
        known
    }

    /// Changes one cap. `false`: there is no such layer.
    pub(super) fn set_cap(&mut self, layer: &str, decibans: f64) -> bool {
        self.caps.get_mut(layer).map(|cap| *cap = decibans).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::SIGNALS;
    use std::collections::BTreeSet;

    /// The cases a signal's source speaks of: the first word of each opinion.
    fn cases(source: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for part in ["supports(", "refutes("] {
            for after in source.split(part).skip(1) {
                if let Some(rest) = after.trim_start().strip_prefix('"') {
                    found.insert(rest.split('"').next().unwrap().to_owned());
                }
            }
        }
        found
    }

    #[test]
    fn every_case_has_a_weight_with_a_reason_and_every_weight_a_case() {
        let weights = Weights::shipped().unwrap();
        let mut used = BTreeSet::new();
        for signal in SIGNALS {
            let cases = cases(signal.source());
            assert!(!cases.is_empty(), "{} speaks of no case", signal.id());
            for case in cases {
                assert!(weights.of(signal.id(), &case) > 0.0, "{} lacks a weight for {case}", signal.id());
                used.insert((signal.id().0.to_owned(), case));
            }
        }
        for weight in weights.iter() {
            let key = (weight.signal.clone(), weight.case.clone());
            assert!(used.contains(&key), "{key:?} is said by no signal");
            assert!(weight.reason.split(' ').count() > 4 && weight.decibans <= WEIGHT_CAP, "{key:?}");
        }
    }

    #[test]
    fn every_layer_of_a_signal_has_a_cap_that_lets_each_case_count() {
        let weights = Weights::shipped().unwrap();
        for signal in SIGNALS {
            let layer = signal.id().layer().unwrap();
            assert!(weights.cap(layer).is_some(), "{}", layer.name());
        }
        assert!(weights.prior < 0.0 && !weights.prior_reason.is_empty());
    }
}
