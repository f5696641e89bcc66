//! `wire.persistence`: a new connection again and again, always the same outcome, on a clock.
//!
//! # What it says
//! At least 24 fresh connections to one public destination, all silent or all answered alike, with a cadence that passed its
//! test, and no documented service that explains it. Pieces of one long connection are not fresh. It speaks from absence.
//!
//! # Why it matters
//! This is what network records alone can show of a one-way implant: persistence in spite of the answer. It is the only way
//! for a channel without any endpoint evidence to reach the level medium.
//!
//! # When it is wrong
//! Misconfigured agents that ask a dead host for ever, monitoring probes, and push clients behind a firewall.
//!
//! # References
//! MITRE ATT&CK T1102.003; `docs/concepts/scoring.md`.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context, origin::is_public, settings};
use monologue_model::{Needs, Reply, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Persistence;

impl Signal for Persistence {
    fn id(&self) -> SignalId {
        SignalId("wire.persistence")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowReply])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_persistence.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let counters = &subject.channel.counters;
        let possible = subject.possible;
        let due = possible.reply_due() + subject.missing;
        let silent = possible.reply.of(Reply::Silent) == due;
        let alike = possible.answer.is_constant() && possible.answer.seen == due;
        let public = subject.channel.attributes.addresses.iter().all(|(address, _)| is_public(*address));
        if counters.fresh_connections < settings::PERSISTENCE_MINIMUM
            || !(silent || alike)
            || !public
            || !context.passes_cadence()
            || context.documented.is_some()
        {
            return Opinion::Silent;
        }
        let outcome = if silent { "all silent" } else { "all answered alike" };
        supports(
            "on-a-clock",
            format!("{} on a clock, {outcome}", counted(counters.fresh_connections, "fresh connection")),
        )
    }
}
