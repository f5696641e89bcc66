//! What the library says of objects as they were released. Skipped, and said so, where those are not at hand.
#![cfg(test)]

use monologue_attack::{
    Ask, Class, Library, Reach, Stated, difference, fields::Change, import, known, object_difference,
};
use monologue_model::Timestamp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no released objects in {}", folder.display());
    None
}

/// A library of the named files, each imported under its release.
fn library(folder: &Path, files: &[(&Path, &str)]) -> Library {
    for (file, release) in files {
        let stated =
            Stated { release: Some(release), whole: false, now: Timestamp::parse("2026-11-25T12:00:00Z").unwrap() };
        let done = import(folder, file, &stated).unwrap();
        assert_eq!(done.problems, [], "{}", file.display());
        assert!(done.snapshot.official.is_empty(), "a file of one object is no published bundle");
    }
    Library::open(folder).unwrap()
}

#[test]
fn an1601_is_the_same_object_in_three_releases() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> =
        ["18.0", "18.1", "19.1"].iter().map(|release| data.join(format!("AN1601.raw-v{release}.json"))).collect();
    let files: Vec<(&Path, &str)> = files.iter().map(PathBuf::as_path).zip(["18.0", "18.1", "19.1"]).collect();
    let library = library(folder.path(), &files);
    let steps = library.history("AN1601").unwrap();
    assert_eq!(steps.len(), 3);
    let hashes: Vec<String> = steps.iter().map(|step| step.header.as_ref().unwrap().sha256.to_string()).collect();
    assert!(hashes.iter().all(|hash| hash == known::AN1601.sha256), "{hashes:?}");
    let wrappers: Vec<_> = steps.iter().map(|step| step.snapshot.sha256).collect();
    assert!(wrappers[0] != wrappers[1] && wrappers[1] != wrappers[2] && wrappers[0] != wrappers[2]);
    assert!(steps[1..].iter().all(|step| step.class == Some(Class::Unchanged) && !step.content_changed));
    // The same bytes in each wrapper, so stored once.
    assert_eq!(steps.iter().map(|step| step.snapshot.stored).collect::<Vec<_>>(), [1, 0, 0]);
    let found = library.view(&Ask::default()).unwrap().find("an1601").unwrap();
    let raw = library.view(&Ask::default()).unwrap().raw(&found).unwrap();
    let file = std::fs::read(data.join("AN1601.raw-v18.0.json")).unwrap();
    assert!(file.windows(raw.len()).any(|window| window == raw), "the raw object is a piece of the file");
}

#[test]
fn an1599_was_patched_with_one_changed_channel() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (data.join("AN1599.raw-v18.0.json"), data.join("AN1599.raw-v18.1.json"));
    let library = library(folder.path(), &[(&old, "18.0"), (&new, "18.1")]);
    let view = |release: &str| library.view(&Ask::release(release)).unwrap();
    let (changed, changes) = object_difference(&view("18.0"), &view("18.1"), "AN1599").unwrap();
    assert_eq!(changed.class, Some(Class::Patches));
    let fields: Vec<&str> = changes.iter().map(Change::field).collect();
    assert_eq!(fields, ["modified", "x_mitre_log_source_references"]);
    let Change::List { added, removed, altered, kept, .. } = &changes[1] else { panic!("a list") };
    assert!(added.is_empty() && removed.is_empty());
    assert_eq!((altered.len(), *kept), (1, 1));
    assert_eq!(altered[0].field, "channel");
    assert_eq!((&altered[0].old, &altered[0].new), (&Some(json!("EventCode=3")), &Some(json!("EventCode=3, 22"))));
    let all = difference(&view("18.0"), &view("18.1")).unwrap();
    assert_eq!((all.counts[&Class::Patches], all.objects.len()), (1, 1));
}

#[test]
fn det0581_changed_its_time_and_a_flag_only() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (data.join("DET0581.json"), data.join("DET0581.v19.1.json"));
    let library = library(folder.path(), &[(&old, "18.1"), (&new, "19.1")]);
    let view = |release: &str| library.view(&Ask::release(release)).unwrap();
    let (changed, changes) = object_difference(&view("18.1"), &view("19.1"), "DET0581").unwrap();
    assert_eq!(changed.class, Some(Class::Patches));
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(
        matches!(&changes[0], Change::Replaced { field, new, .. } if field == "modified" && new == "2026-05-12T16:34:50.695Z")
    );
    assert!(matches!(&changes[1], Change::Added { field, value } if field == "revoked" && *value == json!(false)));
}

#[test]
fn dc0085_is_a_minor_version_with_forty_more_log_sources() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (data.join("DC0085.json"), data.join("DC0085.v19.1.json"));
    let library = library(folder.path(), &[(&old, "18.1"), (&new, "19.1")]);
    let view = |release: &str| library.view(&Ask::release(release)).unwrap();
    let (changed, changes) = object_difference(&view("18.1"), &view("19.1"), "DC0085").unwrap();
    assert_eq!(changed.class, Some(Class::MinorVersionChanges));
    let list = changes.iter().find(|change| change.field() == "x_mitre_log_sources").unwrap();
    let Change::List { added, removed, altered, kept, .. } = list else { panic!("a list") };
    assert_eq!(added.len() - removed.len(), 40);
    assert_eq!(kept + altered.len() + added.len(), 279);
}

#[test]
fn the_chain_from_technique_to_log_source_is_whole() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "T1102.003",
        "T1102.003.relationships",
        "DET0581",
        "AN1599",
        "AN1600",
        "AN1601",
        "AN1602",
        "DC0085",
        "DC0032",
        "DC0082",
        "DC0078",
    ];
    let files: Vec<PathBuf> = names.iter().map(|name| data.join(format!("{name}.v19.1.json"))).collect();
    let files: Vec<(&Path, &str)> = files.iter().map(|file| (file.as_path(), "19.1")).collect();
    let library = library(folder.path(), &files);
    let view = library.view(&Ask::default()).unwrap();
    let graph = view.graph("T1102.003", Reach { depth: 3, nodes: 500, retired: false, detection_only: false }).unwrap();
    let id = |label: &str| graph.nodes.iter().find(|node| node.attack_id.as_deref() == Some(label)).unwrap().id.clone();
    let has = |from: &str, to: &str, kind: &str, embedded: bool| {
        graph
            .links
            .iter()
            .any(|link| link.from == from && link.to == to && link.kind == kind && link.embedded == embedded)
    };
    assert!(has(&id("DET0581"), &id("T1102.003"), "detects", false));
    assert!(has(&id("DET0581"), &id("AN1601"), "has analytic", true));
    assert!(has(&id("AN1601"), &id("DC0085"), "looks at", true));
    assert!(has(&id("DC0085"), "log-source:macos:unifiedlog:process, network", "has log source", true));
    let used = graph.links.iter().filter(|link| link.kind == "uses").count();
    assert_eq!(used, 9, "nine groups, campaigns and programs use it in 19.1");
    assert!(graph.nodes.iter().any(|node| !node.present), "groups were not imported, and are shown as such");
}

#[test]
fn all_macos_analytics_are_counted_across_two_releases() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (data.join("macos-analytics-v18.1.json"), data.join("macos-analytics-v19.1.json"));
    let library = library(folder.path(), &[(&old, "18.1"), (&new, "19.1")]);
    let view = |release: &str| library.view(&Ask::release(release)).unwrap();
    assert_eq!(view("18.1").objects().unwrap().len(), 350);
    assert_eq!(view("19.1").objects().unwrap().len(), 353);
    let all = difference(&view("18.1"), &view("19.1")).unwrap();
    let (added, deleted) = (all.counts[&Class::Additions], all.counts[&Class::Deletions]);
    assert_eq!(added - deleted, 3);
    let changed = all.objects.iter().filter(|changed| changed.old.is_some() && changed.new.is_some()).count();
    assert_eq!(changed, 2, "two macOS analytics changed");
    assert!(!all.deletions_proved);
}

/// The value another tool's change detection was run on, so that both can be compared by hand.
#[test]
fn raw_objects_are_json_of_one_object() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = data.join("T1102.003.v19.1.json");
    let library = library(folder.path(), &[(&file, "19.1")]);
    let view = library.view(&Ask::default()).unwrap();
    let raw: Value = serde_json::from_slice(&view.raw(&view.find("T1102.003").unwrap()).unwrap()).unwrap();
    assert_eq!(raw, serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap());
}
