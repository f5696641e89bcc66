//! `destination.unexpected`: an application that many run, and one host alone where it talks to this.
//!
//! # What it says
//! The application runs on ten hosts at least (settings: `rarity_hosts`) and more, and on this host alone it asks this service. It
//! speaks from what the fleet shows, and is blind below that number of hosts.
//!
//! # Why it matters
//! A program that everybody has is good cover: a plug-in, a script or a changed server makes it talk to somebody new.
//!
//! # When it is wrong
//! Browsers, terminals and interpreters talk to whatever their user likes, and customers have servers of their own: for programs
//! that run somebody else's script the script is part of the identity, and others are judged by the rest as well.
//!
//! # References
//! MITRE ATT&CK DET0581; the count of hosts is of applications by identity, never by file name.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{ApplicationKey, Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Unexpected;

impl Signal for Unexpected {
    fn id(&self) -> SignalId {
        SignalId("destination.unexpected")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec])
    }

    fn compares_hosts(&self) -> bool {
        true
    }

    fn source(&self) -> &'static str {
        include_str!("destination_unexpected.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let signed = matches!(subject.channel.key.application, ApplicationKey::Signed { .. });
        let many = context.application_hosts >= context.settings.rarity_hosts;
        if !signed || !many || context.prevalence.hosts != 1 {
            return Opinion::Silent;
        }
        supports(
            "only-here",
            format!("{} hosts run it, and it asks this service on this one alone", context.application_hosts),
        )
    }
}
