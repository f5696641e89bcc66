//! Whose traffic it is: which addresses are ours, and which host owned an address when (design 1.1).

use crate::Options;
use monologue_model::{AddressBook, Asset, ConnectionFact, Detail, Event, Timestamp};
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

/// Which traffic is ours, and whose.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    local: Vec<crate::IpNet>,
    /// Asset lists.
    book: AddressBook,
    /// Addresses that endpoints say they had: the host, if only one ever says so.
    learnt: BTreeMap<IpAddr, Option<Arc<str>>>,
    /// Addresses that rows call local.
    called_local: BTreeSet<IpAddr>,
    /// Something says what is ours.
    anything_says: bool,
}

impl Origin {
    /// Learns from the options and from all events.
    pub(crate) fn learn<'a>(options: &Options, events: impl Iterator<Item = &'a Event>) -> Self {
        let mut origin = Self { local: options.local.clone(), ..Self::default() };
        options.assets.iter().for_each(|asset| origin.book.insert(asset.clone()));
        origin.anything_says = options.assets.iter().any(|asset: &Asset| asset.address.is_some());
        for event in events {
            match &event.detail {
                Detail::Connection(connection) => {
                    if let (ConnectionFact::Closed { local: Some(local), .. }, Some(host)) =
                        (&connection.fact, &event.host)
                    {
                        origin.learn_address(local.ip(), host);
                    }
                }
                Detail::Flow(flow) => {
                    if flow.local_originator == Some(true) {
                        origin.call_local(flow.originator.ip());
                    }
                    if flow.local_responder == Some(true) {
                        origin.call_local(flow.responder.ip());
                    }
                    origin.anything_says |= !is_public(flow.originator.ip());
                }
                Detail::Http(http) => origin.anything_says |= !is_public(http.originator.ip()),
                Detail::Tls(tls) => origin.anything_says |= !is_public(tls.originator.ip()),
                _ => {}
            }
        }
        origin
    }

    fn learn_address(&mut self, address: IpAddr, host: &Arc<str>) {
        if !crate::link::is_unicast(address) {
            return;
        }
        self.anything_says = true;
        self.learnt
            .entry(address)
            .and_modify(|owner| {
                if owner.as_ref() != Some(host) {
                    *owner = None;
                }
            })
            .or_insert_with(|| Some(host.clone()));
    }

    fn call_local(&mut self, address: IpAddr) {
        self.anything_says = true;
        self.called_local.insert(address);
    }

    /// Whether traffic begun at `address` is ours.
    fn is_ours(&self, address: IpAddr) -> bool {
        if !self.local.is_empty() {
            return self.local.iter().any(|network| network.contains(&address));
        }
        !self.anything_says
            || !is_public(address)
            || self.book.knows(address)
            || self.learnt.contains_key(&address)
            || self.called_local.contains(&address)
    }

    /// The host that began traffic at `address`: its owner at that time, else the address itself. `None`: not ours.
    pub(crate) fn host_of(&self, originator: SocketAddr, time: Timestamp) -> Option<Arc<str>> {
        let address = originator.ip();
        if !self.is_ours(address) {
            return None;
        }
        let learnt = || self.learnt.get(&address).cloned().flatten();
        Some(self.book.owner(address, time).cloned().or_else(learnt).unwrap_or_else(|| address.to_string().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(origin: &Origin, address: &str) -> Option<String> {
        let address: IpAddr = address.parse().unwrap();
        origin.host_of(SocketAddr::new(address, 1), Timestamp::default()).map(|host| host.to_string())
    }

    #[test]
    fn where_nothing_says_what_is_ours_every_originator_is() {
        assert_eq!(ours(&Origin::default(), "203.0.113.9").as_deref(), Some("203.0.113.9"));
        let mut says = Origin::default();
        says.call_local("198.51.100.1".parse().unwrap());
        assert_eq!(ours(&says, "203.0.113.9"), None);
        assert_eq!(ours(&says, "198.51.100.1").as_deref(), Some("198.51.100.1"));
        assert_eq!(ours(&says, "100.64.0.1").as_deref(), Some("100.64.0.1"), "shared address space");
        assert_eq!(ours(&says, "fd00::1").as_deref(), Some("fd00::1"), "unique local");
    }

    #[test]
    fn local_networks_override_all_else() {
        let mut origin = Origin { local: vec!["203.0.113.0/24".parse().unwrap()], ..Origin::default() };
        origin.call_local("198.51.100.1".parse().unwrap());
        assert_eq!(ours(&origin, "203.0.113.9").as_deref(), Some("203.0.113.9"));
        assert_eq!(ours(&origin, "198.51.100.1"), None);
        assert_eq!(ours(&origin, "10.0.0.1"), None);
    }

    #[test]
    fn an_address_that_two_hosts_claim_belongs_to_neither() {
        let mut origin = Origin::default();
        let address: IpAddr = "10.0.0.5".parse().unwrap();
        origin.learn_address(address, &"anna".into());
        assert_eq!(ours(&origin, "10.0.0.5").as_deref(), Some("anna"));
        origin.learn_address(address, &"ben".into());
        assert_eq!(ours(&origin, "10.0.0.5").as_deref(), Some("10.0.0.5"));
    }
}
