//! Cuts a STIX file into the raw bytes of its objects while it streams by, without holding more than one of them.

use std::io::{self, BufRead};

/// Bytes of one object that are kept; ATT&CK's largest are well below one MiB.
pub(crate) const OBJECT_CAP: usize = 16 << 20;

/// Bytes of a value beside the objects (`id`, `spec_version`, a note) that are kept.
const FIELD_CAP: usize = 64 << 10;

/// Levels of nesting after which the rest of a file is not read.
const NESTING_CAP: usize = 4096;

/// One object as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawObject {
    /// Where its first byte stands, in the decompressed file.
    pub(crate) offset: u64,
    /// Its bytes; cut to [`OBJECT_CAP`] where `length` is larger.
    pub(crate) bytes: Vec<u8>,
    /// How long it is.
    pub(crate) length: u64,
}

/// What stands around the objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wrapper {
    /// The `type` of the outermost object. `None` where it is a list, or has none.
    pub(crate) kind: Option<String>,
    /// The `spec_version` of a STIX 2.0 bundle.
    pub(crate) spec_version: Option<String>,
}

/// Why a file could not be read on.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) offset: u64,
    /// What was expected there.
    pub(crate) expected: String,
}

enum Stage {
    Start,
    /// Between the members of the outermost object.
    Members,
    /// Between the elements of the list of objects.
    Elements {
        bundle: bool,
    },
    End,
}

/// Reads one file.
pub(crate) struct Scanner<R> {
    reader: R,
    offset: u64,
    stage: Stage,
    /// All bytes of the outermost object, as long as it may be a single STIX object.
    whole: Option<RawObject>,
    bundle_seen: bool,
    wrapper: Wrapper,
}

impl<R: BufRead> Scanner<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, offset: 0, stage: Stage::Start, whole: None, bundle_seen: false, wrapper: Wrapper::default() }
    }

    /// What stood around the objects that were read so far.
    pub(crate) const fn wrapper(&self) -> &Wrapper {
        &self.wrapper
    }

    /// The reader, to take what was left unread.
    pub(crate) fn into_reader(self) -> R {
        self.reader
    }

    /// The next object, or why reading stops here. After a fault there is nothing more.
    pub(crate) fn next_object(&mut self) -> Option<Result<RawObject, Fault>> {
        match self.step() {
            Ok(object) => object.map(Ok),
            Err(fault) => {
                self.stage = Stage::End;
                Some(Err(fault))
            }
        }
    }

    fn step(&mut self) -> Result<Option<RawObject>, Fault> {
        loop {
            match self.stage {
                Stage::Start => self.start()?,
                Stage::Members => {
                    if let Some(single) = self.member()? {
                        return Ok(Some(single));
                    }
                }
                Stage::Elements { bundle } => {
                    if let Some(object) = self.element(bundle)? {
                        return Ok(Some(object));
                    }
                }
                Stage::End => return Ok(None),
            }
        }
    }

    fn start(&mut self) -> Result<(), Fault> {
        // A byte-order mark is no JSON, yet some editors write one.
        for byte in [0xef, 0xbb, 0xbf] {
            if self.peek()? == Some(byte) {
                self.bump();
            }
        }
        match self.peek_solid()? {
            Some(b'{') => {
                self.whole = Some(RawObject { offset: self.offset, bytes: Vec::new(), length: 0 });
                self.bump();
                self.stage = Stage::Members;
                Ok(())
            }
            Some(b'[') => {
                self.bump();
                self.stage = Stage::Elements { bundle: false };
                Ok(())
            }
            Some(_) => Err(self.fault("expected JSON: an object or a list of objects")),
            None => Err(self.fault("expected JSON, found an empty file")),
        }
    }

    /// One member of the outermost object. Gives the object itself when it ends and held no list of objects.
    fn member(&mut self) -> Result<Option<RawObject>, Fault> {
        match self.peek_solid()? {
            Some(b'}') => {
                self.bump();
                let single = self.whole.take().filter(|_| !self.bundle_seen);
                self.expect_end()?;
                return Ok(single);
            }
            Some(b',') => {
                self.bump();
                return Ok(None);
            }
            Some(b'"') => {}
            Some(_) => return Err(self.fault("expected a name in double quotes, a comma or `}`")),
            None => return Err(self.fault("expected `}`, found the end of the file")),
        }
        let mut name = Vec::new();
        self.value(&mut name, FIELD_CAP)?;
        if self.peek_solid()? != Some(b':') {
            return Err(self.fault("expected `:` after a name"));
        }
        self.bump();
        let first = self.peek_solid()?;
        if name == b"\"objects\"" && first == Some(b'[') {
            self.bump();
            self.whole = None;
            self.bundle_seen = true;
            self.stage = Stage::Elements { bundle: true };
            return Ok(None);
        }
        let mut value = Vec::new();
        self.value(&mut value, FIELD_CAP)?;
        let text = || serde_json::from_slice::<String>(&value).ok();
        match name.as_slice() {
            b"\"type\"" => self.wrapper.kind = text(),
            b"\"spec_version\"" => self.wrapper.spec_version = text(),
            _ => {}
        }
        Ok(None)
    }

    fn element(&mut self, bundle: bool) -> Result<Option<RawObject>, Fault> {
        match self.peek_solid()? {
            Some(b']') => {
                self.bump();
                if bundle {
                    self.stage = Stage::Members;
                } else {
                    self.expect_end()?;
                }
                Ok(None)
            }
            Some(b',') => {
                self.bump();
                Ok(None)
            }
            Some(_) => {
                let mut object = RawObject { offset: self.offset, bytes: Vec::new(), length: 0 };
                self.value(&mut object.bytes, OBJECT_CAP)?;
                object.length = self.offset - object.offset;
                Ok(Some(object))
            }
            None => Err(self.fault("expected `]`, found the end of the file")),
        }
    }

    fn expect_end(&mut self) -> Result<(), Fault> {
        self.stage = Stage::End;
        match self.peek_solid()? {
            None => Ok(()),
            Some(_) => Err(self.fault("expected the end of the file")),
        }
    }

    /// Passes over one JSON value and keeps its first `cap` bytes.
    fn value(&mut self, keep: &mut Vec<u8>, cap: usize) -> Result<(), Fault> {
        let mut walk = Walk::default();
        let start = self.offset;
        loop {
            let chunk = self.reader.fill_buf().map_err(|error| unreadable(self.offset, &error))?;
            if chunk.is_empty() {
                return if walk.scalar {
                    Ok(())
                } else {
                    Err(self.fault(&format!(
                        "expected the end of the value that begins at {start}, found the end of the file"
                    )))
                };
            }
            let step = walk.feed(chunk);
            let used = chunk.get(..step.used).unwrap_or(chunk);
            let room = cap.saturating_sub(keep.len());
            keep.extend_from_slice(used.get(..room).unwrap_or(used));
            if let Some(whole) = &mut self.whole {
                let room = OBJECT_CAP.saturating_sub(whole.bytes.len());
                whole.bytes.extend_from_slice(used.get(..room).unwrap_or(used));
                whole.length += used.len() as u64;
            }
            let length = used.len();
            self.reader.consume(length);
            self.offset += length as u64;
            match step.end {
                End::Goes => {}
                End::Done => return Ok(()),
                End::Wrong(expected) => return Err(self.fault(expected)),
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Fault> {
        let offset = self.offset;
        self.reader.fill_buf().map(|chunk| chunk.first().copied()).map_err(|error| unreadable(offset, &error))
    }

    /// The next byte that is no white space.
    fn peek_solid(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.bump(),
                other => return Ok(other),
            }
        }
    }

    /// Takes the byte that was peeked at.
    fn bump(&mut self) {
        if let (Some(whole), Ok(chunk)) = (&mut self.whole, self.reader.fill_buf()) {
            whole.length += 1;
            if whole.bytes.len() < OBJECT_CAP {
                whole.bytes.extend(chunk.first());
            }
        }
        self.reader.consume(1);
        self.offset += 1;
    }

    fn fault(&self, expected: &str) -> Fault {
        Fault { offset: self.offset, expected: expected.to_owned() }
    }
}

fn unreadable(offset: u64, error: &io::Error) -> Fault {
    Fault { offset, expected: format!("expected readable bytes: {error}") }
}

/// Finds the end of one value. It checks quotes and brackets only; what stands between is the parser's.
#[derive(Default)]
struct Walk {
    /// Closing brackets that are still to come.
    open: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// A number, `true`, `false` or `null`: it ends before the next comma, bracket or white space.
    scalar: bool,
}

struct Step {
    used: usize,
    end: End,
}

enum End {
    Goes,
    Done,
    Wrong(&'static str),
}

impl Walk {
    fn feed(&mut self, chunk: &[u8]) -> Step {
        let mut at = 0;
        while let Some(byte) = chunk.get(at).copied() {
            if self.in_string {
                match self.in_text(chunk, at) {
                    Some(next) => at = next,
                    None => return Step { used: chunk.len(), end: End::Goes },
                }
                if !self.in_string && self.open.is_empty() {
                    return Step { used: at, end: End::Done };
                }
                continue;
            }
            let end = self.structural(byte);
            match end {
                // The bracket or comma after a scalar belongs to what is around it.
                End::Done if self.scalar => return Step { used: at, end: End::Done },
                End::Done => return Step { used: at + 1, end: End::Done },
                End::Wrong(expected) => return Step { used: at, end: End::Wrong(expected) },
                End::Goes => at += 1,
            }
        }
        Step { used: chunk.len(), end: End::Goes }
    }

    /// The place after the closing quote, or after what was passed of an escape. `None` where the chunk ends first.
    fn in_text(&mut self, chunk: &[u8], at: usize) -> Option<usize> {
        if self.escaped {
            self.escaped = false;
            return Some(at + 1);
        }
        let found = at + memchr::memchr2(b'"', b'\\', chunk.get(at..)?)?;
        if chunk.get(found) == Some(&b'"') {
            self.in_string = false;
        } else {
            self.escaped = true;
        }
        Some(found + 1)
    }

    fn structural(&mut self, byte: u8) -> End {
        match byte {
            b'"' if self.scalar => End::Wrong("expected a comma or a closing bracket after a value"),
            b'"' => {
                self.in_string = true;
                End::Goes
            }
            b'{' | b'[' if self.scalar => End::Wrong("expected a comma or a closing bracket after a value"),
            b'{' | b'[' => {
                if self.open.len() >= NESTING_CAP {
                    return End::Wrong("expected at most 4096 levels of nesting");
                }
                self.open.push(if byte == b'{' { b'}' } else { b']' });
                End::Goes
            }
            b'}' | b']' if self.open.is_empty() => {
                if self.scalar {
                    End::Done
                } else {
                    End::Wrong("expected a value")
                }
            }
            b'}' | b']' => {
                if self.open.pop() != Some(byte) {
                    return End::Wrong("expected the other closing bracket");
                }
                if self.open.is_empty() { End::Done } else { End::Goes }
            }
            b',' | b' ' | b'\t' | b'\n' | b'\r' if self.open.is_empty() && self.scalar => End::Done,
            b',' if self.open.is_empty() => End::Wrong("expected a value"),
            _ => {
                self.scalar = self.open.is_empty();
                End::Goes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Reads with a buffer of `size` bytes, so that every place is once a boundary.
    fn read(text: &str, size: usize) -> (Vec<String>, Option<String>) {
        let mut scanner = Scanner::new(BufReader::with_capacity(size, text.as_bytes()));
        let mut objects = Vec::new();
        while let Some(next) = scanner.next_object() {
            match next {
                Ok(object) => {
                    let place = usize::try_from(object.offset).unwrap();
                    let bytes = &text.as_bytes()[place..place + usize::try_from(object.length).unwrap()];
                    assert_eq!(object.bytes, bytes, "the bytes are those at the place");
                    objects.push(String::from_utf8(object.bytes).unwrap());
                }
                Err(fault) => return (objects, Some(fault.expected)),
            }
        }
        (objects, None)
    }

    #[test]
    fn objects_are_cut_out_exactly_wherever_the_buffer_ends() {
        let text = r#"{"type":"bundle","id":"b", "objects" : [ {"a":"}\"]\\","b":[1,{"c":null}]} ,
            {"x": "é"}, 7 ], "spec_version": "2.0"}"#;
        let expected = [r#"{"a":"}\"]\\","b":[1,{"c":null}]}"#, r#"{"x": "é"}"#, "7"];
        for size in 1..60 {
            assert_eq!(read(text, size), (expected.map(str::to_owned).to_vec(), None), "buffer of {size}");
        }
    }

    #[test]
    fn a_single_object_and_a_list_are_read_too() {
        let single = r#" {"type":"tool","n":{"objects":[1]},"k":1.5} "#;
        assert_eq!(read(single, 3).0, [single.trim()]);
        assert_eq!(read(r#"[{"a":1},{"b":2}]"#, 4).0, [r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(read("\u{feff}[]", 1), (vec![], None));
    }

    #[test]
    fn what_stands_around_is_known_wherever_it_stands() {
        let text = r#"{"objects":[{"a":1}],"spec_version":"2.0","type":"bundle"}"#;
        let mut scanner = Scanner::new(text.as_bytes());
        while scanner.next_object().is_some() {}
        assert_eq!(scanner.wrapper().kind.as_deref(), Some("bundle"));
        assert_eq!(scanner.wrapper().spec_version.as_deref(), Some("2.0"));
    }

    #[test]
    fn a_cut_file_gives_what_was_whole() {
        let text = r#"{"type":"bundle","objects":[{"a":1},{"b":"#;
        let (objects, fault) = read(text, 5);
        assert_eq!(objects, [r#"{"a":1}"#]);
        assert!(fault.unwrap().contains("found the end of the file"));
    }

    #[test]
    fn wrong_brackets_deep_nesting_and_other_languages_stop_reading() {
        for (text, words) in [
            (r#"{"objects":[{"a":[1}]}"#, "other closing bracket"),
            ("hello", "expected JSON"),
            ("", "empty file"),
            (r#"{"a":1} x"#, "the end of the file"),
            (r#"{"a" 1}"#, "`:`"),
            (r#"[1"a"]"#, "comma"),
            (r#"{"a":}"#, "a value"),
        ] {
            let fault = read(text, 2).1.unwrap_or_default();
            assert!(fault.contains(words), "{text}: {fault}");
        }
        let deep = format!("[{}", "[".repeat(NESTING_CAP + 1));
        assert!(read(&deep, 64).1.unwrap().contains("nesting"));
    }

    #[test]
    fn an_object_beyond_the_cap_is_cut_and_its_length_known() {
        let text = format!(r#"[{{"a":"{}"}},{{"b":1}}]"#, "x".repeat(OBJECT_CAP));
        let mut scanner = Scanner::new(text.as_bytes());
        let large = scanner.next_object().unwrap().unwrap();
        assert_eq!((large.bytes.len(), large.length), (OBJECT_CAP, OBJECT_CAP as u64 + 8));
        assert_eq!(scanner.next_object().unwrap().unwrap().bytes, br#"{"b":1}"#);
    }
}
