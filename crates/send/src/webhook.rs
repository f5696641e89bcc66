//! A webhook: one POST of JSON for each item.

use crate::{
    Options, SendError,
    address::Address,
    delivery::{Delivery, Item, Outcome},
    http::Http,
};

/// The webhook.
pub(crate) struct Webhook(Http);

impl Webhook {
    /// The webhook at an address.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub(crate) fn new(options: &Options, address: &Address) -> Result<Self, SendError> {
        Ok(Self(Http::new(options, address.whole(), "application/json", "Bearer")?))
    }
}

impl Delivery for Webhook {
    fn most(&self) -> usize {
        1
    }

    fn deliver(&mut self, items: &[Item]) -> Outcome {
        match self.0.post(&items.join(&b'\n')) {
            Ok(answer) if (200..300).contains(&answer.status) => Outcome::taken(items.len()),
            Ok(answer) => self.0.outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}
