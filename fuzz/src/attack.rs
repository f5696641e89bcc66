//! What the reader of STIX bundles must keep on every input.

use monologue_attack::{canonical, check};
use serde_json::Value;

/// Bundles to start from: every type with fields of its own, citations, an escape, a revocation, a nested list.
pub const ATTACK_SAMPLES: [&str; 3] = [
    r#"{"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[
{"type":"x-mitre-analytic","id":"x-mitre-analytic--1","name":"Analytic 9","created":"2026-01-02T03:04:05.678Z","modified":"2026-02-03T04:05:06Z","revoked":false,"x_mitre_version":"1.2","x_mitre_domains":["enterprise-attack"],"x_mitre_platforms":["macOS"],"external_references":[{"source_name":"mitre-attack","external_id":"AN0009","url":"https://example.org/AN0009"}],"x_mitre_log_source_references":[{"x_mitre_data_component_ref":"x-mitre-data-component--1","name":"macos:unifiedlog","channel":"a, b"}],"x_mitre_mutable_elements":[{"field":"UserContext","description":"who"}]},
{"type":"x-mitre-data-component","id":"x-mitre-data-component--1","name":"Content","x_mitre_log_sources":[{"name":"macos:unifiedlog","channel":"a, b"}],"description":"See [here](https://example.org/x).(Citation: One) Run `log show` or <code>x<\/code>.","external_references":[{"source_name":"One","description":"First \"one\" \u00e9\ud83d\ude00","url":"https://example.org"}]},
{"type":"relationship","id":"relationship--1","relationship_type":"revoked-by","source_ref":"tool--1","target_ref":"tool--2"}]}"#,
    r#"{"type":"attack-pattern","id":"attack-pattern--1","kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"impact"}],"n":[1,-2.5e3,true,null,[[{}]]]}"#,
    r#"[{"type":"x-mitre-collection","id":"x-mitre-collection--1","x_mitre_version":"18.1","x_mitre_contents":[{"object_ref":"tool--1"}]},{"type":"x-mitre-detection-strategy","id":"x-mitre-detection-strategy--1","x_mitre_analytic_refs":["x-mitre-analytic--1"]}]"#,
];

/// Reads one input as a bundle.
///
/// # Panics
/// When the reader panics, cites bytes that are not there, gives a hash that depends on form, or compares an object with
/// itself and finds a difference.
pub fn one_bundle(bytes: &[u8]) {
    let mut before = None;
    for (count, next) in check(bytes).enumerate() {
        assert!(count <= bytes.len() + 1, "no more objects than bytes");
        let object = match next {
            Ok(object) => object,
            Err(expected) => {
                assert!(!expected.is_empty(), "a refusal must say what was expected");
                continue;
            }
        };
        let start = usize::try_from(object.offset).unwrap_or(usize::MAX);
        let cited = bytes.get(start..start.saturating_add(object.raw.len()));
        assert_eq!(cited, Some(object.raw.as_slice()), "the exact bytes stand at the place that is named");
        let canonical = canonical::bytes(&object.value);
        if !has_fraction(&object.value) {
            let again = canonical::parse(&canonical).map(|value| canonical::bytes(&value)).ok();
            assert_eq!(again.as_ref(), Some(&canonical), "the canonical form is its own");
        }
        assert_eq!(object.header.sha256, monologue_model::Sha256::of(&canonical));
        assert!(object.compare(&object).is_empty(), "an object does not differ from itself");
        let prose = object.prose();
        assert!(prose.citations.len() <= prose.segments.len(), "each citation is cited");
        if let Some(before) = before.replace(object.clone()) {
            let changes = object.compare(&before);
            assert_eq!(changes.is_empty(), object.value == before.value, "a difference is told, and only then");
        }
    }
}

/// Whether a number is no integer. Such have no one text; ATT&CK has none.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(elements) => elements.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_and_inputs_without_content_break_nothing() {
        for sample in ATTACK_SAMPLES {
            assert!(check(sample.as_bytes()).all(|object| object.is_ok()), "{sample}");
            one_bundle(sample.as_bytes());
        }
        for bytes in [&b""[..], b"{", b"[", b"{}", b"\xff", b"[{]}", b"\xef\xbb\xbf"] {
            assert!(std::panic::catch_unwind(|| one_bundle(bytes)).is_ok(), "{bytes:?}");
        }
    }
}
