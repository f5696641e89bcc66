//! The second pass: what must be known of the whole hunt, then the judgement of each host's channels.

use crate::{
    Baseline, CodeProfiles, HostHunt, RefusedJoins, absence, awake::AwakeClock, baseline, cadence, claims, dependence,
    discovery, documented, finding, judge, judge::Context, leads, macos_baseline, novelty, related, settings::Settings,
    triage,
};
use monologue_model::{
    ApplicationKey, Channel, ChannelId, ChannelKey, Finding, HostCoverage, HuntSummary, Level, Prevalence, Report,
    Service, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What must be known of the whole hunt before any channel can be judged: who else does the same, and every p-value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Census {
    /// Connections of one channel within so many nanoseconds are one check-in. `None`: the product's own number.
    burst_ns: Option<i64>,
    /// Hosts by application and service.
    prevalence: BTreeMap<Arc<str>, u64>,
    /// Hosts by application.
    applications: BTreeMap<Arc<str>, u64>,
    /// Hosts of which at least one channel has a known application.
    attributed_hosts: u64,
    /// Who asks a service.
    #[serde(default)]
    services: BTreeMap<Arc<str>, Asked>,
    /// Hosts of which it is known for at least one channel which service it leads to.
    #[serde(default)]
    telling_hosts: u64,
    hosts: u64,
    exchanges: u64,
    p_values: Vec<f64>,
    /// Clock differences worth a note, sensor minus host, in nanoseconds.
    skews: Vec<(i64, Arc<str>)>,
    /// Joins that were refused, by host.
    refused: Vec<(Arc<str>, RefusedJoins)>,
    /// Records that could show exchanges and were lost, by host.
    missing: Vec<(Arc<str>, u64)>,
    first_time: Option<Timestamp>,
    last_time: Option<Timestamp>,
}

/// Who asks a service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asked {
    /// Hosts, whoever asks there.
    hosts: u64,
    /// The first request of any of them.
    first: Timestamp,
}

/// The first request of one host to each service, whichever program made it.
fn first_asked<'a>(told: impl Iterator<Item = &'a Channel>) -> BTreeMap<Arc<str>, Timestamp> {
    let mut services = BTreeMap::new();
    for channel in told {
        let first = services.entry(service_name(channel)).or_insert(channel.first_time);
        *first = channel.first_time.min(*first);
    }
    services
}

/// Clock differences below this are not worth a note: 0.1 s.
const NOTED_SKEW_NS: i64 = 100_000_000;

impl Census {
    /// A census of nobody yet, by these settings.
    #[must_use]
    pub fn by(settings: &Settings) -> Self {
        Self { burst_ns: Some((settings.burst_seconds * 1e9) as i64), ..Self::default() }
    }

    fn burst_ns(&self) -> i64 {
        self.burst_ns.unwrap_or(cadence::COLLAPSE_NS)
    }

    /// Counts one host.
    pub fn add(&mut self, host: &HostHunt) {
        self.hosts += 1;
        self.exchanges += host.exchanges;
        let attributed = host.channels.iter().any(|channel| !channel.key.application.is_unknown());
        self.attributed_hosts += u64::from(attributed);
        let clock = host.awake.clock();
        for channel in &host.channels {
            *self.prevalence.entry(fleet_name(channel)).or_insert(0) += 1;
            let test = cadence_of(channel, &clock, self.burst_ns());
            self.p_values.extend(test.map(|test| test.p_value));
        }
        let known = host.channels.iter().filter(|channel| !channel.key.application.is_unknown());
        let names: BTreeSet<Arc<str>> = known.map(application_name).collect();
        for name in names {
            *self.applications.entry(name).or_insert(0) += 1;
        }
        let told = host.channels.iter().filter(|channel| is_told(&channel.key.service));
        let services = first_asked(told);
        self.telling_hosts += u64::from(!services.is_empty());
        for (name, first) in services {
            self.add_service(name, Asked { hosts: 1, first });
        }
        if host.refused != RefusedJoins::default() {
            self.refused.push((host.host.clone(), host.refused));
        }
        let skew = host.clock_skew_ns.filter(|skew| skew.abs() > NOTED_SKEW_NS);
        self.skews.extend(skew.map(|skew| (skew, host.host.clone())));
        if host.missing_exchanges > 0 {
            self.missing.push((host.host.clone(), host.missing_exchanges));
        }
        self.first_time = earlier(self.first_time, Some(host.coverage.from));
        self.last_time = self.last_time.max(Some(host.coverage.until));
    }

    fn add_service(&mut self, name: Arc<str>, asked: Asked) {
        let known = self.services.entry(name).or_insert(Asked { hosts: 0, ..asked });
        known.hosts += asked.hosts;
        known.first = known.first.min(asked.first);
    }

    /// Adds the hosts of another part of the same hunt; the two must have no host in common.
    pub fn merge(&mut self, other: Self) {
        for (name, count) in other.prevalence {
            *self.prevalence.entry(name).or_insert(0) += count;
        }
        for (name, count) in other.applications {
            *self.applications.entry(name).or_insert(0) += count;
        }
        for (name, asked) in other.services {
            self.add_service(name, asked);
        }
        self.burst_ns = self.burst_ns.or(other.burst_ns);
        self.attributed_hosts += other.attributed_hosts;
        self.telling_hosts += other.telling_hosts;
        self.hosts += other.hosts;
        self.exchanges += other.exchanges;
        self.p_values.extend(other.p_values);
        self.skews.extend(other.skews);
        self.missing.extend(other.missing);
        self.refused.extend(other.refused);
        self.first_time = earlier(self.first_time, other.first_time);
        self.last_time = self.last_time.max(other.last_time);
    }

    fn notes(&mut self) -> Vec<String> {
        self.skews.sort_unstable();
        self.missing.sort_unstable();
        self.refused.sort_by(|one, other| one.0.cmp(&other.0));
        let mut notes: Vec<String> = clock_note(&self.skews).into_iter().collect();
        notes.extend(missing_notes(&self.missing));
        for (host, refused) in &self.refused {
            notes.extend(refused.sentences().into_iter().map(|sentence| format!("{host}: {sentence}")));
        }
        notes
    }
}

/// How far the network sensor's clock is from those of hosts. `skews` is sorted.
fn clock_note(skews: &[(i64, Arc<str>)]) -> Option<String> {
    let ((least, first), (greatest, _)) = (skews.first()?, skews.last()?);
    let whose = if skews.len() == 1 { first.to_string() } else { format!("{} hosts", skews.len()) };
    let signed = |skew: i64| format!("{}{}", if skew < 0 { "−" } else { "+" }, finding::duration(skew.abs()));
    let (least, greatest) = (signed(*least), signed(*greatest));
    let by = if least == greatest { least } else { format!("{least} to {greatest}") };
    Some(format!(
        "{whose}: the network sensor's clock differs from the host's by {by} (median of matched connections; corrected for)"
    ))
}

/// Hosts with lost records that have a note each; of more, one note names the first few.
const MISSING_NAMED: usize = 4;

/// What is to be said of hosts whose sensors lost records that could show exchanges. `missing` is sorted.
fn missing_notes(missing: &[(Arc<str>, u64)]) -> Vec<String> {
    let lost = |whose: &str, records: u64, place: &str| {
        let were = if records == 1 {
            "1 record that could show exchanges was"
        } else {
            "records that could show exchanges were"
        };
        let count = if records == 1 { String::new() } else { format!("{records} ") };
        format!("{whose}: {count}{were} lost, so nothing is said {place} from absence")
    };
    if missing.len() <= MISSING_NAMED {
        return missing.iter().map(|(host, records)| lost(host, *records, "here")).collect();
    }
    let named: Vec<&str> = missing.iter().take(MISSING_NAMED).map(|(host, _)| &**host).collect();
    let whose = format!("{} hosts ({} and {} more)", missing.len(), named.join(", "), missing.len() - named.len());
    vec![lost(&whose, missing.iter().map(|(_, records)| records).sum(), "there")]
}

/// The earlier of two moments of which either may be unknown.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// Judges host after host, once the census is taken.
#[derive(Debug)]
pub struct Verdict {
    census: Census,
    cadence_threshold: Option<f64>,
    minimum: Level,
    settings: Arc<Settings>,
    code: CodeProfiles,
    baseline: Baseline,
    approved: u64,
    findings: Vec<Finding>,
    channels_examined: u64,
    coverage: Vec<HostCoverage>,
}

impl Verdict {
    /// A verdict over the hosts of a census. Findings below `minimum` are counted, not listed.
    #[must_use]
    pub fn new(census: Census, minimum: Level) -> Self {
        let settings = Arc::new(Settings::shipped().clone());
        let cadence_threshold = discovery::threshold(&census.p_values, settings.discovery_rate);
        let (findings, coverage) = (Vec::new(), Vec::new());
        Self {
            census,
            cadence_threshold,
            minimum,
            settings,
            code: CodeProfiles::default(),
            baseline: Baseline::default(),
            approved: 0,
            findings,
            channels_examined: 0,
            coverage,
        }
    }

    /// Judges by other settings than the product's. The census must have been taken [`Census::by`] the same.
    #[must_use]
    pub fn with_settings(mut self, settings: Arc<Settings>) -> Self {
        self.cadence_threshold = discovery::threshold(&self.census.p_values, settings.discovery_rate);
        self.settings = settings;
        self
    }

    /// Takes what is known of programs' code into account.
    #[must_use]
    pub fn with_code(mut self, code: CodeProfiles) -> Self {
        self.code = code;
        self
    }

    /// Takes approvals into account.
    #[must_use]
    pub fn with_baseline(mut self, baseline: Baseline) -> Self {
        self.baseline = baseline;
        self
    }

    /// Judges the channels of one host of the census.
    pub fn judge(&mut self, host: HostHunt) {
        let possible = absence::possible(&host.channels);
        let clock = host.awake.clock();
        let burst_ns = self.census.burst_ns();
        let requests = requests_by_application(&host.channels);
        let leads = leads::leads(&host.channels);
        let host_first = first_asked(host.channels.iter().filter(|channel| is_told(&channel.key.service)));
        // Whoever made a request that is nobody's may have made it after a reply.
        let known = |channel: &Channel| !channel.key.application.is_unknown() && !channel.kept_hours().1;
        let all_known = host.channels.iter().all(known);
        let mut findings: Vec<Finding> = Vec::with_capacity(host.channels.len());
        for ((channel, possible), leads_to) in host.channels.iter().zip(&possible).zip(leads) {
            let subject = absence::Subject { channel, possible, missing: host.missing_exchanges };
            let service = service_name(channel);
            let asked = self.census.services.get(&service);
            let firsts = host_first.get(&service).zip(asked.map(|asked| asked.first));
            let context = Context {
                settings: &self.settings,
                application_hosts: self.census.applications.get(&application_name(channel)).copied().unwrap_or(0),
                service_hosts: asked.map_or(1, |asked| asked.hosts),
                telling_hosts: self.census.telling_hosts,
                novelty: firsts
                    .map(|(host_first, fleet_first)| novelty::of(channel, &host.coverage, *host_first, fleet_first)),
                leads_to,
                prevalence: Prevalence {
                    hosts: self.hosts_that_do_the_same(channel),
                    of: self.census.attributed_hosts,
                },
                cadence: cadence_of(channel, &clock, burst_ns),
                cadence_threshold: self.cadence_threshold,
                dependence: dependence::test(channel, &clock, all_known.then(|| others(&requests, channel)).as_deref()),
                backs_off: cadence::backs_off(&awake_check_ins(channel, &clock, burst_ns)),
                code: self.code.of(channel),
                documented: documented::explain(channel),
            };
            let mut finding = finding::build(&subject, &context, &judge::judge(&subject, &context));
            finding.supersedes = supersedes(channel, &host.channels);
            let period = context.cadence.filter(|_| context.passes_cadence()).map(|cadence| cadence.period_ns);
            finding.period_seconds = period.map(|period| period as f64 / 1e9);
            let before = finding.level;
            let mut word = self.baseline.word(channel, period);
            if self.settings.macos_baseline && word == baseline::Word::default() {
                word.approval = macos_baseline::approve(channel);
            }
            baseline::apply(&mut finding, word);
            self.approved += u64::from(finding.level < before && before >= self.minimum);
            findings.push(finding);
        }
        related::relate(&host.channels, &mut findings);
        // Last, since the steps speak of all that is known of the finding.
        findings.iter_mut().for_each(|finding| finding.triage = triage::steps(finding));
        self.channels_examined += findings.len() as u64;
        self.findings.extend(findings.into_iter().filter(|finding| finding.level >= self.minimum));
        self.coverage.push(host.coverage);
    }

    /// Hosts on which this application asks this service. A masked name is another on each host: then the application decides.
    fn hosts_that_do_the_same(&self, channel: &Channel) -> u64 {
        let hosts = match channel.key.service {
            Service::Masked(_) | Service::Unknown => self.census.applications.get(&application_name(channel)),
            _ => self.census.prevalence.get(&fleet_name(channel)),
        };
        hosts.copied().unwrap_or(1)
    }

    fn notes(&mut self) -> Vec<String> {
        let mut notes = self.census.notes();
        if self.approved > 0 {
            notes.push(format!(
                "{} by the baseline; --minimum-level info lists what is approved with the rest",
                if self.approved == 1 {
                    "1 finding is approved".to_owned()
                } else {
                    format!("{} findings are approved", self.approved)
                }
            ));
        }
        notes
    }

    /// Everything judged, the most urgent first. `summary.sources` is empty: the caller knows what was read.
    #[must_use]
    pub fn report(mut self, version: Arc<str>) -> Report {
        self.findings.sort_by(|one, other| {
            other.level.cmp(&one.level).then(other.score.total_cmp(&one.score)).then(one.id.cmp(&other.id))
        });
        self.coverage.sort_by(|one, other| one.host.cmp(&other.host));
        let summary = HuntSummary {
            version,
            hosts: self.census.hosts,
            exchanges: self.census.exchanges,
            channels_examined: self.channels_examined,
            cadence_tested: self.census.p_values.len() as u64,
            cadence_threshold: self.cadence_threshold,
            first_time: self.census.first_time,
            last_time: self.census.last_time,
            not_listed: self.channels_examined - self.findings.len() as u64,
            notes: self.notes(),
            claims: claims::of(&self.coverage),
            coverage: self.coverage,
            ..HuntSummary::default()
        };
        Report { summary, findings: self.findings }
    }
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

/// The cadence of a channel on its host's awake clock.
fn cadence_of(channel: &Channel, clock: &AwakeClock, burst_ns: i64) -> Option<cadence::Cadence> {
    cadence::test(&awake_check_ins(channel, clock, burst_ns))
}

/// Check-ins of a channel on its host's awake clock. Connections are brought together on the wall clock: what lies close
/// together on the other may be a night apart.
fn awake_check_ins(channel: &Channel, clock: &AwakeClock, burst_ns: i64) -> Vec<i64> {
    let times: Vec<i64> = channel.rows().filter(|row| row.timed).map(|row| row.time.nanoseconds()).collect();
    let check_ins = cadence::check_ins(&times, burst_ns);
    check_ins.iter().map(|time| clock.reading(Timestamp::from_nanoseconds(*time))).collect()
}

/// Requests of each known application on one host, by time, with the place of their channel.
type Requests<'a> = BTreeMap<&'a ApplicationKey, Vec<(Timestamp, &'a ChannelKey)>>;

fn requests_by_application(channels: &[Channel]) -> Requests<'_> {
    let mut requests = Requests::new();
    for channel in channels.iter().filter(|channel| !channel.key.application.is_unknown()) {
        let of = requests.entry(&channel.key.application).or_default();
        of.extend(channel.rows().map(|row| (row.time, &channel.key)));
    }
    requests.values_mut().for_each(|times| times.sort_unstable());
    requests
}

/// When the application of a channel made requests of its other channels.
fn others(requests: &Requests<'_>, channel: &Channel) -> Vec<Timestamp> {
    let all = requests.get(&channel.key.application).map_or(&[][..], Vec::as_slice);
    all.iter().filter(|(_, key)| **key != channel.key).map(|(time, _)| *time).collect()
}

/// The name of a channel without its host: the same on every host of the fleet.
fn fleet_name(channel: &Channel) -> Arc<str> {
    ChannelKey { host: "".into(), ..channel.key.clone() }.id().to_string().into()
}

/// Whether a service has a name in clear or is an address: what hosts can be compared by.
const fn is_told(service: &Service) -> bool {
    service.is_named() || matches!(service, Service::Address(_))
}

/// The name of a channel's service: the same on every host of the fleet.
fn service_name(channel: &Channel) -> Arc<str> {
    channel.key.service.to_string().into()
}

/// The name of a channel's application: the same on every host of the fleet.
fn application_name(channel: &Channel) -> Arc<str> {
    let application = channel.key.application.clone();
    ChannelKey { host: "".into(), application, service: Service::Unknown }.id().to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::Service;

    #[test]
    fn a_service_is_known_to_a_host_since_any_program_of_it_asked() {
        let at = Timestamp::from_nanoseconds;
        let channel = |application: ApplicationKey, service: &str, time: i64| {
            let key = ChannelKey { host: "anna".into(), application, service: Service::Name(service.into()) };
            Channel::new(key, at(time), monologue_model::DEFAULT_ROW_CAP)
        };
        let agent = ApplicationKey::Path { path: "/opt/agent".into(), agent: None };
        let channels = [
            channel(agent.clone(), "a.test", 9),
            channel(ApplicationKey::Unknown, "a.test", 4),
            channel(agent, "b.test", 7),
        ];
        let firsts: Vec<(String, Timestamp)> =
            first_asked(channels.iter()).into_iter().map(|(name, first)| (name.to_string(), first)).collect();
        assert_eq!(firsts, [("a.test".to_owned(), at(4)), ("b.test".to_owned(), at(7))]);
    }

    #[test]
    fn clocks_that_differ_alike_are_told_once() {
        let skews = |list: &[i64]| -> Vec<(i64, Arc<str>)> { list.iter().map(|skew| (*skew, "mac".into())).collect() };
        let by = |list: &[i64]| clock_note(&skews(list)).unwrap().split(" (").next().unwrap().to_owned();
        assert_eq!(clock_note(&[]), None);
        assert_eq!(by(&[-400_000_000]), "mac: the network sensor's clock differs from the host's by −0.4 s");
        let differs = "2 hosts: the network sensor's clock differs from the host's by";
        assert_eq!(by(&[400_000_000, 410_000_000]), format!("{differs} +0.4 s"));
        assert_eq!(by(&[-400_000_000, 1_500_000_000]), format!("{differs} −0.4 s to +1.5 s"));
    }

    #[test]
    fn lossy_hosts_have_a_note_each_while_they_are_few() {
        let hosts: Vec<(Arc<str>, u64)> = (1..=6).map(|number| (format!("mac-{number}").into(), number)).collect();
        assert_eq!(
            missing_notes(&hosts[..2]),
            [
                "mac-1: 1 record that could show exchanges was lost, so nothing is said here from absence",
                "mac-2: 2 records that could show exchanges were lost, so nothing is said here from absence",
            ]
        );
        // 1 + 2 + 3 + 4 + 5 + 6.
        assert_eq!(
            missing_notes(&hosts),
            [
                "6 hosts (mac-1, mac-2, mac-3, mac-4 and 2 more): 21 records that could show exchanges were lost, so nothing is said there from absence"
            ]
        );
    }

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
}
