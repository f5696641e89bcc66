//! Splunk's HTTP Event Collector.

use crate::{
    Options, SendError,
    address::Address,
    delivery::{Delivery, Item, Outcome},
    http::Http,
};
use serde::Deserialize;

/// The collector.
pub(crate) struct SplunkHec(Http);

/// What the collector says besides the status.
#[derive(Deserialize)]
struct Said {
    code: u32,
}

/// Its codes that mean one of the events: invalid data format, event field missing, event field blank, indexed fields.
const ABOUT_AN_EVENT: [u32; 4] = [6, 12, 13, 15];

impl SplunkHec {
    /// The collector at an address.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub(crate) fn new(options: &Options, address: &Address) -> Result<Self, SendError> {
        let url = address.with_path("/services/collector/event");
        Ok(Self(Http::new(options, url, "application/json", "Splunk")?))
    }
}

impl Delivery for SplunkHec {
    fn deliver(&mut self, items: &[Item]) -> Outcome {
        let answer = match self.0.post(&items.join(&b'\n')) {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if (200..300).contains(&answer.status) {
            return Outcome::taken(items.len());
        }
        let code = serde_json::from_slice::<Said>(&answer.body).ok().map(|said| said.code);
        match (self.0.outcome(&answer), code) {
            // Such as a wrong index: each event would be refused alike.
            (Outcome::Split(reason), Some(code)) if !ABOUT_AN_EVENT.contains(&code) && answer.status == 400 => {
                Outcome::Stop(reason)
            }
            (outcome, _) => outcome,
        }
    }
}
