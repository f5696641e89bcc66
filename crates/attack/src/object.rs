//! What the library knows of an object without opening it: its header and the references it makes.

use crate::canonical;
use monologue_model::{Sha256, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// References of one object that are followed; the largest real ones have some hundred.
const EDGE_CAP: usize = 20_000;

/// Characters kept of a name or other short field.
const SHORT_CAP: usize = 512;

/// The names under which external references hold an ATT&CK id.
const ID_SOURCES: [&str; 4] = ["mitre-attack", "mitre-mobile-attack", "mitre-ics-attack", "mitre-pre-attack"];

/// A reference from one object to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// STIX id of the object it starts at.
    pub from: String,
    /// What it says, such as `uses`, `detects`, `has analytic`.
    pub kind: String,
    /// STIX id of the object it points to.
    pub to: String,
    /// Whether it is a field of an object, and no relationship object of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embedded: bool,
    /// For a log source: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_source: Option<String>,
    /// For a log source: its channel, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// The header of one version of an object. `None` means the object does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// STIX id.
    pub stix_id: String,
    /// STIX type, such as `x-mitre-analytic`.
    pub kind: String,
    /// ATT&CK id, such as `AN1601`.
    pub attack_id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Version of the object, such as `1.0`.
    pub version: Option<String>,
    /// Version of the ATT&CK specification it follows.
    pub spec_version: Option<String>,
    /// When it was made.
    pub created: Option<String>,
    /// When it was last changed.
    pub modified: Option<String>,
    /// Whether another object took its place.
    pub revoked: bool,
    /// Whether it is no longer in use, without a successor.
    pub deprecated: bool,
    /// Domains, such as `enterprise-attack`.
    pub domains: Vec<String>,
    /// Platforms, such as `macOS`.
    pub platforms: Vec<String>,
    /// Tactics, by their short names.
    pub tactics: Vec<String>,
    /// Canonical hash.
    pub sha256: Sha256,
    /// References to other objects.
    pub edges: Vec<Edge>,
}

/// A field that does not have the type that STIX or ATT&CK give it.
#[derive(Debug)]
pub(crate) struct WrongField {
    pub(crate) field: String,
    pub(crate) expected: String,
}

impl Header {
    /// Whether it is a relationship object.
    #[must_use]
    pub fn is_relationship(&self) -> bool {
        self.kind == "relationship"
    }

    /// Active, deprecated or revoked, in a word.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match (self.revoked, self.deprecated) {
            (true, _) => "revoked",
            (false, true) => "deprecated",
            (false, false) => "active",
        }
    }

    /// The ATT&CK id, or the STIX id where it has none.
    #[must_use]
    pub fn label(&self) -> &str {
        self.attack_id.as_deref().unwrap_or(&self.stix_id)
    }

    /// Reads the header of an object. Fields of a wrong type are left out and told of.
    ///
    /// # Errors
    /// When `type` or `id` are not what they must be: then it is no object.
    pub(crate) fn of(value: &Value) -> Result<(Self, Vec<WrongField>), WrongField> {
        let Value::Object(members) = value else {
            return Err(WrongField {
                field: "type".into(),
                expected: format!("expected an object, found {}", shape(value)),
            });
        };
        let kind = required(members, "type")?;
        let stix_id = required(members, "id")?;
        let prefix = stix_id.split_once("--").map_or("", |(prefix, _)| prefix);
        if prefix != kind || stix_id.len() > SHORT_CAP || !stix_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("id", &format!("`{kind}--` and a UUID"), &Value::String(stix_id)));
        }
        let mut fields = Fields { members, wrong: Vec::new() };
        let mut header = Self {
            attack_id: fields.attack_id(),
            name: fields.text("name"),
            version: fields.text("x_mitre_version"),
            spec_version: fields.text("x_mitre_attack_spec_version"),
            created: fields.time("created"),
            modified: fields.time("modified"),
            revoked: fields.flag("revoked"),
            deprecated: fields.flag("x_mitre_deprecated"),
            domains: fields.texts("x_mitre_domains"),
            platforms: fields.texts("x_mitre_platforms"),
            tactics: fields.tactics(),
            sha256: canonical::hash(value),
            edges: Vec::new(),
            stix_id,
            kind,
        };
        header.edges = fields.edges(&header.kind, &header.stix_id);
        fields.text("description");
        fields.external_references();
        Ok((header, fields.wrong))
    }
}

fn required(members: &Map<String, Value>, field: &str) -> Result<String, WrongField> {
    match members.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(other) => Err(wrong(field, "text", other)),
        None => Err(WrongField { field: field.into(), expected: "expected text, found nothing".into() }),
    }
}

fn wrong(field: &str, expected: &str, found: &Value) -> WrongField {
    WrongField { field: field.into(), expected: format!("expected {expected}, found {}", shape(found)) }
}

/// A value in a few words.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

/// Reads known fields and remembers what is wrong with them.
struct Fields<'a> {
    members: &'a Map<String, Value>,
    wrong: Vec<WrongField>,
}

impl Fields<'_> {
    fn complain(&mut self, field: &str, expected: &str, found: &Value) {
        self.wrong.push(wrong(field, expected, found));
    }

    fn text(&mut self, field: &str) -> Option<String> {
        match self.members.get(field)? {
            Value::String(text) => Some(text.chars().take(SHORT_CAP).collect()),
            other => {
                self.complain(field, "text", other);
                None
            }
        }
    }

    fn time(&mut self, field: &str) -> Option<String> {
        let value = self.members.get(field)?;
        match value.as_str().filter(|text| Timestamp::parse(text).is_ok()) {
            Some(text) => Some(text.to_owned()),
            None => {
                self.complain(field, "a time such as 2026-05-12T15:12:00.771Z", value);
                None
            }
        }
    }

    fn flag(&mut self, field: &str) -> bool {
        match self.members.get(field) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.complain(field, "true or false", other);
                false
            }
        }
    }

    fn texts(&mut self, field: &str) -> Vec<String> {
        self.list(field)
            .iter()
            .filter_map(|element| match element {
                Value::String(text) => Some(text.chars().take(SHORT_CAP).collect()),
                other => {
                    self.complain(field, "a list of texts", other);
                    None
                }
            })
            .collect()
    }

    fn list(&mut self, field: &str) -> Vec<Value> {
        match self.members.get(field) {
            None => Vec::new(),
            Some(Value::Array(elements)) => elements.iter().take(EDGE_CAP).cloned().collect(),
            Some(other) => {
                self.complain(field, "a list", other);
                Vec::new()
            }
        }
    }

    fn attack_id(&self) -> Option<String> {
        let references = self.members.get("external_references")?.as_array()?;
        let reference = references.iter().find(|reference| {
            let source = reference.get("source_name").and_then(Value::as_str);
            source.is_some_and(|source| ID_SOURCES.contains(&source)) && reference.get("external_id").is_some()
        })?;
        let id = reference.get("external_id")?.as_str()?;
        (id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic())).then(|| id.to_owned())
    }

    fn external_references(&mut self) {
        for reference in self.list("external_references") {
            let Value::Object(members) = &reference else {
                self.complain("external_references", "a list of objects", &reference);
                continue;
            };
            for field in ["source_name", "description", "url", "external_id"] {
                if let Some(value) = members.get(field).filter(|value| !value.is_string()) {
                    self.complain(&format!("external_references.{field}"), "text", value);
                }
            }
        }
    }

    fn tactics(&mut self) -> Vec<String> {
        let phases = self.list("kill_chain_phases");
        phases
            .iter()
            .filter_map(|phase| match phase.get("phase_name").and_then(Value::as_str) {
                Some(name) => Some(name.chars().take(SHORT_CAP).collect()),
                None => {
                    self.complain("kill_chain_phases", "objects with a phase_name", phase);
                    None
                }
            })
            .collect()
    }

    fn edges(&mut self, kind: &str, from: &str) -> Vec<Edge> {
        let edge = |kind: &str, to: String| Edge {
            from: from.to_owned(),
            kind: kind.to_owned(),
            to,
            embedded: true,
            log_source: None,
            channel: None,
        };
        match kind {
            "relationship" => self.relationship().into_iter().collect(),
            "x-mitre-detection-strategy" => {
                self.texts("x_mitre_analytic_refs").into_iter().map(|to| edge("has analytic", to)).collect()
            }
            "x-mitre-data-component" => {
                self.text("x_mitre_data_source_ref").into_iter().map(|to| edge("belongs to", to)).collect()
            }
            "x-mitre-matrix" => self.texts("tactic_refs").into_iter().map(|to| edge("has tactic", to)).collect(),
            "x-mitre-analytic" => self
                .log_sources("x_mitre_log_source_references")
                .into_iter()
                .filter_map(|(to, name, channel)| {
                    let mut edge = edge("looks at", to?);
                    (edge.log_source, edge.channel) = (Some(name), channel);
                    Some(edge)
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn relationship(&mut self) -> Option<Edge> {
        let mut end = |field: &str| {
            let found = self.text(field);
            if found.is_none() && !self.members.contains_key(field) {
                self.wrong.push(WrongField { field: field.into(), expected: "expected text, found nothing".into() });
            }
            found
        };
        let (from, kind, to) = (end("source_ref"), end("relationship_type"), end("target_ref"));
        Some(Edge { from: from?, kind: kind?, to: to?, embedded: false, log_source: None, channel: None })
    }

    /// Log sources: the component where one is named, name, channel.
    fn log_sources(&mut self, field: &str) -> Vec<(Option<String>, String, Option<String>)> {
        let mut sources = Vec::new();
        for element in self.list(field) {
            let text = |name: &str| element.get(name).and_then(Value::as_str).map(str::to_owned);
            match text("name") {
                Some(name) => sources.push((text("x_mitre_data_component_ref"), name, text("channel"))),
                None => self.complain(field, "objects with a name", &element),
            }
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_header_holds_what_the_object_says() {
        let analytic = json!({
            "type": "x-mitre-analytic", "id": "x-mitre-analytic--1", "name": "Analytic 9", "x_mitre_version": "1.2",
            "created": "2026-01-02T03:04:05.678Z", "modified": "2026-02-03T04:05:06Z", "revoked": true,
            "x_mitre_domains": ["enterprise-attack"], "x_mitre_platforms": ["macOS"],
            "external_references": [{ "source_name": "other", "external_id": "X" },
                { "source_name": "mitre-attack", "external_id": "AN0009" }],
            "x_mitre_log_source_references": [
                { "x_mitre_data_component_ref": "x-mitre-data-component--7", "name": "macos:unifiedlog", "channel": "a, b" }],
        });
        let (header, wrong) = Header::of(&analytic).unwrap();
        assert!(wrong.is_empty());
        assert_eq!((header.label(), header.status()), ("AN0009", "revoked"));
        assert_eq!(header.edges[0].to, "x-mitre-data-component--7");
        assert_eq!(header.edges[0].channel.as_deref(), Some("a, b"));
        assert!(header.edges[0].embedded);
    }

    #[test]
    fn wrong_types_are_named_by_field_and_the_rest_stands() {
        let object = json!({
            "type": "tool", "id": "tool--1", "name": 7, "created": "yesterday", "revoked": "no",
            "x_mitre_platforms": ["macOS", 3], "external_references": [{ "source_name": [] }, 1], "x_mitre_version": "1.0",
        });
        let (header, wrong) = Header::of(&object).unwrap();
        let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "name",
                "created",
                "revoked",
                "x_mitre_platforms",
                "external_references.source_name",
                "external_references"
            ]
        );
        assert_eq!((header.name, header.version.as_deref()), (None, Some("1.0")));
        assert_eq!(header.platforms, ["macOS"]);
    }

    #[test]
    fn without_type_and_id_it_is_no_object() {
        for (object, field) in [
            (json!({ "id": "tool--1" }), "type"),
            (json!({ "type": "tool" }), "id"),
            (json!({ "type": "tool", "id": "malware--1" }), "id"),
            (json!({ "type": "tool", "id": 3 }), "id"),
            (json!([1]), "type"),
        ] {
            assert_eq!(Header::of(&object).err().map(|wrong| wrong.field).as_deref(), Some(field), "{object}");
        }
    }

    #[test]
    fn a_relationship_without_ends_says_so() {
        let object =
            json!({ "type": "relationship", "id": "relationship--1", "source_ref": "tool--1", "target_ref": 4 });
        let (header, wrong) = Header::of(&object).unwrap();
        assert!(header.edges.is_empty());
        let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["relationship_type", "target_ref"]);
    }
}
