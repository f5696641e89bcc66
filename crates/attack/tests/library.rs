//! The library on made-up bundles: imports, bad input, kills, search, comparison.
#![cfg(test)]

mod generated;

use generated::{Shape, bundle, stix_id};
use monologue_attack::{
    Ask, Class, Error, Filter, Imported, Library, Page, Reach, ReleaseFrom, Retired, Stated, Whole, canonical,
    difference, import,
};
use monologue_model::Timestamp;
use serde_json::{Value, json};
use std::{io::Write, path::Path};

const PAGE: Page = Page { offset: 0, limit: 50 };

fn stated(release: Option<&str>) -> Stated<'_> {
    Stated { release, whole: false, now: Timestamp::parse("2026-11-25T12:00:00Z").unwrap() }
}

/// Imports one text into the library of `folder`.
fn take(folder: &Path, name: &str, text: &[u8], release: Option<&str>) -> Result<Imported, Error> {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    import(&folder.join("library"), &path, &stated(release))
}

fn open(folder: &Path) -> Library {
    Library::open(&folder.join("library")).unwrap()
}

fn tool(number: u32, more: &Value) -> Value {
    let mut object = json!({ "type": "tool", "id": format!("tool--{number}"), "name": format!("Tool {number}"),
        "modified": "2026-01-01T00:00:00Z", "x_mitre_version": "1.0", "x_mitre_domains": ["enterprise-attack"],
        "external_references": [{ "source_name": "mitre-attack", "external_id": format!("S{number:04}") }] });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn of(objects: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": objects }))
        .unwrap()
}

#[test]
fn an_import_is_told_in_full_and_repeating_it_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = bundle(&Shape { thinned: 100, release: 1 });
    let first = take(folder.path(), "a.json", text.as_bytes(), None).unwrap();
    let snapshot = &first.snapshot;
    assert!(!first.already_there);
    assert_eq!((snapshot.release_name(), snapshot.release_from), ("unknown release", ReleaseFrom::Unknown));
    assert_eq!(snapshot.domains, ["enterprise-attack"]);
    assert_eq!(snapshot.stix.as_deref(), Some("2.0"));
    assert_eq!(snapshot.whole, Whole::NotProved);
    assert_eq!(snapshot.sha256, monologue_model::Sha256::of(text.as_bytes()));
    assert!(snapshot.official_words().starts_with("not official"));
    let objects = text.matches("\"type\": ").count() as u64 - 1;
    assert_eq!(snapshot.objects + snapshot.relationships, objects);
    assert_eq!(snapshot.stored, objects);
    let again = take(folder.path(), "b.json", text.as_bytes(), None).unwrap();
    assert!(again.already_there);
    assert_eq!(open(folder.path()).snapshots().unwrap(), [first.snapshot]);
}

#[test]
fn a_second_release_stores_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    for release in [1, 2] {
        let text = bundle(&Shape { thinned: 20, release });
        take(folder.path(), "a.json", text.as_bytes(), Some(&format!("{release}.0"))).unwrap();
    }
    let library = open(folder.path());
    let snapshots = library.snapshots().unwrap();
    let second = &snapshots[1];
    assert!(second.stored * 8 < second.objects + second.relationships, "{} stored", second.stored);
    let view = |release: &str| library.view(&Ask::release(release)).unwrap();
    let found = difference(&view("1.0"), &view("2.0")).unwrap();
    let total: u64 = found.counts.values().sum();
    assert!(found.counts[&Class::Additions] == 9 && found.counts[&Class::Patches] > 0, "{:?}", found.counts);
    assert!(found.counts[&Class::MinorVersionChanges] > 0 && !found.deletions_proved);
    assert_eq!(total + found.retired_before, view("1.0").objects().unwrap().len() as u64 + 9);
    assert!(found.relationships.changed > 0 && found.relationships.added == 0);
}

#[test]
fn gzip_and_a_folder_of_single_objects_hold_the_same_objects() {
    let folder = tempfile::tempdir().unwrap();
    let objects: Vec<Value> = (1..4).map(|number| tool(number, &json!({}))).collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&of(&objects)).unwrap();
    let packed = take(folder.path(), "a.json.gz", &encoder.finish().unwrap(), None).unwrap().snapshot;
    assert_eq!(packed.content_sha256, Some(monologue_model::Sha256::of(&of(&objects))));
    let parts = folder.path().join("parts/tool");
    std::fs::create_dir_all(&parts).unwrap();
    for (at, object) in objects.iter().enumerate() {
        std::fs::write(parts.join(format!("{at}.json")), of(std::slice::from_ref(object))).unwrap();
    }
    let spread = import(&folder.path().join("library"), &folder.path().join("parts"), &stated(None)).unwrap().snapshot;
    assert_eq!((spread.files, spread.objects, spread.stored), (3, 3, 0));
}

#[test]
fn the_collection_object_names_the_release_and_proves_that_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let collection = json!({ "type": "x-mitre-collection", "id": "x-mitre-collection--1", "name": "Enterprise ATT&CK",
        "spec_version": "2.1", "x_mitre_version": "18.1", "x_mitre_contents": [{ "object_ref": "tool--1" }, { "object_ref": "tool--2" }] });
    let whole = of(&[collection.clone(), tool(1, &json!({})), tool(2, &json!({}))]);
    let snapshot = take(folder.path(), "a.json", &whole, None).unwrap().snapshot;
    assert_eq!((snapshot.release.as_deref(), snapshot.release_from), (Some("18.1"), ReleaseFrom::Collection));
    assert_eq!(snapshot.whole, Whole::Collection);
    let part = of(&[collection, tool(1, &json!({ "name": "other" }))]);
    let done = take(folder.path(), "b.json", &part, None).unwrap();
    assert_eq!(done.snapshot.whole, Whole::NotProved);
    assert!(done.problems.iter().any(|problem| problem.expected.contains("tool--2")), "{:?}", done.problems);
    let error = take(folder.path(), "a.json", &whole, Some("18.0")).unwrap_err().to_string();
    assert!(error.contains("expected release 18.1") && error.contains("collection object"), "{error}");
}

/// Each bad object is named with its field; the good one beside it is imported, and nothing of the bad is kept.
#[test]
fn bad_objects_are_named_and_the_rest_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let good = serde_json::to_string(&tool(1, &json!({}))).unwrap();
    let deep = format!(r#"{{"type":"tool","id":"tool--9","x":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let long = format!(r#"{{"type":"tool","id":"tool--9","name":"{}"}}"#, "x".repeat(17 << 20));
    let twice = r#"{"type":"tool","id":"tool--9","name":"a","name":"b"}"#.to_owned();
    for (bad, object, words) in [
        (deep, Some("tool--9"), "recursion limit"),
        (long, Some("tool--9"), "at most 16777216 bytes"),
        (twice, Some("tool--9"), "\"name\" twice"),
        (r#"{"type":"tool"}"#.to_owned(), None, "found nothing"),
        (r#"{"type":"tool","id":"malware--1"}"#.to_owned(), Some("malware--1"), "`tool--`"),
        ("7".to_owned(), None, "an object"),
        (r#"{"type":"tool","id":"tool--9","name":tru}"#.to_owned(), Some("tool--9"), "expected JSON"),
        (r#"{"type":"bundle","id":"bundle--2","objects":[]}"#.to_owned(), Some("bundle--2"), "bundle within"),
    ] {
        let text = format!(r#"{{"type":"bundle","objects":[{bad},{good}]}}"#);
        let _ = std::fs::remove_dir_all(folder.path().join("library"));
        let done = take(folder.path(), "a.json", text.as_bytes(), None).unwrap();
        assert_eq!((done.snapshot.objects, done.problems.len()), (1, 1), "{words}");
        let problem = &done.problems[0];
        assert!(problem.expected.contains(words) && !problem.imported, "{problem}");
        assert!(
            problem.object.as_deref().map_or(object.is_none(), |found| found.contains(object.unwrap())),
            "{problem}"
        );
        assert!(open(folder.path()).view(&Ask::default()).unwrap().find("tool--9").is_err());
    }
}

#[test]
fn wrong_types_in_known_fields_are_named_and_the_object_stands_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let text = of(&[tool(1, &json!({ "name": 5, "x_mitre_platforms": "macOS", "description": ["a"] }))]);
    let done = take(folder.path(), "a.json", &text, None).unwrap();
    let told: Vec<String> = done.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("S0001 (tool--1): field name: expected text, found 5 (imported without it)"),
        "{}",
        told[0]
    );
    let library = open(folder.path());
    let view = library.view(&Ask::default()).unwrap();
    let found = view.find("S0001").unwrap();
    assert_eq!(found.header.name, None);
    let raw: Value = serde_json::from_slice(&view.raw(&found).unwrap()).unwrap();
    assert_eq!(raw["name"], 5, "the exact object is kept as it stood");
}

#[test]
fn an_id_that_stands_twice_is_told_and_the_later_version_counts() {
    let folder = tempfile::tempdir().unwrap();
    let later = tool(1, &json!({ "name": "Later", "modified": "2026-02-01T00:00:00Z" }));
    let other = tool(1, &json!({ "name": "Other" }));
    for (objects, name, imported) in [
        ([tool(1, &json!({})), later.clone()], "Later", true),
        ([later.clone(), tool(1, &json!({}))], "Later", false),
        ([tool(1, &json!({})), other], "Tool 1", false),
    ] {
        let _ = std::fs::remove_dir_all(folder.path().join("library"));
        let done = take(folder.path(), "a.json", &of(&objects), None).unwrap();
        assert_eq!(done.problems.len(), 1);
        assert_eq!((done.problems[0].field.as_deref(), done.problems[0].imported), (Some("id"), imported));
        let library = open(folder.path());
        let view = library.view(&Ask::default()).unwrap();
        assert_eq!(view.find("S0001").unwrap().header.name.as_deref(), Some(name));
    }
    let _ = std::fs::remove_dir_all(folder.path().join("library"));
    let same = take(folder.path(), "a.json", &of(&[later.clone(), later]), None).unwrap();
    assert_eq!((same.problems.len(), same.snapshot.objects), (0, 1), "the same twice is no contradiction");
}

#[test]
fn truncated_and_foreign_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = bundle(&Shape { thinned: 400, release: 1 });
    let done = take(folder.path(), "a.json", &text.as_bytes()[..text.len() / 2], None).unwrap();
    assert!(done.problems.last().unwrap().expected.contains("the rest of this file was not read"));
    assert!(done.snapshot.objects > 3);
    for foreign in ["", "<html>", "{}", "[]", "{\"type\":\"bundle\",\"objects\":[]}", "\u{0}\u{1}"] {
        let error = take(folder.path(), "b.json", foreign.as_bytes(), None).unwrap_err();
        assert!(matches!(error, Error::Nothing { .. }), "{foreign:?}: {error}");
    }
    assert_eq!(open(folder.path()).snapshots().unwrap().len(), 1, "a failed import leaves nothing");
}

#[test]
fn circles_of_revocation_and_dangling_references_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let revoked = |number: u32, from: &str, to: &str| {
        json!({ "type": "relationship", "id": format!("relationship--{number}"), "relationship_type": "revoked-by",
            "source_ref": from, "target_ref": to })
    };
    let text = of(&[
        tool(1, &json!({ "revoked": true })),
        tool(2, &json!({ "revoked": true })),
        revoked(1, "tool--1", "tool--2"),
        revoked(2, "tool--2", "tool--1"),
        revoked(3, "tool--2", "tool--77"),
    ]);
    let done = take(folder.path(), "a.json", &text, None).unwrap();
    assert_eq!(done.snapshot.dangling, 1);
    let told: Vec<String> = done.problems.iter().map(ToString::to_string).collect();
    assert!(told.is_empty() || told[0].contains("circle"), "{told:?}");
    let library = open(folder.path());
    let view = library.view(&Ask::default()).unwrap();
    let graph = view.graph("S0001", Reach { depth: 9, nodes: 100, retired: true, detection_only: false }).unwrap();
    assert_eq!(graph.nodes.len(), 3);
    assert!(graph.nodes.iter().any(|node| node.id == "tool--77" && !node.present));
}

#[test]
fn a_circle_alone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let revoked = |number: u32, from: &str, to: &str| {
        json!({ "type": "relationship", "id": format!("relationship--{number}"), "relationship_type": "revoked-by",
            "source_ref": from, "target_ref": to })
    };
    let text = of(&[
        tool(1, &json!({})),
        tool(2, &json!({})),
        revoked(1, "tool--1", "tool--2"),
        revoked(2, "tool--2", "tool--1"),
    ]);
    let done = take(folder.path(), "a.json", &text, None).unwrap();
    assert_eq!(done.problems.len(), 1);
    assert!(done.problems[0].expected.contains("circle: tool--1 by tool--2"), "{}", done.problems[0]);
}

#[test]
fn search_ranks_ids_before_names_before_texts() {
    let folder = tempfile::tempdir().unwrap();
    let text = of(&[
        tool(1, &json!({ "description": "speaks of Beacon Chaser and S0003 once" })),
        tool(2, &json!({ "name": "Beacon Chaser" })),
        tool(3, &json!({ "name": "Other", "x_mitre_platforms": ["macOS"] })),
        tool(4, &json!({ "name": "Beacon Chaser Deluxe", "revoked": true })),
    ]);
    take(folder.path(), "a.json", &text, None).unwrap();
    let library = open(folder.path());
    let view = library.view(&Ask::default()).unwrap();
    let search = |words: &str, filter: &Filter| -> Vec<String> {
        view.search(words, filter, PAGE).unwrap().rows.iter().map(|row| row.label().to_owned()).collect()
    };
    let all = Filter::default();
    assert_eq!(search("s0003", &all), ["S0003", "S0001"]);
    assert_eq!(search("beacon chaser", &all), ["S0002", "S0001"]);
    assert_eq!(search("chas", &all), ["S0002", "S0001"], "the beginning of a word");
    assert_eq!(search("beacon nothing", &all), Vec::<String>::new());
    assert_eq!(search("tool--3", &all), ["S0003"]);
    let retired = Filter { retired: Retired::With, ..Filter::default() };
    assert_eq!(search("beacon chaser", &retired), ["S0002", "S0004", "S0001"]);
    let macs = Filter { platform: Some("macos".into()), kinds: vec!["software".into()], ..Filter::default() };
    assert_eq!(view.list(&macs, PAGE).unwrap().rows.len(), 1);
    let page = view.list(&retired, Page { offset: 3, limit: 2 }).unwrap();
    assert_eq!((page.total, page.rows.len()), (4, 1));
}

#[test]
fn what_a_whole_later_release_dropped_is_no_longer_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    for (release, numbers) in [("1.0", vec![1, 2]), ("2.0", vec![2])] {
        let objects: Vec<Value> = numbers.into_iter().map(|number| tool(number, &json!({}))).collect();
        std::fs::write(&path, of(&objects)).unwrap();
        import(&folder.path().join("library"), &path, &Stated { whole: true, ..stated(Some(release)) }).unwrap();
    }
    let library = open(folder.path());
    let view = library.view(&Ask::default()).unwrap();
    let error = view.find("S0001").unwrap_err().to_string();
    assert!(error.contains("it is in #1 enterprise-attack 1.0"), "{error}");
    let found = difference(&library.view(&Ask::release("1.0")).unwrap(), &view).unwrap();
    assert_eq!((found.counts[&Class::Deletions], found.deletions_proved), (1, true));
    let steps = library.history("S0001").unwrap();
    assert_eq!(steps.iter().map(|step| step.header.is_some()).collect::<Vec<_>>(), [true, false]);
    assert!(matches!(library.view(&Ask::release("9.9")), Err(Error::NoSnapshot { .. })));
}

#[test]
fn raw_bytes_and_hashes_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = bundle(&Shape { thinned: 200, release: 1 });
    take(folder.path(), "a.json", text.as_bytes(), None).unwrap();
    let library = open(folder.path());
    let view = library.view(&Ask::default()).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    for object in whole["objects"].as_array().unwrap() {
        let found = view.find(object["id"].as_str().unwrap()).unwrap();
        let raw = String::from_utf8(view.raw(&found).unwrap()).unwrap();
        assert!(text.contains(&raw));
        assert_eq!(serde_json::from_str::<Value>(&raw).unwrap(), *object);
        assert_eq!(found.header.sha256, canonical::hash(object));
    }
}

#[test]
fn edges_of_a_busy_object_are_all_found() {
    let folder = tempfile::tempdir().unwrap();
    let text = bundle(&Shape { thinned: 20, release: 1 });
    take(folder.path(), "a.json", text.as_bytes(), None).unwrap();
    let hub = stix_id("attack-pattern", 0);
    let expected = text.matches(&format!("\"target_ref\": \"{hub}\"")).count();
    let library = open(folder.path());
    let edges = library.view(&Ask::default()).unwrap().edges(&hub).unwrap();
    assert!(expected > 20, "{expected}");
    assert_eq!(edges.len(), expected);
}
