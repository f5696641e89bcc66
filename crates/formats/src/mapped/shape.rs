//! The shape of records: how a line is taken apart into fields with names.

use super::{
    record::Record,
    template::Template,
    texts::{cef, columns, leef, pairs, without_syslog},
};
use crate::squid::layout::Layout;
use serde::Deserialize;
use std::{borrow::Cow, collections::HashMap};

/// The shape as a mapping says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub(super) enum RawShape {
    /// One JSON object a line, an array of them in one line, or one object over several lines.
    Json {
        /// Members in one of which the record stands.
        #[serde(default)]
        inside: Vec<String>,
    },
    /// Columns: named by a header in the file, or here.
    Delimited {
        separator: String,
        #[serde(default)]
        columns: Vec<String>,
        /// A line of the file that begins with one of these is a header and names its columns.
        #[serde(default)]
        header: Vec<String>,
        /// A syslog header may stand before the record.
        #[serde(default)]
        syslog: bool,
    },
    /// `key=value` pairs.
    KeyValue {
        #[serde(default)]
        separator: Option<String>,
        /// What stands between key and value: `=` unless given.
        #[serde(default)]
        assign: Option<String>,
    },
    /// ArcSight Common Event Format.
    Cef,
    /// Log Event Extended Format.
    Leef,
    /// W3C Extended Log File Format: `#Fields:` names the columns.
    Elff {
        /// Columns of files without that line.
        #[serde(default)]
        columns: Vec<String>,
    },
    /// Text with fields between.
    Template {
        lines: Vec<String>,
        #[serde(default)]
        syslog: bool,
    },
    /// A `logformat` of Squid's configuration.
    Squid { logformat: String },
}

/// A checked shape.
#[derive(Debug)]
pub(super) enum Shape {
    Json { inside: Vec<String> },
    Delimited { separator: char, columns: Vec<String>, header: Vec<String>, syslog: bool },
    KeyValue { separator: char, assign: char },
    Cef,
    Leef,
    Elff { columns: Vec<String> },
    Template { lines: Vec<Template>, syslog: bool },
    Squid(Layout),
}

/// What a file said of its columns so far.
#[derive(Debug, Default)]
pub(super) struct Header {
    columns: Option<Vec<String>>,
    separator: Option<char>,
}

impl Header {
    /// Whether the file names its columns: then all of it is of one layout.
    pub(super) const fn is_given(&self) -> bool {
        self.columns.is_some()
    }
}

/// What a line gave.
pub(super) enum Taken<'a> {
    /// Fields of a record.
    Record(Record<'a>),
    /// It is a header, a comment or a bracket around records.
    Nothing,
    /// It belongs to none of the templates.
    Other,
}

impl Shape {
    /// Checks a shape.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn compile(raw: RawShape) -> Result<Self, String> {
        Ok(match raw {
            RawShape::Json { inside } => Self::Json { inside },
            RawShape::Delimited { separator, columns, header, syslog } => {
                if columns.is_empty() && header.is_empty() {
                    return Err("expected `columns` or `header` in a delimited shape".to_owned());
                }
                Self::Delimited { separator: one_letter(&separator)?, columns, header, syslog }
            }
            RawShape::KeyValue { separator, assign } => Self::KeyValue {
                separator: separator.as_deref().map_or(Ok(' '), one_letter)?,
                assign: assign.as_deref().map_or(Ok('='), one_letter)?,
            },
            RawShape::Cef => Self::Cef,
            RawShape::Leef => Self::Leef,
            RawShape::Elff { columns } => Self::Elff { columns },
            RawShape::Template { lines, syslog } => {
                let lines: Vec<Template> =
                    lines.iter().map(|line| Template::compile(line)).collect::<Result<_, _>>()?;
                if lines.is_empty() {
                    return Err("expected at least one template in `lines`".to_owned());
                }
                Self::Template { lines, syslog }
            }
            RawShape::Squid { logformat } => {
                Self::Squid(Layout::compile(&logformat).map_err(|error| format!("in `logformat`, {error}"))?)
            }
        })
    }

    /// Names of fields, where the shape knows them all beforehand.
    pub(super) fn known_names(&self) -> Option<Vec<String>> {
        match self {
            Self::Delimited { columns, header, .. } if header.is_empty() => Some(columns.clone()),
            Self::Template { lines, .. } => Some(lines.iter().flat_map(Template::names).map(str::to_owned).collect()),
            _ => None,
        }
    }

    /// Takes a line apart.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn take<'a>(&'a self, line: &'a str, header: &'a mut Header) -> Result<Taken<'a>, String> {
        match self {
            Self::Json { inside } => json(line, inside),
            Self::Delimited { separator, columns: given, header: starts, syslog } => {
                let bare = if *syslog { without_syslog(line) } else { line };
                if bare.starts_with('#') && !starts.iter().any(|start| bare.starts_with(start.as_str())) {
                    return Ok(Taken::Nothing);
                }
                if starts.iter().any(|start| bare.starts_with(start.as_str())) {
                    header.columns = Some(names(columns(bare.trim_start_matches('#'), *separator)));
                    return Ok(Taken::Nothing);
                }
                let values = columns(bare, *separator);
                let names = header.columns.as_deref().unwrap_or(given);
                in_columns(names, values)
            }
            Self::Elff { columns: given } => {
                if let Some(comment) = line.strip_prefix('#') {
                    if let Some(list) = comment.strip_prefix("Fields:") {
                        let commas = list.contains(',');
                        header.separator = Some(if commas {
                            ','
                        } else if list.contains('\t') {
                            '\t'
                        } else {
                            ' '
                        });
                        header.columns = Some(names(columns(list.trim(), header.separator.unwrap_or(' '))));
                    }
                    return Ok(Taken::Nothing);
                }
                let separator = header.separator.unwrap_or(' ');
                in_columns(header.columns.as_deref().unwrap_or(given), columns(line, separator))
            }
            Self::KeyValue { separator, assign } => {
                let fields = pairs(line, *separator, *assign);
                if fields.is_empty() {
                    return Err("expected key=value pairs, found none".to_owned());
                }
                Ok(Taken::Record(Record::Named(fields)))
            }
            Self::Cef => match cef(line) {
                Some(fields) => Ok(Taken::Record(Record::Named(fields))),
                None => Err("expected CEF:version|vendor|product|version|id|name|severity|…".to_owned()),
            },
            Self::Leef => match leef(line) {
                Some(fields) => Ok(Taken::Record(Record::Named(fields))),
                None => Err("expected LEEF:version|vendor|product|version|id|…".to_owned()),
            },
            Self::Template { lines, syslog } => {
                let bare = if *syslog { without_syslog(line) } else { line };
                let found = lines.iter().find_map(|template| template.fields(bare));
                Ok(found.map_or(Taken::Other, |fields| Taken::Record(Record::Named(fields))))
            }
            Self::Squid(_) => Err("expected to be read by Squid's reader".to_owned()),
        }
    }
}

fn one_letter(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(letter),
        _ => Err(format!("expected one character in `separator`, found {text:?}")),
    }
}

fn names(columns: Vec<Cow<'_, str>>) -> Vec<String> {
    columns.into_iter().map(Cow::into_owned).collect()
}

fn in_columns<'a>(names: &'a [String], values: Vec<Cow<'a, str>>) -> Result<Taken<'a>, String> {
    if names.is_empty() {
        return Err("expected a header that names the columns before the first record".to_owned());
    }
    // Later versions add columns at the end; a record that ends early has been cut.
    if values.len() < names.len().min(2) {
        return Err(format!("expected {} columns, found {}", names.len(), values.len()));
    }
    Ok(Taken::Record(Record::Columns { names, values }))
}

fn json<'a>(line: &'a str, inside: &[String]) -> Result<Taken<'a>, String> {
    // Brackets and commas around records, one a line.
    let bare = line.trim().trim_end_matches(',');
    if matches!(bare, "[" | "]" | "") {
        return Ok(Taken::Nothing);
    }
    type Members<'a> = HashMap<Cow<'a, str>, &'a serde_json::value::RawValue>;
    let object = |text: &'a str| -> Result<Members<'a>, String> {
        serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))
    };
    let mut members = object(bare)?;
    for name in inside {
        if let Some(inner) = members.get(name.as_str()).and_then(|raw| object(raw.get()).ok()) {
            members = inner;
            break;
        }
    }
    Ok(Taken::Record(Record::Json(members)))
}
