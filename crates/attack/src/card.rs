//! All that the library says of one object, put together for people and programs.

use crate::{
    LICENCE, diff, kinds, known,
    object::{Edge, Header},
    problem::Error,
    prose::Prose,
    view::{Found, View},
};
use monologue_model::Sha256;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// An object as others mention it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// STIX id.
    pub stix_id: String,
    /// STIX type.
    pub kind: String,
    /// ATT&CK id. `None` where it has none, or is neither imported nor known.
    pub attack_id: Option<String>,
    /// Name. `None` where it is neither imported nor known.
    pub name: Option<String>,
    /// Active, deprecated, revoked, or `not in these snapshots`.
    pub status: &'static str,
}

impl Mention {
    pub(crate) fn of(header: &Header) -> Self {
        Self {
            stix_id: header.stix_id.clone(),
            kind: header.kind.clone(),
            attack_id: header.attack_id.clone(),
            name: header.name.clone(),
            status: header.status(),
        }
    }

    /// An object that the view does not hold: by its facts, where the product knows them.
    fn missing(stix_id: &str) -> Self {
        let known = known::by_id(stix_id);
        Self {
            stix_id: stix_id.to_owned(),
            kind: stix_id.split("--").next().unwrap_or_default().to_owned(),
            attack_id: known.map(|known| known.attack_id.to_owned()),
            name: known.map(|known| known.name.to_owned()),
            status: "not in these snapshots",
        }
    }

    /// Id and name, for people.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.attack_id, &self.name) {
            (Some(id), Some(name)) => format!("{id} {name}"),
            (None, Some(name)) => name.clone(),
            (Some(id), None) => id.clone(),
            (None, None) => format!("{} ({})", self.stix_id, self.status),
        }
    }
}

/// A log source of an analytic or a data component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogSource {
    /// Its name, such as `macos:unifiedlog`.
    pub name: String,
    /// Its channel: free text. `None` where none is named.
    pub channel: Option<String>,
    /// The data component it stands for. `None` for the log sources of a component.
    pub component: Option<Mention>,
}

/// An element that a user of an analytic is to tune.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Element {
    /// Its field.
    pub field: String,
    /// What it is for.
    pub description: String,
}

/// A relationship seen from one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// What it says.
    pub kind: String,
    /// Whether it starts at this object.
    pub outgoing: bool,
    /// Whether it is a field of an object, and no relationship object.
    pub embedded: bool,
    /// The other object.
    pub other: Mention,
    /// STIX id of the object that states it.
    pub stated_by: String,
    /// What it says in words. Empty where it says nothing, or was not asked for.
    pub prose: Prose,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    /// STIX id.
    pub stix_id: String,
    /// STIX type.
    pub kind: String,
    /// The word for its type.
    pub type_word: String,
    /// ATT&CK id. `None` where it has none.
    pub attack_id: Option<String>,
    /// Name. `None` where it has none.
    pub name: Option<String>,
    /// Release of the snapshot it is shown from. `None`: unknown release.
    pub release: Option<String>,
    /// Number of that snapshot.
    pub snapshot: u32,
    /// What the hash of that snapshot's file proves.
    pub official: String,
    /// Domains.
    pub domains: Vec<String>,
    /// Platforms.
    pub platforms: Vec<String>,
    /// Tactics.
    pub tactics: Vec<String>,
    /// Version of the object.
    pub version: Option<String>,
    /// Version of the ATT&CK specification.
    pub spec_version: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// When it was last changed.
    pub modified: Option<String>,
    /// Active, deprecated or revoked.
    pub status: &'static str,
    /// What took its place. `None` where it is not revoked, or nothing says so.
    pub revoked_by: Option<Mention>,
    /// Canonical hash.
    pub sha256: Sha256,
    /// Description.
    pub description: Prose,
    /// Log sources.
    pub log_sources: Vec<LogSource>,
    /// Mutable elements.
    pub elements: Vec<Element>,
    /// Relationships.
    pub relations: Vec<Relation>,
    /// Other objects with this ATT&CK id.
    pub namesakes: Vec<Mention>,
    /// The line that goes with ATT&CK's text.
    pub licence: &'static str,
}

/// What a card holds besides the object itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Relationships that are revoked or deprecated, or lead to such.
    pub retired: bool,
    /// The words of relationships.
    pub words: bool,
}

impl View<'_> {
    /// All that the view says of an object.
    ///
    /// # Errors
    /// When it is not there, or the database fails.
    pub fn card(&self, id: &str, detail: Detail) -> Result<Card, Error> {
        let found = self.find(id)?;
        let value: Value = crate::library::record(&self.raw(&found)?)?;
        self.card_of(&found, &value, detail)
    }

    pub(crate) fn card_of(&self, found: &Found, value: &Value, detail: Detail) -> Result<Card, Error> {
        let header = &found.header;
        let revoked_by = if header.revoked { diff::successor(self, &header.stix_id)? } else { None };
        Ok(Card {
            stix_id: header.stix_id.clone(),
            kind: header.kind.clone(),
            type_word: type_word(header, value),
            attack_id: header.attack_id.clone(),
            name: header.name.clone(),
            release: found.snapshot.release.clone(),
            snapshot: found.snapshot.number,
            official: found.snapshot.official_words(),
            domains: header.domains.clone(),
            platforms: header.platforms.clone(),
            tactics: header.tactics.clone(),
            version: header.version.clone(),
            spec_version: header.spec_version.clone(),
            created: header.created.clone(),
            modified: header.modified.clone(),
            status: header.status(),
            revoked_by: revoked_by.as_ref().map(Mention::of),
            sha256: header.sha256,
            description: Prose::of(value),
            log_sources: self.log_sources(header, value)?,
            elements: elements(value),
            relations: self.relations(&header.stix_id, detail)?,
            namesakes: found.namesakes.iter().map(Mention::of).collect(),
            licence: LICENCE,
        })
    }

    fn mention(&self, stix_id: &str) -> Result<Mention, Error> {
        Ok(self.header(stix_id)?.as_ref().map_or_else(|| Mention::missing(stix_id), Mention::of))
    }

    fn log_sources(&self, header: &Header, value: &Value) -> Result<Vec<LogSource>, Error> {
        let mut sources = Vec::new();
        for edge in header.edges.iter().filter(|edge| edge.log_source.is_some()) {
            let component = Some(self.mention(&edge.to)?);
            let name = edge.log_source.clone().unwrap_or_default();
            sources.push(LogSource { name, channel: edge.channel.clone(), component });
        }
        let own = value.get("x_mitre_log_sources").and_then(Value::as_array);
        for source in own.into_iter().flatten() {
            let text = |field: &str| source.get(field).and_then(Value::as_str).map(str::to_owned);
            sources.extend(text("name").map(|name| LogSource { name, channel: text("channel"), component: None }));
        }
        Ok(sources)
    }

    fn relations(&self, stix_id: &str, detail: Detail) -> Result<Vec<Relation>, Error> {
        let mut relations = Vec::new();
        let stated = self.edges(stix_id)?;
        let ends: BTreeSet<&str> = stated.iter().flat_map(|stated| [&*stated.edge.from, &*stated.edge.to]).collect();
        let others = self.headers_of(&ends)?;
        for stated in stated {
            let edge = stated.edge;
            if !detail.retired && stated.retired {
                continue;
            }
            let outgoing = edge.from == stix_id;
            let other = if outgoing { &edge.to } else { &edge.from };
            let other = others.get(other).map_or_else(|| Mention::missing(other), Mention::of);
            if !detail.retired && matches!(other.status, "revoked" | "deprecated") && edge.kind != "revoked-by" {
                continue;
            }
            let prose = if detail.words && !edge.embedded {
                Prose::of(&crate::library::record(&self.library.raw(stated.document)?)?)
            } else {
                Prose::default()
            };
            relations.push(relation(edge, outgoing, other, stated.by, prose));
        }
        relations.sort_by_cached_key(|relation| {
            let other = &relation.other;
            (
                relation.kind.clone(),
                relation.outgoing,
                kinds::order(&other.kind),
                crate::search::natural(&other.title()),
            )
        });
        // An analytic names one component for several log sources.
        relations.dedup();
        Ok(relations)
    }
}

fn relation(edge: Edge, outgoing: bool, other: Mention, stated_by: String, prose: Prose) -> Relation {
    Relation { kind: edge.kind, outgoing, embedded: edge.embedded, other, stated_by, prose }
}

fn type_word(header: &Header, value: &Value) -> String {
    let sub = value.get("x_mitre_is_subtechnique").and_then(Value::as_bool) == Some(true);
    if sub { "sub-technique".to_owned() } else { kinds::word(&header.kind).to_owned() }
}

fn elements(value: &Value) -> Vec<Element> {
    let list = value.get("x_mitre_mutable_elements").and_then(Value::as_array);
    let text = |element: &Value, field: &str| element.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    list.into_iter()
        .flatten()
        .map(|element| Element { field: text(element, "field"), description: text(element, "description") })
        .collect()
}
