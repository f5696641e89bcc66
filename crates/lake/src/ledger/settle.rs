//! Rolling forward: what is committed is put in its place, what never will be is deleted.

use super::{
    Lake, LedgerError, Record,
    names::{self, STAGING},
};
use crate::store::{Lock, StoreError, folder_of};
use std::collections::{BTreeMap, BTreeSet};

impl Lake {
    /// What lies in staging: paths by folder.
    pub(super) fn staging_folders(&self) -> Result<BTreeMap<String, Vec<String>>, LedgerError> {
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in self.store.list(STAGING)? {
            let rest = file.path.strip_prefix(STAGING).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
            let folder = rest.split('/').next().unwrap_or_default().to_owned();
            folders.entry(folder).or_default().push(file.path);
        }
        Ok(folders)
    }

    /// Whether there is certainly no other writer.
    fn excludes_others(&self) -> bool {
        self.lock.as_ref().is_some_and(Lock::excludes_others)
    }

    /// Ends every publication that is committed and not yet in place, oldest first, and deletes the staging folders of
    /// those that can never be committed.
    ///
    /// A folder aims at a number. If that number is committed by another folder, this one is lost for good. If it is
    /// not committed yet, its writer may still be at work, unless we are the only one.
    pub(super) fn settle(&mut self) -> Result<(), LedgerError> {
        let last = self.snapshot.number();
        for (folder, paths) in self.staging_folders()? {
            match names::parse_staging_folder(&folder).filter(|number| *number <= last) {
                Some(number) => {
                    let record = self.record(number)?;
                    if record.staging == folder {
                        self.put_in_place(&record, &paths.iter().map(String::as_str).collect())?;
                    }
                }
                None if !self.excludes_others() => continue,
                None => {}
            }
            self.clear(&folder, &paths)?;
        }
        self.pending.clear();
        Ok(())
    }

    /// Moves what a publication added to its place, and deletes what it removed. May be done any number of times.
    pub(super) fn put_in_place(&self, record: &Record, staged: &BTreeSet<&str>) -> Result<(), LedgerError> {
        let mut folders = BTreeSet::new();
        for file in &record.added {
            // A later publication may have removed it: then it must not come back.
            if !self.snapshot.holds(file) {
                continue;
            }
            let path = file.path();
            let from = names::staged_path(&record.staging, names::file_name(&path));
            let moved = staged.contains(from.as_str()).then(|| self.store.rename(&from, &path));
            match moved {
                Some(Ok(())) => {}
                // Moved already, by an earlier attempt or by another who settles the same publication.
                None | Some(Err(StoreError::NotFound { .. })) => {
                    if self.store.size(&path)? != Some(file.bytes) && !self.is_followed(record)? {
                        let problem = "expected it here or in staging, found it in neither";
                        return Err(LedgerError::corrupt(&path, problem));
                    }
                }
                Some(Err(error)) => return Err(error.into()),
            }
            folders.insert(folder_of(&path).to_owned());
        }
        for path in &record.removed {
            self.store.delete(path)?;
            folders.insert(folder_of(path).to_owned());
        }
        // Before the staging folder goes, which is what says that this is still to do.
        self.store.sync(&folders.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.withdraw_what_is_removed_by_now(record)
    }

    /// Whether another writer published after this one; it settled this one first. Never where we are the only one.
    fn is_followed(&self, record: &Record) -> Result<bool, LedgerError> {
        let next = names::ledger_path(record.number + 1);
        Ok(!self.excludes_others() && self.store.size(&next)?.is_some())
    }

    /// A copy that took long may land after another writer removed the file: it is deleted again.
    fn withdraw_what_is_removed_by_now(&self, record: &Record) -> Result<(), LedgerError> {
        if !self.is_followed(record)? {
            return Ok(());
        }
        let newest = self.newest_snapshot()?;
        let removed = record.added.iter().filter(|file| !newest.holds(file));
        Ok(removed.into_iter().try_for_each(|file| self.store.delete(&file.path()))?)
    }

    /// Deletes a staging folder; its marker last, so that a folder is there as long as anything is left to do.
    pub(super) fn clear(&self, folder: &str, paths: &[String]) -> Result<(), LedgerError> {
        let marker = names::staged_path(folder, names::MARKER);
        for path in paths.iter().filter(|path| **path != marker) {
            self.store.delete(path)?;
        }
        Ok(self.store.delete(&marker)?)
    }

    /// Deletes files in the folders of tables that the lake does not hold: of publications up to the last, and, if
    /// nobody else writes, of later ones. Files with names that the lake does not write are left alone.
    pub(super) fn delete_leftovers(&self) -> Result<u64, LedgerError> {
        let mut deleted = 0;
        for file in self.store.list("")? {
            let Some(names::DataPath { publication, .. }) = names::parse_data_path(&file.path) else { continue };
            let ours = publication <= self.snapshot.number() || self.excludes_others();
            if ours && self.snapshot.file(&file.path).is_none() {
                self.store.delete(&file.path)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}
