//! `identity.untrusted`: who vouches for the program.
//!
//! # What it says
//! Supports where nobody does: unsigned, ad hoc signed, or an interpreter or `curl` that runs for a script. Refutes where a
//! developer team signed it, it is part of macOS, or an interpreter runs for a program that a team signed. Whoever signed an
//! interpreter does not vouch for its script: where nobody recorded the script, nothing is said. A launch label that
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
use crate::{absence::Subject, identity::is_interpreter, judge::Context};
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
        let signed = match (has(SignatureState::Platform), has(SignatureState::Team)) {
            (true, _) => "part of macOS",
            (false, true) if !counts(SignatureState::Team) => "signed by a developer team",
            _ => return Opinion::Silent,
        };
        match agent {
            Some(agent) => vouched(subject, signed, agent),
            // Whoever signed an interpreter does not vouch for the script, and here nobody recorded which it runs.
            None if channel.attributes.paths.iter().any(|(path, _)| is_interpreter(path)) => Opinion::Silent,
            None if has(SignatureState::Platform) => refutes("platform", "the program is part of macOS"),
            None => refutes("team", "a developer team signed the program"),
        }
    }
}

/// Who vouches for what an interpreter runs: not whoever signed the interpreter.
fn vouched(subject: &Subject<'_>, signed: &str, agent: &str) -> Opinion {
    let states = &subject.channel.attributes.agent_signatures;
    let is_vouched = |state: &SignatureState| matches!(state, SignatureState::Team | SignatureState::Platform);
    if !states.is_empty() && states.iter().all(|(state, _)| is_vouched(state)) {
        let why = format!("{signed}, run for {agent}, which is signed by a developer team or Apple");
        return refutes("vouched-agent", why);
    }
    let of_macos = agent.starts_with("/System/") || (agent.starts_with("/usr/") && !agent.starts_with("/usr/local/"));
    if agent.contains('/') && !of_macos {
        return supports("unvouched-agent", format!("{signed}, but run for {agent}, for which nobody vouches"));
    }
    // Anybody may write a launch item and its label: only Apple's own labels vouch for what is run.
    if agent.starts_with("com.apple.") {
        return refutes("job-of-macos", format!("{signed}, run for a job of macOS"));
    }
    Opinion::Silent
}
