//! `wire.ignores-replies`: replies differ, and nothing the client does depends on them.
//!
//! # What it says
//! At least 96 replies of clearly different classes came, and what a reply tells about the next wait, the next request, what
//! happens on the Mac or elsewhere lies below a tenth of a yes-or-no question, with 95 % confidence. It speaks from absence:
//! status and size of every reply, what was asked, and the time after each must have been seen, no request may exist that could
//! be this channel's and is not known to be, and none of this host may be nobody's. So it speaks over plain HTTP on a Mac that
//! is watched as a whole.
//!
//! # Why it matters
//! Labelled one-way implants do get answers; nothing in them matters to the client.
//!
//! # When it is wrong
//! A program may store or show its replies and ask again by the clock: news readers, weather, telemetry that takes a setting
//! once a month. It weighs little by itself.
//!
//! # References
//! The module `dependence` states the bound. Cover and Thomas, Elements of Information Theory, 2006.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, dependence, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct IgnoresReplies;

impl Signal for IgnoresReplies {
    fn id(&self) -> SignalId {
        SignalId("wire.ignores-replies")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowReply, Sight::FlowBytes, Sight::HttpResponse])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_ignores_replies.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        // A request that may be this channel's would change the series: with one of those, nothing is said.
        let counters = &subject.channel.counters;
        let is_whole = subject.possible.exchanges == counters.exchanges && counters.reply_pending == 0;
        match context.dependence.filter(|_| is_whole) {
            Some(found) if found.is_independent() => supports(
                "independent",
                format!(
                    "{} replies differ ({:.1} bits) and tell less than {} bits about what the client does next",
                    found.replies,
                    found.reply_entropy_bits,
                    dependence::MARGIN_BITS,
                ),
            ),
            _ => Opinion::Silent,
        }
    }
}
