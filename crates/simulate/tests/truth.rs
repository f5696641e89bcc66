//! The truth agrees with the telemetry it speaks of.
#![cfg(test)]

use monologue_simulate::{Fleet, Options, Truth, simulate, write};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

fn fleet() -> &'static Fleet {
    static FLEET: OnceLock<Fleet> = OnceLock::new();
    FLEET.get_or_init(|| simulate(&Options::default()))
}

fn text(path: &str) -> Option<&'static str> {
    let file = fleet().files.iter().find(|file| file.path == path)?;
    Some(std::str::from_utf8(&file.bytes).unwrap())
}

fn truth(scenario: &str) -> &'static Truth {
    fleet().truth.iter().find(|truth| truth.scenario == scenario).unwrap_or_else(|| panic!("no {scenario}"))
}

/// Columns of every row of a log of Zeek.
fn rows(name: &str) -> Vec<Vec<&'static str>> {
    let text = text(&format!("network/{name}.log")).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect()
}

fn address_of(host: &str) -> &'static str {
    let line = text("assets.csv").unwrap().lines().find(|line| line.split(',').next() == Some(host)).unwrap();
    line.split(',').nth(1).unwrap()
}

/// Server addresses the sensor saw for a name, asked for by anybody.
fn servers(destination: &str) -> BTreeSet<&str> {
    let answers = rows("dns").into_iter().filter(|row| row[9] == destination).map(|row| row[21]);
    if destination.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        BTreeSet::from([destination])
    } else {
        answers.collect()
    }
}

/// Connections of the host of a truth to its destination.
fn flows(truth: &Truth) -> Vec<Vec<&'static str>> {
    let (host, servers) = (address_of(&truth.host), servers(&truth.destination));
    rows("conn").into_iter().filter(|row| row[2] == host && servers.contains(row[4])).collect()
}

/// Messages of the log of a host that a program wrote.
fn messages(host: &str, program: &str) -> Vec<String> {
    let lines = text(&format!("hosts/{host}/unified.ndjson")).unwrap();
    let values = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    values
        .filter(|value| value["processImagePath"].as_str().is_some_and(|path| path.ends_with(program)))
        .map(|value| value["eventMessage"].as_str().unwrap().to_owned())
        .collect()
}

fn count(messages: &[String], part: &str) -> usize {
    messages.iter().filter(|message| message.contains(part)).count()
}

#[test]
fn there_is_every_scenario_and_its_twin() {
    let malicious: Vec<&Truth> = fleet().truth.iter().filter(|truth| truth.malicious).collect();
    assert_eq!(malicious.len(), 16);
    let hosts: BTreeSet<&str> = malicious.iter().map(|truth| truth.host.as_str()).collect();
    assert_eq!(hosts.len(), 16, "each on a host of its own");
    for twin in malicious.iter().filter(|truth| truth.blind_twin_of.is_some()) {
        assert_eq!(twin.disposition, "unknown");
        assert!(twin.missing.is_some());
        assert!(truth(twin.blind_twin_of.as_deref().unwrap()).blind_twin_of.is_none());
    }
    let assets: BTreeSet<&str> =
        text("assets.csv").unwrap().lines().filter_map(|line| line.split(',').next()).collect();
    assert!(fleet().truth.iter().all(|truth| assets.contains(truth.host.as_str())));
    assert_eq!(text("truth.ndjson").unwrap().lines().count(), fleet().truth.len());
}

#[test]
fn other_seeds_play_the_same_scenarios_with_other_times() {
    let names = |fleet: &Fleet| -> Vec<String> { fleet.truth.iter().map(|truth| truth.scenario.clone()).collect() };
    for seed in [2, 3] {
        let other = simulate(&Options { seed, ..Options::default() });
        assert_eq!(names(&other), names(fleet()), "seed {seed}");
        let telemetry = other.files.iter().filter(|file| file.path != "links.ndjson");
        let total: usize = telemetry.map(|file| file.bytes.len()).sum();
        assert!((15_000_000..=31_000_000).contains(&total), "seed {seed}: {total} bytes");
    }
}

#[test]
fn no_two_names_share_an_address() {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows("dns") {
        names.entry(row[21]).or_default().insert(row[9]);
    }
    assert!(names.values().all(|names| names.len() == 1));
}

#[test]
fn the_network_saw_every_exchange_of_the_hosts_it_serves() {
    for truth in fleet().truth.iter().filter(|truth| truth.host != "lena-studio") {
        assert_eq!(flows(truth).len() as u64, truth.exchanges, "{} on {}", truth.scenario, truth.host);
    }
    assert_eq!(rows("conn").into_iter().filter(|row| row[2] == address_of("lena-studio")).count(), 0);
}

#[test]
fn a_name_is_answered_before_the_first_connection() {
    for truth in fleet().truth.iter().filter(|truth| truth.malicious && truth.destination.contains("test")) {
        let host = address_of(&truth.host);
        let asked = rows("dns").into_iter().find(|row| row[2] == host && row[9] == truth.destination);
        let asked: f64 = asked.unwrap()[0].parse().unwrap();
        let first = flows(truth).iter().map(|row| row[0].parse().unwrap()).fold(f64::MAX, f64::min);
        assert!(asked < first && first - asked < 1.0, "{}", truth.scenario);
    }
}

#[test]
fn nobody_answers_the_dead_server_and_nothing_is_sent() {
    let truth = truth("dead-server");
    assert!(flows(truth).iter().all(|row| row[11] == "S0" && row[15] == "S" && row[10] == "0"));
    let messages = messages(&truth.host, "meshkitd");
    let tasks = truth.exchanges as usize;
    assert_eq!(count(&messages, " resuming, timeouts("), tasks);
    assert_eq!(count(&messages, "finished with error [-1001]"), tasks);
    assert_eq!(count(&messages, "response_status=-1,"), tasks);
    assert_eq!(count(&messages, "sent request"), 0);
    assert_eq!(count(&messages, "bytes in/out: 0/0,"), tasks);
}

#[test]
fn the_silent_server_takes_every_post() {
    let truth = truth("silent-server");
    assert!(truth.exchanges >= 24);
    assert!(flows(truth).iter().all(|row| row[10] == "0" && row[9] != "0" && row[15] == "ShADaFf"));
    let posts: Vec<_> = rows("http").into_iter().filter(|row| row[8] == truth.destination).collect();
    assert_eq!(posts.len() as u64, truth.exchanges);
    assert!(posts.iter().all(|row| row[7] == "POST" && row[16] == "-" && row[14] == "212"));
    let messages = messages(&truth.host, "paperlane-helper");
    assert_eq!(count(&messages, "sent request, body S 212"), posts.len());
    assert_eq!(count(&messages, "received response"), 0);
}

#[test]
fn headers_are_all_that_the_hasty_program_waits_for() {
    let truth = truth("cancel-at-headers");
    let messages = messages(&truth.host, "glintbar-helper");
    let tasks = truth.exchanges as usize;
    assert_eq!(count(&messages, "received response, status 200"), tasks);
    assert_eq!(count(&messages, "finished with error [-999]"), tasks);
    assert_eq!(count(&messages, "response ended"), 0);
}

#[test]
fn constant_answers_are_constant_on_the_wire_and_in_the_log() {
    for (scenario, program) in [("constant-answer", "tidyfold-helper"), ("sleeping-laptop", "noterelay-helper")] {
        let truth = truth(scenario);
        let sizes: BTreeSet<(&str, &str)> = flows(truth).iter().map(|row| (row[9], row[10])).collect();
        assert_eq!(sizes.len(), 1, "{scenario}");
        let messages = messages(&truth.host, program);
        assert_eq!(count(&messages, "received response, status 400"), truth.exchanges as usize);
        assert_eq!(count(&messages, "finished successfully"), truth.exchanges as usize);
        let records = text(&format!("hosts/{}/eslogger.ndjson", truth.host)).unwrap();
        let own = |value: &Value| value["process"]["executable"]["path"].as_str().unwrap().ends_with(program);
        let values = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(values.filter(own).count(), 0, "it does nothing but ask");
    }
}

#[test]
fn the_laptop_sleeps_three_times_and_leaves_no_trace_meanwhile() {
    let host = &truth("sleeping-laptop").host;
    let address = address_of(host);
    let mut seconds: Vec<f64> =
        rows("conn").into_iter().filter(|row| row[2] == address).map(|row| row[0].parse().unwrap()).collect();
    seconds.sort_by(f64::total_cmp);
    // Its longest quiet while awake is far shorter: it asks every quarter of an hour.
    let quiet: Vec<f64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 1_800.0).collect();
    assert_eq!(quiet.len(), 3, "{quiet:?}");
    assert!(quiet.iter().all(|gap| *gap < 3.0 * 3600.0 + 1_800.0));
}

#[test]
fn the_implant_reports_what_it_was_told_to_do() {
    let truth = truth("two-way-implant");
    let messages = messages(&truth.host, "GlassHelper");
    let reports = count(&messages, "sent request, body S ");
    assert!(reports >= 6);
    assert_eq!(count(&messages, "sent request, body N 0") + reports, truth.exchanges as usize);
    let records = text(&format!("hosts/{}/eslogger.ndjson", truth.host)).unwrap();
    assert_eq!(
        records.lines().filter(|line| line.contains("\"args\":[\"/bin/sh\",\"-c\",\"whoami; ls\"]")).count(),
        reports
    );
}

#[test]
fn the_script_pulls_every_hour_and_the_helper_posts_once() {
    assert!(truth("hourly-pull").exchanges >= 12);
    let truth = truth("one-shot-post");
    assert_eq!(truth.exchanges, 1);
    let messages = messages(&truth.host, "UpdateAgent");
    assert_eq!(count(&messages, "sent request, body S 110"), 1);
    let records = text(&format!("hosts/{}/eslogger.ndjson", truth.host)).unwrap();
    let own: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|value| value["process"]["executable"]["path"].as_str().unwrap().ends_with("/UpdateAgent"))
        .collect();
    let events: Vec<&str> =
        own.iter().map(|value| value["event"].as_object().unwrap().keys().next().unwrap().as_str()).collect();
    assert_eq!(events, ["unlink", "exit"]);
}

#[test]
fn one_time_server_never_answers() {
    let truth = truth("time-unanswered");
    let flows = flows(truth);
    assert!(flows.len() > 2_000);
    assert!(flows.iter().all(|row| (row[5], row[6], row[11], row[15]) == ("123", "udp", "S0", "D")));
}

#[test]
fn a_fleet_can_be_written_and_read_back() {
    let folder = std::env::temp_dir().join(format!("monologue-simulate-{}", std::process::id()));
    write(fleet(), &folder).unwrap();
    for file in &fleet().files {
        assert!(std::fs::read(folder.join(&file.path)).unwrap() == file.bytes, "{}", file.path);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
