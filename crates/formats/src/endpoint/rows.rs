//! Text rows of an endpoint sensor: each line that is not empty becomes one event, one skip or one malformation.

use super::{
    ready::Ready,
    records::{Place, Said},
};
use crate::{
    Format, Head, Input, Item, LINE_CAP, Line, Lines, Malformed, Records, Refusal, mapped::columns, texts::Texts,
};
use monologue_model::{Sha256, SightSet};
use std::io::BufRead;

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
    /// A reader's memory, given the input that it will read.
    pub(crate) sensor: fn(&Input<'_>) -> Box<dyn RowSensor>,
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
            sensor: (self.sensor)(&input),
            lines: Lines::new(input.reader),
            texts: Texts::default(),
            ready: Ready::new(input.source, self.name),
            ended: false,
        })
    }
}

struct Reader<'a> {
    lines: Lines<Box<dyn BufRead + 'a>>,
    sensor: Box<dyn RowSensor>,
    texts: Texts,
    ready: Ready,
    ended: bool,
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.next() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let offset = self.lines.offset();
            match self.lines.next_line() {
                Ok(Some(line)) if line.bytes.trim_ascii().is_empty() => {}
                Ok(Some(line)) => {
                    let said = understand(&line, self.sensor.as_mut(), &mut self.texts);
                    self.ready.tell(line.offset, line.length, said);
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    self.ready.tell(offset, 0, Err(format!("expected more bytes: {error}")));
                }
            }
        }
    }
}

/// What a line says, and the hash of its bytes.
fn understand(line: &Line<'_>, sensor: &mut dyn RowSensor, texts: &mut Texts) -> Result<(Said, Sha256), String> {
    if line.cut {
        return Err(format!("expected a line of at most {LINE_CAP} bytes"));
    }
    let sha256 = Sha256::of(line.bytes);
    let said = sensor.line(&String::from_utf8_lossy(line.bytes), &Place { sha256 }, texts)?;
    Ok((said, sha256))
}

/// The fields of one line of comma-separated values (RFC 4180). `None` if a quote is left open.
pub(crate) fn comma_separated(line: &str) -> Option<Vec<String>> {
    let open = line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
    (!open).then(|| columns(line, ',').iter().map(|field| field.trim().to_owned()).collect())
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
