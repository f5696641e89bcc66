//! `mapped`: formats that a TOML file describes. It says how records are taken apart, which field fills which place of an
//! event, in which unit and zone, what byte counts are worth, and which records are passed over.
//!
//! The files in `mappings/` are part of the program; users give their own with `--mapping`.

mod build;
mod mapping;
mod paths;
mod record;
mod shape;
mod shipped;
mod spec;
mod template;
mod texts;
mod view;

pub use mapping::MappingError;
pub(crate) use shipped::*;
pub(crate) use texts::columns;

use crate::{
    Format, Head, Input, Records, Refusal, Vantage,
    rows::{Row, RowReader, Rows},
    squid,
    zone::Zone,
};
use mapping::Mapping;
use monologue_model::SightSet;
use shape::{Header, Shape, Taken};
use std::sync::OnceLock;
use view::View;

/// Lines of the head that are looked at.
const LINES_LOOKED_AT: usize = 20;

/// A format described by a mapping.
pub(crate) struct Mapped {
    text: &'static str,
    /// Checked when first used, and kept for the life of the program.
    mapping: OnceLock<Result<&'static Mapping, MappingError>>,
}

/// The format that a user's own mapping describes. It lives as long as the program.
///
/// # Errors
/// What is wrong with the mapping, by line.
pub fn user_mapping(text: &str, source_name: &str) -> Result<&'static dyn Format, MappingError> {
    let mapping: &'static Mapping = Box::leak(Box::new(Mapping::parse(text, source_name)?));
    let cell = OnceLock::new();
    let _ = cell.set(Ok(mapping));
    Ok(Box::leak(Box::new(Mapped { text: "", mapping: cell })))
}

impl Mapped {
    const fn shipped(text: &'static str) -> Self {
        Self { text, mapping: OnceLock::new() }
    }

    fn mapping(&self) -> Result<&'static Mapping, &MappingError> {
        let parse = || Mapping::parse(self.text, "shipped mapping").map(|mapping| &*Box::leak(Box::new(mapping)));
        self.mapping.get_or_init(parse).as_ref().copied()
    }
}

impl Format for Mapped {
    fn name(&self) -> &'static str {
        self.mapping().map_or("mapped", |mapping| &mapping.name)
    }

    fn about(&self) -> &'static str {
        self.mapping().map_or("a mapping that cannot be read", |mapping| &mapping.about)
    }

    fn sights(&self) -> SightSet {
        self.mapping().map_or(SightSet::EMPTY, |mapping| mapping.sights)
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let mapping = self.mapping().map_err(|error| Refusal(error.to_string()))?;
        if matches!(mapping.shape, Shape::Squid(_)) {
            // Layouts of the user's own are not told from others: the user names their files.
            return Err(Refusal(format!("a layout of Squid is read when asked for: --format {}=GLOB", mapping.name)));
        }
        let mut header = Header::default();
        let mut reason = format!("expected records of {}, found none", mapping.name);
        let lines = head.lines().filter(|line| !line.trim_ascii().is_empty());
        for line in lines.take(LINES_LOOKED_AT) {
            let line = String::from_utf8_lossy(line);
            match mapping.shape.take(&line, &mut header) {
                Ok(Taken::Record(record)) => match refused(mapping, &record, &line) {
                    None => return Ok(()),
                    Some(missing) => reason = missing,
                },
                Ok(Taken::Nothing) => {}
                Ok(Taken::Other) => reason = "expected a line like one of the mapping's templates".to_owned(),
                Err(expected) => reason = expected,
            }
        }
        Err(Refusal(reason))
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        let mapping = match self.mapping() {
            Ok(mapping) => mapping,
            Err(error) => {
                let expected = error.to_string();
                return Box::new(std::iter::once(Err(crate::Malformed { offset: 0, length: 0, expected })));
            }
        };
        if let Shape::Squid(layout) = &mapping.shape {
            return squid::read_by(layout.clone(), input, &mapping.name, mapping.sights);
        }
        let beside = mapping.beside.iter().filter_map(|name| shipped::beside(name)?.mapping().ok());
        let mappings: Vec<&Mapping> = std::iter::once(mapping).chain(beside).collect();
        let kinds = mappings.clone().into_iter().map(|mapping| (mapping.name.as_str(), mapping.sights));
        let reader = Reader { mappings, kind: 0, header: Header::default(), zone: input.zone.clone() };
        Box::new(Rows::of_kinds(input, kinds, reader))
    }
}

/// Why a record is not one of the mapping's. `None`: it is.
fn refused(mapping: &Mapping, record: &record::Record<'_>, line: &str) -> Option<String> {
    let detect = &mapping.detect;
    if let Some(name) = detect.has.iter().find(|name| record.text(name).is_none() && record.list(name).is_empty()) {
        return Some(format!("expected a field {name:?} in the first records"));
    }
    let unlike = detect.r#where.iter().find(|(name, texts)| !texts.accept(record.text(name).as_deref()));
    if let Some((name, texts)) = unlike {
        return Some(format!("expected {} in field {name:?}", texts.all().join(" or ")));
    }
    let text = detect.text.as_ref().filter(|text| !line.contains(text.as_str()));
    text.map(|text| format!("expected the text {text:?} in the first lines"))
}

/// Reads the lines of one file.
struct Reader {
    /// That of the file, then those whose records may stand beside its own.
    mappings: Vec<&'static Mapping>,
    /// By which of them the last line was read.
    kind: usize,
    header: Header,
    zone: Zone,
}

impl Reader {
    /// The first of the mappings beside the file's own that takes a line for its own and does not pass it over.
    fn row_beside(&self, line: &str) -> Option<(usize, Result<Row, String>)> {
        self.mappings.iter().enumerate().skip(1).find_map(|(kind, mapping)| {
            let mut header = Header::default();
            let Ok(Taken::Record(record)) = mapping.shape.take(line, &mut header) else { return None };
            if refused(mapping, &record, line).is_some() {
                return None;
            }
            let view = View::new(mapping, &record, &self.zone);
            let skips = view.rules().iter().any(|rule| rule.skip.is_some());
            (!skips).then(|| (kind, build::row(&view)))
        })
    }
}

impl RowReader for Reader {
    fn row(&mut self, line: &[u8]) -> Result<Row, String> {
        self.kind = 0;
        let line = String::from_utf8_lossy(line);
        let Some(mapping) = self.mappings.first() else { return Ok(Row::Nothing) };
        let skipped = match mapping.shape.take(&line, &mut self.header)? {
            Taken::Nothing => return Ok(Row::Nothing),
            Taken::Other => return Ok(Row::Skipped("a line that is none of the mapping's templates")),
            Taken::Record(record) => {
                let view = View::new(mapping, &record, &self.zone);
                match view.rules().iter().find_map(|rule| rule.skip.as_deref()) {
                    Some(reason) => reason,
                    None => return build::row(&view),
                }
            }
        };
        match self.row_beside(&line).filter(|_| !self.header.is_given()) {
            Some((kind, row)) => {
                self.kind = kind;
                row
            }
            None => Ok(Row::Skipped(skipped)),
        }
    }

    fn kind(&self) -> usize {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_shipped_mapping_is_sound_and_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mapped/mappings");
        let mut count = 0;
        let mut wrong = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            match Mapping::parse(&std::fs::read_to_string(&path).unwrap(), stem) {
                Ok(mapping) => assert_eq!(mapping.name, stem),
                Err(error) => wrong.push(error.to_string()),
            }
            assert!(wrong.last().is_some() || crate::by_name(stem).is_some(), "{stem} is in no list");
            count += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count > 20);
    }
}
