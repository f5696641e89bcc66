//! The work: batches, tries, waiting, giving up.

use crate::{
    Options, SendError, Summary,
    dead_letters::DeadLetters,
    delivery::{Delivery, Fate, Item, Outcome},
    items::{Items, Next},
};
use std::time::Duration;

/// The wait before the second try; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait of our own choice.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The longest wait that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Reasons told apart in the summary.
const REASONS: usize = 20;

/// Characters of a reason.
const REASON: usize = 300;

/// One sending.
pub(crate) struct Work<'a> {
    options: &'a Options,
    dead: DeadLetters,
    wait: &'a mut dyn FnMut(Duration),
    summary: Summary,
}

impl<'a> Work<'a> {
    /// Work that has not begun.
    pub(crate) fn new(options: &'a Options, dead: DeadLetters, wait: &'a mut dyn FnMut(Duration)) -> Self {
        Self { options, dead, wait, summary: Summary::default() }
    }

    /// Sends all items.
    ///
    /// # Errors
    /// When the input or the dead letters fail.
    pub(crate) fn all(mut self, mut items: Items<'_>, delivery: &mut dyn Delivery) -> Result<Summary, SendError> {
        let most = self.options.batch_items.min(delivery.most()).max(1);
        let mut batch: Vec<Item> = Vec::new();
        let mut bytes = 0;
        let mut is_first = true;
        loop {
            let next = items.next(&mut self.dead)?;
            if let (true, Next::Wrong(_)) = (is_first, &next) {
                let target = self.options.target;
                return Err(SendError::Input { expected: Items::expected(target), output: target.output() });
            }
            is_first = false;
            match next {
                Next::End => break,
                Next::TooLong => {
                    self.summary.refused += 1;
                    self.reason("longer than an item may be");
                }
                Next::Wrong(item) => {
                    let reason = format!("expected {}", Items::expected(self.options.target));
                    self.refuse(&item, &reason)?;
                }
                Next::Item(item) if self.summary.stopped.is_some() => self.leave(&item)?,
                Next::Item(item) => {
                    if !batch.is_empty() && bytes + item.len() > self.options.batch_bytes {
                        bytes = 0;
                        self.batch(std::mem::take(&mut batch), delivery)?;
                    }
                    bytes += item.len() + 1;
                    batch.push(item);
                    if batch.len() >= most {
                        bytes = 0;
                        self.batch(std::mem::take(&mut batch), delivery)?;
                    }
                }
            }
        }
        self.batch(batch, delivery)?;
        if let (Err(reason), None) = (delivery.finish(), &self.summary.stopped) {
            self.summary.stopped = Some(shortened(&reason));
        }
        self.dead.flush()?;
        Ok(self.summary)
    }

    /// Works off one batch, in smaller ones where it must be.
    fn batch(&mut self, batch: Vec<Item>, delivery: &mut dyn Delivery) -> Result<(), SendError> {
        let mut open = vec![batch];
        while let Some(items) = open.pop() {
            if self.summary.stopped.is_some() {
                items.iter().try_for_each(|item| self.leave(item))?;
            } else if !items.is_empty() {
                self.until_settled(items, &mut open, delivery)?;
            }
        }
        Ok(())
    }

    /// Tries until each item is settled, the batch has to be split, or all is given up.
    fn until_settled(
        &mut self,
        mut items: Vec<Item>,
        open: &mut Vec<Vec<Item>>,
        delivery: &mut dyn Delivery,
    ) -> Result<(), SendError> {
        let mut tries = 0;
        loop {
            self.summary.requests += 1;
            let (reason, after) = match delivery.deliver(&items) {
                Outcome::Each(fates) => {
                    let before = items.len();
                    let reason = self.settle(&mut items, fates)?;
                    if items.is_empty() {
                        return Ok(());
                    }
                    if items.len() < before {
                        tries = 0;
                    }
                    (reason, None)
                }
                Outcome::Later { reason, after } => (reason, after),
                Outcome::Split(reason) => {
                    return match items.as_slice() {
                        [only] => self.refuse(only, &reason),
                        _ => {
                            let rest = items.split_off(items.len() / 2);
                            open.extend([rest, items]);
                            Ok(())
                        }
                    };
                }
                Outcome::Stop(reason) => return self.stop(&items, &reason),
            };
            if tries >= self.options.retries {
                return self.stop(&items, &format!("given up after {} tries: {reason}", tries + 1));
            }
            let own = FIRST_WAIT.saturating_mul(1 << tries.min(16)).min(LONGEST_WAIT);
            (self.wait)(after.map_or(own, |asked| asked.min(LONGEST_ASKED).max(own)));
            tries += 1;
        }
    }

    /// Counts what is settled and keeps in `items` what is to be tried again; gives the last reason for that.
    fn settle(&mut self, items: &mut Vec<Item>, fates: Vec<Fate>) -> Result<String, SendError> {
        let mut again = Vec::new();
        let mut why = String::new();
        // A receiver that says too little of its items has to be asked again.
        let silent = std::iter::repeat(Fate::Later("the receiver did not say what became of it".to_owned()));
        for (item, fate) in items.drain(..).zip(fates.into_iter().chain(silent)) {
            match fate {
                Fate::Taken => self.summary.taken += 1,
                Fate::Known => {
                    self.summary.taken += 1;
                    self.summary.known += 1;
                }
                Fate::Refused(reason) => self.refuse(&item, &reason)?,
                Fate::Later(reason) => {
                    why = reason;
                    again.push(item);
                }
            }
        }
        *items = again;
        Ok(why)
    }

    fn stop(&mut self, items: &[Item], reason: &str) -> Result<(), SendError> {
        self.summary.stopped = Some(shortened(reason));
        items.iter().try_for_each(|item| self.leave(item))
    }

    fn refuse(&mut self, item: &[u8], reason: &str) -> Result<(), SendError> {
        self.summary.refused += 1;
        self.reason(reason);
        self.dead.keep(item)
    }

    fn leave(&mut self, item: &[u8]) -> Result<(), SendError> {
        self.summary.unsent += 1;
        self.dead.keep(item)
    }

    fn reason(&mut self, reason: &str) {
        let mut reason = shortened(reason);
        if self.summary.reasons.len() >= REASONS && !self.summary.reasons.contains_key(&reason) {
            reason = "other reasons".to_owned();
        }
        *self.summary.reasons.entry(reason).or_default() += 1;
    }
}

/// Texts of receivers have no end of their own.
fn shortened(text: &str) -> String {
    text.chars().take(REASON).collect()
}
