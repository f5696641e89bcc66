//! Where a lake lies: a folder, an object store, or memory, behind one small blocking trait.
//!
//! Paths are relative to the lake, with `/` between their parts. A store knows nothing of what the files mean.

mod address;
mod contents;
mod local;
mod memory;
#[cfg(feature = "s3")]
mod s3;

pub use address::open_store;
pub use contents::{Contents, ContentsReader};
pub use local::LocalStore;
pub use memory::MemoryStore;
#[cfg(feature = "s3")]
pub use s3::{S3Settings, S3Store};

use std::{
    fmt, fs,
    hash::BuildHasher,
    io::{self, Write},
};

/// Longest path inside a lake, in bytes.
const PATH_BYTES: usize = 512;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file.
    #[error("expected a file at {path}, found none")]
    NotFound {
        /// Where it was looked for.
        path: String,
    },
    /// A file that must be new is there already.
    #[error("expected no file yet at {path}, found one")]
    Exists {
        /// Where it is.
        path: String,
    },
    /// A file is larger than its kind may be.
    #[error("expected at most {limit} bytes at {path}, found {found}")]
    TooLarge {
        /// Which file.
        path: String,
        /// Most bytes allowed.
        limit: u64,
        /// Bytes it has.
        found: u64,
    },
    /// Another process writes to the same lake.
    #[error(
        "expected to be the only writer of {address}, found another; \
         hint: wait for the other run to end, or end it; reading needs no lock"
    )]
    Locked {
        /// The lake.
        address: String,
    },
    /// A path that would leave the lake, or that no store can hold.
    #[error("expected a path inside the lake, found {path:?}")]
    Path {
        /// The path, shortened.
        path: String,
    },
    /// An address that names no store.
    #[error("expected {expected}, found {address:?}; hint: {hint}")]
    Address {
        /// What would have been understood.
        expected: &'static str,
        /// The address or setting as given.
        address: String,
        /// What to do.
        hint: &'static str,
    },
    /// The system or the service below refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, such as "read".
        action: &'static str,
        /// On which file or folder.
        path: String,
        /// Its reason.
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path: path.to_owned() },
            io::ErrorKind::AlreadyExists => Self::Exists { path: path.to_owned() },
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }

    /// Whether it says that there is no such file.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// A file of a store, as a listing names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its path inside the lake.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A file that is being written. Nothing of it can be relied upon before [`close`](StoreWriter::close).
pub trait StoreWriter: Write + Send {
    /// Ends the file and makes its bytes durable.
    ///
    /// # Errors
    /// When the bytes could not be written.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// The right to write to a lake, held until it is dropped.
#[derive(Debug)]
pub enum Lock {
    /// No other process can hold it at the same time.
    Exclusive(fs::File),
    /// Others may write too: the ledger's conditional put alone decides whose publication comes first.
    Shared,
}

impl Lock {
    /// Whether there is certainly no other writer.
    #[must_use]
    pub const fn excludes_others(&self) -> bool {
        matches!(self, Self::Exclusive(_))
    }
}

/// A place for files. All calls block. Paths are relative, with `/`; see [`check_path`].
pub trait Store: Send + Sync + fmt::Debug {
    /// The place as a user would name it, for messages. Holds no secret.
    fn address(&self) -> String;

    /// The whole of a small file.
    ///
    /// # Errors
    /// When it is not there, larger than `limit_bytes`, or unreadable.
    fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, StoreError>;

    /// A file to be read in pieces, as a Parquet reader does.
    ///
    /// # Errors
    /// When it is not there, larger than `limit_bytes`, or unreadable.
    fn open(&self, path: &str, limit_bytes: u64) -> Result<Contents, StoreError>;

    /// The size of a file in bytes. `None` means there is no such file.
    ///
    /// # Errors
    /// When that cannot be told.
    fn size(&self, path: &str) -> Result<Option<u64>, StoreError>;

    /// Begins a new file, with the folders it needs.
    ///
    /// # Errors
    /// When it exists already or cannot be made.
    fn create(&self, path: &str) -> Result<Box<dyn StoreWriter>, StoreError>;

    /// Writes a whole file in one atomic step, durably, only if none is there: of two who try, one succeeds.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a file is there already. After any other error the file may or may not be there.
    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Moves a file, over what may be there, with the folders it needs; folders that it leaves empty go. Durable after [`sync`](Store::sync).
    ///
    /// # Errors
    /// When `from` is not there or the move fails.
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError>;

    /// Deletes a file and the folders that it leaves empty. Durable after [`sync`](Store::sync).
    /// A file that is not there is no error.
    ///
    /// # Errors
    /// When the file is still there.
    fn delete(&self, path: &str) -> Result<(), StoreError>;

    /// All files below a folder (`""` for the whole lake), sorted by path.
    ///
    /// # Errors
    /// When it cannot be listed. A folder that is not there is empty.
    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError>;

    /// Makes the names in these folders, and the names of the folders themselves, durable.
    ///
    /// # Errors
    /// When that cannot be promised.
    fn sync(&self, folders: &[&str]) -> Result<(), StoreError>;

    /// Takes the right to write, without waiting.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another writer has it.
    fn lock(&self) -> Result<Lock, StoreError>;
}

/// Checks that a path stays inside the lake: relative, no empty, `.` or `..` part, and only characters that every store
/// takes as they are.
///
/// # Errors
/// When it does not.
pub fn check_path(path: &str) -> Result<(), StoreError> {
    let fine_character = |byte: u8| byte.is_ascii_alphanumeric() || b"/=-_.".contains(&byte);
    let fine_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    if path.len() <= PATH_BYTES && path.bytes().all(fine_character) && path.split('/').all(fine_part) {
        return Ok(());
    }
    Err(StoreError::Path { path: path.chars().take(80).collect() })
}

/// As [`check_path`], where the empty path is the lake itself.
pub(crate) fn check_folder(folder: &str) -> Result<(), StoreError> {
    if folder.is_empty() { Ok(()) } else { check_path(folder) }
}

/// The folder that holds `path`; `""` is the lake itself.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// 32 hexadecimal digits that no other writer will choose: hashes under a key that the operating system seeds.
/// They name folders for a while and reach no result.
pub(crate) fn unique_name() -> String {
    let state = std::hash::RandomState::new();
    format!("{:016x}{:016x}", state.hash_one(0_u8), state.hash_one(1_u8))
}

/// Bytes that must be no more than `limit_bytes`.
fn check_size(path: &str, found: u64, limit_bytes: u64) -> Result<(), StoreError> {
    if found <= limit_bytes {
        return Ok(());
    }
    Err(StoreError::TooLarge { path: path.to_owned(), limit: limit_bytes, found })
}

#[cfg(test)]
mod tests;
