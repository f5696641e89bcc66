//! The library on disk: an embedded database of objects, each stored once, and of the snapshots that hold them.

use crate::{
    object::Header,
    official::Official,
    problem::Error,
    view::{Ask, View},
};
use monologue_model::{Sha256, Timestamp};
use redb::{
    Database, MultimapTableDefinition, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The layout of the tables. A change of meaning raises it.
pub(crate) const LAYOUT: u64 = 1;

/// Bytes the database may keep in memory.
const CACHE_BYTES: usize = 96 << 20;

/// Largest object that is given back: more than is ever taken in.
const OBJECT_BYTES: usize = crate::scan::OBJECT_CAP + 1;

/// Facts of the library itself: layout, and the next numbers.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Snapshot number to [`Snapshot`].
pub(crate) const SNAPSHOTS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("snapshots");
/// Document number to [`Header`]. A document is one version of an object, with its exact bytes.
pub(crate) const HEADERS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("headers");
/// Document number to its bytes, compressed.
pub(crate) const RAW: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("raw");
/// Hash of exact bytes to document number.
pub(crate) const BY_RAW: TableDefinition<'_, &[u8], u32> = TableDefinition::new("by-raw");
/// STIX id to the number of the object, which all its documents share.
pub(crate) const OBJECTS: TableDefinition<'_, &str, u32> = TableDefinition::new("objects");
/// STIX id, or ATT&CK id in lower case, to document numbers.
pub(crate) const NAMES: MultimapTableDefinition<'_, &str, u32> = MultimapTableDefinition::new("names");
/// STIX id to the documents with an edge at it.
pub(crate) const TOUCHES: MultimapTableDefinition<'_, &str, u32> = MultimapTableDefinition::new("touches");
/// Snapshot number to its members: object number, document number, marks.
pub(crate) const MEMBERS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("members");
/// Term and snapshot that brought it, to postings.
pub(crate) const TERMS: TableDefinition<'_, (&str, u32), &[u8]> = TableDefinition::new("terms");

/// Where the release of a snapshot is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseFrom {
    /// The bundle's collection object.
    Collection,
    /// The published hash of the file.
    PublishedHash,
    /// The user (`--release`).
    Given,
    /// Nobody said.
    Unknown,
}

/// Whether a snapshot holds all of its release, so that what is missing in it was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whole {
    /// Its hash is that of a published file.
    PublishedHash,
    /// It holds every object that its collection object lists.
    Collection,
    /// The user said so.
    Given,
    /// Nothing proves it.
    NotProved,
}

impl Whole {
    /// Whether absence from the snapshot means anything.
    #[must_use]
    pub const fn is_proved(self) -> bool {
        !matches!(self, Self::NotProved)
    }
}

/// One import: which objects stood in an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number, from 1.
    pub number: u32,
    /// The input, as the user named it.
    pub source: String,
    /// Release. `None` means nobody said.
    pub release: Option<String>,
    /// Who said so.
    pub release_from: ReleaseFrom,
    /// Domains that every object with domains shares, else all that occur.
    pub domains: Vec<String>,
    /// Edition of STIX, as the bundle or its objects say. `None` means neither does.
    pub stix: Option<String>,
    /// When it was imported.
    pub imported: Timestamp,
    /// Hash of the file; of all paths and their hashes for a folder.
    pub sha256: Sha256,
    /// Hash of what was compressed in the file. `None` where it was not.
    pub content_sha256: Option<Sha256>,
    /// Files it was read from.
    pub files: u64,
    /// The published files with this hash; empty means "not official".
    pub official: Vec<Official>,
    /// Whether it is all of its release.
    pub whole: Whole,
    /// Objects that are no relationships.
    pub objects: u64,
    /// Relationship objects.
    pub relationships: u64,
    /// Documents that no earlier snapshot held.
    pub stored: u64,
    /// References to objects that are not in this snapshot.
    pub dangling: u64,
    /// Things that could not be taken as they stand.
    pub problems: u64,
}

impl Snapshot {
    /// The release, or that it is unknown.
    #[must_use]
    pub fn release_name(&self) -> &str {
        self.release.as_deref().unwrap_or("unknown release")
    }

    /// What the hash of the file proves.
    #[must_use]
    pub fn official_words(&self) -> String {
        match self.official.as_slice() {
            [] => "not official: its hash is in no list of published files".to_owned(),
            found => {
                let names: Vec<String> =
                    found.iter().map(|file| format!("{} {} (STIX {})", file.domain, file.release, file.stix)).collect();
                format!("official: the published file of {}", names.join(" or "))
            }
        }
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{} {} {}", self.number, self.domains.join("+"), self.release_name())
    }
}

/// A member of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) object: u32,
    pub(crate) document: u32,
    pub(crate) marks: u32,
}

/// The member is a relationship.
pub(crate) const RELATIONSHIP: u32 = 1;
/// The member is revoked or deprecated.
pub(crate) const RETIRED: u32 = 2;

/// Where the place of the member's type in [`crate::kinds::KINDS`] stands among the marks: lists need not open what they
/// leave out.
const KIND_SHIFT: u32 = 8;

impl Member {
    /// The marks of an object.
    pub(crate) fn marks_of(header: &Header) -> u32 {
        let kind = u32::try_from(crate::kinds::order(&header.kind)).unwrap_or(u32::MAX >> KIND_SHIFT);
        kind << KIND_SHIFT
            | if header.is_relationship() { RELATIONSHIP } else { 0 }
            | if header.revoked || header.deprecated { RETIRED } else { 0 }
    }

    /// The place of its type in [`crate::kinds::KINDS`]; beyond its end for types that are not in it.
    pub(crate) const fn kind_place(self) -> usize {
        (self.marks >> KIND_SHIFT) as usize
    }
}

/// The members as they are stored: twelve bytes each, little-endian.
pub(crate) fn pack(members: &[Member]) -> Vec<u8> {
    members
        .iter()
        .flat_map(|member| [member.object, member.document, member.marks])
        .flat_map(u32::to_le_bytes)
        .collect()
}

fn unpack(bytes: &[u8]) -> Vec<Member> {
    let (rows, _) = bytes.as_chunks::<12>();
    let word = |row: &[u8; 12], at: usize| {
        row.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    rows.iter().map(|row| Member { object: word(row, 0), document: word(row, 4), marks: word(row, 8) }).collect()
}

/// The library, open for reading. It shows the state of the moment it was opened.
pub struct Library {
    transaction: ReadTransaction,
    // Kept open as long as the transaction.
    _database: ReadOnlyDatabase,
}

/// The file of the database in a library's folder.
pub(crate) fn database_path(folder: &Path) -> PathBuf {
    folder.join("attack.redb")
}

pub(crate) fn create(folder: &Path) -> Result<Database, Error> {
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let path = database_path(folder);
    redb::Builder::new().set_cache_size(CACHE_BYTES).create(&path).map_err(|error| opening(&path, error))
}

fn opening(path: &Path, error: redb::DatabaseError) -> Error {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => Error::Busy(path.to_owned()),
        other => Error::Database(other.into()),
    }
}

impl Library {
    /// Opens a library for reading. What a killed import left behind is put right first.
    ///
    /// # Errors
    /// When there is none, somebody writes to it, it is damaged, or of another layout.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = database_path(folder);
        if !path.exists() {
            return Err(Error::NoLibrary(folder.to_owned()));
        }
        let mut builder = redb::Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let database = match builder.open_read_only(&path) {
            Err(redb::DatabaseError::RepairAborted) => {
                drop(builder.open(&path).map_err(|error| opening(&path, error))?);
                builder.open_read_only(&path)
            }
            other => other,
        }
        .map_err(|error| opening(&path, error))?;
        let transaction = database.begin_read()?;
        let found = match transaction.open_table(META) {
            Ok(meta) => meta.get("layout")?.map_or(0, |layout| layout.value()),
            // Made by an import that was killed before it stored anything.
            Err(redb::TableError::TableDoesNotExist(_)) => return Err(Error::NoLibrary(folder.to_owned())),
            Err(error) => return Err(error.into()),
        };
        if found != LAYOUT {
            return Err(Error::Layout { expected: LAYOUT, found });
        }
        Ok(Self { transaction, _database: database })
    }

    /// All snapshots, in the order of their import.
    ///
    /// # Errors
    /// When the database fails.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, Error> {
        let table = self.transaction.open_table(SNAPSHOTS)?;
        table.iter()?.map(|row| record(row?.1.value())).collect()
    }

    /// What is asked for, as one view over the snapshots concerned.
    ///
    /// # Errors
    /// When no snapshot is meant, or the database fails.
    pub fn view(&self, ask: &Ask) -> Result<View<'_>, Error> {
        View::of(self, ask)
    }

    pub(crate) fn members(&self, snapshot: u32) -> Result<Vec<Member>, Error> {
        let table = self.transaction.open_table(MEMBERS)?;
        Ok(table.get(snapshot)?.map(|bytes| unpack(bytes.value())).unwrap_or_default())
    }

    /// The header of a document.
    pub(crate) fn header(&self, document: u32) -> Result<Header, Error> {
        let table = self.transaction.open_table(HEADERS)?;
        let bytes = table.get(document)?.ok_or_else(|| Error::Record(format!("document {document} has no header")))?;
        record(bytes.value())
    }

    /// The headers of many documents, opened together.
    pub(crate) fn headers(&self, documents: impl Iterator<Item = u32>) -> Result<Vec<(u32, Header)>, Error> {
        let table = self.transaction.open_table(HEADERS)?;
        documents
            .map(|document| {
                let missing = || Error::Record(format!("document {document} has no header"));
                Ok((document, record(table.get(document)?.ok_or_else(missing)?.value())?))
            })
            .collect()
    }

    /// The exact bytes of a document.
    pub(crate) fn raw(&self, document: u32) -> Result<Vec<u8>, Error> {
        let table = self.transaction.open_table(RAW)?;
        let bytes = table.get(document)?.ok_or_else(|| Error::Record(format!("document {document} has no bytes")))?;
        zstd::bulk::decompress(bytes.value(), OBJECT_BYTES)
            .map_err(|error| Error::Record(format!("document {document} cannot be decompressed: {error}")))
    }

    /// Documents of a STIX id, or of an ATT&CK id in any case.
    pub(crate) fn named(&self, id: &str) -> Result<Vec<u32>, Error> {
        let table = self.transaction.open_multimap_table(NAMES)?;
        let mut found = numbers(table.get(id)?)?;
        if found.is_empty() {
            found = numbers(table.get(id.to_ascii_lowercase().as_str())?)?;
        }
        Ok(found)
    }

    /// Documents of many STIX ids, looked up together.
    pub(crate) fn named_each<'b>(&self, stix_ids: impl Iterator<Item = &'b str>) -> Result<Vec<u32>, Error> {
        let table = self.transaction.open_multimap_table(NAMES)?;
        let mut found = Vec::new();
        for id in stix_ids {
            found.extend(numbers(table.get(id)?)?);
        }
        Ok(found)
    }

    /// Documents with an edge at a STIX id.
    pub(crate) fn touching(&self, stix_id: &str) -> Result<Vec<u32>, Error> {
        numbers(self.transaction.open_multimap_table(TOUCHES)?.get(stix_id)?)
    }

    /// How many documents there are.
    pub(crate) fn documents(&self) -> Result<u64, Error> {
        Ok(self.transaction.open_table(META)?.get("documents")?.map_or(0, |count| count.value()))
    }

    /// The postings of a term, of each snapshot that brought some; of terms that begin with it, where `prefix` is set.
    pub(crate) fn postings(&self, term: &str, prefix: bool, most: usize) -> Result<Vec<Vec<u8>>, Error> {
        let table = self.transaction.open_table(TERMS)?;
        let mut found = Vec::new();
        for row in table.range((term, 0)..)? {
            let (key, value) = row?;
            let (there, _) = key.value();
            let belongs = if prefix { there.starts_with(term) } else { there == term };
            if !belongs || found.len() >= most {
                break;
            }
            found.push(value.value().to_vec());
        }
        Ok(found)
    }
}

fn numbers(values: redb::MultimapValue<'_, u32>) -> Result<Vec<u32>, Error> {
    values.map(|value| Ok(value?.value())).collect()
}

pub(crate) fn record<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Record(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_what_was_packed() {
        let members =
            [Member { object: 1, document: u32::MAX, marks: 3 }, Member { object: 70_000, document: 0, marks: 0 }];
        assert_eq!(unpack(&pack(&members)), members);
        assert_eq!(unpack(&[1, 2, 3]), []);
    }

    #[test]
    fn without_an_import_there_is_no_library() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Library::open(folder.path()), Err(Error::NoLibrary(_))));
        drop(create(folder.path()).unwrap());
        assert!(matches!(Library::open(folder.path()), Err(Error::NoLibrary(_))));
        std::fs::write(database_path(folder.path()), "no database").unwrap();
        assert!(matches!(Library::open(folder.path()), Err(Error::Database(_))));
    }
}
