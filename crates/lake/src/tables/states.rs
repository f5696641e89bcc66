//! Our own table `states`: what the hunt of each host carries from one hour to the next, and by what it was decided.

use super::{
    TableError, Unexpected, Written,
    files::{self, Select, until_error},
    shape::{rows_failed, select, trace},
};
use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Fields, Schema, SchemaRef};
use monologue_model::Sha256;
use parquet::file::reader::ChunkReader;
use serde::{Deserialize, Serialize};
use serde_arrow::{ArrayBuilder, Deserializer};
use std::{io::Write, ops::Range, sync::Arc, sync::LazyLock};

/// Name of the table.
pub const STATES: &str = "states";

/// Rows of one batch: states are large.
const BATCH_ROWS: usize = 64;

/// One hour of one host, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRow {
    /// The host.
    pub host: Arc<str>,
    /// The hour, counted from 1970-01-01T00:00:00Z.
    pub hour: i64,
    /// The last publication that was known when it was decided.
    pub publication: u64,
    /// Version of the rules it was decided by.
    pub rules: u64,
    /// Hash of the state at its end.
    pub digest: Sha256,
    /// What the hour yielded besides summaries, as JSON.
    pub outcome: String,
    /// Whether the state itself is kept, and not only its hash.
    pub has_state: bool,
    /// The state at its end, as JSON. `None`: it is not kept, an earlier hour has one to go on from; or it was not read.
    pub state: Option<String>,
}

/// Columns of the table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct StateColumns<'a> {
    /// The host.
    host: &'a str,
    /// The hour: hours since 1970-01-01T00:00:00Z.
    hour: i64,
    /// Number of the last publication that was known when the hour was decided.
    publication: i64,
    /// Version of the rules it was decided by.
    rules: i64,
    /// SHA-256 of the state at the hour's end, 64 hexadecimal digits.
    digest: &'a str,
    /// What the hour yielded besides summaries, as JSON.
    outcome: &'a str,
    /// Whether the state itself is kept.
    has_state: bool,
    /// The state at the hour's end, as JSON. Null where only the hash is kept.
    state: Option<&'a str>,
}

/// What is read where the states themselves are not wanted.
#[derive(Debug, Deserialize)]
struct DecidedColumns<'a> {
    host: &'a str,
    hour: i64,
    publication: i64,
    rules: i64,
    digest: &'a str,
    outcome: &'a str,
    has_state: bool,
}

static FIELDS: LazyLock<Vec<FieldRef>> = LazyLock::new(trace::<StateColumns<'static>>);
static DECIDED: LazyLock<Vec<FieldRef>> = LazyLock::new(trace::<DecidedColumns<'static>>);

/// The columns of the table.
#[must_use]
pub fn states_schema() -> SchemaRef {
    Schema::new(FIELDS.iter().cloned().collect::<Fields>()).into()
}

/// Writes rows as one Parquet file.
///
/// # Errors
/// When `to` fails.
pub fn write_states(rows: &[StateRow], to: impl Write + Send) -> Result<Written, TableError> {
    let mut problem = None;
    let batches = rows.chunks(BATCH_ROWS).map_while(|rows| match encode(rows) {
        Ok(batch) => Some(batch),
        Err(error) => {
            problem = Some(error);
            None
        }
    });
    let written = files::write_columns(STATES, states_schema(), ["hour", "hour"], batches, to)?;
    problem.map_or(Ok(written), Err)
}

fn encode(rows: &[StateRow]) -> Result<RecordBatch, TableError> {
    let failed = |error| rows_failed(STATES, error);
    let mut builder = ArrayBuilder::from_arrow(&FIELDS).map_err(failed)?;
    for row in rows {
        let columns = StateColumns {
            host: &row.host,
            hour: row.hour,
            publication: row.publication.cast_signed(),
            rules: row.rules.cast_signed(),
            digest: &row.digest.to_string(),
            outcome: &row.outcome,
            has_state: row.state.is_some(),
            state: row.state.as_deref(),
        };
        builder.push(columns).map_err(failed)?;
    }
    Ok(RecordBatch::try_new(states_schema(), builder.into_arrow().map_err(failed)?)?)
}

/// Reads the rows of a file whose hour is in `hours`; the states themselves only `with_states`.
///
/// # Errors
/// When the file is not one of this table and layout, or a value cannot be.
pub fn read_states<R: ChunkReader + 'static>(
    source: R,
    hours: &Range<i64>,
    with_states: bool,
) -> Result<impl Iterator<Item = Result<Vec<StateRow>, TableError>> + use<R>, TableError> {
    let hours = Select { from_ns: hours.start, until_ns: hours.end };
    let fields: &'static [FieldRef] = if with_states { &FIELDS } else { &DECIDED };
    let mut batches = files::read_columns(STATES, fields, "hour", source, &hours)?;
    Ok(until_error(move || Some(batches.next()?.and_then(|batch| decode(&batch, fields, with_states)))))
}

fn decode(batch: &RecordBatch, fields: &[FieldRef], with_states: bool) -> Result<Vec<StateRow>, TableError> {
    let failed = |error| rows_failed(STATES, error);
    let (fields, columns) = select(STATES, fields, batch)?;
    let rows = Deserializer::from_arrow(&fields, &columns).map_err(failed)?;
    let mut decoded = Vec::with_capacity(batch.num_rows());
    for (row, columns) in rows.iter().enumerate() {
        let (decided, state) = if with_states {
            let StateColumns { host, hour, publication, rules, digest, outcome, has_state, state } =
                StateColumns::deserialize(columns).map_err(failed)?;
            (DecidedColumns { host, hour, publication, rules, digest, outcome, has_state }, state)
        } else {
            (DecidedColumns::deserialize(columns).map_err(failed)?, None)
        };
        let digest = serde_json::from_value(decided.digest.into()).map_err(|_| TableError::Value {
            table: STATES,
            row,
            problem: Unexpected::new("digest", "64 hexadecimal digits", decided.digest),
        })?;
        decoded.push(StateRow {
            host: decided.host.into(),
            hour: decided.hour,
            publication: decided.publication.cast_unsigned(),
            rules: decided.rules.cast_unsigned(),
            digest,
            outcome: decided.outcome.to_owned(),
            has_state: decided.has_state,
            state: state.map(str::to_owned),
        });
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_back_by_hour_with_and_without_the_state() {
        let row = |hour| StateRow {
            host: "anna".into(),
            hour,
            publication: 3,
            rules: 1,
            digest: Sha256::of(&[7]),
            outcome: "{}".to_owned(),
            has_state: hour % 2 == 0,
            state: (hour % 2 == 0).then(|| format!("{{\"hour\":{hour}}}")),
        };
        let rows: Vec<StateRow> = (0..200).map(row).collect();
        let mut bytes = Vec::new();
        assert_eq!(write_states(&rows, &mut bytes).unwrap().rows, 200);
        let bytes = bytes::Bytes::from(bytes);
        let read = |hours: Range<i64>, with| -> Vec<StateRow> {
            read_states(bytes.clone(), &hours, with).unwrap().flat_map(|rows| rows.unwrap()).collect()
        };
        assert_eq!(read(10..13, true), rows[10..13]);
        let bare: Vec<StateRow> = rows[199..].iter().cloned().map(|row| StateRow { state: None, ..row }).collect();
        assert_eq!(read(199..i64::MAX, false), bare);
    }
}
