//! A lake in memory: for small hunts on raw files, and for tests.

use super::{Contents, Listed, Lock, Store, StoreError, StoreWriter, check_folder, check_path, check_size};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Files in memory. A clone is the same lake. It behaves as an object store: several may write, the conditional put decides.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, path: &str, limit_bytes: u64) -> Result<Bytes, StoreError> {
        check_path(path)?;
        let bytes = self.files().get(path).cloned().ok_or_else(|| StoreError::NotFound { path: path.to_owned() })?;
        check_size(path, bytes.len() as u64, limit_bytes)?;
        Ok(bytes)
    }

    fn insert_new(&self, path: &str, bytes: Bytes) -> Result<(), StoreError> {
        check_path(path)?;
        let mut files = self.files();
        if files.contains_key(path) {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        files.insert(path.to_owned(), bytes);
        Ok(())
    }
}

impl Store for MemoryStore {
    fn address(&self) -> String {
        "memory".to_owned()
    }

    fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, StoreError> {
        self.get(path, limit_bytes).map(|bytes| bytes.to_vec())
    }

    fn open(&self, path: &str, limit_bytes: u64) -> Result<Contents, StoreError> {
        self.get(path, limit_bytes).map(Contents::Bytes)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        check_path(path)?;
        Ok(self.files().get(path).map(|bytes| bytes.len() as u64))
    }

    fn create(&self, path: &str) -> Result<Box<dyn StoreWriter>, StoreError> {
        if self.size(path)?.is_some() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        Ok(Box::new(MemoryWriter { store: self.clone(), path: path.to_owned(), bytes: Vec::new() }))
    }

    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.insert_new(path, Bytes::copy_from_slice(bytes))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        check_path(to)?;
        let mut files = self.files();
        let bytes = files.remove(from).ok_or_else(|| StoreError::NotFound { path: from.to_owned() })?;
        files.insert(to.to_owned(), bytes);
        Ok(())
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        check_path(path)?;
        self.files().remove(path);
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        check_folder(folder)?;
        let within =
            |path: &str| folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        let files = self.files();
        let found = files.iter().filter(|(path, _)| within(path));
        Ok(found.map(|(path, bytes)| Listed { path: path.clone(), bytes: bytes.len() as u64 }).collect())
    }

    fn sync(&self, _folders: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        Ok(Lock::Shared)
    }
}

/// A file being written; it appears when it is closed.
struct MemoryWriter {
    store: MemoryStore,
    path: String,
    bytes: Vec<u8>,
}

impl Write for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StoreWriter for MemoryWriter {
    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.store.insert_new(&self.path, Bytes::from(self.bytes))
    }
}
