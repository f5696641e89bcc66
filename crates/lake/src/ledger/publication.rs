//! A publication in the making: files written aside, then one atomic step.

use super::{
    DataFile, Lake, LedgerError, Record, SourceRecord, checkpoint,
    lake::io_hash,
    names::{self, CHECKPOINT_EVERY, LAYOUT, MARKER, STAGING},
    record::RECORD_BYTES,
};
use crate::store::{StoreError, StoreWriter, unique_name};
use monologue_model::{Sha256, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Digest;
use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A publication in the making. Dropped without [`publish`](Self::publish), it leaves no trace.
#[derive(Debug)]
pub struct Publication<'a> {
    lake: &'a mut Lake,
    number: u64,
    staging: String,
    files: Arc<Mutex<Files>>,
    removed: BTreeSet<String>,
    sources: Vec<SourceRecord>,
    facts: Vec<Box<RawValue>>,
    /// Whether the staging folder is to stay when this is dropped.
    keep_staging: bool,
}

/// The data files of a publication, shared with those who write them.
#[derive(Debug, Default)]
struct Files {
    begun: u32,
    open: u64,
    finished: Vec<DataFile>,
}

fn locked(files: &Mutex<Files>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Publication<'a> {
    pub(super) fn begin(lake: &'a mut Lake) -> Result<Self, LedgerError> {
        let number = lake.snapshot.number() + 1;
        let staging = names::staging_folder(number, &unique_name());
        lake.store.create(&names::staged_path(&staging, MARKER))?.close()?;
        Ok(Self {
            lake,
            number,
            staging,
            files: Arc::default(),
            removed: BTreeSet::new(),
            sources: Vec::new(),
            facts: Vec::new(),
            keep_staging: false,
        })
    }

    /// The number that it will have.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The lake as it was before.
    #[must_use]
    pub const fn lake(&self) -> &Lake {
        self.lake
    }

    /// Begins a data file: rows of one table, date (such as `2026-03-02`) and bucket. Many can be open at once, and be
    /// written by other threads. Each must be finished or abandoned before [`publish`](Self::publish).
    ///
    /// # Errors
    /// When table, date or bucket cannot be part of a path in this lake, or the store refuses.
    pub fn file(&mut self, table: &str, date: &str, bucket: u16) -> Result<StagedFile, LedgerError> {
        if !names::is_table(table) {
            return Err(LedgerError::invalid("a table named with lower-case letters, digits, - and _", table));
        }
        if !names::is_date(date) {
            return Err(LedgerError::invalid("a date such as 2026-03-02", date));
        }
        if bucket >= self.lake.buckets {
            return Err(LedgerError::invalid("a bucket that the lake has", bucket.to_string()));
        }
        let count = locked(&self.files).begun.saturating_add(1);
        let place = Place { table: table.into(), date: date.into(), bucket, publication: self.number, count };
        let path = place.path();
        if names::parse_data_path(&path).is_none() {
            return Err(LedgerError::invalid("fewer than a million files in a publication", path));
        }
        let writer = self.lake.store.create(&names::staged_path(&self.staging, names::file_name(&path)))?;
        let mut files = locked(&self.files);
        files.begun = count;
        files.open += 1;
        Ok(StagedFile {
            writer,
            hasher: sha2::Sha256::new(),
            bytes: 0,
            failed: false,
            place,
            files: self.files.clone(),
        })
    }

    /// Removes a data file that the lake holds.
    ///
    /// # Errors
    /// When it does not hold it, or it is removed already.
    pub fn remove(&mut self, path: &str) -> Result<(), LedgerError> {
        if self.lake.snapshot.file(path).is_none() || !self.removed.insert(path.to_owned()) {
            return Err(LedgerError::invalid("a data file that the lake holds", path));
        }
        Ok(())
    }

    /// Says what was taken from a source.
    pub fn source(&mut self, source: SourceRecord) {
        self.sources.push(source);
    }

    /// States a fact, to be kept as JSON.
    ///
    /// # Errors
    /// When it has no form in JSON.
    pub fn fact(&mut self, fact: &impl Serialize) -> Result<(), LedgerError> {
        let value = serde_json::value::to_raw_value(fact)
            .map_err(|error| LedgerError::invalid("a fact that JSON can hold", error.to_string()))?;
        self.facts.push(value);
        Ok(())
    }

    /// Whether publishing it would change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        locked(&self.files).finished.is_empty()
            && self.removed.is_empty()
            && self.sources.is_empty()
            && self.facts.is_empty()
    }

    /// Commits it, at a time that the caller gives, and puts its files in their places. Gives its number.
    ///
    /// # Errors
    /// - [`LedgerError::Outrun`] when another writer was first: nothing of this one is in the lake;
    /// - [`LedgerError::Unfinished`] when it is committed, and something after that failed;
    /// - [`LedgerError::InDoubt`] when only opening the lake again can tell;
    /// - any other: nothing of this one is in the lake.
    pub fn publish(mut self, time: Timestamp) -> Result<u64, LedgerError> {
        let record = self.take_record(time)?;
        let content = self.to_bytes(&record)?;
        self.lake.store.sync(&[&format!("{STAGING}/{}", self.staging)])?;
        // From here on the staging folder may be what a committed publication consists of.
        self.keep_staging = true;
        self.commit(&content)?;
        // A hunt of years adds tens of thousands of files: their list need not be in memory once more.
        drop(content);
        self.lake.pending.insert(self.number, self.staging.clone());
        self.lake.snapshot.apply(&record);
        let number = self.number;
        self.finish(&record).map_err(|error| LedgerError::Unfinished { number, source: Box::new(error) })?;
        Ok(number)
    }

    fn take_record(&mut self, time: Timestamp) -> Result<Record, LedgerError> {
        let mut files = locked(&self.files);
        if files.open > 0 {
            return Err(LedgerError::invalid(
                "every data file to be finished or abandoned before publishing",
                format!("{} that are not", files.open),
            ));
        }
        files.finished.sort_unstable();
        Ok(Record {
            layout: LAYOUT,
            number: self.number,
            time,
            program: format!("monologue {}", env!("CARGO_PKG_VERSION")),
            staging: self.staging.clone(),
            added: std::mem::take(&mut files.finished),
            removed: std::mem::take(&mut self.removed).into_iter().collect(),
            sources: std::mem::take(&mut self.sources),
            facts: std::mem::take(&mut self.facts),
        })
    }

    /// Nothing is written that would not be read again.
    fn to_bytes(&self, record: &Record) -> Result<Vec<u8>, LedgerError> {
        let checked = record.check(self.number, self.lake.buckets).and_then(|()| self.lake.snapshot.check(record));
        checked.map_err(|problem| LedgerError::invalid("a publication that can be read again", problem))?;
        let failed =
            |error: serde_json::Error| LedgerError::invalid("a publication that JSON can hold", error.to_string());
        // Counted first: a buffer that grows as it is filled takes up to three times the room for a moment.
        let mut counted = Counting(0);
        serde_json::to_writer(&mut counted, record).map_err(failed)?;
        let Counting(bytes) = counted;
        if bytes as u64 > RECORD_BYTES {
            let found = format!("{bytes} bytes");
            return Err(LedgerError::invalid("a publication of at most 256 MiB without its data files", found));
        }
        let mut content = Vec::with_capacity(bytes);
        serde_json::to_writer(&mut content, record).map_err(failed)?;
        Ok(content)
    }

    /// The commit point.
    fn commit(&mut self, content: &[u8]) -> Result<(), LedgerError> {
        let number = self.number;
        match self.lake.store.put_new(&names::ledger_path(number), content) {
            Ok(()) => Ok(()),
            // A request that was sent twice meets itself.
            Err(StoreError::Exists { .. }) => match self.lake.record(number) {
                Ok(record) if record.staging == self.staging => Ok(()),
                Ok(_) => {
                    self.keep_staging = false;
                    Err(LedgerError::Outrun { number })
                }
                Err(error) => {
                    self.lake.in_doubt = true;
                    Err(error)
                }
            },
            Err(source) => {
                self.lake.in_doubt = true;
                Err(LedgerError::InDoubt { number, source })
            }
        }
    }

    /// What follows the commit, and what the next opening does if we do not live to do it.
    fn finish(&mut self, record: &Record) -> Result<(), LedgerError> {
        let paths = self.staged_paths()?;
        self.lake.put_in_place(record, &paths.iter().map(String::as_str).collect())?;
        if self.number.is_multiple_of(CHECKPOINT_EVERY) {
            self.write_checkpoint();
        }
        self.lake.clear(&self.staging, &paths)?;
        self.lake.pending.remove(&self.number);
        Ok(())
    }

    /// A checkpoint only saves time: if it cannot be written, the numbered files say the same.
    fn write_checkpoint(&self) {
        let staged = names::staged_path(&self.staging, names::STAGED_CHECKPOINT);
        if checkpoint::write(&*self.lake.store, &staged, &self.lake.snapshot).is_err() {
            let _ = self.lake.store.delete(&staged);
        }
    }

    fn staged_paths(&self) -> Result<Vec<String>, LedgerError> {
        let listed = self.lake.store.list(&format!("{STAGING}/{}", self.staging))?;
        Ok(listed.into_iter().map(|file| file.path).collect())
    }
}

impl Drop for Publication<'_> {
    fn drop(&mut self) {
        if !self.keep_staging {
            // What cannot be deleted now is deleted by the next writer.
            let _ = self.staged_paths().and_then(|paths| self.lake.clear(&self.staging, &paths));
        }
    }
}

/// Counts what is written to it.
struct Counting(usize);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where a data file will lie.
#[derive(Debug)]
struct Place {
    table: Arc<str>,
    date: Arc<str>,
    bucket: u16,
    publication: u64,
    count: u32,
}

impl Place {
    fn path(&self) -> String {
        names::data_path(&self.table, &self.date, self.bucket, self.publication, self.count)
    }
}

/// A data file being written aside. Its bytes mean nothing to the ledger.
pub struct StagedFile {
    writer: Box<dyn StoreWriter>,
    hasher: sha2::Sha256,
    bytes: u64,
    failed: bool,
    place: Place,
    files: Arc<Mutex<Files>>,
}

impl std::fmt::Debug for StagedFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StagedFile").field("path", &self.place.path()).field("bytes", &self.bytes).finish()
    }
}

impl StagedFile {
    /// Ends the file, durably, and adds it to its publication. `first_time_ns` and `last_time_ns` are the times of its
    /// first and last row, in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// When a write failed before, the times are the wrong way round, or the store refuses. The publication can then
    /// not be published.
    pub fn finish(self, rows: u64, first_time_ns: i64, last_time_ns: i64) -> Result<DataFile, LedgerError> {
        let Self { writer, hasher, bytes, failed, place, files } = self;
        if failed {
            return Err(LedgerError::invalid("a data file without failed writes", place.path()));
        }
        if first_time_ns > last_time_ns {
            return Err(LedgerError::invalid(
                "a first time before the last",
                format!("{first_time_ns}, {last_time_ns}"),
            ));
        }
        writer.close()?;
        let sha256 = Sha256::from_bytes(hasher.finalize().into());
        let Place { table, date, bucket, publication, count } = place;
        let file =
            DataFile { table, date, bucket, publication, count, rows, bytes, first_time_ns, last_time_ns, sha256 };
        let mut files = locked(&files);
        files.finished.push(file.clone());
        files.open = files.open.saturating_sub(1);
        Ok(file)
    }

    /// Gives the file up: it will not be part of its publication.
    pub fn abandon(self) {
        let mut files = locked(&self.files);
        files.open = files.open.saturating_sub(1);
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self.writer.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failed = true;
                return Err(error);
            }
            other => other?,
        };
        io_hash(&mut self.hasher).write_all(bytes.get(..written).unwrap_or_default())?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
