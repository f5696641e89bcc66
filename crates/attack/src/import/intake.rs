//! One import on its way into the tables: each object once, problems by name, references counted.

use crate::{
    canonical,
    library::{self, Member, RELATIONSHIP},
    object::Header,
    problem::{Error, Problem},
    scan::{Fault, OBJECT_CAP, RawObject, Wrapper},
    terms::Index,
};
use monologue_model::Sha256;
use redb::{MultimapTable, ReadableTable, Table, WriteTransaction};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Problems that are told; all are counted.
const TOLD_CAP: usize = 200;

/// Dangling references and missing objects that are named.
const NAMED_CAP: usize = 5;

/// What a bundle's collection object says.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub(super) release: Option<String>,
    pub(super) contents: HashSet<String>,
}

/// What is known at the end.
pub(super) struct Facts {
    pub(super) objects: u64,
    pub(super) relationships: u64,
    pub(super) stored: u64,
    pub(super) dangling: u64,
    pub(super) domains: Vec<String>,
    pub(super) stix: Option<String>,
    pub(super) collection: Option<Collection>,
    pub(super) missing_contents: Vec<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) problem_count: u64,
}

struct Tables<'t> {
    headers: Table<'t, u32, &'static [u8]>,
    raw: Table<'t, u32, &'static [u8]>,
    by_raw: Table<'t, &'static [u8], u32>,
    objects: Table<'t, &'static str, u32>,
    names: MultimapTable<'t, &'static str, u32>,
    touches: MultimapTable<'t, &'static str, u32>,
}

struct Seen {
    member: Member,
    sha256: Sha256,
    modified: Option<String>,
}

pub(super) struct Intake<'t> {
    tables: Tables<'t>,
    number: u32,
    next_document: u32,
    next_object: u32,
    seen: HashMap<String, Seen>,
    index: Index,
    compressor: zstd::bulk::Compressor<'static>,
    stored: u64,
    /// Objects that are pointed to, each with one that points there.
    pointed: HashMap<String, String>,
    revoked_by: HashMap<String, String>,
    shared_domains: Option<BTreeSet<String>>,
    all_domains: BTreeSet<String>,
    stix: Option<String>,
    collection: Option<Collection>,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl<'t> Intake<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction, number: u32) -> Result<Self, Error> {
        let tables = Tables {
            headers: transaction.open_table(library::HEADERS)?,
            raw: transaction.open_table(library::RAW)?,
            by_raw: transaction.open_table(library::BY_RAW)?,
            objects: transaction.open_table(library::OBJECTS)?,
            names: transaction.open_multimap_table(library::NAMES)?,
            touches: transaction.open_multimap_table(library::TOUCHES)?,
        };
        let meta = transaction.open_table(library::META)?;
        let next = |name: &str| -> Result<u32, Error> {
            let count = meta.get(name)?.map_or(0, |count| count.value());
            u32::try_from(count).map_err(|_| Error::Record(format!("{name} is beyond its range")))
        };
        let (next_document, next_object) = (next("documents")?, next("objects")?);
        Ok(Self {
            tables,
            number,
            next_document,
            next_object,
            seen: HashMap::new(),
            index: Index::default(),
            compressor: zstd::bulk::Compressor::new(3)
                .map_err(|error| Error::Record(format!("no compressor: {error}")))?,
            stored: 0,
            pointed: HashMap::new(),
            revoked_by: HashMap::new(),
            shared_domains: None,
            all_domains: BTreeSet::new(),
            stix: None,
            collection: None,
            problems: Vec::new(),
            problem_count: 0,
        })
    }

    /// Takes one object, or says why not.
    pub(super) fn take(&mut self, source: &str, raw: &RawObject) -> Result<(), Error> {
        let mut tell = Tell { source, offset: raw.offset, object: None };
        if raw.length > OBJECT_CAP as u64 {
            tell.object = guess_id(&raw.bytes);
            let expected = format!("expected an object of at most {OBJECT_CAP} bytes, found {}", raw.length);
            self.complain(tell.problem(None, expected, false));
            return Ok(());
        }
        let value = match canonical::parse(&raw.bytes) {
            Ok(value) => value,
            Err(error) => {
                tell.object = guess_id(&raw.bytes);
                self.complain(tell.problem(None, format!("expected JSON: {error}"), false));
                return Ok(());
            }
        };
        let (header, wrong) = match Header::of(&value) {
            Ok(read) => read,
            Err(wrong) => {
                tell.object = guess_id(&raw.bytes);
                self.complain(tell.problem(Some(wrong.field), wrong.expected, false));
                return Ok(());
            }
        };
        tell.object = Some(match &header.attack_id {
            Some(id) => format!("{id} ({})", header.stix_id),
            None => header.stix_id.clone(),
        });
        if header.kind == "bundle" {
            let expected = "expected an object, found a bundle within a bundle".to_owned();
            self.complain(tell.problem(Some("type".to_owned()), expected, false));
            return Ok(());
        }
        for wrong in wrong {
            self.complain(tell.problem(Some(wrong.field), wrong.expected, true));
        }
        if self.is_news(&header, &tell) {
            let member = self.store(&header, &value, &raw.bytes)?;
            self.note_facts(&header, &value);
            let seen = Seen { member, sha256: header.sha256, modified: header.modified };
            self.seen.insert(header.stix_id, seen);
        }
        Ok(())
    }

    /// Whether this version of an object is to be taken: the first of its id, or a later one.
    fn is_news(&mut self, header: &Header, tell: &Tell<'_>) -> bool {
        let Some(seen) = self.seen.get(&header.stix_id) else { return true };
        if seen.sha256 == header.sha256 {
            return false;
        }
        let field = Some("id".to_owned());
        match (&seen.modified, &header.modified) {
            (Some(before), Some(now)) if now > before => {
                let text = format!(
                    "expected each id once, found it again; this version, modified {now}, is the later one and is taken"
                );
                let mut problem = tell.problem(field, text, true);
                problem.expected.push_str(&format!(", the one modified {before} is not"));
                self.complain(problem);
                true
            }
            (before, now) if before == now => {
                let text = "expected each id once, found it again with other content and the same time of change";
                self.complain(tell.problem(field, text.to_owned(), false));
                false
            }
            _ => {
                let text = "expected each id once, found it again in an older version";
                self.complain(tell.problem(field, text.to_owned(), false));
                false
            }
        }
    }

    /// Stores a document unless its exact bytes are there.
    fn store(&mut self, header: &Header, value: &Value, raw: &[u8]) -> Result<Member, Error> {
        let tables = &mut self.tables;
        let found = tables.objects.get(header.stix_id.as_str())?.map(|number| number.value());
        let object = match found {
            Some(number) => number,
            None => {
                tables.objects.insert(header.stix_id.as_str(), self.next_object)?;
                self.next_object += 1;
                self.next_object - 1
            }
        };
        let marks = Member::marks_of(header);
        let exact = Sha256::of(raw);
        let found = tables.by_raw.get(exact.as_bytes().as_slice())?.map(|number| number.value());
        if let Some(document) = found {
            return Ok(Member { object, document, marks });
        }
        let document = self.next_document;
        self.next_document = document.checked_add(1).ok_or_else(|| Error::Record("too many documents".to_owned()))?;
        let bytes = serde_json::to_vec(header).map_err(|error| Error::Record(error.to_string()))?;
        tables.headers.insert(document, bytes.as_slice())?;
        let packed =
            self.compressor.compress(raw).map_err(|error| Error::Record(format!("cannot compress: {error}")))?;
        tables.raw.insert(document, packed.as_slice())?;
        tables.by_raw.insert(exact.as_bytes().as_slice(), document)?;
        tables.names.insert(header.stix_id.as_str(), document)?;
        if let Some(id) = &header.attack_id {
            tables.names.insert(id.to_ascii_lowercase().as_str(), document)?;
        }
        let ends: BTreeSet<&str> =
            header.edges.iter().flat_map(|edge| [edge.from.as_str(), edge.to.as_str()]).collect();
        for end in ends {
            tables.touches.insert(end, document)?;
        }
        self.index.add(document, header.attack_id.as_deref(), value);
        self.stored += 1;
        Ok(Member { object, document, marks })
    }

    fn note_facts(&mut self, header: &Header, value: &Value) {
        for edge in &header.edges {
            for end in [&edge.from, &edge.to] {
                if end != &header.stix_id && !self.pointed.contains_key(end) {
                    self.pointed.insert(end.clone(), header.label().to_owned());
                }
            }
            if edge.kind == "revoked-by" {
                self.revoked_by.insert(edge.from.clone(), edge.to.clone());
            }
        }
        if let Some(edition) = value.get("spec_version").and_then(Value::as_str) {
            self.stix.get_or_insert_with(|| edition.chars().take(16).collect());
        }
        if !header.domains.is_empty() && !header.is_relationship() {
            let domains: BTreeSet<String> = header.domains.iter().cloned().collect();
            self.shared_domains = Some(match self.shared_domains.take() {
                None => domains.clone(),
                Some(shared) => shared.intersection(&domains).cloned().collect(),
            });
            self.all_domains.extend(domains);
        }
        if header.kind == "x-mitre-collection" && self.collection.is_none() {
            let contents = value.get("x_mitre_contents").and_then(Value::as_array);
            let references = contents.into_iter().flatten();
            let ids = references.filter_map(|content| content.get("object_ref")?.as_str().map(str::to_owned));
            self.collection = Some(Collection { release: header.version.clone(), contents: ids.collect() });
        }
    }

    /// Notes that a file could not be read on.
    pub(super) fn fault(&mut self, source: &str, fault: &Fault) {
        let tell = Tell { source, offset: fault.offset, object: None };
        let expected = format!("{}; the rest of this file was not read", fault.expected);
        self.complain(tell.problem(None, expected, false));
    }

    /// Notes what stood around the objects of a file.
    pub(super) fn wrapper(&mut self, wrapper: &Wrapper) {
        if let Some(edition) = &wrapper.spec_version {
            self.stix.get_or_insert_with(|| edition.chars().take(16).collect());
        }
    }

    fn complain(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < TOLD_CAP {
            self.problems.push(problem);
        }
    }

    /// Writes what concerns the import as a whole.
    pub(super) fn finish(mut self, transaction: &WriteTransaction) -> Result<Facts, Error> {
        self.loops();
        let dangling = self.dangling();
        let missing_contents = self.missing_contents();
        let mut members: Vec<Member> = self.seen.values().map(|seen| seen.member).collect();
        members.sort_unstable_by_key(|member| member.document);
        let relationships = members.iter().filter(|member| member.marks & RELATIONSHIP != 0).count() as u64;
        transaction.open_table(library::MEMBERS)?.insert(self.number, library::pack(&members).as_slice())?;
        let mut meta = transaction.open_table(library::META)?;
        meta.insert("documents", u64::from(self.next_document))?;
        meta.insert("objects", u64::from(self.next_object))?;
        let mut terms = transaction.open_table(library::TERMS)?;
        for (term, postings) in self.index.into_sorted() {
            terms.insert((term.as_str(), self.number), postings.as_slice())?;
        }
        let shared = self.shared_domains.unwrap_or_default();
        let domains = if shared.is_empty() { self.all_domains } else { shared };
        Ok(Facts {
            objects: members.len() as u64 - relationships,
            relationships,
            stored: self.stored,
            dangling,
            domains: domains.into_iter().collect(),
            stix: self.stix,
            collection: self.collection,
            missing_contents,
            problems: self.problems,
            problem_count: self.problem_count,
        })
    }

    /// References to what is not in this import. They are no fault of a part of a release, so the first few are named.
    fn dangling(&mut self) -> u64 {
        let lost: BTreeMap<&String, &String> =
            self.pointed.iter().filter(|(to, _)| !self.seen.contains_key(*to)).collect();
        let count = lost.len() as u64;
        let named: Vec<String> = lost.iter().take(NAMED_CAP).map(|(to, by)| format!("{to} (by {by})")).collect();
        if self.collection.is_some() && count > 0 {
            let tell = Tell { source: "all files", offset: 0, object: None };
            let expected =
                format!("expected the objects that others refer to, {count} are missing: {}", named.join(", "));
            self.complain(tell.problem(Some("references".to_owned()), expected, true));
        }
        count
    }

    fn missing_contents(&mut self) -> Vec<String> {
        let Some(collection) = &self.collection else { return Vec::new() };
        let mut missing: Vec<String> =
            collection.contents.iter().filter(|id| !self.seen.contains_key(*id)).cloned().collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            let tell = Tell { source: "all files", offset: 0, object: None };
            let named = missing.iter().take(NAMED_CAP).cloned().collect::<Vec<_>>().join(", ");
            let expected =
                format!("expected all objects that the collection lists, {} are missing: {named}", missing.len());
            self.complain(tell.problem(Some("x_mitre_contents".to_owned()), expected, true));
        }
        missing
    }

    /// Objects that are revoked by each other in a circle: nobody can say what took their place.
    fn loops(&mut self) {
        let mut settled: HashSet<String> = HashSet::new();
        let starts: BTreeSet<String> = self.revoked_by.keys().cloned().collect();
        for start in starts {
            let mut path: Vec<String> = Vec::new();
            let mut at = Some(start);
            while let Some(id) = at {
                if let Some(place) = path.iter().position(|earlier| *earlier == id) {
                    let circle = path.get(place..).unwrap_or_default().join(" by ");
                    let tell = Tell { source: "all files", offset: 0, object: Some(id) };
                    let expected = format!("expected an end of revocations, found a circle: {circle}");
                    self.complain(tell.problem(Some("revoked-by".to_owned()), expected, true));
                    break;
                }
                if settled.contains(&id) {
                    break;
                }
                at = self.revoked_by.get(&id).cloned();
                path.push(id);
            }
            settled.extend(path);
        }
    }
}

/// Where a problem is.
struct Tell<'a> {
    source: &'a str,
    offset: u64,
    object: Option<String>,
}

impl Tell<'_> {
    fn problem(&self, field: Option<String>, expected: String, imported: bool) -> Problem {
        Problem {
            source: self.source.to_owned(),
            offset: self.offset,
            object: self.object.clone(),
            field,
            expected,
            imported,
        }
    }
}

/// The id of an object that cannot be parsed, as far as its beginning shows it.
fn guess_id(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes)).into_owned();
    let after = head.split("\"id\"").nth(1)?;
    let id: String = after.split('"').nth(1)?.chars().take(80).collect();
    id.contains("--").then_some(id)
}
