//! The text that `log show` and `log stream` print for people: styles default, syslog and compact.
//!
//! A record begins with its date and goes on over lines that do not. The styles name the process and the sender without
//! their folders, and no boot session but in the line that announces one.

mod line;

use self::line::{Line, parse};
use super::{
    account::Account,
    elements::Element,
    preface,
    records::{Kind, Record, Sender, Shape, Text},
};
use crate::{Format, Head, Input, Item, LINE_CAP, Lines, Malformed, Records, Refusal, Zone};
use monologue_model::{SightSet, Timestamp};
use std::io::BufRead;

/// Exports of Apple's `log` tool as text.
///
/// Layout: manual page `log(1)`, section on styles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnifiedLogText;

impl Format for UnifiedLogText {
    fn name(&self) -> &'static str {
        Shape::Text.format()
    }

    fn about(&self) -> &'static str {
        "macOS unified log as text, printed by `log show` or `log stream` with --style default, syslog or compact"
    }

    fn sights(&self) -> SightSet {
        super::SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let text = String::from_utf8_lossy(head.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head.bytes));
        // The tool may complain before it begins.
        let mut lines = text.lines().filter(|line| !line.trim().is_empty()).take(5);
        if lines.any(|line| is_heading(line) || parse(line).is_some()) {
            return Ok(());
        }
        Err(Refusal(
            "expected the headings or a record of `log show` as text, such as \"Timestamp  Thread  Type\"".into(),
        ))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            lines: Lines::new(input.reader),
            account: Account::new(input.source, Shape::Text),
            zone: input.zone,
            open: None,
            boot: String::new(),
            finished: false,
        })
    }
}

/// Whether a line names the columns of what follows.
fn is_heading(line: &str) -> bool {
    line.strip_prefix("Timestamp ").map(str::trim_start).is_some_and(|columns| {
        ["Thread ", "Ty Process[", "(process)["].iter().any(|beginning| columns.starts_with(beginning))
    })
}

/// Whether a line belongs to the count of records by kind that `log show` ends with.
fn is_count(line: &str) -> bool {
    let rule = line.len() >= 40 && line.bytes().all(|byte| byte == b'-');
    rule || ["Log      - Default:", "Activity - Create:"].iter().any(|beginning| line.starts_with(beginning))
}

/// A record that may go on in the next line.
struct Open {
    offset: u64,
    /// Its lines with the ends between them, as they stand in the source.
    bytes: Vec<u8>,
    length: u64,
    terminated: bool,
}

struct Reader<R> {
    lines: Lines<R>,
    account: Account,
    zone: Zone,
    open: Option<Open>,
    /// The boot session announced last; empty if none was.
    boot: String,
    finished: bool,
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.account.queue.pop_front() {
                return Some(item);
            }
            if self.finished {
                return None;
            }
            if !self.advance() {
                self.close();
                self.account.finish();
                self.finished = true;
            }
        }
    }
}

impl<R: BufRead> Reader<R> {
    /// Takes one line. `false` at the end.
    fn advance(&mut self) -> bool {
        let offset = self.lines.offset();
        let line = match self.lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return false,
            Err(error) => {
                self.account.truncated = true;
                let expected = format!("expected more of the export, found {error}");
                self.account.queue.push_back(Err(Malformed { offset, length: 0, expected }));
                return false;
            }
        };
        let text = String::from_utf8_lossy(line.bytes);
        let apart = is_heading(&text) || is_count(&text) || preface::is_preface(line.bytes);
        let begins = apart || parse(&text).is_some();
        let new =
            Open { offset: line.offset, bytes: line.bytes.to_vec(), length: line.length, terminated: line.terminated };
        match &mut self.open {
            Some(open) if !begins => {
                let end = open.offset + open.length;
                // One byte of line end, or two.
                let between: &[u8] = if new.offset.saturating_sub(end) == 2 { b"\r\n" } else { b"\n" };
                open.length = new.offset + new.length - open.offset;
                open.terminated = new.terminated;
                if open.bytes.len() < LINE_CAP {
                    open.bytes.extend_from_slice(between);
                    open.bytes.extend_from_slice(&new.bytes);
                }
            }
            _ if apart => {
                self.close();
                self.apart(&new);
            }
            _ if !begins && new.bytes.trim_ascii().is_empty() => {}
            // A complaint of the tool, or the end of a record whose beginning is not there: nothing is claimed for that time.
            _ if !begins && self.account.span.is_none() => self.apart(&new),
            _ => {
                self.close();
                self.open = Some(new);
            }
        }
        true
    }

    /// A line that is no record: headings, the predicate, counts.
    fn apart(&mut self, line: &Open) {
        let element = Element {
            offset: line.offset,
            length: line.length,
            bytes: &line.bytes,
            unterminated: false,
            in_array: false,
        };
        if preface::is_preface(&line.bytes) {
            self.account.take(&element);
        } else {
            self.account.skip("stands before or after the records of an export");
        }
    }

    /// Reads the record that ended.
    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        // Blank lines at the end of an export belong to no record.
        let bytes = open.bytes.trim_ascii_end();
        let element = Element {
            offset: open.offset,
            length: open.length - (open.bytes.len() - bytes.len()) as u64,
            bytes,
            unterminated: !open.terminated,
            in_array: false,
        };
        if element.too_long() {
            return self.account.malformed(&element, format!("expected a record of at most {LINE_CAP} bytes"));
        }
        let text = String::from_utf8_lossy(bytes);
        let Some(line) = parse(&text) else {
            return self.account.malformed(&element, "expected a record that begins with date and time".to_owned());
        };
        let Some(time) = line.moment(&self.zone) else {
            return self.account.malformed(&element, "expected a date and time that exist".to_owned());
        };
        self.record(&element, &line, time);
    }

    fn record(&mut self, element: &Element<'_>, line: &Line<'_>, time: Timestamp) {
        if let Some(boot) = line.message.strip_prefix("=== system boot: ") {
            self.boot = boot.trim().to_owned();
        }
        let kind = match line.lost() {
            Some(records) => Kind::Loss(records),
            None if line.is_message => Kind::Message,
            None => Kind::Other,
        };
        let sender = match line.sender {
            Some(name) => Sender::of_name(name),
            None => Sender::new("", line.subsystem),
        };
        let record = Record {
            timestamp: Text::default(),
            kind,
            sender,
            sender_known: line.sender.is_some(),
            message: Text::from(line.message),
            // The name alone is no path.
            process_path: Text::default(),
            process_uuid: Text::default(),
            boot_uuid: Text::from(self.boot.as_str()),
            pid: line.pid,
            user_id: None,
        };
        self.account.record(element, &record, time);
    }
}
