//! The simulator's truth against the whole line: dispositions, levels, blind twins. They share no code.
#![cfg(test)]

use serde_json::Value;
use std::{path::PathBuf, process::Command};

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

struct Hunted {
    truth: Vec<Value>,
    findings: Vec<Value>,
}

fn hunt(seed: u64) -> Hunted {
    let folder: PathBuf = std::env::temp_dir().join(format!("monologue-truth-{}-{seed}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let shown = folder.to_str().unwrap();
    let (code, _) = run(&["simulate", shown, "--seed", &seed.to_string()]);
    assert_eq!(code, Some(0));
    let assets = folder.join("assets.csv");
    let (code, findings) =
        run(&["hunt", shown, "--assets", assets.to_str().unwrap(), "--output", "json", "--minimum-level", "info"]);
    assert_eq!(code, Some(1), "there is something to be found");
    let truth = std::fs::read_to_string(folder.join("truth.ndjson")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let parse = |lines: &str| lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Hunted { truth: parse(&truth), findings: parse(&findings) }
}

impl Hunted {
    /// The findings of the channel a truth line speaks of: its host, service, and application where it is attributed.
    fn of(&self, truth: &Value) -> Vec<&Value> {
        self.findings
            .iter()
            .filter(|finding| {
                let destination = text(truth, "/destination");
                text(finding, "/host") == text(truth, "/host")
                    && (text(finding, "/destination/host") == destination
                        || text(finding, "/destination/service") == text(truth, "/service")
                        || finding
                            .pointer("/destination/hosts")
                            .and_then(Value::as_array)
                            .is_some_and(|hosts| hosts.iter().any(|host| host == destination)))
            })
            .collect()
    }
}

fn at_least_medium(finding: &Value) -> bool {
    matches!(text(finding, "/level"), "medium" | "high" | "critical")
}

fn check(seed: u64) {
    let hunted = hunt(seed);
    let mut problems = Vec::new();
    let mut malicious = 0;
    for truth in &hunted.truth {
        if truth.pointer("/malicious").and_then(Value::as_bool) != Some(true) {
            continue;
        }
        malicious += 1;
        let name = text(truth, "/scenario");
        let expected = text(truth, "/disposition");
        let twin = truth.pointer("/blind_twin_of").is_some_and(|twin| !twin.is_null());
        let findings = hunted.of(truth);
        if twin {
            // Of a twin nothing definite may be said, however its records are attributed.
            for finding in findings.iter().filter(|finding| text(finding, "/disposition") != "unknown") {
                problems.push(format!("{name}: twin is called {}", text(finding, "/disposition")));
            }
            continue;
        }
        let right = findings.iter().find(|finding| text(finding, "/disposition") == expected);
        match right {
            None => problems.push(format!(
                "{name}: expected {expected}, found {:?}",
                findings.iter().map(|finding| text(finding, "/sentence")).collect::<Vec<_>>()
            )),
            Some(finding) if expected == "two-way" => {
                if at_least_medium(finding) {
                    problems.push(format!("{name}: a two-way channel is called {}", text(finding, "/level")));
                }
            }
            Some(finding) if !at_least_medium(finding) => {
                problems.push(format!("{name}: only {}: {}", text(finding, "/level"), text(finding, "/sentence")));
            }
            Some(_) => {}
        }
    }
    assert!(malicious >= 14, "only {malicious} malicious channels are in the truth");
    let bad: Vec<(&str, &str)> = hunted
        .truth
        .iter()
        .filter(|truth| truth.pointer("/malicious").and_then(Value::as_bool) == Some(true))
        .map(|truth| (text(truth, "/host"), text(truth, "/service")))
        .collect();
    for finding in hunted.findings.iter().filter(|finding| at_least_medium(finding)) {
        let known = bad.iter().any(|(host, service)| {
            text(finding, "/host") == *host && text(finding, "/destination/service") == *service
        });
        if !known {
            problems.push(format!("benign at {}: {}", text(finding, "/level"), text(finding, "/sentence")));
        }
    }
    assert!(problems.is_empty(), "seed {seed}:\n{}", problems.join("\n"));
}

#[test]
fn truth_of_the_seed_the_demo_uses() {
    check(1);
}

#[test]
fn truth_of_other_seeds() {
    for seed in [2, 3, 4] {
        check(seed);
    }
}
