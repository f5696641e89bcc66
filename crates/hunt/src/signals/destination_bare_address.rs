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
use crate::{absence::Subject, judge::Context, origin::is_public};
use monologue_model::{Needs, Service, SignalId, WitnessKind};
use std::net::IpAddr;

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
        let attributes = &subject.channel.attributes;
        // An address in the place of a name (`Host: 203.0.113.9`) is no name.
        let address = match &subject.channel.key.service {
            Service::Address(address) => *address,
            Service::Name(name) => match name.parse() {
                Ok(address) => address,
                Err(_) => return Opinion::Silent,
            },
            _ => return Opinion::Silent,
        };
        let unnamed = attributes.name_unknown == 0
            && !attributes.names.overflow
            && attributes.names.iter().all(|(name, _)| name.parse::<IpAddr>().is_ok());
        if context.documented.is_some() || !is_public(address) || !unnamed {
            return Opinion::Silent;
        }
        supports("public", format!("{address} is asked without any name"))
    }
}
