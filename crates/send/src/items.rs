//! Items: lines read one by one, never more in memory than is allowed.

use crate::{Options, SendError, Target, delivery::Item};
use serde_json::Value;
use std::io::{self, BufRead, Write};

/// What the input holds next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// An item.
    Item(Item),
    /// A line longer than allowed: it has been written where too long ones go.
    TooLong,
    /// Something that the target does not take.
    Wrong(Item),
    /// Nothing more.
    End,
}

/// Reads items from lines.
pub(crate) struct Items<'a> {
    input: &'a mut dyn BufRead,
    target: Target,
    most: usize,
}

/// What one line is.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

impl<'a> Items<'a> {
    /// Items of this input.
    pub(crate) fn new(input: &'a mut dyn BufRead, options: &Options) -> Self {
        Self { input, target: options.target, most: options.item_bytes }
    }

    /// What a line of this target is, in words.
    pub(crate) const fn expected(target: Target) -> &'static str {
        match target {
            Target::SplunkHec => "a JSON object with `event` a line",
            Target::Elastic => "an action `create` or `index` and a document, a line each",
            Target::Webhook => "a JSON object a line",
            Target::Syslog => "lines of UTF-8 text",
        }
    }

    /// The next item; what is too long goes to `overflow` piece by piece.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub(crate) fn next(&mut self, overflow: &mut dyn Write) -> Result<Next, SendError> {
        let first = match self.line(&[], overflow)? {
            Line::End => return Ok(Next::End),
            Line::TooLong => return Ok(Next::TooLong),
            Line::Whole(line) => line,
        };
        if self.target != Target::Elastic {
            return Ok(if self.is_right(&first) { Next::Item(first) } else { Next::Wrong(first) });
        }
        if !is_action(&first) {
            return Ok(Next::Wrong(first));
        }
        match self.line(&first, overflow)? {
            Line::End => Ok(Next::Wrong(first)),
            Line::TooLong => Ok(Next::TooLong),
            Line::Whole(document) => {
                let mut item = first;
                item.push(b'\n');
                item.extend_from_slice(&document);
                Ok(if is_object(&document) { Next::Item(item) } else { Next::Wrong(item) })
            }
        }
    }

    fn is_right(&self, line: &[u8]) -> bool {
        match self.target {
            Target::SplunkHec => {
                object(line).is_some_and(|object| object.get("event").is_some_and(|event| !event.is_null()))
            }
            Target::Webhook => is_object(line),
            Target::Syslog | Target::Elastic => std::str::from_utf8(line).is_ok(),
        }
    }

    /// One line without its end; empty ones are passed over. `before` stands before a line that is too long.
    fn line(&mut self, before: &[u8], overflow: &mut dyn Write) -> Result<Line, SendError> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let piece = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece.map_err(SendError::Read)?,
            };
            if piece.is_empty() {
                if too_long {
                    overflow.write_all(b"\n").map_err(SendError::Read)?;
                    return Ok(Line::TooLong);
                }
                return Ok(if line.is_empty() { Line::End } else { Line::Whole(line) });
            }
            let end = piece.iter().position(|byte| *byte == b'\n');
            let part = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
            let used = end.map_or(piece.len(), |end| end + 1);
            if !too_long && line.len() + part.len() > self.most {
                too_long = true;
                if !before.is_empty() {
                    overflow.write_all(before).and_then(|()| overflow.write_all(b"\n")).map_err(SendError::Read)?;
                }
                overflow.write_all(&line).map_err(SendError::Read)?;
                line = Vec::new();
            }
            if too_long {
                overflow.write_all(part).map_err(SendError::Read)?;
            } else {
                line.extend_from_slice(part);
            }
            self.input.consume(used);
            if end.is_none() {
                continue;
            }
            if too_long {
                overflow.write_all(b"\n").map_err(SendError::Read)?;
                return Ok(Line::TooLong);
            }
            if line.ends_with(b"\r") {
                line.pop();
            }
            if !line.is_empty() {
                return Ok(Line::Whole(line));
            }
        }
    }
}

fn object(line: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

fn is_object(line: &[u8]) -> bool {
    object(line).is_some()
}

fn is_action(line: &[u8]) -> bool {
    object(line)
        .is_some_and(|object| object.len() == 1 && (object.contains_key("create") || object.contains_key("index")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// All that an input holds, read through a buffer of a few bytes, and what overflowed.
    fn read(target: Target, text: &str, most: usize) -> (Vec<Next>, String) {
        let mut options = Options::new(target, "", "dead".into());
        options.item_bytes = most;
        let mut input = BufReader::with_capacity(3, text.as_bytes());
        let mut items = Items::new(&mut input, &options);
        let mut overflow = Vec::new();
        let mut all = Vec::new();
        loop {
            match items.next(&mut overflow).unwrap() {
                Next::End => return (all, String::from_utf8(overflow).unwrap()),
                next => all.push(next),
            }
        }
    }

    fn item(text: &str) -> Next {
        Next::Item(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_items_and_long_ones_overflow_whole() {
        let (all, overflow) = read(Target::Syslog, "one\r\n\nnumber two\nthree", 5);
        assert_eq!(all, [item("one"), Next::TooLong, item("three")]);
        assert_eq!(overflow, "number two\n");
    }

    #[test]
    fn bulk_items_are_pairs() {
        let (all, overflow) = read(
            Target::Elastic,
            "{\"create\":{}}\n{\"a\":1}\n{\"index\":{}}\n{\"long\":12345678}\n{\"a\":2}\n{\"create\":{}}",
            14,
        );
        assert_eq!(all[0], item("{\"create\":{}}\n{\"a\":1}"));
        assert_eq!(all[1], Next::TooLong);
        assert_eq!(overflow, "{\"index\":{}}\n{\"long\":12345678}\n", "with its action");
        assert_eq!(all[2..], [Next::Wrong(b"{\"a\":2}".to_vec()), Next::Wrong(b"{\"create\":{}}".to_vec())]);
    }

    #[test]
    fn each_target_knows_its_lines() {
        let (all, _) = read(Target::SplunkHec, "{\"event\":1}\n{\"event\":null}\n[]\n", 100);
        assert_eq!((&all[0], all.len()), (&item("{\"event\":1}"), 3));
        assert!(all[1..].iter().all(|next| matches!(next, Next::Wrong(_))));
    }
}
