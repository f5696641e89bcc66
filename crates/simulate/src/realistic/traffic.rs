//! What a person at a Mac makes it ask: bursts of connections to a few favourites and to a long tail, in the shape that was
//! measured on captures of real Macs. Nothing of it is regular.

use crate::{
    Moment,
    clock::{SECOND, seconds},
    links::Trace,
    mac::Process,
    network::Service,
    stage::{Claim, Stage},
    zeek::Flow,
};

/// Favourites of one person. They take more than half of all connections.
const FAVOURITES: usize = 10;

/// Services that everybody may know.
const POPULAR: u64 = 60;

/// Mean connections of a page, and mean pages of a session.
const PAGE: f64 = 7.5;
const SESSION: f64 = 22.0;

/// Share of connections to favourites, and to addresses that are never asked again.
const TO_FAVOURITES: f64 = 0.56;
const ONCE: f64 = 0.030;

/// The rest draws its destinations as guests draw tables (Pitman and Yor 1997): this concentration and this discount.
const CONCENTRATION: f64 = 320.0;
const DISCOUNT: f64 = 0.2;

/// Share of names that everybody may know, among the rest.
const SHARED: f64 = 0.18;

/// Established connections that send and hear nothing: 0.8 %.
const UNHEARD: f64 = 0.008;

/// Where a person's Mac has been, and how often.
pub(super) struct Habits {
    favourites: Vec<Service>,
    visited: Vec<(Service, f64)>,
    total: f64,
    recent: Vec<usize>,
    once: u64,
    /// Connections so far.
    pub(super) connections: u64,
}

impl Stage<'_> {
    /// The favourites of this person: some are everybody's.
    pub(super) fn habits(&mut self) -> Habits {
        let mut favourites = Vec::new();
        for number in 0..FAVOURITES as u64 {
            let name = if number % 2 == 0 {
                format!("www.site-{}.example", self.chance.whole(1, POPULAR))
            } else {
                format!("app.{}-f{number}.example", self.mac.name)
            };
            favourites.push(self.network.service(&name));
        }
        Habits { favourites, visited: Vec::new(), total: 0.0, recent: Vec::new(), once: 0, connections: 0 }
    }

    /// The browser while somebody sits there.
    pub(super) fn browse_for_hours(&mut self, browser: &Process, habits: &mut Habits, (from, until): (Moment, Moment)) {
        let mut time = from + seconds(self.chance.between(1.0, 60.0));
        let (mut pages, mut stops) = (0, Vec::new());
        while time < until {
            if pages == 0 {
                pages = self.chance.geometric(SESSION);
                habits.recent.clear();
                stops = (0..3).map(|_| self.favourite()).collect();
            }
            pages -= 1;
            time = self.page(browser, habits, &stops, time);
            time += seconds(self.chance.lognormal(40.0, 0.8));
        }
    }

    /// What a Mac asks in the minute in which it wakes at night: up to five connections an hour.
    pub(super) fn stir(&mut self, browser: &Process, habits: &mut Habits) {
        let last = self.end - 30 * SECOND;
        let awake: Vec<Moment> = self.mac.sleeps.iter().map(|(_, awake)| *awake).filter(|time| *time < last).collect();
        for time in awake {
            let mut time = time + seconds(self.chance.between(2.0, 20.0));
            for _ in 0..self.chance.whole(0, 3) {
                if let Some(service) = habits.favourites.get(self.favourite()).cloned() {
                    self.connect(browser, habits, &service, time);
                }
                time += seconds(self.chance.between(0.1, 5.0));
            }
        }
    }

    /// The number of a favourite, the first ones more often.
    fn favourite(&mut self) -> usize {
        let weight = |number: usize| 1.0 / (number as f64 + 1.5);
        let mut left = self.chance.between(0.0, (0..FAVOURITES).map(weight).sum());
        for number in 0..FAVOURITES {
            left -= weight(number);
            if left < 0.0 {
                return number;
            }
        }
        0
    }

    /// One page: a burst of connections. Gives when it was done.
    fn page(&mut self, browser: &Process, habits: &mut Habits, stops: &[usize], mut time: Moment) -> Moment {
        let mut stop = self.chance.one_of(stops).copied().unwrap_or(0);
        let mut site: Option<usize> = None;
        for _ in 0..self.chance.geometric(PAGE) {
            let service = if self.chance.happens(ONCE) {
                habits.once += 1;
                Some(self.network.service(&format!("t.{}-t{}.example", self.mac.name, habits.once)))
            } else if self.chance.happens(TO_FAVOURITES) {
                if self.chance.happens(0.25) {
                    let known = self.chance.one_of(stops).copied().unwrap_or(0);
                    stop = if self.chance.happens(0.8) { known } else { self.favourite() };
                }
                habits.favourites.get(stop).cloned()
            } else {
                let number = match site {
                    Some(number) if self.chance.happens(0.45) => number,
                    _ => self.site(habits),
                };
                site = Some(number);
                habits.visited.get(number).map(|(service, _)| service.clone())
            };
            if let Some(service) = service {
                self.connect(browser, habits, &service, time);
            }
            time += seconds(self.chance.lognormal(0.13, 1.4).min(60.0));
        }
        time
    }

    /// A destination of the long tail: one of this session, one of before, or a new one.
    fn site(&mut self, habits: &mut Habits) -> usize {
        let last = habits.recent.len().saturating_sub(5);
        if !habits.recent.is_empty() && self.chance.happens(0.7) {
            return self.chance.one_of(habits.recent.get(last..).unwrap_or_default()).copied().unwrap_or(0);
        }
        let known = habits.visited.len() as f64;
        let number = if self.chance.between(0.0, CONCENTRATION + habits.total) < CONCENTRATION + DISCOUNT * known {
            let service = self.new_site(habits.visited.len());
            habits.visited.push((service, 1.0));
            habits.visited.len() - 1
        } else {
            let mut left = self.chance.between(0.0, habits.total - DISCOUNT * known);
            let at = habits.visited.iter().position(|(_, count)| {
                left -= count - DISCOUNT;
                left < 0.0
            });
            let at = at.unwrap_or(0);
            if let Some((_, count)) = habits.visited.get_mut(at) {
                *count += 1.0;
            }
            at
        };
        habits.total += 1.0;
        habits.recent.push(number);
        number
    }

    /// A new destination. A name has one address or, more often, shares it with another address of the same name.
    fn new_site(&mut self, number: usize) -> Service {
        let half = number / 2;
        let name = if self.chance.happens(SHARED) {
            format!("www.site-{}.example", self.chance.whole(POPULAR + 1, 5 * POPULAR))
        } else {
            format!("www.{}-p{half}.example", self.mac.name)
        };
        let mut service = self.network.service(&name);
        if number % 2 == 1 {
            service.address = self.network.service(&format!("{name}/second")).address;
        }
        service
    }

    /// One connection of a browser with a network stack of its own.
    fn connect(&mut self, browser: &Process, habits: &mut Habits, service: &Service, time: Moment) {
        habits.connections += 1;
        self.mac.log_name_request(time, browser, service);
        let start = time + self.network.resolve(&mut self.mac, time, service, &mut self.chance);
        let (sent, received) = self.payload();
        let (state, history) = self.ending();
        let is_unheard = self.chance.happens(UNHEARD) && state == "SF";
        let is_quic = state == "SF" && !is_unheard && self.chance.happens(0.1);
        let received = if is_unheard || matches!(state, "REJ" | "S0") { 0 } else { received };
        let sent = if matches!(state, "REJ" | "S0") { 0 } else { sent };
        let lasts = if matches!(state, "REJ" | "S0") { 0.05 } else { self.chance.lognormal(10.0, 2.7).min(7_000.0) };
        let mut flow = Flow {
            start,
            end: start + seconds(lasts),
            local_port: self.mac.port(&mut self.chance),
            address: service.address,
            port: service.port,
            protocol: if is_quic { "udp" } else { "tcp" },
            service: if is_quic { "quic" } else { "ssl" },
            sent,
            received: Some(received),
            state,
            history: if is_unheard { "ShADFf" } else { history },
            missed: 0,
        };
        if is_quic {
            flow.history = "Dd";
        }
        if matches!(state, "REJ" | "S0") || is_unheard {
            flow.service = "-";
        }
        let mut trace = Trace::new(&self.mac.name, browser, service);
        let flow = if is_quic { flow } else { self.network.through_proxy(&self.mac, flow, &service.name, &mut trace) };
        self.network.connection(&self.mac, &flow);
        if flow.service.ends_with("ssl") && state != "OTH" {
            self.network.tls(&self.mac, &flow, &service.name, 30_000_000.min(flow.end - flow.start), None);
        }
    }

    /// Servers that are gone, asked for again and again by pages that are still open: of 195 destinations with at least four
    /// connections of real Macs, nine never answered.
    pub(super) fn ask_the_dead(&mut self, browser: &Process, work: &[(Moment, Moment)]) {
        for number in 0..self.chance.whole(2, 8) {
            let service = self.network.service(&format!("www.{}-gone{number}.example", self.mac.name));
            let Some((from, until)) = self.chance.one_of(work).copied() else { return };
            let mut time = from + seconds(self.chance.between(60.0, 7_000.0));
            let mut exchanges = 0;
            for _ in 0..self.chance.whole(4, 24) {
                if time >= until {
                    break;
                }
                self.unanswered(browser, &service, time);
                exchanges += 1;
                time += seconds(self.chance.lognormal(40.0, 1.5));
            }
            let told = if self.mac.sensors.network { "any" } else { "unknown" };
            let claim = Claim { happened: "no-reply", ..Claim::benign("dead-page", told) };
            self.tell(&claim, browser, &service, exchanges);
        }
    }

    /// A connection that nobody takes.
    fn unanswered(&mut self, browser: &Process, service: &Service, time: Moment) {
        self.mac.log_name_request(time, browser, service);
        let start = time + self.network.resolve(&mut self.mac, time, service, &mut self.chance);
        let flow = Flow {
            start,
            end: start + 7 * SECOND,
            local_port: self.mac.port(&mut self.chance),
            address: service.address,
            port: service.port,
            protocol: "tcp",
            service: "-",
            sent: 0,
            received: Some(0),
            state: "S0",
            history: "S",
            missed: 0,
        };
        let mut trace = Trace::new(&self.mac.name, browser, service);
        let flow = self.network.through_proxy(&self.mac, flow, &service.name, &mut trace);
        self.network.connection(&self.mac, &flow);
    }

    /// Bytes sent and received: mostly a resumed session that says little, now and then a page or a film.
    fn payload(&mut self) -> (u64, u64) {
        let (sent, received) = if self.chance.happens(0.64) {
            let sent = self.chance.lognormal(1_350.0, 0.5);
            (sent, sent * self.chance.lognormal(0.44, 0.28))
        } else {
            (self.chance.lognormal(2_100.0, 0.9), self.chance.lognormal(6_000.0, 2.6))
        };
        (sent as u64 + 60, received.min(2e9) as u64 + 60)
    }

    /// How a connection ends. With regular software, which mostly closes in order, SF comes to 0.57, S1 to S3 to 0.18, OTH to
    /// 0.08, and resets to the rest.
    fn ending(&mut self) -> (&'static str, &'static str) {
        let unit = self.chance.between(0.0, 1.0);
        match unit {
            unit if unit < 0.48 => ("SF", "ShADadFf"),
            unit if unit < 0.59 => ("S1", "ShADad"),
            unit if unit < 0.64 => ("S3", "ShADadf"),
            unit if unit < 0.70 => ("S2", "ShADadF"),
            unit if unit < 0.80 => ("OTH", "DadA"),
            unit if unit < 0.93 => ("RSTO", "ShADadR"),
            unit if unit < 0.98 => ("RSTR", "ShADadr"),
            unit if unit < 0.99 => ("REJ", "Sr"),
            _ => ("S0", "S"),
        }
    }
}
