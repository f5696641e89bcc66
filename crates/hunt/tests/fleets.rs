//! Fleets of a few lines a host: what comparing hosts says for, against and not at all.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_hunt::{Hunt, IpNet, Options};
use monologue_model::{CoverageRecord, CoverageState, Detail, Event, Finding, Level, Loss, Sight, SightSet};

/// An address that one host alone asks.
const LONELY: &str = "198.51.100.9";

/// An address that three hosts ask.
const SHARED: &str = "198.51.100.20";

/// Zeek's connections of `hosts` hosts: all ask one server, the first three ask [`SHARED`], the first asks [`LONELY`].
fn connections(hosts: u32) -> String {
    let mut text = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\n".to_owned();
    for host in 1..=hosts {
        let asked =
            ["203.0.113.200"].into_iter().chain((host <= 3).then_some(SHARED)).chain((host == 1).then_some(LONELY));
        for (at, server) in asked.enumerate() {
            let (time, port) = (1_772_431_200 + 10 * host as usize + at, 40_000 + at);
            text.push_str(&format!(
                "{time}.0\tC{host}-{at}\t10.0.0.{host}\t{port}\t{server}\t443\ttcp\tssl\t0.5\t90\t800\tSF\t0\tShADadFf\n"
            ));
        }
    }
    text
}

/// The events of a text that a network sensor wrote.
fn events(text: &str) -> Vec<Event> {
    let (format, input) = Input::from_bytes("conn.log", text.as_bytes()).with_head(monologue_formats::detect).unwrap();
    let items = format.unwrap().read(input).map(Result::unwrap);
    items
        .filter_map(|item| match item {
            Item::Event(event) | Item::Derived(event) => Some(*event),
            Item::Skipped(_) => None,
        })
        .collect()
}

fn hunt(events: Vec<Event>) -> Vec<Finding> {
    let local: Vec<IpNet> = vec!["10.0.0.0/24".parse().unwrap()];
    let mut hunt = Hunt::new(Options { local, ..Options::default() });
    events.into_iter().for_each(|event| hunt.take(event));
    hunt.finish(Level::Info, &mut |_| {}).findings
}

/// What a signal said of the channel of a host with a server.
fn said(findings: &[Finding], host: &str, server: &str, signal: &str) -> &'static str {
    let of = |finding: &&Finding| &*finding.host == host && &*finding.destination.host == server;
    let found: Vec<&Finding> = findings.iter().filter(of).collect();
    assert_eq!(found.len(), 1, "{host} {server}: {found:?}");
    found[0].signals.iter().find(|outcome| outcome.id == signal).unwrap().judgement
}

#[test]
fn a_service_that_several_hosts_ask_is_shared_and_one_that_one_of_fifty_asks_is_lonely() {
    let fleet = |hosts| hunt(events(&connections(hosts)));
    let of = |findings: &[Finding], host: &str, server: &str| said(findings, host, server, "destination.shared");
    let large = fleet(60);
    assert_eq!(of(&large, "10.0.0.1", LONELY), "supports");
    assert_eq!(of(&large, "10.0.0.2", SHARED), "refutes", "three of sixty");
    assert_eq!(of(&large, "10.0.0.40", "203.0.113.200"), "refutes", "all of them");
    let middling = fleet(20);
    assert_eq!(of(&middling, "10.0.0.1", LONELY), "silent", "of twenty, most names are one host's");
    assert_eq!(of(&middling, "10.0.0.2", SHARED), "refutes");
    let small = fleet(9);
    assert_eq!(of(&small, "10.0.0.1", LONELY), "blind", "nine hosts are no fleet");
    assert_eq!(of(&small, "10.0.0.2", SHARED), "blind");
}

#[test]
fn hosts_of_which_no_service_is_known_do_not_count_as_hosts_that_do_not_ask() {
    // Nine hosts whose traffic is seen, and fifty of which a sensor only says that it watched them.
    let mut events = events(&connections(9));
    let any = events[0].clone();
    events.extend((1..=50).map(|number| Event {
        host: Some(format!("mac-{number}").into()),
        detail: Detail::Coverage(CoverageRecord {
            format: "eslogger".into(),
            sights: SightSet::of(&[Sight::ProcessExec]),
            from: any.time,
            until: any.time,
            state: CoverageState::Complete,
        }),
        ..any.clone()
    }));
    let findings = hunt(events);
    assert_eq!(said(&findings, "10.0.0.1", LONELY, "destination.shared"), "blind");
}

/// Zeek's connections of two hosts, hour by hour for `hours` hours: both ask one server all the time; from hour `since` on the
/// first asks [`LONELY`], and both ask [`SHARED`], the second from ten hours earlier on.
fn days(hours: usize, since: usize) -> Vec<Event> {
    let head = connections(0);
    let mut text = head;
    for hour in 0..hours {
        for host in 1..=2_usize {
            let begins = [(0, "203.0.113.200"), (since, LONELY), (since - 10 * (host - 1), SHARED)];
            let asked = begins.into_iter().filter(|(from, server)| hour >= *from && (host == 1 || *server != LONELY));
            for (at, (_, server)) in asked.enumerate() {
                let (time, port) = (1_772_431_200 + 3600 * hour + 10 * host + at, 40_000 + at);
                text.push_str(&format!(
                    "{time}.0\tC{hour}-{host}-{at}\t10.0.0.{host}\t{port}\t{server}\t443\ttcp\tssl\t0.5\t90\t800\tSF\t0\tShADadFf\n"
                ));
            }
        }
    }
    events(&text)
}

#[test]
fn a_service_is_new_only_to_those_who_were_watched_for_two_days_before() {
    let why = |findings: &[Finding], host: &str, server: &str| {
        let of = |finding: &&Finding| &*finding.host == host && &*finding.destination.host == server;
        let finding = findings.iter().find(of).unwrap();
        let outcome = finding.signals.iter().find(|outcome| outcome.id == "destination.first-seen").unwrap();
        (outcome.judgement, outcome.weight, outcome.why.clone())
    };
    let findings = hunt(days(80, 60));
    let (judgement, alone, text) = why(&findings, "10.0.0.1", LONELY);
    assert_eq!(judgement, "supports");
    assert!(
        text.contains("no host is seen to ask it before 2026-03-04T18:00:1"),
        "sixty hours after the first: {text}"
    );
    // The second host asks from hour 50 on, the first from hour 60: it is new to both, and to the fleet with the second alone.
    let (judgement, others, text) = why(&findings, "10.0.0.1", SHARED);
    assert_eq!(judgement, "supports");
    assert!(text.contains("others are") && others < alone, "{text} {others} {alone}");
    assert_eq!(why(&findings, "10.0.0.2", SHARED).1, alone);
    assert_eq!(why(&findings, "10.0.0.1", "203.0.113.200").0, "blind", "it was there when the records begin");
    // Two days are needed before, and four hours with requests since.
    assert_eq!(why(&hunt(days(70, 40)), "10.0.0.1", LONELY).0, "blind");
    assert_eq!(why(&hunt(days(63, 60)), "10.0.0.1", LONELY).0, "silent");
    assert_eq!(why(&hunt(days(64, 60)), "10.0.0.1", LONELY).0, "supports");
    // A day in which the sensor lost records is no witness of what was not asked.
    let mut lossy = days(80, 60);
    let start = lossy[0].time;
    let hour = |number: i64| start.saturating_add(number * 3_600_000_000_000);
    lossy.push(Event {
        detail: Detail::Coverage(CoverageRecord {
            format: "zeek-conn".into(),
            sights: SightSet::of(&[Sight::FlowReply]),
            from: hour(10),
            until: hour(34),
            state: CoverageState::Lost { records: None, reason: Loss::SensorLoss },
        }),
        ..lossy[0].clone()
    });
    assert_eq!(why(&hunt(lossy), "10.0.0.1", LONELY).0, "blind");
}
