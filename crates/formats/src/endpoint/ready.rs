//! What records said, as the items that a reader yields: one for each record, and further events where one record tells
//! of several things.

use super::records::{Said, Told};
use crate::{Item, Malformed};
use monologue_model::{Event, Provenance, Sha256};
use std::{collections::VecDeque, sync::Arc};

/// Events of one record that are kept; beyond this the record is no honest one.
const EVENTS_CAP: usize = 100_000;

/// Items that are ready to be yielded.
pub(crate) struct Ready {
    source: Arc<str>,
    format: Arc<str>,
    items: VecDeque<Result<Item, Malformed>>,
}

impl Ready {
    /// None yet, of that source and format.
    pub(crate) fn new(source: Arc<str>, format: &str) -> Self {
        Self { source, format: format.into(), items: VecDeque::new() }
    }

    /// The next item. `None`: another record has to be read.
    pub(crate) fn next(&mut self) -> Option<Result<Item, Malformed>> {
        self.items.pop_front()
    }

    /// Adds what a record said, with the hash of its bytes, or what was expected in it.
    pub(crate) fn tell(&mut self, offset: u64, length: u64, said: Result<(Said, Sha256), String>) {
        match said {
            Err(expected) => self.items.push_back(Err(Malformed { offset, length, expected })),
            Ok((Said::Skipped(reason), _)) => self.items.push_back(Ok(Item::Skipped(reason))),
            Ok((Said::Events(events), _)) if events.is_empty() => {
                self.items.push_back(Ok(Item::Skipped("says nothing of use")));
            }
            Ok((Said::Events(events), sha256)) => {
                for (at, Told { time, host, detail }) in events.into_iter().take(EVENTS_CAP).enumerate() {
                    let provenance = Provenance { source: Arc::clone(&self.source), offset, length, sha256 };
                    let event = Box::new(Event { time, host, format: Arc::clone(&self.format), provenance, detail });
                    self.items.push_back(Ok(if at == 0 { Item::Event(event) } else { Item::Derived(event) }));
                }
            }
        }
    }
}
