//! A lake, opened: its state, and the ways to read and change it.

use super::{
    DataFile, LedgerError, Publication, Record, Snapshot, checkpoint,
    names::{self, LAKE_FILE, LAYOUT, LEDGER, LedgerFile, MOST_BUCKETS},
    record::{LAKE_FILE_BYTES, parse},
};
use crate::store::{Contents, Lock, Store, StoreError};
use monologue_model::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::{collections::BTreeMap, io, sync::Arc};

/// Listings of the ledger before a gap is believed: one that is made while publications are added may miss some.
const LISTINGS: usize = 3;

/// What is settled when a lake is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Buckets that owners are spread over, 1 to 1000.
    pub buckets: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { buckets: 64 }
    }
}

/// `lake.json`
#[derive(Debug, Serialize, Deserialize)]
struct LakeFile {
    layout: u64,
    buckets: u16,
}

/// A lake, opened for reading or for writing.
///
/// It shows the state as of its opening, and its own publications. To see those of others, open it again.
#[derive(Debug)]
pub struct Lake {
    pub(super) store: Arc<dyn Store>,
    pub(super) buckets: u16,
    pub(super) snapshot: Snapshot,
    /// `None` means it was opened for reading.
    pub(super) lock: Option<Lock>,
    /// Publications whose files are perhaps not all in their places, with their staging folders.
    pub(super) pending: BTreeMap<u64, String>,
    /// Whether a commit of this process failed without telling if it came through.
    pub(super) in_doubt: bool,
}

impl Lake {
    /// Makes a new lake and opens it for writing.
    ///
    /// # Errors
    /// When there is a lake already, another writer has the lock, or the store refuses.
    pub fn create(store: Arc<dyn Store>, options: Options) -> Result<Self, LedgerError> {
        if !(1..=MOST_BUCKETS).contains(&options.buckets) {
            return Err(LedgerError::invalid("1 to 1000 buckets", options.buckets.to_string()));
        }
        let lock = store.lock()?;
        if store.list(LEDGER)?.iter().any(|file| names::parse_ledger_path(&file.path).is_some()) {
            return Err(match store.size(LAKE_FILE)? {
                Some(_) => LedgerError::LakeExists { address: store.address() },
                None => LedgerError::corrupt(LAKE_FILE, "expected it beside the ledger, found none"),
            });
        }
        let content = serde_json::to_vec(&LakeFile { layout: LAYOUT, buckets: options.buckets })
            .map_err(|error| LedgerError::corrupt(LAKE_FILE, error.to_string()))?;
        match store.put_new(LAKE_FILE, &content) {
            Err(StoreError::Exists { .. }) => Err(LedgerError::LakeExists { address: store.address() }),
            Err(error) => Err(error.into()),
            Ok(()) => Self::open_locked(store, lock),
        }
    }

    /// Opens a lake for reading. Needs no lock and waits for nobody.
    ///
    /// If a writer was killed before its last publication was in place, and no writer runs, this puts it in place, so
    /// that those who read the folders see it too. Where that is not possible, reading through the lake works all the same.
    ///
    /// # Errors
    /// When there is no lake, it was written by a newer version, or its ledger is damaged.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, LedgerError> {
        let mut lake = Self::load(store)?;
        if !lake.pending.is_empty()
            && let Ok(lock) = lake.store.lock()
            && lock.excludes_others()
            && let Ok(mut settled) = Self::open_locked(lake.store.clone(), lock)
        {
            settled.lock = None;
            lake = settled;
        }
        Ok(lake)
    }

    /// Opens a lake for writing, ends what a killed writer left half done, and deletes what it left over.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when another writer has the lock or the store refuses.
    pub fn open_for_writing(store: Arc<dyn Store>) -> Result<Self, LedgerError> {
        if store.size(LAKE_FILE)?.is_none() {
            // Nothing is made where no lake is, not even a lock file.
            return Err(LedgerError::NoLake { address: store.address() });
        }
        let lock = store.lock()?;
        Self::open_locked(store, lock)
    }

    /// Opens a lake for writing, making it first if there is none. An existing lake keeps its number of buckets.
    ///
    /// # Errors
    /// As [`open_for_writing`](Self::open_for_writing) and [`create`](Self::create).
    pub fn open_or_create(store: Arc<dyn Store>, options: Options) -> Result<Self, LedgerError> {
        if store.size(LAKE_FILE)?.is_none() {
            match Self::create(store.clone(), options) {
                Err(LedgerError::LakeExists { .. }) => {}
                other => return other,
            }
        }
        Self::open_for_writing(store)
    }

    /// The ledger is read only after the lock is taken: before, another writer could still add to it.
    fn open_locked(store: Arc<dyn Store>, lock: Lock) -> Result<Self, LedgerError> {
        // A commit whose durability its writer did not live to see is made durable before anything rests on it.
        store.sync(&[LEDGER])?;
        let mut lake = Self::load(store)?;
        lake.lock = Some(lock);
        lake.settle()?;
        Ok(lake)
    }

    fn load(store: Arc<dyn Store>) -> Result<Self, LedgerError> {
        let content = store.read(LAKE_FILE, LAKE_FILE_BYTES).map_err(|error| match error {
            StoreError::NotFound { .. } => LedgerError::NoLake { address: store.address() },
            error => error.into(),
        })?;
        let LakeFile { buckets, .. } = parse(LAKE_FILE, &content)?;
        if !(1..=MOST_BUCKETS).contains(&buckets) {
            return Err(LedgerError::corrupt(LAKE_FILE, format!("expected 1 to 1000 buckets, found {buckets}")));
        }
        let snapshot = load_snapshot(&*store, buckets)?;
        let mut lake = Self { store, buckets, snapshot, lock: None, pending: BTreeMap::new(), in_doubt: false };
        lake.find_pending()?;
        Ok(lake)
    }

    /// Staging folders are looked at after the ledger: a publication seen there whose folder is gone is in place.
    fn find_pending(&mut self) -> Result<(), LedgerError> {
        for folder in self.staging_folders()?.into_keys() {
            let number = names::parse_staging_folder(&folder).filter(|number| *number <= self.snapshot.number());
            let Some(number) = number else { continue };
            if self.record(number)?.staging == folder {
                self.pending.insert(number, folder);
            }
        }
        Ok(())
    }

    /// Where the lake lies, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        self.store.address()
    }

    /// Buckets that owners are spread over.
    #[must_use]
    pub const fn buckets(&self) -> u16 {
        self.buckets
    }

    /// What the lake holds.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What one publication said.
    ///
    /// # Errors
    /// When there is no such publication, or its file is damaged.
    pub fn record(&self, number: u64) -> Result<Record, LedgerError> {
        Record::load(&*self.store, number, self.buckets)
    }

    /// Opens a data file, for a Parquet reader.
    ///
    /// # Errors
    /// When it was removed by a later publication, is damaged, or cannot be read.
    pub fn read(&self, file: &DataFile) -> Result<Contents, LedgerError> {
        let contents = self.open_file(file)?;
        let bytes = parquet::file::reader::Length::len(&contents);
        if bytes != file.bytes {
            return Err(LedgerError::corrupt(&file.path(), format!("expected {} bytes, found {bytes}", file.bytes)));
        }
        Ok(contents)
    }

    /// A file of a publication that is being put in place may still lie in staging, or be moved while we look.
    fn open_file(&self, file: &DataFile) -> Result<Contents, LedgerError> {
        let placed = file.path();
        let staged =
            self.pending.get(&file.publication).map(|folder| names::staged_path(folder, names::file_name(&placed)));
        for path in [Some(&*placed), staged.as_deref(), staged.as_ref().and(Some(&*placed))].into_iter().flatten() {
            match self.store.open(path, file.bytes) {
                Err(StoreError::NotFound { .. }) => {}
                other => return Ok(other?),
            }
        }
        Err(LedgerError::Gone { path: placed })
    }

    /// Reads a data file whole and compares its hash with the ledger's.
    ///
    /// # Errors
    /// When they differ, or it cannot be read.
    pub fn verify(&self, file: &DataFile) -> Result<(), LedgerError> {
        let mut hasher = sha2::Sha256::new();
        let mut reader = self.read(file)?.reader().map_err(|source| StoreError::io("read", &file.path(), source))?;
        io::copy(&mut reader, &mut io_hash(&mut hasher))
            .map_err(|source| StoreError::io("read", &file.path(), source))?;
        let found = Sha256::from_bytes(hasher.finalize().into());
        if found != file.sha256 {
            let problem = format!("expected content with the hash {}, found {found}", file.sha256);
            return Err(LedgerError::corrupt(&file.path(), problem));
        }
        Ok(())
    }

    /// Begins a publication.
    ///
    /// # Errors
    /// When the lake was opened for reading, a commit is in doubt, or the store refuses.
    pub fn begin(&mut self) -> Result<Publication<'_>, LedgerError> {
        if self.lock.is_none() {
            return Err(LedgerError::NotWritable { state: "opened for reading" });
        }
        if self.in_doubt {
            return Err(LedgerError::NotWritable { state: "whose last commit is in doubt" });
        }
        if !self.pending.is_empty() {
            self.settle()?;
        }
        Publication::begin(self)
    }

    /// Removes the data files of all dates before `date` (such as `2026-03-02`), in one publication at `time`.
    /// What was taken from sources stays in the ledger, so it is not taken again.
    ///
    /// Gives the publication; `None` means there was nothing to remove.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`Publication::publish`].
    pub fn retain_since(&mut self, date: &str, time: Timestamp) -> Result<Option<u64>, LedgerError> {
        if !names::is_date(date) {
            return Err(LedgerError::invalid("a date such as 2026-03-02", date));
        }
        let before = self.snapshot.files().filter(|file| *file.date < *date);
        let paths: Vec<String> = before.map(|file| file.path()).collect();
        if paths.is_empty() {
            return Ok(None);
        }
        let mut publication = self.begin()?;
        paths.iter().try_for_each(|path| publication.remove(path))?;
        publication.publish(time).map(Some)
    }

    /// Reads the ledger again, as others may have added to it.
    pub(super) fn newest_snapshot(&self) -> Result<Snapshot, LedgerError> {
        load_snapshot(&*self.store, self.buckets)
    }
}

/// Writes into a hasher.
pub(super) fn io_hash(hasher: &mut sha2::Sha256) -> impl io::Write {
    struct Hashing<'a>(&'a mut sha2::Sha256);
    impl io::Write for Hashing<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    Hashing(hasher)
}

/// The newest checkpoint, and every publication after it.
fn load_snapshot(store: &dyn Store, buckets: u16) -> Result<Snapshot, LedgerError> {
    let (last, checkpoint) = list_ledger(store)?;
    let mut snapshot = match checkpoint {
        Some(number) => checkpoint::load(store, number, buckets)?,
        None => Snapshot::default(),
    };
    for number in snapshot.number() + 1..=last {
        let record = Record::load(store, number, buckets)?;
        snapshot.check(&record).map_err(|problem| LedgerError::corrupt(&names::ledger_path(number), problem))?;
        snapshot.apply(&record);
    }
    snapshot.pack();
    Ok(snapshot)
}

/// The last publication, and the newest checkpoint, after making sure that no number is missing.
fn list_ledger(store: &dyn Store) -> Result<(u64, Option<u64>), LedgerError> {
    let mut result = Err(LedgerError::MissingPublication { path: names::ledger_path(1) });
    for _ in 0..LISTINGS {
        let (mut last, mut checkpoint, mut missing) = (0_u64, None, None);
        // Sorted by path, so by number, and checkpoints last.
        for file in store.list(LEDGER)? {
            match names::parse_ledger_path(&file.path) {
                Some(LedgerFile::Publication(number)) => {
                    if number != last.saturating_add(1) {
                        missing = missing.or(Some(last.saturating_add(1)));
                    }
                    last = number;
                }
                Some(LedgerFile::Checkpoint(number)) => checkpoint = checkpoint.max(Some(number)),
                None => {}
            }
        }
        if checkpoint.is_some_and(|number| number > last) {
            missing = missing.or(Some(last.saturating_add(1)));
        }
        match missing {
            None => return Ok((last, checkpoint)),
            Some(number) => {
                result = Err(LedgerError::MissingPublication { path: names::ledger_path(number) });
            }
        }
    }
    result
}
