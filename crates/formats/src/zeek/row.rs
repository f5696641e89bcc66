//! Rows: one record by field names, whatever it is written in.

use monologue_model::Timestamp;
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::HashMap,
    net::IpAddr,
    net::SocketAddr,
    ops::Range,
};

/// The header of a TSV log: separators, texts for "empty" and "unset", and the columns.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) separator: u8,
    pub(super) set_separator: u8,
    pub(super) empty: Vec<u8>,
    pub(super) unset: Vec<u8>,
    /// Names in their order. They are few: to look through them is faster than to hash a name.
    columns: Vec<String>,
    pub(super) width: usize,
    /// Where the columns were found that the last row was asked for, in the order of asking: the next is asked the same.
    found: RefCell<Vec<Found>>,
}

/// Where a column was found. Names are literals, so their address tells them apart.
#[derive(Clone, Copy, Debug)]
struct Found {
    name: &'static str,
    at: Option<usize>,
}

impl Default for Header {
    fn default() -> Self {
        Self {
            separator: b'\t',
            set_separator: b',',
            empty: b"(empty)".to_vec(),
            unset: b"-".to_vec(),
            columns: Vec::new(),
            width: 0,
            found: RefCell::default(),
        }
    }
}

impl Header {
    /// Takes the `#fields` line.
    pub(super) fn set_columns(&mut self, names: &[u8]) {
        self.columns.clear();
        self.found.get_mut().clear();
        for name in names.split(|byte| *byte == self.separator) {
            // Labelled sets glue their own columns to the last one with spaces.
            let name = String::from_utf8_lossy(name.split(|byte| *byte == b' ').next().unwrap_or(name)).into_owned();
            self.columns.push(name);
        }
        self.width = self.columns.len();
    }

    /// The place of a column, of which a row is asked as the `step`-th.
    fn place(&self, name: &'static str, step: usize) -> Option<usize> {
        let mut found = self.found.borrow_mut();
        if let Some(known) = found.get(step).filter(|known| std::ptr::eq(known.name, name)) {
            return known.at;
        }
        let new = Found { name, at: self.columns.iter().position(|column| column == name) };
        if let Some(known) = found.get_mut(step) {
            *known = new;
        } else if step == found.len() {
            found.push(new);
        }
        new.at
    }
}

/// One record.
pub(super) trait Row {
    /// A field as text, escapes undone. `None`: no such field, unset or empty.
    fn text(&self, name: &'static str) -> Option<Cow<'_, str>>;
    /// The members of a set or vector.
    fn list(&self, name: &'static str) -> Vec<Cow<'_, str>>;
}

/// A record of a TSV log.
pub(super) struct TsvRow<'a> {
    header: &'a Header,
    line: &'a [u8],
    /// The line as text, where it is text and nothing in it is escaped: then its fields stand there as they are.
    plain: Option<&'a str>,
    /// Where each field ends.
    ends: &'a [usize],
    /// How many columns it was asked for.
    asked: Cell<usize>,
}

impl<'a> TsvRow<'a> {
    /// Splits a line; `ends` lends the memory for it.
    ///
    /// # Errors
    /// When it has fewer fields than the header has columns.
    pub(super) fn parse(header: &'a Header, line: &'a [u8], ends: &'a mut Vec<usize>) -> Result<Self, String> {
        ends.clear();
        // Fields are short: to look at each byte is faster than to search for each separator.
        let separators = line.iter().enumerate().filter(|(_, byte)| **byte == header.separator);
        ends.extend(separators.map(|(at, _)| at));
        ends.push(line.len());
        if header.width == 0 {
            return Err("expected a #fields line before the first record".to_owned());
        }
        if ends.len() < header.width {
            return Err(format!("expected {} fields, found {}", header.width, ends.len()));
        }
        let plain = std::str::from_utf8(line).ok().filter(|_| memchr::memchr(b'\\', line).is_none());
        Ok(Self { header, line, plain, ends, asked: Cell::new(0) })
    }

    /// Where a field stands in the line. `None`: no such field, unset or empty.
    fn range(&self, name: &'static str) -> Option<Range<usize>> {
        let step = self.asked.replace(self.asked.get() + 1);
        let at = self.header.place(name, step)?;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        let range = start..*self.ends.get(at)?;
        let field = self.line.get(range.clone())?;
        let is_none = field.is_empty() || same(field, &self.header.unset) || same(field, &self.header.empty);
        (!is_none).then_some(range)
    }
}

/// Whether two short texts are the same. Most differ in their length or first byte, which costs no call.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.first() == other.first() && one == other
}

impl Row for TsvRow<'_> {
    fn text(&self, name: &'static str) -> Option<Cow<'_, str>> {
        let range = self.range(name)?;
        match self.plain {
            Some(plain) => plain.get(range).map(Cow::Borrowed),
            None => self.line.get(range).map(unescape),
        }
    }

    fn list(&self, name: &'static str) -> Vec<Cow<'_, str>> {
        let raw = self.range(name).and_then(|range| self.line.get(range)).unwrap_or_default();
        raw.split(|byte| *byte == self.header.set_separator)
            .filter(|part| !part.is_empty() && *part != self.header.unset)
            .map(unescape)
            .collect()
    }
}

/// Undoes `\xNN`, as Zeek writes bytes that are not printable or are its separators.
fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, tail)) = rest.split_first() {
        let escaped = match tail {
            [b'x', high, low, ..] if *first == b'\\' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A record of a JSON log.
pub(super) struct JsonRow<'a> {
    members: HashMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> JsonRow<'a> {
    /// Reads one object.
    ///
    /// # Errors
    /// When the line is no JSON object.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|error| format!("expected UTF-8, {error}"))?;
        let members: HashMap<Cow<'a, str>, &'a RawValue> =
            serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))?;
        Ok(Self { members })
    }

    fn raw(&self, name: &'static str) -> Option<&'a str> {
        // Three dialects: `id.orig_h`, `id_orig_h`, and members of their own for each.
        let value = self.members.get(name).or_else(|| self.members.get(underscored(name)?.as_str()))?.get();
        (value != "null").then_some(value)
    }

    pub(super) fn has(&self, name: &'static str) -> bool {
        self.raw(name).is_some()
    }
}

/// `id_orig_h` for `id.orig_h`. `None` for a name without dots.
fn underscored(name: &'static str) -> Option<String> {
    name.contains('.').then(|| name.replace('.', "_"))
}

impl Row for JsonRow<'_> {
    fn text(&self, name: &'static str) -> Option<Cow<'_, str>> {
        let raw = self.raw(name)?;
        let text = match raw.as_bytes().first()? {
            b'"' => Cow::Owned(serde_json::from_str::<String>(raw).ok()?),
            b't' => Cow::Borrowed("T"),
            b'f' => Cow::Borrowed("F"),
            b'[' | b'{' => return None,
            _ => Cow::Borrowed(raw),
        };
        (!text.is_empty() && text != "-" && text != "(empty)").then_some(text)
    }

    fn list(&self, name: &'static str) -> Vec<Cow<'_, str>> {
        let Some(raw) = self.raw(name) else { return Vec::new() };
        match serde_json::from_str::<Vec<String>>(raw) {
            Ok(list) => list.into_iter().map(Cow::Owned).collect(),
            Err(_) => self
                .text(name)
                .map(|text| text.split(',').map(|part| Cow::Owned(part.to_owned())).collect())
                .unwrap_or_default(),
        }
    }
}

/// What is wrong with a record: what was expected in which field.
type Wrong = String;

/// Shared reading of typed fields. `Ok(None)`: the field is not there.
pub(super) struct Fields<'r, R>(pub(super) &'r R);

impl<R: Row> Fields<'_, R> {
    pub(super) fn time(&self, name: &'static str) -> Result<Timestamp, Wrong> {
        let text = self.0.text(name).ok_or_else(|| format!("expected a time in field `{name}`"))?;
        let parsed = if text.get(1..).is_some_and(|rest| rest.contains(['T', '-'])) {
            Timestamp::parse(&text)
        } else {
            Timestamp::parse_epoch_seconds(&text)
        };
        parsed.map_err(|error| format!("in field `{name}`: {error}"))
    }

    pub(super) fn count(&self, name: &'static str) -> Result<Option<u64>, Wrong> {
        self.number(name, "a count of 0 or more")
    }

    pub(super) fn port_number(&self, name: &'static str) -> Result<Option<u16>, Wrong> {
        self.number(name, "a port from 0 to 65535")
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str, what: &str) -> Result<Option<T>, Wrong> {
        self.0
            .text(name)
            .map(|text| {
                text.parse().map_err(|_| format!("expected {what} in field `{name}`, found {:?}", short(&text)))
            })
            .transpose()
    }

    /// Decimal seconds as nanoseconds.
    pub(super) fn seconds(&self, name: &'static str) -> Result<Option<i64>, Wrong> {
        self.0
            .text(name)
            .map(|text| {
                Timestamp::parse_epoch_seconds(&text)
                    .map(Timestamp::nanoseconds)
                    .map_err(|_| format!("expected seconds in field `{name}`, found {:?}", short(&text)))
            })
            .transpose()
    }

    pub(super) fn flag(&self, name: &'static str) -> Option<bool> {
        match self.0.text(name).as_deref() {
            Some("T" | "true") => Some(true),
            Some("F" | "false") => Some(false),
            _ => None,
        }
    }

    /// Address and port of who began it.
    pub(super) fn originator(&self) -> Result<SocketAddr, Wrong> {
        self.endpoint("id.orig_h", "id.orig_p")
    }

    /// Address and port of the other side.
    pub(super) fn responder(&self) -> Result<SocketAddr, Wrong> {
        self.endpoint("id.resp_h", "id.resp_p")
    }

    fn endpoint(&self, address: &'static str, port: &'static str) -> Result<SocketAddr, Wrong> {
        let text = self.0.text(address).ok_or_else(|| format!("expected an address in field `{address}`"))?;
        let ip: IpAddr =
            text.parse().map_err(|_| format!("expected an address in field `{address}`, found {:?}", short(&text)))?;
        let port = self.port_number(port)?.ok_or_else(|| format!("expected a port in field `{port}`"))?;
        Ok(SocketAddr::new(ip, port))
    }
}

/// The beginning of a text, for messages.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
