//! Who owns an address, and when: built from asset lists, leases and what endpoints say of themselves.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// One statement that a host had an address for some time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Asset {
    /// The host.
    pub host: Arc<str>,
    /// Its address. `None` for an inventory row, which only names the host.
    pub address: Option<IpAddr>,
    /// From when. `None` means from ever.
    pub from: Option<Timestamp>,
    /// Until when. `None` means for ever.
    pub until: Option<Timestamp>,
}

/// Address to host over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBook {
    leases: BTreeMap<IpAddr, Vec<Asset>>,
}

impl AddressBook {
    /// Adds one statement.
    pub fn insert(&mut self, asset: Asset) {
        if let Some(address) = asset.address {
            let leases = self.leases.entry(address).or_default();
            if let Err(at) = leases.binary_search(&asset) {
                leases.insert(at, asset);
            }
        }
    }

    /// The host that owned `address` at `time`. `None` if nobody says, or if two hosts claim it: two candidates are
    /// not one.
    #[must_use]
    pub fn owner(&self, address: IpAddr, time: Timestamp) -> Option<&Arc<str>> {
        let mut owners =
            self.leases.get(&address)?.iter().filter(|lease| {
                lease.from.is_none_or(|from| from <= time) && lease.until.is_none_or(|until| time < until)
            });
        let first = owners.next()?;
        owners.all(|other| other.host == first.host).then_some(&first.host)
    }

    /// Whether `address` belonged to any host at any time.
    #[must_use]
    pub fn knows(&self, address: IpAddr) -> bool {
        self.leases.contains_key(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(host: &str, from: Option<i64>, until: Option<i64>) -> Asset {
        Asset {
            host: host.into(),
            address: Some("10.0.0.5".parse().unwrap()),
            from: from.and_then(Timestamp::from_seconds),
            until: until.and_then(Timestamp::from_seconds),
        }
    }

    #[test]
    fn a_lease_ends_before_the_next_begins_and_conflicts_own_nothing() {
        let mut book = AddressBook::default();
        book.insert(asset("anna", Some(0), Some(100)));
        book.insert(asset("ben", Some(100), Some(300)));
        book.insert(asset("carl", Some(200), None));
        let address = "10.0.0.5".parse().unwrap();
        let owner =
            |seconds| book.owner(address, Timestamp::from_seconds(seconds).unwrap()).map(|host| host.to_string());
        assert_eq!(owner(99).as_deref(), Some("anna"));
        assert_eq!(owner(100).as_deref(), Some("ben"));
        assert_eq!(owner(250), None, "two hosts claim it");
        assert_eq!(owner(300).as_deref(), Some("carl"));
        assert_eq!(owner(-1), None);
    }
}
