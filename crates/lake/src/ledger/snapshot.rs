//! What a lake holds after some publication: the publications, folded.

use super::{
    DataFile, Fact, Record, SourceRecord,
    names::{self, LAYOUT},
    record::Checkpoint,
};
use monologue_model::{Sha256, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

/// The files, sources and facts of a lake after its last publication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    number: u64,
    time: Timestamp,
    /// By path, which sorts by table, date, bucket, publication.
    files: BTreeMap<Arc<str>, DataFile>,
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
        self.files.values()
    }

    /// The data files of a table, by date, bucket, publication.
    pub fn files_of(&self, table: &str) -> impl Iterator<Item = &DataFile> {
        self.files_below(format!("{table}/"))
    }

    /// The data files of a table, date and bucket, by publication.
    pub fn files_at(&self, table: &str, date: &str, bucket: u16) -> impl Iterator<Item = &DataFile> {
        self.files_below(names::data_folder(table, date, bucket))
    }

    fn files_below(&self, folder: String) -> impl Iterator<Item = &DataFile> {
        self.files
            .range(Arc::from(folder.as_str())..)
            .take_while(move |(path, _)| path.starts_with(&folder))
            .map(|(_, file)| file)
    }

    /// The data file at a path. `None` means the lake does not hold it now.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&DataFile> {
        self.files.get(path)
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

    /// Checks that a publication fits onto this state.
    pub(super) fn check(&self, record: &Record) -> Result<(), String> {
        let mut paths = HashSet::new();
        for path in &record.removed {
            if !self.files.contains_key(path.as_str()) || !paths.insert(path.as_str()) {
                let shown: String = path.chars().take(120).collect();
                return Err(format!("expected to remove a file that is there, found {shown:?}"));
            }
        }
        for file in &record.added {
            if self.files.contains_key(&file.path) || !paths.insert(&*file.path) {
                return Err(format!("expected to add a new file, found {}", file.path));
            }
        }
        Ok(())
    }

    /// This state after one more publication, which was checked.
    pub(super) fn apply(&mut self, record: Record) {
        self.number = record.number;
        self.time = record.time;
        for path in &record.removed {
            self.files.remove(path.as_str());
        }
        record.added.into_iter().for_each(|file| self.push_file(file));
        record.sources.into_iter().for_each(|source| self.push_source(record.number, source));
        self.facts.extend(record.facts.into_iter().map(|value| Fact { publication: record.number, value }));
    }

    fn push_file(&mut self, mut file: DataFile) {
        file.table = self.name(file.table);
        file.date = self.name(file.date);
        self.files.insert(file.path.clone(), file);
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

    fn push_source(&mut self, publication: u64, mut source: SourceRecord) {
        source.format = source.format.map(|format| self.name(format));
        let place = self.sources.len();
        self.by_content.insert(source.content_sha256, place);
        self.by_name.insert(source.source.clone(), place);
        self.sources.push((publication, source));
    }

    pub(super) fn to_checkpoint(&self) -> Checkpoint {
        Checkpoint {
            layout: LAYOUT,
            number: self.number,
            time: self.time,
            files: self.files.values().cloned().collect(),
            sources: self.sources.clone(),
            facts: self.facts.clone(),
        }
    }

    pub(super) fn from_checkpoint(checkpoint: Checkpoint) -> Self {
        let mut snapshot = Self { number: checkpoint.number, time: checkpoint.time, ..Self::default() };
        checkpoint.files.into_iter().for_each(|file| snapshot.push_file(file));
        snapshot.facts = checkpoint.facts;
        checkpoint.sources.into_iter().for_each(|(publication, source)| snapshot.push_source(publication, source));
        snapshot
    }
}
