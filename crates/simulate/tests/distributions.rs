//! The traffic of realistic fleets has the shape of real captures: numbers measured on public captures of a user's Mac over
//! 24 hours, with tolerances.
#![cfg(test)]

use monologue_simulate::{RealisticOptions, simulate_realistic};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::OnceLock,
};

/// One connection: columns of `conn.log`.
struct Row {
    time: f64,
    uid: String,
    host: String,
    remote: String,
    port: String,
    service: String,
    duration: f64,
    sent: Option<f64>,
    received: Option<f64>,
    state: String,
}

/// Connections of the first site, where nothing stands between the Macs and their sensor, in order of time; and the server
/// names of TLS with the hosts that asked for them.
struct Site {
    rows: Vec<Row>,
    names: BTreeMap<String, BTreeSet<String>>,
}

fn columns(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        let (mut conn, mut tls) = (String::new(), String::new());
        let options = RealisticOptions { seed: 11, hosts: 12, days: 1, ..RealisticOptions::default() };
        simulate_realistic(&options, &mut |file| {
            let text = || String::from_utf8(file.bytes.clone()).unwrap();
            match file.path.as_str() {
                "network/site-00/conn.log" => conn = text(),
                "network/site-00/ssl.log" => tls = text(),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
        let row = |column: Vec<&str>| Row {
            time: column[0].parse().unwrap(),
            uid: column[1].to_owned(),
            host: column[2].to_owned(),
            remote: column[4].to_owned(),
            port: column[5].to_owned(),
            service: column[7].to_owned(),
            duration: column[8].parse().unwrap_or(0.0),
            sent: column[9].parse().ok(),
            received: column[10].parse().ok(),
            state: column[11].to_owned(),
        };
        // Names are asked of a resolver of the site: no connection to the outside.
        let mut rows: Vec<Row> = columns(&conn).map(row).filter(|row| row.port != "53").collect();
        rows.sort_by(|left, right| left.time.total_cmp(&right.time));
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for column in columns(&tls) {
            names.entry(column[9].to_owned()).or_default().insert(column[2].to_owned());
        }
        Site { rows, names }
    })
}

/// Rows of each Mac that has a network sensor.
fn by_host() -> BTreeMap<&'static str, Vec<&'static Row>> {
    let mut hosts: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &site().rows {
        hosts.entry(&row.host).or_default().push(row);
    }
    hosts
}

fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

/// The median over all Macs of what is measured on each.
fn typical(measure: impl Fn(&[&Row]) -> f64) -> f64 {
    quantile(by_host().values().map(|rows| measure(rows)).collect(), 0.5)
}

/// Times of one Mac by destination.
fn by_destination<'r>(rows: &[&'r Row]) -> BTreeMap<&'r str, Vec<&'r Row>> {
    let mut destinations: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        destinations.entry(&row.remote).or_default().push(row);
    }
    destinations
}

fn intervals(rows: &[&Row]) -> Vec<f64> {
    rows.windows(2).map(|pair| pair[1].time - pair[0].time).collect()
}

/// What differs more from the measured value than by the factor.
struct Checks(String);

impl Checks {
    fn within(&mut self, name: &str, value: f64, measured: f64, factor: f64) {
        let is_fine = measured / factor <= value && value <= measured * factor;
        let mark = if is_fine { "ok" } else { "OFF" };
        eprintln!("{mark} {name}: {value:.3}, measured {measured:.3}, factor {factor}");
        if !is_fine {
            let _ = writeln!(self.0, "{name}: {value:.3}, measured {measured:.3}, allowed factor {factor}");
        }
    }
}

fn amounts(checks: &mut Checks) {
    checks.within("connections", typical(|rows| rows.len() as f64), 5_100.0, 1.5);
    checks.within("destination addresses", typical(|rows| by_destination(rows).len() as f64), 560.0, 1.5);
    let names = |rows: &[&Row]| {
        let host = &rows[0].host;
        site().names.values().filter(|hosts| hosts.contains(host)).count() as f64
    };
    checks.within("server names", typical(names), 278.0, 1.5);
    let once = |rows: &[&Row]| {
        let all = by_destination(rows);
        all.values().filter(|rows| rows.len() == 1).count() as f64 / all.len() as f64
    };
    checks.within("addresses contacted once", typical(once), 0.37, 1.35);
    let top = |rows: &[&Row]| {
        let mut counts: Vec<usize> = by_destination(rows).values().map(Vec::len).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        counts.iter().take(10).sum::<usize>() as f64 / rows.len() as f64
    };
    checks.within("connections to the top ten", typical(top), 0.53, 1.3);
    let only_one = site().names.values().filter(|hosts| hosts.len() == 1).count() as f64;
    checks.within("names that one host knows", only_one / site().names.len() as f64, 0.83, 1.2);
}

fn times(checks: &mut Checks) {
    for (share, measured, factor) in [(0.5, 0.28, 1.8), (0.9, 24.9, 1.6), (0.99, 90.9, 1.6)] {
        checks.within(&format!("gap {share}"), typical(|rows| quantile(intervals(rows), share)), measured, factor);
    }
    let all = |rows: &[&Row]| by_destination(rows).values().flat_map(|rows| intervals(rows)).collect::<Vec<f64>>();
    for (share, measured, factor) in [(0.5, 4.8, 2.5), (0.9, 755.0, 2.5), (0.99, 10_368.0, 2.0)] {
        checks.within(&format!("interval {share}"), typical(|rows| quantile(all(rows), share)), measured, factor);
    }
    let variation = |rows: &[&Row]| {
        let destinations = by_destination(rows);
        let frequent = destinations.values().filter(|rows| rows.len() >= 10);
        frequent
            .map(|rows| {
                let intervals = intervals(rows);
                let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
                let square = intervals.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / intervals.len() as f64;
                square.sqrt() / mean
            })
            .collect::<Vec<f64>>()
    };
    // The fleet has more regular software than the one Mac that was measured, on purpose: its most even destinations are
    // more even.
    for (share, measured, factor) in [(0.05, 0.80, 4.0), (0.5, 2.12, 1.5), (0.95, 4.20, 1.6)] {
        let name = format!("coefficient of variation {share}");
        checks.within(&name, typical(|rows| quantile(variation(rows), share)), measured, factor);
    }
    // Nights: 0 to 5 connections an hour where the Mac sleeps. The recording begins at midnight.
    let night = |rows: &[&Row]| {
        let start = 20_514.0 * 86_400.0;
        rows.iter().filter(|row| row.time < start + 6.0 * 3600.0).count() as f64 / 6.0
    };
    let quietest = by_host().values().map(|rows| night(rows)).fold(f64::MAX, f64::min);
    checks.within("connections an hour in the quietest night", quietest, 4.0, 3.0);
}

fn bytes_and_states(checks: &mut Checks) {
    let rows: Vec<&Row> = site().rows.iter().collect();
    let established: Vec<&Row> = rows.iter().copied().filter(|row| row.state == "SF" && row.service != "ntp").collect();
    let sent = |share: f64| quantile(established.iter().filter_map(|row| row.sent).collect(), share);
    let received = |share: f64| quantile(established.iter().filter_map(|row| row.received).collect(), share);
    checks.within("bytes out, median", sent(0.5), 1_317.0, 1.4);
    checks.within("bytes out, 0.9", sent(0.9), 3_774.0, 1.6);
    checks.within("bytes back, median", received(0.5), 603.0, 2.0);
    checks.within("bytes back, 0.9", received(0.9), 11_594.0, 2.0);
    checks.within("bytes back, 0.99", received(0.99), 806_598.0, 2.5);
    let ratios: Vec<f64> =
        established.iter().filter_map(|row| Some(row.received? / row.sent.filter(|sent| *sent > 0.0)?)).collect();
    checks.within("back to out, 0.1", quantile(ratios.clone(), 0.1), 0.35, 1.5);
    checks.within("back to out, median", quantile(ratios, 0.5), 0.51, 1.8);
    let lasts = |share: f64| quantile(established.iter().map(|row| row.duration).collect(), share);
    checks.within("duration, median", lasts(0.5), 10.0, 2.5);
    checks.within("duration, 0.9", lasts(0.9), 240.0, 2.0);
    let part = |states: &[&str]| {
        let of = rows.iter().filter(|row| states.contains(&row.state.as_str())).count();
        of as f64 / rows.len() as f64
    };
    checks.within("SF", part(&["SF"]), 0.57, 1.25);
    checks.within("S1, S2, S3", part(&["S1", "S2", "S3"]), 0.18, 1.4);
    checks.within("OTH", part(&["OTH"]), 0.08, 1.5);
    let unheard = established.iter().filter(|row| row.sent > Some(0.0) && row.received == Some(0.0)).count();
    checks.within("sent data and got none", unheard as f64 / established.len() as f64, 0.008, 2.0);
    let http = rows.iter().filter(|row| row.service == "http").count() as f64 / rows.len() as f64;
    // Under 1 % on a modern Mac: that is a bound, so little is as good.
    checks.within("plain HTTP", http.max(0.01), 0.01, 3.0);
}

fn silences_and_constant_answers(checks: &mut Checks) {
    let (mut four, mut silent, mut ten, mut constant) = (0.0, 0.0, 0.0, 0.0);
    for rows in by_host().values() {
        for rows in by_destination(rows).values() {
            let received: BTreeSet<u64> = rows.iter().map(|row| row.received.unwrap_or(0.0) as u64).collect();
            let is_silent = received.len() == 1 && received.contains(&0);
            if rows.len() >= 4 {
                four += 1.0;
                silent += f64::from(u8::from(is_silent));
            }
            if rows.len() >= 10 {
                ten += 1.0;
                constant += f64::from(u8::from(received.len() == 1 && !is_silent));
            }
        }
    }
    checks.within("never answered, of those asked four times", silent / four, 9.0 / 195.0, 8.0);
    checks.within("answered alike, of those asked ten times", constant / ten, 6.0 / 66.0, 3.0);
}

#[test]
fn a_realistic_day_is_like_a_real_one() {
    let mut checks = Checks(String::new());
    amounts(&mut checks);
    times(&mut checks);
    bytes_and_states(&mut checks);
    silences_and_constant_answers(&mut checks);
    assert!(checks.0.is_empty(), "{}", checks.0);
    let uids: BTreeSet<&str> = site().rows.iter().map(|row| row.uid.as_str()).collect();
    assert_eq!(uids.len(), site().rows.len(), "every connection has an identifier of its own");
}
