//! `stix`: one bundle of STIX 2.1.
//!
//! For each finding: the observables that are known (program file and folder, domain name, addresses), one `observed-data` with the
//! number of requests and their first and last time, and one `note` with the judgement, its weights and what was not seen.
//! A `sighting` of ATT&CK's technique is written only where the disposition is definite, the level is medium or above and no
//! approval covers it; its `confidence` is the probability. ATT&CK's object is named by its id and not repeated here.
//!
//! All ids are UUIDs of version 5, so the same report is the same bundle, byte for byte. Those of observables follow the
//! specification (section 2.9), so they meet the same observables of others. The others, for which it recommends random ids and
//! allows these in a namespace of one's own, follow from the channel's id and its
//! first and last time: a longer window is a new observation, and nothing is versioned in place. `created` is the time of the
//! last request.
//!
//! There is no `indicator`: a web service is used by the innocent too, and a pattern of its name would find them. There is no
//! `network-traffic`, which would need the transport, and no `user-account`, since a user number names nobody beyond one Mac.

use crate::{
    Output, escape,
    terms::{self, Place},
};
use monologue_model::{Finding, Report, Timestamp};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};
use uuid::Uuid;

/// The `stix` output.
pub(crate) struct Stix;

/// The namespace of observables' ids (STIX 2.1, section 2.9).
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);

/// The namespace of all other ids: a random one, fixed for good.
const OURS: Uuid = Uuid::from_u128(0x6f1d_0c3a_8a52_4f0e_9a55_1601_d058_1003);

/// Addresses of one finding that are written.
const ADDRESSES: usize = 64;

/// The largest number an `observed-data` may hold (STIX 2.1, section 4.14).
const MOST_OBSERVED: u64 = 999_999_999;

/// When the identities were defined: they are the same in every bundle.
const DEFINED: &str = "2026-01-01T00:00:00.000Z";

impl Output for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn about(&self) -> &'static str {
        "STIX 2.1 bundle with deterministic ids: observed data, notes, and sightings of T1102.003 where that is claimed"
    }

    fn source(&self) -> &'static str {
        include_str!("stix.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let mut bundle = Bundle::default();
        let producer =
            bundle.identity("Monologue", "Hunts one-way command and control on Macs. The producer of this bundle.");
        for finding in &report.findings {
            add(&mut bundle, finding, &producer);
        }
        let id = format!("bundle--{}", Uuid::new_v5(&OURS, bundle.ids.join(" ").as_bytes()));
        let text = serde_json::to_string_pretty(&json!({"type": "bundle", "id": id, "objects": bundle.objects}))?;
        writeln!(to, "{}", escape::json_lines(&text))
    }
}

/// The objects in the order they were added, each once.
#[derive(Default)]
struct Bundle {
    ids: Vec<String>,
    known: BTreeSet<String>,
    objects: Vec<Value>,
}

impl Bundle {
    fn add(&mut self, id: &str, object: Value) {
        if self.known.insert(id.to_owned()) {
            self.ids.push(id.to_owned());
            self.objects.push(terms::known(object));
        }
    }

    /// An observable, whose id follows from the properties that make it what it is.
    fn observable(&mut self, kind: &str, identifying: &Value, rest: &Value) -> String {
        // Keys are sorted and texts are escaped no more than JSON must: the canonical form (RFC 8785) for these few properties.
        let id = format!("{kind}--{}", Uuid::new_v5(&OBSERVABLES, identifying.to_string().as_bytes()));
        let mut object = json!({"type": kind, "spec_version": "2.1", "id": id});
        if let Value::Object(members) = &mut object {
            let given = [identifying, rest].into_iter().filter_map(Value::as_object).flatten();
            members.extend(given.map(|(key, value)| (key.clone(), value.clone())));
        }
        self.add(&id, object);
        id
    }

    fn identity(&mut self, name: &str, description: &str) -> String {
        let id = named("identity", name);
        let object = json!({
            "type": "identity",
            "spec_version": "2.1",
            "id": id,
            "created": DEFINED,
            "modified": DEFINED,
            "name": name,
            "description": description,
            "identity_class": "system",
        });
        self.add(&id, object);
        id
    }
}

fn named(kind: &str, name: &str) -> String {
    format!("{kind}--{}", Uuid::new_v5(&OURS, format!("{kind}:{name}").as_bytes()))
}

fn add(bundle: &mut Bundle, finding: &Finding, producer: &str) {
    let host = bundle.identity(&finding.host, "A host that was hunted.");
    let observables = observables(bundle, finding);
    let created = terms::to_the_millisecond(finding.last_time);
    // Nanoseconds: two windows that differ at all are two observations.
    let name = |time: Timestamp| time.nanoseconds();
    let name = format!("{}:{}:{}", finding.id, name(finding.first_time), name(finding.last_time));
    let common = |kind: &str| {
        json!({
            "type": kind,
            "spec_version": "2.1",
            "id": named(kind, &name),
            "created_by_ref": producer,
            "created": created,
            "modified": created,
        })
    };
    let mut spoken_of = Vec::new();
    if !observables.is_empty() {
        let observed = merged(
            common("observed-data"),
            json!({
                "first_observed": terms::to_the_millisecond(finding.first_time),
                "last_observed": created,
                "number_observed": finding.exchanges.clamp(1, MOST_OBSERVED),
                "object_refs": observables,
            }),
        );
        spoken_of.push(named("observed-data", &name));
        bundle.add(&named("observed-data", &name), observed);
    }
    if let Some(technique) = terms::technique(finding).filter(|_| terms::is_alert(finding)) {
        let sighting = merged(
            common("sighting"),
            json!({
                "first_seen": terms::to_the_millisecond(finding.first_time),
                "last_seen": created,
                "count": finding.exchanges.clamp(1, MOST_OBSERVED),
                "confidence": terms::whole_percent(finding),
                "description": finding.sentence,
                "sighting_of_ref": technique.object,
                "observed_data_refs": spoken_of,
                "where_sighted_refs": [host],
                "external_references": [{"source_name": "mitre-attack", "external_id": technique.id}],
            }),
        );
        spoken_of.push(named("sighting", &name));
        bundle.add(&named("sighting", &name), sighting);
    }
    if spoken_of.is_empty() {
        spoken_of.push(host);
    }
    let note = merged(
        common("note"),
        json!({
            "abstract": format!("{}, level {}", terms::title(finding.disposition), finding.level),
            "content": judgement(finding),
            "labels": [format!("monologue-{}", finding.disposition), format!("monologue-level-{}", finding.level)],
            "object_refs": spoken_of,
        }),
    );
    bundle.add(&named("note", &name), note);
}

fn merged(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

/// The ids of the observables of a finding.
fn observables(bundle: &mut Bundle, finding: &Finding) -> Vec<String> {
    let mut ids = Vec::new();
    if let (Some(path), Some(name)) = (&finding.application.path, terms::application_name(finding)) {
        let folder = path.rsplit_once('/').map(|(folder, _)| if folder.is_empty() { "/" } else { folder });
        let folder = folder.map(|folder| bundle.observable("directory", &json!({"path": folder}), &json!({})));
        let identifying = terms::known(json!({"name": name, "parent_directory_ref": folder}));
        ids.push(bundle.observable("file", &identifying, &json!({})));
        ids.extend(folder);
    }
    let host = Place::of(&finding.destination.host);
    if let Some(name) = host.name() {
        ids.push(bundle.observable("domain-name", &json!({"value": name}), &json!({})));
    }
    let addresses: BTreeSet<_> = host.address().into_iter().chain(finding.destination.ips.iter().copied()).collect();
    for address in addresses.into_iter().take(ADDRESSES) {
        let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
        ids.push(bundle.observable(kind, &json!({"value": address.to_string()}), &json!({})));
    }
    ids
}

/// The judgement in words and numbers.
fn judgement(finding: &Finding) -> String {
    let mut lines = vec![
        finding.sentence.clone(),
        format!("Finding {} on {}, disposition {}.", finding.id, finding.host, finding.disposition),
        format!("Probability of malicious one-way traffic: {:.3}.", finding.score),
    ];
    if let Some(leaning) = finding.leaning {
        lines.push(format!("It leans to {leaning}; that is no claim."));
    }
    if let Some(approval) = &finding.approval {
        lines.push(format!("Approved by {} until {}: {}", approval.owner, approval.expires, approval.reason));
    }
    lines.extend(
        finding.layers.iter().map(|layer| format!("{}: {}. {}", layer.layer, layer.says.words(), layer.sentence)),
    );
    for signal in finding.signals.iter().filter(|signal| signal.weight != 0.0) {
        lines.push(format!("{:+.1} decibans, {}: {}", signal.weight, signal.id, signal.why));
    }
    for blind in &finding.blind {
        lines.push(format!(
            "Not seen: {} ({} of {}), which would say {}. To see it: {}",
            blind.sight, blind.seen, blind.of, blind.consequence, blind.collect
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_observables_are_those_of_the_specification() {
        // Computed with Python: uuid.uuid5(UUID("00abedb4-aa42-466c-9c01-fed23315a9b7"), '{"value":"198.51.100.3"}').
        let mut bundle = Bundle::default();
        let id = bundle.observable("ipv4-addr", &json!({"value": "198.51.100.3"}), &json!({}));
        assert_eq!(id, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
        bundle.observable("ipv4-addr", &json!({"value": "198.51.100.3"}), &json!({}));
        assert_eq!(bundle.objects.len(), 1, "the same observable twice");
    }
}
