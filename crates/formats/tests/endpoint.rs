//! Facts of the readers of endpoint sensors, each checked by hand against the sample records: every trap has its record.
#![cfg(test)]

use monologue_formats::{Input, Item, Malformed, by_name};
use monologue_model::{
    ByteCount, ConnectionFact, CoverageState, Detail, DnsQuery, Endpoint, Event, FileEffect, FileEffectKind, Loss,
    NetworkConnection, ProcessExec, ProcessExit, Sha256, SignatureState, Timestamp, Transport,
};
use std::path::{Path, PathBuf};

/// What reading gave.
#[derive(Default)]
struct Read {
    events: Vec<Event>,
    derived: Vec<Event>,
    skipped: Vec<&'static str>,
    malformed: Vec<Malformed>,
}

fn read_as(format: &str, name: &str, bytes: &[u8]) -> Read {
    let mut read = Read::default();
    for item in by_name(format).unwrap().read(Input::from_bytes(name, bytes)) {
        match item {
            Ok(Item::Event(event)) => read.events.push(*event),
            Ok(Item::Derived(event)) => read.derived.push(*event),
            Ok(Item::Skipped(reason)) => read.skipped.push(reason),
            Err(malformed) => read.malformed.push(malformed),
        }
    }
    for event in read.events.iter().chain(&read.derived) {
        let place = event.provenance.offset as usize..(event.provenance.offset + event.provenance.length) as usize;
        assert_eq!(Sha256::of(&bytes[place]), event.provenance.sha256, "{format}: {event:?}");
        let complete = matches!(&event.detail, Detail::Coverage(record) if record.state == CoverageState::Complete);
        assert!(!complete, "no endpoint sensor of these is ever complete: {event:?}");
    }
    read
}

fn sample(format: &str, file: &str) -> Read {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(format).join(file);
    let read = read_as(format, file, &std::fs::read(path).unwrap());
    let text = serde_json::to_string(&(&read.events, &read.derived)).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("never-kept"), "{format}: a secret was kept");
    read
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn exec(event: &Event) -> &ProcessExec {
    let Detail::ProcessExec(exec) = &event.detail else { panic!("expected an exec, found {event:?}") };
    exec
}

fn exit(event: &Event) -> &ProcessExit {
    let Detail::ProcessExit(exit) = &event.detail else { panic!("expected an exit, found {event:?}") };
    exit
}

fn dns(event: &Event) -> &DnsQuery {
    let Detail::Dns(query) = &event.detail else { panic!("expected a query, found {event:?}") };
    query
}

fn file(event: &Event) -> &FileEffect {
    let Detail::FileEffect(effect) = &event.detail else { panic!("expected a file effect, found {event:?}") };
    effect
}

fn connection(event: &Event) -> &NetworkConnection {
    let Detail::Connection(connection) = &event.detail else { panic!("expected a connection, found {event:?}") };
    connection
}

/// Name, address and port of a far end.
fn named(endpoint: &Endpoint) -> (Option<&str>, String, Option<u16>) {
    (endpoint.name.as_deref(), endpoint.address.map(|ip| ip.to_string()).unwrap_or_default(), endpoint.port)
}

/// Far end, near end, whether it was opened, received and sent, of a contact.
fn contact(event: &Event) -> (&Endpoint, String, bool, ByteCount, ByteCount) {
    let ConnectionFact::Contacted { endpoint, local, opened, received, sent, .. } = &connection(event).fact else {
        panic!("expected a contact, found {event:?}")
    };
    (endpoint, local.map(|local| local.to_string()).unwrap_or_default(), *opened, *received, *sent)
}

/// A connect event of an EDR knows nothing of bytes.
fn assert_blind(event: &Event) {
    let (.., received, sent) = contact(event);
    for count in [received, sent] {
        assert_eq!((count.value, count.is_measured_zero()), (None, false), "{event:?}");
    }
}

#[test]
fn mac_monitor_tells_gaps_and_never_completeness() {
    let read = sample("mac-monitor", "trace.jsonl");
    assert_eq!((read.events.len(), read.malformed.len()), (3, 0));
    assert_eq!(exec(&read.events[0]).target.team_id.as_deref(), Some("EXAMPLE123"));
    assert_eq!(read.events[1].time, time("2026-11-24T08:00:02.25Z"));
    // Exec numbers 0 and 3: two are missing, and the whole (0, 1, 4) misses the same two.
    let [gap] = &read.derived[..] else { panic!("{:?}", read.derived) };
    let Detail::Coverage(gap) = &gap.detail else { panic!() };
    assert_eq!(gap.state, CoverageState::Lost { reason: Loss::SequenceGap, records: Some(2) });
}

#[test]
fn jamf_telemetry_names_hosts_connections_and_gaps_of_each_host() {
    let read = sample("jamf-telemetry", "stream.ndjson");
    assert_eq!(read.events[0].host.as_deref(), Some("mac-11"));
    assert_eq!(exec(&read.events[0]).arguments[2], "https://updates.example.com/feed?token=***");
    let (far, near, opened, ..) = contact(&read.events[1]);
    assert_eq!(named(far), (Some("updates.example.com"), "192.0.2.80".to_owned(), Some(443)));
    assert_eq!((near.as_str(), opened), ("10.0.0.7:50123", true));
    assert_blind(&read.events[1]);
    let process = &connection(&read.events[1]).process;
    assert_eq!((process.key.pid, process.key.pidversion), (Some(701), Some(7011)));
    assert_eq!(process.signature, SignatureState::Platform);
    assert!(read.skipped.contains(&"connection begun by the other side"));
    assert!(read.skipped.contains(&"bytes of programs, without saying with whom"));
    assert!(read.malformed[0].expected.contains("remote host"));
    assert_eq!(read.events.last().unwrap().host.as_deref(), Some("mac-12"));
    // mac-11: the whole goes from 10 to 12, each type has one record. mac-12 counts for itself: no gap.
    let [gap] = &read.derived[..] else { panic!("{:?}", read.derived) };
    assert_eq!(gap.host.as_deref(), Some("mac-11"));
    let Detail::Coverage(record) = &gap.detail else { panic!() };
    assert_eq!(record.state, CoverageState::Lost { reason: Loss::SequenceGap, records: Some(1) });
}

#[test]
fn crowdstrike_joins_by_its_own_64_bit_numbers() {
    let read = sample("crowdstrike", "fdr.ndjson");
    let target = &exec(&read.events[0]).target;
    assert_eq!(target.key.instance.as_deref(), Some("468193711305251738"), "beyond 2^53, and exact");
    assert_eq!((target.key.pid, target.user_id), (Some(30138), Some(501)));
    assert_eq!(target.team_id.as_deref(), Some("EXAMPLE123"));
    assert_eq!(target.parent.as_ref().unwrap().instance.as_deref(), Some("466750419375415990"));
    let program = "/Applications/Example Agent.app/Contents/MacOS/Example Agent";
    assert_eq!(exec(&read.events[0]).arguments, [program, "--password", "***", "https://api.example.com/x"]);
    // The time of the sensor, not of the cloud's receipt (1795507205).
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:01.504Z"));
    let query = dns(&read.events[1]);
    assert_eq!((query.name.as_deref(), query.query_type.as_deref()), (Some("api.example.com"), Some("A")));
    assert_eq!(query.answers.len(), 2);
    let (far, near, opened, ..) = contact(&read.events[2]);
    assert_eq!(named(far), (None, "192.0.2.80".to_owned(), Some(443)));
    assert_eq!((near.as_str(), opened), ("10.0.0.7:50123", true));
    assert_eq!(connection(&read.events[2]).process.path.as_deref(), Some(program), "told by its own record");
    assert_blind(&read.events[2]);
    // A process whose record stands in another file: known by its number alone. Port 0 is no port.
    let stranger = connection(&read.events[3]);
    assert_eq!(stranger.process.key.instance.as_deref(), Some("494725112584640957"));
    assert_eq!((stranger.process.key.pid, contact(&read.events[3]).1.as_str()), (None, ""));
    let ConnectionFact::Contacted { transport, .. } = stranger.fact else { panic!() };
    assert_eq!(transport, Transport::Udp);
    // Folded repetitions: twelve starts are missing in the ten minutes before.
    let Detail::Coverage(folded) = &read.events[4].detail else { panic!("{:?}", read.events[4]) };
    assert_eq!(folded.state, CoverageState::Lost { reason: Loss::SensorLoss, records: Some(12) });
    assert_eq!(folded.until.since(folded.from), 600 * 1_000_000_000);
    assert_eq!((file(&read.events[5]).effect, exit(&read.events[6]).status), (FileEffectKind::Unlink, None));
    assert_eq!(
        read.skipped,
        [
            "connection begun by the other side",
            "socket bound, no connection",
            "event type not used",
            "host of another platform"
        ]
    );
    assert_eq!(read.malformed.len(), 1, "a connection to nowhere");
    let read = sample("crowdstrike", "nested.ndjson");
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:01.504Z"));
    assert_eq!(exec(&read.events[0]).target.team_id, None, "`-` is none");
}

#[test]
fn defender_is_not_fooled_by_a_parent_that_is_the_process_itself() {
    let read = sample("defender", "stream.ndjson");
    let (far, near, ..) = contact(&read.events[0]);
    assert_eq!(named(far), (Some("api.example.com"), "192.0.2.80".to_owned(), Some(443)));
    assert_eq!(near, "10.0.0.7:50123");
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:01.1234567Z"), "seven digits of a second");
    assert_eq!(read.events[0].host.as_deref(), Some("mac-21.example.com"));
    let process = &connection(&read.events[0]).process;
    assert_eq!((process.path.as_deref(), process.key.pid), (Some("/opt/agent"), Some(7357)));
    assert_eq!(process.key.instance.as_deref(), Some("7357@2026-11-24T07:59:00.5Z"));
    assert_eq!(named(contact(&read.events[1]).0).1, "192.0.2.81", "IPv4 in IPv6 form");
    read.events[..2].iter().for_each(assert_blind);
    assert!(!contact(&read.events[0]).2, "sampled and folded without saying so: no check-in");
    let in_place = exec(&read.events[2]);
    assert_eq!(in_place.target.parent, None, "its own number as parent says nothing");
    assert_eq!(in_place.previous.path.as_deref(), Some("/bin/zsh"));
    assert_eq!(in_place.arguments, ["curl", "-u", "anna:***", "https://api.example.com/"]);
    assert_eq!(exec(&read.events[3]).target.parent.as_ref().unwrap().pid, Some(7357));
    let renamed = file(&read.events[4]);
    assert_eq!((&*renamed.path, renamed.target.as_deref()), ("/private/tmp/a", Some("/private/tmp/b")));
    assert_eq!(
        read.skipped,
        ["action not used", "seen on the network, without a process", "host of another platform", "table not used"]
    );
    let read = sample("defender-csv", "portal.csv");
    assert_eq!(named(contact(&read.events[0]).0).0, Some("api.example.com"));
    assert_eq!(read.malformed[0].expected, "expected 13 columns, found 2");
}

#[test]
fn sentinelone_reads_publishers_and_never_multiplies_a_folded_event() {
    let read = sample("sentinelone", "funnel.ndjson");
    let started = exec(&read.events[0]);
    assert_eq!((started.target.key.instance.as_deref(), started.target.key.pid), (Some("P2"), Some(500)));
    assert_eq!(started.target.signature, SignatureState::Platform);
    assert_eq!(started.target.parent.as_ref().unwrap().instance.as_deref(), Some("P1"));
    assert_eq!(started.arguments[2], "Authorization: Bearer ***");
    let query = dns(&read.events[1]);
    assert_eq!((query.name.as_deref(), query.query_type.as_deref()), (Some("api.example.com"), Some("AAAA")));
    let answers: Vec<_> = query.answers.iter().map(ToString::to_string).collect();
    assert_eq!(answers, ["2001:db8::80", "192.0.2.80"]);
    let process = &connection(&read.events[2]).process;
    assert_eq!((process.signature, process.team_id.as_deref()), (SignatureState::Team, Some("EXAMPLE123")));
    assert_eq!(process.signing_id.as_deref(), Some("com.example.app"));
    assert_blind(&read.events[2]);
    assert_eq!(read.events[2].time, time("2026-11-24T08:00:01.123Z"));
    // `event.repetitionCount` 7 is one record, and the seven moments nobody knows: no check-in.
    assert!(!contact(&read.events[2]).2);
    assert_eq!((read.events.len(), read.derived.len()), (4, 0));
    assert_eq!(read.skipped.len(), 4);
}

#[test]
fn elastic_counts_bytes_at_the_end_and_believes_no_zero() {
    let read = sample("elastic-defend", "events.ndjson");
    assert!(matches!(read.events[0].detail, Detail::ProcessFork(_)));
    assert_eq!(exec(&read.events[1]).arguments, ["/opt/agent", "--token=***"]);
    let target = &exec(&read.events[1]).target;
    assert_eq!((target.key.instance.as_deref(), target.signature), (Some("ZTE="), SignatureState::Team));
    assert!(contact(&read.events[2]).2, "attempted");
    assert_blind(&read.events[2]);
    let ends: Vec<_> = read.events[3..5]
        .iter()
        .map(|event| match &connection(event).fact {
            ConnectionFact::Closed { received, sent, .. } => (received.measured_value(), sent.measured_value()),
            other => panic!("expected an end, found {other:?}"),
        })
        .collect();
    assert_eq!(ends, [(Some(2048), Some(512)), (None, Some(512))], "a 0 is not known to be measured");
    assert_eq!(connection(&read.events[2]).connection, connection(&read.events[3]).connection, "one connection");
    assert_eq!(dns(&read.events[5]).answers.len(), 1);
    assert_eq!(exit(&read.events[7]).status, Some(256), "exit code 1 as a wait status");
    assert_eq!(file(&read.events[8]).effect, FileEffectKind::Unlink, "in the wrapper of a search engine");
    assert_eq!(read.skipped, ["connection begun by the other side", "host of another platform"]);
}

#[test]
fn cortex_sums_are_parts() {
    let read = sample("cortex-xdr", "rows.json");
    let (far, near, opened, ..) = contact(&read.events[0]);
    assert_eq!(named(far), (Some("api.example.com"), "192.0.2.80".to_owned(), Some(443)));
    assert_eq!((near.as_str(), opened), ("10.0.0.7:50123", false), "folded without saying so: no check-in");
    let (.., opened, received, sent) = contact(&read.events[1]);
    assert!(!opened, "a story has no moment");
    assert!(!received.is_measured_zero() && received.value == Some(0) && sent.value == Some(700));
    assert_eq!(exec(&read.events[2]).target.parent.as_ref().unwrap().pid, Some(900));
    assert_eq!((read.events.len(), read.skipped.len(), read.malformed.len()), (4, 3, 0));
}

#[test]
fn a_connect_that_does_not_block_is_an_attempt() {
    let read = sample("jamf", "telemetry.json");
    assert_eq!((read.events.len(), read.malformed.len()), (4, 0));
    assert!(matches!(&read.events[0].detail, Detail::ProcessFork(fork) if fork.child.key.pid == Some(1201)));
    let started = exec(&read.events[1]);
    // Arguments are named 1, 2, 10, 3: ordered as numbers. The signature is that of the program before.
    assert_eq!(started.arguments, ["curl", "-s", "-o", "https://api.example.com/?key=***"]);
    assert_eq!((started.target.signature, &started.target.signing_id), (SignatureState::Unknown, &None));
    assert_eq!((started.target.parent.as_ref().unwrap().pid, &started.launch_label), (Some(1200), &None));
    // "failure : Operation now in progress", at 1795507200.174.
    assert_eq!(read.events[2].time, time("2026-11-24T08:00:00.174Z"));
    assert_eq!(named(contact(&read.events[2]).0), (None, "192.0.2.80".to_owned(), Some(443)));
    assert_blind(&read.events[2]);
    assert_eq!(read.skipped, ["socket of the machine itself", "audit event not used"]);
    let read = sample("jamf", "web-and-alerts.ndjson");
    let query = dns(&read.events[0]);
    assert_eq!((query.name.as_deref(), query.answers.len(), &query.process), (Some("api.example.com"), 2, &None));
    assert_eq!(read.skipped, ["host of another platform", "alert: what was noticed, not what happened"]);
}

#[test]
fn santa_counts_are_final_only_when_the_flow_was_closed() {
    let read = sample("santa", "events.ndjson");
    let started = exec(&read.events[0]);
    assert_eq!(started.arguments, ["/opt/agent", "--token=***"]);
    assert_eq!(started.target.cdhash.as_deref(), Some("ab".repeat(20).as_str()), "bytes in Base64");
    assert_eq!(started.target.key.boot.as_deref(), Some("0F1E2D3C4B5A69788796A5B4C3D2E1F0"));
    assert_eq!((started.launch_label.as_deref(), &started.target.responsible), (Some("com.example.job"), &None));
    assert_eq!((started.target.signature, started.previous.key.pidversion), (SignatureState::Team, Some(7001)));
    // One record, three flows of ours: the blocked and the inbound one say nothing.
    let (.., opened, received, sent) = contact(&read.events[1]);
    assert!(opened && received.value == Some(0) && !received.is_measured_zero(), "open: a part");
    assert_eq!((sent.value, sent.measured_value()), (Some(300), None));
    assert_eq!(read.events[1].time, time("2026-11-24T08:01:10Z"), "the flow's beginning, not the window's");
    let ends: Vec<_> = read.derived.iter().map(|event| (event.time, &connection(event).fact)).collect();
    let [(answered, first), (silent, second)] = &ends[..] else { panic!("{ends:?}") };
    assert_eq!((*answered, *silent), (time("2026-11-24T08:01:22.5Z"), time("2026-11-24T08:01:31Z")));
    let ConnectionFact::Closed { received, duration_ms, .. } = first else { panic!() };
    assert_eq!((received.measured_value(), *duration_ms), (Some(900), Some(2500)));
    let ConnectionFact::Closed { received, sent, .. } = second else { panic!() };
    assert!(received.is_measured_zero() && sent.measured_value() == Some(300));
    // The next window shows the first flow again: the same number, counts from its beginning, not opened again.
    let again = &read.events[2];
    assert_eq!(connection(again).connection, connection(&read.events[1]).connection);
    let (.., opened, received, sent) = contact(again);
    assert_eq!((opened, received.value, sent.value), (false, Some(40), Some(600)));
    assert_eq!(file(&read.events[4]).target.as_deref(), Some("/private/tmp/y"));
    let Detail::LaunchItem(item) = &read.events[5].detail else { panic!() };
    assert_eq!(item.item.as_deref(), Some("/Applications/Example.app/Contents/Library/LaunchAgents/x.plist"));
    assert_eq!(exit(&read.events[6]).status, Some(9), "a signal stands in the low bits");
    assert_eq!(
        read.skipped,
        ["program that was not allowed to run", "file closed without change", "event type not used"]
    );
}

#[test]
fn santas_text_log_undoes_its_escapes() {
    let read = sample("santa-log", "santa.log");
    let started = exec(&read.events[0]);
    assert_eq!(started.target.path.as_deref(), Some("/opt/a|b/agent"));
    assert_eq!(started.arguments, ["/opt/a|b/agent", "--key=v=w", "--password", "***"]);
    assert_eq!(started.target.signing_id.as_deref(), Some("com.example.agent"));
    assert_eq!((started.target.signature, started.target.key.pidversion), (SignatureState::Team, Some(7002)));
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:00.005Z"));
    let Detail::ProcessFork(fork) = &read.events[1].detail else { panic!() };
    assert_eq!((fork.child.key.pid, fork.parent.key.pid), (Some(701), Some(700)), "the pid is the child's");
    let renamed = file(&read.events[3]);
    assert_eq!(renamed.target.as_deref(), Some("/private/tmp/y\nz"));
    assert_eq!((renamed.process.key.pidversion, renamed.process.path.as_deref()), (None, Some("/opt/agent")));
    assert_eq!(&*file(&read.events[4]).path, "/var/db/santa/santa.log", "its own rotation");
    assert_eq!(read.skipped, ["program that was not allowed to run", "action not used"]);
    assert_eq!(read.malformed[0].expected, "expected `pid=`");
}

#[test]
fn osquery_tables_are_told_by_columns_and_event_rows_have_their_own_time() {
    let read = sample("osquery", "results.ndjson");
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:01Z"), "of the row, not of the query at 08:05");
    let started = exec(&read.events[0]);
    assert_eq!((started.target.key.pidversion, started.target.signature), (Some(8001), SignatureState::Team));
    assert_eq!(started.target.cdhash.as_deref(), Some("0123456789abcdef0123456789abcdef01234567"));
    assert_eq!(
        (started.arguments[1].as_str(), started.launch_label.as_deref()),
        ("--token=***", Some("com.example.job"))
    );
    let Detail::ProcessFork(fork) = &read.events[1].detail else { panic!() };
    assert_eq!((fork.child.key.pid, fork.child.key.pidversion), (Some(801), None));
    assert_eq!(exit(&read.events[2]).status, Some(0));
    assert_eq!(file(&read.events[3]).effect, FileEffectKind::Rename);
    let looks = [&read.events[4], &read.events[5], &read.events[6]];
    let times = looks.map(|event| event.time.to_string());
    assert_eq!(times, ["2026-11-24T08:05:00Z", "2026-11-24T08:15:00Z", "2026-11-24T08:20:00Z"]);
    for look in looks {
        let (far, near, opened, ..) = contact(look);
        assert_eq!(named(far), (None, "192.0.2.80".to_owned(), Some(443)));
        assert_eq!((near.as_str(), opened), ("10.0.0.7:50123", false), "seen to be there, not opened");
        assert_eq!(connection(look).connection, connection(looks[0]).connection, "one and the same socket");
        assert_blind(look);
    }
    // The snapshot's second socket, in IPv6 form; the listening one says nothing.
    assert_eq!(named(contact(&read.derived[0]).0).1, "192.0.2.81");
    assert_eq!(read.skipped, ["socket that was gone at the time of the query", "table not used"]);
    assert!(read.malformed[0].expected.contains("`unixTime`"));
}

#[test]
fn objective_see_json_is_mended_where_it_is_broken() {
    let read = sample("process-monitor", "monitor.json");
    let started = exec(&read.events[0]);
    assert_eq!(started.arguments, ["curl", "-d", "a\\b\nc", "--password", "***"]);
    assert_eq!((started.target.key.pid, started.target.signature), (Some(900), SignatureState::Platform));
    assert_eq!(read.events[0].time, time("2026-11-24T08:00:01Z"));
    assert_eq!(started.target.responsible.as_ref().unwrap().pid, Some(700));
    assert_eq!(file(&read.events[2]).target.as_deref(), Some("/private/tmp/y"));
    assert_eq!((read.events.len(), read.skipped.len(), read.malformed.len()), (4, 1, 0));
    let read = sample("dns-monitor", "names.json");
    assert_eq!((&dns(&read.events[0]).response_code, dns(&read.events[0]).answers.len()), (&None, 0));
    let answer = dns(&read.events[1]);
    assert_eq!(
        (answer.response_code.as_deref(), answer.answers[0].to_string()),
        (Some("NOERROR"), "192.0.2.80".to_owned())
    );
    assert_eq!(answer.process.as_ref().unwrap().signing_id.as_deref(), Some("com.example.agent"));
    assert_eq!(read.skipped, ["packet without a question"]);
}

#[test]
fn a_minute_without_a_reply_is_no_silence() {
    let read = sample("little-snitch", "traffic.csv");
    let (far, near, opened, received, sent) = contact(&read.events[0]);
    assert_eq!(named(far), (Some("api.example.com"), "192.0.2.80".to_owned(), Some(443)));
    assert_eq!((near.as_str(), opened, sent.value), ("", false, Some(700)), "two connections, nobody knows when");
    assert!(received.value == Some(0) && !received.is_measured_zero());
    let program = "/Applications/Example, Inc.app/Contents/MacOS/Example";
    assert_eq!(connection(&read.events[0]).process.path.as_deref(), Some(program));
    // The other form of the date.
    assert_eq!(read.events[1].time, time("2026-11-24T08:01:00Z"));
    assert!(contact(&read.events[1]).3.is_positive());
    assert_eq!(read.skipped, ["header line", "connection that was denied", "connection begun by the other side"]);
    assert_eq!(read.malformed.len(), 1);
}

#[test]
fn nettop_takes_its_date_from_the_name_and_passes_midnight() {
    let read = sample("nettop", "nettop-2026-11-24.csv");
    assert_eq!(read.events[0].time, time("2026-11-24T23:59:50.1001Z"));
    assert_eq!(read.events[1].time, time("2026-11-25T00:00:05.0001Z"));
    assert_eq!(connection(&read.events[0]).process.key.pid, Some(51458), "after the last dot of a cut name");
    assert_eq!(connection(&read.events[1]).process.key.pid, Some(77));
    let (far, near, opened, received, _) = contact(&read.events[1]);
    assert_eq!(named(far).1, "2001:db8::80");
    assert_eq!((near.as_str(), opened), ("[2001:db8::7]:50200", false));
    assert!(received.value == Some(0) && !received.is_measured_zero(), "it may be a difference to the frame before");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/nettop/nettop-2026-11-24.csv");
    let dateless = read_as("nettop", "nettop.csv", &std::fs::read(path).unwrap());
    assert_eq!(dateless.events.len(), 0);
    assert!(dateless.malformed[0].expected.contains("hint: name it like"));
}

#[test]
fn lsof_takes_its_moment_from_the_name() {
    let read = sample("lsof", "lsof-2026-11-24T08-15-30Z.txt");
    assert!(read.events.iter().all(|event| event.time == time("2026-11-24T08:15:30Z")));
    let (far, near, opened, ..) = contact(&read.events[0]);
    assert_eq!(named(far), (None, "192.0.2.80".to_owned(), Some(443)));
    assert_eq!((near.as_str(), opened), ("10.0.0.7:50123", false));
    assert_eq!(connection(&read.events[0]).process.user_id, Some(501));
    assert_eq!(named(contact(&read.events[1]).0).1, "2001:db8::80");
    assert_eq!(read.skipped, ["socket without a far end"]);
    assert!(read.malformed[0].expected.contains("-nP"));
}

// Real records, where they are there.

fn shared(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/formats");
    if root.is_dir() {
        return Some(root.join(name));
    }
    println!("skipped: ../shared/data is not there");
    None
}

/// Reads a real file by the format that its content is detected as, which must be this one.
fn real(format: &str, path: &Path) -> Read {
    let name = path.file_name().unwrap().to_str().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let (found, _) = Input::from_bytes(name, &bytes).with_head(monologue_formats::detect).unwrap();
    let found = found.unwrap_or_else(|refusals| panic!("{name} is refused: {refusals:?}"));
    assert_eq!(found.name(), format, "{name}");
    read_as(format, name, &bytes)
}

#[test]
fn real_mac_monitor_and_jamf_records() {
    let Some(folder) = shared("mac-monitor") else { return };
    let read = real("mac-monitor", &folder.join("macmonitor-2.1-exit.jsonl"));
    assert_eq!((exit(&read.events[0]).status, exit(&read.events[0]).process.key.pidversion), (Some(9), Some(4445)));
    let folder = shared("jamf").unwrap();
    let mut events = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if std::fs::read_to_string(&path).unwrap().contains("\"$schema\"") {
            continue; // A schema is no record.
        }
        let read = real("jamf", &path);
        assert_eq!(read.malformed, [], "{name}");
        assert!(read.derived.is_empty() && read.events.len() + read.skipped.len() >= 1, "{name}");
        events += read.events.len();
        match &*name {
            "telemetry-AUE_CONNECT.json" => {
                assert_eq!(named(contact(&read.events[0]).0), (None, "127.0.0.1".to_owned(), Some(6468)));
                assert_eq!(connection(&read.events[0]).process.key.pid, Some(11800));
                assert_eq!(read.events[0].time, time("2019-10-15T18:34:41.174Z"));
            }
            "telemetry-AUE_EXECVE.json" => {
                assert_eq!(exec(&read.events[0]).target.path.as_deref(), Some("/usr/libexec/od_user_homes"));
                assert_eq!(exec(&read.events[0]).arguments, ["/usr/libexec/od_user_homes", ".Trashes"]);
            }
            "telemetry-AUE_POSIX_SPAWN.json" => {
                // The only path it names is the console that the child was given.
                assert_eq!(
                    (exec(&read.events[0]).target.key.pid, &exec(&read.events[0]).target.path),
                    (Some(25971), &None)
                );
            }
            _ => {}
        }
    }
    // AUE_CONNECT, EXECVE, POSIX_SPAWN, FORK, EXIT; the web event is of an iPhone.
    assert_eq!(events, 5);
}

#[test]
fn real_crowdstrike_records() {
    let Some(folder) = shared("crowdstrike-fdr") else { return };
    let path = folder.join("panther-tests.ndjson");
    let read = real("crowdstrike", &path);
    let text = std::fs::read_to_string(&path).unwrap();
    let mac = |kind: &str| {
        text.lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|record| {
                let event =
                    record.get("event").filter(|event| event.get("event_simpleName").is_some()).unwrap_or(record);
                event.get("event_simpleName").is_some_and(|name| name == kind)
                    && event.get("event_platform").is_some_and(|platform| platform == "Mac")
            })
            .count()
    };
    let count = |wanted: fn(&Detail) -> bool| read.events.iter().filter(|event| wanted(&event.detail)).count();
    assert_eq!(count(|detail| matches!(detail, Detail::ProcessExec(_))), mac("ProcessRollup2"));
    assert_eq!(count(|detail| matches!(detail, Detail::Dns(_))), mac("DnsRequest"));
    let git = read.events.iter().find(|event| {
        matches!(&event.detail, Detail::ProcessExec(exec) if exec.target.key.instance.as_deref() == Some("468193711305251738"))
    });
    let git = git.unwrap();
    assert_eq!(exec(git).target.key.pid, Some(30138));
    // ProcessStartTime is 1675441378.504; the record has no ContextTimeStamp, only the cloud's 1675441380830.
    assert_eq!(git.time, time("2023-02-03T16:23:00.83Z"));
    // Six lines are the word null.
    assert_eq!(read.malformed.iter().filter(|malformed| malformed.expected == "expected a JSON object").count(), 6);
}

#[test]
fn real_records_of_management_consoles_are_passed_over_with_reasons() {
    let Some(folder) = shared("") else { return };
    for (format, file, records) in [
        ("sentinelone", "sentinelone/panther-tests.ndjson", 11),
        ("defender", "m365-defender/panther-tests.ndjson", 2),
        ("osquery", "osquery/panther-tests.ndjson", 37),
    ] {
        let read = real(format, &folder.join(file));
        assert_eq!((read.events.len(), read.malformed.len()), (0, 0), "{format}");
        let lines = std::fs::read_to_string(folder.join(file)).unwrap().lines().filter(|line| !line.is_empty()).count();
        assert_eq!((read.skipped.len(), lines), (records, records), "{format}");
    }
}

/// The goldens of Santa's own tests are events without what is around them, so it is put around them here.
#[test]
fn real_santa_events() {
    let Some(folder) = shared("santa") else { return };
    let (mut read_count, mut kinds) = (0, std::collections::BTreeMap::new());
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((_, kind)) = name.split_once('-').filter(|_| path.extension().is_some_and(|end| end == "json")) else {
            continue;
        };
        let member = match kind {
            "exec" => "execution",
            "cs_invalidated" => "codesigning_invalidated",
            _ if kind.starts_with("launch_item") => "launch_item",
            "fork" | "exit" | "close" | "rename" | "unlink" | "link" | "clone" | "copyfile" | "exchangedata" => kind,
            _ => "disk",
        };
        let body = std::fs::read_to_string(&path).unwrap();
        let text = format!(r#"{{"event_time":"2026-11-24T08:00:00Z","machine_id":"m","{member}":{body}}}"#);
        let read = read_as("santa", &name, text.as_bytes());
        assert_eq!(read.malformed, [], "{name}");
        assert_eq!(read.events.len() + read.skipped.len(), 1, "{name}");
        if read.events.len() == 1 {
            *kinds.entry(member.to_owned()).or_insert(0) += 1;
        }
        read_count += 1;
        if kind == "exec" {
            let started = exec(&read.events[0]);
            assert_eq!((started.target.key.pid, started.target.key.pidversion), (Some(23), Some(45)), "{name}");
            assert_eq!(started.target.cdhash.as_deref(), Some("41".repeat(20).as_str()), "{name}");
            assert_eq!(started.arguments, ["exec_path", "-l", "--foo"], "{name}");
        }
    }
    let json_files = std::fs::read_dir(&folder)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "json"))
        .count();
    assert_eq!(read_count, json_files);
    // Versions 1, 2, 4, 5, 6, 7, 8 of the protocol each have one of these.
    for member in ["execution", "fork", "exit", "close", "rename", "unlink", "link", "clone"] {
        assert_eq!(kinds.get(member), Some(&7), "{member}: {kinds:?}");
    }
}
