//! What a receiver does with a batch.

use std::time::Duration;

/// One thing to send: a line, or the two lines of a bulk action, without the last line end.
pub(crate) type Item = Vec<u8>;

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The receiver took it.
    Taken,
    /// The receiver had it already.
    Known,
    /// It could not take it now.
    Later(String),
    /// It will never take it.
    Refused(String),
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Each item's own fate, in their order.
    Each(Vec<Fate>),
    /// Nothing is known to be taken; try again.
    Later {
        /// Why.
        reason: String,
        /// When the receiver asks for it.
        after: Option<Duration>,
    },
    /// Refused as a whole, without saying which item is at fault: smaller batches will tell.
    Split(String),
    /// Nothing more will be taken: wrong credentials or address.
    Stop(String),
}

impl Outcome {
    /// All items were taken.
    pub(crate) fn taken(count: usize) -> Self {
        Self::Each(vec![Fate::Taken; count])
    }
}

/// A receiver.
pub(crate) trait Delivery {
    /// Most items it takes at once.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// Delivers a batch.
    fn deliver(&mut self, items: &[Item]) -> Outcome;

    /// Ends in order.
    ///
    /// # Errors
    /// Why what was sent last may not have arrived.
    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}
