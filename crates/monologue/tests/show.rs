//! Coverage, explanation, evidence packs and what packagers need, as a user meets them.
#![cfg(test)]

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A fleet of a few hours with its findings, made once for all tests.
fn fleet() -> &'static Path {
    static FLEET: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FLEET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let simulated = run(folder.path(), &["simulate", "fleet", "--seed", "7", "--hours", "6"]);
        assert!(simulated.status.success(), "{}", text(&simulated));
        let hunted = run(
            folder.path(),
            &["hunt", "fleet", "--assets", "fleet/assets.csv", "--output", "json=f.ndjson", "--output", "html=r.html"],
        );
        assert_eq!(hunted.status.code(), Some(1), "{}", text(&hunted));
        folder
    });
    folder.path()
}

fn findings() -> Vec<Value> {
    let text = fs::read_to_string(fleet().join("f.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn coverage_says_what_holds_and_what_to_collect() {
    let output = run(
        fleet(),
        &[
            "coverage",
            "fleet",
            "--assets",
            "fleet/assets.csv",
            "--output",
            "json=c.json",
            "--output",
            "svg=c.svg",
            "--output",
            "text",
        ],
    );
    assert!(output.status.success(), "{}", text(&output));
    let told = text(&output);
    assert!(told.starts_with("Looked at "), "{told}");
    let coverage: Value = serde_json::from_str(&fs::read_to_string(fleet().join("c.json")).unwrap()).unwrap();
    assert_eq!(coverage["schema"], "monologue.coverage/1");
    let hosts = coverage["hosts"].as_array().unwrap();
    assert!(hosts.len() >= 3);
    for claim in coverage["claims"].as_array().unwrap() {
        let id = claim["claim"].as_str().unwrap();
        let number = |value: &Value, key: &str| value[key].as_u64().unwrap();
        let all = &claim["host_hours"];
        assert_eq!(number(all, "holds") + number(all, "partly") + number(all, "blind"), number(all, "of"), "{id}");
        // The sum over hosts, and within each host the stretches, tell the same.
        let mut holds = 0;
        for host in hosts {
            let own = host["claims"].as_array().unwrap().iter().find(|own| own["claim"] == id).unwrap();
            let hours = |state: &str| -> u64 {
                let stretches = own["stretches"].as_array().unwrap();
                stretches
                    .iter()
                    .filter(|stretch| stretch["state"] == state)
                    .map(|stretch| number(stretch, "hours"))
                    .sum()
            };
            assert_eq!(hours("holds"), number(&own["hours"], "holds"), "{id} on {}", host["host"]);
            holds += hours("holds");
        }
        assert_eq!(holds, number(all, "holds"), "{id}");
    }
    let svg = fs::read_to_string(fleet().join("c.svg")).unwrap();
    assert!(svg.starts_with("<svg xmlns") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
}

#[test]
fn coverage_without_a_sensor_names_it_as_the_step_that_unlocks_most() {
    let folder = tempfile::tempdir().unwrap();
    let network = fleet().join("fleet/network");
    let output = run(folder.path(), &["coverage", network.to_str().unwrap(), "--output", "json"]);
    let coverage: Value = serde_json::from_slice(&output.stdout).unwrap();
    let holds = |id: &str| {
        let claims = coverage["claims"].as_array().unwrap();
        claims.iter().find(|claim| claim["claim"] == id).unwrap()["host_hours"]["holds"].as_u64().unwrap()
    };
    assert!(holds("no-reply") > 0, "{coverage}");
    assert_eq!(holds("reply-unhandled"), 0, "nothing of the Macs themselves was given");
    let first = coverage["steps"][0]["step"].as_str().unwrap();
    assert!(first.contains("eslogger exec fork exit"), "{first}");
    let required = run(folder.path(), &["coverage", network.to_str().unwrap(), "--require", "process.exec=1"]);
    assert_eq!(required.status.code(), Some(3), "{}", text(&required));
}

#[test]
fn a_release_from_the_inventory_names_its_blind_spot() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = fleet().join("fleet/hosts");
    let host =
        fs::read_dir(&hosts).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).min().unwrap();
    fs::write(folder.path().join("inventory.csv"), format!("host,os_version\n{host},15.5\n")).unwrap();
    let path = hosts.join(&host);
    let output = run(
        folder.path(),
        &["coverage", path.to_str().unwrap(), "--host", &host, "--assets", "inventory.csv", "--output", "json"],
    );
    let coverage: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(coverage["hosts"][0]["os_version"], "15.5");
    assert!(
        coverage["hosts"][0]["blind_spots"].to_string().contains("macOS 15.4 and later"),
        "{}",
        coverage["hosts"][0]
    );
}

#[test]
fn every_finding_is_explained_back_to_its_bytes() {
    let findings = findings();
    assert!(findings.len() >= 3);
    for finding in findings {
        let id = finding["id"].as_str().unwrap();
        let output = run(fleet(), &["explain", &id[..12], "--findings", "f.ndjson"]);
        assert!(output.status.success(), "{}", text(&output));
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(", as the finding says:"), "the score is not the sum: {told}");
        let cited: usize = told.split("Evidence: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(cited > 0, "{told}");
        assert!(told.contains(&format!("Evidence: {cited} citations, {cited} found and unchanged")), "{told}");
    }
}

#[test]
fn evidence_that_moved_is_found_and_evidence_that_changed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let finding =
        findings().into_iter().find(|finding| finding.to_string().contains("\"source\":\"fleet/network/")).unwrap();
    let id = finding["id"].as_str().unwrap();
    let explain = |evidence: &str| {
        let list = fleet().join("f.ndjson");
        let output = run(folder.path(), &["explain", id, "--findings", list.to_str().unwrap(), "--evidence", evidence]);
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let moved = explain(fleet().to_str().unwrap());
    assert!(moved.contains("the bytes are the ones cited") && !moved.contains("not found:"), "{moved}");
    fs::create_dir(folder.path().join("copy")).unwrap();
    for entry in fs::read_dir(fleet().join("fleet/network")).unwrap() {
        let path = entry.unwrap().path();
        let bytes: Vec<u8> =
            fs::read(&path).unwrap().into_iter().map(|byte| if byte == b'1' { b'2' } else { byte }).collect();
        fs::write(folder.path().join("copy").join(path.file_name().unwrap()), bytes).unwrap();
    }
    let changed = explain("copy");
    let words: Vec<&str> = changed.split_whitespace().collect();
    assert!(words.join(" ").contains("OTHER BYTES STAND THERE NOW"), "{changed}");
}

#[test]
fn an_id_that_is_no_id_or_fits_nothing_is_an_error_with_a_hint() {
    for (id, part) in [("zz", "expected the first digits"), ("00000000", "found none")] {
        let output = run(fleet(), &["explain", id, "--findings", "f.ndjson"]);
        assert_eq!(output.status.code(), Some(2));
        let told = text(&output);
        assert!(told.contains(part) && told.contains("hint: "), "{told}");
    }
}

#[test]
fn a_finding_of_a_lake_is_explained_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = fleet().join("fleet");
    let assets = telemetry.join("assets.csv");
    let ingested = run(
        folder.path(),
        &["ingest", telemetry.to_str().unwrap(), "--lake", "lake", "--assets", assets.to_str().unwrap()],
    );
    assert!(ingested.status.success(), "{}", text(&ingested));
    let hunted = run(folder.path(), &["hunt", "--lake", "lake", "--output", "json", "--evidence", "pack"]);
    let stdout = String::from_utf8(hunted.stdout).unwrap();
    let finding: Value = serde_json::from_str(stdout.lines().next().unwrap()).unwrap();
    let output = run(folder.path(), &["explain", finding["id"].as_str().unwrap(), "--lake", "lake"]);
    assert!(output.status.success() && text(&output).contains("found and unchanged"), "{}", text(&output));
    // The lake knows the hash of what it took.
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("pack/manifest.json")).unwrap()).unwrap();
    assert!(manifest["inputs"].as_array().unwrap().iter().all(|input| input["sha256"].is_string()), "{manifest}");
}

#[test]
fn an_evidence_pack_is_the_same_byte_for_byte_and_its_sums_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let (telemetry, assets) = (fleet().join("fleet"), fleet().join("fleet/assets.csv"));
    let pack = |name: &str| -> PathBuf {
        let path = folder.path().join(name);
        let arguments = [
            "hunt",
            telemetry.to_str().unwrap(),
            "--assets",
            assets.to_str().unwrap(),
            "--output",
            "json=/dev/null",
            "--evidence",
            path.to_str().unwrap(),
        ];
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        path
    };
    let (one, other) = (pack("one"), pack("other"));
    let sums = fs::read_to_string(one.join("SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 5);
    for line in sums.lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        let bytes = fs::read(one.join(name)).unwrap();
        assert_eq!(bytes, fs::read(other.join(name)).unwrap(), "{name} differs");
        assert_eq!(monologue_model::Sha256::of(&bytes).to_string(), hash, "{name}");
    }
    let manifest: Value = serde_json::from_str(&fs::read_to_string(one.join("manifest.json")).unwrap()).unwrap();
    for input in manifest["inputs"].as_array().unwrap() {
        let bytes = fs::read(input["source"].as_str().unwrap()).unwrap();
        assert_eq!(input["sha256"].as_str().unwrap(), monologue_model::Sha256::of(&bytes).to_string());
    }
    let again = run(folder.path(), &["hunt", telemetry.to_str().unwrap(), "--evidence", one.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "a pack is never written over");
}

#[test]
fn manual_pages_and_completions_know_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["generate", "man", "man"]);
    assert!(output.status.success(), "{}", text(&output));
    let page = fs::read_to_string(folder.path().join("man/monologue-hunt.1")).unwrap();
    assert!(page.contains("evidence"), "{page}");
    for shell in ["bash", "zsh", "fish"] {
        let output = run(folder.path(), &["generate", "completions", shell]);
        assert!(text(&output).contains("coverage"), "{shell}");
    }
}
