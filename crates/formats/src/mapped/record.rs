//! One record by field names, whatever shape it was written in.

use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashMap};

/// A record whose fields have names.
#[derive(Debug)]
pub(super) enum Record<'a> {
    /// Members of a JSON object, nested ones by their path.
    Json(HashMap<Cow<'a, str>, &'a RawValue>),
    /// Names with their texts.
    Named(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    /// Texts in the order of columns.
    Columns {
        /// Names of the columns.
        names: &'a [String],
        /// Texts of this record.
        values: Vec<Cow<'a, str>>,
    },
}

impl<'a> Record<'a> {
    /// A field's text. `None`: there is no such field, or it is JSON null, an array or an object.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Json(members) => scalar(find(members, name)?),
            Self::Named(fields) => {
                let found = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
                found.map(|(_, text)| Cow::Borrowed(&**text))
            }
            Self::Columns { names, values } => {
                let at = names.iter().position(|column| column.eq_ignore_ascii_case(name))?;
                values.get(at).map(|text| Cow::Borrowed(&**text))
            }
        }
    }

    /// A field's members: those of an array (of texts, or of one member of its objects by `array[].member`), else the parts
    /// of its text between commas, semicolons or blanks.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        if let Self::Json(members) = self {
            let (array, member) = name.split_once("[]").unwrap_or((name, ""));
            if let Some(raw) = find(members, array) {
                let member = member.trim_start_matches('.');
                if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
                    return items.into_iter().take(LIST_CAP).filter_map(|item| member_of(item, member)).collect();
                }
                if let (Some(text), false) = (member_of(raw, member), member.is_empty()) {
                    return vec![text];
                }
            }
        }
        let text = self.text(name);
        let parts = text.as_deref().into_iter().flat_map(|text| text.split([',', ';', ' ', '|']));
        parts.filter(|part| !part.is_empty()).take(LIST_CAP).map(str::to_owned).collect()
    }
}

/// Members of one list that are kept.
const LIST_CAP: usize = 256;

/// Levels of nesting a path may name.
const DEPTH_CAP: usize = 8;

fn member_of(item: &RawValue, member: &str) -> Option<String> {
    if member.is_empty() {
        return scalar(item).map(Cow::into_owned);
    }
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(item.get()).ok()?;
    scalar(find(&members, member)?).map(Cow::into_owned)
}

/// A member by its name, or by a path of names with dots between.
fn find<'a>(members: &HashMap<Cow<'_, str>, &'a RawValue>, path: &str) -> Option<&'a RawValue> {
    fn descend<'a>(members: &HashMap<Cow<'_, str>, &'a RawValue>, path: &str, depth: usize) -> Option<&'a RawValue> {
        if let Some(value) = members.get(path) {
            return Some(value);
        }
        if depth >= DEPTH_CAP {
            return None;
        }
        path.match_indices('.').find_map(|(at, _)| {
            let (outer, inner) = (path.get(..at)?, path.get(at + 1..)?);
            let inside: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(members.get(outer)?.get()).ok()?;
            descend(&inside, inner, depth + 1)
        })
    }
    descend(members, path, 0)
}

/// The text of a scalar: numbers as they are written, so that no digit is lost.
fn scalar(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw).ok().map(Cow::Owned),
        b'n' | b'[' | b'{' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_members_are_found_by_path_and_numbers_keep_their_digits() {
        let text = r#"{"a":{"b.c":{"d":18446744073709551615}},"l":[{"x":"1"},{"x":2},{"y":3}],"m":["p","q"],"n":null,"o":{"Rdata":"r"}}"#;
        let record = Record::Json(serde_json::from_str(text).unwrap());
        assert_eq!(record.text("a.b.c.d").as_deref(), Some("18446744073709551615"));
        assert_eq!(record.list("l[].x"), ["1", "2"]);
        assert_eq!(record.list("m"), ["p", "q"]);
        assert_eq!(record.list("o[].Rdata"), ["r"], "an object where an array should be");
        assert_eq!((record.text("n"), record.text("a"), record.text("z.z")), (None, None, None));
    }
}
