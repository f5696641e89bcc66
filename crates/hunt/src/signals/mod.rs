//! Signals: one test of a channel each. One signal is one file, two lines here and one case.

use monologue_model::{Needs, SignalId};

/// One test of a channel.
pub trait Signal: Sync {
    /// Its name.
    fn id(&self) -> SignalId;
    /// What must have been seen before it is asked. The engine answers `Blind` otherwise, never the signal.
    fn needs(&self) -> Needs;
    /// The source file, whose module comment is the manual page.
    fn source(&self) -> &'static str;
}

/// Every signal.
pub const SIGNALS: &[&dyn Signal] = &[];

/// The signal of that name.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Signal> {
    SIGNALS.iter().copied().find(|signal| signal.id().0 == id)
}

/// The manual page of a signal: the module comment of its file, as Markdown.
#[must_use]
pub fn manual(signal: &dyn Signal) -> String {
    let mut page = String::new();
    for line in signal.source().lines().map_while(|line| line.strip_prefix("//!")) {
        page.push_str(line.strip_prefix(' ').unwrap_or(line));
        page.push('\n');
    }
    page
}
