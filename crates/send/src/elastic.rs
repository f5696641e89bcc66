//! The bulk interface of Elastic and OpenSearch.

use crate::{
    Options, SendError,
    address::Address,
    delivery::{Delivery, Fate, Item, Outcome},
    http::Http,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The bulk interface.
pub(crate) struct Elastic(Http);

/// The answer to a bulk request: one item for each action, in their order.
#[derive(Deserialize)]
struct Said {
    items: Vec<BTreeMap<String, ActionResult>>,
}

/// What became of an action.
#[derive(Deserialize)]
struct ActionResult {
    status: u16,
    #[serde(default)]
    error: Option<Trouble>,
}

/// Why. The interface gives an object, and a plain text in old versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Trouble {
    Object {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        reason: Option<String>,
    },
    Text(String),
}

impl Elastic {
    /// The bulk interface at an address.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub(crate) fn new(options: &Options, address: &Address) -> Result<Self, SendError> {
        Ok(Self(Http::new(options, address.with_path("/_bulk"), "application/x-ndjson", "ApiKey")?))
    }
}

impl Delivery for Elastic {
    fn deliver(&mut self, items: &[Item]) -> Outcome {
        let mut body = items.join(&b'\n');
        body.push(b'\n');
        let answer = match self.0.post(&body) {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if !(200..300).contains(&answer.status) {
            return self.0.outcome(&answer);
        }
        match serde_json::from_slice::<Said>(&answer.body) {
            Ok(said) if said.items.len() == items.len() => {
                Outcome::Each(said.items.into_iter().map(|item| self.fate(item)).collect())
            }
            // Trying again does no harm: what was stored is known by its id.
            _ => Outcome::Later {
                reason: "expected an answer of a bulk interface with an item for each action".to_owned(),
                after: None,
            },
        }
    }
}

impl Elastic {
    fn fate(&self, item: BTreeMap<String, ActionResult>) -> Fate {
        let Some(result) = item.into_values().next() else {
            return Fate::Later("the receiver did not say what became of it".to_owned());
        };
        let why = match result.error {
            None => format!("status {}", result.status),
            Some(Trouble::Text(text)) => format!("status {}: {text}", result.status),
            Some(Trouble::Object { kind, reason }) => {
                format!("status {}: {kind}: {}", result.status, reason.unwrap_or_default())
            }
        };
        let why = self.0.hidden(&why);
        match result.status {
            200..=299 => Fate::Taken,
            // `create` of a document that is there.
            409 => Fate::Known,
            429 | 500..=599 => Fate::Later(why),
            _ => Fate::Refused(why),
        }
    }
}
