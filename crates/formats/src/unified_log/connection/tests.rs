//! One expectation for every wording of starts, close summaries, endpoints and errors.

use super::*;
use proptest::prelude::*;

const UUID: &str = "5D2E1C8A-7B3F-4E60-9A1D-2C4B6E8F0A13";
const CODE: &str = "C0FFEE00-1234-3ABC-8DEF-0123456789AB";

fn endpoint(name: Option<&str>, hash: Option<&str>, address: Option<&str>, port: Option<u16>) -> Endpoint {
    Endpoint {
        name: name.map(Arc::from),
        name_hash: hash.map(Arc::from),
        address: address.map(|address| address.parse().unwrap()),
        port,
    }
}

fn started_with(connection: u64, endpoint: Endpoint, transport: Transport, tls: bool) -> Option<ConnectionLine> {
    Some(ConnectionLine { connection, fact: ConnectionFact::Started { endpoint, transport, tls }, code_uuid: None })
}

#[test]
fn starts_of_macos_11_and_later() {
    let line = format!(
        "[C17 {UUID} Tiles.Example.com:443 tcp, url hash: 0badcafe, tls, context: \
         com.apple.CFNetwork.NSURLSession.{{{UUID}}}{{(null)}}{{Y}}{{1}}, proc: {CODE}] start"
    );
    let read = parse(&line).unwrap();
    assert_eq!(read.code_uuid.as_deref(), Some("C0FFEE0012343ABC8DEF0123456789AB"));
    let expected = started_with(17, endpoint(Some("tiles.example.com"), None, None, Some(443)), Transport::Tcp, true);
    assert_eq!(Some(ConnectionLine { code_uuid: None, ..read }), expected);

    let masked = format!(
        "[C4 {} Hostname#5eaf00d1:8443 tcp, url hash: 7ab1e5e7, definite, attribution: developer, context: \
         x{{Y}}{{2}} (private)] start",
        UUID.replace('-', "")
    );
    let hidden = endpoint(None, Some("Hostname#5eaf00d1"), None, Some(8443));
    assert_eq!(parse(&masked), started_with(4, hidden, Transport::Tcp, false));
}

#[test]
fn starts_of_macos_10_and_of_quic() {
    let old = endpoint(Some("www.example.org"), None, None, Some(443));
    let line = "[19 www.example.org:443 stream, pid: 4242, tls] start";
    assert_eq!(parse(line), started_with(19, old.clone(), Transport::Tcp, true));
    let line = "[C2 www.example.org:443 tcp, tls] start";
    assert_eq!(parse(line), started_with(2, old.clone(), Transport::Tcp, true), "no UUID");
    let line = format!("[C9 {UUID} www.example.org:443 quic-connection, url hash: 1, definite] start");
    assert_eq!(parse(&line), started_with(9, old, Transport::Udp, true));
    let line = format!("[C9 {UUID} 203.0.113.7:53 udp] start");
    let address = endpoint(None, None, Some("203.0.113.7"), Some(53));
    assert_eq!(parse(&line), started_with(9, address, Transport::Udp, false));
}

/// A close line of connection 7 with the given summary lines.
fn close(head: &str, lines: &[&str]) -> ConnectionFact {
    let message = format!("[{head}] cancelled{}", lines.iter().map(|line| format!("\n\t{line}")).collect::<String>());
    let read = parse(&message).unwrap();
    assert_eq!(read.connection, 7);
    read.fact
}

fn closed_with(
    endpoint: Endpoint,
    local: Option<&str>,
    duration_ms: Option<u64>,
    bytes: Option<(u64, u64)>,
) -> ConnectionFact {
    let count = |value: Option<u64>| match value {
        Some(value) => ByteCount::measured(value, ByteLayer::Payload),
        None => ByteCount::absent(ByteLayer::Payload),
    };
    ConnectionFact::Closed {
        endpoint,
        local: local.map(|local| local.parse().unwrap()),
        duration_ms,
        received: count(bytes.map(|bytes| bytes.0)),
        sent: count(bytes.map(|bytes| bytes.1)),
    }
}

#[test]
fn close_summary_of_macos_11_with_a_clear_remote() {
    let fact = close(
        &format!("C7 {UUID} tiles.example.com:443 tcp, url hash: 0badcafe, tls"),
        &[
            &format!("[C7.1 {UUID} 10.1.2.3:49442<->203.0.113.7:443]"),
            "Connected Path: satisfied (Path is satisfied), viable, interface: en0, ipv4, dns",
            "Duration: 1.042s, DNS @0.000s took 0.011s, TCP @0.012s took 0.071s, TLS 1.3 took 0.052s",
            "bytes in/out: 7310/912, packets in/out: 6/3, rtt: 0.020s, retransmitted bytes: 0, out-of-order bytes: 0",
        ],
    );
    let remote = endpoint(Some("tiles.example.com"), None, Some("203.0.113.7"), Some(443));
    assert_eq!(fact, closed_with(remote, Some("10.1.2.3:49442"), Some(1042), Some((7310, 912))));
}

#[test]
fn close_summary_with_a_hashed_remote_keeps_the_local_end() {
    let fact = close(
        &format!("C7 {UUID} Hostname#5eaf00d1:443 tcp, url hash: 7ab1e5e7, tls, definite, attribution: developer"),
        &[
            &format!("[C7.1.1 {UUID} 10.9.8.7:51999<->IPv4#0ddba115:443]"),
            "Connected Path: satisfied (Path is satisfied), interface: en0[802.11], ipv4, dns, uses wifi, LQM: good",
            "Privacy Stance: Not Eligible",
            "Duration: 0.070s, QUIC @0.000s took 0.001s, TLS 1.3 took 0.044s",
            "bytes in/out: 0/517, packets in/out: 0/4, rtt: 0.000s, retransmitted bytes: 1551, out-of-order bytes: 0",
            "ecn packets sent/acked/marked/lost: 5/4/0/0",
        ],
    );
    let remote = endpoint(None, Some("Hostname#5eaf00d1"), None, Some(443));
    assert_eq!(fact, closed_with(remote, Some("10.9.8.7:51999"), Some(70), Some((0, 517))));
}

#[test]
fn close_summary_of_macos_10_writes_ports_after_a_dot() {
    let fact = close(
        "7 www.example.org:443 stream, pid: 4242, tls",
        &[
            &format!("[7.1 {UUID} 192.0.2.5.60001<->203.0.113.42.443]"),
            "Connected Path: satisfied (Path is satisfied), interface: en0, ipv4, dns",
            "Duration: 12.5s, DNS @0.000s took 0.001s, TCP @0.002s took 0.013s, TLS took 0.033s",
            "bytes in/out: 4000/1200, packets in/out: 5/5, rtt: 0.012s, retransmitted packets: 0",
        ],
    );
    let remote = endpoint(Some("www.example.org"), None, Some("203.0.113.42"), Some(443));
    assert_eq!(fact, closed_with(remote, Some("192.0.2.5:60001"), Some(12_500), Some((4000, 1200))));
}

#[test]
fn close_summary_over_ipv6_drops_the_zone() {
    for near in ["2001:db8:1:2::3%en0.51999", "[2001:db8:1:2::3%en0]:51999", "[2001:db8:1:2::3]:51999"] {
        let fact = close(
            &format!("C7 {UUID} tiles.example.com:443 tcp, tls"),
            &[&format!("[C7.1 {UUID} {near}<->2001:db8::53.443]"), "bytes in/out: 10/20"],
        );
        let remote = endpoint(Some("tiles.example.com"), None, Some("2001:db8::53"), Some(443));
        assert_eq!(fact, closed_with(remote, Some("[2001:db8:1:2::3]:51999"), None, Some((10, 20))), "{near}");
    }
}

#[test]
fn close_without_path_or_through_a_proxy() {
    let name = || endpoint(Some("tiles.example.com"), None, None, Some(443));
    let head = format!("C7 {UUID} tiles.example.com:443 tcp, tls");
    assert_eq!(close(&head, &[]), closed_with(name(), None, None, None));
    let proxied = close(&head, &[&format!("[C7.1 {UUID} 10.1.2.3:50000<->10.1.1.1:8080]"), "bytes in/out: 5/6"]);
    assert_eq!(proxied, closed_with(name(), Some("10.1.2.3:50000"), None, Some((5, 6))));
}

#[test]
fn socket_errors_name_connection_and_error() {
    let line = "nw_socket_handle_socket_event [C2718.1.1:2] Socket SO_ERROR [61: Connection refused]";
    let expected = ConnectionLine { connection: 2718, fact: ConnectionFact::Failed { error: 61 }, code_uuid: None };
    assert_eq!(parse(line), Some(expected));
    assert_eq!(parse("nw_socket_handle_socket_event [C3.1:2] Socket SO_ERROR [0: none]"), None);
}

#[test]
fn events_and_cancel_alone_state_nothing() {
    for other in [
        format!("[C7 {UUID} tiles.example.com:443 tcp, tls] cancel"),
        "[C7.1 203.0.113.7:443 in_progress socket-flow (satisfied)] event: flow:finish_connect @0.1s".to_owned(),
        "[C7] event: client:end_activity @0.211s, activity <nw_activity 12:2 [..]>".to_owned(),
        "[C7.1 203.0.113.7:443 tcp] start".to_owned(),
        "nw_flow_disconnected [C7.1 203.0.113.7:443 cancelled socket-flow ((null))] Output protocol disconnected"
            .to_owned(),
        "nw_connection_report_state_with_handler_on_nw_queue [C7] reporting state cancelled".to_owned(),
        "[C7 x] cancelled by somebody".to_owned(),
        "[] start".to_owned(),
    ] {
        assert_eq!(parse(&other), None, "{other}");
    }
}

#[test]
fn endpoints_in_every_spelling() {
    for (text, expected) in [
        ("Example.COM.:443", endpoint(Some("example.com"), None, None, Some(443))),
        ("example.com", endpoint(Some("example.com"), None, None, None)),
        ("203.0.113.7", endpoint(None, None, Some("203.0.113.7"), None)),
        ("fe80::1%en0.443", endpoint(None, None, Some("fe80::1"), Some(443))),
        ("::1", endpoint(None, None, Some("::1"), None)),
        ("IPv6#0f0f0f0f.443", endpoint(None, Some("IPv6#0f0f0f0f"), None, Some(443))),
        ("<private>:443", endpoint(None, None, None, Some(443))),
        ("Surprise#1:443", endpoint(None, None, None, Some(443))),
        ("", Endpoint::default()),
    ] {
        assert_eq!(parse_endpoint(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in any::<String>()) {
        prop_assert!(parse(&text).is_none() || text.contains('['), "a line that names no connection");
        let _ = parse(&format!("[C1 {text}] start"));
        let _ = parse(&format!("[C1 {text}] cancelled\n\t[C1.1 {text}<->{text}]\n\tDuration: {text}"));
        let _ = parse_endpoint(&text);
        let _ = milliseconds(&text);
    }

    #[test]
    fn never_panics_on_damaged_lines(at in 0_usize..200, replacement in any::<char>(), cut in 0_usize..200) {
        let line = "[C7 x.example:443 tcp] cancelled\n\t[C7.1 y 10.1.2.3:5<->1.2.3.4:443]\n\tDuration: 0.1s\n\tbytes in/out: 1/2";
        let damaged: String =
            line.chars().enumerate().take(cut).map(|(place, c)| if place == at { replacement } else { c }).collect();
        prop_assert!(parse(&damaged).is_none() || damaged.contains('['), "a line that names no connection");
    }
}
