//! Text rows of an endpoint sensor: each line that is not empty becomes one event, one skip or one malformation.

use super::records::{Place, Said, Told};
use crate::{Format, Head, Input, Item, LINE_CAP, Line, Lines, Malformed, Records, Refusal, texts::Texts};
use monologue_model::{Event, Provenance, Sha256, SightSet};
use std::{collections::VecDeque, io::BufRead, sync::Arc};

/// What a reader of rows remembers from row to row, and how it understands one.
pub(crate) trait RowSensor {
    /// What a line says.
    ///
    /// # Errors
    /// What was expected in it.
    fn line(&mut self, line: &str, place: &Place, texts: &mut Texts) -> Result<Said, String>;
}

/// A format of text rows.
pub(crate) struct RowFormat {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is and who writes it.
    pub(crate) about: &'static str,
    /// What it can show.
    pub(crate) sights: SightSet,
    /// What the first line that is not empty lacks to be of this format; `None` if it is.
    pub(crate) lacks: fn(&str) -> Option<String>,
    /// A reader's memory, given the name of the source.
    pub(crate) sensor: fn(&str) -> Box<dyn RowSensor>,
}

impl Format for RowFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn sights(&self) -> SightSet {
        self.sights
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let first = head.first_line().ok_or_else(|| Refusal("expected a line of text, found nothing".to_owned()))?;
        let line = std::str::from_utf8(first).map_err(|_| Refusal("the first line is not text".to_owned()))?;
        (self.lacks)(line).map_or(Ok(()), |lack| Err(Refusal(lack)))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            lines: Lines::new(input.reader),
            memory: Memory {
                sensor: (self.sensor)(&input.source),
                source: input.source,
                format: self.name.into(),
                texts: Texts::default(),
                ready: VecDeque::new(),
            },
            ended: false,
        })
    }
}

struct Reader<'a> {
    lines: Lines<Box<dyn BufRead + 'a>>,
    memory: Memory,
    ended: bool,
}

struct Memory {
    source: Arc<str>,
    format: Arc<str>,
    sensor: Box<dyn RowSensor>,
    texts: Texts,
    ready: VecDeque<Result<Item, Malformed>>,
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.memory.ready.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let offset = self.lines.offset();
            match self.lines.next_line() {
                Ok(Some(line)) if line.bytes.trim_ascii().is_empty() => {}
                Ok(Some(line)) => self.memory.line(&line),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    let expected = format!("expected more bytes: {error}");
                    return Some(Err(Malformed { offset, length: 0, expected }));
                }
            }
        }
    }
}

impl Memory {
    fn line(&mut self, line: &Line<'_>) {
        let sha256 = Sha256::of(line.bytes);
        let said = if line.cut {
            Err(format!("expected a line of at most {LINE_CAP} bytes"))
        } else {
            self.sensor.line(&String::from_utf8_lossy(line.bytes), &Place { sha256 }, &mut self.texts)
        };
        match said {
            Err(expected) => {
                self.ready.push_back(Err(Malformed { offset: line.offset, length: line.length, expected }));
            }
            Ok(Said::Skipped(reason)) => self.ready.push_back(Ok(Item::Skipped(reason))),
            Ok(Said::Events(events)) if events.is_empty() => {
                self.ready.push_back(Ok(Item::Skipped("says nothing of use")));
            }
            Ok(Said::Events(events)) => {
                for (at, Told { time, host, detail }) in events.into_iter().enumerate() {
                    let (source, format) = (Arc::clone(&self.source), Arc::clone(&self.format));
                    let provenance = Provenance { source, offset: line.offset, length: line.length, sha256 };
                    let event = Box::new(Event { time, host, format, provenance, detail });
                    self.ready.push_back(Ok(if at == 0 { Item::Event(event) } else { Item::Derived(event) }));
                }
            }
        }
    }
}

/// The fields of one line of comma-separated values (RFC 4180). `None` if a quote is left open.
pub(crate) fn comma_separated(line: &str) -> Option<Vec<String>> {
    let open = line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    (!open).then(|| record.iter().map(|field| field.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_commas_together() {
        let fields = comma_separated(r#"2026-11-24,"a, ""b""",,443"#).unwrap();
        assert_eq!(fields, ["2026-11-24", "a, \"b\"", "", "443"]);
        assert_eq!(comma_separated("a,\"b"), None);
    }
}
