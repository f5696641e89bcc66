//! One connection, told by two sources of its host.

use super::*;
use monologue_model::{ByteLayer, NetworkConnection, ProcessKey, Sha256};

fn events(format: &str, pid: u32, number: u64, start: i64, effective: Option<u32>) -> Vec<Event> {
    let image = |pid| ProcessImage { key: ProcessKey::from_pid(pid, None), ..ProcessImage::default() };
    let endpoint = Endpoint { address: Some("203.0.113.9".parse().unwrap()), port: Some(443), ..Endpoint::default() };
    let started = ConnectionFact::Started { endpoint: endpoint.clone(), transport: Transport::Tcp, tls: true };
    let closed = ConnectionFact::Closed {
        endpoint,
        local: Some("10.0.0.5:50001".parse().unwrap()),
        duration_ms: Some(3000),
        received: ByteCount::measured(9, ByteLayer::Payload),
        sent: ByteCount::measured(9, ByteLayer::Payload),
    };
    [(start, started), (start + 3, closed)]
        .map(|(second, fact)| Event {
            time: Timestamp::from_seconds(second).unwrap(),
            host: Some("mac".into()),
            format: format.into(),
            provenance: Provenance { source: format.into(), offset: number, length: 1, sha256: Sha256::default() },
            detail: Detail::Connection(Box::new(NetworkConnection {
                process: image(pid),
                connection: number,
                fact,
                effective_process: effective.map(image),
            })),
        })
        .into()
}

fn gathered(parts: &[Vec<Event>]) -> Vec<(String, Option<u32>, Option<u32>)> {
    let mut events = parts.concat();
    events.sort_by_key(|event| event.time);
    let pid = |image: &ProcessImage| image.key.pid;
    gather(Vec::new(), &events)
        .iter()
        .map(|one| (one.format.to_string(), pid(&one.process), one.effective.as_ref().and_then(pid)))
        .collect()
}

#[test]
fn a_capture_of_the_host_adds_to_what_its_log_tells() {
    let log = events("unified-log", 88, 4, 100, None);
    let capture = events(APPLE_CAPTURE, 88, 1 << 52, 101, Some(700));
    assert_eq!(gathered(&[log.clone(), capture]), [("unified-log".to_owned(), Some(88), Some(700))]);
    let owner_differs = events(APPLE_CAPTURE, 89, 1 << 52, 101, Some(700));
    assert_eq!(gathered(&[log.clone(), owner_differs]), [("unified-log".to_owned(), Some(88), None)]);
    let later = events(APPLE_CAPTURE, 88, 1 << 52, 4000, None);
    assert_eq!(gathered(&[log, later]).len(), 2, "the port was used again");
}

#[test]
fn two_candidates_are_none() {
    let one = events("unified-log", 88, 4, 100, None);
    let other = events("unified-log", 88, 5, 110, None);
    let capture = events(APPLE_CAPTURE, 88, 1 << 52, 104, Some(700));
    assert_eq!(gathered(&[one, other, capture]).len(), 3);
}
