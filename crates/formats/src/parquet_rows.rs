//! Parquet files as lines of JSON, one row a line, so that the readers of JSON records read them too: Security Lake and
//! others keep OCSF so.
//!
//! A citation of a row counts in these lines, as that of a compressed file counts in what it holds. What is null is left
//! out, times are RFC 3339, and numbers keep all digits.

use crate::parquet_pages;
use monologue_model::{Timestamp, containment::contain};
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::{Field, Row, reader::RowIter},
};
use serde_json::{Map, Number, Value};
use std::{
    fs::File,
    io::{self, Read},
};

/// First bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Levels of nesting that are kept.
const DEPTH_CAP: usize = 16;

/// The rows of a file as lines.
///
/// # Errors
/// When it is no Parquet file, or one whose codecs are not known here.
pub(crate) fn lines(file: File) -> io::Result<impl Read> {
    let pages = file.try_clone()?;
    let reader = guarded(|| SerializedFileReader::new(file))?;
    contain(|| parquet_pages::check(pages, reader.metadata())).unwrap_or_else(|| Err(misfit()))?;
    let rows = guarded(|| Ok(RowIter::from_file_into(Box::new(reader) as Box<dyn FileReader>)))?;
    Ok(Lines { rows, line: Vec::new(), at: 0, ended: false })
}

/// The library takes files on trust and may panic on one that is made to mislead: that is an error like any other.
fn guarded<T>(run: impl FnOnce() -> Result<T, parquet::errors::ParquetError>) -> io::Result<T> {
    match contain(run) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("expected a Parquet file: {error}")))
        }
        None => Err(misfit()),
    }
}

fn misfit() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "expected a Parquet file whose parts fit together")
}

struct Lines {
    rows: RowIter<'static>,
    line: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.line.len() && !self.ended {
            self.line.clear();
            self.at = 0;
            let rows = &mut self.rows;
            match guarded(|| rows.next().transpose()) {
                Ok(Some(row)) => {
                    serde_json::to_writer(&mut self.line, &object(&row, 0))?;
                    self.line.push(b'\n');
                }
                Ok(None) => self.ended = true,
                Err(error) => {
                    // Nobody knows in which state the library is.
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        let rest = self.line.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

fn object(row: &Row, depth: usize) -> Value {
    let members = row.get_column_iter();
    let members = members.map(|(name, field)| (name.clone(), value(field, depth + 1)));
    Value::Object(members.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

fn value(field: &Field, depth: usize) -> Value {
    let moment = |count: i64, unit_ns: i64| {
        let time = count.checked_mul(unit_ns).map(Timestamp::from_nanoseconds);
        time.map_or(Value::Null, |time| Value::String(time.to_string()))
    };
    match field {
        _ if depth > DEPTH_CAP => Value::Null,
        Field::Null => Value::Null,
        Field::Bool(flag) => Value::Bool(*flag),
        Field::Byte(number) => (*number).into(),
        Field::Short(number) => (*number).into(),
        Field::Int(number) => (*number).into(),
        Field::Long(number) => (*number).into(),
        Field::UByte(number) => (*number).into(),
        Field::UShort(number) => (*number).into(),
        Field::UInt(number) => (*number).into(),
        Field::ULong(number) => (*number).into(),
        Field::Float(number) => Number::from_f64(f64::from(*number)).map_or(Value::Null, Value::Number),
        Field::Double(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Field::Str(text) => Value::String(text.clone()),
        Field::Bytes(bytes) => Value::String(String::from_utf8_lossy(bytes.data()).into_owned()),
        Field::TimestampMillis(count) => moment(*count, 1_000_000),
        Field::TimestampMicros(count) => moment(*count, 1_000),
        Field::Group(row) => object(row, depth),
        Field::ListInternal(list) => list.elements().iter().map(|item| value(item, depth + 1)).collect(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            let named = entries.filter_map(|(key, item)| match value(key, depth + 1) {
                Value::String(name) => Some((name, value(item, depth + 1))),
                _ => None,
            });
            Value::Object(named.collect())
        }
        // Decimals, days, times of day and short floats: nothing here is written so.
        other => Value::String(other.to_string()),
    }
}
