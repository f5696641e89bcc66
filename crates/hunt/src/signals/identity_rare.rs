//! `identity.rare`: how many hosts do the same.
//!
//! # What it says
//! Supports where one host of the fleet alone runs this application, or, and that counts less, runs it against this service.
//! Refutes where at least three hosts do the same. Blind below ten hosts with that sight.
//!
//! # Why it matters
//! An implant is rare; an agent that the company rolled out is not.
//!
//! # When it is wrong
//! Where the log masks names, each host masks them differently, and the application alone is counted. Most names are seen on one host only (measured: 732 of 879 TLS names over five hosts), so rarity alone is noise and
//! weighs little. An attack on the whole fleet is not rare.
//!
//! # References
//! `docs/concepts/scoring.md`.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Prevalence, Sight, SignalId, WitnessKind};

/// Hosts from which on it is no single host's habit: by then somebody rolls it out, or an attack is no longer a secret.
const SEVERAL_HOSTS: u64 = 3;

/// See the module comment, which is the manual page.
pub(super) struct Rare;

impl Signal for Rare {
    fn id(&self) -> SignalId {
        SignalId("identity.rare")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec, Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_rare.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[]
    }

    fn compares_hosts(&self) -> bool {
        true
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        if subject.channel.key.application.is_unknown() {
            return Opinion::Silent;
        }
        let Prevalence { hosts, of } = context.prevalence;
        if hosts == 1 && context.application_hosts == 1 {
            supports("own-program", format!("no other host of {of} runs it"))
        } else if hosts == 1 {
            supports("one-host", format!("on one host of {of}"))
        } else if hosts * 3 >= of {
            refutes("common", format!("on {hosts} hosts of {of}"))
        } else if hosts >= SEVERAL_HOSTS {
            refutes("several", format!("on {hosts} hosts of {of}: somebody rolled it out"))
        } else {
            Opinion::Silent
        }
    }
}
