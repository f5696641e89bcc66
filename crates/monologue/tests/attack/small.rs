//! A bundle of the few objects that this product cites, with their ids and with texts of our own.

use serde_json::{Value, json};

const ANALYTIC: &str = "x-mitre-analytic--d49f06ba-7a81-440b-bc16-c583ba918a3d";
const SIBLING: &str = "x-mitre-analytic--8626f553-efed-4418-bbc6-b9fa83b0b315";
const STRATEGY: &str = "x-mitre-detection-strategy--e3718a7a-77b3-4790-99ba-aba7703815fd";
const TECHNIQUE: &str = "attack-pattern--9c99724c-a483-4d60-ad9d-7f004e42e8e8";
const COMPONENT: &str = "x-mitre-data-component--3772e279-27d6-477a-9fe3-c6beb363594c";

fn object(id: &str, attack_id: &str, name: &str, more: &Value) -> Value {
    let mut object = json!({
        "type": id.split("--").next(), "id": id, "name": name, "created": "2025-10-21T15:10:28.402Z",
        "modified": "2025-10-21T15:10:28.402Z", "x_mitre_version": "1.0", "x_mitre_domains": ["enterprise-attack"],
        "external_references": [{ "source_name": "mitre-attack", "external_id": attack_id }],
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn analytic(id: &str, attack_id: &str, platform: &str, channel: &str) -> Value {
    let source = json!({ "x_mitre_data_component_ref": COMPONENT, "name": "a source", "channel": channel });
    object(
        id,
        attack_id,
        &format!("Analytic {}", &attack_id[2..]),
        &json!({ "description": "A text of our own about web requests in one direction.", "x_mitre_platforms": [platform],
            "x_mitre_log_source_references": [source],
            "x_mitre_mutable_elements": [{ "field": "UserContext", "description": "whose" }] }),
    )
}

/// The bundle of a release, which its collection object names. Before 18.1 the sibling looked at another channel.
pub(crate) fn bundle(release: &str) -> String {
    let channel = if release == "18.0" { "one" } else { "one, two" };
    let mut objects = vec![
        analytic(ANALYTIC, "AN1601", "macOS", "process, network"),
        analytic(SIBLING, "AN1599", "Windows", channel),
        object(STRATEGY, "DET0581", "A strategy", &json!({ "x_mitre_analytic_refs": [ANALYTIC, SIBLING] })),
        object(TECHNIQUE, "T1102.003", "One way by a web service", &json!({ "x_mitre_platforms": ["macOS"] })),
        object(
            COMPONENT,
            "DC0085",
            "What passes",
            &json!({ "x_mitre_log_sources": [{ "name": "a source", "channel": "one" }] }),
        ),
        json!({ "type": "relationship", "id": "relationship--00000000-0000-4000-8000-000000000001",
            "relationship_type": "detects", "source_ref": STRATEGY, "target_ref": TECHNIQUE,
            "created": "2025-10-21T15:10:28.402Z", "modified": "2025-10-21T15:10:28.402Z" }),
    ];
    let contents: Vec<Value> = objects
        .iter()
        .map(|object| json!({ "object_ref": object["id"], "object_modified": object["modified"] }))
        .collect();
    objects.push(json!({
        "type": "x-mitre-collection", "id": "x-mitre-collection--1f5f1533-f617-4ca8-9ab4-6a02367fa019",
        "name": "Enterprise ATT&CK", "created": "2018-01-17T12:56:55.080Z", "modified": "2025-11-13T14:00:00.188Z",
        "x_mitre_version": release, "spec_version": "2.1", "x_mitre_contents": contents,
    }));
    json!({ "type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000002", "objects": objects }).to_string()
}
