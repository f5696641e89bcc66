//! The traps of captures: each with a capture built for it.

use super::build::*;
use monologue_formats::{Input, Item};
use monologue_model::{
    ByteQuality, CoverageState, Detail, Flow, FlowReply, HttpTransaction, Loss, RecordPhase, Sight, TlsHandshake,
};

struct Read {
    flows: Vec<Flow>,
    https: Vec<HttpTransaction>,
    tls: Vec<TlsHandshake>,
    lost: Vec<(Loss, Option<u64>)>,
    complete: monologue_model::SightSet,
    records: usize,
}

fn read(bytes: &[u8]) -> Read {
    let (format, input) = Input::from_bytes("x.pcap", bytes).with_head(monologue_formats::detect).unwrap();
    let mut read = Read {
        flows: Vec::new(),
        https: Vec::new(),
        tls: Vec::new(),
        lost: Vec::new(),
        complete: monologue_model::SightSet::EMPTY,
        records: 0,
    };
    for item in format.unwrap().read(input) {
        read.records += usize::from(!matches!(item, Ok(Item::Derived(_))));
        let Ok(Item::Event(event) | Item::Derived(event)) = item else { continue };
        match event.detail {
            Detail::Flow(flow) => read.flows.push(*flow),
            Detail::Http(http) => read.https.push(*http),
            Detail::Tls(tls) => read.tls.push(*tls),
            Detail::Coverage(coverage) => match coverage.state {
                CoverageState::Complete => read.complete = coverage.sights,
                CoverageState::Lost { reason, records } => read.lost.push((reason, records)),
            },
            _ => {}
        }
    }
    read
}

/// A capture of packets over Ethernet, and an hour of silence after them.
fn capture(packets: &[Vec<u8>]) -> Read {
    let mut file = Pcap::new(1);
    file.ethernet(packets);
    file.wait(4000);
    file.ethernet(&[udp("10.20.0.98:9".parse().unwrap(), "10.20.0.99:9".parse().unwrap(), b"end")]);
    let mut read = read(&file.bytes);
    read.flows.retain(|flow| flow.originator.port() != 9);
    read
}

fn talk() -> Talk {
    Talk::new("10.20.0.11:50001", "203.0.113.80:8080")
}

#[test]
fn a_port_used_again_is_another_connection() {
    let mut first = talk();
    let mut again = talk();
    (again.sent, again.received) = (700_000, 800_000);
    let read = capture(&[first.open(), first.ask(b"\x01a"), again.open(), again.ask(b"\x01b"), again.close()].concat());
    let seen: Vec<_> = read.flows.iter().map(|flow| (flow.state.as_deref().unwrap(), flow.reply)).collect();
    // The first was never seen to end: what came so far is not all that comes.
    assert_eq!(seen, [("S1", FlowReply::Unknown), ("SF", FlowReply::NoPayload)]);
}

#[test]
fn a_capture_that_began_late_or_saw_one_side_says_nothing_of_silence() {
    let mut late = talk();
    late.open();
    let read = capture(&[late.ask(b"\x01a"), late.close()].concat());
    assert!(read.flows[0].continuation && read.flows[0].received.quality == ByteQuality::Partial);
    assert_eq!(read.flows[0].reply, FlowReply::Unknown);
    let mut one_side = talk();
    let packets = [one_side.open(), one_side.ask(b"\x01a"), one_side.close()].concat();
    let ours: Vec<Vec<u8>> = packets.into_iter().filter(|packet| packet[12] == 10).collect();
    let read = capture(&ours);
    assert_eq!((read.flows[0].reply, read.flows[0].received.value), (FlowReply::Unknown, None));
    assert_eq!(read.flows[0].state.as_deref(), Some("OTH"), "whoever acknowledges was answered");
}

#[test]
fn a_missing_packet_is_a_loss_of_the_capture_and_no_silence() {
    let mut talk = talk();
    let mut packets = [talk.open(), talk.ask(b"\x01a")].concat();
    talk.down(PSH | ACK, b"the answer that was missed");
    packets.extend(talk.close());
    let read = capture(&packets);
    assert_eq!((read.flows[0].reply, read.flows[0].received.quality), (FlowReply::Unknown, ByteQuality::Partial));
    assert_eq!(read.lost, [(Loss::SensorLoss, Some(1))]);
}

#[test]
fn numbers_rewritten_on_the_way_are_not_counted_as_sure() {
    let mut talk = talk();
    let mut packets = vec![talk.up(SYN, &[])];
    packets.push(tcp(talk.server, talk.client, (5, 1001), SYN | ACK, &[]));
    packets.extend([talk.down(SYN | ACK, &[]), talk.up(ACK, &[])]);
    packets.extend([talk.ask(b"\x01a"), talk.close()].concat());
    let read = capture(&packets);
    assert_eq!((read.flows[0].reply, read.flows[0].received.quality), (FlowReply::Unknown, ByteQuality::Partial));
}

#[test]
fn an_attempt_is_silent_once_it_had_its_time_and_pending_before() {
    let attempt = || talk().up(SYN, &[]);
    let whole = capture(&[attempt(), attempt()]);
    assert_eq!((whole.flows[0].reply, whole.flows[0].phase), (FlowReply::NothingIfTwoSided, RecordPhase::End));
    assert!(whole.flows[0].unanswered_attempt);
    let mut file = Pcap::new(1);
    file.ethernet(&[attempt()]);
    assert_eq!(read(&file.bytes).flows[0].phase, RecordPhase::Snapshot, "the capture ends at once");
}

#[test]
fn an_answer_of_a_server_that_nobody_was_seen_to_ask_is_no_question() {
    let (asker, server) = ("10.20.0.11:40000".parse().unwrap(), "203.0.113.9:123".parse().unwrap());
    let mut file = Pcap::new(1);
    file.ethernet(&[udp(asker, server, &[1; 48])]);
    file.wait(90);
    file.ethernet(&[udp(server, asker, &[2; 48])]);
    let read = read(&file.bytes);
    let seen: Vec<_> =
        read.flows.iter().map(|flow| (flow.originator, flow.history.as_deref().unwrap(), flow.reply)).collect();
    assert_eq!(seen, [(asker, "D", FlowReply::NothingIfTwoSided), (asker, "^d", FlowReply::Payload)]);
}

#[test]
fn cut_packets_keep_their_lengths_and_lose_their_contents() {
    let mut file = Pcap::new(1);
    file.snaplen = 64;
    let mut talk = talk();
    let answer = [b'x'; 700];
    file.ethernet(
        &[talk.open(), talk.ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), talk.answer(&answer)].concat(),
    );
    file.ethernet(&talk.close());
    let read = read(&file.bytes);
    assert_eq!((read.flows[0].sent.measured_value(), read.flows[0].received.measured_value()), (Some(35), Some(700)));
    assert!(read.https.is_empty(), "a request of which nobody saw the end is not told");
    assert!(read.complete.contains(Sight::FlowReply) && !read.complete.contains(Sight::HttpResponse));
}

#[test]
fn requests_are_read_through_every_way_of_framing() {
    let mut talk = talk();
    let mut packets = talk.open();
    packets.extend(talk.ask(b"HEAD /a HTTP/1.1\r\nHost: a.example:8080\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"));
    packets.extend(talk.ask(b"PUT /b HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 100 Continue\r\n\r\n"));
    packets.extend(talk.ask(b"4\r\nabcd\r\n0\r\nTrailer: x\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"));
    // Two at once, answered in turn; the last body ends with the connection.
    packets.extend(talk.ask(b"GET /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nto the "));
    packets.extend(talk.answer(b"end"));
    packets.extend(talk.close());
    let read = capture(&packets);
    let seen: Vec<_> = read
        .https
        .iter()
        .map(|http| {
            (http.uri.as_deref().unwrap(), http.request_body.value, http.status, http.response_body.measured_value())
        })
        .collect();
    let expected = [
        ("/a", Some(0), Some(200), Some(0)),
        ("/b", Some(4), Some(304), Some(0)),
        ("/c", Some(0), Some(200), Some(2)),
        ("/d", Some(0), Some(200), Some(10)),
    ];
    assert_eq!(seen, expected);
    assert_eq!((read.https[0].host.as_deref(), read.https[0].port), (Some("a.example"), Some(8080)));
    assert_eq!(read.flows[0].services.iter().map(|name| &**name).collect::<Vec<_>>(), ["http"]);
}

#[test]
fn a_body_that_was_not_seen_to_its_end_is_partial_and_a_request_without_status_has_none() {
    let mut talk = talk();
    let mut packets = talk.open();
    packets.extend(talk.ask(b"GET /a HTTP/1.1\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nonly this"));
    packets.extend(talk.ask(b"GET /b HTTP/1.1\r\n\r\n"));
    packets.extend(talk.close());
    let read = capture(&packets);
    let first = &read.https[0];
    assert_eq!((first.response_body.value, first.response_body.quality), (Some(9), ByteQuality::Partial));
    assert_eq!(first.content_hash, None);
    assert_eq!((read.https[1].status, read.https[1].response_body.quality), (None, ByteQuality::Absent));
}

#[test]
fn tls_within_a_tunnel_names_whom_it_goes_to() {
    let mut talk = talk();
    let mut packets = talk.open();
    packets.extend(talk.ask(b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"));
    packets.extend(talk.answer(b"HTTP/1.1 200 Connection established\r\n\r\n"));
    packets.extend(talk.ask(&client_hello("api.example")));
    packets.extend(talk.answer(&[server_hello(false), record(23, &[1; 40])].concat()));
    packets.extend(talk.ask(&record(23, &[1; 40])));
    packets.extend(talk.close());
    let read = capture(&packets);
    let connect = &read.https[0];
    assert_eq!((connect.host.as_deref(), connect.port, connect.proxied), (Some("api.example"), Some(443), true));
    assert_eq!(connect.status, Some(200));
    let tls = &read.tls[0];
    assert_eq!((tls.server_name.as_deref(), tls.established), (Some("api.example"), Some(true)));
    assert_eq!(tls.resumed, Some(false));
}

#[test]
fn a_handshake_that_went_no_further_is_told_as_such_only_when_heard_out() {
    let hello = client_hello("api.example");
    let mut refused = talk();
    let mut packets = [refused.open(), refused.ask(&hello), refused.answer(&record(21, &[2, 40]))].concat();
    packets.extend(refused.close());
    let read = capture(&packets);
    assert_eq!(read.tls[0].established, Some(false));
    assert_eq!(read.tls[0].last_alert.as_deref(), Some("handshake_failure"));
    let mut open = talk();
    let read = capture(&[open.open(), open.ask(&hello)].concat());
    assert_eq!(read.tls[0].established, None, "it may go on");
}

#[test]
fn nanoseconds_and_the_other_byte_order_are_read() {
    // A big-endian pcap in nanoseconds: one UDP datagram at 5.000000007 s.
    let packet = udp("10.20.0.11:5000".parse().unwrap(), "203.0.113.9:6000".parse().unwrap(), b"x");
    let mut bytes = 0xa1b2_3c4d_u32.to_be_bytes().to_vec();
    bytes.extend([0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 101]);
    for field in [5, 7, packet.len() as u32, packet.len() as u32] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(&packet);
    let format = monologue_formats::by_name("packet-capture").unwrap();
    let first = format.read(Input::from_bytes("x", &bytes)).find_map(Result::ok);
    let Some(Item::Event(event)) = first else { panic!("expected a flow, found {first:?}") };
    assert_eq!(event.time.nanoseconds(), 5_000_000_007);
    // pcapng with a resolution of 2^-10 s and an offset of 100 s: 20,480 ticks are 20 s.
    let mut file = Sections::new();
    file.interface(101, &[option(9, &[0x8a]), option(14, &100_u64.to_le_bytes())]);
    file.now_us = 20_480 - 10_000;
    file.packet(&packet, &[]);
    let first = format.read(Input::from_bytes("x", &file.bytes)).find_map(Result::ok);
    let Some(Item::Event(event)) = first else { panic!("expected a flow, found {first:?}") };
    assert_eq!(event.time.nanoseconds(), 120_000_000_000);
}

#[test]
fn more_flows_than_are_held_are_all_told() {
    let mut file = Pcap::new(101);
    let server = "203.0.113.9:6000".parse().unwrap();
    for number in 0..70_000_u32 {
        let client = std::net::SocketAddr::new((0x0a00_0000 + number).to_be_bytes().into(), 5000);
        file.now_us -= 9_999;
        file.frame(&udp(client, server, b"x"));
    }
    let read = read(&file.bytes);
    assert_eq!((read.records, read.flows.len()), (70_000, 70_000));
}
