//! What programs rely on in the outputs for machines, checked by reading them back, with hostile text everywhere.
#![cfg(test)]

mod fixed;

use fixed::{finding, report, written};
use monologue_model::{ApprovalOutcome, Disposition, Finding, Level, Report};
use monologue_report::{OUTPUTS, manual};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// 2026-03-02T06:00:00Z and six and a half hours later: the fixed first and last request.
const FIRST: i64 = 1_772_431_200_000;
const LAST: i64 = FIRST + 390 * 60_000;

/// Breaks out of the Common Event Format, of CSV and of YAML, where it is not escaped.
const BREAKOUT: &str = "=cmd|' /C calc'!A0\\|x=y \\n\r\n- \"a\": {b}\t# <b>\u{1b}[31m";

/// A finding whose every text breaks out.
fn nasty() -> Finding {
    let mut nasty = finding(3, false);
    let text = || BREAKOUT.into();
    nasty.host = text();
    nasty.user = Some(text());
    nasty.sentence = BREAKOUT.to_owned();
    nasty.application.path = Some(format!("~/Library/{BREAKOUT}").into());
    nasty.application.name = text();
    nasty.application.agent = Some(text());
    nasty.application.signing_id = Some(text());
    nasty.application.team_id = Some(text());
    nasty.destination.host = text();
    nasty.destination.service = "*.quiet.example".into();
    nasty.destination.hosts = vec![text()];
    nasty.destination.ips = vec!["2001:db8::7".parse().unwrap()];
    nasty.approval = Some(ApprovalOutcome {
        owner: BREAKOUT.to_owned(),
        reason: BREAKOUT.to_owned(),
        expires: "2027-01-01".to_owned(),
    });
    nasty.drift = Some(BREAKOUT.to_owned());
    nasty
}

fn everything() -> Report {
    report(vec![finding(1, false), finding(2, true), nasty()])
}

fn lines(name: &str, report: &Report) -> Vec<Value> {
    written(name, report).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_same_report_is_the_same_bytes_and_no_text_acts() {
    let report = everything();
    for output in OUTPUTS {
        let text = written(output.name(), &report);
        assert_eq!(text, written(output.name(), &report), "{}", output.name());
        assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{} lets something through", output.name());
    }
}

#[test]
fn ocsf_findings_have_the_numbers_of_the_schema() {
    let findings = lines("ocsf", &everything());
    assert_eq!(findings.len(), 3);
    let first = &findings[0];
    // From the schema's release 1.8.0: category 2, class 2004, type = class * 100 + activity.
    for (pointer, expected) in [
        ("/class_uid", json!(2004)),
        ("/category_uid", json!(2)),
        ("/activity_id", json!(1)),
        ("/type_uid", json!(200_401)),
        ("/metadata/version", json!("1.8.0")),
        ("/severity_id", json!(4)),
        ("/confidence_id", json!(3)),
        ("/status_id", json!(1)),
        ("/time", json!(LAST)),
        ("/start_time", json!(FIRST)),
        ("/end_time", json!(LAST)),
        ("/count", json!(40)),
        ("/risk_score", json!(86)),
        ("/is_alert", json!(true)),
        ("/finding_info/analytic/uid", json!("AN1601")),
        ("/finding_info/attacks/0/sub_technique/uid", json!("T1102.003")),
        ("/finding_info/data_sources", json!(["zeek-conn"])),
        ("/evidences/0/verdict_id", json!(4)),
        ("/evidences/0/dst_endpoint", json!({"hostname": "a.quiet.example", "ip": "203.0.113.7", "port": 443})),
        ("/evidences/0/actor/user/uid", json!("501")),
        ("/evidences/0/data/signals/1/id", json!("wire.no-reply")),
        ("/evidences/0/data/signals/1/weight", json!(10.0)),
    ] {
        assert_eq!(first.pointer(pointer), Some(&expected), "{pointer}");
    }
    let unknown = &findings[1];
    assert_eq!(unknown.pointer("/evidences/0/verdict_id"), Some(&json!(7)), "insufficient data");
    assert_eq!(unknown.pointer("/finding_info/attacks"), None, "what is unknown claims no technique");
    let approved = &findings[2];
    assert_eq!(approved.pointer("/status_id"), Some(&json!(3)), "suppressed");
    assert_eq!(approved.pointer("/is_alert"), Some(&json!(false)));
    // Neither a host name nor an address: it must not stand where a host name is expected.
    assert_eq!(approved.pointer("/device/hostname"), None);
    assert_eq!(approved.pointer("/device/name"), Some(&json!(BREAKOUT)));
}

/// The attributes of each object type, as the dump of the schema lists them: all, the required, and those of which one must be.
type Schema = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>)>;

fn quoted(text: &str) -> BTreeSet<String> {
    text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

fn schema(text: &str) -> Schema {
    let mut schema = Schema::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("OBJ ")) {
        let parts: Vec<&str> = line.split(" | ").collect();
        let required = quoted(parts[1]);
        let mut all = required.clone();
        all.extend(quoted(parts[2]));
        all.extend(quoted(parts[3]));
        let one_of = parts[4].split("at_least_one'").nth(1).map(quoted).unwrap_or_default();
        schema.insert(parts[0].to_owned(), (all, required, one_of));
    }
    schema
}

/// The type of the object that stands under a name.
fn type_of(name: &str) -> Option<&str> {
    Some(match name {
        "device" | "metadata" | "product" | "finding_info" | "analytic" | "tactic" | "technique" | "sub_technique"
        | "evidences" | "actor" | "user" | "file" => name,
        "attacks" => "attack",
        "dst_endpoint" => "network_endpoint",
        "connection_info" => "network_connection_info",
        "signature" => "digital_signature",
        "observables" => "observable",
        "anomaly_analyses" => "anomaly_analysis",
        "anomalies" => "anomaly",
        "related_events" => "related_event",
        _ => return None,
    })
}

fn check_object(schema: &Schema, name: &str, value: &Value, checked: &mut usize) {
    if let Value::Array(items) = value {
        items.iter().for_each(|item| check_object(schema, name, item, checked));
    }
    let Value::Object(members) = value else { return };
    if let Some((all, required, one_of)) = type_of(name).and_then(|kind| schema.get(kind)) {
        *checked += 1;
        for key in members.keys() {
            assert!(all.contains(key), "{name} has no attribute {key}");
        }
        for key in required {
            assert!(members.contains_key(key), "{name} lacks {key}");
        }
        assert!(
            one_of.is_empty() || one_of.iter().any(|key| members.contains_key(key)),
            "{name} needs one of {one_of:?}"
        );
    }
    for (key, member) in members.iter().filter(|(key, _)| *key != "data") {
        check_object(schema, key, member, checked);
    }
}

#[test]
fn ocsf_findings_keep_the_schema() {
    let path = format!("{}/../../../shared/data/attack/ocsf-1.8.0-required.txt", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no dump of the OCSF schema beside the repository");
        return;
    };
    let schema = schema(&text);
    let class = text.split("## detection_finding").nth(1).unwrap();
    let required = class.lines().find(|line| line.contains("REQUIRED")).unwrap();
    // Attributes of profiles that are not used here are marked `name@profile`.
    let required: Vec<String> = quoted(required).into_iter().filter(|name| !name.contains('@')).collect();
    assert!(required.len() > 5 && schema.len() > 20, "the dump was read");
    let mut unknown_application = finding(4, true);
    unknown_application.application.path = None;
    unknown_application.application.name = "unknown".into();
    unknown_application.user = None;
    unknown_application.destination.host = "unknown".into();
    let mut findings = lines("ocsf", &everything());
    findings.extend(lines("ocsf", &report(vec![unknown_application])));
    let mut checked = 0;
    for finding in &findings {
        for key in &required {
            assert!(finding.get(key).is_some(), "{key} is missing");
        }
        check_object(&schema, "", finding, &mut checked);
    }
    assert!(checked > 40, "{checked} objects");
}

#[test]
fn bulk_lines_come_in_pairs_with_an_id_that_makes_sending_twice_harmless() {
    let text = written("ecs", &everything());
    assert!(text.ends_with('\n'), "the bulk interface wants a line end at the end");
    let lines = lines("ecs", &everything());
    assert_eq!(lines.len(), 6);
    let ids: BTreeSet<&str> =
        lines.iter().step_by(2).map(|action| action.pointer("/create/_id").unwrap().as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(lines[0].pointer("/create/_index"), Some(&json!("logs-monologue.finding-default")));
    for (pointer, expected) in [
        ("/@timestamp", json!("2026-03-02T12:30:00Z")),
        ("/event/kind", json!("alert")),
        ("/event/duration", json!(390_i64 * 60 * 1_000_000_000)),
        ("/event/risk_score", json!(86.0)),
        ("/event/severity", json!(73)),
        ("/destination/ip", json!(["203.0.113.7"])),
        ("/destination/port", json!([443])),
        ("/process/code_signature", json!({"exists": true, "trusted": false})),
        ("/threat/technique/subtechnique/id", json!(["T1102.003"])),
        ("/user", json!({"id": "501"})),
        ("/monologue/finding/schema", json!("monologue.finding/1")),
        ("/related/hosts", json!(["mac-01", "a.quiet.example"])),
    ] {
        assert_eq!(lines[1].pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(lines[3].get("threat"), None, "what is unknown claims no technique");
    assert_eq!(lines[5].pointer("/event/kind"), Some(&json!("event")), "what is approved is no alert");
    assert_eq!(lines[5].pointer("/destination/domain"), None, "no host name, no domain");
}

#[test]
fn collector_envelopes_have_times_in_seconds_and_flat_fields() {
    for envelope in lines("splunk-hec", &everything()) {
        assert_eq!(envelope["time"], json!(LAST as f64 / 1000.0));
        assert_eq!(envelope["sourcetype"], "monologue:finding");
        assert!(envelope["fields"].as_object().unwrap().values().all(Value::is_string));
        assert!(envelope["event"]["score"].is_number());
    }
}

/// Splits at `separator` where no backslash stands before it, and undoes the escapes.
fn split_unescaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let last = parts.last_mut().unwrap();
        match character {
            '\\' => match characters.next().unwrap() {
                'n' => last.push('\n'),
                escaped => last.push(escaped),
            },
            _ if character == separator => parts.push(String::new()),
            _ => last.push(character),
        }
    }
    parts
}

#[test]
fn common_event_format_reads_back_as_it_was_meant() {
    let text = written("cef", &everything());
    assert_eq!(text.lines().count(), 3, "one line a finding, whatever is in it");
    for line in text.lines() {
        assert!(line.starts_with("CEF:0|Monologue|Monologue|0.1.0|"));
        // Seven header fields and the extension, in which a bar needs no escape: count in the part before it.
        let header: Vec<&str> = line.splitn(8, '|').collect();
        assert_eq!(header.len(), 8);
        let severity: u8 = header[6].parse().unwrap();
        assert!((0..=10).contains(&severity));
    }
    let extension = text.lines().nth(2).unwrap().splitn(8, '|').last().unwrap();
    // A key is what stands between the last space before an unescaped equals sign and that sign.
    let pieces = split_unescaped(extension, '=');
    let mut values = BTreeMap::new();
    for pair in pieces.windows(2) {
        let key = pair[0].rsplit(' ').next().unwrap().to_owned();
        values.insert(key, pair[1].rsplit_once(' ').map_or(pair[1].clone(), |(value, _)| value.to_owned()));
    }
    assert_eq!(values["cnt"], "40");
    assert_eq!(values["rt"], LAST.to_string());
    assert_eq!(values["c6a3"], "2001:db8::7");
    assert_eq!(values["dpt"], "443");
    let shown = BREAKOUT.replace('\r', "\\r").replace('\t', "\\t").replace('\u{1b}', "\\u{1b}");
    for key in ["msg", "shost", "suser", "sproc", "dhost", "cs6"] {
        assert_eq!(values[key], shown, "{key}");
    }
    assert!(!values.contains_key("x"), "nothing broke out");
}

#[test]
fn tables_have_whole_rows_without_formulas() {
    for name in ["csv", "timeline"] {
        let text = written(name, &everything());
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let columns = rows.headers().unwrap().clone();
        let numbers = ["score", "timestamp", "exchanges", "largest_request_bytes", "hosts_looked_at", "request_bytes"];
        let mut count = 0;
        for row in rows.records() {
            let row = row.unwrap();
            count += 1;
            for (column, value) in columns.iter().zip(&row) {
                assert!(!value.starts_with(['=', '+', '-', '@', '\t', '\r']), "{column}: {value}");
                if numbers.contains(&column) {
                    assert!(value.parse::<f64>().is_ok(), "{column}: {value}");
                }
            }
        }
        assert_eq!(count, if name == "csv" { 3 } else { 120 });
    }
}

#[test]
fn a_timeline_is_sorted_and_has_the_columns_that_its_readers_need() {
    let text = written("timeline", &everything());
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let columns: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    for needed in
        ["datetime", "timestamp", "timestamp_desc", "message", "source", "source_long", "parser", "display_name"]
    {
        assert!(columns.iter().any(|column| column == needed), "{needed}");
    }
    let at = columns.iter().position(|column| column == "timestamp").unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let times: Vec<i64> = rows.iter().map(|row| row[at].parse().unwrap()).collect();
    assert!(times.is_sorted());
    assert_eq!((times[0], &rows[0][0]), (FIRST * 1000, "2026-03-02T06:00:00.000000+00:00"));
}

#[test]
fn a_bundle_holds_what_it_refers_to_and_sights_only_what_is_claimed() {
    let bundle: Value = serde_json::from_str(&written("stix", &everything())).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let ids: BTreeSet<&str> = objects.iter().map(|object| object["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), objects.len(), "every id once");
    for object in objects {
        for (key, value) in object.as_object().unwrap() {
            let referred = match value {
                Value::String(id) if key.ends_with("_ref") => vec![id.as_str()],
                Value::Array(ids) if key.ends_with("_refs") => ids.iter().map(|id| id.as_str().unwrap()).collect(),
                _ => Vec::new(),
            };
            for id in referred {
                assert!(ids.contains(id) || id.starts_with("attack-pattern--"), "{key} refers to {id}");
            }
        }
    }
    let of = |kind: &str| objects.iter().filter(|object| object["type"] == kind).collect::<Vec<_>>();
    // Three findings: one claims, one is unknown, one is approved.
    assert_eq!((of("note").len(), of("observed-data").len(), of("sighting").len()), (3, 3, 1));
    let sighting = of("sighting")[0];
    assert_eq!(sighting["sighting_of_ref"], "attack-pattern--9c99724c-a483-4d60-ad9d-7f004e42e8e8");
    assert_eq!((&sighting["confidence"], &sighting["count"]), (&json!(86), &json!(40)));
    assert!(of("note")[0]["content"].as_str().unwrap().contains("+10.0 decibans, wire.no-reply"));

    let mut two_way = finding(5, false);
    two_way.disposition = Disposition::TwoWay;
    let mut low = finding(6, false);
    low.level = Level::Low;
    let bundle: Value = serde_json::from_str(&written("stix", &report(vec![two_way, low]))).unwrap();
    let sightings: Vec<&Value> =
        bundle["objects"].as_array().unwrap().iter().filter(|object| object["type"] == "sighting").collect();
    assert_eq!(sightings.len(), 1, "what is low is not sighted");
    // The object of T1102.002.
    assert_eq!(sightings[0]["sighting_of_ref"], "attack-pattern--be055942-6e63-49d7-9fa1-9cb7d8a8f3f4");
}

#[test]
fn a_layer_shows_coverage_and_no_score_where_nothing_was_looked_at() {
    let layer: Value = serde_json::from_str(&written("navigator", &everything())).unwrap();
    assert_eq!(layer["versions"]["layer"], "4.5");
    assert_eq!(layer["domain"], "enterprise-attack");
    let technique = &layer["techniques"][1];
    assert_eq!(technique["techniqueID"], "T1102.003");
    // The fixed host was watched by `flow.reply` only: neither component of AN1601 was there.
    assert_eq!(technique["score"], 0);
    let flow =
        technique["metadata"].as_array().unwrap().iter().find(|pair| pair["name"] == "DC0078 Network Traffic Flow");
    assert_eq!(flow.unwrap()["value"], "50 % of host time");
    let empty: Value = serde_json::from_str(&written("navigator", &Report::default())).unwrap();
    assert_eq!(empty["techniques"][1].get("score"), None, "no zero where nobody looked");
}

#[test]
fn sigma_rules_say_what_they_cannot_say() {
    let text = written("sigma", &everything());
    assert_eq!(
        text.matches("\n---\n").count(),
        4,
        "two documents for each finding with a destination that can be named"
    );
    assert_eq!(text.matches("cannot say whether responses came").count(), 5);
    assert!(text.contains("Image|endswith: \"/Library/agentd\""), "{text}");
    assert!(text.contains("# 1 findings have no destination that a rule could name."));
    // 40 requests in six and a half hours: half of them, in a day of which no more was seen.
    assert!(text.contains("    gte: 20\n"));
    let mut starred = finding(7, false);
    starred.application.path = Some("/tmp/a*b?\\c".into());
    let text = written("sigma", &report(vec![starred]));
    // As YAML: every backslash of Sigma's escapes is doubled.
    assert!(text.contains("Image: \"/tmp/a\\\\*b\\\\?\\\\\\\\c\""), "{text}");
}

#[test]
fn administration_files_admit_what_was_not_measured() {
    let sources = written("dettect-data-sources", &everything());
    assert!(sources.starts_with("version: 1.1\nfile_type: data-source-administration\n"));
    assert_eq!(sources.matches("data_source_name:").count(), 4);
    assert!(sources.contains("\"Network Traffic Flow\"\n    data_source:\n      - applicable_to: [\"hosts of this hunt\"]\n        date_registered: 2026-03-02\n        date_connected: 2026-03-02\n        products: [\"zeek-conn\"]"), "{sources}");
    let techniques = written("dettect-techniques", &everything());
    assert!(techniques.contains("score: -1"), "AN1601 could not be judged: no detection");
    assert!(techniques.contains("technique_id: T1102.003"));
}

#[test]
fn an_empty_report_is_understood_by_every_reader() {
    let nothing = Report::default();
    let bundle: Value = serde_json::from_str(&written("stix", &nothing)).unwrap();
    assert_eq!(bundle["objects"].as_array().unwrap().len(), 1, "the producer alone");
    for name in ["csv", "timeline"] {
        assert_eq!(written(name, &nothing).lines().count(), 1, "{name}: the header alone");
    }
    assert!(written("sigma", &nothing).lines().all(|line| line.starts_with('#')));
    assert!(written("dettect-data-sources", &nothing).contains("date_registered: null"));
}

#[test]
fn every_output_has_a_manual_page_that_names_it() {
    for output in OUTPUTS {
        let page = manual(*output);
        assert!(page.contains(&format!("`{}`", output.name())), "{}: {page}", output.name());
    }
}
