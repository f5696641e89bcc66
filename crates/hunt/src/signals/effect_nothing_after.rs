//! `effect.nothing-after`: replies came, and nothing followed.
//!
//! # What it says
//! The whole time after every reply was watched (processes and files, no loss), and neither the process nor any descendant
//! did anything beyond what it does anyway. It speaks from absence.
//!
//! # Why it matters
//! A reply that leaves no trace was not acted on. It may still have been used in memory, so this alone decides nothing.
//!
//! # When it is wrong
//! Chat, search, telemetry and most user interfaces use replies in memory only. A stage that waits longer than the window
//! (30 s) looks idle.
//!
//! # References
//! Apple Endpoint Security: exec, fork, create, close, rename, unlink events.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct NothingAfter;

impl Signal for NothingAfter {
    fn id(&self) -> SignalId {
        SignalId("effect.nothing-after")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FileEffect])
    }

    fn source(&self) -> &'static str {
        include_str!("effect_nothing_after.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer, WitnessKind::Exit]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let windows = subject.possible.effects;
        let own = subject.channel.counters.effects.seen;
        if own == 0 || windows.yes > 0 || subject.possible.reply.answered() == 0 {
            return Opinion::Silent;
        }
        supports(
            "nothing",
            format!("nothing happened on the Mac after any of {}", counted(own, "reply").replace("replys", "replies")),
        )
    }
}
