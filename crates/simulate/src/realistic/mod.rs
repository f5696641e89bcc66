//! Fleets of hundreds of Macs for days, as an honest opponent: people whose traffic has the shape of real captures, software
//! that is regular and harmless, attacks among them, and sensors that are missing, lossy, ahead, behind translation or a proxy.
//!
//! The fleet is made site by site, and each site is handed over before the next is made: memory does not grow with the fleet.

mod attacks;
mod clockwork;
mod evidence;
mod pattern;
mod playing;
mod software;
mod traffic;

use crate::{
    Moment, SimulatedFile, Truth,
    chance::Chance,
    clock::{SECOND, nanosecond_text, seconds},
    disturbance::{Conditions, Disturbance},
    fleet::{host_files, json_lines},
    implants::USER,
    links::Places,
    mac::{Mac, Process, Sensors, Subscription},
    names,
    network::Network,
    programs::{Program, Signature},
    stage::Stage,
};
use attacks::ATTACKS;
use evidence::Surroundings;
use monologue_model::Timestamp;
use playing::Part;
use serde::{Deserialize, Serialize};
use software::SOFTWARE;
use std::{fmt::Write as _, io, net::Ipv4Addr};

/// Macs of one site.
const SITE: u32 = 12;

/// Macs at most: sites have addresses of their own up to here.
pub const MOST_HOSTS: u32 = 50 * SITE;

/// What to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealisticOptions {
    /// Seed of all chance: the same seed gives the same bytes.
    pub seed: u64,
    /// Macs, at most [`MOST_HOSTS`].
    pub hosts: u32,
    /// Days.
    pub days: u32,
    /// When recording starts: midnight of the place. Macs and their software are the same on every day, what happens is not.
    pub start: Timestamp,
    /// Whether half of the Macs have an attack. Without, it is a day that is known to be good.
    pub attacks: bool,
}

impl Default for RealisticOptions {
    fn default() -> Self {
        // 2026-03-02T00:00:00Z is 20,514 days after the epoch, a Monday.
        let start = Timestamp::from_nanoseconds(20_514 * 86_400 * SECOND);
        Self { seed: 1, hosts: 24, days: 1, start, attacks: true }
    }
}

/// What was recorded: the file `recording.json` beside the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Version of this contract.
    pub schema: String,
    /// Seed of all chance.
    pub seed: u64,
    /// Macs.
    pub hosts: u32,
    /// Days.
    pub days: u32,
    /// Macs times days.
    pub host_days: f64,
    /// Connections of people, not of regular software.
    pub browsing: u64,
}

/// Which sensors a Mac has, and how often: of one hundred.
const KITS: [(u64, Subscription, bool, bool); 6] = [
    (34, Subscription::Everything, true, true),
    (14, Subscription::Starts, false, true),
    (12, Subscription::Nothing, true, true),
    (10, Subscription::Everything, false, false),
    (8, Subscription::Processes, false, true),
    (22, Subscription::Nothing, false, true),
];

const MODELS: [&str; 4] = ["air", "pro", "mini", "imac"];

const PEOPLE: [&str; 24] = [
    "ada", "bela", "cleo", "dora", "emil", "fatima", "georg", "hana", "ivan", "jana", "kofi", "lena", "milo", "nora",
    "oskar", "pia", "quinn", "rosa", "sami", "tara", "uma", "viktor", "wanda", "yusuf",
];

/// What lies between the Macs of a site and its sensor, in turn.
fn disturbance(site: u32) -> Disturbance {
    let plain = Disturbance::default();
    match site % 8 {
        1 => Disturbance { sensor_ahead_ns: Some(-2 * SECOND), drift_ppm: 20, ..plain },
        2 => Disturbance { translated: true, ..plain },
        3 => Disturbance { proxy: true, ..plain },
        5 => Disturbance { temporary_addresses: true, ..plain },
        7 => Disturbance { duplicates: true, reordered: true, ..plain },
        _ => plain,
    }
}

/// Whether nothing that a site's sensor shows is beyond doubt.
const fn is_doubtful(disturbance: &Disturbance, is_lossy: bool) -> bool {
    disturbance.translated || disturbance.proxy || disturbance.temporary_addresses || is_lossy
}

/// One fleet under way.
struct Making<'m> {
    options: RealisticOptions,
    start: Moment,
    end: Moment,
    network: Network,
    truth: Vec<Truth>,
    assets: String,
    browsing: u64,
    sink: &'m mut dyn FnMut(SimulatedFile) -> io::Result<()>,
}

/// Simulates a realistic fleet, and hands over its files one by one, the truth last. Depends on nothing but the options.
///
/// # Errors
/// When a file cannot be taken.
pub fn simulate_realistic(
    options: &RealisticOptions,
    sink: &mut dyn FnMut(SimulatedFile) -> io::Result<()>,
) -> io::Result<Recording> {
    let start = options.start.nanoseconds();
    let mut network = Network::default();
    network.resumes = true;
    let mut making = Making {
        options: RealisticOptions { hosts: options.hosts.clamp(1, MOST_HOSTS), ..*options },
        start,
        end: start + i64::from(options.days) * 86_400 * SECOND,
        network,
        truth: Vec::new(),
        assets: String::from("host,ip,from,until\n"),
        browsing: 0,
        sink,
    };
    for site in 0..making.options.hosts.div_ceil(SITE) {
        making.site(site)?;
    }
    making.finish()
}

impl Making<'_> {
    fn site(&mut self, site: u32) -> io::Result<()> {
        let conditions = Conditions { start: self.start, disturbance: disturbance(site), site: site as u8 };
        self.network.conditions = conditions;
        self.network.resolved.clear();
        let mut chance = Chance::new(self.options.seed, u64::from(site) + 1_000_000);
        // On some sites the sensor loses packets for half an hour each day, when most is asked.
        let is_lossy = site % 8 == 4;
        self.network.lossy.clear();
        for day in 0..self.options.days {
            let from = self.start + seconds(3600.0 * (24.0 * f64::from(day) + chance.between(9.0, 15.0)));
            if is_lossy {
                self.network.lossy.push((from, from + 1_800 * SECOND));
            }
        }
        let mut places = Places::default();
        let last = ((site + 1) * SITE).min(self.options.hosts);
        for host in site * SITE..last {
            let doubtful = is_doubtful(&conditions.disturbance, is_lossy);
            let mac = self.host(host, site, conditions, doubtful);
            for file in host_files(mac, &mut places) {
                (self.sink)(file)?;
            }
            // Which records belong together is not told of fleets of this size.
            self.network.traces.clear();
        }
        self.network.tell_losses(self.start, self.end);
        let logs = std::mem::take(&mut self.network.logs);
        for (name, bytes) in logs.render(&conditions, self.end, &mut Places::default()) {
            (self.sink)(SimulatedFile { path: format!("network/site-{site:02}/{name}.log"), bytes })?;
        }
        Ok(())
    }

    /// One Mac and its days.
    fn host(&mut self, host: u32, site: u32, conditions: Conditions, is_doubtful: bool) -> Mac {
        let day = self.start.div_euclid(86_400 * SECOND) as u64;
        // What a Mac is does not depend on the day; what happens on it does.
        let mut chance = Chance::new(self.options.seed.wrapping_add(day << 32), 3_000_000 + u64::from(host));
        let (mac, work) = self.mac(host, site, conditions, &mut chance);
        // Where no sensor watches the network, nobody sees it under the address of the others either.
        let is_translated = conditions.disturbance.translated && mac.sensors.network;
        let seen_as = if is_translated { vec![conditions.translated().to_string()] } else { Vec::new() };
        for (address, from, until) in conditions.leases(&mac, self.end) {
            let _ =
                writeln!(self.assets, "{},{address},{},{}", mac.name, nanosecond_text(from), nanosecond_text(until));
        }
        let surroundings = Surroundings::new(&mac.sensors, is_doubtful, seen_as.clone());
        let mut stage = Stage {
            mac,
            network: &mut self.network,
            chance,
            truth: Vec::new(),
            start: self.start,
            end: self.end,
            damaged: None,
        };
        let browsing = stage.person(&work);
        stage.macos(host);
        stage.software(
            &work,
            &surroundings,
            &mut Chance::new(self.options.seed, 2_000_000 + u64::from(host)),
            self.options.seed,
        );
        if let Some(pattern) = attack(self.options.seed, host).filter(|_| self.options.attacks) {
            // Half of them were there before the recording began, as far as their first request tells.
            let hours = 24.0 * f64::from(self.options.days);
            let first = self.start + seconds(3600.0 * stage.chance.between(0.1, (0.3 * hours).min(11.0)));
            let first = if matches!(pattern.limit, 1) { first.max(work_hour(&work)) } else { first };
            stage.act(&Part { pattern, malicious: true, first, surroundings });
        }
        let mut truth = std::mem::take(&mut stage.truth);
        let mac = stage.mac;
        truth.iter_mut().for_each(|truth| truth.seen_as.clone_from(&seen_as));
        self.truth.append(&mut truth);
        self.browsing += browsing;
        mac
    }

    fn mac(&self, host: u32, site: u32, conditions: Conditions, chance: &mut Chance) -> (Mac, Vec<(Moment, Moment)>) {
        let mut kind = Chance::new(self.options.seed, u64::from(host));
        let model = MODELS.get(kind.whole(0, 9).min(3) as usize).copied().unwrap_or("air");
        let model = if kind.happens(0.45) { "pro" } else { model };
        let person = PEOPLE.get(host as usize % PEOPLE.len()).copied().unwrap_or("ada");
        let name = format!("{person}-{model}-{host:03}");
        let mut drawn = kind.whole(0, 99);
        let kit = KITS.iter().find(|(share, ..)| {
            let is_this = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            is_this
        });
        let (_, endpoint, unified_log, network) = kit.copied().unwrap_or(KITS[0]);
        let sensors = Sensors { endpoint, unified_log, network, dropped: self.dropped(endpoint) };
        let address = Ipv4Addr::new(10, 20, 4 + site as u8, 21 + (host % SITE) as u8);
        let mut mac = Mac::new(&name, person, address, sensors, self.start);
        mac.conditions = conditions;
        mac.message_version = 9 + host % 3;
        let work = clockwork::at_work(self.start, self.options.days, chance);
        if !matches!(model, "mini" | "imac") {
            mac.sleeps = clockwork::sleeps(&work, self.start, self.end, chance);
        }
        (mac, work)
    }

    /// Where endpoint records are kept short, they are dropped for forty minutes of every two hours.
    fn dropped(&self, endpoint: Subscription) -> Vec<(Moment, Moment)> {
        let mut dropped = Vec::new();
        let mut time = self.start + 720 * SECOND;
        while endpoint == Subscription::Processes && time < self.end {
            dropped.push((time, time + 2400 * SECOND));
            time += 7200 * SECOND;
        }
        dropped
    }

    fn finish(self) -> io::Result<Recording> {
        let RealisticOptions { seed, hosts, days, .. } = self.options;
        let recording = Recording {
            schema: "monologue.recording/1".to_owned(),
            seed,
            hosts,
            days,
            host_days: f64::from(hosts) * f64::from(days),
            browsing: self.browsing,
        };
        let bytes = serde_json::to_vec(&recording).map_err(io::Error::other)?;
        for (path, bytes) in [
            ("assets.csv", self.assets.into_bytes()),
            ("recording.json", bytes),
            ("truth.ndjson", json_lines(&self.truth)),
        ] {
            (self.sink)(SimulatedFile { path: path.to_owned(), bytes })?;
        }
        Ok(recording)
    }
}

/// The attack on this Mac: every second one has one, and all patterns come in turn.
fn attack(seed: u64, host: u32) -> Option<&'static pattern::Pattern> {
    let turn = names::number(0, 1_000_000, &["attacks", &seed.to_string()]) + u64::from(host / 2) * 5;
    host.is_multiple_of(2).then(|| ATTACKS.get((turn % ATTACKS.len() as u64) as usize)).flatten()
}

/// An hour after somebody first sat down.
fn work_hour(work: &[(Moment, Moment)]) -> Moment {
    work.first().map_or(0, |(from, _)| from + 3_600 * SECOND)
}

/// Software on at least this share of the Macs is part of how they are set up, and stands on them from the beginning.
const SET_UP_SHARE: f64 = 0.5;

/// When this software came to this Mac. Of what people choose themselves, one piece in three comes within the thirty days
/// before and after the day that recordings begin by default: about one a Mac in two weeks. The same seed is the same hour,
/// whenever the recording begins.
fn installed_at(seed: u64, mac: &str, (software, share): (&str, f64)) -> Moment {
    let seed = seed.to_string();
    if share >= SET_UP_SHARE || names::number(0, 2, &["is installed", &seed, mac, software]) != 0 {
        return Moment::MIN;
    }
    let hours = names::number(0, 60 * 24 - 1, &["installed", &seed, mac, software]) as i64 - 30 * 24;
    RealisticOptions::default().start.nanoseconds() + hours * 3_600 * SECOND
}

impl Stage<'_> {
    /// The person at the Mac. Gives how many connections were made.
    fn person(&mut self, work: &[(Moment, Moment)]) -> u64 {
        let browser = self.browser_of_person();
        let mut habits = self.habits();
        for stretch in work {
            self.browse_for_hours(&browser, &mut habits, *stretch);
        }
        self.stir(&browser, &mut habits);
        self.ask_the_dead(&browser, work);
        self.truth.push(Truth {
            scenario: "browsing".to_owned(),
            host: self.mac.name.clone(),
            application: browser.program.path_from_home(),
            signing_id: Some(browser.program.signing_id.clone()),
            team_id: browser.program.team().map(str::to_owned),
            agent: None,
            destination: "*".to_owned(),
            service: "*".to_owned(),
            malicious: false,
            disposition: "any".to_owned(),
            happened: "any".to_owned(),
            false_claims: pattern::USED_UNSEEN.iter().map(|claim| (*claim).to_owned()).collect(),
            shown: String::new(),
            seen_as: Vec::new(),
            address: None,
            masked: None,
            blind_twin_of: None,
            missing: None,
            exchanges: habits.connections,
        });
        habits.connections
    }

    fn browser_of_person(&self) -> Process {
        let program = Program::new(
            "/Applications/Lantern.app/Contents/MacOS/Lantern",
            "example.lantern.browser",
            Signature::Team("LANT3RN001".to_owned()),
        );
        self.mac.already_running(program, USER)
    }

    /// The daemons of macOS.
    fn macos(&mut self, host: u32) {
        self.daemons();
        self.cloud();
        self.mail();
        self.certificate_checks();
        if host % 3 == 1 {
            self.background_downloads();
        }
        // On few networks the time is blocked, and asked for all the more.
        let has_time = host % 40 != 17;
        self.time_of_day(has_time);
        for truth in &mut self.truth {
            let is_used = matches!(
                truth.scenario.as_str(),
                "cloud-sync" | "mail" | "certificate-checks" | "background-downloads" | "time"
            );
            if is_used {
                truth.false_claims = pattern::USED_UNSEEN.iter().map(|claim| (*claim).to_owned()).collect();
            }
            if truth.scenario == "time-unanswered" && !self.mac.sensors.network {
                truth.disposition = "unknown".to_owned();
            }
        }
    }

    /// Regular software: each Mac has its share, decided by a chance of its own.
    fn software(&mut self, work: &[(Moment, Moment)], surroundings: &Surroundings, installed: &mut Chance, seed: u64) {
        for (share, pattern) in &SOFTWARE {
            if !installed.happens(*share) {
                continue;
            }
            let since = installed_at(seed, &self.mac.name, (pattern.scenario, *share));
            if since >= self.end {
                continue;
            }
            let is_person = matches!(pattern.client, pattern::Client::Native(path, _) | pattern::Client::OwnStack(path, _) if path.starts_with("/Applications"));
            let first = if is_person {
                work.first().map_or(self.start, |(from, _)| *from) + seconds(self.chance.between(30.0, 2_000.0))
            } else {
                self.start + seconds(self.chance.between(20.0, pattern.every.0.min(7_200.0)))
            };
            let first = first.max(since);
            self.act(&Part { pattern, malicious: false, first, surroundings: surroundings.clone() });
        }
    }
}
