//! A whole hunt: events of many hosts to a report.

use crate::{
    Baseline, Census, CodeProfiles, Settings, Verdict,
    host::hunt_host,
    origin::{AddressFacts, Origin},
    sensors::Sensors,
};
use monologue_model::{Asset, Detail, Event, Level, Report, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a hunt may be told besides telemetry.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which host had which address when (`--assets`).
    pub assets: Vec<Asset>,
    /// Networks whose addresses are ours (`--local`). Not empty: overrides every other way to tell.
    pub local: Vec<crate::IpNet>,
    /// Leave out events before this.
    pub since: Option<Timestamp>,
    /// Leave out events after this.
    pub until: Option<Timestamp>,
    /// What is known of programs' code.
    pub code: CodeProfiles,
    /// Approvals.
    pub baseline: Baseline,
    /// What a team may change.
    pub settings: Arc<Settings>,
    /// Version of the program, for the report.
    pub version: String,
}

/// How far a hunt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Hosts done.
    pub done: usize,
    /// Hosts in all.
    pub of: usize,
}

/// Collects events, then hunts them.
#[derive(Debug, Default)]
pub struct Hunt {
    options: Options,
    events: Vec<Event>,
}

impl Hunt {
    /// A hunt without events.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, events: Vec::new() }
    }

    /// Takes one event, in any order. Set [`Event::host`] first where the record does not name its host and it is known.
    pub fn take(&mut self, event: Event) {
        let kept = matches!(event.detail, Detail::Coverage(_))
            || (self.options.since.is_none_or(|since| event.time >= since)
                && self.options.until.is_none_or(|until| event.time <= until));
        if kept {
            self.events.push(event);
        }
    }

    /// Links, summarises and judges all events taken. Findings below `minimum` are counted, not listed.
    ///
    /// `summary.sources` of the report is empty: the caller knows what was read.
    #[must_use]
    pub fn finish(self, minimum: Level, progress: &mut dyn FnMut(Progress)) -> Report {
        let version = self.options.version.as_str().into();
        let by_host = partition(&self.options, self.events);
        let of = by_host.len();
        let mut hosts = Vec::with_capacity(of);
        let mut census = Census::by(&self.options.settings);
        for (done, (host, (named, events))) in by_host.into_iter().enumerate() {
            let hunted = hunt_host(&host, events);
            // An address that began no exchange (multicast chatter, a resolver) is nobody's Mac.
            if named || !hunted.channels.is_empty() {
                census.add(&hunted);
                hosts.push(hunted);
            }
            progress(Progress { done: done + 1, of });
        }
        let mut verdict = Verdict::new(census, minimum)
            .with_settings(self.options.settings)
            .with_code(self.options.code)
            .with_baseline(self.options.baseline);
        hosts.into_iter().for_each(|host| verdict.judge(host));
        verdict.report(version)
    }
}

/// The events of each host, and whether anything but its address names it.
pub(crate) type ByHost = BTreeMap<Arc<str>, (bool, Vec<Event>)>;

/// Gives each event to the host it happened on. What a network sensor says of its own completeness goes to every host of
/// whose traffic it recorded something; what one says that recorded nobody's traffic, to every host that any sensor saw.
pub(crate) fn partition(options: &Options, events: Vec<Event>) -> ByHost {
    let mut facts = AddressFacts::default();
    options.assets.iter().for_each(|asset| facts.state(asset.clone()));
    events.iter().for_each(|event| facts.learn(event));
    let origin = Origin::new(facts, &options.local);
    let mut by_host = ByHost::new();
    let mut seen_by_sensor: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    let mut speaking: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut of_sensors = Vec::new();
    let mut sensors = Sensors::default();
    for event in events {
        if let Some(host) = event.host.clone() {
            let entry = by_host.entry(host).or_default();
            entry.0 = true;
            entry.1.push(event);
        } else if let Some(originator) = event.originator() {
            let sensor = sensors.of(&event.provenance.source);
            speaking.insert(sensor.clone());
            if let Some(host) = origin.host_of(originator, event.time) {
                seen_by_sensor.entry(host.clone()).or_default().insert(sensor);
                by_host.entry(host).or_default().1.push(event);
            }
        } else {
            of_sensors.push((sensors.of(&event.provenance.source), event));
        }
    }
    for (host, sensors) in &seen_by_sensor {
        let speaks = |sensor: &Arc<str>| sensors.contains(sensor) || !speaking.contains(sensor);
        let statements = of_sensors.iter().filter(|(sensor, _)| speaks(sensor)).map(|(_, event)| event.clone());
        by_host.entry(host.clone()).or_default().1.extend(statements);
    }
    by_host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensor_speaks_for_every_host_of_whose_traffic_it_recorded_something() {
        let provenance = monologue_model::Provenance {
            source: "conn.log".into(),
            offset: 0,
            length: 1,
            sha256: monologue_model::Sha256::default(),
        };
        let event = |host: Option<&str>, detail| Event {
            time: Timestamp::default(),
            host: host.map(Into::into),
            format: "zeek-dns".into(),
            provenance: provenance.clone(),
            detail,
        };
        let query = |from: &str| monologue_model::DnsQuery {
            process: None,
            originator: from.parse().ok(),
            resolver: None,
            name: None,
            name_hash: None,
            query_type: None,
            answers: Vec::new(),
            response_code: None,
        };
        let coverage = monologue_model::CoverageRecord {
            format: "zeek-dns".into(),
            sights: monologue_model::SightSet::EMPTY,
            from: Timestamp::default(),
            until: Timestamp::default(),
            state: monologue_model::CoverageState::Complete,
        };
        let events = vec![
            event(None, Detail::Dns(Box::new(query("10.0.0.1:9")))),
            event(None, Detail::Dns(Box::new(query("10.0.0.2:9")))),
            event(Some("anna"), Detail::Coverage(coverage.clone())),
            event(None, Detail::Coverage(coverage)),
        ];
        let by_host = partition(&Options::default(), events);
        let counts: Vec<(&str, bool, usize)> =
            by_host.iter().map(|(host, (named, events))| (&**host, *named, events.len())).collect();
        assert_eq!(counts, [("10.0.0.1", false, 2), ("10.0.0.2", false, 2), ("anna", true, 1)]);
    }
}
