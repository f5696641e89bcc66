//! The spool, record by record, against its protobuf layout.

use super::*;
use monologue_model::{ConnectionFact, Detail};
use std::path::Path;

/// A field with a length.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![(number & 0x1f) << 3 | 2];
    if number > 15 {
        field = vec![((number & 0x0f) << 3 | 2) | 0x80, number >> 4];
    }
    field.extend(length(content.len() as u64));
    field.extend_from_slice(content);
    field
}

/// A number.
fn number(field: u8, value: u64) -> Vec<u8> {
    let mut encoded = vec![field << 3];
    encoded.extend(length(value));
    encoded
}

fn length(mut value: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while value > 0x7f {
        encoded.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    encoded.push(value as u8);
    encoded
}

fn time(seconds: u64, nanoseconds: u64) -> Vec<u8> {
    [number(1, seconds), number(2, nanoseconds)].concat()
}

fn id(pid: u64, version: u64) -> Vec<u8> {
    [number(1, pid), number(2, version)].concat()
}

/// 2026-11-24T08:00:00Z.
const EIGHT: u64 = 1_795_507_200;

fn message(seconds: u64, event: Vec<u8>) -> Vec<u8> {
    [
        bytes(1, b"mac-07"),
        bytes(2, &time(seconds, 5_000_000)),
        bytes(3, &time(seconds + 60, 0)),
        bytes(4, b"0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"),
        event,
    ]
    .concat()
}

fn process() -> Vec<u8> {
    let signature = [bytes(1, &[0xab; 20]), bytes(2, b"com.example.agent"), bytes(3, b"EXAMPLE123")].concat();
    [
        bytes(1, &id(700, 7002)),
        bytes(2, &id(1, 1)),
        bytes(7, &number(1, 501)),
        bytes(13, &signature),
        number(14, 0x2000_0001),
        bytes(15, &bytes(1, b"/opt/agent")),
    ]
    .concat()
}

fn execution() -> Vec<u8> {
    let instigator = [bytes(1, &id(700, 7001)), bytes(10, &bytes(1, b"/usr/libexec/xpcproxy"))].concat();
    let execution = [
        bytes(1, &instigator),
        bytes(2, &process()),
        bytes(5, b"/opt/agent"),
        bytes(5, b"--token=hunter2"),
        bytes(6, b"XPC_SERVICE_NAME=com.example.job"),
        bytes(6, b"SECRET=never-kept"),
        number(9, 1),
    ]
    .concat();
    bytes(10, &execution)
}

/// One flow: received and sent bytes, and whether it began and was closed in this window.
fn flow(received: u64, sent: u64, start: Option<u64>, close: Option<u64>) -> Vec<u8> {
    let mut flow = [
        bytes(1, b"F1"),
        bytes(2, b"h"),
        bytes(3, b"192.0.2.80"),
        number(4, 443),
        bytes(5, b"10.0.0.7"),
        number(6, 50123),
        number(7, 6),
        number(9, 2),
        number(11, sent),
        bytes(14, b"api.example"),
    ]
    .concat();
    if received > 0 {
        flow.extend(number(10, received));
    }
    flow.extend(start.map(|at| bytes(12, &time(at, 0))).unwrap_or_default());
    flow.extend(close.map(|at| bytes(13, &time(at, 0))).unwrap_or_default());
    flow
}

fn activity(flow: &[u8]) -> Vec<u8> {
    let entry = [bytes(1, &process()), bytes(2, flow)].concat();
    // Field 34 takes two bytes: (34 << 3) | 2 = 0x112.
    let content = bytes(1, &entry);
    let mut field = vec![0x92, 0x02];
    field.extend(length(content.len() as u64));
    field.extend(content);
    field
}

fn batch() -> Vec<u8> {
    let any = |message: Vec<u8>| {
        bytes(1, &[bytes(1, b"type.googleapis.com/santa.pb.v1.SantaMessage"), bytes(2, &message)].concat())
    };
    [
        any(message(EIGHT, execution())),
        any(message(EIGHT + 60, activity(&flow(900, 300, Some(EIGHT + 70), None)))),
        // The next one stands alone, without its type.
        bytes(1, &message(EIGHT + 120, activity(&flow(0, 300, Some(EIGHT + 130), Some(EIGHT + 131))))),
    ]
    .concat()
}

fn read(bytes: &[u8]) -> Vec<Result<Item, Malformed>> {
    SANTA_SPOOL.read(Input::from_bytes("batch", bytes)).collect()
}

#[test]
fn the_sample_is_the_batch_made_here() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/santa-spool/batch");
    let expected = batch();
    if std::fs::read(&file).ok().as_deref() != Some(&expected) && std::env::var_os("INSTA_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &expected).unwrap();
    }
    assert_eq!(std::fs::read(file).unwrap(), expected);
}

#[test]
fn a_batch_gives_an_execution_and_flows() {
    let bytes = batch();
    let head = Head { name: "batch", bytes: &bytes, complete: true };
    assert_eq!(SANTA_SPOOL.detect(&head), Ok(()));
    let items = read(&bytes);
    let events: Vec<_> = items
        .iter()
        .map(|item| match item {
            Ok(Item::Event(event)) => event,
            other => panic!("expected an event, found {other:?}"),
        })
        .collect();
    assert_eq!(events.len(), 3);
    for event in &events {
        let place = event.provenance.offset as usize..(event.provenance.offset + event.provenance.length) as usize;
        assert_eq!(Sha256::of(&bytes[place]), event.provenance.sha256);
        assert_eq!(event.host.as_deref(), Some("mac-07"));
    }
    let Detail::ProcessExec(exec) = &events[0].detail else { panic!() };
    assert_eq!(events[0].time.to_string(), "2026-11-24T08:00:00.005Z");
    assert_eq!((exec.target.key.pid, exec.target.key.pidversion), (Some(700), Some(7002)));
    assert_eq!(exec.target.key.boot.as_deref(), Some("0F1E2D3C4B5A69788796A5B4C3D2E1F0"));
    assert_eq!(exec.target.cdhash.as_deref(), Some("ab".repeat(20).as_str()));
    assert_eq!((exec.arguments[1].as_str(), exec.launch_label.as_deref()), ("--token=***", Some("com.example.job")));
    let Detail::Connection(open) = &events[1].detail else { panic!() };
    let ConnectionFact::Contacted { received, opened, .. } = &open.fact else { panic!("{open:?}") };
    // It is still open: more may come, so 900 is a part.
    assert!(*opened && received.value == Some(900) && received.measured_value().is_none());
    let Detail::Connection(closed) = &events[2].detail else { panic!() };
    let ConnectionFact::Closed { received, sent, duration_ms, .. } = &closed.fact else { panic!("{closed:?}") };
    assert!(received.is_measured_zero(), "a closed flow's zero is one");
    assert_eq!((sent.measured_value(), *duration_ms), (Some(300), Some(1000)));
    assert_eq!(open.connection, closed.connection, "the same flow, by its number and hash");
}

#[test]
fn a_cut_batch_ends_in_one_malformation() {
    let bytes = batch();
    for cut in [1, 2, 40, bytes.len() - 1] {
        let items = read(&bytes[..cut]);
        assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1, "{cut}");
        assert!(items.last().unwrap().is_err());
    }
    let huge = [&[0x0a][..], &length(RECORD_CAP + 1)].concat();
    assert!(read(&huge)[0].as_ref().unwrap_err().expected.contains("at most"));
}

#[test]
fn other_bytes_are_refused_with_reasons() {
    for bytes in [&b"{\"a\":1}"[..], b"\x0a", b"\x0a\x02hi", b"\x0a\x05hi"] {
        assert!(SANTA_SPOOL.detect(&Head { name: "x", bytes, complete: true }).is_err(), "{bytes:?}");
    }
}
