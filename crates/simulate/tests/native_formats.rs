//! The bytes keep to the documented layout of each format.
#![cfg(test)]

use monologue_simulate::{Fleet, Options, SimulatedFile, simulate};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| simulate(&Options::default()))
}

/// All files but the truth of links.
fn telemetry(fleet: &Fleet) -> impl Iterator<Item = &SimulatedFile> {
    fleet.files.iter().filter(|file| file.path != "links.ndjson")
}

fn text(path: &str) -> &'static str {
    let file = fleet().files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"));
    std::str::from_utf8(&file.bytes).unwrap()
}

/// Every file of this name below `hosts`, with its host.
fn of_hosts(name: &str) -> Vec<(&'static str, &'static str)> {
    let named = |path: &'static str| path.strip_prefix("hosts/")?.strip_suffix(name)?.strip_suffix('/');
    fleet().files.iter().filter_map(|file| Some((named(&file.path)?, text(&file.path)))).collect()
}

fn values(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

fn string<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert!(*fleet() == simulate(&Options::default()));
    let other = simulate(&Options { seed: 2, ..Options::default() });
    assert!(fleet().files != other.files);
    let total: usize = telemetry(fleet()).map(|file| file.bytes.len()).sum();
    assert!((15_000_000..=30_000_000).contains(&total), "{total} bytes");
}

#[test]
fn a_short_or_empty_recording_is_no_error() {
    for hours in [0, 1] {
        let fleet = simulate(&Options { hours, ..Options::default() });
        assert!(fleet.files.iter().any(|file| file.path == "network/conn.log"));
    }
}

#[test]
fn numbers_step_by_one_except_where_records_were_dropped() {
    let mut gaps = BTreeMap::new();
    for (host, lines) in of_hosts("eslogger.ndjson") {
        let mut next_of_type: BTreeMap<u64, u64> = BTreeMap::new();
        let mut next = 0;
        let mut last_time = String::new();
        for record in values(lines) {
            let global = number(&record, "/global_seq_num");
            let of_type = number(&record, "/seq_num");
            let expected = next_of_type.entry(number(&record, "/event_type")).or_default();
            if (global, of_type) != (next, *expected) {
                *gaps.entry(host).or_insert(0) += 1;
                assert!(global >= next && of_type >= *expected, "{host}: numbers go back");
            }
            next = global + 1;
            *expected = of_type + 1;
            let time = string(&record, "/time").to_owned();
            assert!(last_time <= time, "{host}: time goes back");
            last_time = time;
        }
    }
    assert_eq!(gaps.keys().collect::<Vec<_>>(), [&"oskar-pro"], "only its records are dropped");
    assert!(gaps["oskar-pro"] >= 20, "in almost every hour");
}

#[test]
fn records_have_the_keys_of_eslogger() {
    let top = ["action", "action_type", "event", "event_type", "global_seq_num", "mach_time", "process"];
    let top: BTreeSet<&str> =
        top.into_iter().chain(["schema_version", "seq_num", "thread", "time", "version"]).collect();
    let numbers = BTreeMap::from([
        ("exec", 9),
        ("fork", 11),
        ("close", 12),
        ("create", 13),
        ("exit", 15),
        ("rename", 25),
        ("unlink", 32),
        ("btm_launch_item_add", 124),
        ("xpc_connect", 145),
    ]);
    let mut versions = BTreeSet::new();
    let mut array_hosts = BTreeSet::new();
    for (host, lines) in of_hosts("eslogger.ndjson") {
        for record in values(lines) {
            let keys: BTreeSet<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, top);
            let event = record["event"].as_object().unwrap();
            assert_eq!(event.len(), 1);
            let name = event.keys().next().unwrap().as_str();
            assert_eq!(number(&record, "/event_type"), numbers[name]);
            let version = number(&record, "/version");
            versions.insert(version);
            assert_eq!(record.pointer("/process/cs_validation_category").is_some(), version >= 10, "new in 10");
            if record["process"]["audit_token"].is_array() {
                array_hosts.insert((host, version));
                assert_eq!(record["process"]["audit_token"].as_array().unwrap().len(), 8);
            }
            let flags = number(&record, "/process/codesigning_flags");
            assert_ne!(flags & 0x2000_0000, 0, "signed");
            let is_ad_hoc = record["process"]["team_id"].is_null() && record["process"]["is_platform_binary"] == false;
            assert_eq!(flags & 0x2 != 0, is_ad_hoc, "CS_ADHOC");
        }
    }
    assert_eq!(versions, BTreeSet::from([9, 10, 11]));
    assert_eq!(array_hosts, BTreeSet::from([("emil-mini", 10)]));
}

#[test]
fn a_program_replaces_another_with_the_next_version_of_the_process() {
    for (host, lines) in of_hosts("eslogger.ndjson").into_iter().filter(|(host, _)| *host != "emil-mini") {
        let mut forked = BTreeSet::new();
        for record in values(lines) {
            if record["event"].get("fork").is_some() {
                forked.insert(number(&record, "/event/fork/child/audit_token/pid"));
            }
            if record["event"].get("exec").is_some() {
                let before = &record["process"]["audit_token"];
                let after = &record["event"]["exec"]["target"]["audit_token"];
                assert_eq!(before["pid"], after["pid"]);
                assert_eq!(before["pidversion"].as_u64().unwrap() + 1, after["pidversion"].as_u64().unwrap());
                let pid = after["pid"].as_u64().unwrap();
                assert!(host == "oskar-pro" || forked.contains(&pid), "{host}: {pid} was not forked");
            }
        }
    }
}

#[test]
fn a_full_subscription_shows_every_type_early_and_in_every_waking_hour() {
    for host in ["ada-pro", "bela-air", "cleo-pro", "dora-studio", "emil-mini", "fatima-air", "georg-pro", "quinn-imac"]
    {
        let mut hours: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
        let mut first: BTreeMap<u64, String> = BTreeMap::new();
        let mut closes = BTreeSet::new();
        for record in values(text(&format!("hosts/{host}/eslogger.ndjson"))) {
            let kind = number(&record, "/event_type");
            let time = string(&record, "/time");
            let day: usize = time[8..10].parse().unwrap();
            let hour: usize = time[11..13].parse().unwrap();
            hours.entry(kind).or_default().insert((day - 2) * 24 + hour);
            first.entry(kind).or_insert_with(|| time.to_owned());
            closes.extend(record.pointer("/event/close/modified").and_then(Value::as_bool));
        }
        assert_eq!(hours.len(), 9, "{host}");
        assert_eq!(closes.len(), 2, "{host}");
        for (kind, hours) in hours {
            assert_eq!(hours, (6..30).collect(), "{host}: type {kind}");
        }
        assert!(first.values().all(|time| time.as_str() < "2026-03-02T06:03:00"), "{host}: {first:?}");
    }
}

#[test]
fn a_process_has_one_path_at_a_time_in_both_logs_of_a_host() {
    for (host, lines) in of_hosts("unified.ndjson") {
        let mut by_pid: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for line in values(lines) {
            if let Some(path) = line.get("processImagePath").and_then(Value::as_str) {
                by_pid.entry(number(&line, "/processID")).or_default().insert(path.to_owned());
            }
        }
        assert!(by_pid.values().all(|paths| paths.len() == 1), "{host}: {by_pid:?}");
        let Some((_, records)) = of_hosts("eslogger.ndjson").into_iter().find(|(other, _)| *other == host) else {
            continue;
        };
        let mut images: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for record in values(records) {
            for process in ["/process", "/event/exec/target"] {
                let Some(process) = record.pointer(process) else { continue };
                let token = &process["audit_token"];
                let pid = token.get("pid").or_else(|| token.get(5)).unwrap().as_u64().unwrap();
                images.entry(pid).or_default().insert(string(process, "/executable/path").to_owned());
            }
        }
        let daemons = images.iter().filter(|(pid, _)| **pid < 4_000);
        assert!(daemons.into_iter().all(|(_, paths)| paths.len() == 1), "{host}: two daemons share a number");
        for (pid, paths) in by_pid {
            let known = images.get(&pid);
            assert!(known.is_none_or(|known| paths.is_subset(known)), "{host}: {pid} {paths:?} {known:?}");
        }
    }
}

#[test]
fn log_exports_end_with_their_count() {
    for (host, lines) in of_hosts("unified.ndjson") {
        let mut values = values(lines);
        let last = values.pop().unwrap();
        assert_eq!(number(&last, "/count"), values.len() as u64, "{host}");
        assert_eq!(number(&last, "/finished"), 1);
        let boots: BTreeSet<&str> = values.iter().map(|value| string(value, "/bootUUID")).collect();
        assert_eq!(boots.len(), 1);
        let requests: Vec<u64> = values
            .iter()
            .filter_map(|value| string(value, "/eventMessage").strip_prefix("[R")?.split(']').next()?.parse().ok())
            .collect();
        assert_eq!(requests, (1..=requests.len() as u64).collect::<Vec<_>>(), "name requests are numbered in order");
        assert!(values.is_sorted_by_key(|value| string(value, "/timestamp").to_owned()), "{host}");
    }
}

#[test]
fn rows_of_zeek_have_the_columns_of_their_header() {
    for name in ["conn", "http", "ssl", "dns", "capture_loss"] {
        let lines: Vec<&str> = text(&format!("network/{name}.log")).lines().collect();
        let count = |prefix: &str| lines.iter().find_map(|line| line.strip_prefix(prefix)).unwrap().split('\t').count();
        let fields = count("#fields\t");
        assert_eq!(fields, count("#types\t"), "{name}");
        assert!(lines.last().unwrap().starts_with("#close\t"));
        assert!(lines.iter().any(|line| *line == format!("#path\t{name}")));
        let rows: Vec<&&str> = lines.iter().filter(|line| !line.starts_with('#')).collect();
        assert!(rows.len() >= 90, "{name}: {}", rows.len());
        assert!(rows.iter().all(|row| row.split('\t').count() == fields), "{name}");
    }
}

#[test]
fn closes_in_the_log_name_the_five_tuple_and_bytes_of_a_flow() {
    let mut flows = BTreeMap::new();
    for row in text("network/conn.log").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        flows.entry(format!("{}:{}", columns[2], columns[3])).or_insert_with(Vec::new).push((
            columns[9].to_owned(),
            columns[10].to_owned(),
            columns[0].parse::<f64>().unwrap(),
        ));
    }
    let mut joined = 0;
    for (host, lines) in of_hosts("unified.ndjson") {
        for line in values(lines) {
            let Some(message) = line.get("eventMessage").and_then(Value::as_str) else { continue };
            let Some((_, rest)) = message.split_once("] cancelled\n\t[") else { continue };
            let local = rest.split(' ').nth(2).unwrap().split("<->").next().unwrap();
            let bytes = rest.split("bytes in/out: ").nth(1).unwrap().split(',').next().unwrap();
            let (received, sent) = bytes.split_once('/').unwrap();
            let known = flows.get(local).unwrap_or_else(|| panic!("{host}: no flow from {local}"));
            assert!(known.iter().any(|(out, back, _)| out == sent && back == received), "{host}: {local} {bytes}");
            joined += 1;
        }
    }
    assert!(joined > 1_000, "{joined}");
}
