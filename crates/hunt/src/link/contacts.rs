//! Other destinations: bare addresses that a process contacted soon after a reply, and never before.
//!
//! An address that no name lookup of this Mac returned and that carries no name came out of something. If the process
//! contacts it for the first time within the window after a reply, the reply is what it came out of, as far as anybody can
//! see: a dead drop names the next server. Nothing is said where an earlier contact may have been missed.

use super::{Draft, Host};
use crate::settings;
use monologue_model::{DestinationName, Effect, EffectKind, Provenance, Sight, Timestamp, WitnessKind};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};

/// Bare addresses remembered of one process; of one that contacts more, nothing is said.
const ADDRESS_CAP: usize = 64;

/// Processes remembered.
const PROCESS_CAP: usize = 1024;

/// Which process: pid and start.
pub(super) type Asker = (u32, Timestamp);

/// The bare addresses that one process contacted in earlier hours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Contacted {
    asker: Asker,
    addresses: BTreeSet<IpAddr>,
}

/// Bare addresses contacted in earlier hours, by process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contacts {
    known: Vec<Contacted>,
    /// There were more processes than are remembered.
    overflow: bool,
}

impl Contacts {
    fn of(&self, asker: Asker) -> Option<&BTreeSet<IpAddr>> {
        self.known.iter().find(|known| known.asker == asker).map(|known| &known.addresses)
    }

    /// Remembers what an exchange that is handed on contacted.
    pub(super) fn remember(&mut self, draft: &Draft) {
        let (Some(asker), Some(address)) = (draft.asker, bare_address(draft)) else { return };
        if let Some(known) = self.known.iter_mut().find(|known| known.asker == asker) {
            if known.addresses.len() < ADDRESS_CAP {
                known.addresses.insert(address);
            }
        } else if self.known.len() < PROCESS_CAP {
            self.known.push(Contacted { asker, addresses: BTreeSet::from([address]) });
            self.known.sort_unstable();
        } else {
            self.overflow = true;
        }
    }

    /// Forgets processes that are gone.
    pub(super) fn forget(&mut self, is_gone: impl Fn(Asker) -> bool) {
        self.known.retain(|known| !is_gone(known.asker));
    }
}

/// The address an exchange went to, if it is known that no name was sent or looked up for it.
fn bare_address(draft: &Draft) -> Option<IpAddr> {
    let destination = &draft.linked.exchange.destination;
    match &destination.name {
        DestinationName::Unnamed => destination.address,
        // Asked for by address: the address stands where a name would.
        DestinationName::Known(name) => name.parse().ok(),
        DestinationName::Unknown | DestinationName::Masked(_) => None,
    }
}

/// A first contact of a process with a bare address.
struct Contact {
    asker: Asker,
    time: Timestamp,
    address: IpAddr,
    provenance: Provenance,
}

impl Host<'_> {
    /// Adds to each exchange the bare addresses that its process contacted first after the reply.
    pub(super) fn watch_contacts(&self, drafts: &mut [Draft], before: &Contacts) {
        // With a flow or a request lost, an earlier contact may have been.
        let lost = [Sight::FlowReply, Sight::TaskLifecycle].iter().any(|sight| self.coverage.has_loss(*sight));
        if lost || before.overflow {
            return;
        }
        let firsts = first_contacts(drafts, before);
        for draft in drafts.iter_mut() {
            let (Some(asker), Some((from, answered_at))) = (draft.asker, draft.linked.answer) else { continue };
            let until = answered_at.saturating_add(settings::EFFECT_WINDOW_NS);
            let since = from.saturating_add(draft.linked.clock_error_ns);
            let own = bare_address(draft);
            let followed = firsts.iter().filter(|contact| {
                contact.asker == asker
                    && self.watched_since(asker, contact.time)
                    && since < contact.time
                    && contact.time <= until
                    && own != Some(contact.address)
            });
            for contact in followed {
                let exchange = &mut draft.linked.exchange;
                exchange.cites.push((WitnessKind::Effect, contact.provenance.clone()));
                exchange.effects.push(Effect {
                    time: contact.time,
                    kind: EffectKind::Connection,
                    target: contact.address.to_string().into(),
                    provenance: contact.provenance.clone(),
                });
            }
        }
    }

    /// Whether a network sensor and a recorder of lookups were complete ever since the process began: else an earlier contact,
    /// or the lookup that gave the address, may have been missed.
    fn watched_since(&self, (_, began): Asker, time: Timestamp) -> bool {
        // Of the two sides of a connection, who ended it is recorded by network sensors alone.
        [Sight::FlowTeardown, Sight::DnsQuery].iter().all(|sight| self.coverage.is_complete(*sight, began, time))
    }
}

/// The first contact of each process with each bare address. `drafts` are ordered by time.
fn first_contacts(drafts: &[Draft], before: &Contacts) -> Vec<Contact> {
    let mut seen: BTreeSet<(Asker, IpAddr)> = BTreeSet::new();
    let mut firsts = Vec::new();
    for draft in drafts {
        let (Some(asker), Some(address), Some(provenance)) = (draft.asker, bare_address(draft), draft.request()) else {
            continue;
        };
        let known = before.of(asker);
        let is_new = known.is_none_or(|known| known.len() < ADDRESS_CAP && !known.contains(&address));
        if is_new && seen.insert((asker, address)) {
            firsts.push(Contact { asker, time: draft.linked.exchange.time, address, provenance: provenance.clone() });
        }
    }
    firsts
}
