//! What is wrong with an input, and why something could not be done.

use std::{fmt, io, path::PathBuf};

/// One thing of an input that was not taken as it stands.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The file, as the user named it.
    pub source: String,
    /// Where the object begins in the decompressed file.
    pub offset: u64,
    /// The object: its ATT&CK id and STIX id, as far as they could be read.
    pub object: Option<String>,
    /// The field concerned. `None` means the object as a whole.
    pub field: Option<String>,
    /// What was expected, and what stood there.
    pub expected: String,
    /// Whether the object was imported all the same, without this field.
    pub imported: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}: ", self.source, self.offset)?;
        if let Some(object) = &self.object {
            write!(formatter, "{object}: ")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, "field {field}: ")?;
        }
        formatter.write_str(&self.expected)?;
        formatter.write_str(if self.imported { " (imported without it)" } else { " (not imported)" })
    }
}

/// Why the library could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot read or write {path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is no library yet.
    #[error("expected a library in {0}, found none; hint: `monologue attack import FILE` makes one from a STIX bundle")]
    NoLibrary(PathBuf),
    /// Another program writes to the library.
    #[error("expected nobody else to write to {0}; hint: wait until the other import has ended")]
    Busy(PathBuf),
    /// The database is of a later version.
    #[error(
        "expected a library of layout {expected}, found {found}; hint: use the version of Monologue that wrote it, or import anew"
    )]
    Layout {
        /// What this version reads.
        expected: u64,
        /// What stands there.
        found: u64,
    },
    /// The database failed or is damaged.
    #[error("the library's database: {0}; hint: if it is damaged, remove the folder and import again")]
    Database(#[from] redb::Error),
    /// A record of the database has an unknown shape.
    #[error("the library holds a record of unknown shape: {0}; hint: import again into a new folder")]
    Record(String),
    /// An input holds nothing that could be imported.
    #[error(
        "expected STIX objects in {input}, found none that could be imported{reason}; hint: a bundle such as enterprise-attack.json"
    )]
    Nothing {
        /// The input.
        input: String,
        /// The first problem, with a leading colon; may be empty.
        reason: String,
    },
    /// The release that was named contradicts the input.
    #[error(
        "expected release {stated}, as the {by} of {input} says, found --release {given}; hint: leave --release out"
    )]
    Release {
        /// The input.
        input: String,
        /// What the input says.
        stated: String,
        /// What says so.
        by: &'static str,
        /// What the user named.
        given: String,
    },
    /// Nothing is known under that id.
    #[error("expected the id of an object, found {id:?}, which {place}; hint: {hint}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        place: String,
        /// What to do.
        hint: String,
    },
    /// No snapshot is meant by that name.
    #[error("expected a release or snapshot such as 18.1 or #2, found {asked:?}; hint: there are {known}")]
    NoSnapshot {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
}

impl Error {
    /// Names the file of an input or output error.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { path, cause }
    }
}

/// Database errors of every kind, as one.
macro_rules! from_database {
    ($($kind:ty),*) => { $(impl From<$kind> for Error {
        fn from(error: $kind) -> Self {
            Self::Database(error.into())
        }
    })* };
}

from_database!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
