//! A view: what the library says now, or said in one release, as if it were one snapshot.

use crate::{
    library::{Library, Member, RELATIONSHIP, RETIRED, Snapshot},
    object::{Edge, Header},
    problem::Error,
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Which snapshots are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// A release such as `18.1`, or a snapshot such as `#2`. `None` means what is in force.
    pub release: Option<String>,
    /// Only snapshots of this domain. `None` means all.
    pub domain: Option<String>,
}

impl Ask {
    /// What was said by one release or snapshot.
    #[must_use]
    pub fn release(name: &str) -> Self {
        Self { release: Some(name.to_owned()), domain: None }
    }
}

/// One object as a view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its header.
    pub header: Header,
    /// The number of the document.
    pub(crate) document: u32,
    /// The snapshot that shows it.
    pub snapshot: Snapshot,
    /// Other objects with the same ATT&CK id.
    pub namesakes: Vec<Header>,
}

/// An edge, and the object that states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedEdge {
    /// The edge.
    pub edge: Edge,
    /// STIX id of the object that states it.
    pub by: String,
    /// Whether a relationship object that states it is revoked or deprecated.
    pub retired: bool,
    pub(crate) document: u32,
}

/// Everything of a view in memory, for those who look at every object.
#[derive(Default)]
struct Loaded {
    by_document: HashMap<u32, Header>,
    by_stix_id: HashMap<String, u32>,
    touching: HashMap<String, Vec<u32>>,
}

/// Snapshots laid over each other: for each object, the first that holds it counts.
pub struct View<'a> {
    pub(crate) library: &'a Library,
    /// The snapshots, the one that counts most first.
    pub snapshots: Vec<Snapshot>,
    /// Members that count, by document number, each with its place in `snapshots`.
    current: Vec<(Member, usize)>,
    loaded: Option<Loaded>,
}

/// Releases in order: numbers by value, unknown ones before all.
pub(crate) fn release_order(release: Option<&str>) -> (bool, Vec<u64>, String) {
    let Some(release) = release else { return (false, Vec::new(), String::new()) };
    let numbers = release.split('.').map(|part| part.parse().unwrap_or(0)).collect();
    (true, numbers, release.to_owned())
}

impl<'a> View<'a> {
    pub(crate) fn of(library: &'a Library, ask: &Ask) -> Result<Self, Error> {
        let all = library.snapshots()?;
        let mut snapshots = chosen(&all, ask)?;
        snapshots.sort_by_cached_key(|snapshot| {
            std::cmp::Reverse((release_order(snapshot.release.as_deref()), snapshot.number))
        });
        if ask.release.is_none() {
            snapshots = in_force(snapshots);
        }
        let mut seen = HashSet::new();
        let mut current = Vec::new();
        for (place, snapshot) in snapshots.iter().enumerate() {
            let members = library.members(snapshot.number)?;
            if place == 0 && snapshots.len() == 1 {
                current.extend(members.into_iter().map(|member| (member, 0)));
                break;
            }
            current
                .extend(members.into_iter().filter(|member| seen.insert(member.object)).map(|member| (member, place)));
        }
        current.sort_unstable_by_key(|(member, _)| member.document);
        Ok(Self { library, snapshots, current, loaded: None })
    }

    /// What the view covers, in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let names: Vec<String> = self.snapshots.iter().map(ToString::to_string).collect();
        if names.is_empty() { "no snapshot".to_owned() } else { names.join(", ") }
    }

    /// Whether what is not here was deleted: every snapshot is all of its release.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.snapshots.is_empty() && self.snapshots.iter().all(|snapshot| snapshot.whole.is_proved())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = Member> + '_ {
        self.current.iter().map(|(member, _)| *member)
    }

    /// The member of a document, where it counts in this view.
    pub(crate) fn member(&self, document: u32) -> Option<Member> {
        let place = self.current.binary_search_by_key(&document, |(member, _)| member.document).ok()?;
        self.current.get(place).map(|(member, _)| *member)
    }

    pub(crate) fn snapshot_of(&self, document: u32) -> Option<&Snapshot> {
        let place = self.current.binary_search_by_key(&document, |(member, _)| member.document).ok()?;
        self.snapshots.get(self.current.get(place)?.1)
    }

    /// The object of an ATT&CK id or STIX id. Of several with one ATT&CK id, the one in use comes first.
    ///
    /// # Errors
    /// When there is none, with a hint where it may be; or the database fails.
    pub fn find(&self, id: &str) -> Result<Found, Error> {
        let documents = self.library.named(id)?;
        let mut here: Vec<u32> =
            documents.iter().copied().filter(|document| self.member(*document).is_some()).collect();
        here.sort_unstable_by_key(|document| self.member(*document).map_or(0, |member| member.marks & RETIRED));
        let mut headers = self.library.headers(here.into_iter())?.into_iter();
        let Some((document, header)) = headers.next() else { return Err(self.unknown(id, &documents)?) };
        let found = self.found(document, header)?;
        Ok(Found { namesakes: headers.map(|(_, header)| header).collect(), ..found })
    }

    fn unknown(&self, id: &str, documents: &[u32]) -> Result<Error, Error> {
        let place = format!("is not in {}", self.words());
        let mut elsewhere = BTreeSet::new();
        for snapshot in self.library.snapshots()? {
            let members = self.library.members(snapshot.number)?;
            if members.iter().any(|member| documents.contains(&member.document)) {
                elsewhere.insert(snapshot.to_string());
            }
        }
        let hint = if elsewhere.is_empty() {
            "`monologue attack search WORDS` looks in names and texts; import the release that holds it".to_owned()
        } else {
            let names: Vec<String> = elsewhere.into_iter().collect();
            format!("--release asks another snapshot; it is in {}", names.join(", "))
        };
        Ok(Error::Unknown { id: id.to_owned(), place, hint })
    }

    /// Loads all headers, so that whoever looks at every object does not ask the database each time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(&mut self) -> Result<(), Error> {
        let mut loaded = Loaded::default();
        for (document, header) in self.library.headers(self.members().map(|member| member.document))? {
            let ends: BTreeSet<&String> = header.edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect();
            for end in ends {
                loaded.touching.entry(end.clone()).or_default().push(document);
            }
            loaded.by_stix_id.insert(header.stix_id.clone(), document);
            loaded.by_document.insert(document, header);
        }
        self.loaded = Some(loaded);
        Ok(())
    }

    /// The header of a STIX id, where the view holds it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn header(&self, stix_id: &str) -> Result<Option<Header>, Error> {
        if let Some(loaded) = &self.loaded {
            let document = loaded.by_stix_id.get(stix_id);
            return Ok(document.and_then(|document| loaded.by_document.get(document)).cloned());
        }
        for document in self.library.named(stix_id)? {
            if self.member(document).is_some() {
                let header = self.library.header(document)?;
                if header.stix_id == stix_id {
                    return Ok(Some(header));
                }
            }
        }
        Ok(None)
    }

    /// The headers of many STIX ids, as far as the view holds them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn headers_of(&self, stix_ids: &BTreeSet<&str>) -> Result<HashMap<String, Header>, Error> {
        if self.loaded.is_some() {
            let held = stix_ids.iter().map(|id| Ok(self.header(id)?.map(|header| ((*id).to_owned(), header))));
            return held.filter_map(Result::transpose).collect();
        }
        let mut documents = self.library.named_each(stix_ids.iter().copied())?;
        documents.retain(|document| self.member(*document).is_some());
        let headers = self.library.headers(documents.into_iter())?.into_iter();
        let meant = headers.filter(|(_, header)| stix_ids.contains(header.stix_id.as_str()));
        Ok(meant.map(|(_, header)| (header.stix_id.clone(), header)).collect())
    }

    /// All edges at an object.
    ///
    /// # Errors
    /// When the database fails.
    pub fn edges(&self, stix_id: &str) -> Result<Vec<StatedEdge>, Error> {
        let mut edges = Vec::new();
        let mut take = |document: u32, header: &Header| {
            let retired = header.is_relationship() && (header.revoked || header.deprecated);
            for edge in header.edges.iter().filter(|edge| edge.from == stix_id || edge.to == stix_id) {
                edges.push(StatedEdge { edge: edge.clone(), by: header.stix_id.clone(), retired, document });
            }
        };
        if let Some(loaded) = &self.loaded {
            for document in loaded.touching.get(stix_id).into_iter().flatten() {
                loaded.by_document.get(document).into_iter().for_each(|header| take(*document, header));
            }
        } else {
            let documents = self.library.touching(stix_id)?;
            let here = documents.into_iter().filter(|document| self.member(*document).is_some());
            for (document, header) in self.library.headers(here)? {
                take(document, &header);
            }
        }
        edges.sort_by(|left, right| left.edge.cmp(&right.edge));
        Ok(edges)
    }

    /// The exact bytes of an object.
    ///
    /// # Errors
    /// When the database fails.
    pub fn raw(&self, found: &Found) -> Result<Vec<u8>, Error> {
        self.library.raw(found.document)
    }

    /// The object of a document of this view.
    pub(crate) fn found(&self, document: u32, header: Header) -> Result<Found, Error> {
        let snapshot = self.snapshot_of(document).cloned();
        let snapshot = snapshot.ok_or_else(|| Error::Record(format!("document {document} has no snapshot")))?;
        Ok(Found { header, document, snapshot, namesakes: Vec::new() })
    }

    /// Headers of all objects that are no relationships.
    ///
    /// # Errors
    /// When the database fails.
    pub fn objects(&self) -> Result<Vec<(u32, Header)>, Error> {
        let members = self.members().filter(|member| member.marks & RELATIONSHIP == 0);
        self.library.headers(members.map(|member| member.document))
    }
}

fn chosen(all: &[Snapshot], ask: &Ask) -> Result<Vec<Snapshot>, Error> {
    let of_domain = |snapshot: &&Snapshot| {
        ask.domain.as_deref().is_none_or(|domain| snapshot.domains.iter().any(|there| same_domain(there, domain)))
    };
    let named = |snapshot: &&Snapshot| match ask.release.as_deref() {
        None => true,
        Some(name) => match name.strip_prefix('#') {
            Some(number) => number.parse() == Ok(snapshot.number),
            None => snapshot.release.as_deref() == Some(name.strip_prefix('v').unwrap_or(name)),
        },
    };
    let found: Vec<Snapshot> = all.iter().filter(named).filter(of_domain).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let asked = [ask.release.as_deref(), ask.domain.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let known = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::NoSnapshot { asked, known })
}

/// Whether `asked` names the domain: in full, or without `-attack`.
pub(crate) fn same_domain(domain: &str, asked: &str) -> bool {
    domain.eq_ignore_ascii_case(asked)
        || domain.strip_suffix("-attack").is_some_and(|short| short.eq_ignore_ascii_case(asked))
}

/// Leaves out what a later whole release replaces: an object that is only in an older one was deleted.
fn in_force(sorted: Vec<Snapshot>) -> Vec<Snapshot> {
    let mut closed: BTreeSet<String> = BTreeSet::new();
    let mut kept = Vec::new();
    for snapshot in sorted {
        let replaced = !snapshot.domains.is_empty() && snapshot.domains.iter().all(|domain| closed.contains(domain));
        if replaced {
            continue;
        }
        if snapshot.whole.is_proved() {
            closed.extend(snapshot.domains.iter().cloned());
        }
        kept.push(snapshot);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_number() {
        let mut releases = vec![Some("9.0"), None, Some("18.1"), Some("18.0"), Some("2.0")];
        releases.sort_by_key(|release| release_order(*release));
        assert_eq!(releases, [None, Some("2.0"), Some("9.0"), Some("18.0"), Some("18.1")]);
    }

    #[test]
    fn a_domain_has_a_short_name() {
        assert!(same_domain("enterprise-attack", "Enterprise") && same_domain("ics-attack", "ics-attack"));
        assert!(!same_domain("enterprise-attack", "ics"));
    }
}
