//! What endpoint sensors see of connections: presence, never silence, and never a wait for an end that is not told.

use super::*;
use crate::host::{HostHunt, hunt_host};
use monologue_model::{
    ApplicationKey, ByteLayer, Flow, FlowReply, NetworkConnection, ProcessKey, RecordPhase, Reply, Sha256, Sight,
    SignatureState,
};
use std::net::IpAddr;

const FAR: &str = "192.0.2.80";

fn event(second: i64, detail: Detail) -> Event {
    let provenance =
        Provenance { source: "x".into(), offset: second.unsigned_abs(), length: 1, sha256: Sha256::default() };
    let time = Timestamp::from_nanoseconds(second * 1_000_000_000);
    Event { time, host: Some("mac".into()), format: "edr".into(), provenance, detail }
}

fn agent() -> ProcessImage {
    ProcessImage {
        key: ProcessKey { pid: Some(7), instance: Some("P7".into()), ..ProcessKey::default() },
        path: Some("/opt/agent".into()),
        signature: SignatureState::Unknown,
        ..ProcessImage::default()
    }
}

fn told(second: i64, number: u64, fact: ConnectionFact) -> Event {
    let entry = NetworkConnection { process: agent(), connection: number, fact, effective_process: None };
    event(second, Detail::Connection(Box::new(entry)))
}

fn contacted(second: i64, number: u64, port: u16, opened: bool, received: ByteCount) -> Event {
    let endpoint = Endpoint { address: FAR.parse().ok(), port: Some(port), ..Endpoint::default() };
    let local = Some("10.0.0.7:50123".parse().unwrap());
    let sent = ByteCount::not_applicable(ByteLayer::Payload);
    told(
        second,
        number,
        ConnectionFact::Contacted { endpoint, local, transport: Transport::Tcp, opened, received, sent },
    )
}

fn unknowable() -> ByteCount {
    ByteCount::not_applicable(ByteLayer::Payload)
}

fn only(hunted: &HostHunt) -> &monologue_model::Channel {
    assert_eq!(hunted.channels.len(), 1, "{:?}", hunted.channels);
    &hunted.channels[0]
}

#[test]
fn a_connect_event_is_an_exchange_of_which_no_reply_was_seen() {
    let events = (0..8).map(|at| contacted(at * 60, 100 + at as u64, 443, true, unknowable())).collect();
    let hunted = hunt_host(&"mac".into(), events);
    let channel = only(&hunted);
    assert_eq!(channel.key.application, ApplicationKey::Path { path: "/opt/agent".into(), agent: None });
    let counters = &channel.counters;
    assert_eq!(counters.exchanges, 8);
    // Nobody waits for a reply that this source never tells: the eight are due, and none is seen.
    assert_eq!((counters.seen_by(Sight::FlowReply), counters.reply_due(), counters.reply_pending), (0, 8, 0));
}

#[test]
fn looks_at_one_connection_are_one_exchange_and_its_bytes_are_presence() {
    let bytes = |value| ByteCount::partial(value, ByteLayer::Payload);
    let events = vec![
        contacted(0, 5, 443, false, bytes(0)),
        contacted(60, 5, 443, false, bytes(900)),
        contacted(120, 5, 443, false, bytes(900)),
    ];
    let gathered = gather(Vec::new(), &events);
    assert_eq!(gathered.len(), 1);
    assert_eq!(gathered[0].received, Some(bytes(900)));
    assert!(!gathered[0].opened);
    assert_eq!(gathered[0].last(), Timestamp::from_nanoseconds(120_000_000_000));
    let hunted = hunt_host(&"mac".into(), events);
    assert_eq!(only(&hunted).counters.exchanges, 1);
    assert!(only(&hunted).rows().all(|row| !row.timed), "the clock of the looks is not the application's");
    assert_eq!(only(&hunted).counters.reply.answered(), 1, "bytes came");
}

#[test]
fn a_look_that_shows_no_bytes_is_never_silence() {
    // Even a count that a reader called measured: a look tells no end.
    let zero = ByteCount::measured(0, ByteLayer::Payload);
    let sent = ByteCount::measured(100, ByteLayer::Payload);
    let endpoint = Endpoint { address: FAR.parse().ok(), port: Some(443), ..Endpoint::default() };
    let fact = ConnectionFact::Contacted {
        endpoint: endpoint.clone(),
        local: None,
        transport: Transport::Tcp,
        opened: true,
        received: zero,
        sent,
    };
    let hunted = hunt_host(&"mac".into(), vec![told(0, 5, fact)]);
    assert_eq!(only(&hunted).counters.reply.of(Reply::Silent), 0);
    // The end of the same connection, told by its source: then it is.
    let closed = ConnectionFact::Closed { endpoint, local: None, duration_ms: Some(900), received: zero, sent };
    let events = vec![contacted(0, 5, 443, true, unknowable()), told(1, 5, closed)];
    let gathered = gather(Vec::new(), &events);
    assert_eq!((gathered.len(), gathered[0].start), (1, Timestamp::default()));
    let hunted = hunt_host(&"mac".into(), events);
    assert_eq!((only(&hunted).counters.reply.of(Reply::Silent), only(&hunted).counters.exchanges), (1, 1));
}

#[test]
fn resolvers_and_loopback_are_no_exchanges() {
    let mut loopback = contacted(0, 9, 443, true, unknowable());
    if let Detail::Connection(entry) = &mut loopback.detail
        && let ConnectionFact::Contacted { endpoint, .. } = &mut entry.fact
    {
        endpoint.address = Some("127.0.0.1".parse::<IpAddr>().unwrap());
    }
    let hunted = hunt_host(&"mac".into(), vec![contacted(0, 5, 53, true, unknowable()), loopback]);
    assert!(hunted.channels.is_empty(), "{:?}", hunted.channels);
}

#[test]
fn a_connect_event_names_who_made_the_flow_a_network_sensor_saw() {
    let flow = Flow {
        uid: Some("C1".into()),
        originator: "10.0.0.7:50123".parse().unwrap(),
        responder: "192.0.2.80:443".parse().unwrap(),
        transport: Transport::Tcp,
        services: Vec::new(),
        duration_ns: Some(1_000_000_000),
        sent: ByteCount::measured(300, ByteLayer::Payload),
        received: ByteCount::measured(0, ByteLayer::Payload),
        sent_packets: Some(4),
        received_packets: Some(3),
        reply: FlowReply::NoPayload,
        continuation: false,
        unanswered_attempt: false,
        local_originator: Some(true),
        local_responder: None,
        state: None,
        history: None,
        phase: RecordPhase::End,
    };
    let events = vec![contacted(0, 5, 443, true, unknowable()), event(0, Detail::Flow(Box::new(flow)))];
    let hunted = hunt_host(&"mac".into(), events);
    let channel = only(&hunted);
    assert_eq!(channel.key.application, ApplicationKey::Path { path: "/opt/agent".into(), agent: None });
    let silent = channel.counters.reply.of(Reply::Silent);
    assert_eq!((channel.counters.exchanges, silent), (1, 1), "the network sensor saw that nothing came");
}
