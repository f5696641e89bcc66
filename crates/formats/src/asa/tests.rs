//! Headers and messages of a device, one trap each.

use super::*;

fn reader(name: &str, zone: Zone) -> Reader {
    let mut input = Input::from_bytes(name, b"");
    input.zone = zone;
    Reader { open: HashMap::new(), clock: Clock::new(&input) }
}

fn read(name: &str, header: &str) -> Result<(String, String), String> {
    let (time, device) = reader(name, Zone::default()).clock.read(header)?;
    Ok((time.to_string(), device.to_string()))
}

#[test]
fn headers_of_devices_and_relays_tell_time_and_device() {
    let of = |header| read("asa.log", header).unwrap();
    let known = |time: &str, device: &str| (time.to_owned(), device.to_owned());
    assert_eq!(of("<166>Nov 25 2026 10:00:00 asa1 : "), known("2026-11-25T10:00:00Z", "asa1"));
    assert_eq!(of("<166>Nov 25 2026 10:00:00: "), known("2026-11-25T10:00:00Z", ""));
    assert_eq!(of("<166>2026-11-25T10:00:00Z asa1 : "), known("2026-11-25T10:00:00Z", "asa1"));
    assert_eq!(of("<166>1 2026-11-25T10:00:00.5+02:00 asa1 ASA - - - "), known("2026-11-25T08:00:00.5Z", "asa1"));
    assert_eq!(of("Nov  5 2026 10:00:00 UTC: "), known("2026-11-05T10:00:00Z", ""));
    // The relay's time has no year, the device's has one.
    assert_eq!(of("Nov 25 10:00:02 10.0.0.1 Nov 25 2026 10:00:00: "), known("2026-11-25T10:00:00Z", "10.0.0.1"));
    // The relay's time names its zone, the device's does not.
    assert_eq!(of("2026-11-25T10:00:02+01:00 fw Nov 25 2026 10:00:00: "), known("2026-11-25T09:00:02Z", "fw"));
}

#[test]
fn times_without_a_zone_are_in_that_of_the_user_and_flagged_without() {
    let assumed = Zone::default();
    let time = |zone: &Zone| {
        let read = reader("asa.log", zone.clone()).clock.read("<166>Jul 01 2026 12:00:00 asa1 : ");
        read.unwrap().0.to_string()
    };
    assert_eq!((time(&assumed).as_str(), assumed.was_assumed()), ("2026-07-01T12:00:00Z", true));
    let paris = Zone::known(jiff::tz::TimeZone::get("Europe/Paris").unwrap());
    assert_eq!((time(&paris).as_str(), paris.was_assumed()), ("2026-07-01T10:00:00Z", false));
}

#[test]
fn a_time_without_a_year_takes_the_nearest_of_the_files_name() {
    let of = |header| read("/x/asa-2027-01-01.log", header).map(|(time, _)| time);
    assert_eq!(of("Dec 31 23:59:50 fw "), Ok("2026-12-31T23:59:50Z".to_owned()));
    assert_eq!(of("Jan  1 00:00:10 fw "), Ok("2027-01-01T00:00:10Z".to_owned()));
    assert_eq!(read("/x/asa-2024-03-01.log", "Feb 29 10:00:00 fw ").unwrap().0, "2024-02-29T10:00:00Z");
    assert!(read("asa.log", "Dec 31 23:59:50 fw ").unwrap_err().contains("hint: `logging timestamp`"));
}

fn flows(lines: &[&str]) -> Vec<Flow> {
    let mut reader = reader("asa.log", Zone::default());
    let rows = lines.iter().map(|line| {
        let line = format!("Nov 25 2026 10:00:00 asa1 : {line}");
        reader.row(line.as_bytes()).unwrap()
    });
    let flows = rows.filter_map(|row| match row {
        Row::Event { detail: Detail::Flow(flow), .. } => Some(*flow),
        _ => None,
    });
    flows.collect()
}

#[test]
fn the_end_of_a_connection_whose_start_is_missing_is_turned_by_its_ports() {
    let ended = "%ASA-6-302014: Teardown TCP connection 1 for outside:192.0.2.1/443 to inside:10.0.0.5/50000 duration 0:00:01 bytes 9 TCP FINs";
    assert_eq!(flows(&[ended])[0].originator.to_string(), "10.0.0.5:50000");
    // A number that was given again, to other ends: what was begun under it is another connection.
    let other = "%ASA-6-302013: Built inbound TCP connection 1 for outside:192.0.2.1/443 (192.0.2.1/443) to inside:10.0.0.9/50000 (10.0.0.9/50000)";
    assert_eq!(flows(&[other, ended])[0].originator.to_string(), "10.0.0.5:50000");
    // Told, it counts, whatever the ports.
    let inbound = "%ASA-6-302013: Built inbound TCP connection 1 for outside:192.0.2.1/443 (192.0.2.1/443) to inside:10.0.0.5/50000 (10.0.0.5/50000)";
    assert_eq!(flows(&[inbound, ended])[0].originator.to_string(), "192.0.2.1:443");
}

#[test]
fn who_reset_a_connection_depends_on_who_began_it() {
    let state = |direction: &str, reason: &str| {
        let built = format!(
            "%ASA-6-302013: Built {direction} TCP connection 1 for outside:192.0.2.1/444 (192.0.2.1/444) to inside:10.0.0.5/445 (10.0.0.5/445)"
        );
        let ended = format!(
            "%ASA-6-302014: Teardown TCP connection 1 for outside:192.0.2.1/444 to inside:10.0.0.5/445 duration 0:00:01 bytes 9 {reason}"
        );
        flows(&[&built, &ended])[0].state.clone().map(|state| state.to_string())
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(state("outbound", "TCP Reset-I"), text("RSTO"));
    assert_eq!(state("outbound", "TCP Reset-O"), text("RSTR"));
    assert_eq!(state("inbound", "TCP Reset-O"), text("RSTO"));
    assert_eq!(state("inbound", "TCP Reset-I from inside"), text("RSTR"));
    assert_eq!(state("inbound", "Conn-timeout"), None);
}

#[test]
fn only_a_sum_of_nothing_is_a_count_of_each_direction() {
    let reply = |protocol: &str, number: &str, bytes: u64, reason: &str| {
        let ended = format!(
            "%ASA-6-{number}: Teardown {protocol} connection 1 for outside:192.0.2.1/443 to inside:10.0.0.5/50000 duration 0:00:30 bytes {bytes} {reason}"
        );
        let flow = flows(&[&ended]).remove(0);
        (flow.reply, flow.received.is_measured_zero(), flow.unanswered_attempt)
    };
    assert_eq!(reply("TCP", "302014", 0, "SYN Timeout"), (FlowReply::NothingIfTwoSided, true, true));
    assert_eq!(reply("TCP", "302014", 0, "TCP FINs"), (FlowReply::NoPayload, true, false));
    assert_eq!(reply("TCP", "302014", 1, "TCP FINs"), (FlowReply::Unknown, false, false));
    assert_eq!(reply("TCP", "302014", 0, "Failover primary closed"), (FlowReply::Unknown, false, false));
    assert_eq!(reply("TCP state-bypass", "302304", 0, "TCP FINs"), (FlowReply::Unknown, false, false));
    assert_eq!(reply("UDP", "302016", 0, ""), (FlowReply::Unknown, false, false));
}
