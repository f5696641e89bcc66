//! Compaction: several small files of a table, date and bucket become one, in one publication.

use super::{DataFile, Lake, LedgerError, Publication, StagedFile};
use monologue_model::{Timestamp, containment::contain};
use parquet::{
    arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use std::collections::BTreeMap;

/// Which files to put together, and how large to let them become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactLimits {
    /// Files below this many bytes are small.
    pub small_bytes: u64,
    /// A new file takes small files up to this many bytes together.
    pub target_bytes: u64,
    /// So many small files are needed, at least two.
    pub least_files: usize,
    /// Rows of a row group. What a row group holds is kept in memory while it is written.
    pub row_group_rows: usize,
    /// Encoded bytes after which a row group ends, even with fewer rows.
    pub row_group_bytes: usize,
    /// Rows that are decoded at once.
    pub batch_rows: usize,
}

impl Default for CompactLimits {
    fn default() -> Self {
        Self {
            small_bytes: 32 << 20,
            target_bytes: 256 << 20,
            least_files: 4,
            row_group_rows: 1 << 20,
            row_group_bytes: 128 << 20,
            batch_rows: 8192,
        }
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Its publication. `None` means there was nothing to put together.
    pub publication: Option<u64>,
    /// Files that were put together.
    pub files_before: u64,
    /// Files that they became.
    pub files_after: u64,
    /// Rows in them.
    pub rows: u64,
    /// Files in the folders of tables that the lake did not hold, which were deleted.
    pub leftovers: u64,
}

/// Schema and key-value metadata, as far as they decide which files fit together.
#[derive(Clone, PartialEq)]
struct Shape {
    schema: arrow_schema::SchemaRef,
    metadata: Vec<(String, Option<String>)>,
}

impl Lake {
    /// Puts small files together, in one publication at `time`, and deletes what lies in the folders of tables without
    /// belonging to the lake. The lake holds the same rows as before; the order of rows is that of the files.
    ///
    /// Only files with the same schema and key-value metadata are put together. Rows pass in batches.
    ///
    /// # Errors
    /// When a data file is damaged, and as [`begin`](Self::begin) and [`Publication::publish`].
    pub fn compact(&mut self, limits: &CompactLimits, time: Timestamp) -> Result<Compaction, LedgerError> {
        let groups = self.groups(limits)?;
        let mut compaction = Compaction::default();
        if !groups.is_empty() {
            let mut publication = self.begin()?;
            for (shape, files) in &groups {
                let (Some(_), rows) = put_together(&mut publication, shape, files, limits)? else { continue };
                compaction.files_before += files.len() as u64;
                compaction.files_after += 1;
                compaction.rows += rows;
            }
            compaction.publication = Some(publication.publish(time)?);
        } else if self.lock.is_none() {
            return Err(LedgerError::NotWritable { state: "opened for reading" });
        }
        compaction.leftovers = self.delete_leftovers()?;
        Ok(compaction)
    }

    /// The files to put together, each group with its shape.
    fn groups(&self, limits: &CompactLimits) -> Result<Vec<(Shape, Vec<DataFile>)>, LedgerError> {
        let mut places: BTreeMap<(&str, &str, u16), Vec<&DataFile>> = BTreeMap::new();
        for file in self.snapshot.files().filter(|file| file.bytes < limits.small_bytes) {
            places.entry((&file.table, &file.date, file.bucket)).or_default().push(file);
        }
        let least = limits.least_files.max(2);
        let mut groups = Vec::new();
        for files in places.into_values().filter(|files| files.len() >= least) {
            for (shape, files) in self.by_shape(files)? {
                let packed = pack(files, limits.target_bytes).into_iter().filter(|files| files.len() >= least);
                groups.extend(packed.map(|files| (shape.clone(), files)));
            }
        }
        Ok(groups)
    }

    fn by_shape<'a>(&self, files: Vec<&'a DataFile>) -> Result<Vec<(Shape, Vec<&'a DataFile>)>, LedgerError> {
        let mut groups: Vec<(Shape, Vec<&DataFile>)> = Vec::new();
        for file in files {
            let shape = shape_of(&self.parquet(file)?);
            match groups.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, files)) => files.push(file),
                None => groups.push((shape, vec![file])),
            }
        }
        Ok(groups)
    }

    fn parquet(&self, file: &DataFile) -> Result<ParquetRecordBatchReaderBuilder<crate::store::Contents>, LedgerError> {
        let bytes = self.read(file)?;
        // Metadata is read before the ledger vouches for the bytes.
        contain(|| ParquetRecordBatchReaderBuilder::try_new(bytes))
            .unwrap_or_else(|| Err(ParquetError::General("parts of the file do not fit together".to_owned())))
            .map_err(in_file(file))
    }
}

fn in_file(file: &DataFile) -> impl Fn(ParquetError) -> LedgerError + '_ {
    |source| LedgerError::Parquet { path: file.path(), source }
}

fn shape_of<T>(builder: &parquet::arrow::arrow_reader::ArrowReaderBuilder<T>) -> Shape {
    let pairs = builder.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    // The writer adds the schema's own key again.
    let pairs = pairs.filter(|pair| pair.key != ARROW_SCHEMA_META_KEY);
    let metadata = pairs.map(|pair| (pair.key.clone(), pair.value.clone())).collect();
    Shape { schema: builder.schema().clone(), metadata }
}

/// Fills one group after the other, in order, up to the target size.
fn pack(files: Vec<&DataFile>, target_bytes: u64) -> Vec<Vec<DataFile>> {
    let mut groups: Vec<Vec<DataFile>> = Vec::new();
    let mut bytes = u64::MAX;
    for file in files {
        let with_file = bytes.saturating_add(file.bytes);
        match groups.last_mut() {
            Some(group) if with_file <= target_bytes => {
                group.push(file.clone());
                bytes = with_file;
            }
            _ => {
                groups.push(vec![file.clone()]);
                bytes = file.bytes;
            }
        }
    }
    groups
}

/// Writes one group as one file and removes its files. Gives the rows.
fn put_together(
    publication: &mut Publication<'_>,
    shape: &Shape,
    files: &[DataFile],
    limits: &CompactLimits,
) -> Result<(Option<DataFile>, u64), LedgerError> {
    let Some(first) = files.first() else { return Ok((None, 0)) };
    let staged = publication.file(&first.table, &first.date, first.bucket)?;
    let mut writer =
        ArrowWriter::try_new(staged, shape.schema.clone(), Some(properties(shape, limits))).map_err(in_file(first))?;
    for file in files {
        copy_rows(publication.lake(), file, &mut writer, limits)?;
        publication.remove(&file.path())?;
    }
    let staged = writer.into_inner().map_err(in_file(first))?;
    let rows = files.iter().map(|file| file.rows).sum();
    let first_time_ns = files.iter().map(|file| file.first_time_ns).min().unwrap_or_default();
    let last_time_ns = files.iter().map(|file| file.last_time_ns).max().unwrap_or_default();
    Ok((Some(staged.finish(rows, first_time_ns, last_time_ns)?), rows))
}

fn properties(shape: &Shape, limits: &CompactLimits) -> WriterProperties {
    let pairs: Vec<KeyValue> =
        shape.metadata.iter().map(|(key, value)| KeyValue { key: key.clone(), value: value.clone() }).collect();
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata((!pairs.is_empty()).then_some(pairs))
        .set_max_row_group_row_count(Some(limits.row_group_rows.max(1)))
        .build()
}

/// Copies the rows of one file, after making sure that it is what the ledger says.
fn copy_rows(
    lake: &Lake,
    file: &DataFile,
    writer: &mut ArrowWriter<StagedFile>,
    limits: &CompactLimits,
) -> Result<(), LedgerError> {
    lake.verify(file)?;
    let reader = lake.parquet(file)?.with_batch_size(limits.batch_rows.max(1)).build().map_err(in_file(file))?;
    let mut rows = 0_u64;
    for batch in reader {
        let batch = batch.map_err(ParquetError::from).map_err(in_file(file))?;
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(in_file(file))?;
        if writer.in_progress_size() > limits.row_group_bytes {
            writer.flush().map_err(in_file(file))?;
        }
    }
    if rows != file.rows {
        return Err(LedgerError::corrupt(&file.path(), format!("expected {} rows, found {rows}", file.rows)));
    }
    Ok(())
}
