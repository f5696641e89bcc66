//! Files: writing and reading tables as Parquet, and choosing row groups by time.

use super::{Interner, Table, TableError, decode, shape};
use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow_schema::{DataType, FieldRef, SchemaRef};
use monologue_model::{Event, containment::contain};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter},
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, RowGroupMetaData},
        properties::{EnabledStatistics, WriterProperties},
        reader::ChunkReader,
        statistics::Statistics,
    },
    schema::types::ColumnPath,
};
use std::{io::Write, iter, ops::Range};

/// The layout of the tables this version writes and reads: key `monologue.layout` of a file's metadata.
pub const LAYOUT: u32 = 3;

/// Rows of a row group, at most.
pub const ROW_GROUP_ROWS: usize = 65_536;

/// Rows decoded at once, at most.
const BATCH_ROWS: usize = 8192;

/// Bytes decoded at once, about.
const BATCH_BYTES: i64 = 32 << 20;

/// Key of the layout in a file's metadata.
const LAYOUT_KEY: &str = "monologue.layout";

/// Key of the table in a file's metadata.
const TABLE_KEY: &str = "monologue.table";

/// A file whose first batch has fewer rows is small: it is compressed by Snappy, which starts at no cost. Zstandard makes
/// smaller files, but its contexts ask the processor for its features, twice for each column, which in a virtual machine
/// takes longer than to write a few hundred rows. States come in batches of fewer rows, always: what is large in them are
/// the columns in `LONG`.
const SMALL_ROWS: usize = 4096;

/// Columns of long texts, worth Zstandard in small files too.
const LONG: [&str; 3] = ["outcome", "state", "summary"];

/// Columns whose values hardly ever repeat: a dictionary of them is wasted work.
const DISTINCT: [&str; 7] =
    ["time_ns", "time", "provenance.offset", "provenance.length", "provenance.sha256", "summary", "state"];

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Least time, nanoseconds since the epoch. `None` means no row was written.
    pub first_ns: Option<i64>,
    /// Greatest time, nanoseconds since the epoch. `None` means no row was written.
    pub last_ns: Option<i64>,
}

/// Which rows to read, by `time_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Select {
    /// First moment, nanoseconds since the epoch.
    pub from_ns: i64,
    /// First moment no longer wanted. `i64::MAX` means no end: that moment is read too.
    pub until_ns: i64,
}

impl Select {
    /// All rows.
    pub const ALL: Self = Self { from_ns: i64::MIN, until_ns: i64::MAX };

    const fn takes(&self, value: i64) -> bool {
        self.from_ns <= value && (value < self.until_ns || self.until_ns == i64::MAX)
    }

    const fn takes_some(&self, least: i64, greatest: i64) -> bool {
        self.from_ns <= greatest && (least < self.until_ns || self.until_ns == i64::MAX)
    }
}

/// Writes batches of an event table as one Parquet file.
///
/// # Errors
/// When a batch has other columns than the table, or `to` fails.
pub fn write(
    table: Table,
    batches: impl Iterator<Item = RecordBatch>,
    to: impl Write + Send,
) -> Result<Written, TableError> {
    write_columns(table.name(), table.schema(), ["time_ns", "time_ns"], batches, to)
}

/// Writes batches of one schema; `times` are the columns whose least and greatest value are told.
pub(super) fn write_columns(
    table: &'static str,
    schema: SchemaRef,
    times: [&str; 2],
    batches: impl Iterator<Item = RecordBatch>,
    to: impl Write + Send,
) -> Result<Written, TableError> {
    let mut batches = batches.peekable();
    let is_small = batches.peek().is_none_or(|batch| batch.num_rows() < SMALL_ROWS);
    let mut writer = ArrowWriter::try_new(to, schema, Some(properties(table, is_small)?))?;
    let mut written = Written::default();
    let [first, last] = times;
    for batch in batches {
        writer.write(&batch)?;
        written.rows += batch.num_rows() as u64;
        written.first_ns = values(&batch, first).chain(written.first_ns).min();
        written.last_ns = values(&batch, last).chain(written.last_ns).max();
    }
    writer.close()?;
    Ok(written)
}

fn values<'a>(batch: &'a RecordBatch, column: &str) -> impl Iterator<Item = i64> + use<'a> {
    let column = batch.column_by_name(column).and_then(|column| column.as_any().downcast_ref::<Int64Array>());
    column.into_iter().flat_map(Int64Array::iter).flatten()
}

fn properties(table: &'static str, is_small: bool) -> Result<WriterProperties, TableError> {
    let metadata = [(LAYOUT_KEY, LAYOUT.to_string()), (TABLE_KEY, table.to_owned())];
    let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let thorough = Compression::ZSTD(ZstdLevel::try_new(1)?);
    let mut builder = WriterProperties::builder()
        .set_compression(if is_small { Compression::SNAPPY } else { thorough })
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(metadata.into()));
    for column in LONG {
        builder = builder.set_column_compression(path(column), thorough);
    }
    for column in DISTINCT {
        builder = builder.set_column_dictionary_enabled(path(column), false);
    }
    for column in ["provenance.sha256", "summary", "state"] {
        builder = builder.set_column_statistics_enabled(path(column), EnabledStatistics::None);
    }
    Ok(builder.build())
}

fn path(column: &str) -> ColumnPath {
    ColumnPath::new(column.split('.').map(str::to_owned).collect())
}

/// Reads the events of a file whose time is wanted. Row groups without any are not touched.
///
/// # Errors
/// When the file is not one of this table and layout, or a column is missing or of another type. The iterator yields an
/// error, and then ends, when the bytes are not as they should be.
pub fn read<'a, R: ChunkReader + 'static>(
    table: Table,
    source: R,
    select: &Select,
    interner: &'a mut Interner,
) -> Result<impl Iterator<Item = Result<Vec<Event>, TableError>> + use<'a, R>, TableError> {
    let needed: Vec<FieldRef> = table.plan().needed().cloned().collect();
    let mut batches = read_columns(table.name(), &needed, "time_ns", source, select)?;
    Ok(until_error(move || {
        Some(batches.next()?.and_then(|batch| {
            // The interner lives as long as the iterator, not longer.
            decode(table, &batch, interner)
        }))
    }))
}

/// An iterator that ends after its first error.
pub(super) fn until_error<T>(
    mut next: impl FnMut() -> Option<Result<T, TableError>>,
) -> impl Iterator<Item = Result<T, TableError>> {
    let mut failed = false;
    iter::from_fn(move || {
        if failed {
            return None;
        }
        let item = next()?;
        failed = item.is_err();
        Some(item)
    })
}

/// Reads the needed columns of the rows whose value of the column `by` is wanted.
pub(super) fn read_columns<R: ChunkReader + 'static>(
    table: &'static str,
    needed: &[FieldRef],
    by: &'static str,
    source: R,
    select: &Select,
) -> Result<Batches, TableError> {
    contained(|| open(table, needed, by, source, select)).map(Batches)
}

/// Batches of a file. To be used no longer after an error.
pub(super) struct Batches(ParquetRecordBatchReader);

impl Iterator for Batches {
    type Item = Result<RecordBatch, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        contained(|| Ok(self.0.next().transpose().map_err(ParquetError::from)?)).transpose()
    }
}

/// Runs the library that reads Parquet: it takes files on trust, and may panic on one whose parts do not fit together.
fn contained<T>(run: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let misfit = || ParquetError::General("parts of the file do not fit together".to_owned());
    contain(run).unwrap_or_else(|| Err(misfit().into()))
}

fn open<R: ChunkReader + 'static>(
    table: &'static str,
    needed: &[FieldRef],
    by: &'static str,
    source: R,
    select: &Select,
) -> Result<ParquetRecordBatchReader, TableError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(source)?;
    check_metadata(table, builder.metadata().file_metadata().key_value_metadata())?;
    shape::check(table, needed, builder.schema().fields(), "")?;
    let mut leaves = Vec::new();
    needed.iter().for_each(|field| name_leaves(field, "", &mut leaves));
    let leaves = leaves.iter().map(String::as_str);
    let columns = ProjectionMask::columns(builder.parquet_schema(), leaves);
    let time = ProjectionMask::columns(builder.parquet_schema(), [by]);
    let groups = builder.metadata().row_groups();
    let (mut wanted, mut whole) = (Vec::new(), true);
    for (number, group) in groups.iter().enumerate() {
        let range = range_of(group, by);
        if range.as_ref().is_none_or(|range| select.takes_some(range.start, range.end)) {
            wanted.push(number);
            whole &= range.is_some_and(|range| select.takes(range.start) && select.takes(range.end));
        }
    }
    let rows = batch_rows(groups);
    let mut builder = builder.with_projection(columns).with_row_groups(wanted).with_batch_size(rows);
    if !whole {
        let select = *select;
        let filter = ArrowPredicateFn::new(time, move |batch: RecordBatch| Ok(rows_wanted(&batch, select)));
        builder = builder.with_row_filter(RowFilter::new(vec![Box::new(filter)]));
    }
    Ok(builder.build()?)
}

/// Rows to decode at once: fewer where they are large.
fn batch_rows(groups: &[RowGroupMetaData]) -> usize {
    let largest = groups.iter().map(|group| group.total_byte_size() / group.num_rows().max(1)).max().unwrap_or(0);
    usize::try_from(BATCH_BYTES / largest.max(1)).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
}

fn rows_wanted(batch: &RecordBatch, select: Select) -> BooleanArray {
    let column = batch.columns().first().and_then(|column| column.as_any().downcast_ref::<Int64Array>());
    match column {
        // A row without a time is kept: decoding says what is wrong with it.
        Some(times) => times.iter().map(|time| Some(time.is_none_or(|time| select.takes(time)))).collect(),
        None => iter::repeat_n(Some(true), batch.num_rows()).collect(),
    }
}

/// Least and greatest value of a column in a row group, as its statistics say. `None` where they say nothing.
fn range_of(group: &RowGroupMetaData, column: &str) -> Option<Range<i64>> {
    let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    match chunk.statistics()? {
        Statistics::Int64(statistics) => Some(*statistics.min_opt()?..*statistics.max_opt()?),
        _ => None,
    }
}

fn check_metadata(table: &'static str, metadata: Option<&Vec<KeyValue>>) -> Result<(), TableError> {
    for (key, expected) in [(LAYOUT_KEY, LAYOUT.to_string()), (TABLE_KEY, table.to_owned())] {
        let found = metadata.into_iter().flatten().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
        if found.as_ref() != Some(&expected) {
            return Err(TableError::File { key, expected, found });
        }
    }
    Ok(())
}

/// Adds the Parquet paths of the leaves of a field, as [`ProjectionMask::columns`] takes them.
fn name_leaves(field: &FieldRef, above: &str, leaves: &mut Vec<String>) {
    let path = if above.is_empty() { field.name().clone() } else { format!("{above}.{}", field.name()) };
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().for_each(|field| name_leaves(field, &path, leaves)),
        _ => leaves.push(path),
    }
}
