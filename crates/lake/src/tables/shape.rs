//! From events to columns and back: the same for every event table, given its rows.

use super::{
    Interner, Table, TableError,
    base::{Base, HASH_LENGTH, Kept},
    error::Unexpected,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use monologue_model::{Detail, Event};
use serde::{Deserialize, Serialize};
use serde_arrow::{
    ArrayBuilder, Deserializer,
    schema::{SchemaLike, TracingOptions},
};
use std::sync::Arc;

/// The rows of an event table.
pub(super) trait Shape {
    /// Columns of the table beyond the base.
    type Row<'a>: Serialize + Deserialize<'a>;
    /// The OCSF activity and the row of a detail. `None` means it belongs to another table.
    fn row(detail: &Detail) -> Option<(i32, Self::Row<'_>)>;
    /// The detail of a row.
    fn detail(row: Self::Row<'_>, interner: &mut Interner) -> Result<Detail, Unexpected>;
}

/// The columns of an event table.
pub(super) struct Plan {
    /// All columns.
    pub(super) schema: SchemaRef,
    base: Vec<FieldRef>,
    own: Vec<FieldRef>,
    /// The base columns that events are made from.
    kept: Vec<FieldRef>,
}

/// The columns that rows of type `T` become. Empty if the type cannot be traced; a test shows that each can.
pub(super) fn trace<T: Deserialize<'static>>() -> Vec<FieldRef> {
    // 64-bit offsets are what few readers expect; batches are small.
    let options = TracingOptions::default()
        .sequence_as_large_list(false)
        .strings_as_large_utf8(false)
        .bytes_as_large_binary(false)
        .enums_without_data_as_strings(true)
        .from_type_budget(1000);
    let fields = Vec::<FieldRef>::from_type::<T>(options).unwrap_or_default();
    fields.iter().map(|field| settled(field)).collect()
}

/// The field with the types that tables have: binary columns are hashes, and words of a list are plain strings. (They are
/// traced as dictionaries; in Parquet every string column is one, and other writers do not keep the difference.)
fn settled(field: &Field) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Binary => DataType::FixedSizeBinary(HASH_LENGTH),
        DataType::Dictionary(..) => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| settled(field)).collect()),
        DataType::List(item) => DataType::List(settled(item)),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

impl Plan {
    /// The columns of a table.
    pub(super) fn of<S: Shape>() -> Self {
        let (base, own) = (trace::<Base<'static>>(), trace::<S::Row<'static>>());
        let schema = Schema::new(base.iter().chain(&own).cloned().collect::<Fields>());
        Self { schema: schema.into(), base, own, kept: trace::<Kept<'static>>() }
    }

    /// The columns that events are made from: of the base, only those that tell something new.
    pub(super) fn needed(&self) -> impl Iterator<Item = &FieldRef> {
        self.kept.iter().chain(&self.own)
    }
}

/// The columns of events, all of one table.
pub(super) fn encode<S: Shape>(table: Table, plan: &Plan, events: &[&Event]) -> Result<RecordBatch, TableError> {
    let failed = |error| rows_failed(table.name(), error);
    let mut base = ArrayBuilder::from_arrow(&plan.base).map_err(failed)?;
    let mut own = ArrayBuilder::from_arrow(&plan.own).map_err(failed)?;
    base.reserve(events.len());
    own.reserve(events.len());
    for event in events {
        let (activity, row) =
            S::row(&event.detail).ok_or_else(|| TableError::Foreign { table, found: Table::of(&event.detail) })?;
        base.push(Base::of(event, activity)).map_err(failed)?;
        own.push(row).map_err(failed)?;
    }
    let mut columns = base.into_arrow().map_err(failed)?;
    columns.extend(own.into_arrow().map_err(failed)?);
    Ok(RecordBatch::try_new(plan.schema.clone(), columns)?)
}

/// The events of columns.
pub(super) fn decode<S: Shape>(
    table: Table,
    plan: &Plan,
    batch: &RecordBatch,
    interner: &mut Interner,
) -> Result<Vec<Event>, TableError> {
    let name = table.name();
    let failed = |error| rows_failed(name, error);
    let (kept_fields, kept_columns) = select(name, &plan.kept, batch)?;
    let kept = Deserializer::from_arrow(&kept_fields, &kept_columns).map_err(failed)?;
    let (own_fields, own_columns) = select(name, &plan.own, batch)?;
    let own = Deserializer::from_arrow(&own_fields, &own_columns).map_err(failed)?;
    let mut events = Vec::with_capacity(batch.num_rows());
    for (row, (base, columns)) in kept.iter().zip(own.iter()).enumerate() {
        let wrong = |problem| TableError::Value { table: name, row, problem };
        let origin = Kept::deserialize(base).map_err(failed)?.origin(interner).map_err(wrong)?;
        let columns = S::Row::deserialize(columns).map_err(failed)?;
        let detail = S::detail(columns, interner).map_err(wrong)?;
        let super::base::Origin { time, host, format, provenance } = origin;
        events.push(Event { time, host, format, provenance, detail });
    }
    Ok(events)
}

/// Rows that could not be made into columns, or columns into rows.
pub(super) fn rows_failed(table: &'static str, problem: serde_arrow::Error) -> TableError {
    TableError::Rows { table, problem: Box::new(problem) }
}

/// Columns that were asked for, with their fields.
type Selected = (Vec<FieldRef>, Vec<ArrayRef>);

/// The columns of these names, if they have these types.
pub(super) fn select(table: &'static str, expected: &[FieldRef], batch: &RecordBatch) -> Result<Selected, TableError> {
    check(table, expected.iter(), batch.schema_ref().fields(), "")?;
    let columns = expected.iter().filter_map(|field| batch.schema_ref().column_with_name(field.name()));
    Ok(columns.filter_map(|(at, field)| Some((Arc::new(field.clone()), batch.columns().get(at)?.clone()))).unzip())
}

/// Checks that every expected column is there with its type; others may stand beside it.
pub(super) fn check<'a>(
    table: &'static str,
    expected: impl IntoIterator<Item = &'a FieldRef>,
    found: &Fields,
    above: &str,
) -> Result<(), TableError> {
    for field in expected {
        let column = if above.is_empty() { field.name().clone() } else { format!("{above}.{}", field.name()) };
        match found.iter().find(|candidate| candidate.name() == field.name()) {
            None => {
                return Err(TableError::Missing { table, column, expected: type_name(field.data_type()) });
            }
            Some(candidate) => check_type(table, field.data_type(), candidate.data_type(), &column)?,
        }
    }
    Ok(())
}

fn check_type(table: &'static str, expected: &DataType, found: &DataType, column: &str) -> Result<(), TableError> {
    match (expected, found) {
        (DataType::Struct(expected), DataType::Struct(found)) => check(table, expected, found, column),
        (DataType::List(expected), DataType::List(found)) => {
            check_type(table, expected.data_type(), found.data_type(), column)
        }
        _ if expected == found => Ok(()),
        _ => Err(TableError::Type {
            table,
            column: column.to_owned(),
            expected: type_name(expected),
            found: type_name(found),
        }),
    }
}

/// A type in the words of the reference.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(_) => "group".to_owned(),
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        DataType::Utf8 => "string".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::FixedSizeBinary(length) => format!("{length} bytes"),
        other => other.to_string(),
    }
}
