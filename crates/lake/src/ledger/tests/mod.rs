//! Tests of the ledger, and what they share: small Parquet files, and a store that fails or is interrupted at will.

mod compaction;
mod crashes;
mod hostile;
mod rules;
mod two_writers;

use super::*;
use crate::store::{Contents, Listed, Lock, MemoryStore, Store, StoreError, StoreWriter};
use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use monologue_model::{Sha256, Timestamp};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

const DAY: &str = "2026-03-02";
const LATER: &str = "2026-03-03";

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

fn memory() -> (MemoryStore, Lake) {
    let store = MemoryStore::new();
    let lake = Lake::create(Arc::new(store.clone()), Options { buckets: 8 }).unwrap();
    (store, lake)
}

fn source(name: &str, content: &[u8]) -> SourceRecord {
    SourceRecord {
        source: name.into(),
        content_sha256: Sha256::of(content),
        content_bytes: content.len() as u64,
        taken_until: content.len() as u64,
        format: Some("zeek-conn".into()),
        events: 1,
        skipped: 0,
        malformed: 0,
        problems: Vec::new(),
        refused: None,
    }
}

/// Writes rows, each an identity, as one Parquet file of a publication.
fn write_rows(
    publication: &mut Publication<'_>,
    table: &str,
    date: &str,
    bucket: u16,
    rows: &[i64],
) -> Result<DataFile, LedgerError> {
    let schema = Arc::new(Schema::new(vec![Field::new("identity", DataType::Int64, false)]));
    let staged = publication.file(table, date, bucket)?;
    let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int64Array::from(rows.to_vec()))]).unwrap();
    let in_file = |source| LedgerError::Parquet { path: String::new(), source };
    let mut writer = ArrowWriter::try_new(staged, schema, None).map_err(in_file)?;
    writer.write(&batch).map_err(in_file)?;
    let (first, last) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
    writer.into_inner().map_err(in_file)?.finish(rows.len() as u64, *first, *last)
}

/// All rows of a lake, sorted, after making sure that each file is what the ledger says.
fn rows_of(lake: &Lake) -> Vec<i64> {
    let mut rows = Vec::new();
    for file in lake.snapshot().files() {
        lake.verify(file).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(lake.read(file).unwrap()).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            rows.extend(batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values());
        }
    }
    rows.sort_unstable();
    rows
}

/// What a reader of the folders sees: all Parquet files outside of staging.
fn glob(store: &dyn Store) -> Vec<String> {
    let files = store.list("").unwrap().into_iter().map(|file| file.path);
    files.filter(|path| path.ends_with(".parquet") && !path.starts_with("_staging/")).collect()
}

fn held(lake: &Lake) -> Vec<String> {
    lake.snapshot().files().map(|file| file.path()).collect()
}

/// How an operation of a [`Scripted`] store ends the process.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Death {
    /// Before the operation took effect.
    Before,
    /// After it took effect, unheard.
    After,
}

type Interruption = Box<dyn FnOnce() + Send>;

/// A store whose process dies, or is interrupted by something else, at a chosen operation. A dead one refuses everything.
struct Scripted {
    inner: Arc<dyn Store>,
    left: Arc<AtomicI64>,
    death: Option<Death>,
    interruption: Mutex<Option<Interruption>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scripted")
    }
}

fn dead() -> StoreError {
    StoreError::io("reach", "the store", io::Error::other("the process was killed"))
}

impl Scripted {
    fn dying(inner: Arc<dyn Store>, operations: i64, death: Death) -> Self {
        let left = Arc::new(AtomicI64::new(operations));
        Self { inner, left, death: Some(death), interruption: Mutex::new(None) }
    }

    fn interrupted(inner: Arc<dyn Store>, operations: i64, interruption: Interruption) -> Self {
        let left = Arc::new(AtomicI64::new(operations));
        Self { inner, left, death: None, interruption: Mutex::new(Some(interruption)) }
    }

    fn step<T>(&self, operation: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        let Some(death) = self.death else {
            if left == 0 {
                let interruption = self.interruption.lock().unwrap().take();
                interruption.into_iter().for_each(|interruption| interruption());
            }
            return operation();
        };
        match left {
            1.. => operation(),
            0 if death == Death::After => operation().and(Err(dead())),
            _ => Err(dead()),
        }
    }
}

/// Writing is one operation for each call.
struct ScriptedWriter {
    inner: Box<dyn StoreWriter>,
    store: Scripted,
}

impl Write for ScriptedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let inner = &mut self.inner;
        self.store
            .step(|| inner.write(bytes).map_err(|error| StoreError::io("write", "", error)))
            .map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl StoreWriter for ScriptedWriter {
    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, store } = *self;
        store.step(|| inner.close())
    }
}

impl Store for Scripted {
    fn address(&self) -> String {
        self.inner.address()
    }

    fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, StoreError> {
        self.step(|| self.inner.read(path, limit_bytes))
    }

    fn open(&self, path: &str, limit_bytes: u64) -> Result<Contents, StoreError> {
        self.step(|| self.inner.open(path, limit_bytes))
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.step(|| self.inner.size(path))
    }

    fn create(&self, path: &str) -> Result<Box<dyn StoreWriter>, StoreError> {
        let inner = self.step(|| self.inner.create(path))?;
        // An interruption stays with the store: between two writes into a file aside nothing can be seen.
        let store = Scripted {
            inner: self.inner.clone(),
            left: self.left.clone(),
            death: self.death,
            interruption: Mutex::new(None),
        };
        Ok(if self.death.is_some() { Box::new(ScriptedWriter { inner, store }) } else { inner })
    }

    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.step(|| self.inner.put_new(path, bytes))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.step(|| self.inner.rename(from, to))
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        self.step(|| self.inner.delete(path))
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        self.step(|| self.inner.list(folder))
    }

    fn sync(&self, folders: &[&str]) -> Result<(), StoreError> {
        self.step(|| self.inner.sync(folders))
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        self.step(|| self.inner.lock())
    }
}
