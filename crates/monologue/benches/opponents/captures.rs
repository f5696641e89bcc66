//! Real captures: who finds the labelled channels, and who flags what else. Read with `monologue read`, so that all see the same.

use crate::{
    elastic,
    rita::{self, Dataset},
};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _, net::IpAddr, path::Path, process::Command};

/// A capture, and the address of what is malicious in it; empty where nothing is.
pub(crate) const CAPTURES: [(&str, &str); 6] = [
    ("stratosphere/001-zeek-scenario-malicious", "41.108.179.197"),
    ("aktaion/WinBABOAPT", "152.66.249.132"),
    ("aktaion/Win5BotNETEXECCGEODo", "201.175.17.35"),
    ("stratosphere/008-zeek-mixed/data", ""),
    ("stratosphere/012-zeek-mixed/data", ""),
    ("ubuntu-desktop-2023-02-20", ""),
];

/// From this score on, RITA's channel counts as flagged: its level "high" begins there.
const RITA_FLAG: f64 = 0.8;

/// Connections of one host with one address.
#[derive(Default)]
struct Pair {
    times: Vec<f64>,
    sent: Vec<f64>,
    received: Vec<f64>,
}

/// What one opponent says of a capture.
#[derive(Default)]
struct Said {
    finds: bool,
    flags: usize,
}

fn is_outside(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let within = address.is_private() || address.is_loopback() || address.is_link_local();
            let nobodys = address.is_multicast() || address.is_broadcast() || address.is_unspecified();
            !(within || nobodys)
        }
        Ok(IpAddr::V6(address)) => {
            let first = address.segments()[0];
            !(address.is_loopback() || address.is_multicast() || first & 0xffc0 == 0xfe80 || first & 0xfe00 == 0xfc00)
        }
        Err(_) => false,
    }
}

/// Connections begun by hosts of the inside, from `conn` logs alone, in order of time.
fn pairs(folder: &Path) -> Result<BTreeMap<(String, String), Pair>> {
    let mut rows: Vec<(f64, String, String, f64, f64)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !name.starts_with("conn.log") && name != "labeled-conn.log" {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let mut fields: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(names) = line.strip_prefix("#fields\t") {
                fields = names.split('\t').collect();
            }
            if line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            let get = |name: &str| {
                fields.iter().position(|field| *field == name).and_then(|at| columns.get(at)).copied().unwrap_or("-")
            };
            let number = |name: &str| get(name).parse::<f64>().unwrap_or(0.0);
            if is_outside(get("id.orig_h")) || !is_outside(get("id.resp_h")) || get("id.resp_p") == "53" {
                continue;
            }
            let (from, to) = (get("id.orig_h").to_owned(), get("id.resp_h").to_owned());
            rows.push((number("ts"), from, to, number("orig_ip_bytes"), number("resp_ip_bytes")));
        }
    }
    rows.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    for (time, from, to, sent, received) in rows {
        let pair = pairs.entry((from, to)).or_default();
        pair.times.push(time);
        pair.sent.push(sent);
        pair.received.push(received);
    }
    Ok(pairs)
}

/// Findings of the whole line at medium or above, as addresses they speak of.
fn findings(folder: &Path) -> Result<Vec<Vec<String>>> {
    let output = Command::new(env!("CARGO_BIN_EXE_monologue"))
        .arg("hunt")
        .arg(folder)
        .args(["--output", "json", "--minimum-level", "medium"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .map(|line| {
            let finding: Value = serde_json::from_str(line).context("expected findings as JSON")?;
            let addresses = finding.pointer("/destination/ips").and_then(Value::as_array).cloned().unwrap_or_default();
            Ok(addresses.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        })
        .collect()
}

/// The table, or the reason why there is none.
pub(crate) fn table(data: &Path) -> Result<String> {
    if !data.is_dir() {
        return Ok("The captures were not there when this page was made.\n".to_owned());
    }
    let mut text = String::from(
        "| capture | host × address, 4 connections or more | malicious | Monologue | RITA's score ≥ 0.8 | Elastic's test |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, malicious) in CAPTURES {
        let folder = data.join(name);
        let pairs = pairs(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut said: [Said; 3] = Default::default();
        let mut say = |at: usize, address: &str| {
            if address == malicious { said[at].finds = true } else { said[at].flags += 1 }
        };
        for addresses in findings(&folder)? {
            let is_it = addresses.iter().any(|address| address == malicious);
            say(0, if is_it { malicious } else { "other" });
        }
        let tested: Vec<_> = pairs.iter().filter(|(_, pair)| pair.times.len() >= 4).collect();
        for ((_, to), pair) in &tested {
            // RITA looks at a day at a time; the best day counts.
            let mut best = 0.0_f64;
            let first = pair.times.first().copied().unwrap_or(0.0);
            let last = pair.times.last().copied().unwrap_or(0.0);
            let mut from = first;
            while from <= last {
                let dataset = Dataset { from, until: (from + 86_400.0).min(last.max(from + 3_600.0)) };
                let inside = |time: &f64| dataset.from <= *time && *time <= dataset.until;
                let (times, sent): (Vec<f64>, Vec<f64>) =
                    pair.times.iter().zip(&pair.sent).filter(|(time, _)| inside(time)).map(|(t, s)| (*t, *s)).unzip();
                best = best.max(rita::score(&times, &sent, &dataset).map_or(0.0, |score| score.total()));
                from += 86_400.0;
            }
            if best >= RITA_FLAG {
                say(1, to);
            }
            if elastic::best(&pair.times, &pair.sent, &pair.received).is_flagged() {
                say(2, to);
            }
        }
        let words = |said: &Said| {
            let found = match (malicious, said.finds) {
                ("", _) => String::new(),
                (_, true) => "found, ".to_owned(),
                (_, false) => "missed, ".to_owned(),
            };
            format!("{found}{} others flagged", said.flags)
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} |",
            tested.len(),
            if malicious.is_empty() { "-" } else { malicious },
            words(&said[0]),
            words(&said[1]),
            words(&said[2]),
        );
    }
    Ok(text)
}
