//! Cuts a raw record into named parts: the values of a JSON object, the columns of a table, or the record as a whole.

use std::ops::Range;

/// Objects and arrays within each other that are entered.
const DEPTH_CAP: usize = 64;

/// Parts of one record.
const PART_CAP: usize = 10_000;

/// One part of a raw record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The key that leads to it, the name of its column, or `record`.
    pub(super) name: String,
    /// Where it stands in the record; quotes do not belong to it.
    pub(super) range: Range<usize>,
    /// What it says, escapes undone.
    pub(super) text: String,
}

/// The parts of a record. `columns` are the names of a table's columns, where the source gives them.
pub(super) fn parts(raw: &[u8], columns: &[String]) -> Vec<Part> {
    if raw.trim_ascii_start().starts_with(b"{") {
        let mut scan = Scan { raw, at: 0, parts: Vec::new() };
        scan.value("", 0);
        if !scan.parts.is_empty() {
            return scan.parts;
        }
    }
    let whole = Part { name: "record".to_owned(), range: 0..raw.len(), text: lossy(raw) };
    if columns.is_empty() {
        return vec![whole];
    }
    let mut at = 0;
    let mut parts = Vec::new();
    for (place, field) in raw.split(|byte| *byte == b'\t').take(PART_CAP).enumerate() {
        let name = columns.get(place).cloned().unwrap_or_else(|| format!("column {}", place + 1));
        parts.push(Part { name, range: at..at + field.len(), text: lossy(field) });
        at += field.len() + 1;
    }
    parts
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Follows JSON to its values. What is no JSON ends it; the parts before stay.
struct Scan<'a> {
    raw: &'a [u8],
    at: usize,
    parts: Vec<Part>,
}

impl Scan<'_> {
    /// Reads the value that comes next. `None` where there is none.
    fn value(&mut self, path: &str, depth: usize) -> Option<()> {
        if depth > DEPTH_CAP || self.parts.len() > PART_CAP {
            return None;
        }
        match self.peek()? {
            b'{' => self.members(b'}', |scan, _| {
                let key = scan.string()?;
                let name = scan.raw.get(key).map(lossy)?;
                (scan.peek()? == b':').then(|| scan.at += 1)?;
                let inner = if path.is_empty() { name } else { format!("{path}.{name}") };
                scan.value(&inner, depth + 1)
            }),
            b'[' => self.members(b']', |scan, place| scan.value(&format!("{path}[{place}]"), depth + 1)),
            b'"' => {
                let range = self.string()?;
                let quoted = self.raw.get(range.start - 1..range.end + 1)?;
                let text = serde_json::from_slice(quoted).unwrap_or_else(|_| lossy(quoted));
                self.parts.push(Part { name: path.to_owned(), range, text });
                Some(())
            }
            _ => {
                let rest = self.raw.get(self.at..)?;
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                let range = self.at..self.at + length;
                self.at = range.end;
                let text = lossy(self.raw.get(range.clone())?);
                if text != "null" && length > 0 {
                    self.parts.push(Part { name: path.to_owned(), range, text });
                }
                (length > 0).then_some(())
            }
        }
    }

    /// Reads what stands between two brackets, separated by commas.
    fn members(&mut self, end: u8, mut member: impl FnMut(&mut Self, usize) -> Option<()>) -> Option<()> {
        self.at += 1;
        let mut place = 0;
        while self.peek()? != end {
            member(self, place)?;
            place += 1;
            if self.peek()? == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        Some(())
    }

    /// Where the string that comes next stands, without its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        (self.peek()? == b'"').then_some(())?;
        let start = self.at + 1;
        let mut escaped = false;
        let length = self.raw.get(start..)?.iter().position(|byte| {
            let closes = !escaped && *byte == b'"';
            escaped = !escaped && *byte == b'\\';
            closes
        })?;
        self.at = start + length + 1;
        Some(start..start + length)
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.raw.get(self.at..)?;
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.raw.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str, columns: &[&str]) -> Vec<(String, String)> {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let parts = parts(raw.as_bytes(), &columns);
        for part in &parts {
            let there = raw.get(part.range.clone()).unwrap();
            assert!(there == part.text || there.contains('\\'), "{part:?}");
        }
        parts.into_iter().map(|part| (part.name, part.text)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn json_is_cut_at_its_values() {
        let raw = r#"{ "a": {"b c": [1, "x\"y", {"d": null, "e": true}]}, "f":-1.5e3 }"#;
        let expected = [("a.b c[0]", "1"), ("a.b c[1]", "x\"y"), ("a.b c[2].e", "true"), ("f", "-1.5e3")];
        assert_eq!(shown(raw, &[]), pairs(&expected));
    }

    #[test]
    fn broken_json_gives_what_stands_before_the_break() {
        assert_eq!(shown(r#"{"a":1,"b":"no end"#, &[]), pairs(&[("a", "1")]));
        assert_eq!(shown(r#"{"a":1,,}"#, &[]), pairs(&[("a", "1")]));
        let deep = "{\"a\":".repeat(100_000);
        assert_eq!(shown(&deep, &[]).len(), 1, "the record as a whole");
    }

    #[test]
    fn tables_and_text() {
        assert_eq!(shown("1.5\tC1\tx", &["ts", "uid"]), pairs(&[("ts", "1.5"), ("uid", "C1"), ("column 3", "x")]));
        assert_eq!(shown("a line", &[]), pairs(&[("record", "a line")]));
    }
}
