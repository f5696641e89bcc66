//! Tells the two spellings of the unified log from other JSON, by the keys of the first record.

use super::preface::is_preface;
use crate::{Head, Refusal};

/// Keys that Apple's tool writes in every record and hardly anyone else does.
const APPLE_KEYS: [&str; 17] = [
    "activityIdentifier",
    "bootUUID",
    "creatorActivityID",
    "eventMessage",
    "eventType",
    "formatString",
    "machTimestamp",
    "messageType",
    "parentActivityIdentifier",
    "processID",
    "processImagePath",
    "processImageUUID",
    "senderImagePath",
    "senderImageUUID",
    "senderProgramCounter",
    "timezoneName",
    "traceID",
];

/// Keys that decoders write in every record.
const DECODED_KEYS: [&str; 12] = [
    "activity_id",
    "boot_uuid",
    "event_type",
    "library",
    "library_uuid",
    "log_type",
    "message_entries",
    "message_flags",
    "parent_activity_id",
    "process_uuid",
    "raw_message",
    "timezone_name",
];

/// Keys of one spelling that must stand in the first record.
const ENOUGH_KEYS: usize = 3;

/// Most keys that are looked at.
const KEY_CAP: usize = 128;

/// Whether this is an export of Apple's `log`.
pub(super) fn apple(head: &Head<'_>) -> Result<(), Refusal> {
    let keys = first_keys(head)?;
    // An export in which nothing matched holds its closing line only.
    if keys == ["count", "finished"] {
        return Ok(());
    }
    judge(&keys, &APPLE_KEYS, "`log show --style ndjson`, such as eventMessage, processImagePath and machTimestamp")
}

/// Whether this was written by a decoder.
pub(super) fn decoded(head: &Head<'_>) -> Result<(), Refusal> {
    let keys = first_keys(head)?;
    judge(&keys, &DECODED_KEYS, "macos-unifiedlogs, such as library, process_uuid and raw_message")
}

fn judge(keys: &[String], known: &[&str], writer: &str) -> Result<(), Refusal> {
    let found = known.iter().filter(|key| keys.iter().any(|found| found == *key)).count();
    if found >= ENOUGH_KEYS {
        return Ok(());
    }
    let shown = keys.iter().take(6).map(String::as_str).collect::<Vec<_>>().join(", ");
    let keys = if shown.is_empty() { "none".to_owned() } else { shown };
    Err(Refusal(format!(
        "expected at least {ENOUGH_KEYS} keys of {writer}, in the first record; found {found} (its keys: {keys})"
    )))
}

/// The keys of the first record, as far as the head shows them.
fn first_keys(head: &Head<'_>) -> Result<Vec<String>, Refusal> {
    let mut rest = head.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head.bytes).trim_ascii_start();
    while is_preface(rest) {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    if let Some(inside) = rest.strip_prefix(b"[") {
        rest = inside.trim_ascii_start();
    }
    if rest.starts_with(b"{") {
        return Ok(object_keys(rest));
    }
    if rest.starts_with(b"Timestamp ") {
        return Err(Refusal(
            "expected JSON, found the text style of `log show`: export with --style ndjson".to_owned(),
        ));
    }
    Err(Refusal("expected a JSON object, or an array of objects".to_owned()))
}

/// The keys of the object at the beginning of `bytes`, not those of objects within it. `bytes` may be cut anywhere.
fn object_keys(bytes: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    let mut depth = 0_u32;
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(after);
                let text = after.get(..end).unwrap_or(after);
                rest = after.get(end + 1..).unwrap_or_default();
                if depth == 1 && rest.trim_ascii_start().starts_with(b":") {
                    keys.push(String::from_utf8_lossy(text.get(..64).unwrap_or(text)).into_owned());
                }
            }
            _ => {}
        }
        if depth == 0 || keys.len() >= KEY_CAP {
            break;
        }
    }
    keys
}

/// Bytes up to the closing quote.
fn string_end(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| {
        let closes = !escaped && *byte == b'"';
        escaped = !escaped && *byte == b'\\';
        closes
    });
    end.unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const APPLE: &str = r#"{"timezoneName":"","messageType":"Default","eventType":"logEvent","source":null,
        "backtrace":{"frames":[{"imageOffset":1}]},"eventMessage":"a \"b\" {","machTimestamp":1}"#;
    const DECODED: &str = r#"{"subsystem":"","thread_id":1,"pid":2,"library":"/x","activity_id":0,"event_type":"Log","message":"boot_uuid"}"#;

    const PREFACE: &str = "Filtering the log data using \"sender == 'x'\"\nSkipping info and debug messages\n";

    fn head(bytes: &[u8]) -> Head<'_> {
        Head { name: "x.json", bytes, complete: true }
    }

    fn names(text: &str) -> (bool, bool) {
        (apple(&head(text.as_bytes())).is_ok(), decoded(&head(text.as_bytes())).is_ok())
    }

    #[test]
    fn each_spelling_is_known_as_lines_and_as_array() {
        for before in ["", "\u{feff}", "[", "[\n  ", PREFACE] {
            assert_eq!(names(&format!("{before}{APPLE}")), (true, false), "{before}");
            assert_eq!(names(&format!("{before}{DECODED}")), (false, true), "{before}");
        }
        assert_eq!(names("{\"count\":0,\"finished\":1}\n"), (true, false));
    }

    #[test]
    fn a_cut_head_is_enough_once_three_keys_are_seen() {
        let three = APPLE.find("\"source\"").unwrap();
        assert_eq!(names(&APPLE[..three]), (true, false));
        let two = APPLE.find("\"eventType\"").unwrap();
        assert_eq!(names(&APPLE[..two]), (false, false));
    }

    #[test]
    fn other_json_is_refused_with_its_keys() {
        for other in [
            r#"{"event":{"exec":{}},"process":{"audit_token":{}},"mach_time":1,"event_type":9,"schema_version":1}"#,
            r#"{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","proto":"tcp"}"#,
            r#"{"input":{"match":{"uuid":{"senderImagePath":"x","eventMessage":"y","machTimestamp":1}}}}"#,
            "[]",
            "{",
            "",
            "plain text",
        ] {
            assert_eq!(names(other), (false, false), "{other}");
        }
        let refusal = apple(&head(br#"{"ts":1.5,"uid":"C1"}"#)).unwrap_err();
        assert!(refusal.0.ends_with("found 0 (its keys: ts, uid)"), "{refusal}");
        let refusal = apple(&head(b"Timestamp                       Thread")).unwrap_err();
        assert!(refusal.0.contains("--style ndjson"), "{refusal}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..300) {
            let _ = names(&String::from_utf8_lossy(&bytes));
            if let Err(refusal) = apple(&head(APPLE.as_bytes().get(..cut).unwrap_or_default())) {
                prop_assert!(!refusal.0.is_empty(), "a refusal says why");
            }
        }
    }
}
