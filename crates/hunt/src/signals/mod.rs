//! Signals: one test of a channel each. One signal is one file, two lines here and one case.
//!
//! A signal is a pure function. It never says `Blind`: the engine does, from what the signal needs.

mod api_abandoned;
mod api_no_response;
mod code_profile;
mod destination_bare_address;
mod destination_documented;
mod destination_first_seen;
mod destination_leads_elsewhere;
mod destination_public_service;
mod destination_shared;
mod destination_unexpected;
mod effect_acted_on_reply;
mod effect_nothing_after;
mod effect_output_discarded;
mod identity_imitation;
mod identity_lineage;
mod identity_place;
mod identity_rare;
mod identity_self_removing;
mod identity_untrusted;
mod identity_user_context;
mod identity_watched;
mod request_encoded;
mod request_user_agent;
mod time_cadence;
mod wire_client_hangs_up;
mod wire_constant_response;
mod wire_follows_replies;
mod wire_ignores_replies;
mod wire_imbalance;
mod wire_no_reply;
mod wire_no_response_payload;
mod wire_persistence;

use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, SignalId, WitnessKind};

/// One test of a channel.
pub trait Signal: Sync {
    /// Its name.
    fn id(&self) -> SignalId;
    /// What must have been seen before it is asked. The engine answers `Blind` otherwise, never the signal.
    fn needs(&self) -> Needs;
    /// Whether it compares hosts, and so is blind where too few were looked at.
    fn compares_hosts(&self) -> bool {
        false
    }
    /// Whether it compares hosts by the service alone, whoever asks, and so is blind where too few were looked at.
    fn compares_services(&self) -> bool {
        false
    }
    /// Whether it compares with what was there before, and so is blind where the host was not watched for long enough.
    fn compares_past(&self) -> bool {
        false
    }

    /// The source file, whose module comment is the manual page.
    fn source(&self) -> &'static str;
    /// The records that show what it speaks of.
    fn cites(&self) -> &'static [WitnessKind];
    /// What it says of a channel it could look at.
    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion;
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
    &wire_imbalance::Imbalance,
    &api_abandoned::Abandoned,
    &api_no_response::NoResponse,
    &effect_nothing_after::NothingAfter,
    &effect_acted_on_reply::ActedOnReply,
    &effect_output_discarded::OutputDiscarded,
    &code_profile::Profile,
    &request_encoded::Encoded,
    &request_user_agent::UserAgent,
    &time_cadence::CadenceSignal,
    &identity_untrusted::Untrusted,
    &identity_place::Place,
    &identity_imitation::Imitation,
    &identity_lineage::Lineage,
    &identity_user_context::UserContextSignal,
    &identity_watched::Watched,
    &identity_self_removing::SelfRemoving,
    &identity_rare::Rare,
    &destination_public_service::PublicServiceSignal,
    &destination_bare_address::BareAddress,
    &destination_first_seen::FirstSeen,
    &destination_leads_elsewhere::LeadsElsewhere,
    &destination_shared::Shared,
    &destination_unexpected::Unexpected,
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

/// What a signal says. What a case counts stands in one table (`settings/weights.toml`), not with the signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Evidence towards malicious one-way traffic.
    Supports {
        /// Which of the signal's cases it is.
        case: &'static str,
        /// Why, for the reader.
        why: String,
    },
    /// Evidence against it.
    Refutes {
        /// Which of the signal's cases it is.
        case: &'static str,
        /// Why, for the reader.
        why: String,
    },
    /// Nothing to say.
    Silent,
}

/// Evidence towards malicious one-way traffic.
fn supports(case: &'static str, why: impl Into<String>) -> Opinion {
    Opinion::Supports { case, why: why.into() }
}

/// Evidence against it.
fn refutes(case: &'static str, why: impl Into<String>) -> Opinion {
    Opinion::Refutes { case, why: why.into() }
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
