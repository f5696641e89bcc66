//! What may stand between an event and its record: clocks, address translation, proxies, tunnels, copies. None of it
//! changes what happened, nor the chance of anything; the truth stays exact.

use crate::{Moment, clock::MILLISECOND, clock::SECOND, mac::Mac, names};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the clock of the network sensor shows more than the clocks of the Macs, unless told otherwise: 0.4 s.
const USUAL_AHEAD: i64 = 400 * MILLISECOND;

/// The proxy of the site, and its port.
pub(crate) const PROXY: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 20, 0, 8), 3128);

/// Hours of the recording in which the tunnel is up.
const TUNNEL_HOURS: (i64, i64) = (8, 16);

/// How long a temporary address is the preferred one: 6 h.
const TEMPORARY_LIFE: i64 = 6 * 3600 * SECOND;

/// Local ports of a host that has few.
const SCARCE_PORTS: u16 = 120;

/// How far a record may be displaced, in nanoseconds: 3 s.
const DISPLACEMENT: u64 = 3 * SECOND as u64;

/// A disturbance of the recording. Any may be combined with any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disturbance {
    /// What the network sensor's clock shows more than the Macs' at the start, in nanoseconds. `None` means the usual 0.4 s.
    pub sensor_ahead_ns: Option<i64>,
    /// How much faster the sensor's clock runs, in parts per million.
    pub drift_ppm: i64,
    /// The sensor sees all hosts as one address with ports of its own choice.
    pub translated: bool,
    /// HTTP and HTTPS go through an explicit proxy; the sensor stands between the hosts and the proxy.
    pub proxy: bool,
    /// A tunnel is up from hour 8 to hour 16: the Mac names its tunnel address, the sensor sees the address behind it.
    /// Afterwards the host has another address.
    pub tunnel: bool,
    /// IPv6 with temporary addresses, two at a time, that change over the day.
    pub temporary_addresses: bool,
    /// One record in twenty stands twice.
    pub duplicates: bool,
    /// One record in ten stands up to three seconds too late in its file.
    pub reordered: bool,
    /// Services share a few addresses, as behind a content delivery network.
    pub shared_addresses: bool,
    /// A host has so few local ports that it uses each again within minutes or hours.
    pub scarce_ports: bool,
    /// No unified log is exported anywhere.
    pub no_unified_log: bool,
}

/// One disturbance by each name, and the combinations that are measured.
const NAMED: &[(&str, Disturbance)] = &[
    ("none", NONE),
    ("sensor-ahead-2s", Disturbance { sensor_ahead_ns: Some(2 * SECOND), ..NONE }),
    ("sensor-behind-2s", Disturbance { sensor_ahead_ns: Some(-2 * SECOND), ..NONE }),
    ("drift-50ppm", Disturbance { sensor_ahead_ns: Some(0), drift_ppm: 50, ..NONE }),
    ("sensor-ahead-30s", Disturbance { sensor_ahead_ns: Some(30 * SECOND), ..NONE }),
    ("sensor-ahead-1h", Disturbance { sensor_ahead_ns: Some(3600 * SECOND), ..NONE }),
    ("nat", Disturbance { translated: true, ..NONE }),
    ("proxy", Disturbance { proxy: true, ..NONE }),
    ("vpn", Disturbance { tunnel: true, ..NONE }),
    ("ipv6-temporary", Disturbance { temporary_addresses: true, ..NONE }),
    ("duplicates", Disturbance { duplicates: true, ..NONE }),
    ("reordered", Disturbance { reordered: true, ..NONE }),
    ("shared-addresses", Disturbance { shared_addresses: true, ..NONE }),
    ("scarce-ports", Disturbance { scarce_ports: true, ..NONE }),
    ("no-unified-log", Disturbance { no_unified_log: true, ..NONE }),
];

const NONE: Disturbance = Disturbance {
    sensor_ahead_ns: None,
    drift_ppm: 0,
    translated: false,
    proxy: false,
    tunnel: false,
    temporary_addresses: false,
    duplicates: false,
    reordered: false,
    shared_addresses: false,
    scarce_ports: false,
    no_unified_log: false,
};

impl Disturbance {
    /// The names that [`Disturbance::named`] knows.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        NAMED.iter().map(|(name, _)| *name).collect()
    }

    /// The disturbance of this name, or several joined by `+`, such as `proxy+drift-50ppm`. `None` means that one of the
    /// names is not known.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        text.split('+').try_fold(NONE, |sum, name| {
            let (_, one) = NAMED.iter().find(|(known, _)| *known == name)?;
            Some(sum.with(*one))
        })
    }

    /// Both at once. The other's clock counts where it has one.
    #[must_use]
    const fn with(self, other: Self) -> Self {
        Self {
            sensor_ahead_ns: match other.sensor_ahead_ns {
                None => self.sensor_ahead_ns,
                some => some,
            },
            drift_ppm: self.drift_ppm + other.drift_ppm,
            translated: self.translated || other.translated,
            proxy: self.proxy || other.proxy,
            tunnel: self.tunnel || other.tunnel,
            temporary_addresses: self.temporary_addresses || other.temporary_addresses,
            duplicates: self.duplicates || other.duplicates,
            reordered: self.reordered || other.reordered,
            shared_addresses: self.shared_addresses || other.shared_addresses,
            scarce_ports: self.scarce_ports || other.scarce_ports,
            no_unified_log: self.no_unified_log || other.no_unified_log,
        }
    }
}

/// The disturbance of one recording, and when the recording began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) start: Moment,
    pub(crate) disturbance: Disturbance,
    /// Number of the site among several.
    pub(crate) site: u8,
}

impl Conditions {
    /// The address that the sensor sees for all hosts behind address translation (shared address space, RFC 6598).
    pub(crate) const fn translated(&self) -> Ipv4Addr {
        Ipv4Addr::new(100, 64, 20, self.site + 1)
    }

    /// What the clock of the network sensor shows at this moment of the Macs.
    pub(crate) fn sensor_time(&self, moment: Moment) -> Moment {
        let Disturbance { sensor_ahead_ns, drift_ppm, .. } = self.disturbance;
        moment + sensor_ahead_ns.unwrap_or(USUAL_AHEAD) + (moment - self.start) / 1_000_000 * drift_ppm
    }

    /// Whether TCP to this port goes through the proxy.
    pub(crate) const fn is_proxied(&self, port: u16) -> bool {
        self.disturbance.proxy && matches!(port, 80 | 443)
    }

    /// The part of the day: before the tunnel, in it, and after it.
    const fn is_tunnelled(&self, time: Moment) -> (bool, bool) {
        let hour = (time - self.start).div_euclid(3600 * SECOND);
        let (from, until) = TUNNEL_HOURS;
        (self.disturbance.tunnel && from <= hour && hour < until, self.disturbance.tunnel && hour >= until)
    }

    /// The end of a connection that begins now, as the Mac itself names it.
    pub(crate) fn own_end(&self, mac: &Mac, time: Moment, port: u16, remote: IpAddr) -> (IpAddr, u16) {
        let port = self.local_port(port);
        if remote.is_ipv6() {
            return (self.temporary(mac, time, port).into(), port);
        }
        let [_, _, third, last] = mac.address.octets();
        match self.is_tunnelled(time) {
            (true, _) => (Ipv4Addr::new(10, 99, third, last).into(), port),
            (_, true) => (self.last_address(mac).into(), port),
            _ => (mac.address.into(), port),
        }
    }

    /// The same end as the network sensor sees it.
    pub(crate) fn seen_end(&self, mac: &Mac, time: Moment, port: u16, remote: IpAddr) -> (IpAddr, u16) {
        if self.disturbance.translated {
            let parts = [mac.name.as_str(), &port.to_string(), &time.to_string()];
            return (self.translated().into(), names::number(1_024, 65_535, &parts) as u16);
        }
        match self.is_tunnelled(time) {
            (true, _) if remote.is_ipv4() => (self.pool_address(mac).into(), self.local_port(port)),
            _ => self.own_end(mac, time, port, remote),
        }
    }

    /// The local port in place of this one of many.
    const fn local_port(&self, port: u16) -> u16 {
        if self.disturbance.scarce_ports { 49_152 + port % SCARCE_PORTS } else { port }
    }

    /// The address of a service, as hosts connect to it.
    pub(crate) fn remote(&self, address: Ipv4Addr, is_bare: bool) -> IpAddr {
        if is_bare || address.is_private() {
            return address.into();
        }
        let mut octets = address.octets();
        if let (true, [_, _, third, last]) = (self.disturbance.shared_addresses, &mut octets) {
            (*third, *last) = (*third % 4, *last % 8 + 1);
        }
        if !self.disturbance.temporary_addresses {
            return Ipv4Addr::from(octets).into();
        }
        let [first, second, third, last] = octets.map(u16::from);
        Ipv6Addr::new(0x2001, 0xdb8, 0x5e7, 0, first, second, third, last).into()
    }

    /// Who had which address when: rows of the asset list.
    pub(crate) fn leases(&self, mac: &Mac, end: Moment) -> Vec<(Ipv4Addr, Moment, Moment)> {
        let hour = 3600 * SECOND;
        let (first, last) = (self.start - hour, end + hour);
        if !self.disturbance.tunnel {
            return vec![(mac.address, first, last)];
        }
        let (up, down) = (self.start + TUNNEL_HOURS.0 * hour, self.start + TUNNEL_HOURS.1 * hour);
        vec![
            (mac.address, first, up),
            (self.pool_address(mac), up, down),
            (self.last_address(mac), down, last.max(down)),
        ]
    }

    /// The address the far end of the tunnel gives a host on the inner network.
    fn pool_address(&self, mac: &Mac) -> Ipv4Addr {
        let [_, _, third, last] = mac.address.octets();
        Ipv4Addr::new(10, 20, 200 + third, last)
    }

    /// The address a host has after the tunnel.
    fn last_address(&self, mac: &Mac) -> Ipv4Addr {
        let [_, _, third, last] = mac.address.octets();
        Ipv4Addr::new(10, 20, 100 + third, last)
    }

    /// One of the two temporary addresses of this stretch of the day (RFC 8981).
    fn temporary(&self, mac: &Mac, time: Moment, port: u16) -> Ipv6Addr {
        let stretch = (time - self.start).div_euclid(TEMPORARY_LIFE) - i64::from(port.is_multiple_of(3));
        let identifier = names::hash(&["temporary", &mac.name, &stretch.to_string()]);
        let part = |shift: u32| (identifier >> shift & 0xffff) as u16;
        Ipv6Addr::new(0x2001, 0xdb8, 0x2004, 4, part(48) | 0x0200, part(32), part(16), part(0))
    }

    /// The records of a file in the order in which they stand in it, each with its number.
    pub(crate) fn arrange(&self, file: &str, records: Vec<(Moment, String, u64)>) -> Vec<(String, u64)> {
        let Disturbance { duplicates, reordered, .. } = self.disturbance;
        let mut placed: Vec<(Moment, String, u64)> = Vec::with_capacity(records.len());
        for (at, (time, text, number)) in records.into_iter().enumerate() {
            let chance = |what: &str| names::hash(&[what, file, &at.to_string()]);
            let delay = |what: &str| (names::hash(&[what, "delay", file, &at.to_string()]) % DISPLACEMENT) as i64;
            let late = if reordered && chance("late").is_multiple_of(10) { delay("late") } else { 0 };
            if duplicates && chance("copy").is_multiple_of(20) {
                placed.push((time + late + delay("copy"), text.clone(), number));
            }
            placed.push((time + late, text, number));
        }
        if duplicates || reordered {
            placed.sort_by_key(|(time, _, _)| *time);
        }
        placed.into_iter().map(|(_, text, number)| (text, number)).collect()
    }
}

/// An address with a port, as Network.framework writes it: IPv6 has a dot before the port.
pub(crate) fn with_port(address: IpAddr, port: u16) -> String {
    let mark = if address.is_ipv6() { '.' } else { ':' };
    format!("{address}{mark}{port}")
}
