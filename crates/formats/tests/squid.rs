//! Squid and its like against their documented layout: every trap has its line, checked by hand.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_model::{
    AnsweredBy, ByteQuality, CoverageState, Detail, Event, GatewayFacts, HttpTransaction, Loss, Teardown,
};
use std::path::Path;

struct Read {
    events: Vec<Event>,
    skipped: Vec<&'static str>,
    malformed: Vec<String>,
    coverage: Vec<CoverageState>,
}

fn read(name: &str) -> Read {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let bytes = std::fs::read(&path).unwrap();
    let (format, input) = Input::from_bytes(name, &bytes).with_head(monologue_formats::detect).unwrap();
    let format = format.unwrap();
    assert_eq!(format.name(), name.split('/').next().unwrap());
    let mut read = Read { events: Vec::new(), skipped: Vec::new(), malformed: Vec::new(), coverage: Vec::new() };
    for item in format.read(input) {
        match item {
            Ok(Item::Event(event)) => read.events.push(*event),
            Ok(Item::Derived(event)) => match event.detail {
                Detail::Coverage(record) => read.coverage.push(record.state),
                other => panic!("expected coverage, found {other:?}"),
            },
            Ok(Item::Skipped(reason)) => read.skipped.push(reason),
            Err(malformed) => read.malformed.push(malformed.to_string()),
        }
    }
    read
}

fn asked<'a>(read: &'a Read, host: &str, uri: Option<&str>) -> (&'a Event, &'a HttpTransaction, &'a GatewayFacts) {
    let found = read.events.iter().find_map(|event| match &event.detail {
        Detail::Http(http) if http.host.as_deref() == Some(host) && http.uri.as_deref() == uri => {
            Some((event, &**http))
        }
        _ => None,
    });
    let (event, http) = found.unwrap_or_else(|| panic!("nothing asked of {host} {uri:?}"));
    (event, http, http.gateway.as_deref().unwrap())
}

#[test]
fn the_stamp_is_the_end_and_the_request_began_before_it() {
    let read = read("squid/access.log");
    let (event, http, gateway) = asked(&read, "news.example", Some("/index.html?token=***"));
    // 1795600000.250 − 150 ms.
    assert_eq!(event.time.to_string(), "2026-11-25T09:46:40.1Z");
    assert_eq!(gateway.duration_ns, Some(150_000_000));
    assert_eq!((http.method.as_deref(), http.status, http.port), (Some("GET"), Some(200), Some(80)));
    assert_eq!(http.response_body.measured_value(), Some(5120));
    assert_eq!(http.request_body.quality, ByteQuality::NotApplicable, "the native layout has no request bytes");
    assert_eq!((gateway.answered_by, gateway.teardown), (AnsweredBy::Service, Teardown::Unknown));
    assert_eq!(gateway.server, "192.0.2.10".parse().ok());
    assert!(http.proxied && http.originator.to_string() == "10.0.0.5:0");
    // A tunnel of 90.125 s that ended at 1795600300.125.
    let (event, http, gateway) = asked(&read, "api.example", None);
    assert_eq!(event.time.to_string(), "2026-11-25T09:50:10Z");
    assert_eq!((http.method.as_deref(), http.port), (Some("CONNECT"), Some(443)));
    assert_eq!(http.response_body.measured_value(), Some(7839));
    assert_eq!(gateway.user.as_deref(), Some("anna"));
}

#[test]
fn a_client_that_breaks_off_is_told_and_what_was_counted_is_a_part() {
    let read = read("squid/access.log");
    let (_, http, gateway) = asked(&read, "drop.example", Some("/in"));
    assert_eq!((http.status, gateway.teardown), (None, Teardown::ClientClosed));
    assert_eq!((http.response_body.value, http.response_body.is_measured_zero()), (Some(0), false));
    assert_eq!(gateway.outcome.as_deref(), Some("TCP_MISS_ABORTED"));
    let (_, http, gateway) = asked(&read, "drop.example", Some("/out"));
    assert_eq!((http.status, gateway.teardown), (Some(200), Teardown::ClientClosed));
    assert_eq!((http.response_body.value, http.response_body.measured_value()), (Some(310), None));
    let (_, _, gateway) = asked(&read, "slow.example", Some("/"));
    assert_eq!(gateway.teardown, Teardown::Unknown, "a timeout is nobody's leaving");
}

#[test]
fn what_the_proxy_says_itself_is_no_answer_of_the_service() {
    let read = read("squid/access.log");
    let by = |host, uri| asked(&read, host, uri).2.answered_by;
    assert_eq!(by("blocked.example", Some("/")), AnsweredBy::Gateway);
    assert_eq!(by("down.example", Some("/")), AnsweredBy::Unknown, "a 503 of either");
    assert_eq!(by("news.example", Some("/index.html")), AnsweredBy::Cache);
    let password = read.events.iter().find_map(|event| match &event.detail {
        Detail::Http(http) if http.status == Some(407) => http.gateway.clone(),
        _ => None,
    });
    assert_eq!(password.map(|facts| facts.answered_by), Some(AnsweredBy::Gateway));
    let (_, http, gateway) = asked(&read, "silent.example", None);
    assert_eq!((http.response_body.measured_value(), gateway.answered_by), (Some(39), AnsweredBy::Service));
}

#[test]
fn lines_that_are_no_request_are_skipped_with_a_reason_and_broken_ones_say_what_is_wrong() {
    let read = read("squid/access.log");
    assert_eq!(
        read.skipped,
        [
            "a tunnel that the proxy opens up: each request in it has a record",
            "a connection on which nothing was asked",
            "a query between proxies, no request of a client",
        ]
    );
    assert_eq!(read.events.len(), 13);
    assert_eq!(read.malformed.len(), 2);
    assert!(read.malformed[0].ends_with("expected the client's address, found \"anna-mac.local\""));
    let lost = CoverageState::Lost { reason: Loss::Malformed, records: Some(2) };
    assert_eq!(read.coverage, [CoverageState::Complete, lost]);
    let (_, http, _) = asked(&read, "2001:db8::80", Some("/a"));
    assert_eq!((http.port, http.originator.ip()), (Some(8080), "2001:db8::5".parse().unwrap()));
}

#[test]
fn the_combined_layout_has_a_zone_and_no_duration() {
    let read = read("squid/combined.log");
    let (event, http, gateway) = asked(&read, "news.example", Some("/feed"));
    assert_eq!(event.time.to_string(), "2026-11-25T10:00:00Z");
    assert_eq!(http.user_agent.as_deref(), Some("Agent/1.0 (poll; every minute)"));
    assert_eq!(gateway.duration_ns, None);
    assert_eq!(asked(&read, "drop.example", Some("/in")).2.teardown, Teardown::ClientClosed);
    assert_eq!(asked(&read, "cached.example", Some("/")).2.answered_by, AnsweredBy::Cache);
    assert_eq!((read.events.len(), read.malformed.len()), (4, 0));
}

#[test]
fn a_wsa_says_what_its_policy_did() {
    let read = read("cisco-wsa/aclog.log");
    assert_eq!((read.events.len(), read.malformed.len()), (4, 0), "{:?}", read.malformed);
    let (_, http, gateway) = asked(&read, "api.example", None);
    assert_eq!((http.method.as_deref(), http.port, http.status), (Some("CONNECT"), Some(443), Some(200)));
    assert_eq!(gateway.user.as_deref(), Some("CORP\\anna@ad"));
    assert_eq!(gateway.answered_by, AnsweredBy::Service);
    assert_eq!(asked(&read, "mixed.example", Some("/x")).2.answered_by, AnsweredBy::Gateway, "blocked on its way back");
    assert_eq!(asked(&read, "news.example", Some("/a")).2.answered_by, AnsweredBy::Service);
}
