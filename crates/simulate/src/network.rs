//! Services on the network and their addresses: no two services share one.

use crate::{Moment, disturbance::Conditions, links::Trace, names, zeek::Logs};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// The resolver of the simulated site.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 53);

/// Domains of Apple itself; everything else in the simulation is invented.
const APPLE: [&str; 3] = ["apple.com", "icloud.com", "mzstatic.com"];

/// Something that listens.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Host name asked for, or the address where no name is used.
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    /// Whether it is asked for by address, without a name.
    pub(crate) is_bare_address: bool,
}

impl Service {
    /// A number in `[from, until]` that is always the same for this service.
    pub(crate) fn constant(&self, from: u64, until: u64, what: &str) -> u64 {
        names::number(from, until, &[what, &self.name])
    }

    /// Bytes of the handshake of TLS from the client and from the server; little where sessions are resumed.
    pub(crate) fn handshake(&self, resumes: bool) -> (u64, u64) {
        if resumes {
            return (self.constant(500, 800, "client resumption"), self.constant(160, 260, "server resumption"));
        }
        (self.constant(600, 900, "client handshake"), self.constant(3_000, 6_000, "server handshake"))
    }

    /// Registrable domain, or the address. Names under shared suffixes are their own service.
    pub(crate) fn registrable(&self) -> String {
        if self.is_bare_address || self.name.ends_with(".s3.amazonaws.com") {
            return self.name.clone();
        }
        let labels: Vec<&str> = self.name.rsplit('.').take(2).collect();
        labels.into_iter().rev().collect::<Vec<_>>().join(".")
    }
}

/// The network of the site, as its sensor sees it.
#[derive(Default)]
pub(crate) struct Network {
    addresses: BTreeMap<String, Ipv4Addr>,
    invented: u32,
    apple: u32,
    /// When which host last was told which name and address, and the number of the row that shows it, or 0.
    pub(crate) resolved: BTreeMap<(String, String), (Moment, u64)>,
    pub(crate) logs: Logs,
    pub(crate) conditions: Conditions,
    /// Whether sessions of TLS are resumed.
    pub(crate) resumes: bool,
    /// Stretches in which the sensor loses packets, on the clock of the Macs.
    pub(crate) lossy: Vec<(Moment, Moment)>,
    /// All requests so far, with their records.
    pub(crate) traces: Vec<Trace>,
}

impl Network {
    /// The TLS service of this name.
    pub(crate) fn service(&mut self, name: &str) -> Service {
        self.service_at(name, 443)
    }

    /// The service of this name at this port.
    pub(crate) fn service_at(&mut self, name: &str, port: u16) -> Service {
        let known = self.addresses.get(name).copied();
        let address = known.unwrap_or_else(|| {
            let is_apple = APPLE.iter().any(|domain| name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
            let address = if is_apple { self.next_apple() } else { self.next_invented() };
            self.addresses.insert(name.to_owned(), address);
            address
        });
        Service { name: name.to_owned(), address, port, is_bare_address: false }
    }

    /// A service that is asked for by its address.
    pub(crate) fn bare_service(&mut self) -> Service {
        let address = self.next_invented();
        self.addresses.insert(address.to_string(), address);
        Service { name: address.to_string(), address, port: 443, is_bare_address: true }
    }

    /// The service at this address, asked for without a name.
    pub(crate) fn service_at_address(&mut self, address: Ipv4Addr, port: u16) -> Service {
        self.addresses.insert(address.to_string(), address);
        Service { name: address.to_string(), address, port, is_bare_address: true }
    }

    /// Whether this is the address of a service that is asked for by address.
    pub(crate) fn is_bare(&self, address: Ipv4Addr) -> bool {
        self.addresses.contains_key(&address.to_string())
    }

    /// Addresses for documentation first, then those for measuring network devices.
    fn next_invented(&mut self) -> Ipv4Addr {
        let number = self.invented;
        self.invented += 1;
        let last = (number % 254 + 1) as u8;
        match number / 254 {
            0 => Ipv4Addr::new(198, 51, 100, last),
            1 => Ipv4Addr::new(203, 0, 113, last),
            2 => Ipv4Addr::new(192, 0, 2, last),
            block => Ipv4Addr::new(198, 18 + ((block - 3) / 256) as u8, ((block - 3) % 256) as u8, last),
        }
    }

    fn next_apple(&mut self) -> Ipv4Addr {
        let number = self.apple;
        self.apple += 1;
        Ipv4Addr::new(17, 248, (number / 254) as u8, (number % 254 + 1) as u8)
    }
}
