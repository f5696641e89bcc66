//! `wire.constant-response`: the same answer every time.
//!
//! # What it says
//! At least eight answers came and all were alike in status, size and, where seen, content. It speaks from absence: one
//! answer of unknown size makes it blind. Where several things are asked for in turn (method and path), the same is said if
//! each always gets the same answer.
//!
//! # Why it matters
//! Labelled one-way implants usually do get answers: the same error, hundreds of times, that never changes what they do. A
//! client that handled an error would stop, back off or ask differently. One that asks more and more rarely did handle it:
//! that speaks against.
//!
//! # When it is wrong
//! A constant 204 or 304 is what heartbeats and unchanged resources get, so those say nothing here. A constant small 200
//! (`{"status":"ok"}`) is common among honest agents and weighs little. Where the status was not seen (TLS at a network
//! sensor), nothing is said, since it may have been a 204.
//!
//! # References
//! RFC 9110 section 15. MITRE ATT&CK AN1601.

use super::{Opinion, Signal, counted, refutes, supports};
use crate::{absence::Subject, disposition, judge::Context, settings};
use monologue_model::{Needs, Reply, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct ConstantResponse;

impl Signal for ConstantResponse {
    fn id(&self) -> SignalId {
        SignalId("wire.constant-response")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowReply, Sight::FlowBytes])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_constant_response.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let possible = subject.possible;
        let due = possible.reply_due() + subject.missing;
        let alike = possible.answer.is_constant() && possible.answer.seen == due;
        // Counted are its own answers; those that may belong to it have to agree.
        let own = subject.channel.counters.answer.seen;
        if own < settings::IDENTICAL_REPLIES_MINIMUM {
            return Opinion::Silent;
        }
        let times = counted(own, "time");
        if !alike {
            return to_each_the_same(subject, context, due);
        }
        if possible.reply.of(Reply::HandshakeOnly) == possible.answer.seen {
            return supports(
                "handshake",
                format!("the same failed TLS handshake {times}, and the client never gave up"),
            );
        }
        // Without every status, the constant answer may be a 204 or 304, which says nothing.
        match possible.status.greatest {
            Some(status) if possible.status.seen == due => match status {
                204 | 205 | 304 => Opinion::Silent,
                400..=599 if context.backs_off == Some(true) => refutes(
                    "backs-off",
                    format!("the same error {status} came {times}, and the client asked more and more rarely"),
                ),
                400..=599 => supports("error", format!("the same error {status} came {times} and changed nothing")),
                _ => supports("answer", format!("the same answer {status} came {times}")),
            },
            _ => Opinion::Silent,
        }
    }
}

/// Several things are asked for, and to each the answer is always the same: at least eight times each, an error among them.
fn to_each_the_same(subject: &Subject<'_>, context: &Context, due: u64) -> Opinion {
    let (possible, channel) = (subject.possible, subject.channel);
    // Another request that may be this channel's may have been answered otherwise.
    let whole = possible.exchanges == channel.counters.exchanges && possible.answer.seen == due;
    let errors = possible.status.greatest.is_some_and(|status| (400..600).contains(&status));
    let Some(kinds) = disposition::kinds_always_answered_alike(channel).filter(|_| whole && errors) else {
        return Opinion::Silent;
    };
    if context.backs_off == Some(true) {
        return Opinion::Silent;
    }
    supports(
        "kinds",
        format!(
            "{} are asked for, {} in all, and to each the answer is always the same, an error among them",
            counted(kinds, "thing"),
            counted(channel.counters.exchanges, "time"),
        ),
    )
}
