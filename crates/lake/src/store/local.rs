//! A lake in a local folder.

use super::{
    Contents, Listed, Lock, Store, StoreError, StoreWriter, check_folder, check_path, check_size, folder_of,
    unique_name,
};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The file whose advisory lock makes its holder the only writer. It is never deleted: to delete a lock file that
/// another is about to lock would let two in.
const LOCK_FILE: &str = "lake.lock";

/// Where whole files are written before they get their name. Below the folder that a writer clears of leftovers.
const ASIDE: &str = "_staging";

/// Folders within folders that a listing follows. A lake has four.
const LISTING_DEPTH: usize = 8;

/// Most files that a listing takes.
const LISTING_FILES: usize = 10_000_000;

/// A folder of the local file system.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The lake in this folder, which need not be there yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn place(&self, path: &str) -> Result<PathBuf, StoreError> {
        check_path(path)?;
        Ok(self.root.join(path))
    }

    /// Makes the folders above `path`, which was checked.
    fn make_folders(&self, path: &str) -> Result<(), StoreError> {
        let folder = self.root.join(folder_of(path));
        fs::create_dir_all(folder).map_err(|source| StoreError::Io {
            action: "make the folder of",
            path: path.to_owned(),
            source,
        })
    }

    /// Opens a regular file: a pipe or device would block or never end.
    fn open_file(&self, path: &str, limit_bytes: u64) -> Result<(File, u64), StoreError> {
        let place = self.place(path)?;
        let io = |source| StoreError::io("read", path, source);
        if !fs::metadata(&place).map_err(io)?.is_file() {
            return Err(io(io::Error::other("expected a regular file")));
        }
        let file = File::open(&place).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        check_size(path, bytes, limit_bytes)?;
        Ok((file, bytes))
    }

    /// Deletes a folder and those above it, as far as they are empty. The lake's own folder stays.
    fn prune(&self, mut folder: &str) {
        // `remove_dir` refuses a folder that holds something.
        while !folder.is_empty() && fs::remove_dir(self.root.join(folder)).is_ok() {
            folder = folder_of(folder);
        }
    }

    fn list_into(&self, folder: &str, depth: usize, found: &mut Vec<Listed>) -> Result<(), StoreError> {
        let io = |source| StoreError::io("list", folder, source);
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io(error)),
        };
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name();
            // What the lake did not write has names it would not write: passed over.
            let Some(name) = name.to_str().filter(|name| check_path(name).is_ok()) else { continue };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            // Links are not followed: their type is neither file nor folder.
            let kind = entry.file_type().map_err(io)?;
            if kind.is_dir() && depth < LISTING_DEPTH {
                self.list_into(&path, depth + 1, found)?;
            } else if kind.is_file() {
                match entry.metadata() {
                    Ok(metadata) => found.push(Listed { path, bytes: metadata.len() }),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(io(error)),
                }
            }
            if found.len() > LISTING_FILES {
                return Err(io(io::Error::other(format!("expected at most {LISTING_FILES} files"))));
            }
        }
        Ok(())
    }

    /// Gives the file at `aside` the name `path`, only if that name is free.
    fn name_if_free(&self, aside: &Path, path: &str) -> Result<(), StoreError> {
        let place = self.place(path)?;
        match fs::hard_link(aside, &place) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(StoreError::Exists { path: path.to_owned() })
            }
            // A file system without hard links. Who publishes holds the lock, so nobody comes in between.
            Err(_) => match fs::symlink_metadata(&place) {
                Ok(_) => Err(StoreError::Exists { path: path.to_owned() }),
                Err(_) => fs::rename(aside, &place).map_err(|source| StoreError::io("write", path, source)),
            },
        }
    }
}

impl Store for LocalStore {
    fn address(&self) -> String {
        self.root.display().to_string()
    }

    fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, StoreError> {
        let (file, expected) = self.open_file(path, limit_bytes)?;
        let mut bytes = Vec::new();
        let length = file
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| StoreError::io("read", path, source))?;
        check_size(path, length as u64, limit_bytes)?;
        if length as u64 != expected {
            let source = io::Error::other(format!("expected {expected} bytes, found {length}"));
            return Err(StoreError::io("read", path, source));
        }
        Ok(bytes)
    }

    fn open(&self, path: &str, limit_bytes: u64) -> Result<Contents, StoreError> {
        self.open_file(path, limit_bytes).map(|(file, _)| Contents::File(file))
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match fs::metadata(self.place(path)?) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::io("look at", path, source)),
        }
    }

    fn create(&self, path: &str) -> Result<Box<dyn StoreWriter>, StoreError> {
        let place = self.place(path)?;
        self.make_folders(path)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(place)
            .map_err(|source| StoreError::io("write", path, source))?;
        Ok(Box::new(LocalWriter { file, path: path.to_owned() }))
    }

    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_path(path)?;
        let aside = format!("{ASIDE}/put-{}", unique_name());
        let mut writer = self.create(&aside)?;
        writer.write_all(bytes).map_err(|source| StoreError::io("write", &aside, source))?;
        writer.close()?;
        self.make_folders(path)?;
        let named = self.name_if_free(&self.place(&aside)?, path);
        let synced = if named.is_ok() { self.sync(&[folder_of(path)]) } else { Ok(()) };
        // What stays aside is cleared by the next writer.
        let _ = self.delete(&aside);
        named.and(synced)
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let place = self.place(to)?;
        self.make_folders(to)?;
        fs::rename(self.place(from)?, place).map_err(|source| StoreError::io("move", from, source))?;
        self.prune(folder_of(from));
        Ok(())
    }

    fn delete(&self, path: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.place(path)?) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(StoreError::io("delete", path, source)),
        }
        self.prune(folder_of(path));
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        check_folder(folder)?;
        let mut found = Vec::new();
        self.list_into(folder, 0, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn sync(&self, folders: &[&str]) -> Result<(), StoreError> {
        let mut all = BTreeSet::new();
        for folder in folders {
            let mut folder = *folder;
            check_folder(folder)?;
            while all.insert(folder) && !folder.is_empty() {
                folder = folder_of(folder);
            }
        }
        // Deepest first: a folder's name is made durable after what it holds.
        all.into_iter().rev().try_for_each(|folder| sync_folder(&self.root.join(folder), folder))
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        let io = |source| StoreError::Io { action: "lock", path: LOCK_FILE.to_owned(), source };
        fs::create_dir_all(&self.root).map_err(io)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.root.join(LOCK_FILE))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock::Exclusive(file)),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { address: self.address() }),
            Err(fs::TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

/// Makes the names in a folder durable. One that is gone has no names left.
fn sync_folder(place: &Path, folder: &str) -> Result<(), StoreError> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(place).and_then(|file| file.sync_all()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(StoreError::io("sync", folder, source)),
    }
}

/// A local file being written.
struct LocalWriter {
    file: File,
    path: String,
}

impl Write for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StoreWriter for LocalWriter {
    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.file.sync_all().map_err(|source| StoreError::io("write", &self.path, source))
    }
}
