//! `monologue review`, `monologue settings` and LuLu's rules, as a user runs them.
#![cfg(test)]

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// A team's program, a script and macOS's own `curl` on one Mac.
const STORY: &str = "program pusher = /Applications/Pusher.app/Contents/MacOS/Pusher, team ABCDE12345 com.example.pusher\n\
program helper = /Library/Helper/helper, ad hoc\n\
service hook = https://hooks.slack.com\n\
service paste = https://pastebin.com\n\
service own = https://api.pusher.test\n\
05:50:00 launchd starts pusher as job com.example.pusher\n\
05:50:00 launchd starts helper as job com.example.helper\n\
06:00:00 pusher posts 900 to hook/in: 200 with 2\n\
06:05:00 pusher asks own/state: 200 with 800\n\
06:10:00 helper asks paste/raw: 200 with 400\n";

fn monologue(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).current_dir(folder).output().unwrap()
}

fn told(folder: &Path) {
    fs::write(folder.join("story.txt"), STORY).unwrap();
    assert!(monologue(&["simulate", "mac", "--story", "story.txt"], folder).status.success());
}

fn review(form: &str, folder: &Path) -> String {
    let output =
        monologue(&["review", "mac/hosts", "mac/network", "--assets", "mac/assets.csv", "--form", form], folder);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn whoever_talks_to_public_services_is_listed_until_somebody_approves_it() {
    let folder = tempfile::tempdir().unwrap();
    told(folder.path());
    let lines: Vec<Value> =
        review("json", folder.path()).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let applications: Vec<&str> = lines.iter().map(|line| line["application"].as_str().unwrap()).collect();
    assert_eq!(applications, ["helper", "Pusher"], "the one that nobody signed comes first");
    assert_eq!(lines[0]["kind"], "paste");
    assert_eq!((&lines[1]["kind"], &lines[1]["names"]), (&"chat".into(), &serde_json::json!(["hooks.slack.com"])));
    assert!(review("text", folder.path()).contains("ask: what does Pusher use"));

    let approval = "[[approval]]\nsigning_id = \"com.example.pusher\"\nteam_id = \"ABCDE12345\"\nservice = \"slack.com\"\n\
                    owner = \"desk\"\nreason = \"posts builds\"\nexpires = \"2099-01-01\"\n";
    fs::write(folder.path().join("approved.toml"), approval).unwrap();
    let output = monologue(
        &[
            "review",
            "mac/hosts",
            "mac/network",
            "--assets",
            "mac/assets.csv",
            "--form",
            "json",
            "--baseline",
            "approved.toml",
        ],
        folder.path(),
    );
    let left = String::from_utf8(output.stdout).unwrap();
    assert!(left.contains("\"helper\"") && !left.contains("Pusher"), "{left}");
}

#[test]
fn every_export_reads_back_as_what_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    told(folder.path());
    let group: Value = serde_json::from_str(&review("little-snitch", folder.path())).unwrap();
    let rules = group["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert!(rules.iter().all(|rule| rule["action"] == "deny" && rule["process"].as_str().unwrap().starts_with('/')));
    assert_eq!(rules[0]["remote-hosts"], serde_json::json!(["pastebin.com"]));

    let santa: Value = serde_json::from_str(&review("santa", folder.path())).unwrap();
    let rules = santa["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1, "only a team's signature can be named");
    assert_eq!(rules[0]["identifier"], "ABCDE12345:com.example.pusher");
    assert_eq!((&rules[0]["rule_type"], &rules[0]["policy"]), (&"SIGNINGID".into(), &"BLOCKLIST".into()));

    let list = review("squid", folder.path());
    let names: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(names, ["hooks.slack.com", "pastebin.com"]);

    // LuLu's rules are read back by the import: what blocks is no proposal.
    fs::write(folder.path().join("rules.json"), review("lulu", folder.path())).unwrap();
    let output = monologue(
        &["baseline", "import-lulu", "rules.json", "--owner", "desk", "--expires", "2027-06-30"],
        folder.path(),
    );
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("0 proposals"), "they block");
    assert!(String::from_utf8_lossy(&output.stderr).contains("2 that block"));
}

#[test]
fn rules_of_lulu_that_allow_one_destination_become_proposals() {
    let folder = tempfile::tempdir().unwrap();
    let rules = serde_json::json!({
        "com.example.pusher": [
            {"path": "/Applications/Pusher.app/Contents/MacOS/Pusher", "name": "Pusher", "endpointAddr": "hooks.slack.com",
             "endpointPort": "443", "action": 1, "csInfo": {"signatureIdentifier": "com.example.pusher"}},
            {"path": "/Applications/Pusher.app/Contents/MacOS/Pusher", "name": "Pusher", "endpointAddr": "*",
             "endpointPort": "*", "action": 1},
            {"path": "/Applications/Pusher.app/Contents/MacOS/Pusher", "name": "Pusher", "endpointAddr": ".*\\.test",
             "isEndpointAddrRegex": 1, "endpointPort": "*", "action": 1},
        ],
        "/opt/tool": [
            {"path": "/opt/tool", "name": "tool", "endpointAddr": "a\"b.test", "endpointPort": "*", "action": "1"},
            {"path": "/opt/tool", "name": "tool", "endpointAddr": "c.test", "endpointPort": "*", "action": 0},
            {"name": "odd"},
        ],
    });
    fs::write(folder.path().join("rules.json"), rules.to_string()).unwrap();
    let arguments = ["baseline", "import-lulu", "rules.json", "--owner", "desk", "--expires", "2027-06-30"];
    let output = monologue(&arguments, folder.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("2 proposals; left out: 2 rules") && said.contains("1 that block, 1 without"), "{said}");
    fs::write(folder.path().join("proposed.toml"), &output.stdout).unwrap();
    let listed = monologue(&["baseline", "list", "proposed.toml"], folder.path());
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("com.example.pusher → hooks.slack.com"), "{listed}");
    assert!(listed.contains("/opt/tool → a\"b.test"), "{listed}");

    fs::write(folder.path().join("bad.json"), "[1,2").unwrap();
    let output =
        monologue(&["baseline", "import-lulu", "bad.json", "--owner", "x", "--expires", "2027-06-30"], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint:"));
}

#[test]
fn settings_are_shown_with_the_line_that_set_them_and_change_what_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    told(folder.path());
    fs::write(
        folder.path().join("s.toml"),
        "[mutable]\nDestinationDomain = [\"pusher.test\"]\nTargetService = [\"tester\"]\n",
    )
    .unwrap();
    let shown = monologue(&["settings", "show", "--settings", "s.toml"], folder.path());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("DestinationDomain = [\"pusher.test\"]  # s.toml:2: "), "{shown}");
    assert!(shown.contains("\nEntropyScore = 4.25  # shipped: "), "{shown}");
    let output = monologue(
        &["review", "mac/hosts", "mac/network", "--assets", "mac/assets.csv", "--form", "json", "--settings", "s.toml"],
        folder.path(),
    );
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(found.contains("api.pusher.test") && !found.contains("pastebin"), "{found}");
    fs::write(folder.path().join("bad.toml"), "[mutable]\n\nEntropy = 3\n").unwrap();
    let output = monologue(&["hunt", "mac", "--settings", "bad.toml"], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("bad.toml: line 3: unknown field"));
}

#[test]
fn why_nothing_reads_an_input_is_a_list_for_one_and_a_line_for_each_of_many() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.bin", "b.bin"] {
        fs::write(folder.path().join(name), [0x7f, b'E', b'L', b'F', 0, 1, 2, 3]).unwrap();
    }
    let alone = String::from_utf8(monologue(&["hunt", "a.bin"], folder.path()).stderr).unwrap();
    assert!(alone.starts_with("not read: a.bin: no format reads it\n  "), "{alone}");
    assert!(alone.contains("\n  apple-capture, packet-capture: expected the magic number"), "{alone}");
    let both = String::from_utf8(monologue(&["hunt", "a.bin", "b.bin"], folder.path()).stderr).unwrap();
    let lines: Vec<&str> = both.lines().filter(|line| line.starts_with("not read: ")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.len() < 120), "{both}");
}
