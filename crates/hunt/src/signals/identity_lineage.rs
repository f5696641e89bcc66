//! `identity.lineage`: a program that opens what others send started what asks the web.
//!
//! # What it says
//! Among the ancestors of the process is a browser, mail program, office suite, messenger or archive tool (settings:
//! `SuspiciousParentProcess`), and between it and the request stands a shell or a script. It speaks from presence.
//!
//! # Why it matters
//! Lures are opened in such programs. None of them needs a shell to fetch anything.
//!
//! # When it is wrong
//! Browsers and messengers run helpers and updaters of their own: without a shell in between, nothing is said. Editors and
//! terminals are no such programs. A process that double-forks becomes a child of launchd, and the chain ends there.
//!
//! # References
//! MITRE ATT&CK T1204.002 (user execution: malicious file), T1566 (phishing), T1059.004 (Unix shell).

use super::{Opinion, Signal, supports};
use crate::{
    absence::Subject,
    identity::{file_name, is_interpreter},
    judge::Context,
};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Lineage;

impl Signal for Lineage {
    fn id(&self) -> SignalId {
        SignalId("identity.lineage")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_lineage.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let suspicious = &context.settings.suspicious_parent_process;
        for (lineage, _) in subject.channel.attributes.lineages.iter() {
            let mut opener = None;
            for step in steps(lineage) {
                if suspicious.contains(file_name(step)) {
                    opener = Some(step);
                } else if let (Some(opener), true) = (opener, is_interpreter(step)) {
                    return supports(
                        "opened-document",
                        format!("{} started {}, which led to the request", file_name(opener), file_name(step)),
                    );
                }
            }
        }
        Opinion::Silent
    }
}

/// The steps of a lineage as it is written: paths and labels, the oldest first, without what is added in brackets.
pub(super) fn steps(lineage: &str) -> impl Iterator<Item = &str> {
    lineage.split(" → ").map(|step| step.split(" (").next().unwrap_or(step))
}
