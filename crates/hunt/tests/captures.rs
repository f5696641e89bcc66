//! Captures made on a Mac, hunted: who asked, for whom, and what silence is worth.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_hunt::{Hunt, Options};
use monologue_model::{CoverageRecord, CoverageState, Detail, Disposition, Event, Finding, Level, Loss};
use std::path::Path;

/// The events of a sample, as the program gives them their host.
fn events(sample: &str) -> Vec<Event> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/samples/apple-capture").join(sample);
    let bytes = std::fs::read(path).unwrap();
    let (format, input) = Input::from_bytes(sample, &bytes).with_head(monologue_formats::detect).unwrap();
    let items = format.unwrap().read(input).filter_map(Result::ok);
    items
        .filter_map(|item| match item {
            Item::Event(event) | Item::Derived(event) => Some(*event),
            Item::Skipped(_) => None,
        })
        .map(|mut event| {
            if matches!(event.detail, Detail::Connection(_) | Detail::Coverage(_)) {
                event.host = Some("mac".into());
            }
            event
        })
        .collect()
}

fn hunt(events: Vec<Event>) -> Vec<Finding> {
    let mut hunt = Hunt::new(Options::default());
    events.into_iter().for_each(|event| hunt.take(event));
    hunt.finish(Level::Info, &mut |_| {}).findings
}

fn of<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    findings
        .iter()
        .find(|finding| &*finding.application.name == name)
        .unwrap_or_else(|| panic!("nothing of {name} in {findings:?}"))
}

#[test]
fn a_program_that_nothing_answers_is_named_by_the_capture() {
    let findings = hunt(events("silent.pcapng"));
    let beacon = of(&findings, "Beacon");
    assert_eq!((&*beacon.host, beacon.exchanges), ("mac", 6), "each connection once, though two records tell it");
    assert_eq!(beacon.disposition, Disposition::NoReply, "{}", beacon.sentence);
}

#[test]
fn a_capture_that_lost_packets_claims_no_silence() {
    let mut events = events("silent.pcapng");
    let spoken = events.iter().find_map(|event| match &event.detail {
        Detail::Coverage(record) => Some((event.clone(), record.clone())),
        _ => None,
    });
    let (mut lost, record) = spoken.unwrap();
    let state = CoverageState::Lost { reason: Loss::SensorLoss, records: Some(3) };
    lost.detail = Detail::Coverage(CoverageRecord { state, ..record });
    events.push(lost);
    let findings = hunt(events);
    assert_eq!(of(&findings, "Beacon").disposition, Disposition::Unknown);
}

#[test]
fn the_one_it_acts_for_is_named_and_the_owner_of_the_socket_told() {
    let findings = hunt(events("apple.pcapng"));
    let uploader = of(&findings, "Photos Uploader ");
    assert_eq!(uploader.application.socket_owner.as_deref(), Some("nsurlsessiond"));
    assert!(uploader.destination.ips.iter().any(|address| address.to_string() == "203.0.113.81"));
    // What another machine asked of this Mac is no exchange of ours.
    let mut own = findings.iter().filter(|finding| finding.host == uploader.host);
    assert!(own.all(|finding| !finding.destination.ports.contains(&5000)), "{findings:?}");
}
