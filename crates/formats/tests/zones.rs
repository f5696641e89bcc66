//! Times that name no zone are taken in that of the user; where nobody said which, that is flagged.
#![cfg(test)]

use monologue_formats::{Input, Item, Zone, by_name};

/// Times of all events, and whether a zone had to be assumed.
fn times(format: &str, name: &str, text: &str, zone: &Zone) -> (Vec<String>, bool) {
    let zone = zone.renewed();
    let mut input = Input::from_bytes(name, text.as_bytes());
    input.zone = zone.clone();
    let items: Vec<_> = by_name(format).unwrap().read(input).collect();
    let times = items.iter().filter_map(|item| match item {
        Ok(Item::Event(event)) => Some(event.time.to_string()),
        Ok(_) => None,
        Err(malformed) => panic!("{malformed}"),
    });
    (times.collect(), zone.was_assumed())
}

fn named(zone: &str) -> Zone {
    Zone::known(jiff::tz::TimeZone::get(zone).unwrap())
}

/// The same text in no zone and in Tokyo, nine hours east, all the year.
fn assert_shifted(format: &str, name: &str, text: &str, utc: &[&str], tokyo: &[&str]) {
    let (found, assumed) = times(format, name, text, &Zone::default());
    assert_eq!(found, utc, "{format}");
    assert!(assumed, "{format}: a zone that nobody named is told");
    let (found, assumed) = times(format, name, text, &named("Asia/Tokyo"));
    assert_eq!(found, tokyo, "{format}");
    assert!(!assumed, "{format}");
}

const NETTOP: &str = "time,,interface,state,bytes_in,bytes_out,arch,
23:59:50.100000,agent.77,,,0,10,so,
23:59:50.100100,tcp4 10.0.0.7:50123<->192.0.2.80:443,en0,Established,900,700,so,
time,,interface,state,bytes_in,bytes_out,arch,
00:00:05.000000,agent.77,,,0,10,so,
00:00:05.000100,tcp4 10.0.0.7:50124<->192.0.2.80:443,en0,Established,0,10,so,
";

#[test]
fn nettop_is_in_the_users_zone_before_and_after_midnight() {
    let utc = ["2026-11-24T23:59:50.1001Z", "2026-11-25T00:00:05.0001Z"];
    let tokyo = ["2026-11-24T14:59:50.1001Z", "2026-11-24T15:00:05.0001Z"];
    assert_shifted("nettop", "nettop-2026-11-24.csv", NETTOP, &utc, &tokyo);
}

#[test]
fn nettop_over_a_change_of_clocks_keeps_to_local_midnight() {
    // Paris left summer time at 03:00 on 25 October 2026: the evening before is two hours east, the next noon one.
    let text = NETTOP.replace("00:00:05", "11:00:00");
    let (found, _) = times("nettop", "nettop-2026-10-24.csv", &text, &named("Europe/Paris"));
    assert_eq!(found, ["2026-10-24T21:59:50.1001Z", "2026-10-25T10:00:00.0001Z"]);
}

#[test]
fn lsof_is_in_the_users_zone_unless_its_name_ends_in_z() {
    let text = "p900\nf5\nPTCP\nn10.0.0.7:50123->192.0.2.80:443\n";
    assert_shifted("lsof", "lsof-2026-11-24T08-15-30.txt", text, &["2026-11-24T08:15:30Z"], &["2026-11-23T23:15:30Z"]);
    let (found, _) = times("lsof", "lsof-2026-11-24T08-15-30Z.txt", text, &named("Asia/Tokyo"));
    assert_eq!(found, ["2026-11-24T08:15:30Z"]);
}

#[test]
fn dns_monitor_is_in_the_users_zone() {
    let text = r#"[{"Process":{"processID":900},"Packet":{"Questions":[{"Question Name":"api.example.com"}]},"Timestamp":"2026-11-24 08:00:01.250"}]"#;
    assert_shifted("dns-monitor", "names.json", text, &["2026-11-24T08:00:01.25Z"], &["2026-11-23T23:00:01.25Z"]);
}

#[test]
fn little_snitch_is_in_the_users_zone_where_it_names_none() {
    let header = "date,direction,uid,ipAddress,remoteHostname,protocol,port,connectCount,denyCount,byteCountIn,byteCountOut,connectingExecutable,parentAppExecutable";
    let row = |date: &str| format!("{header}\n{date},out,501,192.0.2.80,,6,443,1,0,900,10,/opt/agent,\n");
    let (utc, tokyo) = (["2026-11-24T08:01:00Z"], ["2026-11-23T23:01:00Z"]);
    assert_shifted("little-snitch", "traffic.csv", &row("2026-11-24 08:01:00"), &utc, &tokyo);
    let (found, assumed) = times("little-snitch", "traffic.csv", &row("2026-11-24T08:01:00Z"), &Zone::default());
    assert_eq!((found, assumed), (vec![utc[0].to_owned()], false));
    let (found, _) = times("little-snitch", "traffic.csv", &row("2026-11-24T08:01:00Z"), &named("Asia/Tokyo"));
    assert_eq!(found, utc);
}

#[test]
fn cisco_asa_is_in_the_users_zone() {
    let text = "Nov 24 2026 08:00:30 asa1 : %ASA-6-302014: Teardown TCP connection 1 for outside:192.0.2.1/443 to inside:10.0.0.5/50000 duration 0:00:30 bytes 9 TCP FINs\n";
    assert_shifted("cisco-asa", "asa.log", text, &["2026-11-24T08:00:00Z"], &["2026-11-23T23:00:00Z"]);
}
