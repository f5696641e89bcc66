//! Access: reading data files while others are written, or only reading.

use anyhow::{Context, Result};
use monologue_lake::{
    ledger::{DataFile, Lake, LedgerError, Publication, Snapshot, StagedFile},
    tables::{self, Interner, Select, Table},
};
use monologue_model::Event;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lake that is only read, or read while a publication is written.
pub(super) enum Access<'a> {
    /// Nothing is written.
    Reading(&'a Lake),
    /// What is decided is kept.
    Writing(Box<Mutex<Publication<'a>>>),
}

impl Access<'_> {
    /// Looks at the lake.
    pub(super) fn with_lake<T>(&self, look: impl FnOnce(&Lake) -> T) -> T {
        match self {
            Self::Reading(lake) => look(lake),
            Self::Writing(publication) => look(locked(publication).lake()),
        }
    }

    /// The data files of a table and bucket, all dates.
    pub(super) fn files(&self, table: &str, bucket: u16) -> Vec<DataFile> {
        let of_bucket =
            |snapshot: &Snapshot| snapshot.files_of(table).filter(|file| file.bucket == bucket).cloned().collect();
        self.with_lake(|lake| of_bucket(lake.snapshot()))
    }

    /// The data files of a table, date and bucket.
    pub(super) fn files_at(&self, table: &str, date: &str, bucket: u16) -> Vec<DataFile> {
        self.with_lake(|lake| lake.snapshot().files_at(table, date, bucket).cloned().collect())
    }

    /// Opens a data file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(&self, file: &DataFile) -> Result<monologue_lake::store::Contents> {
        self.with_lake(|lake| lake.read(file)).with_context(|| format!("cannot read {}", file.path()))
    }

    /// The events of a data file in a stretch of time.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn events(
        &self,
        file: &DataFile,
        select: &Select,
        interner: &mut Interner,
        mut take: impl FnMut(Event),
    ) -> Result<()> {
        let Some(table) = Table::from_name(&file.table) else { return Ok(()) };
        let context = || format!("cannot read {}", file.path());
        for batch in tables::read(table, self.open(file)?, select, interner).with_context(context)? {
            batch.with_context(context)?.into_iter().for_each(&mut take);
        }
        Ok(())
    }

    /// Whether what is decided is kept.
    pub(super) const fn keeps(&self) -> bool {
        matches!(self, Self::Writing(_))
    }

    /// Begins a data file in place of others. `None`: nothing is kept.
    ///
    /// # Errors
    /// When the lake refuses.
    pub(super) fn replace(
        &self,
        table: &str,
        date: &str,
        bucket: u16,
        replaced: &[DataFile],
    ) -> Result<Option<StagedFile>, LedgerError> {
        let Self::Writing(publication) = self else { return Ok(None) };
        let mut publication = locked(publication);
        for file in replaced {
            publication.remove(&file.path())?;
        }
        publication.file(table, date, bucket).map(Some)
    }
}

fn locked<'a, 'b>(publication: &'b Mutex<Publication<'a>>) -> MutexGuard<'b, Publication<'a>> {
    publication.lock().unwrap_or_else(PoisonError::into_inner)
}
