//! How right the links are: a simulated fleet, disturbed, read and linked as ever, against the simulator's truth.

use monologue_formats::{Input, Item, detect};
use monologue_hunt::{Options, exchanges_by_host};
use monologue_model::{Asset, DestinationName, Event, Exchange, Timestamp, WitnessKind};
use monologue_simulate::{Disturbance, Fleet, LinkTruth, Source, simulate};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Seeds that nothing else uses.
pub(crate) const SEEDS: [u64; 5] = [9001, 9002, 9003, 9004, 9005];

/// What is measured: no disturbance, each one, and combinations of two.
pub(crate) const DISTURBANCES: [&str; 26] = [
    "none",
    "sensor-ahead-2s",
    "sensor-behind-2s",
    "drift-50ppm",
    "sensor-ahead-30s",
    "sensor-ahead-1h",
    "nat",
    "proxy",
    "vpn",
    "ipv6-temporary",
    "duplicates",
    "reordered",
    "shared-addresses",
    "scarce-ports",
    "no-unified-log",
    "duplicates+reordered",
    "proxy+sensor-behind-2s",
    "vpn+drift-50ppm",
    "ipv6-temporary+duplicates",
    "nat+sensor-ahead-1h",
    "proxy+reordered",
    "vpn+sensor-ahead-1h",
    "scarce-ports+drift-50ppm",
    "scarce-ports+sensor-ahead-1h",
    "shared-addresses+nat",
    "no-unified-log+sensor-ahead-1h",
];

/// Two kinds of record that are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pair {
    /// The exec of the asking program, and the task.
    ProcessTask,
    /// The task, and the connection that carried it.
    TaskConnection,
    /// The connection as its process logged it, and the flow of the sensor.
    ConnectionFlow,
    /// The task, and the flow of the sensor.
    TaskFlow,
    /// The exec of `curl` and its like, and the flow, by the command line alone.
    ProcessFlow,
    /// Rows of `conn.log` and `http.log`.
    FlowHttp,
    /// Rows of `conn.log` and `ssl.log`.
    FlowTls,
    /// The flow, and the name that DNS answers give its address.
    FlowName,
}

impl Pair {
    /// Every pair, in the order of the table.
    pub(crate) const ALL: [Self; 8] = [
        Self::ProcessTask,
        Self::TaskConnection,
        Self::ConnectionFlow,
        Self::TaskFlow,
        Self::ProcessFlow,
        Self::FlowHttp,
        Self::FlowTls,
        Self::FlowName,
    ];

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ProcessTask => "process ↔ task",
            Self::TaskConnection => "task ↔ connection",
            Self::ConnectionFlow => "connection ↔ flow",
            Self::TaskFlow => "task ↔ flow",
            Self::ProcessFlow => "process ↔ flow",
            Self::FlowHttp => "flow ↔ http",
            Self::FlowTls => "flow ↔ ssl",
            Self::FlowName => "flow ↔ dns name",
        }
    }

    const fn kinds(self) -> (Source, Source) {
        match self {
            Self::ProcessTask => (Source::Eslogger, Source::UnifiedLogTask),
            Self::TaskConnection => (Source::UnifiedLogTask, Source::UnifiedLogConnection),
            Self::ConnectionFlow => (Source::UnifiedLogConnection, Source::ZeekConn),
            Self::TaskFlow => (Source::UnifiedLogTask, Source::ZeekConn),
            Self::ProcessFlow => (Source::Eslogger, Source::ZeekConn),
            Self::FlowHttp => (Source::ZeekConn, Source::ZeekHttp),
            Self::FlowTls => (Source::ZeekConn, Source::ZeekSsl),
            Self::FlowName => (Source::ZeekConn, Source::ZeekDns),
        }
    }

    /// Whether the records of this request could be joined in principle: both were written, and what the join rests on
    /// stands in both.
    fn is_possible(self, link: &LinkTruth, disturbance: Disturbance) -> bool {
        let has = |source| link.records.contains_key(&source);
        let (one, other) = self.kinds();
        let logged = has(Source::UnifiedLogTask) || has(Source::UnifiedLogConnection);
        has(one)
            && has(other)
            && match self {
                Self::ProcessTask | Self::TaskConnection | Self::FlowHttp | Self::FlowTls => true,
                // The one key that both have is the local address and port.
                Self::ConnectionFlow | Self::TaskFlow => link.own_end == link.seen_end,
                // The command line names the destination; behind address translation nobody knows whose flow it is.
                Self::ProcessFlow => link.program.ends_with("/curl") && !logged && !disturbance.translated,
                // Only a flow that no other record names needs the answers.
                Self::FlowName => !logged && !has(Source::ZeekSsl) && !has(Source::ZeekHttp),
            }
    }
}

/// Joins of one pair.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    /// Joins that were made.
    pub(crate) made: u64,
    /// Those of them that the truth has.
    pub(crate) right: u64,
    /// Requests whose records could be joined.
    pub(crate) possible: u64,
    /// Those of them whose records were joined.
    pub(crate) found: u64,
}

impl Count {
    /// Adds another count.
    pub(crate) const fn add(&mut self, other: Self) {
        self.made += other.made;
        self.right += other.right;
        self.possible += other.possible;
        self.found += other.found;
    }
}

/// What one fleet gives.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Joins, by pair.
    pub(crate) counts: BTreeMap<Pair, Count>,
    /// For hosts whose connections show the sensor's clock: how far the times that only the sensor recorded are off the
    /// host's clock after correction, at most, in seconds. `None`: there is no such host.
    pub(crate) clock_error_s: Option<f64>,
    /// Wrong joins, in words.
    pub(crate) wrong: Vec<String>,
}

impl Measured {
    /// Adds what another fleet gave.
    pub(crate) fn add(&mut self, other: Self) {
        for (pair, count) in other.counts {
            self.counts.entry(pair).or_default().add(count);
        }
        self.clock_error_s = longer(self.clock_error_s, other.clock_error_s);
        self.wrong.extend(other.wrong);
    }
}

/// The longer of two times.
fn longer(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    [one, other].into_iter().flatten().reduce(f64::max)
}

/// Simulates a disturbed fleet.
pub(crate) fn fleet(seed: u64, disturbance: &str) -> Fleet {
    let disturbance = Disturbance::named(disturbance).unwrap_or_default();
    simulate(&monologue_simulate::Options { seed, disturbance, ..monologue_simulate::Options::default() })
}

/// Reads the telemetry of a fleet as the program does: hosts by their folders, addresses by the asset list.
pub(crate) fn read(fleet: &Fleet) -> (Options, Vec<Event>) {
    let mut options = Options::default();
    let mut events = Vec::new();
    for file in &fleet.files {
        if file.path == "assets.csv" {
            options.assets = String::from_utf8_lossy(&file.bytes).lines().skip(1).filter_map(asset).collect();
        }
        let host: Option<Arc<str>> =
            file.path.strip_prefix("hosts/").and_then(|rest| rest.split('/').next()).map(Into::into);
        if host.is_none() && !file.path.starts_with("network/") {
            continue;
        }
        let input = Input::from_bytes(&file.path, &file.bytes);
        let Ok((Ok(format), input)) = input.with_head(detect) else { continue };
        for item in format.read(input) {
            if let Ok(Item::Event(mut event) | Item::Derived(mut event)) = item {
                event.host = event.host.or_else(|| host.clone());
                events.push(*event);
            }
        }
    }
    (options, events)
}

fn asset(line: &str) -> Option<Asset> {
    let mut fields = line.split(',');
    let host = fields.next()?.into();
    let address = fields.next()?.parse().ok();
    let mut time = || fields.next().and_then(|text| Timestamp::parse(text).ok());
    Some(Asset { host, address, from: time(), until: time() })
}

/// Reads and links a fleet, and holds the links against the truth.
pub(crate) fn measure(fleet: &Fleet, disturbance: &str) -> Measured {
    let (options, events) = read(fleet);
    let truth = Truth::new(fleet);
    let mut measured = Measured::default();
    let mut found: BTreeSet<(Pair, usize)> = BTreeSet::new();
    for exchanges in exchanges_by_host(&options, events).values() {
        for exchange in exchanges {
            truth.check(exchange, &mut measured, &mut found);
        }
    }
    let disturbance = Disturbance::named(disturbance).unwrap_or_default();
    for pair in Pair::ALL {
        let count = measured.counts.entry(pair).or_default();
        for (at, link) in fleet.links.iter().enumerate() {
            if pair.is_possible(link, disturbance) {
                count.possible += 1;
                count.found += u64::from(found.contains(&(pair, at)));
            }
        }
    }
    measured
}

/// The truth, by record.
struct Truth<'f> {
    links: &'f [LinkTruth],
    /// File and offset, to the kind of the record and the requests it belongs to.
    records: BTreeMap<(&'f str, u64), (Source, Vec<usize>)>,
    /// Hosts that logged connections which the sensor saw with the same ends.
    compared: BTreeSet<&'f str>,
}

/// The records an exchange cites, by kind: for each the requests it belongs to.
type Cited = BTreeMap<Source, Vec<BTreeSet<usize>>>;

impl<'f> Truth<'f> {
    fn new(fleet: &'f Fleet) -> Self {
        let mut records: BTreeMap<(&str, u64), (Source, Vec<usize>)> = BTreeMap::new();
        let mut compared = BTreeSet::new();
        for (at, link) in fleet.links.iter().enumerate() {
            for (source, places) in &link.records {
                for offset in &places.offsets {
                    let entry = records.entry((&places.file, *offset)).or_insert_with(|| (*source, Vec::new()));
                    entry.1.push(at);
                }
            }
            if Pair::ConnectionFlow.is_possible(link, Disturbance::default()) {
                compared.insert(link.host.as_str());
            }
        }
        Self { links: &fleet.links, records, compared }
    }

    fn cited(&self, exchange: &Exchange) -> Cited {
        let mut cited = Cited::new();
        for (kind, provenance) in &exchange.cites {
            let known = self.records.get(&(&*provenance.source, provenance.offset));
            let source = match (kind, known) {
                (WitnessKind::Effect | WitnessKind::Exit, _) => continue,
                // An exec that asked for nothing is the wrong one.
                (WitnessKind::Identity, None) => Source::Eslogger,
                (_, None) => continue,
                (_, Some((source, _))) => *source,
            };
            let requests = known.map(|(_, requests)| requests.iter().copied().collect()).unwrap_or_default();
            cited.entry(source).or_default().push(requests);
        }
        cited
    }

    fn check(&self, exchange: &Exchange, measured: &mut Measured, found: &mut BTreeSet<(Pair, usize)>) {
        let cited = self.cited(exchange);
        let logged = cited.contains_key(&Source::UnifiedLogTask) || cited.contains_key(&Source::UnifiedLogConnection);
        for pair in Pair::ALL {
            let (one, other) = pair.kinds();
            let common = match pair {
                Pair::FlowName => self.named(exchange, &cited, logged),
                Pair::ProcessFlow if logged => None,
                _ => cited.get(&one).zip(cited.get(&other)).map(|(one, other)| common(one.iter().chain(other))),
            };
            let Some(common) = common else { continue };
            let count = measured.counts.entry(pair).or_default();
            count.made += 1;
            count.right += u64::from(!common.is_empty());
            if common.is_empty() {
                let (time, name) = (exchange.time, &exchange.destination.name);
                measured.wrong.push(format!("{}: {} at {time}, {name:?}", pair.name(), exchange.host));
            }
            found.extend(common.into_iter().map(|request| (pair, request)));
        }
        let alone = cited.get(&Source::ZeekConn).filter(|_| !logged).map(|rows| common(rows.iter()));
        for link in alone.iter().flatten().filter_map(|request| self.links.get(*request)) {
            let http = cited.contains_key(&Source::ZeekHttp);
            if self.compared.contains(link.host.as_str()) && *link.host == *exchange.host && !http {
                let error_ns = exchange.time.nanoseconds() - link.opened_ns;
                measured.clock_error_s = longer(measured.clock_error_s, Some(error_ns.abs() as f64 / 1e9));
            }
        }
    }

    /// The requests of a flow that has its name by DNS alone, as far as it is the right name. `None` if it has not.
    fn named(&self, exchange: &Exchange, cited: &Cited, logged: bool) -> Option<BTreeSet<usize>> {
        let otherwise = logged || cited.contains_key(&Source::ZeekSsl) || cited.contains_key(&Source::ZeekHttp);
        let rows = cited.get(&Source::ZeekConn).filter(|_| !otherwise)?;
        let DestinationName::Known(name) = &exchange.destination.name else { return None };
        let right = |request: &usize| self.links.get(*request).is_some_and(|link| *link.destination == **name);
        Some(common(rows.iter()).into_iter().filter(right).collect())
    }
}

/// The requests that all of these records belong to.
fn common<'a>(mut records: impl Iterator<Item = &'a BTreeSet<usize>>) -> BTreeSet<usize> {
    let first = records.next().cloned().unwrap_or_default();
    records.fold(first, |common, record| common.intersection(record).copied().collect())
}

/// The interval that holds a share with 95 % confidence (Wilson 1927).
pub(crate) fn wilson(part: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    // The 97.5th percentile of the normal distribution.
    let z = 1.959_964_f64;
    let (n, share) = (of as f64, part as f64 / of as f64);
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}
