//! Reading loses nothing: over every real file, events + skipped + malformed = records, counted independently.
#![cfg(test)]

use monologue_formats::{FORMATS, Input, Item};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

fn files() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !data.is_dir() {
        eprintln!("skipped: ../shared/data is not there");
        return Vec::new();
    }
    let mut folders = vec![data];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Records by the simplest count there is: lines that are neither empty nor, for Zeek's TSV, comments; of JSON that
/// spans lines its objects.
fn records(format: &str, text: &[u8]) -> u64 {
    if format.ends_with("-capture") {
        return packets(text);
    }
    if format == "har" {
        let archive: serde_json::Value = serde_json::from_slice(text).unwrap();
        return archive["log"]["entries"].as_array().unwrap().len() as u64;
    }
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let spans_lines = text.starts_with(b"{") && serde_json::from_slice::<serde_json::Value>(first_line).is_err();
    if spans_lines {
        let values = serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>();
        return values.inspect(|value| assert!(value.is_ok())).count() as u64;
    }
    // The one export with a line of column names that is no record.
    let header = u64::from(format == "pan-traffic");
    let tsv = format.starts_with("zeek") && text.trim_ascii_start().starts_with(b"#");
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty() && (!tsv || !line.starts_with(b"#")))
        .count() as u64
        - header
}

/// Packets of a little-endian capture, by a walk over lengths alone.
fn packets(bytes: &[u8]) -> u64 {
    let field = |at: usize| bytes.get(at..at + 4).map(|field| u32::from_le_bytes(field.try_into().unwrap()) as usize);
    let (mut at, mut count) = (0, 0);
    if bytes.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) {
        while let (Some(kind), Some(length)) = (field(at), field(at + 4)) {
            count += u64::from(kind == 6);
            at += length;
        }
    } else {
        at = 24;
        while let Some(captured) = field(at + 8) {
            count += 1;
            at += 16 + captured;
        }
    }
    count
}

#[test]
fn every_real_file_is_read_whole_or_refused_with_reasons() {
    let (mut read, mut refused, mut total) = (0, 0, 0);
    for path in files() {
        let Ok(input) = Input::open(&path) else {
            assert_eq!(path.metadata().unwrap().len(), 0, "only empty files cannot be opened: {path:?}");
            continue;
        };
        let (format, input) = input.with_head(monologue_formats::detect).unwrap();
        let format = match format {
            Ok(format) => format,
            Err(refusals) => {
                assert_eq!(refusals.len(), FORMATS.len(), "every format says why: {path:?}");
                assert!(refusals.iter().all(|(_, refusal)| refusal.0.len() > 10), "{path:?}: {refusals:?}");
                refused += 1;
                continue;
            }
        };
        // Binary records are counted against their own library in `archive.rs`, and by hand in `mapped.rs` and `netflow.rs`.
        if matches!(format.name(), "unified-log-archive" | "mitmproxy" | "netflow") {
            continue;
        }
        let mut counted = 0;
        for item in format.read(input) {
            match item {
                Ok(Item::Event(_) | Item::Skipped(_)) => counted += 1,
                Err(malformed) if malformed.length > 0 => counted += 1,
                Ok(Item::Derived(_)) | Err(_) => {}
            }
        }
        let mut text = Vec::new();
        Input::open(&path).unwrap().reader.read_to_end(&mut text).unwrap();
        assert_eq!(counted, records(format.name(), &text), "{} by {}", path.display(), format.name());
        read += 1;
        total += counted;
    }
    if read + refused > 0 {
        assert!(read > 100 && total > 100_000, "{read} files and {total} records were read, {refused} refused");
    }
}

/// A folder, the formats that read its files and how many each, and how many files none reads.
type Claim = (&'static str, &'static [(&'static str, usize)], usize);

/// Folders of telemetry. What nobody reads there: licences, indices, lists of labels,
/// JSON schemas, protocols, Santa's goldens (events without what is around them), baselines of Zeek whose times are masked or
/// whose header was cut off, and logs of administration.
const CLAIMS: &[Claim] = &[
    ("formats/aws-vpcflow", &[("route53-resolver", 1)], 1),
    ("formats/crowdstrike-fdr", &[("crowdstrike", 1)], 1),
    ("formats/eslogger", &[("eslogger", 5)], 0),
    ("formats/jamf", &[("jamf", 47)], 3),
    ("formats/m365-defender", &[("defender", 1)], 1),
    ("formats/mac-monitor", &[("mac-monitor", 1)], 0),
    ("formats/mitmproxy", &[("har", 6), ("mitmproxy", 6)], 0),
    // The third holds sFlow, which is nobody's here: it is a capture like any other.
    ("formats/netflow", &[("netflow", 2), ("packet-capture", 1)], 0),
    ("formats/osquery", &[("osquery", 1)], 2),
    ("formats/pktap", &[("apple-capture", 5), ("packet-capture", 2)], 1),
    ("formats/sentinelone", &[("sentinelone", 1)], 1),
    ("formats/umbrella-dns", &[("umbrella-dns-json", 1)], 1),
    (
        "formats/zeek",
        &[
            ("zeek-capture-loss", 1),
            ("zeek-conn", 9),
            ("zeek-dns", 4),
            ("zeek-http", 5),
            ("zeek-other", 18),
            ("zeek-ssl", 16),
        ],
        5,
    ),
    ("formats/zscaler", &[], 2),
    (
        "network/aktaion",
        &[
            ("pan-traffic", 1),
            ("webgateway", 388),
            ("zeek-conn", 2),
            ("zeek-dns", 2),
            ("zeek-http", 8),
            ("zeek-other", 14),
            ("zeek-ssl", 1),
        ],
        2,
    ),
    ("network/pcap", &[("packet-capture", 4)], 0),
    (
        "network/rita",
        &[
            ("zeek-capture-loss", 3),
            ("zeek-conn", 12),
            ("zeek-dns", 6),
            ("zeek-http", 11),
            ("zeek-other", 17),
            ("zeek-ssl", 10),
        ],
        3,
    ),
    (
        "network/stratosphere",
        &[("zeek-conn", 6), ("zeek-dns", 3), ("zeek-http", 3), ("zeek-other", 12), ("zeek-ssl", 2)],
        8,
    ),
    (
        "network/ubuntu-desktop-2023-02-20",
        &[("zeek-conn", 1), ("zeek-dns", 1), ("zeek-http", 1), ("zeek-other", 7), ("zeek-ssl", 1)],
        1,
    ),
    ("unified-log/artemis", &[("unified-log-decoded", 1)], 1),
];

#[test]
fn every_folder_of_real_data_is_claimed_by_its_own_readers() {
    let files = files();
    if files.is_empty() {
        return;
    }
    for (folder, formats, refused) in CLAIMS {
        let mut claimed = std::collections::BTreeMap::new();
        for path in files.iter().filter(|path| path.to_string_lossy().contains(&format!("/data/{folder}/"))) {
            let Ok(input) = Input::open(path) else { continue };
            let (format, _) = input.with_head(monologue_formats::detect).unwrap();
            *claimed.entry(format.map_or("", |format| format.name())).or_insert(0) += 1;
        }
        assert_eq!(claimed.remove("").unwrap_or(0), *refused, "{folder}: refused");
        assert_eq!(claimed.into_iter().collect::<Vec<_>>(), *formats, "{folder}");
    }
}
