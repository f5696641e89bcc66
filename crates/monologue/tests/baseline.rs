//! Approvals from learning to drift, as a user would go: on a story of one Mac, in files and in a lake.
#![cfg(test)]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A signed agent that reports every ten minutes and never minds the answer, and an ad hoc signed one that does the same.
const STORY: &str = "
program agent = /Library/Relay/relayd, team R3L4Y00001 example.relay.daemon
program quiet = ~/Library/quiet/quietd, ad hoc
service relay = http://in.relay.example
service sink = http://in.sink.test
05:59:00 launchd starts agent as job example.relay.daemon
05:59:30 launchd starts quiet as job com.example.quiet
every 600 s from 06:00:00, 30 times, give or take 2 %
  +0 agent posts 300 to relay/v1: silence
every 600 s from 06:03:00, 30 times, give or take 2 %
  +0 quiet posts 300 to sink/v1: silence
";

fn monologue(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with the story recorded in `day`.
fn recorded(story: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("story.txt"), story).unwrap();
    let output = monologue(folder.path(), &["simulate", "day", "--story", "story.txt"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

/// What is said of each application, by name: level, and the whole finding.
fn said(folder: &Path, more: &[&str]) -> Vec<(String, String, Value)> {
    let mut arguments =
        vec!["hunt", "day", "--assets", "day/assets.csv", "--output", "json", "--minimum-level", "info"];
    arguments.extend_from_slice(more);
    let output = monologue(folder, &arguments);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", text(&output.stderr));
    let word = |finding: &Value, at: &str| finding.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|finding: Value| (word(&finding, "/application/name"), word(&finding, "/level"), finding))
        .collect()
}

fn of<'a>(said: &'a [(String, String, Value)], name: &str) -> (&'a str, &'a Value) {
    let found = said.iter().find(|(application, _, _)| application == name).unwrap();
    (&found.1, &found.2)
}

#[test]
fn what_is_learnt_is_approved_and_stays_in_the_evidence() {
    let folder = recorded(STORY);
    let before = said(folder.path(), &[]);
    assert_ne!(of(&before, "quietd").0, "info");
    let learn = ["baseline", "learn", "day", "--assets", "day/assets.csv", "--minimum-level", "info"];
    let learnt = monologue(folder.path(), &[&learn[..], &["--owner", "it-team", "--expires", "2099-01-01"]].concat());
    assert!(learnt.status.success(), "{}", text(&learnt.stderr));
    fs::write(folder.path().join("baseline.toml"), &learnt.stdout).unwrap();
    let toml = text(&learnt.stdout);
    assert!(
        toml.contains("signing_id = \"example.relay.daemon\"") && toml.contains("team_id = \"R3L4Y00001\""),
        "{toml}"
    );
    assert!(toml.contains("path = \"~/Library/quiet/quietd\""), "an ad hoc signature names nobody: {toml}");
    let after = said(folder.path(), &["--baseline", "baseline.toml"]);
    for name in ["relayd", "quietd"] {
        let (level, finding) = of(&after, name);
        assert_eq!(level, "info");
        assert_eq!(finding.pointer("/approval/owner").and_then(Value::as_str), Some("it-team"));
        assert_eq!(finding.pointer("/disposition"), of(&before, name).1.pointer("/disposition"), "the evidence stays");
        assert_eq!(finding.pointer("/score"), of(&before, name).1.pointer("/score"));
    }
    let quiet = monologue(folder.path(), &["hunt", "day", "--assets", "day/assets.csv", "--baseline", "baseline.toml"]);
    assert_eq!(quiet.status.code(), Some(0), "{}", text(&quiet.stdout));
    assert!(text(&quiet.stdout).contains("approved by the baseline"), "{}", text(&quiet.stdout));
}

#[test]
fn an_approved_application_that_goes_elsewhere_is_drift() {
    let folder = recorded(STORY);
    let approval = |service: &str, cadence: &str| {
        format!(
            "[[approval]]\nsigning_id = \"example.relay.daemon\"\nteam_id = \"R3L4Y00001\"\nservice = \"{service}\"\n{cadence}\
             owner = \"it\"\nreason = \"relay\"\nexpires = \"2099-01-01\"\n"
        )
    };
    let drift = |toml: String| {
        fs::write(folder.path().join("b.toml"), toml).unwrap();
        let said = said(folder.path(), &["--baseline", "b.toml"]);
        let (_, finding) = of(&said, "relayd");
        assert!(finding.pointer("/approval").is_some_and(Value::is_null));
        finding.pointer("/drift").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    assert_eq!(drift(approval("other.example", "")), "approved (by it) for other.example, and not for relay.example");
    let told = drift(approval("relay.example", "cadence_seconds = 3600\n"));
    assert!(told.starts_with("approved (by it) with a request every 60.0 min, and it keeps 10."), "{told}");
}

#[test]
fn a_changed_baseline_is_compared_on_a_lake_that_is_not_taken_in_again() {
    let folder = recorded(STORY);
    let ingest = monologue(
        folder.path(),
        &["ingest", "day/hosts", "day/network", "--lake", "lake", "--assets", "day/assets.csv"],
    );
    assert!(ingest.status.success(), "{}", text(&ingest.stderr));
    fs::write(
        folder.path().join("new.csv"),
        "signing_id,team_id,path,destination,owner,reason,expires\n,,~/Library/quiet/quietd,sink.test,it,menu,2099-01-01\n",
    )
    .unwrap();
    let diff = monologue(
        folder.path(),
        &["baseline", "diff", "--lake", "lake", "--baseline", "new.csv", "--minimum-level", "low"],
    );
    let printed = text(&diff.stdout);
    assert_eq!(diff.status.code(), Some(1), "{printed}{}", text(&diff.stderr));
    assert!(printed.starts_with("hides ") && printed.contains("quietd → in.sink.test"), "{printed}");
    assert!(printed.contains("1 hidden, 0 revealed"), "{printed}");
}

#[test]
fn approvals_that_lack_something_are_refused_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, content: &str, place: &str, what: &str| {
        fs::write(folder.path().join(name), content).unwrap();
        let output = monologue(folder.path(), &["baseline", "check", name]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(place) && told.contains(what) && told.contains("hint: "), "{told}");
    };
    let whole = "[[approval]]\nsigning_id = \"a.b\"\nservice = \"a.example\"\nowner = \"o\"\nreason = \"r\"\n";
    refused("a.toml", whole, "a.toml:1:", "with expires");
    refused("b.toml", &format!("# x\n\n{whole}expires = \"soon\"\n"), "b.toml:3:", "expected a date in expires");
    refused("c.toml", "[[approval]]\nsigningid = \"a\"\n", "c.toml:2:", "unknown field");
    refused("d.csv", "signing_id,service,owner,reason,expires\na,b.example,,r,2099-01-01\n", "d.csv:2:", "with owner");
    refused("e.csv", "service,owner,reason,expires\nb.example,o,r,2099-01-01\n", "e.csv:2:", "signing_id or path");
}

#[test]
fn a_check_names_what_should_not_stand() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |rest: &str| format!("[[approval]]\n{rest}owner = \"o\"\nreason = \"r\"\n");
    let content = [
        entry("signing_id = \"a.b\"\nteam_id = \"T\"\nservice = \"a.example\"\nexpires = \"2020-01-01\"\n"),
        entry("path = \"~/x\"\nservice = \"a.example\"\nexpires = \"2099-01-01\"\n"),
        entry("signing_id = \"com.apple.curl\"\nservice = \"a.example\"\nexpires = \"2099-01-01\"\n"),
    ]
    .concat();
    fs::write(folder.path().join("b.toml"), content).unwrap();
    let output = monologue(folder.path(), &["baseline", "check", "b.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    for line in [
        "b.toml:1: expired on 2020-01-01",
        "b.toml:8: unsigned",
        "b.toml:14: approves nothing",
        "3 approvals, 3 to look at",
    ] {
        assert!(printed.contains(line), "{line} in {printed}");
    }
}
