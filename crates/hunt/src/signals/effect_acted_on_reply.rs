//! `effect.acted-on-reply`: something was done after a reply.
//!
//! # What it says
//! After at least one reply the process or a descendant started a program, registered a launch item or changed a file, and
//! this is beyond what it does anyway. It speaks from presence.
//!
//! # Why it matters
//! Fetch, then act, is what a command channel is for. Together with an identity nobody vouches for it is T1102.003 proper
//! (pull only); it also rules out that the reply was ignored.
//!
//! # When it is wrong
//! Updaters, package managers and sync clients do exactly this; their signature speaks for them in `identity.untrusted`.
//! What follows a reply in time need not follow from it.
//!
//! # References
//! MITRE ATT&CK T1102.003, T1105.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct ActedOnReply;

impl Signal for ActedOnReply {
    fn id(&self) -> SignalId {
        SignalId("effect.acted-on-reply")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::FileEffect, Sight::ProcessExec, Sight::LaunchItem])
    }

    fn source(&self) -> &'static str {
        include_str!("effect_acted_on_reply.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Effect]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let counters = &subject.channel.counters;
        if counters.effects_witnessed == 0 {
            return Opinion::Silent;
        }
        // Rows may have been dropped, and windows not watched wholly: the larger count is a lower bound of the truth.
        let acted = subject.channel.rows().filter(|row| row.effects > 0).count() as u64;
        let notes = subject.channel.witnesses.of(WitnessKind::Effect);
        let first = notes.first().map_or("something was done", |witness| &*witness.note);
        let times = counted(acted.max(counters.effects.yes).max(1), "reply").replace("replys", "replies");
        supports("acted", format!("after {times} something was done, first: {first}"))
    }
}
