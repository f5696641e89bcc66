//! The library as pages: self-contained files that work from a folder without a network.

mod addresses;
mod changes;
mod draw;
mod lists;
mod object;
pub(crate) mod page;

use crate::{
    card::Detail,
    diff::{Class, Step, difference},
    fields,
    graph::Reach,
    kinds,
    library::{Library, Snapshot},
    object::Header,
    problem::Error,
    search::natural,
    view::{Ask, View, release_order},
};
use addresses::Addresses;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
};

/// Steps of the picture of an object's surroundings.
const DEPTH: usize = 3;

/// Most objects of a picture.
const NODES: usize = 80;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Objects with a page.
    pub objects: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Writes files below a folder.
struct Folder {
    root: PathBuf,
    written: Written,
}

impl Folder {
    fn write(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.root.join(folder).join(name);
        fs::write(&path, content).map_err(Error::file(path))?;
        self.written.files += 1;
        self.written.bytes += content.len() as u64;
        Ok(())
    }
}

/// Writes the pages of what is in force to `folder`, which must be new or empty, or hold an earlier site.
///
/// # Errors
/// When there is no snapshot, the folder holds something else, or a file cannot be written.
pub fn write(library: &Library, ask: &Ask, folder: &Path) -> Result<Written, Error> {
    let mut view = library.view(ask)?;
    view.load()?;
    let mut folder = prepare(folder)?;
    let objects = view.objects()?;
    let addresses = Addresses::of(objects.iter().map(|(_, header)| header));
    let histories = Histories::of(library, &objects)?;
    for (document, header) in &objects {
        object_pages(&view, library, *document, header, &addresses, &histories, &mut folder)?;
    }
    let mut headers: Vec<&Header> = objects.iter().map(|(_, header)| header).collect();
    headers.sort_by_cached_key(|header| (kinds::order(&header.kind), natural(header.label()), header.stix_id.clone()));
    folder.write("", "all.html", lists::page("All objects", 0, &headers, &addresses).as_bytes())?;
    let types: BTreeSet<&str> = headers.iter().map(|header| header.kind.as_str()).collect();
    for kind in types {
        let rows: Vec<&Header> = headers.iter().copied().filter(|header| header.kind == kind).collect();
        let title = kinds::of(kind).map_or(kind, |kind| kind.plural);
        let name = format!("{}.html", kinds::word(kind));
        folder.write("types", &name, lists::page(title, 1, &rows, &addresses).as_bytes())?;
    }
    let changes = release_pages(library, &addresses, &histories, &mut folder)?;
    let snapshots = library.snapshots()?;
    folder.write("", "index.html", lists::index(&snapshots, &headers, &changes).as_bytes())?;
    folder.written.objects = objects.len() as u64;
    Ok(folder.written)
}

/// A file that says that a folder holds a site of ours, which may be written over.
const MARK: &str = ".monologue-attack-site";

fn prepare(root: &Path) -> Result<Folder, Error> {
    fs::create_dir_all(root).map_err(Error::file(root))?;
    let empty = fs::read_dir(root).map_err(Error::file(root))?.next().is_none();
    if !empty && !root.join(MARK).is_file() {
        let cause = std::io::Error::other("expected an empty folder, or one that holds an earlier site");
        return Err(Error::File { path: root.to_owned(), cause });
    }
    for folder in ["objects", "raw", "compare", "types", "changes"] {
        let path = root.join(folder);
        // Pages of objects that are gone must not stay.
        if path.is_dir() {
            fs::remove_dir_all(&path).map_err(Error::file(&path))?;
        }
        fs::create_dir_all(&path).map_err(Error::file(&path))?;
    }
    let mut folder = Folder { root: root.to_owned(), written: Written::default() };
    folder.write("", MARK, b"A site written by monologue attack site.\n")?;
    Ok(folder)
}

/// The documents of each object through the snapshots, from memory.
struct Histories {
    snapshots: Vec<Snapshot>,
    /// For each snapshot the documents it holds, by object number.
    members: Vec<std::collections::HashMap<u32, u32>>,
    objects: std::collections::HashMap<u32, u32>,
}

impl Histories {
    fn of(library: &Library, objects: &[(u32, Header)]) -> Result<Self, Error> {
        let mut snapshots = library.snapshots()?;
        snapshots.sort_by_cached_key(|snapshot| (release_order(snapshot.release.as_deref()), snapshot.number));
        let wanted: HashSet<u32> = objects.iter().map(|(document, _)| *document).collect();
        let mut members = Vec::new();
        let mut numbers = std::collections::HashMap::new();
        for snapshot in &snapshots {
            let rows = library.members(snapshot.number)?;
            numbers
                .extend(rows.iter().filter(|row| wanted.contains(&row.document)).map(|row| (row.document, row.object)));
            members.push(rows.into_iter().map(|row| (row.object, row.document)).collect());
        }
        Ok(Self { snapshots, members, objects: numbers })
    }

    /// The document of an object in each snapshot that concerns it.
    fn documents(&self, document: u32, header: &Header) -> Vec<(&Snapshot, Option<u32>)> {
        let object = self.objects.get(&document);
        let held = self
            .snapshots
            .iter()
            .zip(&self.members)
            .map(|(snapshot, members)| (snapshot, object.and_then(|object| members.get(object)).copied()));
        held.filter(|(snapshot, held)| {
            held.is_some() || snapshot.domains.iter().any(|domain| header.domains.contains(domain))
        })
        .collect()
    }
}

fn object_pages(
    view: &View<'_>,
    library: &Library,
    document: u32,
    header: &Header,
    addresses: &Addresses,
    histories: &Histories,
    folder: &mut Folder,
) -> Result<(), Error> {
    let name = addresses.name(&header.stix_id).unwrap_or_default().to_owned();
    let raw = library.raw(document)?;
    let value: Value = crate::library::record(&raw)?;
    let found = view.found(document, header.clone())?;
    let card = view.card_of(&found, &value, Detail { retired: false, words: true })?;
    let reach = Reach { depth: DEPTH, nodes: NODES, retired: false, detection_only: true };
    let graph = view.graph_of(header, reach)?;
    let held = histories.documents(document, header);
    let (steps, versions) = steps(view, library, &held)?;
    let compared = !versions.is_empty();
    let parts = object::Parts { card: &card, graph: &graph, steps: &steps, compared, addresses };
    folder.write("objects", &format!("{name}.html"), object::page(&parts).as_bytes())?;
    folder.write("raw", &format!("{name}.json"), &raw)?;
    folder.write("raw", &format!("{name}.html"), object::source(&card, &name, &raw).as_bytes())?;
    if compared {
        let page = changes::versions(header.label(), &name, &versions);
        folder.write("compare", &format!("{name}.html"), page.as_bytes())?;
    }
    Ok(())
}

/// The history of an object, and what changed from each version to the next.
fn steps(
    view: &View<'_>,
    library: &Library,
    held: &[(&Snapshot, Option<u32>)],
) -> Result<(Vec<Step>, Vec<changes::Version>), Error> {
    let mut steps: Vec<Step> = Vec::new();
    let mut versions = Vec::new();
    let mut before: Option<(u32, &Snapshot, Header)> = None;
    for (snapshot, document) in held {
        let snapshot = *snapshot;
        let Some(document) = *document else {
            steps.push(Step { snapshot: snapshot.clone(), header: None, class: None, content_changed: false });
            continue;
        };
        let header = library.header(document)?;
        let mut step =
            Step { snapshot: snapshot.clone(), header: Some(header.clone()), class: None, content_changed: false };
        if let Some((old_document, old_snapshot, old)) = before.take() {
            let changed =
                crate::diff::changed(view, Some(old), Some(header.clone()), Some(old_document), Some(document))?;
            (step.class, step.content_changed) = (changed.class, changed.content_changed);
            if step.content_changed {
                let value = |document: u32| crate::library::record::<Value>(&library.raw(document)?);
                versions.push(changes::Version {
                    title: format!("{old_snapshot} → {snapshot}"),
                    class: step.class.map_or_else(|| "retired on both sides".to_owned(), Class::words),
                    changes: fields::compare(&value(old_document)?, &value(document)?),
                });
            }
        }
        steps.push(step);
        before = Some((document, snapshot, header));
    }
    Ok((steps, versions))
}

/// One page for each two releases of a domain that follow each other.
fn release_pages(
    library: &Library,
    addresses: &Addresses,
    histories: &Histories,
    folder: &mut Folder,
) -> Result<Vec<(String, String)>, Error> {
    let mut by_domain: BTreeMap<String, Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in &histories.snapshots {
        by_domain.entry(snapshot.domains.join("+")).or_default().push(snapshot);
    }
    let mut pages = Vec::new();
    for snapshots in by_domain.into_values() {
        for pair in snapshots.windows(2) {
            let [old, new] = pair else { continue };
            let view = |snapshot: &Snapshot| library.view(&Ask::release(&format!("#{}", snapshot.number)));
            let found = difference(&view(old)?, &view(new)?)?;
            let compared: HashSet<&str> = found
                .objects
                .iter()
                .filter_map(|changed| changed.old.as_ref().and(changed.new.as_ref()))
                .map(|header| header.stix_id.as_str())
                .collect();
            let title = format!("{old} → {new}");
            let name = format!("{}-{}", old.number, new.number);
            let page = changes::releases(&title, &found, addresses, &|stix_id| compared.contains(stix_id));
            folder.write("changes", &format!("{name}.html"), page.as_bytes())?;
            pages.push((name, title));
        }
    }
    Ok(pages)
}
