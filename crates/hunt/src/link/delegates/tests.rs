//! Whom a delegate's connection is given to.

use crate::{HostHunt, hunt_host};
use monologue_model::{
    ApplicationKey, ByteCount, ByteLayer, ConnectionFact, Detail, Endpoint, Event, FileEffect, FileEffectKind,
    NetworkConnection, ProcessImage, ProcessKey, Provenance, Sha256, SignatureState, Timestamp,
};

const NETWORKING: &str = "/System/Library/Frameworks/WebKit.framework/XPCServices/com.apple.WebKit.Networking";

fn event(second: i64, detail: Detail) -> Event {
    let provenance =
        Provenance { source: "x".into(), offset: second.unsigned_abs(), length: 1, sha256: Sha256::default() };
    Event {
        time: Timestamp::from_seconds(second).unwrap(),
        host: Some("mac".into()),
        format: "test".into(),
        provenance,
        detail,
    }
}

fn image(pid: u32, version: u32, path: &str, signing_id: &str) -> ProcessImage {
    ProcessImage {
        key: ProcessKey::from_pid(pid, Some(version)),
        path: Some(path.into()),
        signing_id: Some(signing_id.into()),
        signature: SignatureState::Platform,
        parent: Some(ProcessKey::from_pid(1, Some(1))),
        ..ProcessImage::default()
    }
}

fn seen(second: i64, process: &ProcessImage) -> Event {
    let effect = FileEffect {
        process: process.clone(),
        effect: FileEffectKind::Write,
        path: "/private/tmp/x".into(),
        target: None,
    };
    event(second, Detail::FileEffect(Box::new(effect)))
}

fn closed(second: i64, pid: u32, path: &str, effective: Option<ProcessImage>) -> Event {
    let process =
        ProcessImage { key: ProcessKey::from_pid(pid, None), path: Some(path.into()), ..ProcessImage::default() };
    let fact = ConnectionFact::Closed {
        endpoint: Endpoint { name: Some("a.example".into()), port: Some(443), ..Endpoint::default() },
        local: None,
        duration_ms: Some(100),
        received: ByteCount::measured(500, ByteLayer::Payload),
        sent: ByteCount::measured(100, ByteLayer::Payload),
    };
    let connection = NetworkConnection { process, connection: 4, fact, effective_process: effective };
    event(second, Detail::Connection(Box::new(connection)))
}

fn only(hunted: &HostHunt) -> &monologue_model::Channel {
    assert_eq!(hunted.channels.len(), 1);
    &hunted.channels[0]
}

#[test]
fn a_web_views_connection_belongs_to_the_application_that_shows_it() {
    let app = ProcessImage {
        team_id: Some("ABCDE12345".into()),
        signature: SignatureState::Team,
        ..image(300, 5, "/Applications/Reader.app/Contents/MacOS/Reader", "com.example.reader")
    };
    let mut networking = image(310, 8, NETWORKING, "com.apple.WebKit.Networking");
    networking.responsible = Some(app.key.clone());
    let events = vec![seen(1, &app), seen(2, &networking), closed(10, 310, NETWORKING, None)];
    let hunted = hunt_host(&"mac".into(), events);
    let channel = only(&hunted);
    assert_eq!(channel.key.application.to_string(), "ABCDE12345:com.example.reader");
    assert_eq!(channel.attributes.socket_owners.commonest().map(|owner| &**owner), Some(NETWORKING));
    assert!(channel.attributes.signatures.contains(&SignatureState::Team));
    assert!(!channel.attributes.signatures.contains(&SignatureState::Platform), "that is the delegate's");
    assert_eq!(channel.counters.effects.seen, 0, "who used the reply was not watched");
}

#[test]
fn a_delegate_that_is_its_own_responsible_acts_for_an_unknown_application() {
    let mut networking = image(310, 8, NETWORKING, "com.apple.WebKit.Networking");
    networking.responsible = Some(networking.key.clone());
    let hunted = hunt_host(&"mac".into(), vec![seen(2, &networking), closed(10, 310, NETWORKING, None)]);
    let channel = only(&hunted);
    assert!(channel.key.application.is_unknown());
    assert!(channel.attributes.signatures.iter().all(|(state, _)| *state == SignatureState::Unknown));
    let mut census = crate::Census::default();
    census.add(&hunted);
    let mut verdict = crate::Verdict::new(census, monologue_model::Level::Info);
    verdict.judge(hunted);
    let report = verdict.report("test".into());
    let sentence = &report.findings[0].sentence;
    assert!(sentence.starts_with("com.apple.WebKit.Networking on behalf of an unknown application"), "{sentence}");
}

#[test]
fn the_effective_process_of_a_capture_is_the_one_to_name() {
    let app = image(300, 5, "/opt/agent", "com.example.agent");
    let effective = ProcessImage { key: ProcessKey::from_pid(300, None), ..ProcessImage::default() };
    let hunted = hunt_host(&"mac".into(), vec![seen(1, &app), closed(10, 88, "/usr/libexec/daemon", Some(effective))]);
    let channel = only(&hunted);
    let expected = ApplicationKey::Signed { team: None, signing_id: "com.example.agent".into(), agent: None };
    assert_eq!(channel.key.application, expected);
    assert_eq!(channel.attributes.socket_owners.commonest().map(|owner| &**owner), Some("/usr/libexec/daemon"));
}
