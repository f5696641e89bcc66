//! A whole hunt: events of many hosts to a report.

use crate::{
    HostHunt, absence, awake::AwakeClock, cadence, discovery, documented, finding, host::hunt_host, judge,
    judge::Context, origin::Origin, related, settings,
};
use monologue_model::{
    ApplicationKey, Asset, Channel, ChannelId, ChannelKey, Detail, Event, Finding, HuntSummary, Level, Prevalence,
    Report, Timestamp,
};
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

/// All channels, judged.
pub struct Judged {
    /// One finding for each channel, the most urgent first.
    pub findings: Vec<Finding>,
    /// Channels with enough check-ins for a cadence test.
    pub cadence_tested: u64,
    /// Largest p-value that still counts as a cadence. `None` means none does.
    pub cadence_threshold: Option<f64>,
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
        let times =
            self.events.iter().filter(|event| !matches!(event.detail, Detail::Coverage(_))).map(|event| event.time);
        let (first_time, last_time) = (times.clone().min(), times.max());
        let version = self.options.version.as_str().into();
        let by_host = partition(&self.options, self.events);
        let of = by_host.len();
        let mut hosts = Vec::with_capacity(of);
        for (done, (host, (named, events))) in by_host.into_iter().enumerate() {
            let hunted = hunt_host(&host, events);
            // An address that began no exchange (multicast chatter, a resolver) is nobody's Mac.
            if named || !hunted.channels.is_empty() {
                hosts.push(hunted);
            }
            progress(Progress { done: done + 1, of });
        }
        let judged = judge_hosts(&hosts);
        let examined = judged.findings.len() as u64;
        let findings: Vec<Finding> = judged.findings.into_iter().filter(|finding| finding.level >= minimum).collect();
        let summary = HuntSummary {
            version,
            hosts: hosts.len() as u64,
            exchanges: hosts.iter().map(|host| host.exchanges).sum(),
            channels_examined: examined,
            cadence_tested: judged.cadence_tested,
            cadence_threshold: judged.cadence_threshold,
            first_time,
            last_time,
            sources: Vec::new(),
            not_listed: examined - findings.len() as u64,
            notes: notes(&hosts),
            coverage: hosts.into_iter().map(|host| host.coverage).collect(),
        };
        Report { summary, findings }
    }
}

/// The events of each host, and whether anything but its address names it.
type ByHost = BTreeMap<Arc<str>, (bool, Vec<Event>)>;

/// Gives each event to the host it happened on. What a network sensor says of its own completeness goes to every host of
/// whose traffic it recorded something.
fn partition(options: &Options, events: Vec<Event>) -> ByHost {
    let origin = Origin::learn(options, events.iter());
    let mut by_host = ByHost::new();
    let mut seen_by_sensor: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut of_sensors = Vec::new();
    for event in events {
        if let Some(host) = event.host.clone() {
            let entry = by_host.entry(host).or_default();
            entry.0 = true;
            entry.1.push(event);
        } else if let Some(originator) = event.originator() {
            if let Some(host) = origin.host_of(originator, event.time) {
                seen_by_sensor.insert(host.clone());
                by_host.entry(host).or_default().1.push(event);
            }
        } else {
            of_sensors.push(event);
        }
    }
    for host in &seen_by_sensor {
        by_host.entry(host.clone()).or_default().1.extend(of_sensors.iter().cloned());
    }
    by_host
}

/// Judges the channels of all hosts: prevalence and false-discovery control look at the whole hunt.
#[must_use]
pub fn judge_hosts(hosts: &[HostHunt]) -> Judged {
    let prevalence = prevalence(hosts);
    let attributed_hosts =
        hosts.iter().filter(|host| host.channels.iter().any(|channel| !channel.key.application.is_unknown())).count()
            as u64;
    let tests: Vec<Vec<Option<cadence::Cadence>>> = hosts.iter().map(cadences_of).collect();
    let p_values: Vec<f64> = tests.iter().flatten().flatten().map(|test| test.p_value).collect();
    let cadence_threshold = discovery::threshold(&p_values, settings::DISCOVERY_RATE);
    let mut findings = Vec::new();
    for (host, tests) in hosts.iter().zip(&tests) {
        let possible = absence::possible(&host.channels);
        let first = findings.len();
        for ((channel, possible), cadence) in host.channels.iter().zip(&possible).zip(tests) {
            let subject = absence::Subject { channel, possible, missing: host.missing_exchanges };
            let context = Context {
                prevalence: Prevalence {
                    hosts: prevalence.get(&fleet_key(channel)).copied().unwrap_or(1),
                    of: attributed_hosts,
                },
                cadence: *cadence,
                cadence_threshold,
                documented: documented::explain(channel),
            };
            let mut finding = finding::build(&subject, &context, &judge::judge(&subject, &context));
            finding.supersedes = supersedes(channel, &host.channels);
            findings.push(finding);
        }
        related::relate(&host.channels, findings.get_mut(first..).unwrap_or_default());
    }
    findings.sort_by(|one, other| {
        other.level.cmp(&one.level).then(other.score.total_cmp(&one.score)).then(one.id.cmp(&other.id))
    });
    Judged { findings, cadence_tested: p_values.len() as u64, cadence_threshold }
}

/// The names this channel had while less was known of its application, as far as no channel of this hunt still bears them.
fn supersedes(channel: &Channel, channels: &[Channel]) -> Vec<ChannelId> {
    let with = |application: ApplicationKey| ChannelKey { application, ..channel.key.clone() };
    let without_agent = match &channel.key.application {
        ApplicationKey::Signed { team, signing_id, agent: Some(_) } => {
            Some(with(ApplicationKey::Signed { team: team.clone(), signing_id: signing_id.clone(), agent: None }))
        }
        ApplicationKey::Path { path, agent: Some(_) } => {
            Some(with(ApplicationKey::Path { path: path.clone(), agent: None }))
        }
        _ => None,
    };
    let family = Some(channel.key.service.family())
        .filter(|family| *family != channel.key.service)
        .map(|service| ChannelKey { service, ..channel.key.clone() });
    let unattributed = (!channel.key.application.is_unknown()).then(|| with(ApplicationKey::Unknown));
    unattributed
        .into_iter()
        .chain(without_agent)
        .chain(family)
        .filter(|key| channels.binary_search_by(|other| other.key.cmp(key)).is_err())
        .map(|key| key.id())
        .collect()
}

fn cadences_of(host: &HostHunt) -> Vec<Option<cadence::Cadence>> {
    let clock = host.awake.clock();
    host.channels.iter().map(|channel| cadence_of(channel, &clock)).collect()
}

/// The cadence of a channel on its host's awake clock. Connections are brought together on the wall clock: what lies close
/// together on the other may be a night apart.
fn cadence_of(channel: &Channel, clock: &AwakeClock) -> Option<cadence::Cadence> {
    let times: Vec<i64> = channel.rows().map(|row| row.time.nanoseconds()).collect();
    let check_ins = cadence::check_ins(&times, cadence::COLLAPSE_NS);
    let awake: Vec<i64> = check_ins.iter().map(|time| clock.reading(Timestamp::from_nanoseconds(*time))).collect();
    cadence::test(&awake)
}

/// The key of a channel without its host.
fn fleet_key(channel: &Channel) -> ChannelKey {
    ChannelKey { host: "".into(), ..channel.key.clone() }
}

fn prevalence(hosts: &[HostHunt]) -> BTreeMap<ChannelKey, u64> {
    let mut prevalence = BTreeMap::new();
    for channel in hosts.iter().flat_map(|host| &host.channels) {
        *prevalence.entry(fleet_key(channel)).or_insert(0) += 1;
    }
    prevalence
}

/// Clock differences below this are not worth a note: 0.1 s.
const NOTED_SKEW_NS: i64 = 100_000_000;

fn notes(hosts: &[HostHunt]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut skews: Vec<(i64, &str)> = hosts
        .iter()
        .filter_map(|host| Some((host.clock_skew_ns.filter(|skew| skew.abs() > NOTED_SKEW_NS)?, &*host.host)))
        .collect();
    skews.sort_unstable();
    if let (Some((least, first)), Some((greatest, _))) = (skews.first(), skews.last()) {
        let whose = if skews.len() == 1 { (*first).to_owned() } else { format!("{} hosts", skews.len()) };
        let signed = |skew: i64| format!("{}{}", if skew < 0 { "−" } else { "+" }, finding::duration(skew.abs()));
        notes.push(format!(
            "{whose}: the network sensor's clock differs from the host's by {} to {} (median of matched connections; corrected \
             for)",
            signed(*least),
            signed(*greatest),
        ));
    }
    for host in hosts.iter().filter(|host| host.missing_exchanges > 0) {
        notes.push(format!(
            "{}: {} records that could show exchanges were lost, so nothing is said here from absence",
            host.host, host.missing_exchanges
        ));
    }
    for host in hosts {
        notes.extend(host.refused.sentences().into_iter().map(|sentence| format!("{}: {sentence}", host.host)));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::Service;

    #[test]
    fn a_fuller_key_stands_for_the_poorer_ones_that_are_gone() {
        let channel = |application| {
            let key = ChannelKey { host: "mac".into(), application, service: Service::Name("a.example".into()) };
            Channel::new(key, Timestamp::default(), 10)
        };
        let curl = |agent: Option<&str>| ApplicationKey::Signed {
            team: None,
            signing_id: "com.apple.curl".into(),
            agent: agent.map(Into::into),
        };
        let full = channel(curl(Some("~/a.sh")));
        let (bare, unknown) = (channel(curl(None)), channel(ApplicationKey::Unknown));
        assert_eq!(supersedes(&full, std::slice::from_ref(&full)), [unknown.key.id(), bare.key.id()]);
        let mut present = vec![unknown.clone(), full.clone()];
        present.sort_by(|one, other| one.key.cmp(&other.key));
        assert_eq!(supersedes(&full, &present), [bare.key.id()], "the other is still there");
        assert!(supersedes(&unknown, &present).is_empty());
    }

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
