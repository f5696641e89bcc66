//! `destination.bare-address`: a public address that nobody asked a name for.
//!
//! # What it says
//! The program asks a public address, and no lookup of this host, no TLS and no HTTP gave it a name. It is only said where lookups
//! of this host are recorded at all. It speaks from presence: requests that were seen to have no name.
//!
//! # Why it matters
//! Services have names, so that they can move. An address written into a program is for one that does not want to be looked up.
//!
//! # When it is wrong
//! Peer-to-peer programs, games and calls use addresses they were told by a server. Encrypted lookups of a program of its own
//! leave no record, and its TLS names may be encrypted as well. Network time and probes have fixed addresses.
//!
//! # References
//! MITRE ATT&CK T1071.001; RFC 1918, RFC 4193, RFC 6598 (addresses that are not public).

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context, leads};
use monologue_model::{Needs, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct BareAddress;

impl Signal for BareAddress {
    fn id(&self) -> SignalId {
        SignalId("destination.bare-address")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn source(&self) -> &'static str {
        include_str!("destination_bare_address.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match leads::bare_address(subject.channel).filter(|_| context.documented.is_none()) {
            Some(address) => supports("public", format!("{address} is asked without any name")),
            None => Opinion::Silent,
        }
    }
}
