//! Field by field, what is different between two versions of an object: words of texts, members of lists.

use crate::canonical;
use serde::Serialize;
use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};
use std::{collections::HashMap, time::Duration};

/// Longest a comparison of two texts may take; beyond it the difference is coarser, never wrong.
const TEXT_DEADLINE: Duration = Duration::from_millis(200);

/// Texts from this many bytes on are compared by words.
const WORDY: usize = 48;

/// Levels of objects within objects that are compared member by member.
const DEPTH_CAP: usize = 8;

/// Whether a piece of text stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// In both.
    Same,
    /// Only in the old version.
    Removed,
    /// Only in the new version.
    Added,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Whether it stayed.
    pub piece: Piece,
    /// The text.
    pub text: String,
}

/// A member of a list in which one field was altered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Altered {
    /// What stayed, to know it by.
    pub of: Map<String, Value>,
    /// The field.
    pub field: String,
    /// Its old value. `None` means it was not there.
    pub old: Option<Value>,
    /// Its new value. `None` means it is gone.
    pub new: Option<Value>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A field that was not there.
    Added {
        /// Its name.
        field: String,
        /// Its value.
        value: Value,
    },
    /// A field that is gone.
    Removed {
        /// Its name.
        field: String,
        /// The value it had.
        value: Value,
    },
    /// A short value that is another now.
    Replaced {
        /// Its name.
        field: String,
        /// Before.
        old: Value,
        /// Now.
        new: Value,
    },
    /// A text, by words.
    Text {
        /// Its name.
        field: String,
        /// The text in pieces.
        spans: Vec<Span>,
    },
    /// A list, by members. Order does not matter.
    List {
        /// Its name.
        field: String,
        /// New members.
        added: Vec<Value>,
        /// Members that are gone.
        removed: Vec<Value>,
        /// Members with one field altered.
        altered: Vec<Altered>,
        /// Members that stayed.
        kept: usize,
    },
}

impl Change {
    /// The field concerned, nested ones with dots.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Added { field, .. }
            | Self::Removed { field, .. }
            | Self::Replaced { field, .. }
            | Self::Text { field, .. }
            | Self::List { field, .. } => field,
        }
    }
}

/// All differences, by field name.
#[must_use]
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        members("", old, new, 0, &mut changes);
    }
    changes.sort_by(|left, right| left.field().cmp(right.field()));
    changes
}

fn members(prefix: &str, old: &Map<String, Value>, new: &Map<String, Value>, depth: usize, changes: &mut Vec<Change>) {
    for (name, before) in old {
        let field = format!("{prefix}{name}");
        match new.get(name) {
            None => changes.push(Change::Removed { field, value: before.clone() }),
            Some(now) if now == before => {}
            Some(now) => different(field, before, now, depth, changes),
        }
    }
    for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        changes.push(Change::Added { field: format!("{prefix}{name}"), value: value.clone() });
    }
}

fn different(field: String, old: &Value, new: &Value, depth: usize, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if depth < DEPTH_CAP => {
            members(&format!("{field}."), old, new, depth + 1, changes);
        }
        (Value::String(old), Value::String(new)) if old.len().max(new.len()) >= WORDY && old.contains(' ') => {
            changes.push(Change::Text { field, spans: words(old, new) });
        }
        (Value::Array(old), Value::Array(new)) => changes.push(list(field, old, new)),
        _ => changes.push(Change::Replaced { field, old: old.clone(), new: new.clone() }),
    }
}

fn words(old: &str, new: &str) -> Vec<Span> {
    let difference = TextDiff::configure().timeout(TEXT_DEADLINE).diff_words(old, new);
    let mut spans: Vec<Span> = Vec::new();
    for change in difference.iter_all_changes() {
        let piece = match change.tag() {
            ChangeTag::Equal => Piece::Same,
            ChangeTag::Delete => Piece::Removed,
            ChangeTag::Insert => Piece::Added,
        };
        match spans.last_mut().filter(|last| last.piece == piece) {
            Some(last) => last.text.push_str(change.value()),
            None => spans.push(Span { piece, text: change.value().to_owned() }),
        }
    }
    spans
}

fn list(field: String, old: &[Value], new: &[Value]) -> Change {
    // A member may stand several times, so members are counted.
    let mut counts: HashMap<Vec<u8>, i64> = HashMap::new();
    old.iter().for_each(|member| *counts.entry(canonical::bytes(member)).or_default() += 1);
    let mut added: Vec<Value> = Vec::new();
    for member in new {
        match counts.get_mut(&canonical::bytes(member)).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => added.push(member.clone()),
        }
    }
    let kept = new.len() - added.len();
    let mut removed: Vec<Value> = Vec::new();
    for member in old.iter().rev() {
        if let Some(count) = counts.get_mut(&canonical::bytes(member)).filter(|count| **count > 0) {
            *count -= 1;
            removed.push(member.clone());
        }
    }
    removed.reverse();
    let altered = pair(&mut added, &mut removed);
    Change::List { field, added, removed, altered, kept }
}

/// Pairs of a removed and an added member that differ in one field only.
fn pair(added: &mut Vec<Value>, removed: &mut Vec<Value>) -> Vec<Altered> {
    let mut altered = Vec::new();
    removed.retain(|before| {
        let found = added.iter().enumerate().find_map(|(place, now)| Some((place, one_field(before, now)?)));
        match found {
            Some((place, change)) => {
                added.remove(place);
                altered.push(change);
                false
            }
            None => true,
        }
    });
    altered
}

fn one_field(old: &Value, new: &Value) -> Option<Altered> {
    let (old, new) = (old.as_object()?, new.as_object()?);
    let names = || old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let mut other = names().filter(|name| old.get(*name) != new.get(*name));
    let field = other.next()?;
    if other.next().is_some() {
        return None;
    }
    let of: Map<String, Value> =
        old.iter().filter(|(name, _)| *name != field).map(|(name, value)| (name.clone(), value.clone())).collect();
    let (old, new) = (old.get(field).cloned(), new.get(field).cloned());
    (!of.is_empty()).then(|| Altered { of, field: field.clone(), old, new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn lists_are_compared_by_members_and_one_altered_field_is_seen() {
        let old = json!({ "sources": [{ "name": "a", "ref": "1", "channel": "x" }, { "name": "b", "ref": "2", "channel": "y" }] });
        let new = json!({ "sources": [{ "name": "b", "ref": "2", "channel": "y" }, { "name": "a", "ref": "1", "channel": "x, z" }] });
        let Change::List { added, removed, altered, kept, .. } = &compare(&old, &new)[0] else { panic!("a list") };
        assert!(added.is_empty() && removed.is_empty());
        assert_eq!((*kept, altered.len()), (1, 1));
        assert_eq!((&altered[0].old, &altered[0].new), (&Some(json!("x")), &Some(json!("x, z"))));
        assert_eq!(altered[0].of, *json!({ "name": "a", "ref": "1" }).as_object().unwrap());
    }

    #[test]
    fn texts_are_compared_by_words() {
        let old =
            json!({ "description": "Adversaries may use an existing Web service as a means for sending commands." });
        let new =
            json!({ "description": "Adversaries may use a legitimate Web service as a means for sending commands." });
        let Change::Text { spans, .. } = &compare(&old, &new)[0] else { panic!("a text") };
        let side = |other: Piece| {
            spans.iter().filter(|span| span.piece != other).map(|span| span.text.as_str()).collect::<String>()
        };
        assert_eq!(side(Piece::Added), old["description"].as_str().unwrap());
        assert_eq!(side(Piece::Removed), new["description"].as_str().unwrap());
        assert!(spans.iter().any(|span| span.piece == Piece::Same && span.text.contains("Web service")));
    }

    #[test]
    fn fields_come_go_and_change() {
        let old = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [] });
        let new = json!({ "a": 2, "b": { "c": 1, "d": 3 }, "f": null });
        let fields: Vec<String> = compare(&old, &new).iter().map(|change| change.field().to_owned()).collect();
        assert_eq!(fields, ["a", "b.d", "e", "f"]);
        assert!(compare(&old, &old).is_empty());
    }

    proptest! {
        /// From the old list and the change, the new list follows: nothing is lost in telling.
        #[test]
        fn a_change_of_a_list_leads_from_one_to_the_other(
            old in prop::collection::vec(0_u8..5, 0..8), new in prop::collection::vec(0_u8..5, 0..8)
        ) {
            let value = |list: &[u8]| list.iter().map(|n| json!({ "n": n, "k": "k" })).collect::<Vec<Value>>();
            let Change::List { added, removed, altered, kept, .. } = list("l".into(), &value(&old), &value(&new)) else {
                unreachable!()
            };
            prop_assert_eq!(kept + added.len() + altered.len(), new.len());
            prop_assert_eq!(kept + removed.len() + altered.len(), old.len());
        }
    }
}
