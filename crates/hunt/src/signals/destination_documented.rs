//! `destination.documented`: a documented service explains it.
//!
//! # What it says
//! All of the channel is one documented thing: a connectivity check of an operating system or browser, or a datagram
//! protocol that sends without expecting an answer. Such a channel is listed at level info, whatever its score.
//!
//! # Why it matters
//! NTP that never answers is the most regular "one-way beacon" of all, and honest.
//!
//! # When it is wrong
//! Names and ports can be borrowed: an implant may talk to UDP port 123. Recognition needs every name and port of the
//! channel to be documented, and never rests on being regular.
//!
//! # References
//! RFC 5905 (NTP), RFC 8910 (captive portals), vendors' documentation of their check hosts.

use super::{Opinion, Signal, refutes};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Documented;

impl Signal for Documented {
    fn id(&self) -> SignalId {
        SignalId("destination.documented")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn source(&self) -> &'static str {
        include_str!("destination_documented.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, _subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match context.documented {
            Some(what) => refutes("documented", format!("this is {what}")),
            None => Opinion::Silent,
        }
    }
}
