//! Signals: one test of a channel each. One signal is one file, two lines here and one case.
//!
//! A signal is a pure function. It never says `Blind`: the engine does, from what the signal needs.

mod api_abandoned;
mod api_no_response;
mod code_profile;
mod destination_documented;
mod effect_acted_on_reply;
mod effect_nothing_after;
mod effect_output_discarded;
mod identity_rare;
mod identity_self_removing;
mod identity_untrusted;
mod time_cadence;
mod wire_client_hangs_up;
mod wire_constant_response;
mod wire_follows_replies;
mod wire_ignores_replies;
mod wire_no_reply;
mod wire_no_response_payload;
mod wire_persistence;

use crate::{absence::Subject, judge::Context};
use monologue_model::{Judgement, Needs, SignalId, WitnessKind};

/// One test of a channel.
pub trait Signal: Sync {
    /// Its name.
    fn id(&self) -> SignalId;
    /// What must have been seen before it is asked. The engine answers `Blind` otherwise, never the signal.
    fn needs(&self) -> Needs;
    /// Hosts that must have been looked at before it is asked; 0 for signals about one host.
    fn hosts_needed(&self) -> u64 {
        0
    }
    /// The source file, whose module comment is the manual page.
    fn source(&self) -> &'static str;
    /// The records that show what it speaks of.
    fn cites(&self) -> &'static [WitnessKind];
    /// What it says of a channel it could look at.
    fn judge(&self, subject: &Subject<'_>, context: &Context) -> Judgement;
}

/// Every signal, in the order of a finding's list.
pub const SIGNALS: &[&dyn Signal] = &[
    &wire_no_reply::NoReply,
    &wire_no_response_payload::NoResponsePayload,
    &wire_constant_response::ConstantResponse,
    &wire_persistence::Persistence,
    &wire_client_hangs_up::ClientHangsUp,
    &wire_follows_replies::FollowsReplies,
    &wire_ignores_replies::IgnoresReplies,
    &api_abandoned::Abandoned,
    &api_no_response::NoResponse,
    &effect_nothing_after::NothingAfter,
    &effect_acted_on_reply::ActedOnReply,
    &effect_output_discarded::OutputDiscarded,
    &code_profile::Profile,
    &time_cadence::CadenceSignal,
    &identity_untrusted::Untrusted,
    &identity_self_removing::SelfRemoving,
    &identity_rare::Rare,
    &destination_documented::Documented,
];

/// The signal of that name.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Signal> {
    SIGNALS.iter().copied().find(|signal| signal.id().0 == id)
}

/// The manual page of a signal: the module comment of its file, as Markdown.
#[must_use]
pub fn manual(signal: &dyn Signal) -> String {
    let mut page = String::new();
    for line in signal.source().lines().map_while(|line| line.strip_prefix("//!")) {
        page.push_str(line.strip_prefix(' ').unwrap_or(line));
        page.push('\n');
    }
    page
}

/// Evidence towards malicious one-way traffic.
fn supports(weight: f64, why: impl Into<String>) -> Judgement {
    Judgement::Supports { weight, why: why.into() }
}

/// Evidence against it.
fn refutes(weight: f64, why: impl Into<String>) -> Judgement {
    Judgement::Refutes { weight, why: why.into() }
}

/// `1 request`, `4 requests`.
fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_signal_has_its_own_name_a_layer_and_a_whole_manual_page() {
        let mut names = BTreeSet::new();
        for signal in SIGNALS {
            assert!(names.insert(signal.id().0), "{} stands twice", signal.id());
            assert!(signal.id().layer().is_some(), "{} has no layer", signal.id());
            let page = manual(*signal);
            for heading in ["# What it says", "# Why it matters", "# When it is wrong", "# References"] {
                assert!(page.contains(heading), "{} lacks {heading}", signal.id());
            }
            assert!(page.starts_with(&format!("`{}`: ", signal.id())), "{page}");
        }
    }
}
