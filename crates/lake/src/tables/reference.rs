//! The reference page of the tables: columns from the schemas, meanings from the comments of the row structs.

use super::{MARKS, STATES, SUMMARIES, Table, marks_schema, shape::type_name, states_schema, summaries_schema};
use arrow_schema::{DataType, Fields};
use std::{collections::BTreeMap, fmt::Write};

/// The sources whose structs are rows, or parts of rows.
const SOURCES: [&str; 12] = [
    include_str!("base.rs"),
    include_str!("coverage.rs"),
    include_str!("dns_activity.rs"),
    include_str!("endpoints.rs"),
    include_str!("file_activity.rs"),
    include_str!("http_activity.rs"),
    include_str!("http_task.rs"),
    include_str!("http_transaction.rs"),
    include_str!("network_activity.rs"),
    include_str!("process.rs"),
    include_str!("process_activity.rs"),
    include_str!("scheduled_job_activity.rs"),
];

const SUMMARIES_SOURCE: &str = include_str!("summaries.rs");
const MARKS_SOURCE: &str = include_str!("marks.rs");
const STATES_SOURCE: &str = include_str!("states.rs");

const INTRODUCTION: &str = "\
# Tables of the lake

Every file of the lake is plain Parquet. Event tables use the attribute names of OCSF 1.8.0 where OCSF has one; what it has no
name for stands in groups named `monologue`, and in `provenance` and `time_ns`. Meanings that begin with \"OCSF\" are OCSF's.

No unsigned numbers and no nanosecond timestamps are used, so that every reader agrees. A count of up to 64 bits is an
`int64` in two's complement: 2⁶³ and more, which no honest source gives, reads as negative. Null means that nobody recorded it,
unless a column says otherwise; where a group is null, so are its columns.

Files carry `monologue.layout` and `monologue.table` in their metadata.
";

/// A field of a row struct.
struct Field {
    meaning: String,
    type_name: String,
}

/// Fields of every struct: by struct, then by the name of the column.
type Structs = BTreeMap<String, BTreeMap<String, Field>>;

/// A Markdown page of every table: path, type and meaning of each column.
#[must_use]
pub fn reference() -> String {
    let mut structs = Structs::new();
    SOURCES
        .iter()
        .chain(&[SUMMARIES_SOURCE, MARKS_SOURCE, STATES_SOURCE])
        .for_each(|source| read_structs(source, &mut structs));
    let mut page = INTRODUCTION.to_owned();
    for table in Table::ALL {
        write_table(
            &mut page,
            table.name(),
            about(table),
            table.schema().fields(),
            &["Base", row_struct(table)],
            &structs,
        );
    }
    for (name, source, schema, row) in [
        (SUMMARIES, SUMMARIES_SOURCE, summaries_schema(), "SummaryColumns"),
        (MARKS, MARKS_SOURCE, marks_schema(), "MarkColumns"),
        (STATES, STATES_SOURCE, states_schema(), "StateColumns"),
    ] {
        write_table(&mut page, name, first_comment(source), schema.fields(), &[row], &structs);
    }
    page
}

/// The struct of a table's own columns.
const fn row_struct(table: Table) -> &'static str {
    match table {
        Table::ProcessActivity => "ProcessRow",
        Table::FileActivity => "FileRow",
        Table::ScheduledJobActivity => "JobRow",
        Table::NetworkActivity => "NetworkRow",
        Table::HttpActivity => "HttpRow",
        Table::DnsActivity => "DnsRow",
        Table::Coverage => "CoverageRow",
    }
}

/// What a table is: the comment of its module.
fn about(table: Table) -> &'static str {
    first_comment(match table {
        Table::ProcessActivity => include_str!("process_activity.rs"),
        Table::FileActivity => include_str!("file_activity.rs"),
        Table::ScheduledJobActivity => include_str!("scheduled_job_activity.rs"),
        Table::NetworkActivity => include_str!("network_activity.rs"),
        Table::HttpActivity => include_str!("http_activity.rs"),
        Table::DnsActivity => include_str!("dns_activity.rs"),
        Table::Coverage => include_str!("coverage.rs"),
    })
}

fn first_comment(source: &'static str) -> &'static str {
    source.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or_default()
}

fn write_table(page: &mut String, name: &str, about: &str, fields: &Fields, tops: &[&str], structs: &Structs) {
    // Writing to a string cannot fail.
    let _ = write!(page, "\n## {name}\n\n{about}\n\n| column | type | meaning |\n| --- | --- | --- |\n");
    for field in fields {
        let top = tops.iter().find(|top| structs.get(**top).is_some_and(|fields| fields.contains_key(field.name())));
        write_column(page, field, "", top.unwrap_or(&""), structs);
    }
}

fn write_column(page: &mut String, column: &arrow_schema::Field, above: &str, of: &str, structs: &Structs) {
    let known = structs.get(of).and_then(|fields| fields.get(column.name()));
    let path = format!("{above}{}", column.name());
    let meaning = known.map_or("", |field| &field.meaning).replace('|', "\\|");
    let null = if column.is_nullable() { ", may be null" } else { "" };
    let _ = writeln!(page, "| `{path}` | {}{null} | {meaning} |", type_name(column.data_type()));
    let inner = match column.data_type() {
        DataType::List(item) => item.data_type(),
        other => other,
    };
    if let (DataType::Struct(fields), Some(known)) = (inner, known) {
        fields.iter().for_each(|field| write_column(page, field, &format!("{path}."), &known.type_name, structs));
    }
}

/// Reads the structs of a source, as rustfmt writes them.
fn read_structs(source: &str, structs: &mut Structs) {
    let (mut name, mut meaning, mut renamed) = (None, String::new(), None);
    for line in source.lines() {
        if let Some((_, rest)) = line.split_once("struct ").filter(|_| line.ends_with('{') && !line.starts_with(' ')) {
            name = rest.split(['<', ' ']).next().map(str::to_owned);
        } else if line == "}" {
            name = None;
        }
        let (Some(name), Some(line)) = (&name, line.strip_prefix("    ")) else {
            meaning.clear();
            continue;
        };
        if let Some(comment) = line.strip_prefix("/// ") {
            meaning.push_str(if meaning.is_empty() { "" } else { " " });
            meaning.push_str(comment);
        } else if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if let Some((field, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(": ")) {
            let column = renamed.take().unwrap_or_else(|| field.rsplit(' ').next().unwrap_or(field).to_owned());
            let field = Field { meaning: std::mem::take(&mut meaning), type_name: bare_type(kind) };
            structs.entry(name.clone()).or_default().insert(column, field);
        }
    }
}

/// The type inside of options, lists and lifetimes.
fn bare_type(kind: &str) -> String {
    let inner = kind.trim_start_matches("Option<").trim_start_matches("Vec<");
    inner.split(['<', '>']).next().unwrap_or(inner).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_meaning() {
        let page = reference();
        let columns: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert!(columns.len() > 300, "{}", columns.len());
        for line in columns {
            assert!(!line.ends_with("|  |"), "no meaning: {line}");
            let types = ["string", "boolean", "int32", "int64", "double", "32 bytes", "group", "list of "];
            let stands = line.split(" | ").nth(1).unwrap();
            assert!(types.iter().any(|kind| stands.starts_with(kind)), "a type that not all readers know: {line}");
        }
    }

    #[test]
    fn a_struct_is_read_as_it_is_written() {
        let source = "struct A<'a> {\n    /// First\n    /// part.\n    #[serde(rename = \"type\")]\n    pub(super) kind: \
                      Option<Vec<B<'a>>>,\n}\n";
        let mut structs = Structs::new();
        read_structs(source, &mut structs);
        let field = &structs["A"]["type"];
        assert_eq!((field.meaning.as_str(), field.type_name.as_str()), ("First part.", "B"));
    }
}
