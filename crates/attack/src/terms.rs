//! Words of objects, and postings: which documents hold a word, and how prominently.

use serde_json::Value;
use std::collections::HashMap;

/// Longest word that is kept apart from others.
const WORD_CAP: usize = 40;

/// Words of one document that are looked at.
const WORDS_CAP: usize = 200_000;

/// The bit of a weight that says: in the name, an alias or the id.
const IN_NAME: u8 = 0x80;

/// One document that holds a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) document: u32,
    /// Whether the word stands in the name, an alias or the id.
    pub(crate) in_name: bool,
    /// How often it occurs, at most 127.
    pub(crate) count: u8,
}

/// The words of a text: runs of letters and digits, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(WORD_CAP).flat_map(char::to_lowercase).collect())
}

/// Postings of all documents of one import.
#[derive(Default)]
pub(crate) struct Index {
    terms: HashMap<String, Packed>,
}

#[derive(Default)]
struct Packed {
    last: u32,
    bytes: Vec<u8>,
}

impl Index {
    /// Adds a document. Documents come in the order of their numbers.
    pub(crate) fn add(&mut self, document: u32, attack_id: Option<&str>, value: &Value) {
        let mut weights: HashMap<String, u8> = HashMap::new();
        let mut add = |text: &str, mark: u8| {
            for word in words(text).take(WORDS_CAP) {
                let weight = weights.entry(word).or_default();
                *weight = (*weight & IN_NAME) | mark | (*weight & !IN_NAME).saturating_add(1).min(!IN_NAME);
            }
        };
        attack_id.into_iter().for_each(|id| add(id, IN_NAME));
        for field in ["name", "aliases", "x_mitre_aliases"] {
            texts(value.get(field), &mut |text| add(text, IN_NAME));
        }
        for field in ["description", "x_mitre_log_sources", "x_mitre_log_source_references", "x_mitre_mutable_elements"]
        {
            texts(value.get(field), &mut |text| add(text, 0));
        }
        for (word, weight) in weights {
            let packed = self.terms.entry(word).or_default();
            push_number(&mut packed.bytes, document - packed.last);
            packed.bytes.push(weight);
            packed.last = document;
        }
    }

    /// All terms with their postings, sorted.
    pub(crate) fn into_sorted(self) -> Vec<(String, Vec<u8>)> {
        let mut terms: Vec<(String, Vec<u8>)> =
            self.terms.into_iter().map(|(term, packed)| (term, packed.bytes)).collect();
        terms.sort_unstable();
        terms
    }
}

/// All texts within a value.
fn texts(value: Option<&Value>, each: &mut dyn FnMut(&str)) {
    match value {
        Some(Value::String(text)) => each(text),
        Some(Value::Array(elements)) => elements.iter().for_each(|element| texts(Some(element), each)),
        Some(Value::Object(members)) => {
            let words = members.iter().filter(|(name, _)| !name.ends_with("_ref"));
            words.for_each(|(_, element)| texts(Some(element), each));
        }
        _ => {}
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// The postings in `bytes`; ends early where they are damaged.
pub(crate) fn unpack(bytes: &[u8]) -> impl Iterator<Item = Posting> + '_ {
    let mut rest = bytes.iter().copied();
    let mut document = 0_u32;
    std::iter::from_fn(move || {
        let mut step = 0_u32;
        for shift in (0..35).step_by(7) {
            let byte = rest.next()?;
            step |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let weight = rest.next()?;
        document = document.checked_add(step)?;
        Some(Posting { document, in_name: weight & IN_NAME != 0, count: weight & !IN_NAME })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn words_are_letters_and_digits() {
        let found: Vec<String> = words("T1102.003, macOS:UnifiedLog – Ünï_code").collect();
        assert_eq!(found, ["t1102", "003", "macos", "unifiedlog", "ünï", "code"]);
    }

    #[test]
    fn names_weigh_more_and_references_are_no_words() {
        let mut index = Index::default();
        let value = json!({ "name": "Web Service", "description": "web web", "created_by_ref": "identity",
            "x_mitre_log_source_references": [{ "name": "macos:osquery", "x_mitre_data_component_ref": "secret" }] });
        index.add(3, Some("T1102"), &value);
        index.add(9, None, &json!({ "description": "Web" }));
        let terms: HashMap<String, Vec<Posting>> =
            index.into_sorted().into_iter().map(|(term, bytes)| (term, unpack(&bytes).collect())).collect();
        let posting = |document, in_name, count| Posting { document, in_name, count };
        assert_eq!(terms["web"], [posting(3, true, 3), posting(9, false, 1)]);
        assert_eq!(terms["t1102"], [posting(3, true, 1)]);
        assert_eq!(terms["osquery"], [posting(3, false, 1)]);
        assert!(!terms.contains_key("secret"));
    }

    proptest! {
        #[test]
        fn postings_are_what_was_packed(steps in prop::collection::vec((1_u32..1 << 28, 0_u8..), 0..12)) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            let mut document = 0;
            for (step, weight) in steps {
                push_number(&mut bytes, step);
                bytes.push(weight);
                document += step;
                expected.push(Posting { document, in_name: weight >= 0x80, count: weight & 0x7f });
            }
            prop_assert_eq!(unpack(&bytes).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn damaged_postings_do_no_harm(bytes in prop::collection::vec(0_u8.., 0..40)) {
            prop_assert!(unpack(&bytes).count() <= bytes.len());
        }
    }
}
