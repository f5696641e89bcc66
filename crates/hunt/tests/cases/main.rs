//! The cases: readable files with telemetry and the finding it must give. They are documentation that is run.
//!
//! A case holds fenced blocks. ```` ```story ```` tells what happens on one Mac (see `monologue_simulate::story`); it is
//! recorded in native formats and read as any telemetry is. ```` ```telemetry PATH ```` is a file as it stands, with
//! `repeat=N every=SECONDS` for lines with placeholders. ```` ```expect ```` says what is found of one channel, one
//! `key: value` a line; ```` ```code ```` holds profiles of programs' code; ```` ```expect without endpoint, network ```` says what is left of it when sensors are taken away.
//!
//! `MONOLOGUE_CASES=DIR` takes the files from another folder, `MONOLOGUE_CASE=NAME` runs one and prints all that is found,
//! `MONOLOGUE_REWRITE=1` writes what was found into the blocks, to be reviewed as any other change.
#![cfg(test)]

mod case;

use case::{Case, Expectation, MAC};
use monologue_formats::{Input, Item};
use monologue_hunt::{CodeProfiles, Hunt, Options, SIGNALS};
use monologue_model::{Asset, Detail, Finding, Level};
use std::collections::{BTreeMap, BTreeSet};

fn files(case: &Case, without: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> =
        case.files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
    if let Some(story) = &case.story {
        let without: Vec<&str> = without.iter().map(String::as_str).collect();
        let told = monologue_simulate::story::record(MAC, story, &without)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        files.extend(told.into_iter().map(|file| (file.path, file.bytes)));
    } else {
        // Sensors of raw telemetry are taken away by the name of the file.
        files.retain(|(path, _)| !without.iter().any(|sensor| path.contains(sensor.as_str())));
    }
    files
}

/// The one line of the list of assets a story writes.
fn asset(bytes: &[u8]) -> Option<Asset> {
    let text = String::from_utf8_lossy(bytes);
    let mut columns = text.lines().nth(1)?.split(',');
    let (host, address) = (columns.next()?, columns.next()?.parse().ok());
    Some(Asset { host: host.into(), address, from: None, until: None })
}

fn hunt(case: &Case, without: &[String]) -> Vec<Finding> {
    let files = files(case, without);
    let assets = files.iter().filter(|(path, _)| path == "assets.csv").filter_map(|(_, bytes)| asset(bytes)).collect();
    let mut code = CodeProfiles::default();
    case.code.lines().for_each(|line| code.add(&serde_json::from_str(line).unwrap()));
    let mut hunt = Hunt::new(Options { assets, code, ..Options::default() });
    for (path, bytes) in files.iter().filter(|(path, _)| path != "assets.csv") {
        let (format, input) = Input::from_bytes(path, bytes).with_head(monologue_formats::detect).unwrap();
        let format = match format {
            Ok(format) => format,
            // A log without a row is nothing to be read.
            Err(_) if case.story.is_some() && bytes.iter().filter(|byte| **byte == b'\n').count() < 10 => continue,
            Err(refusals) => panic!("{}: {path} is refused: {refusals:?}", case.name),
        };
        let host = path.strip_prefix("hosts/").and_then(|rest| rest.split('/').next());
        for item in format.read(input) {
            let item = item.unwrap_or_else(|malformed| panic!("{}: {path}: {malformed}", case.name));
            if let Item::Event(mut event) | Item::Derived(mut event) = item {
                if let (Some(host), false) = (host, matches!(event.detail, Detail::Flow(_))) {
                    event.host = Some(host.into());
                }
                hunt.take(*event);
            }
        }
    }
    hunt.finish(Level::Info, &mut |_| {}).findings
}

/// What a destination is called in an expectation whose name the log masks or nobody recorded.
const HIDDEN: &str = "hidden";

fn is_hidden(finding: &Finding) -> bool {
    finding.destination.host.starts_with("masked:") || *finding.destination.host == *"unknown"
}

/// What was found under a key of an expectation. `None`: there is no such key.
fn found(key: &str, value: &str, finding: &Finding) -> Option<String> {
    Some(match key {
        "host" => finding.host.to_string(),
        "application" => finding.application.name.to_string(),
        "destination" if value == HIDDEN && is_hidden(finding) => HIDDEN.to_owned(),
        "destination" => finding.destination.host.to_string(),
        "disposition" => finding.disposition.to_string(),
        "leaning" => finding.leaning.map_or_else(|| "none".to_owned(), |leaning| leaning.to_string()),
        "level" => finding.level.to_string(),
        "agent" => finding.application.agent.as_deref().unwrap_or("none").to_owned(),
        "exchanges" => finding.exchanges.to_string(),
        "sentence" => finding.sentence.clone(),
        "missing" => finding.blind.first().map_or_else(|| "nothing".to_owned(), |spot| spot.sight.to_string()),
        "supports" | "refutes" | "blind" | "silent" => {
            let said = |id: &&str| finding.signals.iter().any(|signal| signal.id == *id && signal.judgement == key);
            value.split_whitespace().filter(said).collect::<Vec<_>>().join(" ")
        }
        _ => return None,
    })
}

/// The channels an expectation is about.
fn matching<'a>(expected: &Expectation, findings: &'a [Finding]) -> Vec<&'a Finding> {
    let is_it = |finding: &&Finding| {
        let is_named = |key: &str, name: &str| expected.get(key).is_none_or(|wanted| wanted == name);
        let is_there = expected.get("destination") == Some(HIDDEN) && is_hidden(finding);
        is_named("application", &finding.application.name)
            && (is_there || is_named("destination", &finding.destination.host))
    };
    findings.iter().filter(is_it).collect()
}

/// The keys that an expectation got wrong, with what was found.
fn differences(case: &Case, expected: &Expectation, findings: &[Finding]) -> Vec<(String, String, String)> {
    let there: Vec<&Finding> = matching(expected, findings);
    if let Some(wanted) = expected.get("channels") {
        let count = there.len().to_string();
        return if count == wanted { Vec::new() } else { vec![("channels".to_owned(), wanted.to_owned(), count)] };
    }
    let [finding] = there.as_slice() else {
        let names: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} → {}", finding.application.name, finding.destination.host))
            .collect();
        return vec![("channels".to_owned(), "1".to_owned(), format!("{} of {}", there.len(), names.join(", ")))];
    };
    let mut wrong = Vec::new();
    for (key, value) in &expected.pairs {
        let now = found(key, value, finding).unwrap_or_else(|| panic!("{}: no key is called {key}", case.name));
        if *value != now {
            wrong.push((key.clone(), value.clone(), now));
        }
    }
    wrong
}

fn describe(case: &Case, expected: &Expectation, findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    let twin =
        if expected.without.is_empty() { String::new() } else { format!(" without {}", expected.without.join(", ")) };
    for (key, wanted, now) in differences(case, expected, findings) {
        lines.push(format!("{}{twin}\n  {key}\n    - {wanted}\n    + {now}", case.name));
    }
    if let ([finding], false) = (matching(expected, findings).as_slice(), lines.is_empty()) {
        lines.push(format!("    ({})", finding.sentence));
    }
    lines.join("\n")
}

/// The file with what was found in place of what was expected.
fn rewritten(case: &Case, hunted: &BTreeMap<Vec<String>, Vec<Finding>>) -> String {
    let mut text = case.text.clone();
    for expected in case.expectations.iter().rev() {
        let findings = &hunted[&expected.without];
        let changed: BTreeMap<String, String> =
            differences(case, expected, findings).into_iter().map(|(key, _, now)| (key, now)).collect();
        let body: Vec<String> = text[expected.place.clone()]
            .lines()
            .map(|line| match line.split_once(": ") {
                Some((key, _)) if changed.contains_key(key) => format!("{key}: {}", changed[key]),
                _ => line.to_owned(),
            })
            .collect();
        text.replace_range(expected.place.clone(), &body.join("\n"));
    }
    text
}

fn print_all(case: &Case, without: &[String], findings: &[Finding]) {
    println!("== {} without {without:?}", case.name);
    for finding in findings {
        println!(
            "{} → {} [{}, leaning {:?}, {}]\n  {}",
            finding.application.name,
            finding.destination.host,
            finding.disposition,
            finding.leaning,
            finding.level,
            finding.sentence
        );
        for signal in &finding.signals {
            println!("    {} {} {:+.0} {}", signal.id, signal.judgement, signal.weight, signal.why);
        }
        for spot in &finding.blind {
            println!("    missing {} {}/{}", spot.sight, spot.seen, spot.of);
        }
    }
}

#[test]
fn every_case_gives_the_finding_it_says() {
    let only = std::env::var("MONOLOGUE_CASE").ok();
    let rewrite = std::env::var_os("MONOLOGUE_REWRITE").is_some();
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for path in case::all() {
        let case = case::parse(&path);
        if only.as_ref().is_some_and(|only| *only != case.name) {
            continue;
        }
        let mut hunted: BTreeMap<Vec<String>, Vec<Finding>> = BTreeMap::new();
        for expected in &case.expectations {
            let findings = hunted.entry(expected.without.clone()).or_insert_with(|| hunt(&case, &expected.without));
            checked += 1;
            let described = describe(&case, expected, findings);
            if !described.is_empty() {
                wrong.push(described);
            }
        }
        if only.is_some() {
            hunted.iter().for_each(|(without, findings)| print_all(&case, without, findings));
        }
        if rewrite {
            std::fs::write(&case.path, rewritten(&case, &hunted)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} expectations differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_signal_has_a_case() {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for path in case::all() {
        for expected in case::parse(&path).expectations {
            for judgement in ["supports", "refutes", "blind", "silent"] {
                named.extend(expected.get(judgement).unwrap_or("").split_whitespace().map(str::to_owned));
            }
        }
    }
    let without: Vec<&str> = SIGNALS.iter().map(|signal| signal.id().0).filter(|id| !named.contains(*id)).collect();
    assert!(without.is_empty(), "signals without a case: {without:?}");
}

/// A definite answer that does not say what is left of it with a sensor gone is half a case.
#[test]
fn every_definite_story_has_its_blind_twins() {
    let mut without_twin = Vec::new();
    for path in case::all() {
        let case = case::parse(&path);
        let is_definite = |expected: &&Expectation| {
            expected.without.is_empty() && expected.get("disposition").is_some_and(|value| value != "unknown")
        };
        let has_twin = case.expectations.iter().any(|expected| !expected.without.is_empty());
        if case.story.is_some() && case.expectations.iter().any(|expected| is_definite(&expected)) && !has_twin {
            without_twin.push(case.name);
        }
    }
    assert!(without_twin.is_empty(), "definite stories without a twin: {without_twin:?}");
}
