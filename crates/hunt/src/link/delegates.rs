//! Delegation undone: some programs own the sockets of others, and the one to name is whoever they act for.
//!
//! Three things tell: `nsurlsessiond` logs the bundle of each background request, Endpoint Security names the process that
//! macOS holds responsible for a delegate, and a capture may name the effective process of a connection. Where none does,
//! the application stays unknown and the delegate is told as the owner of the socket: its own name, path and signature
//! say nothing of who asked.

use super::{Host, connections};
use crate::{
    identity,
    processes::{Found, Instance, Match},
    settings,
};
use monologue_model::{
    ApplicationKey, Exchange, LinkStrength, ProcessImage, Sight, SignatureState, Timestamp, WitnessKind,
};
use std::sync::Arc;

/// Programs that own the sockets of others: `nsurlsessiond` runs background sessions, WebKit's networking process every
/// web view.
const SOCKET_DELEGATES: &[&str] = &["nsurlsessiond", "com.apple.WebKit.Networking"];

impl Host<'_> {
    /// Takes an exchange away from a delegate, and gives it to the process that macOS holds responsible for it.
    pub(super) fn undo_delegation(&self, exchange: &mut Exchange, format: &Arc<str>) {
        let Some(path) = exchange.process.as_ref().and_then(|process| process.path.clone()) else { return };
        let name = identity::file_name(&path);
        if !SOCKET_DELEGATES.iter().any(|delegate| identity::is_named(name, delegate)) {
            return;
        }
        let delegate = exchange.process.as_ref().and_then(|process| self.instance_of(&process.key));
        let responsible = delegate.and_then(|delegate| self.table.responsible(delegate)).flatten();
        disown(exchange, path);
        if let Some(instance) = responsible {
            self.identify(exchange, Match { instance, strength: LinkStrength::Token, candidates: 1 }, format);
        }
    }

    /// Gives a background request to the application of a bundle: the program of this host with that signing identifier,
    /// else the bundle itself.
    pub(super) fn give_to_bundle(&self, exchange: &mut Exchange, bundle: &Arc<str>) {
        let owner = self.program_of_bundle(bundle, exchange.time);
        exchange.application = match owner {
            Some(owner) => identity::of_image(&owner.image),
            None => ApplicationKey::Path { path: format!("bundle:{bundle}").into(), agent: None },
        };
        if let Some(owner) = owner {
            // The program, not one run of it: nobody recorded which one asked.
            let key = exchange.process.take().map(|process| process.key).unwrap_or_default();
            exchange.process = Some(ProcessImage { key, ..owner.image.clone() });
            if owner.image.signature != SignatureState::Unknown {
                exchange.seen.insert(Sight::ProcessSignature);
            }
        }
    }

    /// Gives a connection to its effective process, where a capture names one that is not the owner of the socket.
    pub(super) fn give_to_effective(&self, exchange: &mut Exchange, connection: &connections::Connection) {
        let Some(effective) = connection.effective.as_ref().filter(|other| other.key.pid != connection.process.key.pid)
        else {
            return;
        };
        let owner = connection.process.path.clone().unwrap_or_else(|| "unknown".into());
        disown(exchange, owner);
        match self.table.find(effective, connection.start, settings::CLOCK_SLACK_NS) {
            Found::One(found) => self.identify(exchange, found, &connection.format),
            found => {
                if matches!(found, Found::Several) {
                    self.refuse(|refused| refused.processes += 1);
                }
                exchange.application = identity::of_image(effective);
                exchange.process = Some(effective.clone());
            }
        }
    }

    /// The program of this host with that signing identifier: the run of it nearest before `time`. `None` if there is none,
    /// or if two applications bear the identifier.
    fn program_of_bundle(&self, bundle: &Arc<str>, time: Timestamp) -> Option<&Instance> {
        let owners = || self.table.instances().filter(|instance| instance.image.signing_id.as_ref() == Some(bundle));
        let first = identity::of_image(&owners().next()?.image);
        let one = owners().all(|other| identity::of_image(&other.image) == first);
        let rank = |instance: &&Instance| (instance.start <= time, instance.start);
        owners().max_by_key(rank).filter(|_| one)
    }
}

/// Leaves of a delegate only which process it was and that it owned the socket.
fn disown(exchange: &mut Exchange, owner: Arc<str>) {
    exchange.socket_owner = Some(owner);
    exchange.application = ApplicationKey::Unknown;
    let key = exchange.process.take().map(|process| process.key).unwrap_or_default();
    exchange.process = Some(ProcessImage { key, ..ProcessImage::default() });
    exchange.output_discarded = None;
    exchange.cites.retain(|(kind, _)| *kind != WitnessKind::Identity);
    for sight in [Sight::ProcessExec, Sight::ProcessSignature, Sight::ProcessArguments] {
        exchange.seen.remove(sight);
    }
}

#[cfg(test)]
mod tests;
