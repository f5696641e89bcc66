//! The finding as its contract has it: what `monologue hunt --output json` wrote.

use monologue_model::{Disposition, Level, Provenance, SCHEMA};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A line is no finding of this contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// It is not JSON of that shape.
    #[error("expected a finding as `--output json` writes it: {0}")]
    Shape(#[from] serde_json::Error),
    /// It is of another contract.
    #[error("expected schema {SCHEMA}, found {0:?}")]
    Schema(String),
}

/// A finding, read back.
#[derive(Clone, Debug, Deserialize)]
pub struct Explained {
    schema: String,
    /// Name of the channel.
    pub id: String,
    pub(super) host: String,
    pub(super) application: Application,
    pub(super) destination: Destination,
    pub(super) disposition: Disposition,
    #[serde(default)]
    pub(super) leaning: Option<Disposition>,
    #[serde(default)]
    pub(super) confidence: Option<String>,
    #[serde(default)]
    pub(super) layers: Vec<Layer>,
    #[serde(default)]
    pub(super) contradictions: Vec<String>,
    #[serde(default)]
    pub(super) sentence: String,
    #[serde(default)]
    pub(super) readings: Vec<String>,
    pub(super) level: Level,
    #[serde(default)]
    pub(super) level_reason: Option<String>,
    pub(super) score: f64,
    pub(super) first_time: String,
    pub(super) last_time: String,
    pub(super) exchanges: u64,
    pub(super) signals: Vec<Signal>,
    #[serde(default)]
    pub(super) blind: Vec<Blind>,
    #[serde(default)]
    pub(super) approval: Option<Approval>,
    #[serde(default)]
    pub(super) drift: Option<String>,
    #[serde(default)]
    pub(super) supersedes: Vec<String>,
    #[serde(default)]
    pub(super) related: Vec<Related>,
    pub(super) prevalence: Prevalence,
    #[serde(default)]
    pub(super) triage: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Application {
    pub(super) path: Option<String>,
    pub(super) name: String,
    pub(super) agent: Option<String>,
    pub(super) socket_owner: Option<String>,
    pub(super) signing_id: Option<String>,
    pub(super) team_id: Option<String>,
    pub(super) cdhash: Option<String>,
    pub(super) signature: String,
    #[serde(default)]
    pub(super) lineage: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Destination {
    pub(super) host: String,
    pub(super) service: String,
    pub(super) ips: Vec<String>,
    pub(super) ports: Vec<u16>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Layer {
    pub(super) layer: String,
    pub(super) says: String,
    pub(super) sentence: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Signal {
    pub(super) id: String,
    pub(super) judgement: String,
    pub(super) weight: f64,
    pub(super) why: String,
    pub(super) seen: u64,
    pub(super) of: u64,
    #[serde(default)]
    pub(super) cites: Vec<Cite>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Cite {
    #[serde(flatten)]
    pub(super) provenance: Provenance,
    #[serde(default)]
    pub(super) note: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Blind {
    pub(super) sight: String,
    pub(super) seen: u64,
    pub(super) of: u64,
    pub(super) consequence: String,
    pub(super) collect: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Approval {
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) expires: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Related {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) disposition: Disposition,
    pub(super) results: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Prevalence {
    pub(super) hosts: u64,
    pub(super) of: u64,
}

impl Explained {
    /// Reads one line of the `json` output.
    ///
    /// # Errors
    /// When it is no finding of this contract.
    pub fn from_json(line: &str) -> Result<Self, ContractError> {
        let finding: Self = serde_json::from_str(line)?;
        if finding.schema != SCHEMA {
            return Err(ContractError::Schema(finding.schema));
        }
        Ok(finding)
    }

    /// Every place that is cited, each once, by source and place.
    #[must_use]
    pub fn citations(&self) -> Vec<Provenance> {
        let cites = self.signals.iter().flat_map(|signal| &signal.cites).map(|cite| cite.provenance.clone());
        cites.collect::<BTreeSet<_>>().into_iter().collect()
    }
}
