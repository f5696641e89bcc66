//! What changed between two releases, in the nine classes that ATT&CK's own change logs use.

use crate::{
    fields::{self, Change},
    kinds,
    library::{Library, Snapshot},
    object::Header,
    problem::Error,
    search::natural,
    view::{View, release_order},
};
use monologue_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A class of change, by the names and rules of MITRE's change detection (`diffStix` of mitreattack-python 6.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Only in the new release.
    Additions,
    /// From X.y to (X+1).0.
    MajorVersionChanges,
    /// From x.Y to x.(Y+1).
    MinorVersionChanges,
    /// Any other step of the version.
    OtherVersionChanges,
    /// The same version, but the time of change or the description is another.
    Patches,
    /// Newly revoked.
    Revocations,
    /// Newly deprecated.
    Deprecations,
    /// Only in the old release.
    Deletions,
    /// None of these.
    Unchanged,
}

impl Class {
    /// Every class, in the order of change logs.
    pub const ALL: [Self; 9] = [
        Self::Additions,
        Self::MajorVersionChanges,
        Self::MinorVersionChanges,
        Self::OtherVersionChanges,
        Self::Patches,
        Self::Revocations,
        Self::Deprecations,
        Self::Deletions,
        Self::Unchanged,
    ];

    /// The name in JSON and `--class`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Additions => "additions",
            Self::MajorVersionChanges => "major_version_changes",
            Self::MinorVersionChanges => "minor_version_changes",
            Self::OtherVersionChanges => "other_version_changes",
            Self::Patches => "patches",
            Self::Revocations => "revocations",
            Self::Deprecations => "deprecations",
            Self::Deletions => "deletions",
            Self::Unchanged => "unchanged",
        }
    }

    /// The name in words.
    #[must_use]
    pub fn words(self) -> String {
        self.name().replace('_', " ")
    }
}

/// An object that is different, or was retired before and still is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// The class; `None` for what was revoked or deprecated in both, which change logs leave out.
    pub class: Option<Class>,
    /// The old version. `None` for additions.
    pub old: Option<Header>,
    /// The new version. `None` for deletions.
    pub new: Option<Header>,
    /// What took its place, for revocations. `None` where nothing says so.
    pub revoked_by: Option<Header>,
    /// Whether the content differs at all, by canonical hash. The class `unchanged` does not mean that it does not.
    pub content_changed: bool,
}

impl Changed {
    /// The newer header there is.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// Relationship objects that came, went and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RelationshipChanges {
    /// Only in the new release.
    pub added: u64,
    /// Only in the old one.
    pub removed: u64,
    /// With other content.
    pub changed: u64,
}

/// Two releases compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The older side, in words.
    pub old: String,
    /// The newer side, in words.
    pub new: String,
    /// How many objects of each class.
    pub counts: BTreeMap<Class, u64>,
    /// Objects that are different in any way, by type and id.
    pub objects: Vec<Changed>,
    /// Unchanged by the rule of the classes, and yet of other content.
    pub unchanged_with_other_content: u64,
    /// Revoked or deprecated on both sides: in no class.
    pub retired_before: u64,
    /// Whether the newer side is proved to be all of its release. Otherwise `deletions` may only be missing there.
    pub deletions_proved: bool,
    /// Whether the older side is. Otherwise `additions` may only be missing there.
    pub additions_proved: bool,
    /// Relationships.
    pub relationships: RelationshipChanges,
}

/// Compares two views.
///
/// # Errors
/// When the database fails.
pub fn difference(old: &View<'_>, new: &View<'_>) -> Result<Difference, Error> {
    let sides = |view: &View<'_>| -> HashMap<u32, (u32, bool)> {
        view.members()
            .map(|member| (member.object, (member.document, member.marks & crate::library::RELATIONSHIP != 0)))
            .collect()
    };
    let (before, after) = (sides(old), sides(new));
    let mut found = Difference {
        old: old.words(),
        new: new.words(),
        counts: Class::ALL.into_iter().map(|class| (class, 0)).collect(),
        objects: Vec::new(),
        unchanged_with_other_content: 0,
        retired_before: 0,
        deletions_proved: new.is_whole(),
        additions_proved: old.is_whole(),
        relationships: RelationshipChanges::default(),
    };
    for (object, (document, relationship)) in &before {
        let now = after.get(object).map(|(document, _)| *document);
        found.take(old, new, Some(*document), now, *relationship)?;
    }
    for (_, (document, relationship)) in after.iter().filter(|(object, _)| !before.contains_key(*object)) {
        found.take(old, new, None, Some(*document), *relationship)?;
    }
    found.objects.sort_by_cached_key(|changed| {
        changed
            .header()
            .map(|header| (changed.class, kinds::order(&header.kind), natural(header.label()), header.stix_id.clone()))
    });
    Ok(found)
}

impl Difference {
    /// Leaves only objects of these types among those listed. The counts stay those of all.
    pub fn keep_kinds(&mut self, asked: &[String]) {
        self.objects.retain(|changed| {
            let kind = changed.header().map_or("", |header| header.kind.as_str());
            asked.iter().any(|asked| kinds::is_meant(kind, asked))
        });
    }

    fn take(
        &mut self,
        old: &View<'_>,
        new: &View<'_>,
        before: Option<u32>,
        now: Option<u32>,
        relationship: bool,
    ) -> Result<(), Error> {
        if relationship {
            return self.take_relationship(old, before, now);
        }
        let header = |document: Option<u32>| document.map(|document| old.library.header(document)).transpose();
        let (before_header, same_bytes) = (header(before)?, before == now);
        let kind = |header: &Option<Header>| header.as_ref().and_then(|header| kinds::of(&header.kind));
        if same_bytes {
            // The bulk of every comparison: nothing to open.
            let Some(header) =
                before_header.filter(|header| kinds::of(&header.kind).is_some_and(|kind| kind.versioned))
            else {
                return Ok(());
            };
            if header.revoked || header.deprecated {
                self.retired_before += 1;
            } else {
                *self.counts.entry(Class::Unchanged).or_default() += 1;
            }
            return Ok(());
        }
        let now_header = header(now)?;
        if !kind(&now_header).or_else(|| kind(&before_header)).is_some_and(|kind| kind.versioned) {
            return Ok(());
        }
        let changed = changed(new, before_header, now_header, before, now)?;
        match changed.class {
            Some(class) => *self.counts.entry(class).or_default() += 1,
            None => self.retired_before += 1,
        }
        self.unchanged_with_other_content +=
            u64::from(changed.class == Some(Class::Unchanged) && changed.content_changed);
        if changed.content_changed {
            self.objects.push(changed);
        }
        Ok(())
    }

    fn take_relationship(&mut self, old: &View<'_>, before: Option<u32>, now: Option<u32>) -> Result<(), Error> {
        match (before, now) {
            (None, Some(_)) => self.relationships.added += 1,
            (Some(_), None) => self.relationships.removed += 1,
            (Some(before), Some(now)) if before != now => {
                let (before, now) = (old.library.header(before)?, old.library.header(now)?);
                self.relationships.changed += u64::from(before.sha256 != now.sha256);
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) fn changed(
    new: &View<'_>,
    before: Option<Header>,
    now: Option<Header>,
    old_document: Option<u32>,
    new_document: Option<u32>,
) -> Result<Changed, Error> {
    let (Some(old_header), Some(new_header)) = (&before, &now) else {
        let class = if before.is_none() { Class::Additions } else { Class::Deletions };
        return Ok(Changed { class: Some(class), old: before, new: now, revoked_by: None, content_changed: true });
    };
    let content_changed = old_header.sha256 != new_header.sha256;
    let mut class = class(old_header, new_header);
    if class == Some(Class::Unchanged) && content_changed {
        let description = |document: Option<u32>| -> Result<Option<String>, Error> {
            let Some(document) = document else { return Ok(None) };
            let value: Value = crate::library::record(&new.library.raw(document)?)?;
            Ok(value.get("description").and_then(Value::as_str).map(|text| text.replace('\n', " ")))
        };
        let (old, new) = (description(old_document)?, description(new_document)?);
        if old.is_some() && new.is_some() && old != new {
            class = Some(Class::Patches);
        }
    }
    let revoked_by = if class == Some(Class::Revocations) { successor(new, &new_header.stix_id)? } else { None };
    Ok(Changed { class, old: before, new: now, revoked_by, content_changed })
}

/// The object that took the place of a revoked one.
///
/// # Errors
/// When the database fails.
pub fn successor(view: &View<'_>, stix_id: &str) -> Result<Option<Header>, Error> {
    let edges = view.edges(stix_id)?;
    match edges.into_iter().find(|stated| stated.edge.kind == "revoked-by" && stated.edge.from == stix_id) {
        Some(stated) => view.header(&stated.edge.to),
        None => Ok(None),
    }
}

/// The class by headers alone. `None`: retired in both.
fn class(old: &Header, new: &Header) -> Option<Class> {
    if new.revoked {
        return (!old.revoked).then_some(Class::Revocations);
    }
    if new.deprecated {
        return (!old.deprecated).then_some(Class::Deprecations);
    }
    let (before, now) = (version(old), version(new));
    if let (Some((old_major, old_minor)), Some((major, minor))) = (before, now) {
        if (major, minor) == (old_major.saturating_add(1), 0) {
            return Some(Class::MajorVersionChanges);
        }
        if (major, minor) == (old_major, old_minor.saturating_add(1)) {
            return Some(Class::MinorVersionChanges);
        }
        if (major, minor) != (old_major, old_minor) {
            return Some(Class::OtherVersionChanges);
        }
    }
    let moment = |header: &Header| header.modified.as_deref().and_then(|text| Timestamp::parse(text).ok());
    Some(if before == now && moment(old) != moment(new) { Class::Patches } else { Class::Unchanged })
}

fn version(header: &Header) -> Option<(u64, u64)> {
    let (major, minor) = header.version.as_deref()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// One object on both sides, field by field. Empty where it is on one side only.
///
/// # Errors
/// When the object is on neither side, or the database fails.
pub fn object_difference(old: &View<'_>, new: &View<'_>, id: &str) -> Result<(Changed, Vec<Change>), Error> {
    let (before, now) = match (old.find(id), new.find(id)) {
        (Err(error @ Error::Unknown { .. }), Err(Error::Unknown { .. })) => return Err(error),
        (Err(Error::Unknown { .. }), now) => (None, Some(now?)),
        (before, Err(Error::Unknown { .. })) => (Some(before?), None),
        (before, now) => (Some(before?), Some(now?)),
    };
    let value = |view: &View<'_>, found: &crate::view::Found| crate::library::record::<Value>(&view.raw(found)?);
    let changes = match (&before, &now) {
        (Some(before), Some(now)) => fields::compare(&value(old, before)?, &value(new, now)?),
        _ => Vec::new(),
    };
    let (old_document, new_document) =
        (before.as_ref().map(|found| found.document), now.as_ref().map(|found| found.document));
    let (before, now) = (before.map(|found| found.header), now.map(|found| found.header));
    Ok((changed(new, before, now, old_document, new_document)?, changes))
}

/// An object in one snapshot of its history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The object there. `None` means the snapshot does not hold it.
    pub header: Option<Header>,
    /// How it differs from the step before. `None` for the first, and where either side lacks it.
    pub class: Option<Class>,
    /// Whether its content is another than in the step before.
    pub content_changed: bool,
}

impl Library {
    /// An object across all snapshots, by release. Snapshots of domains in which it never occurs are left out.
    ///
    /// # Errors
    /// When no snapshot holds it, or the database fails.
    pub fn history(&self, id: &str) -> Result<Vec<Step>, Error> {
        let stix_id = self.preferred(id)?;
        let documents: HashMap<u32, Header> = self.headers(self.named(&stix_id)?.into_iter())?.into_iter().collect();
        let mut snapshots = self.snapshots()?;
        snapshots.sort_by_cached_key(|snapshot| (release_order(snapshot.release.as_deref()), snapshot.number));
        let mut steps: Vec<Step> = Vec::new();
        for snapshot in snapshots {
            let members = self.members(snapshot.number)?;
            let member = members.iter().find(|member| documents.contains_key(&member.document));
            let header = member.and_then(|member| documents.get(&member.document)).cloned();
            steps.push(Step { snapshot, header, class: None, content_changed: false });
        }
        let domains: Vec<String> = steps
            .iter()
            .filter(|step| step.header.is_some())
            .flat_map(|step| step.snapshot.domains.iter().cloned())
            .collect();
        steps.retain(|step| {
            step.header.is_some() || step.snapshot.domains.iter().any(|domain| domains.contains(domain))
        });
        self.classify(&mut steps)?;
        Ok(steps)
    }

    /// The STIX id meant by an id: of several with one ATT&CK id, one that is in use.
    fn preferred(&self, id: &str) -> Result<String, Error> {
        let headers = self.headers(self.named(id)?.into_iter())?;
        let in_use = headers.iter().rev().find(|(_, header)| !header.revoked && !header.deprecated);
        match in_use.or_else(|| headers.last()) {
            Some((_, header)) => Ok(header.stix_id.clone()),
            None => Err(Error::Unknown {
                id: id.to_owned(),
                place: "is in no snapshot".to_owned(),
                hint: "`monologue attack search WORDS` looks in names and texts".to_owned(),
            }),
        }
    }

    fn classify(&self, steps: &mut [Step]) -> Result<(), Error> {
        let mut before: Option<(Header, u32)> = None;
        for step in steps.iter_mut() {
            let Some(header) = step.header.clone() else { continue };
            let view = self.view(&crate::view::Ask::release(&format!("#{}", step.snapshot.number)))?;
            let document = view.find(&header.stix_id)?.document;
            if let Some((old, old_document)) = before.take() {
                let found = changed(&view, Some(old), Some(header.clone()), Some(old_document), Some(document))?;
                step.class = found.class;
                step.content_changed = found.content_changed;
            }
            before = Some((header, document));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn header(version: &str, modified: &str, revoked: bool, deprecated: bool) -> Header {
        let value = json!({ "type": "tool", "id": "tool--1", "x_mitre_version": version, "modified": modified,
            "revoked": revoked, "x_mitre_deprecated": deprecated });
        Header::of(&value).unwrap().0
    }

    #[test]
    fn classes_follow_the_official_rules() {
        let (monday, tuesday) = ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
        let old = header("1.9", monday, false, false);
        for (new, expected) in [
            (header("2.0", tuesday, false, false), Some(Class::MajorVersionChanges)),
            (header("1.10", tuesday, false, false), Some(Class::MinorVersionChanges)),
            (header("1.11", tuesday, false, false), Some(Class::OtherVersionChanges)),
            (header("2.1", tuesday, false, false), Some(Class::OtherVersionChanges)),
            (header("1.8", tuesday, false, false), Some(Class::OtherVersionChanges)),
            (header("1.9", tuesday, false, false), Some(Class::Patches)),
            (header("1.9", "2026-01-05T00:00:00.000Z", false, false), Some(Class::Unchanged)),
            (header("2.0", tuesday, true, false), Some(Class::Revocations)),
            (header("2.0", tuesday, true, true), Some(Class::Revocations)),
            (header("2.0", tuesday, false, true), Some(Class::Deprecations)),
        ] {
            assert_eq!(class(&old, &new), expected, "{new:?}");
        }
        let (revoked, deprecated) = (header("1.0", monday, true, false), header("1.0", monday, false, true));
        assert_eq!(class(&revoked, &header("2.0", tuesday, true, false)), None);
        assert_eq!(class(&deprecated, &header("2.0", tuesday, false, true)), None);
        assert_eq!(class(&revoked, &header("1.0", tuesday, false, false)), Some(Class::Patches));
    }
}
