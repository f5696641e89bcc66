//! Our own table `marks`: which hours of which host each publication touched, so that only those are hunted again.

use super::{
    TableError, Unexpected, Written,
    files::{self, Select, until_error},
    shape::{rows_failed, select, trace},
};
use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Fields, Schema, SchemaRef};
use parquet::file::reader::ChunkReader;
use serde::{Deserialize, Serialize};
use serde_arrow::{ArrayBuilder, Deserializer};
use std::{io::Write, sync::Arc, sync::LazyLock};

/// Name of the table.
pub const MARKS: &str = "marks";

/// What a publication added for one host: rows of one hour, or a statement about its coverage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The host. Empty for what concerns many: statements of a network sensor, and that it recorded traffic at all.
    pub host: Arc<str>,
    /// Something but its address names the host.
    pub named: bool,
    /// The network sensor whose rows they are. Empty: an endpoint's own.
    pub sensor: Arc<str>,
    /// First hour touched, counted from 1970-01-01T00:00:00Z.
    pub hour: i64,
    /// Last hour touched: the same for rows, the end of the stretch for coverage.
    pub until_hour: i64,
    /// Rows added; 0 for a statement about coverage, or for rows that were taken away.
    pub rows: u64,
    /// Time of the first row, nanoseconds since the epoch; 0 without rows.
    pub first_time_ns: i64,
    /// Time of the last row, nanoseconds since the epoch; 0 without rows.
    pub last_time_ns: i64,
    /// The publication.
    pub publication: u64,
}

/// Columns of the table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct MarkColumns<'a> {
    /// The host. Empty for statements of a network sensor, which concern many hosts.
    host: &'a str,
    /// Whether something but its address names the host.
    named: bool,
    /// The network sensor whose rows they are: the folder it writes to. Empty for an endpoint's own rows.
    sensor: &'a str,
    /// First hour touched: hours since 1970-01-01T00:00:00Z.
    hour: i64,
    /// Last hour touched: hours since 1970-01-01T00:00:00Z.
    until_hour: i64,
    /// Rows added; 0 for a statement about coverage, or for rows that were taken away.
    rows: i64,
    /// Time of the first row, nanoseconds since 1970-01-01T00:00:00Z; 0 without rows.
    first_time_ns: i64,
    /// Time of the last row, nanoseconds since 1970-01-01T00:00:00Z; 0 without rows.
    last_time_ns: i64,
    /// Number of the publication that touched it.
    publication: i64,
}

static FIELDS: LazyLock<Vec<FieldRef>> = LazyLock::new(trace::<MarkColumns<'static>>);

/// The columns of the table.
#[must_use]
pub fn marks_schema() -> SchemaRef {
    Schema::new(FIELDS.iter().cloned().collect::<Fields>()).into()
}

/// Writes marks as one Parquet file.
///
/// # Errors
/// When `to` fails.
pub fn write_marks(marks: &[Mark], to: impl Write + Send) -> Result<Written, TableError> {
    let failed = |error| rows_failed(MARKS, error);
    let mut builder = ArrayBuilder::from_arrow(&FIELDS).map_err(failed)?;
    for mark in marks {
        let columns = MarkColumns {
            host: &mark.host,
            named: mark.named,
            sensor: &mark.sensor,
            hour: mark.hour,
            until_hour: mark.until_hour,
            rows: mark.rows.cast_signed(),
            first_time_ns: mark.first_time_ns,
            last_time_ns: mark.last_time_ns,
            publication: mark.publication.cast_signed(),
        };
        builder.push(columns).map_err(failed)?;
    }
    let batch = RecordBatch::try_new(marks_schema(), builder.into_arrow().map_err(failed)?)?;
    files::write_columns(MARKS, marks_schema(), ["hour", "until_hour"], std::iter::once(batch), to)
}

/// Reads the marks of a file.
///
/// # Errors
/// When the file is not one of this table and layout, or a value cannot be.
pub fn read_marks<R: ChunkReader + 'static>(
    source: R,
) -> Result<impl Iterator<Item = Result<Vec<Mark>, TableError>> + use<R>, TableError> {
    let mut batches = files::read_columns(MARKS, &FIELDS, "hour", source, &Select::ALL)?;
    Ok(until_error(move || Some(batches.next()?.and_then(|batch| decode(&batch)))))
}

fn decode(batch: &RecordBatch) -> Result<Vec<Mark>, TableError> {
    let failed = |error| rows_failed(MARKS, error);
    let (fields, columns) = select(MARKS, &FIELDS, batch)?;
    let rows = Deserializer::from_arrow(&fields, &columns).map_err(failed)?;
    let mut marks: Vec<Mark> = Vec::with_capacity(batch.num_rows());
    for (row, columns) in rows.iter().enumerate() {
        let found = MarkColumns::deserialize(columns).map_err(failed)?;
        if found.hour > found.until_hour {
            let text = format!("{} to {}", found.hour, found.until_hour);
            let problem = Unexpected::new("until_hour", "no hour before the first", &text);
            return Err(TableError::Value { table: MARKS, row, problem });
        }
        // Rows come host by host: most share the name of the one before.
        let host = match marks.last() {
            Some(last) if *last.host == *found.host => last.host.clone(),
            _ => found.host.into(),
        };
        let sensor = match marks.last() {
            Some(last) if *last.sensor == *found.sensor => last.sensor.clone(),
            _ => found.sensor.into(),
        };
        marks.push(Mark {
            host,
            named: found.named,
            sensor,
            hour: found.hour,
            until_hour: found.until_hour,
            rows: found.rows.cast_unsigned(),
            first_time_ns: found.first_time_ns,
            last_time_ns: found.last_time_ns,
            publication: found.publication.cast_unsigned(),
        });
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_as_they_were() {
        let mark = |host: &str, hour| Mark {
            host: host.into(),
            named: !host.is_empty(),
            sensor: if hour < 0 { "network/site-a" } else { "" }.into(),
            hour,
            until_hour: hour + 3,
            rows: u64::MAX,
            first_time_ns: i64::MIN,
            last_time_ns: i64::MAX,
            publication: 7,
        };
        let marks = [mark("anna", -1), mark("anna", 492_000), mark("", 0)];
        let mut bytes = Vec::new();
        assert_eq!(write_marks(&marks, &mut bytes).unwrap().rows, 3);
        let read: Vec<Mark> = read_marks(bytes::Bytes::from(bytes)).unwrap().flat_map(|marks| marks.unwrap()).collect();
        assert_eq!(read, marks);
    }

    #[test]
    fn a_stretch_that_ends_before_it_begins_is_refused() {
        let mark = Mark {
            host: "anna".into(),
            named: true,
            sensor: "".into(),
            hour: 5,
            until_hour: 4,
            rows: 0,
            first_time_ns: 0,
            last_time_ns: 0,
            publication: 1,
        };
        let mut bytes = Vec::new();
        write_marks(&[mark], &mut bytes).unwrap();
        let error = read_marks(bytes::Bytes::from(bytes)).unwrap().next().unwrap().unwrap_err().to_string();
        assert!(error.contains("until_hour") && error.contains("5 to 4"), "{error}");
    }
}
