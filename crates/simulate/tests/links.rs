//! The truth of links agrees with the records it points at, whatever disturbs the recording.
#![cfg(test)]

use monologue_simulate::{Disturbance, Fleet, LinkTruth, Options, Source, simulate};

fn fleet(disturbance: &str) -> Fleet {
    let disturbance = Disturbance::named(disturbance).unwrap();
    simulate(&Options { seed: 8, hours: 24, disturbance, ..Options::default() })
}

/// The records of one kind that a request has.
fn records<'f>(fleet: &'f Fleet, link: &LinkTruth, source: Source) -> Vec<&'f str> {
    let Some(records) = link.records.get(&source) else { return Vec::new() };
    let file = fleet.files.iter().find(|file| file.path == records.file).unwrap();
    let line = |offset: &u64| {
        let rest = &file.bytes[usize::try_from(*offset).unwrap()..];
        std::str::from_utf8(rest.split(|byte| *byte == b'\n').next().unwrap()).unwrap()
    };
    records.offsets.iter().map(line).collect()
}

/// Checks every record of every request; gives how many there are.
fn check(fleet: &Fleet) -> usize {
    let mut checked = 0;
    for link in &fleet.links {
        let (near, port) = link.seen_end.rsplit_once(':').unwrap();
        let near = format!("\t{}\t{port}\t", near.trim_matches(['[', ']']));
        for source in [Source::ZeekConn, Source::ZeekHttp, Source::ZeekSsl] {
            for row in records(fleet, link, source) {
                assert!(row.contains(&near), "{near} {row}");
                assert!(source != Source::ZeekSsl || row.contains(&format!("\t{}\t", link.destination)), "{row}");
                checked += 1;
            }
        }
        for row in records(fleet, link, Source::ZeekDns) {
            assert!(row.contains(&format!("\t{}\t", link.destination)), "{row}");
            checked += 1;
        }
        let task = records(fleet, link, Source::UnifiedLogTask);
        let uuid = |line: &str| line.split("Task <").nth(1).map(|rest| rest[..36].to_owned());
        assert!(task.iter().all(|line| uuid(line).is_some() && uuid(line) == uuid(task[0])));
        let pid = format!("\"processID\":{},", link.pid);
        for line in task.iter().chain(&records(fleet, link, Source::UnifiedLogConnection)) {
            assert!(line.contains(&pid), "{pid} {line}");
            checked += 1;
        }
        for record in records(fleet, link, Source::Eslogger) {
            assert!(record.contains("\"exec\"") && record.contains(&format!("{:?}", link.program)), "{record}");
            checked += 1;
        }
    }
    checked
}

#[test]
fn every_record_of_a_request_names_it() {
    for disturbance in ["vpn+nat", "ipv6-temporary+duplicates", "proxy+reordered+sensor-behind-2s"] {
        let checked = check(&fleet(disturbance));
        assert!(checked > 25_000, "{disturbance}: {checked}");
    }
}

#[test]
fn copies_and_displacements_change_no_record_and_lose_none() {
    let sorted = |fleet: &Fleet| -> Vec<Vec<String>> {
        let lines = |bytes: &[u8]| -> Vec<String> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let mut lines: Vec<String> =
                text.lines().map(str::to_owned).filter(|line| !line.contains("\"count\":")).collect();
            lines.sort();
            lines.dedup();
            lines
        };
        fleet.files.iter().filter(|file| file.path != "links.ndjson").map(|file| lines(&file.bytes)).collect()
    };
    let plain = fleet("none");
    let disturbed = fleet("duplicates+reordered");
    assert!(plain.files != disturbed.files);
    assert!(sorted(&plain) == sorted(&disturbed));
    let records = |fleet: &Fleet| -> usize {
        fleet.links.iter().flat_map(|link| link.records.values()).map(|records| records.offsets.len()).sum()
    };
    let (before, after) = (records(&plain) as f64, records(&disturbed) as f64);
    assert!((1.03..1.08).contains(&(after / before)), "{before} {after}");
}

#[test]
fn names_of_disturbances_are_known_and_combine() {
    assert!(Disturbance::names().iter().all(|name| Disturbance::named(name).is_some()));
    assert_eq!(Disturbance::named("none"), Some(Disturbance::default()));
    let both = Disturbance::named("proxy+drift-50ppm").unwrap();
    assert!(both.proxy && both.drift_ppm == 50 && both.sensor_ahead_ns == Some(0));
    assert_eq!(Disturbance::named("proxy+weather"), None);
}
