//! `identity.self-removing`: the program removed its own file.
//!
//! # What it says
//! The process that asked unlinked its own executable. It speaks from presence.
//!
//! # Why it matters
//! Honest programs are removed by installers; one that removes itself while it runs does not want to be found.
//!
//! # When it is wrong
//! Self-updating helpers and uninstallers that clean up after themselves, and temporary tools that package managers unpack,
//! run and remove (there another process does it).
//!
//! # References
//! MITRE ATT&CK T1070.004.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct SelfRemoving;

impl Signal for SelfRemoving {
    fn id(&self) -> SignalId {
        SignalId("identity.self-removing")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_self_removing.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::SelfRemoval]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        match subject.channel.witnesses.of(WitnessKind::SelfRemoval) {
            [] => Opinion::Silent,
            _ => supports("removed", "the program removed its own file while it ran"),
        }
    }
}
