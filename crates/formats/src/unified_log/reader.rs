//! Reads records one by one, from first to last.

use super::{account::Account, elements::Elements, records::Shape};
use crate::{Input, Item, Malformed};
use std::io::BufRead;

/// Reads all records of one export.
pub(super) struct Reader<'a> {
    elements: Elements<Box<dyn BufRead + 'a>>,
    account: Account,
    finished: bool,
}

impl<'a> Reader<'a> {
    /// Reads `input` from its first byte.
    pub(super) fn new(input: Input<'a>, shape: Shape) -> Self {
        let account = Account::new(input.source, shape);
        Self { elements: Elements::new(input.reader), account, finished: false }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.account.queue.pop_front() {
                return Some(item);
            }
            if self.finished {
                return None;
            }
            let offset = self.elements.offset();
            match self.elements.next_element() {
                Ok(Some(element)) => self.account.take(&element),
                Ok(None) => {
                    self.finished = true;
                    self.account.truncated |= self.elements.in_open_array();
                    self.account.finish();
                }
                Err(error) => {
                    self.finished = true;
                    self.account.truncated = true;
                    let expected = format!("expected more of the export, found {error}");
                    self.account.queue.push_back(Err(Malformed { offset, length: 0, expected }));
                    self.account.finish();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
