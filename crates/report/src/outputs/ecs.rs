//! `ecs`: NDJSON for Elastic's and OpenSearch's bulk interface, in the names of the Elastic Common Schema 9.4.0.
//!
//! Two lines a finding: the action `create` for the data stream `logs-monologue.finding-default`, then the document. The `_id` is
//! made of the finding's id and the time of its last request, so that sending a report twice stores nothing twice (the second
//! answer is a conflict, 409). `@timestamp` is the time of the last request. What has no name in the schema stands under
//! `monologue.finding`, as the `json` output writes it.
//!
//! `event.risk_score` is the probability, 0 to 100. Techniques stand only where the disposition is definite.

use crate::{
    Output, escape,
    terms::{self, Place},
};
use monologue_model::{Finding, Level, Report, SignatureState};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The `ecs` output.
pub(crate) struct Ecs;

/// The release of the schema.
const VERSION: &str = "9.4.0";

/// The data stream: type, dataset and namespace.
const DATA_STREAM: (&str, &str, &str) = ("logs", "monologue.finding", "default");

impl Output for Ecs {
    fn name(&self) -> &'static str {
        "ecs"
    }

    fn about(&self) -> &'static str {
        "NDJSON for Elastic's bulk interface (Elastic Common Schema 9.4.0), into logs-monologue.finding-default"
    }

    fn source(&self) -> &'static str {
        include_str!("ecs.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let (kind, dataset, namespace) = DATA_STREAM;
        for finding in &report.findings {
            let id = format!("{}-{}", finding.id, terms::milliseconds(finding.last_time));
            let action = json!({"create": {"_id": id, "_index": format!("{kind}-{dataset}-{namespace}")}});
            writeln!(to, "{}", serde_json::to_string(&action)?)?;
            let line = serde_json::to_string(&document(report, finding, &id)?)?;
            writeln!(to, "{}", escape::json(&line))?;
        }
        Ok(())
    }
}

fn document(report: &Report, finding: &Finding, id: &str) -> io::Result<Value> {
    let (kind, dataset, namespace) = DATA_STREAM;
    let host = Place::of(&finding.host);
    let (user_id, user_name) = terms::user(finding);
    let mut document = terms::known(json!({
        "@timestamp": finding.last_time,
        "data_stream": {"type": kind, "dataset": dataset, "namespace": namespace},
        "destination": destination(finding),
        "ecs": {"version": VERSION},
        "event": {
            "action": finding.disposition.name(),
            "category": ["network"],
            "dataset": dataset,
            "duration": finding.last_time.since(finding.first_time).max(0),
            "end": finding.last_time,
            "id": id,
            "kind": if terms::is_alert(finding) { "alert" } else { "event" },
            "module": "monologue",
            "outcome": "unknown",
            "reason": finding.sentence,
            // A whole number of percent, as a float: that is the field's type.
            "risk_score": f64::from(terms::whole_percent(finding)),
            "severity": severity(finding.level),
            "start": finding.first_time,
            "type": ["connection", "info"],
        },
        "host": {"name": finding.host, "ip": host.address()},
        "message": finding.sentence,
        "network": {"direction": "outbound"},
        "observer": {"product": "Monologue", "vendor": "Monologue", "version": report.summary.version},
        "process": process(finding),
        "related": {
            "hosts": [Place::of(&finding.host).name(), Place::of(&finding.destination.host).name()],
            "ip": finding.destination.ips,
            "user": [user_name.or(user_id)],
        },
        "rule": {
            "category": finding.attack.strategy,
            "id": finding.attack.analytic,
            "name": terms::title(finding.disposition),
            "ruleset": "MITRE ATT&CK",
        },
        "threat": threat(finding),
        "user": {"id": user_id, "name": user_name},
    }));
    if let Value::Object(members) = &mut document {
        members.insert("monologue".to_owned(), json!({"finding": serde_json::to_value(finding)?}));
    }
    Ok(document)
}

/// `event.severity`: a number of the source's own; 0 to 100, as Elastic's rules use it.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Info => 0,
        Level::Low => 21,
        Level::Medium => 47,
        Level::High => 73,
        Level::Critical => 99,
    }
}

fn destination(finding: &Finding) -> Value {
    let place = Place::of(&finding.destination.host);
    let address = (place != Place::Unknown).then_some(&finding.destination.host);
    json!({
        "address": address,
        "domain": place.name(),
        "ip": finding.destination.ips,
        "port": finding.destination.ports,
    })
}

fn process(finding: &Finding) -> Value {
    let application = &finding.application;
    // An ad hoc signature is one that nobody vouches for; of a team's, nobody here checked the chain.
    let trusted = match application.signature {
        SignatureState::Unsigned | SignatureState::AdHoc => Some(false),
        SignatureState::Platform => Some(true),
        SignatureState::Team | SignatureState::Unknown => None,
    };
    json!({
        "code_signature": {
            "exists": terms::is_signed(application.signature),
            "signing_id": application.signing_id,
            "team_id": application.team_id,
            "trusted": trusted,
        },
        "executable": application.path,
        "hash": {"cdhash": application.cdhash},
        "name": terms::application_name(finding),
    })
}

fn threat(finding: &Finding) -> Option<Value> {
    let technique = terms::technique(finding)?;
    Some(json!({
        "framework": "MITRE ATT&CK",
        "tactic": {"id": [terms::TACTIC.0], "name": [terms::TACTIC.1]},
        "technique": {
            "id": [terms::PARENT.0],
            "name": [terms::PARENT.1],
            "subtechnique": {"id": [technique.id], "name": [technique.name]},
        },
    }))
}
