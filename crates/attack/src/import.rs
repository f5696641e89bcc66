//! Takes a STIX bundle, or a folder of them, into the library: in one transaction, all of it or nothing.

mod intake;

use crate::{
    library::{self, LAYOUT, Library, ReleaseFrom, Snapshot, Whole},
    official::{self, Official},
    problem::{Error, Problem},
    scan::Scanner,
    source::{self, Hashes, Source},
};
use intake::{Collection, Intake};
use monologue_model::{Sha256, Timestamp};
use redb::{ReadableTable, WriteTransaction};
use std::path::{Path, PathBuf};

/// What the user says of an input.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// Its release, where the input itself does not say.
    pub release: Option<&'a str>,
    /// Whether it is all of its release.
    pub whole: bool,
    /// The time of the import.
    pub now: Timestamp,
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// The snapshot it is now, or was already.
    pub snapshot: Snapshot,
    /// Whether the library held it before, so that nothing was changed.
    pub already_there: bool,
    /// The first problems; the snapshot counts all.
    pub problems: Vec<Problem>,
}

/// Imports a file or a folder as one snapshot. A killed import leaves the library as it was.
///
/// # Errors
/// When the input cannot be read, holds no object, contradicts `stated`, or the library fails.
pub fn import(folder: &Path, input: &Path, stated: &Stated<'_>) -> Result<Imported, Error> {
    let files = source::files(input)?;
    let database = library::create(folder)?;
    let mut transaction = database.begin_write()?;
    // The next opening after a kill need not look through the whole file.
    transaction.set_quick_repair(true);
    prepare(&transaction)?;
    let number = next_number(&transaction)?;
    let mut intake = Intake::new(&transaction, number)?;
    let read = read_files(&mut intake, input, &files)?;
    let facts = intake.finish(&transaction)?;
    let name = input.display().to_string();
    if facts.objects + facts.relationships == 0 {
        let reason = facts.problems.first().map(|problem| format!(": {problem}")).unwrap_or_default();
        return Err(Error::Nothing { input: name, reason });
    }
    let official = official_files(&read);
    let (release, release_from) = release(&name, facts.collection.as_ref(), &official, stated)?;
    if let Some(snapshot) = same(&transaction, read.hashes.file, release.as_deref())? {
        transaction.abort().map_err(|error| Error::Database(error.into()))?;
        return Ok(Imported { snapshot, already_there: true, problems: facts.problems });
    }
    let snapshot = Snapshot {
        number,
        source: name,
        release,
        release_from,
        whole: whole(facts.collection.as_ref(), &facts.missing_contents, &official, stated),
        domains: match official.first() {
            Some(file) => vec![file.domain.clone()],
            None => facts.domains,
        },
        stix: facts.stix,
        imported: stated.now,
        sha256: read.hashes.file,
        content_sha256: read.hashes.content,
        files: files.len() as u64,
        official,
        objects: facts.objects,
        relationships: facts.relationships,
        stored: facts.stored,
        dangling: facts.dangling,
        problems: facts.problem_count,
    };
    store_snapshot(&transaction, &snapshot)?;
    transaction.commit()?;
    Ok(Imported { snapshot, already_there: false, problems: facts.problems })
}

/// Makes the facts of a new library, or checks those of an old one.
fn prepare(transaction: &WriteTransaction) -> Result<(), Error> {
    let mut meta = transaction.open_table(library::META)?;
    let found = meta.get("layout")?.map(|layout| layout.value());
    match found {
        None => {
            meta.insert("layout", LAYOUT)?;
        }
        Some(LAYOUT) => {}
        Some(found) => return Err(Error::Layout { expected: LAYOUT, found }),
    }
    // Readers expect every table.
    transaction.open_table(library::SNAPSHOTS)?;
    Ok(())
}

fn next_number(transaction: &WriteTransaction) -> Result<u32, Error> {
    let snapshots = transaction.open_table(library::SNAPSHOTS)?;
    Ok(snapshots.last()?.map_or(1, |(number, _)| number.value().saturating_add(1)))
}

/// What was read.
struct Read {
    hashes: Hashes,
    /// Whether the input is one file: only then can it be a published one.
    one_file: bool,
}

fn read_files(intake: &mut Intake<'_>, input: &Path, files: &[PathBuf]) -> Result<Read, Error> {
    let mut listing = String::new();
    let mut only = None;
    for path in files {
        let source = Source::open(path).map_err(Error::file(path))?;
        let hashes = read_file(intake, path, source)?;
        let relative = path.strip_prefix(input).unwrap_or(path).display().to_string();
        listing.push_str(&format!("{relative}\0{}\n", hashes.file));
        only = Some(hashes);
    }
    match only.filter(|_| files.len() == 1 && input.is_file()) {
        Some(hashes) => Ok(Read { hashes, one_file: true }),
        None => {
            let file = Sha256::of(listing.as_bytes());
            Ok(Read { hashes: Hashes { file, content: None }, one_file: false })
        }
    }
}

fn read_file(intake: &mut Intake<'_>, path: &Path, source: Source) -> Result<Hashes, Error> {
    let name = path.display().to_string();
    let Source { reader, hashers } = source;
    let mut scanner = Scanner::new(reader);
    while let Some(next) = scanner.next_object() {
        match next {
            Ok(raw) => intake.take(&name, &raw)?,
            Err(fault) => intake.fault(&name, &fault),
        }
    }
    intake.wrapper(scanner.wrapper());
    hashers.finish(scanner.into_reader()).map_err(Error::file(path))
}

/// A file is official as it lies there, or as what was compressed in it.
fn official_files(read: &Read) -> Vec<Official> {
    if !read.one_file {
        return Vec::new();
    }
    let mut found = official::named(read.hashes.file);
    found.extend(read.hashes.content.map(official::named).unwrap_or_default());
    found
}

/// The release: what the input proves, else what the user says. It is never guessed from a name.
fn release(
    input: &str,
    collection: Option<&Collection>,
    official: &[Official],
    stated: &Stated<'_>,
) -> Result<(Option<String>, ReleaseFrom), Error> {
    let published: Option<&str> = match official {
        [first, rest @ ..] if rest.iter().all(|file| file.release == first.release) => Some(&first.release),
        _ => None,
    };
    let collected = collection.and_then(|collection| collection.release.as_deref());
    let proved = collected
        .map(|release| (release, ReleaseFrom::Collection, "collection object"))
        .or_else(|| published.map(|release| (release, ReleaseFrom::PublishedHash, "published hash")));
    match (proved, stated.release) {
        (Some((release, _, by)), Some(given)) if given != release => {
            Err(Error::Release { input: input.to_owned(), stated: release.to_owned(), by, given: given.to_owned() })
        }
        (Some((release, from, _)), _) => Ok((Some(release.to_owned()), from)),
        (None, Some(given)) => Ok((Some(given.to_owned()), ReleaseFrom::Given)),
        (None, None) => Ok((None, ReleaseFrom::Unknown)),
    }
}

fn whole(collection: Option<&Collection>, missing: &[String], official: &[Official], stated: &Stated<'_>) -> Whole {
    if !official.is_empty() {
        Whole::PublishedHash
    } else if collection.is_some_and(|collection| !collection.contents.is_empty()) && missing.is_empty() {
        Whole::Collection
    } else if stated.whole {
        Whole::Given
    } else {
        Whole::NotProved
    }
}

/// The snapshot of the same bytes and release, where there is one.
fn same(transaction: &WriteTransaction, sha256: Sha256, release: Option<&str>) -> Result<Option<Snapshot>, Error> {
    let snapshots = transaction.open_table(library::SNAPSHOTS)?;
    for row in snapshots.iter()? {
        let snapshot: Snapshot = library::record(row?.1.value())?;
        if snapshot.sha256 == sha256 && snapshot.release.as_deref() == release {
            return Ok(Some(snapshot));
        }
    }
    Ok(None)
}

fn store_snapshot(transaction: &WriteTransaction, snapshot: &Snapshot) -> Result<(), Error> {
    let bytes = serde_json::to_vec(snapshot).map_err(|error| Error::Record(error.to_string()))?;
    transaction.open_table(library::SNAPSHOTS)?.insert(snapshot.number, bytes.as_slice())?;
    Ok(())
}

impl Library {
    /// Whether a library can be read in `folder`.
    #[must_use]
    pub fn is_there(folder: &Path) -> bool {
        library::database_path(folder).exists()
    }
}
