//! `effect.output-discarded`: the command line throws the output away.
//!
//! # What it says
//! The program was told to write its output to `/dev/null`, or was started by a shell line that sends it there. It speaks
//! from presence.
//!
//! # Why it matters
//! Nobody who wants the reply throws it away.
//!
//! # When it is wrong
//! Health pings from cron jobs do this (`curl -s -o /dev/null URL`), and so do scripts that only want an exit code. For a
//! program that talks to the network itself, its standard output need not be where the reply goes.
//!
//! # References
//! curl(1) `-o`; sh(1) redirection.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct OutputDiscarded;

impl Signal for OutputDiscarded {
    fn id(&self) -> SignalId {
        SignalId("effect.output-discarded")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessArguments])
    }

    fn source(&self) -> &'static str {
        include_str!("effect_output_discarded.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Discarded]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        match subject.channel.counters.output_discarded.yes {
            0 => Opinion::Silent,
            _ => supports("discarded", "its command line throws the output away"),
        }
    }
}
