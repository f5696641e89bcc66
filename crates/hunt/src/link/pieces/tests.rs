//! Laws of what two sensors saw of the same connections.
#![cfg(test)]

use crate::{HostHunt, hunt_host};
use monologue_model::{
    ByteCount, ByteLayer, Detail, Event, Flow, FlowReply, Provenance, RecordPhase, Reply, Sha256, Teardown, Timestamp,
    Transport, WitnessKind,
};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;

/// What the first sensor says of a connection, and what the second does, if anything, with its clock's difference.
type Seen = (Saw, Option<(Saw, i64)>);

/// What one sensor says of a connection.
#[derive(Clone, Copy, Debug)]
enum Saw {
    Answer,
    Nothing,
    Part,
}

fn row(sensor: &str, number: usize, delay_ns: i64, saw: Saw) -> Event {
    let source = format!("network/{sensor}/conn.log");
    let bytes = |value| match saw {
        Saw::Part => ByteCount::partial(value, ByteLayer::Payload),
        Saw::Answer | Saw::Nothing => ByteCount::measured(value, ByteLayer::Payload),
    };
    let (reply, received) = match saw {
        Saw::Answer => (FlowReply::Payload, 80),
        Saw::Nothing => (FlowReply::NoPayload, 0),
        Saw::Part => (FlowReply::Unknown, 0),
    };
    let flow = Flow {
        uid: Some(format!("{sensor}{number}").into()),
        originator: format!("10.0.0.7:{}", 50_000 + number).parse().unwrap(),
        responder: "192.0.2.80:443".parse().unwrap(),
        transport: Transport::Tcp,
        services: Vec::new(),
        duration_ns: Some(SECOND),
        sent: bytes(300),
        received: bytes(received),
        sent_packets: Some(4),
        received_packets: Some(3),
        reply,
        continuation: false,
        unanswered_attempt: false,
        local_originator: Some(true),
        local_responder: None,
        state: Some("SF".into()),
        history: None,
        phase: RecordPhase::End,
    };
    let sha256 = Sha256::of(format!("{source}{number}").as_bytes());
    Event {
        time: Timestamp::from_nanoseconds(number as i64 * 60 * SECOND + delay_ns),
        host: None,
        format: "zeek-conn".into(),
        provenance: Provenance { source: source.into(), offset: number as u64 * 100, length: 90, sha256 },
        detail: Detail::Flow(Box::new(flow)),
    }
}

fn hunted(events: Vec<Event>) -> HostHunt {
    hunt_host(&"10.0.0.7".into(), events)
}

/// Exchanges, answers and silences of the only channel.
fn counts(hunted: &HostHunt) -> (u64, u64, u64) {
    let [channel] = hunted.channels.as_slice() else { panic!("{:?}", hunted.channels) };
    let replies = &channel.counters.reply;
    (channel.counters.exchanges, replies.of(Reply::Payload), replies.of(Reply::Silent))
}

fn saw() -> impl Strategy<Value = Saw> {
    prop_oneof![Just(Saw::Answer), Just(Saw::Nothing), Just(Saw::Part)]
}

proptest! {
    #[test]
    fn a_second_sensor_adds_no_exchange_and_takes_nothing_away(
        rows in proptest::collection::vec((saw(), proptest::option::of((saw(), -SECOND..SECOND))), 1..12),
    ) {
        let first = |(number, (saw, _)): (usize, &(Saw, _))| row("office", number, 0, *saw);
        let second = |(number, (_, seen)): (usize, &Seen)| {
            seen.map(|(saw, delay_ns)| row("border", number, delay_ns, saw))
        };
        let office: Vec<Event> = rows.iter().enumerate().map(first).collect();
        let mut events = office.clone();
        events.extend(rows.iter().enumerate().filter_map(second));
        // By hand, of each connection: an answer if any sensor saw one, else silence if one saw all of it, else nothing.
        let answered = rows.iter().filter(|(saw, other)| {
            matches!(saw, Saw::Answer) || matches!(other, Some((Saw::Answer, _)))
        });
        let answered = answered.count() as u64;
        let silent = rows.iter().filter(|(saw, other)| {
            let none = !matches!(saw, Saw::Answer) && !matches!(other, Some((Saw::Answer, _)));
            none && (matches!(saw, Saw::Nothing) || matches!(other, Some((Saw::Nothing, _))))
        });
        let silent = silent.count() as u64;
        prop_assert_eq!(counts(&hunted(events.clone())), (rows.len() as u64, answered, silent));
        events.reverse();
        prop_assert_eq!(counts(&hunted(events)), (rows.len() as u64, answered, silent), "in any order");
    }
}

#[test]
fn two_candidates_are_not_one() {
    // The border saw two connections where the office saw one: which of them it is, nobody knows.
    let mut other = row("border", 0, SECOND / 2, Saw::Nothing);
    if let Detail::Flow(flow) = &mut other.detail {
        flow.uid = Some("border-again".into());
    }
    let events = vec![row("office", 0, 0, Saw::Nothing), row("border", 0, 0, Saw::Nothing), other];
    assert_eq!(counts(&hunted(events)), (3, 0, 3));
}

#[test]
fn three_sensors_are_three_witnesses_of_one_exchange() {
    let row = |sensor, delay_ns, saw| row(sensor, 0, delay_ns, saw);
    let events = vec![row("office", 0, Saw::Part), row("border", 1, Saw::Nothing), row("cloud", 2, Saw::Part)];
    assert_eq!(counts(&hunted(events)), (1, 0, 1));
}

#[test]
fn silence_is_cited_by_the_sensor_that_saw_it() {
    // The first by name is the one that missed packets.
    let hunted = hunted(vec![row("border", 0, 0, Saw::Part), row("office", 0, 0, Saw::Nothing)]);
    let cited: Vec<&str> = hunted.channels[0]
        .witnesses
        .of(WitnessKind::Silence)
        .iter()
        .map(|witness| &*witness.provenance.source)
        .collect();
    assert_eq!(cited, ["network/office/conn.log"]);
}

#[test]
fn a_connection_that_one_sensor_saw_open_was_opened() {
    let mut unopened = row("office", 0, 0, Saw::Answer);
    if let Detail::Flow(flow) = &mut unopened.detail {
        (flow.state, flow.reply) = (Some("S0".into()), FlowReply::NothingIfTwoSided);
    }
    let never = |events| hunted(events).channels[0].rows().all(|row| row.teardown == Teardown::NeverOpened);
    assert!(never(vec![unopened.clone()]));
    assert!(!never(vec![unopened, row("border", 0, 0, Saw::Answer)]));
}

#[test]
fn ports_used_again_and_again_are_left_apart() {
    let many = |sensor| (0..100).map(move |number| row(sensor, number, 0, Saw::Nothing));
    let mut events: Vec<Event> = many("office").chain(many("border")).collect();
    for event in &mut events {
        event.time = Timestamp::default();
        if let Detail::Flow(flow) = &mut event.detail {
            flow.originator = "10.0.0.7:123".parse().unwrap();
        }
    }
    assert_eq!(counts(&hunted(events)).0, 200);
}

#[test]
fn what_two_sensors_counted_is_not_added_up() {
    let events = vec![row("office", 0, 0, Saw::Answer), row("border", 0, 5_000_000, Saw::Answer)];
    let hunted = hunted(events);
    let row = hunted.channels[0].rows().next().unwrap();
    assert_eq!((row.request_bytes, row.response_bytes), (300, 80));
}
