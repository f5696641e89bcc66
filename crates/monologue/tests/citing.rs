//! Which state of ATT&CK's analytic a hunt cites, and the pages its report links to.
#![cfg(test)]

#[path = "attack/small.rs"]
mod small;

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::OnceLock,
};

const BUILT_IN: &str = "6c5a5ee635c9eca4a39e15dee2f56535a9fdc0da244d541b647a6f7baba6ecb0";

/// Runs the program in a folder, whose `data` is where the platform keeps data of programs.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(arguments)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("HOME", folder)
        .env("LOCALAPPDATA", folder.join("data"))
        .current_dir(folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An hour of the small fleet, made once.
fn telemetry() -> String {
    static FLEET: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FLEET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), &["simulate", "fleet", "--hours", "4"]);
        assert!(output.status.success(), "{}", said(&output));
        folder
    });
    folder.path().join("fleet").display().to_string()
}

/// A folder with a library of releases 18.0 and 18.1.
fn with_library(library: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for release in ["18.1", "18.0"] {
        fs::write(folder.path().join("bundle.json"), small::bundle(release)).unwrap();
        let output = run(folder.path(), &[&["attack", "import", "bundle.json"], library].concat());
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(&format!("enterprise-attack {release}")), "{}", said(&output));
    }
    folder
}

/// The references of all findings of a hunt with these options, each once.
fn cited(folder: &Path, options: &[&str]) -> Vec<Value> {
    let hunt = ["hunt", &telemetry(), "--minimum-level", "info", "--output", "json"];
    let output = run(folder, &[&hunt, options].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut cited: Vec<Value> = Vec::new();
    for line in text.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        let technique = match finding["disposition"].as_str().unwrap() {
            "unknown" => Value::Null,
            "two-way" => "T1102.002".into(),
            _ => "T1102.003".into(),
        };
        assert_eq!(finding["attack"]["technique"], technique, "{line}");
        let mut reference = finding["attack"].clone();
        reference.as_object_mut().unwrap().remove("technique");
        if !cited.contains(&reference) {
            cited.push(reference);
        }
    }
    cited
}

/// The hash that the library has of the analytic.
fn hash_of(folder: &Path, library: &[&str]) -> String {
    let output = run(folder, &[&["attack", "show", "AN1601", "--output", "json"], library].concat());
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    shown["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn without_a_library_the_built_in_analytic_is_cited_and_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let cited = cited(folder.path(), &[]);
    let built_in = serde_json::json!({ "analytic": "AN1601", "strategy": "DET0581", "source": "built-in",
        "release": "19.1", "analytic_sha256": BUILT_IN });
    assert_eq!(cited, [built_in]);
    let output = run(folder.path(), &["hunt", &telemetry()]);
    let told = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("AN1601 of release 19.1 (built in, for want of an ATT&CK library that holds it)"), "{told}");
    assert!(!told.contains("not the one this program was written after"), "{told}");
    let missing = run(folder.path(), &["hunt", &telemetry(), "--library", "nowhere"]);
    assert_eq!(missing.status.code(), Some(2), "a library that was named must be there: {}", said(&missing));
    assert!(said(&missing).contains("monologue attack import"), "{}", said(&missing));
}

#[test]
fn the_newest_release_of_the_library_is_in_force_named_or_in_its_usual_place() {
    for library in [&["--library", "library"][..], &[]] {
        let folder = with_library(library);
        let cited = cited(folder.path(), library);
        let hash = hash_of(folder.path(), library);
        assert_ne!(hash, BUILT_IN, "its text is our own");
        let from_library = serde_json::json!({ "analytic": "AN1601", "strategy": "DET0581", "source": "library",
            "release": "18.1", "analytic_sha256": hash });
        assert_eq!(cited, [from_library], "18.0 came later, and is older");
    }
}

#[test]
fn reports_layers_and_packs_name_the_snapshot_and_that_it_differs() {
    let folder = with_library(&["--library", "library"]);
    let at = folder.path();
    let hash = hash_of(at, &["--library", "library"]);
    let hunt = ["hunt", &telemetry(), "--library", "library", "--evidence", "pack"];
    let outputs = ["--output", "navigator=layer.json", "--output", "dettect-techniques=t.yaml", "--output", "text"];
    let output = run(at, &[&hunt[..], &outputs].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("AN1601 of release 18.1 (from the ATT&CK library, not an official file)"), "{told}");
    assert!(told.contains("AN1601 in the ATT&CK library is not the one this program was written after"), "{told}");
    let read = |name: &str| fs::read_to_string(at.join(name)).unwrap();
    let manifest: Value = serde_json::from_str(&read("pack/manifest.json")).unwrap();
    let attack = &manifest["attack"];
    assert_eq!((&attack["release"], &attack["analytic_sha256"]), (&"18.1".into(), &hash.as_str().into()));
    assert_eq!((&attack["source"], &attack["analytic_as_built_in"]), (&"library".into(), &false.into()));
    assert_eq!(attack["snapshot"]["official"], false);
    assert_eq!(attack["snapshot"]["sha256"].as_str().unwrap().len(), 64);
    for file in ["pack/statement.md", "pack/report.html", "t.yaml"] {
        assert!(read(file).contains(&hash), "{file}");
    }
    let layer: Value = serde_json::from_str(&read("layer.json")).unwrap();
    assert_eq!(layer["versions"]["attack"], "18");
    let metadata = layer["techniques"][1]["metadata"].as_array().unwrap();
    assert!(metadata.contains(&serde_json::json!({ "name": "AN1601 object SHA-256", "value": hash })), "{metadata:?}");
    assert!(metadata.contains(&serde_json::json!({ "name": "AN1601 release", "value": "18.1" })), "{metadata:?}");
}

#[test]
fn the_report_links_to_the_pages_from_where_it_lies() {
    let folder = with_library(&["--library", "library"]);
    let at = folder.path();
    let written = run(at, &["attack", "site", "my pages", "--library", "library"]);
    assert!(written.status.success(), "{}", said(&written));
    fs::create_dir(at.join("out")).unwrap();
    let options =
        ["--attack-site", "my pages", "--report", "out/report.html", "--output", "html", "--evidence", "pack"];
    let output = run(at, &[&["hunt", &telemetry()], &options[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let page = fs::read_to_string(at.join("out/report.html")).unwrap();
    let links: Vec<&str> = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| !link.starts_with('#'))
        .collect();
    assert!(links.len() >= 3, "{links:?}");
    for link in links {
        let name = link.strip_prefix("./../my%20pages/objects/").expect(link);
        assert!(at.join("my pages/objects").join(name).is_file(), "{link}");
    }
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("href=\"./my%20pages/objects/AN1601.html\""), "seen from the current folder");
    let pack = fs::read_to_string(at.join("pack/report.html")).unwrap();
    assert!(!pack.contains("my%20pages"), "an evidence pack stands alone");
    let refused = run(at, &["hunt", &telemetry(), "--attack-site", "out"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("monologue attack site"), "{}", said(&refused));
}
