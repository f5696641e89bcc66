//! `destination.shared`: how many hosts ask this service, where nobody knows which application asks.
//!
//! # What it says
//! Of requests that no endpoint record puts down to an application, the count of hosts stands in for it. Refutes where at least three
//! hosts of the fleet ask the service, supports where this host alone does and no other host of at least fifty. Public services
//! that anybody can write to say nothing here: attackers choose them because many use them. Blind below ten hosts
//! (settings: `rarity_hosts`).
//!
//! # Why it matters
//! A server that stands still and that several Macs go on asking is a licence server that was shut down, an advertiser that is
//! blocked, a printer that was given away. One Mac's implant asks a server that no other Mac asks.
//!
//! # When it is wrong
//! An attack on several Macs with one server looks shared: with endpoint records its programs are told by who they are. Most
//! names are asked by one host only, so that being alone weighs little.
//!
//! # References
//! MITRE ATT&CK AN1599 (`DestinationDomain`). Over five hosts of real captures 732 of 879 TLS names were seen on one.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context, public_services::PublicServices};
use monologue_model::{Needs, Service, SignalId, WitnessKind};

/// Hosts from which on a service is shared.
const SEVERAL_HOSTS: u64 = 3;

/// Hosts below which it says nothing that one is alone.
const FLEET: u64 = 50;

/// See the module comment, which is the manual page.
pub(super) struct Shared;

impl Signal for Shared {
    fn id(&self) -> SignalId {
        SignalId("destination.shared")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn compares_services(&self) -> bool {
        true
    }

    fn source(&self) -> &'static str {
        include_str!("destination_shared.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let is_told = matches!(channel.key.service, Service::Name(_) | Service::Address(_));
        let is_public = channel.attributes.names.iter().any(|(name, _)| PublicServices::shipped().of(name).is_some());
        if !channel.key.application.is_unknown() || !is_told || is_public {
            return Opinion::Silent;
        }
        let (hosts, of) = (context.service_hosts, context.telling_hosts);
        if hosts >= SEVERAL_HOSTS {
            refutes("several", format!("{hosts} hosts of {of} ask this service"))
        } else if hosts == 1 && of >= FLEET {
            supports("one-host", format!("no other host of {of} asks this service"))
        } else {
            Opinion::Silent
        }
    }
}
