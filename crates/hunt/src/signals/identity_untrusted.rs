//! `identity.untrusted`: who vouches for the program.
//!
//! # What it says
//! Supports where nobody does: unsigned, ad hoc signed, or an interpreter or `curl` that runs for a script. Refutes where a
//! developer team signed it, it is part of macOS, or an interpreter runs for a program that a team signed. A launch label that
//! is not Apple's vouches for nothing, and nothing is said. Which states count is ATT&CK's mutable element `ProcessSignature`.
//! It speaks from presence.
//!
//! # Why it matters
//! Signing costs an attacker an identity that can be revoked; most one-way implants on Macs do without.
//!
//! # When it is wrong
//! Home-grown tools, Homebrew and developers' own builds are ad hoc signed. Stolen and bought Developer IDs are signed. The
//! state comes from the kernel's flags at run time; whether the certificate is revoked is not known offline.
//!
//! # References
//! XNU `cs_blobs.h`: `CS_ADHOC`, `CS_SIGNED`, `CS_PLATFORM_BINARY`; Apple Endpoint Security process fields.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, SignatureState, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Untrusted;

impl Signal for Untrusted {
    fn id(&self) -> SignalId {
        SignalId("identity.untrusted")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessSignature])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_untrusted.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let has = |state| channel.attributes.signatures.contains(&state);
        let agent = channel.key.application.agent();
        let counts = |state| context.settings.process_signature.contains(&state);
        if has(SignatureState::Unsigned) && counts(SignatureState::Unsigned) {
            return supports("unsigned", "the program is not signed");
        }
        if has(SignatureState::AdHoc) && counts(SignatureState::AdHoc) {
            return supports("ad-hoc", "the program is signed ad hoc: nobody vouches for it");
        }
        if has(SignatureState::Platform) {
            let vouched = &channel.attributes.agent_signatures;
            let is_vouched = |state: &SignatureState| matches!(state, SignatureState::Team | SignatureState::Platform);
            return match agent {
                Some(agent) if !vouched.is_empty() && vouched.iter().all(|(state, _)| is_vouched(state)) => refutes(
                    "vouched-agent",
                    format!("part of macOS, run for {agent}, which is signed by a developer team or Apple"),
                ),
                Some(agent)
                    if agent.contains('/')
                        && !agent.starts_with("/System/")
                        && (!agent.starts_with("/usr/") || agent.starts_with("/usr/local/")) =>
                {
                    supports("unvouched-agent", format!("part of macOS, but run for {agent}, for which nobody vouches"))
                }
                // Anybody may write a launch item and its label: only Apple's own labels vouch for what is run.
                Some(label) if label.starts_with("com.apple.") => {
                    refutes("job-of-macos", "part of macOS, run for a job of macOS")
                }
                Some(_) => Opinion::Silent,
                None => refutes("platform", "the program is part of macOS"),
            };
        }
        if has(SignatureState::Team) && !counts(SignatureState::Team) {
            return refutes("team", "a developer team signed the program");
        }
        Opinion::Silent
    }
}
