//! Lines taken apart: columns, `key=value`, CEF and LEEF, and the syslog header around any of them.

use std::borrow::Cow;

/// Fields of one record: names and texts.
pub(super) type Named<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Fields of one record that are kept.
const FIELD_CAP: usize = 1000;

/// Columns of a line; quoted ones may hold the separator, and a quote doubled. A separator that is a blank stands for one
/// or more.
pub(crate) fn columns(line: &str, separator: char) -> Vec<Cow<'_, str>> {
    let mut columns = Vec::new();
    let mut rest = line;
    while columns.len() < FIELD_CAP {
        if separator == ' ' {
            rest = rest.trim_start_matches(' ');
        }
        let (value, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside, separator),
            None => match rest.split_once(separator) {
                Some((value, after)) => (Cow::Borrowed(value.trim()), Some(after)),
                None => (Cow::Borrowed(rest.trim()), None),
            },
        };
        columns.push(value);
        match after {
            Some(after) if !(separator == ' ' && after.trim().is_empty()) => rest = after,
            _ => break,
        }
    }
    columns
}

/// A quoted text up to its closing quote, and what follows the separator behind it.
fn quoted(inside: &str, separator: char) -> (Cow<'_, str>, Option<&str>) {
    let mut from = 0;
    loop {
        let Some(at) = inside.get(from..).and_then(|rest| rest.find('"')).map(|at| at + from) else {
            // Nothing closes it: the rest of the line is its text.
            return (Cow::Borrowed(inside), None);
        };
        let after = inside.get(at + 1..).unwrap_or_default();
        if after.starts_with('"') {
            from = at + 2;
            continue;
        }
        let text = inside.get(..at).unwrap_or_default();
        let text = if text.contains("\"\"") { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) };
        // What stands between the closing quote and the separator is no text of anybody.
        return (text, after.split_once(separator).map(|(_, rest)| rest));
    }
}

/// `key=value` pairs between blanks or another separator; values may be quoted, with `\"` inside.
pub(super) fn pairs(line: &str, separator: char, assign: char) -> Named<'_> {
    let mut pairs = Vec::new();
    let mut rest = line.trim_start();
    while let (Some((key, after)), true) = (rest.split_once(assign), pairs.len() < FIELD_CAP) {
        // Words before the key belong to nothing (a header).
        let key = key.rsplit([' ', separator]).next().unwrap_or(key).trim();
        let after = if assign == '=' { after } else { after.trim_start() };
        let (value, next) = match after.strip_prefix('"') {
            Some(inside) => escaped_quoted(inside),
            None => match after.split_once(separator) {
                Some((value, next)) => (Cow::Borrowed(value.trim()), next),
                None => (Cow::Borrowed(after.trim()), ""),
            },
        };
        if !key.is_empty() {
            pairs.push((Cow::Borrowed(key.trim_start_matches('<')), value));
        }
        rest = next.trim_start_matches([' ', separator]);
    }
    pairs
}

fn escaped_quoted(inside: &str) -> (Cow<'_, str>, &str) {
    let mut escape = false;
    for (at, letter) in inside.char_indices() {
        match letter {
            '\\' if !escape => escape = true,
            '"' if !escape => {
                let text = inside.get(..at).unwrap_or_default();
                return (unescaped(text), inside.get(at + 1..).unwrap_or_default());
            }
            _ => escape = false,
        }
    }
    (unescaped(inside), "")
}

/// Undoes backslashes.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => whole.push('\n'),
                Some('r') => whole.push('\r'),
                Some(other) => whole.push(other),
                None => whole.push('\\'),
            },
            other => whole.push(other),
        }
    }
    Cow::Owned(whole)
}

/// `CEF:0|vendor|product|version|id|name|severity|key=value …` (ArcSight Common Event Format). Custom fields also go by their
/// labels: `cs1Label=Rule cs1=web` gives `Rule`. `None`: it is none.
pub(super) fn cef(line: &str) -> Option<Named<'_>> {
    let inside = line.get(line.find("CEF:")?..)?.strip_prefix("CEF:")?;
    let names =
        ["cef.version", "cef.vendor", "cef.product", "cef.product-version", "cef.id", "cef.name", "cef.severity"];
    let mut fields: Named<'_> = Vec::new();
    let mut rest = inside;
    for name in names {
        let (value, after) = split_unescaped(rest, '|')?;
        fields.push((name.into(), unescaped(value)));
        rest = after;
    }
    let pairs = cef_pairs(rest);
    for (key, label) in &pairs {
        if let Some(base) = key.strip_suffix("Label")
            && let Some((_, value)) = pairs.iter().find(|(key, _)| *key == base)
        {
            fields.push((unescaped(label), unescaped(value)));
        }
    }
    fields.extend(pairs.into_iter().map(|(key, value)| (Cow::Borrowed(key), unescaped(value))));
    Some(fields)
}

/// Values run to the last blank before the next `key=`.
fn cef_pairs(text: &str) -> Vec<(&str, &str)> {
    let mut starts = Vec::new();
    let bytes = text.as_bytes();
    for at in memchr::memchr_iter(b'=', bytes).take(FIELD_CAP * 4) {
        let before = text.get(..at).unwrap_or_default();
        let key_at = before.rfind(' ').map_or(0, |blank| blank + 1);
        let key = before.get(key_at..).unwrap_or_default();
        let named =
            !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if named && starts.len() < FIELD_CAP {
            starts.push((key_at, at));
        }
    }
    let ends = starts.iter().skip(1).map(|(key_at, _)| *key_at).chain([text.len()]);
    let pairs = starts
        .iter()
        .zip(ends)
        .filter_map(|((key_at, at), end)| Some((text.get(*key_at..*at)?, text.get(at + 1..end)?.trim())));
    pairs.collect()
}

/// The text before a separator that no backslash escapes, and what follows it.
fn split_unescaped(text: &str, separator: char) -> Option<(&str, &str)> {
    let mut escape = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' => escape = !escape,
            _ if letter == separator && !escape => {
                return Some((text.get(..at)?, text.get(at + letter.len_utf8()..)?));
            }
            _ => escape = false,
        }
    }
    None
}

/// `LEEF:1.0|vendor|product|version|id|key=value<tab>…` (IBM QRadar); version 2 may name another separator. `None`: it is
/// none.
pub(super) fn leef(line: &str) -> Option<Named<'_>> {
    let inside = line.get(line.find("LEEF:")?..)?.strip_prefix("LEEF:")?;
    let mut fields: Named<'_> = Vec::new();
    let mut rest = inside;
    for name in ["leef.version", "leef.vendor", "leef.product", "leef.product-version", "leef.id"] {
        let (value, after) = rest.split_once('|')?;
        fields.push((name.into(), value.into()));
        rest = after;
    }
    let mut separator = '\t';
    if inside.starts_with('2')
        && let Some((named, after)) = rest.split_once('|').filter(|(named, _)| named.len() <= 6 && !named.contains('='))
    {
        let hex = named.trim_start_matches(['0', '\\']).strip_prefix('x');
        separator = match hex.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(letter) => letter,
            None => named.chars().next().unwrap_or('\t'),
        };
        rest = after;
    }
    for pair in rest.split(separator).take(FIELD_CAP) {
        if let Some((key, value)) = pair.split_once('=') {
            fields.push((key.trim().into(), value.trim().into()));
        }
    }
    Some(fields)
}

/// What follows a syslog header: `<PRI>Mmm dd hh:mm:ss host `, or RFC 5424's. Lines without one are given back as they are.
pub(super) fn without_syslog(line: &str) -> &str {
    let (had_priority, rest) = match line.strip_prefix('<').and_then(|inside| inside.split_once('>')) {
        Some((number, rest)) if number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit()) => (true, rest),
        _ => (false, line),
    };
    if let Some(body) = rest.strip_prefix("1 ").filter(|_| had_priority) {
        // version, time, host, application, process, message, then structured data.
        let mut after = body;
        for _ in 0..5 {
            after = after.split_once(' ').map_or("", |(_, rest)| rest);
        }
        let after = after.strip_prefix("- ").or_else(|| after.rsplit_once("] ").map(|(_, message)| message));
        return after.unwrap_or(body).trim_start_matches('\u{feff}');
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if rest.get(..3).is_some_and(|month| months.contains(&month)) {
        let mut words = rest.splitn(5, ' ').collect::<Vec<_>>();
        words.retain(|word| !word.is_empty());
        let skipped = if rest.get(4..5) == Some(" ") { 5 } else { 4 };
        return rest.splitn(skipped + 1, ' ').nth(skipped).unwrap_or(rest);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<'a>(fields: &'a Named<'_>, name: &str) -> Option<&'a str> {
        fields.iter().find(|(field, _)| field == name).map(|(_, text)| &**text)
    }

    #[test]
    fn quoted_columns_hold_separators_and_quotes() {
        assert_eq!(columns(r#"a,"b,""c""",,d"#, ','), ["a", "b,\"c\"", "", "d"]);
        assert_eq!(columns(r#"a  "b c"   d "#, ' '), ["a", "b c", "d"]);
        assert_eq!(columns("a,\"open, end", ','), ["a", "open, end"]);
        assert_eq!(columns("", ','), [""]);
    }

    #[test]
    fn pairs_take_quotes_and_escapes() {
        let fields = pairs(r#"<189>date=2026-11-25 msg="a=b \"c\" d" n=1 "#, ' ', '=');
        assert_eq!((get(&fields, "msg"), get(&fields, "n")), (Some("a=b \"c\" d"), Some("1")));
        assert_eq!(fields.len(), 3);
    }

    #[test]
    fn cef_values_run_to_the_next_key_and_labels_name_custom_fields() {
        let line = r"<14>Nov 25 10:00:00 gw CEF:0|Acme|Web\|Gate|1|100|GET|3|src=10.0.0.5 request=http://a.example/?x\=1 msg=two words cs1Label=Rule cs1=all web";
        let fields = cef(line).unwrap();
        assert_eq!((get(&fields, "cef.product"), get(&fields, "src")), (Some("Web|Gate"), Some("10.0.0.5")));
        assert_eq!(get(&fields, "request"), Some("http://a.example/?x=1"));
        assert_eq!((get(&fields, "msg"), get(&fields, "Rule")), (Some("two words"), Some("all web")));
        assert!(cef("CEF:0|too|few").is_none());
    }

    #[test]
    fn leef_names_its_separator() {
        let fields = leef("LEEF:1.0|Acme|Gate|1|web|src=10.0.0.5\tdst=192.0.2.1").unwrap();
        assert_eq!((get(&fields, "dst"), get(&fields, "leef.id")), (Some("192.0.2.1"), Some("web")));
        for line in
            ["LEEF:2.0|A|G|1|web|^|src=10.0.0.5^dst=192.0.2.1", "LEEF:2.0|A|G|1|web|0x5e|src=10.0.0.5^dst=192.0.2.1"]
        {
            assert_eq!(get(&leef(line).unwrap(), "dst"), Some("192.0.2.1"), "{line}");
        }
    }

    #[test]
    fn syslog_headers_are_taken_off() {
        assert_eq!(without_syslog("<14>Nov 25 10:00:00 gw 1,2026/11/25"), "1,2026/11/25");
        assert_eq!(without_syslog("Nov  5 10:00:00 gw 1,2026/11/05"), "1,2026/11/05");
        assert_eq!(without_syslog("<14>1 2026-11-25T10:00:00Z gw app 1 id - 1,x"), "1,x");
        assert_eq!(without_syslog("1,2026/11/25 10:00:00,x"), "1,2026/11/25 10:00:00,x");
        assert_eq!(without_syslog("<189>date=2026-11-25 x=1"), "date=2026-11-25 x=1");
    }
}
