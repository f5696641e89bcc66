//! Zeek records against their documented layout, checked by hand.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_model::{Detail, Event, Flow, FlowReply, HttpTransaction, TlsHandshake};
use std::path::Path;

fn events(name: &str, bytes: &[u8]) -> Vec<Event> {
    let (format, input) = Input::from_bytes(name, bytes).with_head(monologue_formats::detect).unwrap();
    let items = format.unwrap().read(input);
    items.filter_map(|item| if let Ok(Item::Event(event)) = item { Some(*event) } else { None }).collect()
}

fn real(path: &str) -> Option<Vec<Event>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/network").join(path);
    if !path.is_file() {
        eprintln!("skipped: ../shared/data is not there");
        return None;
    }
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    Some(events(&name, &std::fs::read(path).unwrap()))
}

fn flow(event: &Event) -> &Flow {
    let Detail::Flow(flow) = &event.detail else { panic!("expected a flow, found {event:?}") };
    flow
}

fn http(event: &Event) -> &HttpTransaction {
    let Detail::Http(http) = &event.detail else { panic!("expected a request, found {event:?}") };
    http
}

fn tls(event: &Event) -> &TlsHandshake {
    let Detail::Tls(tls) = &event.detail else { panic!("expected a handshake, found {event:?}") };
    tls
}

#[test]
fn njrat_is_237_attempts_that_nothing_answers() {
    let Some(events) = real("stratosphere/001-zeek-scenario-malicious/conn.log") else { return };
    let njrat: Vec<&Flow> = events
        .iter()
        .map(flow)
        .filter(|flow| {
            flow.responder.to_string() == "41.108.179.197:1177" && flow.originator.ip().to_string() == "192.168.1.115"
        })
        .collect();
    assert_eq!(njrat.len(), 237);
    assert!(njrat.iter().all(|flow| flow.reply == FlowReply::NothingIfTwoSided && flow.unanswered_attempt));
    assert!(njrat.iter().all(|flow| flow.local_originator == Some(true) && !flow.continuation));
    // The first of them stands in the log as `293.774545 … 3.000517 0 0 S0 T F 0 S 2 104 0 0`.
    let first = events.iter().find(|event| flow(event).responder.port() == 1177).unwrap();
    assert_eq!(first.time.nanoseconds(), 293_774_545_000);
    assert_eq!(flow(first).duration_ns, Some(3_000_517_000));
    assert_eq!(flow(first).sent.measured_value(), Some(0));
}

#[test]
fn requests_through_a_proxy_name_whom_they_asked_for() {
    let Some(requests) = real("rita/proxy/http.log") else { return };
    let evil: Vec<&HttpTransaction> =
        requests.iter().map(http).filter(|http| http.host.as_deref() == Some("www.honestimnotevil.com")).collect();
    assert_eq!(evil.len(), 397);
    assert!(evil.iter().all(|http| http.proxied && http.port == Some(443) && http.status == Some(200)));
    let Some(handshakes) = real("rita/proxy/ssl.log") else { return };
    let evil: Vec<&TlsHandshake> = handshakes
        .iter()
        .map(tls)
        .filter(|tls| tls.server_name.as_deref() == Some("www.honestimnotevil.com"))
        .collect();
    assert_eq!(evil.len(), 397);
    assert!(evil.iter().all(|tls| tls.established == Some(false) && tls.last_alert.as_deref() == Some("unknown_ca")));
}

#[test]
fn concatenated_logs_take_the_latest_header() {
    let text = b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\n\
1.5\tC1\t10.0.0.1\t1\t192.0.2.1\t80\ttcp\tS0\n#close\t2026\n\
#fields\tconn_state\tts\tproto\tuid\tid.resp_h\tid.resp_p\tid.orig_h\tid.orig_p\n\
SF\t2.5\tudp\tC2\t192.0.2.2\t443\t10.0.0.2\t2\n";
    let events = events("conn.log", text);
    let shown: Vec<String> =
        events.iter().map(|event| format!("{} {}", flow(event).originator, flow(event).responder)).collect();
    assert_eq!(shown, ["10.0.0.1:1 192.0.2.1:80", "10.0.0.2:2 192.0.2.2:443"]);
    assert_eq!(flow(&events[0]).reply, FlowReply::NothingIfTwoSided, "S0 without a history");
}
