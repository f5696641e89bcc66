//! Other readers open the tables as they are: DuckDB, PyArrow and Apache Spark, where Python has them.
#![cfg(test)]

mod arbitrary;

use monologue_lake::tables::{SummaryRow, Table, encode, encode_summaries, write, write_summaries};
use monologue_model::{
    ApplicationKey, ByteCount, ByteLayer, Channel, ChannelKey, Detail, Event, Flow, FlowReply, ProcessExec,
    ProcessImage, ProcessKey, Provenance, RecordPhase, Service, Sha256, SignatureState, Timestamp, Transport,
};
use proptest::{collection::vec, strategy::Strategy, strategy::ValueTree, test_runner::TestRunner};
use std::{fs, path::Path, process::Command};

fn event(detail: Detail) -> Event {
    Event {
        // 2026-11-24T08:00:00Z is 20,781 days and 8 hours after the epoch.
        time: Timestamp::from_nanoseconds(1_795_507_200_123_456_789),
        host: Some("anna-mac".into()),
        format: "eslogger".into(),
        provenance: Provenance { source: "es.ndjson".into(), offset: 7, length: 9, sha256: Sha256::of(b"abc") },
        detail,
    }
}

fn exec() -> Event {
    let image = |path: &str, pidversion| ProcessImage {
        key: ProcessKey::from_pid(4711, Some(pidversion)),
        path: Some(path.into()),
        team_id: Some("ABCDE12345".into()),
        signature: SignatureState::Team,
        user_id: Some(501),
        parent: Some(ProcessKey::from_pid(1, Some(2))),
        ..ProcessImage::default()
    };
    event(Detail::ProcessExec(Box::new(ProcessExec {
        previous: image("/bin/zsh", 10),
        target: image("/usr/bin/curl", 11),
        arguments: vec!["curl".to_owned(), "-s".to_owned(), "https://example.org/ä".to_owned()],
        script: None,
        working_directory: Some("/tmp".into()),
        launch_label: None,
    })))
}

fn flow() -> Event {
    event(Detail::Flow(Box::new(Flow {
        uid: Some("C1".into()),
        originator: "192.0.2.7:50000".parse().unwrap(),
        responder: "[2001:db8::1]:443".parse().unwrap(),
        transport: Transport::Tcp,
        services: vec!["ssl".into(), "http".into()],
        duration_ns: Some(1_500_000),
        sent: ByteCount::measured(u64::MAX, ByteLayer::Payload),
        received: ByteCount::measured(0, ByteLayer::Payload),
        sent_packets: Some(3),
        received_packets: None,
        reply: FlowReply::NothingIfTwoSided,
        continuation: false,
        unanswered_attempt: true,
        local_originator: Some(true),
        local_responder: None,
        state: Some("S0".into()),
        history: Some("S".into()),
        phase: RecordPhase::End,
    })))
}

fn write_tables(folder: &Path) -> Vec<(&'static str, usize)> {
    let strategy = vec(arbitrary::event(), 500);
    let mut events = strategy.new_tree(&mut TestRunner::deterministic()).unwrap().current();
    events.insert(0, exec());
    events.insert(1, flow());
    let mut counts = Vec::new();
    for table in Table::ALL {
        let events: Vec<&Event> = events.iter().filter(|event| Table::of(&event.detail) == table).collect();
        let file = fs::File::create(folder.join(format!("{table}.parquet"))).unwrap();
        write(table, [encode(table, &events).unwrap()].into_iter(), file).unwrap();
        counts.push((table.name(), events.len()));
    }
    let application = ApplicationKey::Path { path: "~/agent".into(), agent: None };
    let key = ChannelKey { host: "anna-mac".into(), application, service: Service::from_host_name("a.example.org") };
    let mut channel = Channel::new(key, Timestamp::from_nanoseconds(5), 8);
    channel.counters.exchanges = 12;
    let rows = [SummaryRow { hour: 3, decided_hour: 4, channel }];
    let file = fs::File::create(folder.join("summaries.parquet")).unwrap();
    write_summaries([encode_summaries(&rows).unwrap()].into_iter(), file).unwrap();
    counts.push(("summaries", 1));
    counts
}

/// Whether Python has the package; says so where it has not.
fn has(package: &str) -> bool {
    let found = Command::new("python3").args(["-c", &format!("import {package}")]).output();
    let has = found.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("skipped: python3 with the package {package} is not there");
    }
    has
}

fn assert_opens(package: &str) {
    if !has(package) {
        return;
    }
    let folder = std::env::temp_dir().join(format!("monologue-tables-{package}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let counts: Vec<String> = write_tables(&folder).iter().map(|(table, rows)| format!("{table}={rows}")).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/readers/with_{package}.py"));
    let output = Command::new("python3").arg(script).arg(&folder).args(counts).output().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "8 tables are as they should be");
}

#[test]
fn duckdb_opens_the_tables_as_they_are() {
    assert_opens("duckdb");
}

#[test]
fn pyarrow_opens_the_tables_as_they_are() {
    assert_opens("pyarrow");
}

#[test]
fn spark_opens_the_tables_as_they_are() {
    assert_opens("pyspark");
}
