//! What a lake holds after some publication: the publications, folded.

use super::{
    DataFile, Fact, Record, SourceRecord,
    names::{self, DataPath},
};
use monologue_model::{Sha256, Timestamp};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Memory of one source, about: its record, its name, and the two places where it is looked up.
const SOURCE_BYTES: usize = size_of::<(u64, SourceRecord)>() + 64 + 96;

/// The files, sources and facts of a lake after its last publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    number: u64,
    time: Timestamp,
    files: BTreeSet<DataFile>,
    sources: Vec<(u64, SourceRecord)>,
    facts: Vec<Fact>,
    by_content: HashMap<Sha256, usize>,
    by_name: HashMap<Arc<str>, usize>,
    /// Names of tables, dates and formats, each kept once: a lake has hundreds of files for each.
    names: HashSet<Arc<str>>,
}

impl Snapshot {
    /// Number of the last publication; 0 before the first.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// When that publication was made. `None` before the first.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        (self.number > 0).then_some(self.time)
    }

    /// All data files, by table, date, bucket, publication.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> {
        self.files.iter()
    }

    /// The data files of a table, by date, bucket, publication.
    pub fn files_of(&self, table: &str) -> impl Iterator<Item = &DataFile> {
        let first = before(DataPath { table, date: "", bucket: 0, publication: 0, count: 0 });
        let table = first.table.clone();
        self.files.range(first..).take_while(move |file| file.table == table)
    }

    /// The data files of a table, date and bucket, by publication.
    pub fn files_at(&self, table: &str, date: &str, bucket: u16) -> impl Iterator<Item = &DataFile> {
        let first = before(DataPath { table, date, bucket, publication: 0, count: 0 });
        let (table, date) = (first.table.clone(), first.date.clone());
        self.files
            .range(first..)
            .take_while(move |file| (&file.table, &file.date, file.bucket) == (&table, &date, bucket))
    }

    /// The data file at a path. `None` means the lake does not hold it now.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&DataFile> {
        let named = names::parse_data_path(path)?;
        let found = self.files.range(before(named)..).next()?;
        (found.place() == named).then_some(found)
    }

    /// Every source taken so far, with the publication that took it, oldest first.
    pub fn sources(&self) -> impl Iterator<Item = (u64, &SourceRecord)> {
        self.sources.iter().map(|(publication, source)| (*publication, source))
    }

    /// What was taken of the same content before, under whatever name, the latest time. `None` means it is new.
    #[must_use]
    pub fn taken(&self, content_sha256: &Sha256) -> Option<&SourceRecord> {
        self.source(*self.by_content.get(content_sha256)?)
    }

    /// What was last taken from a source of this name, whatever its content then. `None` means the name is new.
    ///
    /// If the first `content_bytes` bytes still hash to `content_sha256` (see [`prefix_hashes`](super::prefix_hashes)),
    /// the source has only grown, and what stands before `taken_until` need not be taken again.
    #[must_use]
    pub fn grown(&self, source: &str) -> Option<&SourceRecord> {
        self.source(*self.by_name.get(source)?)
    }

    fn source(&self, place: usize) -> Option<&SourceRecord> {
        self.sources.get(place).map(|(_, source)| source)
    }

    /// Every fact, each with its publication, oldest first.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    /// Memory that it takes, in bytes, about: it grows with the files of the lake and the sources they came from.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let files = self.files.len() * size_of::<DataFile>() * 9 / 8;
        let facts: usize = self.facts.iter().map(|fact| size_of::<Fact>() + fact.value.get().len()).sum();
        (files + self.sources.len() * SOURCE_BYTES + facts) as u64
    }

    /// Checks that a publication fits onto this state.
    pub(super) fn check(&self, record: &Record) -> Result<(), String> {
        let mut paths = HashSet::new();
        for path in &record.removed {
            if self.file(path).is_none() || !paths.insert(names::parse_data_path(path)) {
                let shown: String = path.chars().take(120).collect();
                return Err(format!("expected to remove a file that is there, found {shown:?}"));
            }
        }
        for file in &record.added {
            if self.holds(file) || !paths.insert(Some(file.place())) {
                return Err(format!("expected to add a new file, found {}", file.path()));
            }
        }
        Ok(())
    }

    /// Whether there is a file with the path of this one.
    pub(super) fn holds(&self, file: &DataFile) -> bool {
        self.files.range(before(file.place())..).next().is_some_and(|found| found.place() == file.place())
    }

    /// This state after one more publication, which was checked.
    pub(super) fn apply(&mut self, record: &Record) {
        self.number = record.number;
        self.time = record.time;
        for path in &record.removed {
            if let Some(file) = self.file(path).cloned() {
                self.files.remove(&file);
            }
        }
        record.added.iter().for_each(|file| self.push_file(file.clone()));
        record.sources.iter().for_each(|source| self.push_source(record.number, source.clone()));
        let facts = record.facts.iter().cloned();
        self.facts.extend(facts.map(|value| Fact { publication: record.number, value }));
    }

    /// Says which publication is the last, after everything up to it was pushed.
    pub(super) const fn begin(&mut self, number: u64, time: Timestamp) {
        self.number = number;
        self.time = time;
    }

    /// Packs what was read: files come in order, which leaves half of each node of a tree empty.
    pub(super) fn pack(&mut self) {
        self.files = std::mem::take(&mut self.files).into_iter().collect();
        self.sources.shrink_to_fit();
        self.by_content.shrink_to_fit();
        self.by_name.shrink_to_fit();
    }

    pub(super) fn push_file(&mut self, mut file: DataFile) {
        file.table = self.name(file.table);
        file.date = self.name(file.date);
        self.files.insert(file);
    }

    fn name(&mut self, name: Arc<str>) -> Arc<str> {
        match self.names.get(&name) {
            Some(known) => known.clone(),
            None => {
                self.names.insert(name.clone());
                name
            }
        }
    }

    pub(super) fn push_source(&mut self, publication: u64, mut source: SourceRecord) {
        source.format = source.format.map(|format| self.name(format));
        let place = self.sources.len();
        self.by_content.insert(source.content_sha256, place);
        self.by_name.insert(source.source.clone(), place);
        self.sources.push((publication, source));
    }

    pub(super) fn push_fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}

/// What sorts before every file at a place, and after those at places before it.
fn before(place: DataPath<'_>) -> DataFile {
    DataFile {
        table: place.table.into(),
        date: place.date.into(),
        bucket: place.bucket,
        publication: place.publication,
        count: place.count,
        rows: 0,
        bytes: 0,
        first_time_ns: i64::MIN,
        last_time_ns: i64::MIN,
        sha256: Sha256::default(),
    }
}
