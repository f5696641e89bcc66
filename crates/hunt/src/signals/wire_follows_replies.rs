//! `wire.follows-replies`: what the client does next depends on what the server said.
//!
//! # What it says
//! Replies differ, and after different replies the client waits differently long, sends differently much, does something on
//! the Mac or connects elsewhere: more so than chance explains (permutation test, p at most 0.01). It speaks from presence,
//! and against "nothing used the replies".
//!
//! # Why it matters
//! A client that reads its replies lets them change what it does. One that does not read them cannot.
//!
//! # When it is wrong
//! Something else may change both the replies and the client within a few requests: a user who works, a server under load
//! that answers later and with less. One channel in a hundred without any dependence is called dependent by chance. Fewer
//! than 24 replies, or replies all of one class, are not tested.
//!
//! # References
//! The module `dependence` states statistic and p-value. Besag and Clifford, Sequential Monte Carlo p-values, 1991.

use super::{Opinion, Signal, refutes};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct FollowsReplies;

impl Signal for FollowsReplies {
    fn id(&self) -> SignalId {
        SignalId("wire.follows-replies")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::FlowReply])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_follows_replies.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer]
    }

    fn judge(&self, _subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match context.dependence {
            Some(found) if found.is_dependent() => refutes(
                "dependent",
                format!(
                    "what the server says changes what the client does: over {} replies it tells {} (p = {:.3})",
                    found.replies,
                    found.strongest.words(),
                    found.p_value,
                ),
            ),
            _ => Opinion::Silent,
        }
    }
}
