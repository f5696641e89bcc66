//! `ocsf`: NDJSON, one Detection Finding (class 2004) of OCSF 1.8.0 a line.
//!
//! The attributes are those of the schema's release 1.8.0 with the profile `host`. `evidences[].data` holds the whole finding
//! as the `json` output writes it, with each judgement and its citations. `time` is that of the last request: a report has
//! no clock of its own. The disposition's confidence is `confidence_id`; the probability is `risk_score`, 0 to 100.
//!
//! What OCSF cannot say, or would say too much: a finding speaks of an application and not of one process, so there is
//! `actor.app_name` and no `actor.process`, which would need a process number; a code signature without an identity has no
//! state of its own, so each state stands in words under `state_id` 99; the operating system is not claimed, since a host
//! may be known by its address alone; a technique stands only where the disposition is definite.

use crate::{
    Output, escape,
    terms::{self, Place},
};
use monologue_model::{Confidence, Finding, Level, Report, SignatureState};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// The `ocsf` output.
pub(crate) struct Ocsf;

/// The release of the schema.
const VERSION: &str = "1.8.0";

/// Addresses listed as observables, of one finding.
const ADDRESSES: usize = 16;

impl Output for Ocsf {
    fn name(&self) -> &'static str {
        "ocsf"
    }

    fn about(&self) -> &'static str {
        "NDJSON, one OCSF 1.8.0 Detection Finding (2004) a line; evidences[].data is the whole finding"
    }

    fn source(&self) -> &'static str {
        include_str!("ocsf.rs")
    }

    fn write(&self, report: &Report, to: &mut dyn Write) -> io::Result<()> {
        let formats: BTreeSet<&str> =
            report.summary.sources.iter().filter_map(|source| source.format.as_deref()).collect();
        for finding in &report.findings {
            let line = serde_json::to_string(&detection(report, finding, &formats)?)?;
            writeln!(to, "{}", escape::json(&line))?;
        }
        Ok(())
    }
}

fn detection(report: &Report, finding: &Finding, formats: &BTreeSet<&str>) -> io::Result<Value> {
    let (severity_id, severity) = severity(finding.level);
    let (confidence_id, confidence) = confidence(finding.confidence);
    let (status_id, status) = if finding.approval.is_some() { (3, "Suppressed") } else { (1, "New") };
    let mut detection = terms::known(json!({
        "activity_id": 1,
        "activity_name": "Create",
        "anomaly_analyses": anomalies(finding),
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Detection Finding",
        "class_uid": 2004,
        "confidence": confidence,
        "confidence_id": confidence_id,
        "count": finding.exchanges,
        "device": host(&finding.host),
        "end_time": terms::milliseconds(finding.last_time),
        "evidences": [evidence(finding)],
        "finding_info": information(finding, formats),
        "is_alert": terms::is_alert(finding),
        "message": finding.sentence,
        "metadata": {
            "product": {"name": "Monologue", "vendor_name": "Monologue", "version": report.summary.version},
            "profiles": ["host"],
            "uid": format!("{}-{}", finding.id, terms::milliseconds(finding.last_time)),
            "version": VERSION,
        },
        "observables": observables(finding),
        "remediation": remediation(finding),
        "risk_score": terms::whole_percent(finding),
        "severity": severity,
        "severity_id": severity_id,
        "start_time": terms::milliseconds(finding.first_time),
        "status": status,
        "status_id": status_id,
        "time": terms::milliseconds(finding.last_time),
        "type_name": "Detection Finding: Create",
        "type_uid": 200_401,
    }));
    // Whole, with what is null in it: there a null means that nobody recorded it.
    if let Some(evidence) = detection.pointer_mut("/evidences/0") {
        *evidence = with(evidence.take(), "data", serde_json::to_value(finding)?);
    }
    Ok(detection)
}

fn with(object: Value, key: &str, value: Value) -> Value {
    match object {
        Value::Object(mut members) => {
            members.insert(key.to_owned(), value);
            Value::Object(members)
        }
        other => other,
    }
}

/// `severity_id`.
const fn severity(level: Level) -> (u8, &'static str) {
    match level {
        Level::Info => (1, "Informational"),
        Level::Low => (2, "Low"),
        Level::Medium => (3, "Medium"),
        Level::High => (4, "High"),
        Level::Critical => (5, "Critical"),
    }
}

/// `confidence_id`.
const fn confidence(confidence: Option<Confidence>) -> (u8, &'static str) {
    match confidence {
        None => (0, "Unknown"),
        Some(Confidence::Low) => (1, "Low"),
        Some(Confidence::Medium) => (2, "Medium"),
        Some(Confidence::High) => (3, "High"),
    }
}

/// `verdict_id` of an evidence: what the evidence allows, not what is wished.
fn verdict(finding: &Finding) -> (u8, &'static str) {
    if finding.approval.is_some() {
        (3, "Disregard")
    } else if !finding.disposition.is_definite() {
        (7, "Insufficient Data")
    } else if terms::is_alert(finding) {
        (4, "Suspicious")
    } else {
        (0, "Unknown")
    }
}

fn host(name: &str) -> Value {
    let place = Place::of(name);
    let other = if let Place::Other(other) = place { Some(other) } else { None };
    json!({"type_id": 0, "type": "Unknown", "hostname": place.name(), "ip": place.address(), "name": other})
}

fn information(finding: &Finding, formats: &BTreeSet<&str>) -> Value {
    let attack = terms::technique(finding).map(|technique| {
        json!({
            "version": finding.attack.state.release,
            "tactic": {"uid": terms::TACTIC.0, "name": terms::TACTIC.1},
            "technique": {"uid": terms::PARENT.0, "name": terms::PARENT.1},
            "sub_technique": {"uid": technique.id, "name": technique.name},
        })
    });
    json!({
        "uid": finding.id.to_string(),
        "title": terms::title(finding.disposition),
        "desc": finding.sentence,
        "types": [finding.disposition.name()],
        "analytic": {
            "type_id": 2,
            "type": "Behavioral",
            "uid": finding.attack.analytic,
            "name": format!("Analytic {}", finding.attack.analytic.trim_start_matches("AN")),
            "category": finding.attack.strategy,
        },
        "attacks": [attack],
        "data_sources": formats,
        "first_seen_time": terms::milliseconds(finding.first_time),
        "last_seen_time": terms::milliseconds(finding.last_time),
        "related_events": finding.supersedes.iter().map(|id| json!({
            "uid": id.to_string(),
            "type": "superseded finding",
        })).collect::<Vec<_>>(),
    })
}

fn evidence(finding: &Finding) -> Value {
    let application = &finding.application;
    let (verdict_id, verdict) = verdict(finding);
    let (uid, name) = terms::user(finding);
    let signature = (application.signature != SignatureState::Unknown).then(|| {
        json!({
            "algorithm_id": 0,
            "state_id": 99,
            "state": application.signature.name(),
            "developer_uid": application.team_id,
        })
    });
    let file = application.path.as_ref().map(|path| {
        json!({
            "name": application.name,
            "path": path,
            "type_id": 1,
            "type": "Regular File",
            "signature": signature,
            "hashes": [application.cdhash.as_ref().map(|hash| {
                json!({"algorithm_id": 99, "algorithm": "cdhash", "value": hash})
            })],
        })
    });
    json!({
        "actor": {
            "app_name": terms::application_name(finding),
            "app_uid": application.signing_id,
            "user": {"uid": uid, "name": name},
        },
        "connection_info": {"direction_id": 2, "direction": "Outbound"},
        "dst_endpoint": destination(finding),
        "file": file,
        "uid": finding.id.to_string(),
        "verdict": verdict,
        "verdict_id": verdict_id,
    })
}

/// One endpoint: the name that was asked, an address and a port where there is only one of each to name.
fn destination(finding: &Finding) -> Value {
    let place = Place::of(&finding.destination.host);
    let address = place.address().or(match finding.destination.ips.as_slice() {
        [only] => Some(*only),
        _ => None,
    });
    let port = match finding.destination.ports.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let other = if let Place::Other(other) = place { Some(other) } else { None };
    // A port alone is no endpoint.
    let named = place != Place::Unknown || address.is_some();
    json!({"hostname": place.name(), "ip": address, "name": other, "port": port.filter(|_| named)})
}

fn observables(finding: &Finding) -> Vec<Value> {
    let mut observables = Vec::new();
    let mut add = |type_id: u8, kind: &str, name: &str, value: String| {
        observables.push(json!({"type_id": type_id, "type": kind, "name": name, "value": value}));
    };
    if let Some(name) = Place::of(&finding.destination.host).name() {
        add(1, "Hostname", "evidences.dst_endpoint.hostname", name.to_owned());
    }
    for address in finding.destination.ips.iter().take(ADDRESSES) {
        add(2, "IP Address", "evidences.data.destination.ips", address.to_string());
    }
    if let (Some(_), Some(name)) = (&finding.application.path, terms::application_name(finding)) {
        add(7, "File Name", "evidences.file.name", name.to_owned());
    }
    observables
}

fn anomalies(finding: &Finding) -> Vec<Value> {
    let mut anomalies = Vec::new();
    if let Some(period) = finding.period_seconds {
        anomalies.push(("request period, in seconds", "cadence", period.to_string()));
    }
    if let Some(drift) = &finding.drift {
        anomalies.push(("difference from what is approved", "drift", drift.clone()));
    }
    if anomalies.is_empty() {
        return Vec::new();
    }
    let anomalies: Vec<Value> = anomalies
        .into_iter()
        .map(|(parameter, kind, value)| {
            json!({
                "observation_parameter": parameter,
                "observation_type": kind,
                "observations": [{"value": value}],
            })
        })
        .collect();
    let target = format!("{} to {}", finding.application.name, finding.destination.service);
    vec![json!({
        "analysis_targets": [{"name": target, "type": "application and service"}],
        "anomalies": anomalies,
    })]
}

fn remediation(finding: &Finding) -> Option<Value> {
    (!finding.triage.is_empty()).then(|| json!({"desc": finding.triage.join("\n")}))
}
