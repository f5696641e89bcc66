//! The laws on whole simulated hosts, from bytes to findings: forgetting, order, sharding.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_hunt::{
    Census, Fold, HostHunt, HourSummary, Hunt, Options, Statements, Verdict, absence, dependence, disposition,
    hunt_host, judge, judge::Context,
};
use monologue_model::{
    ApplicationKey, Channel, CoverageRecord, CoverageState, Detail, Event, Judgement, Level, Loss, Needs, Report,
    Sha256, Sight, SightSet,
};
use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc};

/// A small deterministic generator (SplitMix64), so that a failure can be repeated from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// The events of a simulated fleet, by host; network records by the address list the simulation hands out.
fn fleet(seed: u64) -> BTreeMap<Arc<str>, Vec<Event>> {
    fleet_with(seed, |text| text)
}

/// The same, with the text of every file changed first.
fn fleet_with(seed: u64, change: impl Fn(String) -> String) -> BTreeMap<Arc<str>, Vec<Event>> {
    let mut fleet = monologue_simulate::simulate(&monologue_simulate::Options { seed, ..Default::default() });
    for file in &mut fleet.files {
        file.bytes = change(String::from_utf8(std::mem::take(&mut file.bytes)).unwrap()).into_bytes();
    }
    let mut events: Vec<Event> = Vec::new();
    let mut owners: BTreeMap<String, Arc<str>> = BTreeMap::new();
    for file in &fleet.files {
        if file.path == "assets.csv" {
            for line in String::from_utf8(file.bytes.clone()).unwrap().lines().skip(1) {
                let mut columns = line.split(',');
                let host = columns.next().unwrap();
                owners.insert(columns.next().unwrap().to_owned(), host.into());
            }
        }
    }
    for file in &fleet.files {
        let host: Option<Arc<str>> =
            file.path.strip_prefix("hosts/").and_then(|rest| rest.split('/').next()).map(Arc::from);
        let (format, input) = Input::from_bytes(&file.path, &file.bytes).with_head(monologue_formats::detect).unwrap();
        let Ok(format) = format else { continue };
        for item in format.read(input) {
            if let Ok(Item::Event(mut event) | Item::Derived(mut event)) = item {
                event.host = host.clone();
                events.push(*event);
            }
        }
    }
    let mut by_host: BTreeMap<Arc<str>, Vec<Event>> = BTreeMap::new();
    let mut sensors = Vec::new();
    for event in events {
        let owner = match (&event.host, event.originator()) {
            (Some(host), _) => host.clone(),
            (None, Some(originator)) => match owners.get(&originator.ip().to_string()) {
                Some(host) => host.clone(),
                None => continue,
            },
            (None, None) => {
                sensors.push(event);
                continue;
            }
        };
        by_host.entry(owner).or_default().push(event);
    }
    by_host.values_mut().for_each(|events| events.extend(sensors.iter().cloned()));
    by_host
}

/// The sights that lose a witness when a record of this kind goes.
fn hurt(detail: &Detail) -> SightSet {
    SightSet::of(match detail {
        Detail::ProcessExec(_) => &[Sight::ProcessExec, Sight::ProcessSignature, Sight::ProcessArguments],
        Detail::ProcessFork(_) => &[Sight::ProcessFork],
        Detail::ProcessExit(_) => &[Sight::ProcessExit],
        Detail::FileEffect(_) => &[Sight::FileEffect],
        Detail::LaunchItem(_) => &[Sight::LaunchItem],
        Detail::ServiceConnect(_) => &[Sight::ServiceConnect],
        Detail::Task(_) | Detail::Background(_) => &[Sight::TaskLifecycle],
        Detail::Connection(_) => &[Sight::FlowBytes, Sight::FlowReply],
        Detail::Dns(_) => &[Sight::DnsQuery],
        Detail::Flow(_) => &[Sight::FlowBytes, Sight::FlowReply, Sight::FlowTeardown],
        Detail::Http(_) => &[Sight::HttpResponse, Sight::HttpRequest],
        Detail::Tls(_) => &[Sight::TlsHandshake],
        Detail::Coverage(_) => &[],
    })
}

/// All claims on a host: definite dispositions, and supports from absence.
fn claims(hunted: &HostHunt) -> BTreeSet<(String, String)> {
    let possible = absence::possible(&hunted.channels);
    let mut claims = BTreeSet::new();
    for (channel, possible) in hunted.channels.iter().zip(&possible) {
        let subject = absence::Subject { channel, possible, missing: hunted.missing_exchanges };
        let name = channel.key.id().to_string();
        let disposition = disposition::decide(&subject);
        if disposition.is_definite() {
            claims.insert((name.clone(), disposition.to_string()));
        }
        let dependence = dependence::test(channel, &hunted.awake.clock(), Some(&[]));
        for answer in judge::judge(&subject, &Context { dependence, ..Context::default() }) {
            let from_absence = matches!(answer.signal.needs(), Needs::Every(_));
            if from_absence && matches!(answer.judgement, Judgement::Supports { .. }) {
                claims.insert((name.clone(), answer.signal.id().to_string()));
            }
        }
    }
    claims
}

/// Whether the full data makes the same claim of a channel that a poorer key stands for: the same program and service with
/// a part of the key known that is unknown now. The same question, asked of more, got the same answer.
fn refined(claim: &(String, String), poorer: &HostHunt, full: &HostHunt, before: &BTreeSet<(String, String)>) -> bool {
    let channel_of = |hunted: &HostHunt, id: &str| {
        hunted.channels.iter().find(|channel| channel.key.id().to_string() == id).cloned()
    };
    let Some(now) = channel_of(poorer, &claim.0) else { return false };
    let knows_less = now.key.application.is_unknown()
        || now.key.application.agent().is_none()
        || matches!(now.key.application, ApplicationKey::Path { .. });
    knows_less
        && before.iter().filter(|(_, said)| *said == claim.1).any(|(id, _)| {
            channel_of(full, id)
                .is_some_and(|then| then.key.service == now.key.service && absence::may_overlap(&now, &then))
        })
}

/// Removes records and marks that sensor, host and time as lost, as a sequence gap does.
fn forget(events: &[Event], random: &mut Random, count: usize, wanted: impl Fn(&Detail) -> bool) -> Vec<Event> {
    let mut left = events.to_vec();
    for _ in 0..count {
        let candidates: Vec<usize> =
            left.iter().enumerate().filter(|(_, event)| wanted(&event.detail)).map(|(at, _)| at).collect();
        if candidates.is_empty() {
            break;
        }
        let at = candidates[random.below(candidates.len())];
        let event = &mut left[at];
        let sights = hurt(&event.detail);
        event.detail = Detail::Coverage(CoverageRecord {
            format: event.format.clone(),
            sights,
            from: event.time,
            until: event.time,
            state: CoverageState::Lost { reason: Loss::Removed, records: Some(1) },
        });
    }
    left
}

#[test]
fn removing_records_of_a_host_makes_no_new_claim() {
    let mut made = 0;
    let (mut rounds, mut removed) = (0, 0);
    for (host, events) in fleet(11) {
        let full = hunt_host(&host, events.clone());
        let before = claims(&full);
        made += before.len();
        let mut random = Random(host.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)));
        // Endpoint records one kind at a time: losing any record that shows exchanges silences the whole host.
        let kinds: [fn(&Detail) -> bool; 6] = [
            |detail| matches!(detail, Detail::ProcessExec(_)),
            |detail| matches!(detail, Detail::ProcessFork(_)),
            |detail| matches!(detail, Detail::ProcessExit(_)),
            |detail| matches!(detail, Detail::FileEffect(_)),
            |detail| matches!(detail, Detail::Dns(_)),
            |detail| !matches!(detail, Detail::Coverage(_)),
        ];
        for wanted in kinds {
            for count in [1, 5, 100] {
                let poorer = hunt_host(&host, forget(&events, &mut random, count, wanted));
                let after = claims(&poorer);
                let new: Vec<_> =
                    after.difference(&before).filter(|claim| !refined(claim, &poorer, &full, &before)).collect();
                assert!(new.is_empty(), "{host}: forgetting {count} records made {new:?}");
                rounds += 1;
                removed += count;
            }
        }
    }
    assert!(made > 20, "only {made} claims were there to be lost");
    assert!(rounds > 100, "only {rounds} rounds");
    assert!(removed > 10_000, "only {removed} records were removed");
}

/// Everything that is said of the channels of one application, without its names.
fn said_of(report: &Report, application: &str) -> Vec<String> {
    let mut said: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| *finding.application.name == *application)
        .map(|finding| {
            let signals: Vec<String> = finding
                .signals
                .iter()
                .filter(|signal| !signal.id.starts_with("identity.") && signal.id != "cap.identity")
                .map(|signal| format!("{} {} {} {}", signal.id, signal.judgement, signal.weight, signal.why))
                .collect();
            format!("{} {} {:?} {}", finding.destination.host, finding.disposition, finding.leaning, signals.join("; "))
        })
        .collect();
    said.sort();
    said
}

#[test]
fn renaming_a_program_changes_nothing_but_what_is_said_of_its_identity() {
    let report = |hosts: BTreeMap<Arc<str>, Vec<Event>>| {
        let mut hunt = Hunt::new(Options::default());
        for (host, events) in hosts {
            for mut event in events {
                event.host = Some(host.clone());
                hunt.take(event);
            }
        }
        hunt.finish(Level::Info, &mut |_| {})
    };
    let before = report(fleet(13));
    // One that is honest and one that is not; the new names sort elsewhere, and one sounds like Apple's.
    for (old, new) in [("harborlined", "zzzrelayd"), ("glintbar-helper", "cfprefsd")] {
        let (path, renamed) = (format!("/{old}\""), format!("/{new}\""));
        let after = report(fleet_with(13, |text| text.replace(&path, &renamed)));
        let (then, now) = (said_of(&before, old), said_of(&after, new));
        assert!(!then.is_empty(), "{old} is there");
        assert_eq!(then, now, "{old} as {new}");
    }
}

#[test]
fn the_order_of_events_and_the_sharding_by_host_change_nothing() {
    let hosts = fleet(12);
    let report = |events: Vec<Event>| {
        let mut hunt = Hunt::new(Options::default());
        events.into_iter().for_each(|event| hunt.take(event));
        hunt.finish(Level::Info, &mut |_| {})
    };
    let all: Vec<Event> = hosts
        .iter()
        .flat_map(|(host, events)| {
            events.iter().cloned().map(|mut event| {
                event.host = Some(host.clone());
                event
            })
        })
        .collect();
    let expected = report(all.clone());
    assert!(expected.findings.len() > 100);
    let mut random = Random(3);
    let mut shuffled = all;
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at + 1));
    }
    assert_eq!(report(shuffled), expected);
    let sharded: Vec<HostHunt> = hosts
        .into_iter()
        .map(|(host, events)| {
            hunt_host(&host, {
                let mut events = events;
                events.iter_mut().for_each(|event| event.host = Some(host.clone()));
                events
            })
        })
        .collect();
    // The census of two halves, merged, is that of the whole.
    let (left, right) = sharded.split_at(sharded.len() / 2);
    let count = |hosts: &[HostHunt]| {
        let mut census = Census::default();
        hosts.iter().for_each(|host| census.add(host));
        census
    };
    let mut census = count(right);
    census.merge(count(left));
    let mut verdict = Verdict::new(census, Level::Info);
    sharded.into_iter().rev().for_each(|host| verdict.judge(host));
    assert_eq!(verdict.report(expected.summary.version.clone()), expected);
}

/// Events by hour, and what the sensors say of their coverage.
fn by_hour(events: &[Event]) -> (BTreeMap<i64, Vec<Event>>, Statements) {
    let mut hours: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
    let mut coverage = Vec::new();
    for event in events {
        match &event.detail {
            Detail::Coverage(record) => coverage.push(record.clone()),
            _ => hours.entry(event.time.hour()).or_default().push(event.clone()),
        }
    }
    (hours, Statements::new(coverage))
}

/// All summaries of one host, brought together by channel.
fn merged(summaries: Vec<HourSummary>) -> BTreeMap<String, Channel> {
    let mut channels: BTreeMap<String, Channel> = BTreeMap::new();
    for summary in summaries {
        match channels.get_mut(&summary.channel.key.id().to_string()) {
            Some(known) => known.merge(&summary.channel).unwrap(),
            None => drop(channels.insert(summary.channel.key.id().to_string(), summary.channel)),
        }
    }
    channels
}

#[test]
fn a_state_that_was_written_and_read_goes_on_as_if_it_had_never_stopped() {
    for (host, events) in fleet(31) {
        let whole: BTreeMap<String, Channel> = hunt_host(&host, events.clone())
            .channels
            .into_iter()
            .map(|channel| (channel.key.id().to_string(), channel))
            .collect();
        let (hours, coverage) = by_hour(&events);
        let mut fold = Fold::new(host.clone());
        let mut summaries = Vec::new();
        for (hour, events) in hours {
            let bytes = fold.to_bytes().unwrap();
            fold = Fold::from_bytes(&bytes).unwrap();
            assert_eq!(fold.to_bytes().unwrap(), bytes, "equal states have equal bytes");
            assert_eq!(fold.digest().unwrap(), Sha256::of(&bytes), "and the hash of those bytes");
            summaries.extend(fold.step(hour, events, &coverage).summaries);
        }
        summaries.extend(fold.rest(&coverage).summaries);
        assert!(merged(summaries) == whole, "{host}: stopping between hours changed something");
    }
}

#[test]
fn hours_say_what_a_whole_day_in_one_piece_says() {
    let mut compared = 0;
    for (host, events) in fleet(32) {
        let hourly = hunt_host(&host, events.clone());
        let (hours, coverage) = by_hour(&events);
        let last = *hours.last_key_value().unwrap().0;
        let mut fold = Fold::new(host.clone());
        let mut summaries = fold.step(last, hours.into_values().flatten().collect(), &coverage).summaries;
        summaries.extend(fold.rest(&coverage).summaries);
        let whole = merged(summaries);
        let decide = |channels: &[Channel]| -> BTreeMap<String, (u64, String)> {
            let possible = absence::possible(channels);
            let decided = channels.iter().zip(&possible).map(|(channel, possible)| {
                let subject = absence::Subject { channel, possible, missing: hourly.missing_exchanges };
                let said = disposition::decide(&subject).to_string();
                (channel.key.id().to_string(), (channel.counters.exchanges, said))
            });
            decided.collect()
        };
        let mut channels: Vec<Channel> = whole.into_values().collect();
        channels.sort_by(|one, other| one.key.cmp(&other.key));
        let (one, other) = (decide(&hourly.channels), decide(&channels));
        for (id, said) in &one {
            assert_eq!(
                other.get(id),
                Some(said),
                "{host}: {}",
                hourly
                    .channels
                    .iter()
                    .find(|c| c.key.id().to_string() == *id)
                    .map(|c| format!("{:?}", c.key))
                    .unwrap_or_default()
            );
            compared += 1;
        }
        assert_eq!(one.len(), other.len(), "{host}");
    }
    assert!(compared > 100, "{compared}");
}
