//! Detection: which Zeek log an input is, from its header, its stream name, its file name or its keys.

use super::row::{JsonRow, Row};
use crate::{Head, Refusal};

/// File names that Zeek gives its logs, longest first where one holds another.
const FILE_NAMES: &[&str] =
    &["open_conn", "open_http", "open_ssl", "capture_loss", "conn", "http", "ssl", "dns", "weird", "files", "x509"];

/// The log's path, such as `conn` or `open_http`.
pub(super) fn path_of(head: &Head<'_>) -> Result<String, Refusal> {
    let refuse = |why: &str| Err(Refusal(why.to_owned()));
    let Some(first) = head.first_line() else { return refuse("expected a Zeek log, found no line") };
    if first.starts_with(b"#") {
        return path_of_tsv(head.bytes);
    }
    if !first.starts_with(b"{") {
        return refuse("expected a Zeek header line (#separator …) or a JSON object");
    }
    let text = String::from_utf8_lossy(first);
    let Ok(row) = JsonRow::parse(text.as_bytes()) else {
        return refuse("expected one whole JSON object on the first line");
    };
    if let Some(path) = row.text("_path").or_else(|| row.text("@stream")) {
        return Ok(path.into_owned());
    }
    let has = |names: &[&'static str]| names.iter().all(|name| row.has(name));
    if !row.has("ts") || !(has(&["id.orig_h"]) || has(&["peer", "percent_lost"]) || has(&["uid"])) {
        return refuse("expected the Zeek members ts and uid or id.orig_h in the first JSON object");
    }
    if let Some(name) = FILE_NAMES.iter().find(|name| names_log(head.name, name)) {
        return Ok((*name).to_owned());
    }
    let by_keys: [(&[&str], &str); 6] = [
        (&["conn_state"], "conn"),
        (&["percent_lost"], "capture_loss"),
        (&["trans_depth"], "http"),
        (&["rcode_name"], "dns"),
        (&["qtype_name"], "dns"),
        (&["established"], "ssl"),
    ];
    match by_keys.iter().find(|(keys, _)| has(keys)) {
        Some((_, path)) => Ok((*path).to_owned()),
        None => Ok("other".to_owned()),
    }
}

/// Whether a file is named after a log: `conn.log`, `conn_json.log`, `conn.00:00:00-01:00:00.log.gz`, `x-conn.log`.
fn names_log(file: &str, log: &str) -> bool {
    let whole = |at: usize| {
        let before = file.get(..at).and_then(|text| text.chars().next_back());
        let after = file.get(at + log.len()..).and_then(|text| text.chars().next());
        before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
            && after.is_none_or(|c| !c.is_ascii_alphanumeric())
    };
    file.match_indices(log).any(|(at, _)| whole(at))
}

fn path_of_tsv(bytes: &[u8]) -> Result<String, Refusal> {
    let mut path = None;
    let mut fields = false;
    for line in bytes.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end()) {
        if !line.starts_with(b"#") && !line.is_empty() {
            break;
        }
        let mut parts = line.split(|byte| matches!(byte, b'\t' | b' '));
        match parts.next() {
            Some(b"#path") => path = parts.next().map(|path| String::from_utf8_lossy(path).into_owned()),
            Some(b"#fields") => fields = true,
            _ => {}
        }
    }
    match path {
        Some(path) if fields => Ok(path),
        Some(_) => Err(Refusal("expected a #fields line in the header of a Zeek log".to_owned())),
        None => Err(Refusal("expected a #path line in the header of a Zeek log".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_name_whole_words_only() {
        assert!(names_log("conn.00:00:00-01:00:00.log.gz", "conn"));
        assert!(names_log("conn_json.log", "conn"));
        assert!(names_log("btest-core.tunnels-conn.log", "conn"));
        assert!(!names_log("open_conn.log", "conn"));
        assert!(!names_log("connection.log", "conn"));
    }
}
