//! The canonical form of an object, and its hash: the same for the same content, whatever wraps or formats it.

use monologue_model::Sha256;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Parses one JSON value. A name that stands twice in one object is refused: readers disagree about which counts, so
/// a hash over one of them would vouch for what another reader never sees.
///
/// # Errors
/// When it is no JSON, nested deeper than 127 levels, or names a member twice.
pub fn parse(raw: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = Strict.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// The canonical bytes: members sorted by code points, no white space, UTF-8 with only the escapes that JSON demands.
/// Integers stand as they are; other numbers, of which ATT&CK has none, in their shortest form.
#[must_use]
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// The hash of the canonical bytes.
#[must_use]
pub fn hash(value: &Value) -> Sha256 {
    Sha256::of(&bytes(value))
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_unstable_by(|left, right| left.0.cmp(right.0));
            out.push(b'{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                scalar(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(elements) => {
            out.push(b'[');
            for (at, element) in elements.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(element, out);
            }
            out.push(b']');
        }
        other => scalar(other, out),
    }
}

fn scalar<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Writing text, numbers and words of JSON to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Builds a value, and refuses a name that stands twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(Self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(format_args!("expected each name once, found {name:?} twice")));
            }
            let value = members.next_value_seed(Self)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(raw: &str) -> String {
        String::from_utf8(bytes(&parse(raw.as_bytes()).unwrap())).unwrap()
    }

    #[test]
    fn order_and_layout_do_not_matter() {
        let left = "{\"b\": [1, 2.5, null],\n \"a\": {\"y\": true, \"x\": \"\\u00e9\\u2028/\\/\"}}";
        assert_eq!(canonical(left), "{\"a\":{\"x\":\"é\u{2028}//\",\"y\":true},\"b\":[1,2.5,null]}");
    }

    /// Computed with another implementation: Python's `json.dumps(value, sort_keys=True, separators=(",", ":"),
    /// ensure_ascii=False)` and SHA-256.
    #[test]
    fn the_hash_is_that_of_an_independent_implementation() {
        let raw =
            "{\"name\":\"Ünï\\tcode \\\"q\\\" \\u0001\",\"n\":12,\"list\":[{\"b\":1,\"a\":false},null],\"Z\":\"\"}";
        assert_eq!(
            hash(&parse(raw.as_bytes()).unwrap()).to_string(),
            "4edc2efae7187f8d5f0ec4ee61286eec7e655b899bbd7e89f37a1e0b2d96adeb"
        );
    }

    #[test]
    fn names_that_stand_twice_and_deep_nesting_are_refused() {
        assert!(parse(br#"{"a":{"b":1,"b":2}}"#).unwrap_err().to_string().contains("\"b\" twice"));
        assert!(parse(format!("{}1{}", "[".repeat(200), "]".repeat(200)).as_bytes()).is_err());
        assert!(parse(b"{} x").is_err());
        assert!(parse(br#""\ud800""#).is_err());
    }

    proptest! {
        #[test]
        fn canonical_bytes_are_their_own_canonical_form(text in ".{0,40}", number: i64, flag: bool) {
            let value = serde_json::json!({ "t": text, text.clone(): number, "l": [flag, { "z": 1, "a": text }] });
            let once = bytes(&value);
            prop_assert_eq!(&once, &bytes(&parse(&once).unwrap()));
        }
    }
}
