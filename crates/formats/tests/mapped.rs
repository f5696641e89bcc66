//! Formats described by mappings, and the archives of debugging proxies: every trap has its record, checked by hand.
#![cfg(test)]

use monologue_formats::{Input, Item, user_mapping};
use monologue_model::{
    AnsweredBy, ByteQuality, CoverageRecord, CoverageState, Detail, DnsQuery, Event, Flow, FlowReply, HttpTransaction,
    Loss, RecordPhase, Teardown,
};
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Read {
    format: &'static str,
    events: Vec<Event>,
    skipped: Vec<&'static str>,
    malformed: Vec<String>,
    /// What the source says of its completeness at its end.
    stated: Vec<CoverageRecord>,
}

fn read(name: &str, bytes: &[u8]) -> Read {
    let (format, input) = Input::from_bytes(name, bytes).with_head(monologue_formats::detect).unwrap();
    let format = format.unwrap_or_else(|refusals| panic!("{name}: {refusals:?}"));
    let mut read = Read { format: format.name(), ..Read::default() };
    for item in format.read(input) {
        match item {
            Ok(Item::Event(event)) => read.events.push(*event),
            Ok(Item::Derived(event)) => match event.detail {
                Detail::Coverage(record) => read.stated.push(record),
                detail => panic!("{name}: {detail:?}"),
            },
            Ok(Item::Skipped(reason)) => read.skipped.push(reason),
            Err(malformed) => read.malformed.push(malformed.to_string()),
        }
    }
    read
}

fn sample(name: &str) -> Read {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let read = read(name.rsplit('/').next().unwrap(), &std::fs::read(path).unwrap());
    assert_eq!(read.format, name.split('/').next().unwrap());
    read
}

fn flows(read: &Read) -> Vec<&Flow> {
    let events = read.events.iter();
    let found = events.filter_map(|event| match &event.detail {
        Detail::Flow(flow) => Some(&**flow),
        _ => None,
    });
    found.collect()
}

fn https(read: &Read) -> Vec<&HttpTransaction> {
    let events = read.events.iter();
    let found = events.filter_map(|event| match &event.detail {
        Detail::Http(http) => Some(&**http),
        _ => None,
    });
    found.collect()
}

fn names(read: &Read) -> Vec<&DnsQuery> {
    let events = read.events.iter();
    let found = events.filter_map(|event| match &event.detail {
        Detail::Dns(dns) => Some(&**dns),
        _ => None,
    });
    found.collect()
}

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: ../shared/data is not there");
    None
}

#[test]
fn rows_written_before_the_reply_are_no_silence() {
    let read = sample("fortigate/traffic.log");
    assert_eq!(read.skipped[0], "a content record, written before the reply: its session has a traffic record");
    assert_eq!(read.skipped[1], "an interim count of a session: its last record has the whole");
    let flows = flows(&read);
    // sentbyte=1974 rcvdbyte=3720 rcvdpkt=10: more than ten headers take.
    assert_eq!((flows[0].reply, flows[0].received.measured_value()), (FlowReply::Payload, Some(3720)));
    assert_eq!(flows[0].state.as_deref(), Some("RSTO"), "the client reset it");
    // rcvdpkt=0 of a session that is over, at a firewall that both directions pass.
    assert_eq!((flows[1].reply, flows[1].unanswered_attempt), (FlowReply::NothingIfTwoSided, true));
    // eventtime in nanoseconds, to the last digit, is the end: 16 s earlier it began.
    assert_eq!(read.events[0].time.to_string(), "2026-11-25T09:46:24.123456789Z");
    // Without eventtime: 10:48:41 +0100 less 21 s.
    assert_eq!(read.events[1].time.to_string(), "2026-11-25T09:48:20Z");
}

/// The formats of the events, in their order.
fn of_formats(read: &Read) -> Vec<&str> {
    read.events.iter().map(|event| &*event.format).collect()
}

#[test]
fn classes_in_one_file_are_read_each_by_its_own_mapping_and_each_states_its_own_stretch() {
    let lines = [
        r#"{"class_uid":4002,"time":1795600000000,"src_endpoint":{"ip":"10.0.0.5","port":51234},"http_request":{"url":{"url_string":"https://news.example/a"}}}"#,
        r#"{"class_uid":1007,"time":1795600001000}"#,
        r#"{"class_uid":4003,"time":1795600002000,"src_endpoint":{"ip":"10.0.0.5","port":50001},"query":{"hostname":"news.example","type":"A"},"rcode":"NoError"}"#,
        r#"{"class_uid":4003,"time":1795600009000,"src_endpoint":{"ip":"10.0.0.5"},"query":{"hostname":"b.example","type":"A"},"rcode":"NoError"}"#,
        r#"{"class_uid":4001,"activity_id":2,"time":1795600005000,"src_endpoint":{"ip":"10.0.0.5","port":51235},"dst_endpoint":{"ip":"192.0.2.20","port":443},"traffic":{"bytes_out":9,"bytes_in":7}}"#,
        r#"{"class_uid":4001,"activity_id":5,"time":1795600006000,"src_endpoint":{"ip":"10.0.0.5","port":51236},"dst_endpoint":{"ip":"192.0.2.20","port":443}}"#,
        r#"{"class_uid":4001,"activity_id":2,"time":1795600007000}"#,
    ];
    let read = read("lake.ndjson", lines.join("\n").as_bytes());
    assert_eq!(read.format, "ocsf-http", "the first class decides by which name the file goes");
    assert_eq!(of_formats(&read), ["ocsf-http", "ocsf-dns", "ocsf-dns", "ocsf-network"]);
    assert_eq!((https(&read).len(), names(&read).len(), flows(&read).len()), (1, 2, 1));
    let skipped = ["a record of another class"; 2];
    assert_eq!(read.skipped, skipped, "a process, and a connection that came to nothing");
    assert_eq!(read.malformed.len(), 1, "a flow without ends is none");
    let second = |time: monologue_model::Timestamp| time.nanoseconds() / 1_000_000_000 - 1_795_600_000;
    let stated: Vec<(&str, i64, i64, bool)> = read
        .stated
        .iter()
        .map(|record| {
            let complete = record.state == CoverageState::Complete;
            (&*record.format, second(record.from), second(record.until), complete)
        })
        .collect();
    // The line that cannot be read, and the end that is cut, may have been of any of them.
    let expected = [("ocsf-http", 0, 0), ("ocsf-network", 5, 5), ("ocsf-dns", 2, 9)].map(|(format, from, until)| {
        [(format, from, until, true), (format, from, until, false), (format, until, until, false)]
    });
    assert_eq!(stated, expected.concat());
}

#[test]
fn only_the_end_of_a_session_has_its_counts() {
    let read = sample("pan-traffic/traffic.csv");
    assert_eq!(read.skipped, ["the start of a session: its end has the counts", "a session that the firewall refused"]);
    let flows = flows(&read);
    assert_eq!((flows[0].sent.measured_value(), flows[0].received.measured_value()), (Some(1974), Some(372)));
    assert_eq!((flows[0].reply, flows[0].duration_ns), (FlowReply::Payload, Some(16_000_000_000)));
    assert_eq!(flows[1].reply, FlowReply::NothingIfTwoSided);
    let syslog = sample("pan-traffic/traffic.syslog");
    assert!(syslog.skipped.is_empty(), "the URL that was asked for stands in the same file");
    assert_eq!(of_formats(&syslog), ["pan-traffic", "pan-url"]);
    let ocsf = sample("ocsf-network/network.ndjson");
    let flows = self::flows(&ocsf);
    assert_eq!((flows[1].phase, flows[1].reply), (RecordPhase::Start, FlowReply::Unknown));
    assert_eq!(flows[1].received.quality, ByteQuality::Partial, "nothing yet is no zero");
    assert_eq!(flows[0].uid.as_deref(), Some("18446744073709551615"), "an id keeps every digit");
}

#[test]
fn a_direction_a_row_is_turned_to_the_client_and_never_silent() {
    let read = sample("aws-vpc-flow/flow.log");
    let flows = flows(&read);
    assert!(flows.iter().all(|flow| flow.originator.ip().to_string() == "10.0.0.5" && flow.responder.port() == 443));
    assert_eq!((flows[0].sent.value, flows[0].received.value), (Some(1974), None));
    assert_eq!((flows[1].sent.value, flows[1].received.value), (None, Some(3720)));
    // 120 bytes in three packets are bare headers: no payload is proved, and no silence either.
    let replies: Vec<_> = flows.iter().map(|flow| flow.reply).collect();
    assert_eq!(replies, [FlowReply::Unknown, FlowReply::Payload, FlowReply::Unknown]);
    let lost = read.events.iter().find_map(|event| match &event.detail {
        Detail::Coverage(record) => Some(record.clone()),
        _ => None,
    });
    let lost = lost.expect("SKIPDATA is a loss");
    assert_eq!(lost.state, CoverageState::Lost { reason: Loss::SensorLoss, records: None });
    assert_eq!(lost.until.since(lost.from), 60_000_000_000);
    assert_eq!(read.skipped, ["an interface without traffic", "traffic that the network refused"]);
}

#[test]
fn a_zero_of_tls_that_was_not_opened_is_absent() {
    let read = sample("zscaler-web/web.ndjson");
    let https = https(&read);
    assert_eq!((https[1].status, https[1].response_body.quality), (None, ByteQuality::Absent));
    assert_eq!((https[0].port, https[0].response_body.measured_value()), (Some(443), Some(4096)));
    assert_eq!(https[2].gateway.as_ref().unwrap().answered_by, AnsweredBy::Gateway);
    assert_eq!(read.events[0].host.as_deref(), Some("anna-mac"), "the device, wherever it roams");
    let umbrella = sample("umbrella-proxy/proxy.csv");
    let quiet = self::https(&umbrella)[2];
    assert_eq!((quiet.status, quiet.response_body.is_measured_zero()), (None, false));
    let doubtful = sample("webgateway/access.webgateway");
    assert!(self::https(&doubtful).iter().all(|http| http.response_body.quality == ByteQuality::Partial));
}

#[test]
fn who_left_is_told_by_flags_of_each_proxy() {
    let teardowns = |name: &str| -> Vec<Teardown> {
        https(&sample(name)).iter().map(|http| http.gateway.as_ref().unwrap().teardown).collect()
    };
    let (left, unknown) = (Teardown::ClientClosed, Teardown::Unknown);
    assert_eq!(teardowns("haproxy/haproxy.log"), [unknown, left, unknown, left]);
    assert_eq!(teardowns("envoy/envoy.log"), [unknown, left, unknown, unknown]);
    assert_eq!(teardowns("mitmproxy/session.mitm"), [unknown, left, unknown]);
    let envoy = sample("envoy/envoy.log");
    let bodies: Vec<_> = https(&envoy).iter().map(|http| http.response_body.is_measured_zero()).collect();
    assert_eq!(bodies, [false, false, true, false], "a body of no bytes is one only of a whole reply");
}

#[test]
fn end_stamps_and_columns_by_name() {
    let read = sample("bluecoat/main.log");
    // 10:00:01 less 1,500 ms; 10:01:30 less 90 s.
    assert_eq!(read.events[0].time.to_string(), "2026-11-25T09:59:59.5Z");
    assert_eq!(read.events[1].time.to_string(), "2026-11-25T10:00:00Z");
    let by: Vec<_> = https(&read).iter().map(|http| http.gateway.as_ref().unwrap().answered_by).collect();
    use AnsweredBy::{Cache, Gateway, Service};
    assert_eq!(by, [Service, Service, Gateway, Cache, Gateway]);
    let resolver = sample("route53-resolver/queries.ndjson");
    assert_eq!(names(&resolver)[0].answers, ["192.0.2.10".parse::<std::net::IpAddr>().unwrap()]);
}

#[test]
fn an_archive_of_a_browser_says_what_it_does_not_know() {
    let read = sample("har/session.har");
    let https = https(&read);
    assert_eq!(read.events[0].time.to_string(), "2026-11-25T09:00:00.25Z");
    assert_eq!(https[0].response_body.measured_value(), Some(1256));
    assert_eq!((https[1].status, https[1].response_body.quality), (None, ByteQuality::Absent), "-1 is unknown");
    assert_eq!(https[2].response_body.quality, ByteQuality::Partial, "a stream is not collected");
    assert_eq!(read.malformed.len(), 1);
    assert!(read.malformed[0].contains("in startedDateTime, expected a time"));
}

#[test]
fn a_mapping_of_the_users_own_reads_a_layout_of_squid() {
    let mapping = r#"name = "our-squid"
about = "our proxy"
event = "http"
[shape]
kind = "squid"
logformat = '%ts.%03tu %6tr %>a %>p %Ss/%03>Hs %<st %>st %rm %ru %[un %Sh/%<a "%{User-Agent}>h" %ssl::>sni'
[detect]
text = "TCP_"
"#;
    let format = user_mapping(mapping, "squid.toml").unwrap();
    assert_eq!(format.name(), "our-squid");
    let text = b"1795600000.250 150 10.0.0.5 51234 TCP_TUNNEL/200 5120 640 CONNECT 192.0.2.1:443 anna HIER_DIRECT/192.0.2.1 \"-\" api.example\n";
    let items: Vec<_> = format.read(Input::from_bytes("access.log", text)).collect();
    let Some(Ok(Item::Event(event))) = items.first() else { panic!("{items:?}") };
    let Detail::Http(http) = &event.detail else { panic!() };
    assert_eq!((http.host.as_deref(), http.port), (Some("api.example"), Some(443)), "the name asked for in TLS");
    assert_eq!(http.originator.to_string(), "10.0.0.5:51234");
    assert_eq!(http.request_body.measured_value(), Some(640));
    let bad = user_mapping(&mapping.replace("%>st", "%zz"), "squid.toml").err().unwrap();
    assert!(bad.to_string().starts_with("squid.toml, line "), "{bad}");
    assert!(bad.to_string().contains("in `logformat`, expected a format code"), "{bad}");
}

#[test]
fn real_logs_of_a_web_gateway_are_read_but_for_lines_that_lack_something() {
    let Some(folder) = shared("network/aktaion") else { return };
    let mut folders = vec![folder];
    let (mut files, mut events, mut others) = (0, 0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "webgateway") {
                let read = read("x.webgateway", &std::fs::read(&path).unwrap());
                assert_eq!(read.format, "webgateway", "{}", path.display());
                files += 1;
                events += read.events.len();
                others += read.skipped.len() + read.malformed.len();
            }
        }
    }
    // 9,987 lines that are not empty, by an expression of our own; seven of one file lack a column, and one line has neither
    // client nor server.
    assert_eq!((files, events + others), (386, 9_987));
    assert_eq!(others, 8);
}

#[test]
fn real_flows_of_mitmproxy_and_archives_have_the_counts_of_their_own_parsers() {
    let Some(folder) = shared("formats/mitmproxy") else { return };
    let counts = [
        ("dumpfile-10.mitm", 1),
        ("dumpfile-19.mitm", 1),
        ("dumpfile-7.mitm", 2),
        ("error_log.mitm", 2),
        ("incomplete_log.mitm", 4),
        ("successful_log.mitm", 2),
        ("diff_data.har", 5),
        ("error_log.har", 2),
        ("event_stream.har", 2),
        ("incomplete_log.har", 4),
        ("successful_log.har", 2),
        ("websocket.har", 3),
    ];
    for (name, count) in counts {
        let read = read(name, &std::fs::read(folder.join(name)).unwrap());
        assert_eq!((read.events.len(), read.malformed.len()), (count, 0), "{name}: {:?}", read.malformed);
    }
    let read = read("successful_log.mitm", &std::fs::read(folder.join("successful_log.mitm")).unwrap());
    let first = https(&read)[0];
    // By hand: timestamp_start 1690281721.7268102, content 1256 bytes, peer 93.184.216.34, client 127.0.0.1:51407.
    assert_eq!(read.events[0].time.nanoseconds(), 1_690_281_721_726_810_200);
    assert_eq!((first.status, first.response_body.measured_value()), (Some(200), Some(1256)));
    assert_eq!(first.originator.to_string(), "127.0.0.1:51407");
    assert_eq!(first.gateway.as_ref().unwrap().server, "93.184.216.34".parse().ok());
}

#[test]
fn real_records_of_resolvers_are_read_and_audit_logs_refused() {
    let Some(folder) = shared("formats") else { return };
    let of = |path: &str| read("panther-tests.ndjson", &std::fs::read(folder.join(path)).unwrap());
    let umbrella = of("umbrella-dns/panther-tests.ndjson");
    assert_eq!((umbrella.format, umbrella.events.len()), ("umbrella-dns-json", 4));
    assert_eq!(names(&umbrella)[0].name.as_deref(), Some("malware.gvt2.com"));
    assert_eq!(umbrella.events[0].time.to_string(), "2020-05-21T19:20:25Z");
    let route53 = of("aws-vpcflow/panther-tests.ndjson");
    assert_eq!((route53.format, route53.events.len(), route53.skipped.len()), ("route53-resolver", 8, 32));
    // What lies in these three folders are logs of administration and of a web site's edge: nobody's requests.
    for name in ["zscaler", "netskope", "cloudflare-gw-http"] {
        let bytes = std::fs::read(folder.join(name).join("panther-tests.ndjson")).unwrap();
        let (found, _) = Input::from_bytes("x", &bytes).with_head(monologue_formats::detect).unwrap();
        assert!(found.is_err(), "{name} is taken for {}", found.map_or("", |format| format.name()));
    }
}
