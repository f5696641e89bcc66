//! Whose traffic it is: which addresses are ours, and which host owned an address when (design 1.1).

use monologue_model::{AddressBook, Asset, ConnectionFact, Detail, Event, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// Whether an address is reachable from anywhere: not private, shared, link-local, loopback or documentation of ours.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(is_private_v4(v4) || v4.is_loopback() || v4.is_unspecified() || v4.is_multicast()),
        IpAddr::V6(v6) => !(is_private_v6(v6) || v6.is_loopback() || v6.is_unspecified() || v6.is_multicast()),
    }
}

/// Private (RFC 1918), shared (RFC 6598) and link-local (RFC 3927) addresses.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || address.is_link_local() || (first == 100 && (64..128).contains(&second))
}

/// Unique local (RFC 4193) and link-local addresses.
fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

/// What endpoints and sensors say of addresses, as facts that add up in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFacts {
    /// Asset lists.
    assets: BTreeSet<Asset>,
    /// Addresses that endpoints say they had: the hosts that say so.
    said_by: BTreeMap<IpAddr, BTreeSet<Arc<str>>>,
    /// Addresses that rows call local.
    called_local: BTreeSet<IpAddr>,
    /// A row was begun at an address that is not public.
    private_seen: bool,
}

impl AddressFacts {
    /// Adds a statement of an asset list.
    pub fn state(&mut self, asset: Asset) {
        self.assets.insert(asset);
    }

    /// Learns from one event.
    pub fn learn(&mut self, event: &Event) {
        match &event.detail {
            Detail::Connection(connection) => {
                if let (
                    ConnectionFact::Closed { local: Some(local), .. }
                    | ConnectionFact::Contacted { local: Some(local), .. },
                    Some(host),
                ) = (&connection.fact, &event.host)
                    && crate::link::is_unicast(local.ip())
                {
                    let hosts = self.said_by.entry(local.ip()).or_default();
                    // Two hosts settle that it belongs to neither; more say nothing new.
                    if hosts.len() < 2 {
                        hosts.insert(host.clone());
                    }
                }
            }
            Detail::Flow(flow) => {
                if flow.local_originator == Some(true) {
                    self.called_local.insert(flow.originator.ip());
                }
                if flow.local_responder == Some(true) {
                    self.called_local.insert(flow.responder.ip());
                }
                self.private_seen |= !is_public(flow.originator.ip());
            }
            Detail::Http(http) => self.private_seen |= !is_public(http.originator.ip()),
            Detail::Tls(tls) => self.private_seen |= !is_public(tls.originator.ip()),
            _ => {}
        }
    }

    /// Adds the facts of others.
    pub fn merge(&mut self, other: &Self) {
        self.assets.extend(other.assets.iter().cloned());
        for (address, hosts) in &other.said_by {
            self.said_by.entry(*address).or_default().extend(hosts.iter().cloned());
        }
        self.called_local.extend(&other.called_local);
        self.private_seen |= other.private_seen;
    }

    /// The addresses of which these facts say whose they are, and `other` says something else or nothing.
    #[must_use]
    pub fn addresses_that_differ(&self, other: &Self) -> BTreeSet<IpAddr> {
        let mut differ: BTreeSet<IpAddr> =
            self.assets.symmetric_difference(&other.assets).filter_map(|asset| asset.address).collect();
        for (one, another) in [(self, other), (other, self)] {
            differ.extend(
                one.said_by
                    .iter()
                    .filter(|(address, hosts)| another.said_by.get(address) != Some(hosts))
                    .map(|(address, _)| *address),
            );
        }
        differ
    }
}

/// Which traffic is ours, and whose.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    local: Vec<crate::IpNet>,
    book: AddressBook,
    facts: AddressFacts,
}

impl Origin {
    /// From what is known of addresses, and the networks that are ours (none: the facts decide).
    #[must_use]
    pub fn new(facts: AddressFacts, local: &[crate::IpNet]) -> Self {
        let mut book = AddressBook::default();
        facts.assets.iter().for_each(|asset| book.insert(asset.clone()));
        Self { local: local.to_vec(), book, facts }
    }

    /// Whether traffic begun at `address` is ours.
    #[must_use]
    pub fn is_ours(&self, address: IpAddr) -> bool {
        if !self.local.is_empty() {
            return self.local.iter().any(|network| network.contains(&address));
        }
        let facts = &self.facts;
        let anything_says = facts.private_seen
            || !facts.said_by.is_empty()
            || !facts.called_local.is_empty()
            || facts.assets.iter().any(|asset| asset.address.is_some());
        !anything_says
            || !is_public(address)
            || self.book.knows(address)
            || facts.said_by.contains_key(&address)
            || facts.called_local.contains(&address)
    }

    /// The host that had `address` at that time; an address nobody owns is a host of its own.
    #[must_use]
    pub fn owner(&self, address: IpAddr, time: Timestamp) -> Arc<str> {
        let said = || match self.facts.said_by.get(&address) {
            Some(hosts) if hosts.len() == 1 => hosts.first().cloned(),
            _ => None,
        };
        self.book.owner(address, time).cloned().or_else(said).unwrap_or_else(|| address.to_string().into())
    }

    /// Every host that had `address` at any time, and the address itself.
    #[must_use]
    pub fn owners_ever(&self, address: IpAddr) -> BTreeSet<Arc<str>> {
        let stated = self.facts.assets.iter().filter(|asset| asset.address == Some(address)).map(|asset| &asset.host);
        let said = self.facts.said_by.get(&address).into_iter().flatten();
        stated.chain(said).cloned().chain([address.to_string().into()]).collect()
    }

    /// The host that began traffic at `address`: its owner at that time, else the address itself. `None`: not ours.
    #[must_use]
    pub fn host_of(&self, originator: SocketAddr, time: Timestamp) -> Option<Arc<str>> {
        let address = originator.ip();
        self.is_ours(address).then(|| self.owner(address, time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(facts: &AddressFacts, local: &[crate::IpNet], address: &str) -> Option<String> {
        let address: IpAddr = address.parse().unwrap();
        let origin = Origin::new(facts.clone(), local);
        origin.host_of(SocketAddr::new(address, 1), Timestamp::default()).map(|host| host.to_string())
    }

    fn calling_local(address: &str) -> AddressFacts {
        AddressFacts { called_local: [address.parse().unwrap()].into(), ..AddressFacts::default() }
    }

    #[test]
    fn where_nothing_says_what_is_ours_every_originator_is() {
        assert_eq!(ours(&AddressFacts::default(), &[], "203.0.113.9").as_deref(), Some("203.0.113.9"));
        let says = calling_local("198.51.100.1");
        assert_eq!(ours(&says, &[], "203.0.113.9"), None);
        assert_eq!(ours(&says, &[], "198.51.100.1").as_deref(), Some("198.51.100.1"));
        assert_eq!(ours(&says, &[], "100.64.0.1").as_deref(), Some("100.64.0.1"), "shared address space");
        assert_eq!(ours(&says, &[], "fd00::1").as_deref(), Some("fd00::1"), "unique local");
    }

    #[test]
    fn local_networks_override_all_else() {
        let local = ["203.0.113.0/24".parse().unwrap()];
        let says = calling_local("198.51.100.1");
        assert_eq!(ours(&says, &local, "203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(ours(&says, &local, "198.51.100.1"), None);
        assert_eq!(ours(&says, &local, "10.0.0.1"), None);
    }

    #[test]
    fn an_address_that_two_hosts_claim_belongs_to_neither() {
        let address: IpAddr = "10.0.0.5".parse().unwrap();
        let said = |host: &str| AddressFacts {
            said_by: [(address, [Arc::from(host)].into())].into(),
            ..AddressFacts::default()
        };
        let mut facts = said("anna");
        assert_eq!(ours(&facts, &[], "10.0.0.5").as_deref(), Some("anna"));
        assert!(facts.addresses_that_differ(&said("anna")).is_empty());
        facts.merge(&said("ben"));
        assert_eq!(ours(&facts, &[], "10.0.0.5").as_deref(), Some("10.0.0.5"));
        assert_eq!(facts.addresses_that_differ(&said("anna")), [address].into());
    }
}
