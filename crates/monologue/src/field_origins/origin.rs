//! Finds the parts of a raw record that a field of the event was read from.

use super::parts::Part;
use monologue_model::Timestamp;
use serde_json::Value;
use std::{net::SocketAddr, ops::Range};

/// Shortest text that is looked for within a longer one: shorter ones stand everywhere.
const LEAST_WITHIN: usize = 3;

/// Where a field was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Name of the part.
    pub(super) name: String,
    /// Bytes of the record.
    pub(super) range: Range<usize>,
}

/// The parts that a field's value stands in. Empty if none spells it: then the reader drew it from several, or from what it
/// knows of the format.
pub(super) fn origins(path: &str, value: &Value, parts: &[Part]) -> Vec<Origin> {
    let found = match value {
        Value::String(text) => of_text(path, text, parts),
        Value::Number(number) => of_number(path, &number.to_string(), parts),
        Value::Bool(truth) => best(path, whole(parts, |text| text == if *truth { "true" } else { "false" })),
        _ => None,
    };
    if let (None, Value::String(text)) = (&found, value)
        && let Ok(address) = text.parse::<SocketAddr>()
    {
        let ip = of_text(path, &address.ip().to_string(), parts);
        // Both parts of an address stand under names that resemble each other.
        let near = ip.as_ref().map_or_else(|| path.to_owned(), |ip| ip.name.clone());
        let port = of_number(&near, &address.port().to_string(), parts);
        return ip.into_iter().chain(port).collect();
    }
    found.into_iter().collect()
}

fn of_text(path: &str, text: &str, parts: &[Part]) -> Option<Origin> {
    if text.is_empty() {
        return None;
    }
    let time = path.ends_with("time").then(|| Timestamp::parse(text).ok()).flatten();
    let same = |part: &str| {
        let plainly = || plain(text).is_some_and(|text| plain(part) == Some(text));
        part == text || part.trim_end_matches('.').eq_ignore_ascii_case(text) || plainly()
    };
    best(path, whole(parts, same))
        .or_else(|| time.and_then(|time| best(path, whole(parts, |part| moment(part) == Some(time)))))
        .or_else(|| time.and_then(|time| leading_time(parts, time)))
        .or_else(|| within(parts, |part| find(part, text)))
        // UUIDs and hashes are written with dashes or without.
        .or_else(|| within(parts, |part| dashed(text).and_then(|dashed| find(part, &dashed))))
}

fn of_number(path: &str, number: &str, parts: &[Part]) -> Option<Origin> {
    let value: f64 = number.parse().ok()?;
    // Seconds, milliseconds and microseconds become nanoseconds or milliseconds.
    let scaled = |part: &str| {
        let there: f64 = part.parse().ok()?;
        let same = |factor: f64| (there * factor - value).abs() <= value.abs() * 1e-12;
        (there != 0.0).then(|| [1.0, 1e3, 1e6, 1e9].into_iter().any(same))
    };
    best(path, whole(parts, |part| part == number))
        .or_else(|| within(parts, |part| find_number(part, number)))
        .or_else(|| best(path, whole(parts, |part| scaled(part) == Some(true))))
}

/// Parts that are it as a whole.
fn whole(parts: &[Part], is_it: impl Fn(&str) -> bool) -> impl Iterator<Item = &Part> {
    parts.iter().filter(move |part| is_it(&part.text))
}

/// Of several parts the one whose name has most in common with the field's.
fn best<'a>(path: &str, found: impl Iterator<Item = &'a Part>) -> Option<Origin> {
    let wanted = words(path);
    // The last words of a path say most: `process.user_id` is the user's.
    let likeness = |part: &&Part| -> usize {
        let names = words(&part.name);
        (1..).zip(&wanted).filter(|(_, word)| names.contains(word)).map(|(place, _)| place).sum()
    };
    // `max_by_key` gives the last of equals; the first is as good, and stands before its copies.
    let found: Vec<&Part> = found.collect();
    let part = found.iter().rev().copied().max_by_key(likeness)?;
    Some(Origin { name: part.name.clone(), range: part.range.clone() })
}

/// The words of a name, in lower case: `detail.process.user_id` and `processImagePath` alike.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut upper = false;
    for character in name.chars() {
        // `userID` is two words: capitals in a row are one.
        if !character.is_ascii_alphanumeric() || (character.is_ascii_uppercase() && !upper) {
            words.push(String::new());
        }
        upper = character.is_ascii_uppercase();
        if let (true, Some(word)) = (character.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(character.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The first part that holds it, and where.
fn within(parts: &[Part], find: impl Fn(&str) -> Option<Range<usize>>) -> Option<Origin> {
    parts.iter().find_map(|part| {
        let inside = find(&part.text)?;
        // With escapes undone, places no longer agree: then the whole part is named.
        let same = part.range.len() == part.text.len();
        let range =
            if same { part.range.start + inside.start..part.range.start + inside.end } else { part.range.clone() };
        Some(Origin { name: part.name.clone(), range })
    })
}

fn find(part: &str, text: &str) -> Option<Range<usize>> {
    if text.len() < LEAST_WITHIN {
        return None;
    }
    let at = part.to_ascii_lowercase().find(&text.to_ascii_lowercase())?;
    Some(at..at + text.len())
}

/// A number that does not belong to a longer one.
fn find_number(part: &str, number: &str) -> Option<Range<usize>> {
    let joins = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let bytes = part.as_bytes();
    let places = part.match_indices(number).map(|(at, _)| at);
    let mut alone = places.filter(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        !joins(before) && !joins(bytes.get(at + number.len()).copied())
    });
    alone.next().map(|at| at..at + number.len())
}

fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse_epoch_seconds(text)).ok()
}

/// The time that a line begins with.
fn leading_time(parts: &[Part], time: Timestamp) -> Option<Origin> {
    within(parts, |part| {
        let ends = part.char_indices().map(|(at, _)| at).take(40);
        ends.filter(|end| *end >= 10)
            .find(|end| part.get(..*end).is_some_and(|text| moment(text) == Some(time) && !goes_on(part, *end)))
            .map(|end| 0..end)
    })
}

/// Whether the time goes on after `end`: with more digits, or with a zone.
fn goes_on(part: &str, end: usize) -> bool {
    part.get(end..).is_some_and(|rest| {
        rest.starts_with(|next: char| next.is_ascii_digit() || matches!(next, '.' | '+' | '-' | 'Z'))
    })
}

/// Without what only separates.
fn plain(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|character| *character != '-').map(|c| c.to_ascii_uppercase()).collect();
    (plain.len() >= 16 && plain.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(plain)
}

/// 32 hexadecimal digits as a UUID with dashes.
fn dashed(text: &str) -> Option<String> {
    plain(text).filter(|digits| digits.len() == 32).and_then(|digits| {
        let cut = |range: Range<usize>| digits.get(range);
        Some([cut(0..8)?, cut(8..12)?, cut(12..16)?, cut(16..20)?, cut(20..32)?].join("-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_origins::parts::parts;
    use serde_json::json;

    fn names(path: &str, value: &Value, raw: &str, columns: &[&str]) -> Vec<(String, String)> {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let found = origins(path, value, &parts(raw.as_bytes(), &columns));
        found.into_iter().map(|origin| (origin.name, raw[origin.range].to_owned())).collect()
    }

    fn one(name: &str, text: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), text.to_owned())]
    }

    #[test]
    fn columns_of_a_table() {
        let raw = "1772431200.500000\tC1\t10.0.0.1\t51000\t192.0.2.1\t443\t1.25\t-";
        let columns = ["ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "duration", "x"];
        let found = |path: &str, value: Value| names(path, &value, raw, &columns);
        assert_eq!(found("time", json!("2026-03-02T06:00:00.5Z")), one("ts", "1772431200.500000"));
        let pair = |a, b, c, d| [one(a, b), one(c, d)].concat();
        let originator = pair("id.orig_h", "10.0.0.1", "id.orig_p", "51000");
        assert_eq!(found("detail.originator", json!("10.0.0.1:51000")), originator);
        let responder = pair("id.resp_h", "192.0.2.1", "id.resp_p", "443");
        assert_eq!(found("detail.responder", json!("192.0.2.1:443")), responder);
        assert_eq!(found("detail.duration_ns", json!(1_250_000_000)), one("duration", "1.25"));
        assert_eq!(found("format", json!("zeek-conn")), []);
    }

    #[test]
    fn keys_of_json_by_likeness_of_their_names() {
        let raw = r#"{"processID":501,"userID":501,"timestamp":"2026-05-06 09:00:00.100000+0200","bootUUID":
            "6B1F0A52-9C3D-4E7A-8F21-0D5C7E9A3B44","eventMessage":"Task <A1B2C3D4-0001-4A5B-8C6D-000000000001>.<7> sent request, body S 640"}"#;
        let found = |path: &str, value: Value| names(path, &value, raw, &[]);
        assert_eq!(found("detail.process.user_id", json!(501)), one("userID", "501"));
        assert_eq!(found("time", json!("2026-05-06T07:00:00.1Z")), one("timestamp", "2026-05-06 09:00:00.100000+0200"));
        let boot = "6B1F0A52-9C3D-4E7A-8F21-0D5C7E9A3B44";
        assert_eq!(found("key.boot", json!(boot.replace('-', ""))), one("bootUUID", boot));
        assert_eq!(found("detail.fact.body.bytes", json!(640)), one("eventMessage", "640"));
        assert_eq!(found("detail.task.number", json!(7)), one("eventMessage", "7"));
        let task = "A1B2C3D4-0001-4A5B-8C6D-000000000001";
        assert_eq!(found("detail.task.uuid", json!(task.replace('-', ""))), one("eventMessage", task));
        assert_eq!(found("detail.process.key.pid", json!(64)), [], "64 is not 640");
    }

    #[test]
    fn the_time_that_a_line_begins_with() {
        let raw = "2026-05-06 09:00:00.100000+0200  localhost a[1]: x";
        let found = names("time", &json!("2026-05-06T07:00:00.1Z"), raw, &[]);
        assert_eq!(found, one("record", "2026-05-06 09:00:00.100000+0200"));
    }
}
