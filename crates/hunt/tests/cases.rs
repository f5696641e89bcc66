//! The cases: readable files with telemetry and the finding it must give. They are documentation that is run.
//!
//! A case holds fenced blocks. ```` ```telemetry PATH ```` is a file; `repeat=N every=SECONDS` writes its lines that hold a
//! placeholder N times: `{n}` the number, `{time}` seconds since 1970, `{rfc3339}` the same moment in UTC, `{port}` a local
//! port. ```` ```expect ```` says what the channel must be called, one `key: value` a line.
#![cfg(test)]

use monologue_formats::{Input, Item};
use monologue_hunt::{Hunt, Options, SIGNALS};
use monologue_model::{Detail, Finding, Level, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// When every case begins: 2026-03-02T06:00:00Z.
const START: i64 = 1_772_431_200;

struct Case {
    name: String,
    files: Vec<(String, String)>,
    expectations: Vec<BTreeMap<String, String>>,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn number(info: &str, key: &str) -> Option<f64> {
    info.split(' ').find_map(|part| part.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
}

fn expand(info: &str, text: &str) -> String {
    let (count, every) = (number(info, "repeat").unwrap_or(1.0) as i64, number(info, "every").unwrap_or(60.0));
    let after = number(info, "after").unwrap_or(0.0);
    let mut expanded = String::new();
    let templates: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("{n}") || line.contains("{time}") || line.contains("{rfc3339}"))
        .collect();
    let mut written = false;
    for line in text.lines() {
        if !templates.contains(&line) {
            expanded.push_str(line);
            expanded.push('\n');
            continue;
        }
        if written {
            continue;
        }
        written = true;
        for n in 0..count {
            for (place, template) in templates.iter().enumerate() {
                // Lines of one repetition follow each other by a tenth of a second.
                let seconds = START as f64 + after + n as f64 * every + place as f64 * 0.1;
                let moment = Timestamp::parse_epoch_seconds(&format!("{seconds:.6}")).unwrap();
                let line = template
                    .replace("{n}", &n.to_string())
                    .replace("{port}", &(40_000 + n).to_string())
                    .replace("{time}", &format!("{seconds:.6}"))
                    .replace("{rfc3339}", &moment.to_string());
                expanded.push_str(&line);
                expanded.push('\n');
            }
        }
    }
    expanded
}

fn parse(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut case = Case { name: name.clone(), files: Vec::new(), expectations: Vec::new() };
    let mut rest = text.as_str();
    assert!(rest.starts_with("# "), "{name}: a case begins with its title");
    while let Some((_, after)) = rest.split_once("\n```") {
        let (info, body) = after.split_once('\n').unwrap();
        let (block, tail) = body.split_once("\n```").unwrap_or_else(|| panic!("{name}: a block is not closed"));
        if let Some(info) = info.strip_prefix("telemetry ") {
            let path = info.split(' ').next().unwrap();
            case.files.push((path.to_owned(), expand(info, block)));
        } else if info == "expect" {
            let pairs = block.lines().map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}")));
            case.expectations.push(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect());
        }
        rest = tail;
    }
    assert!(!case.expectations.is_empty(), "{name} expects nothing");
    case
}

fn hunt(case: &Case) -> Vec<Finding> {
    let mut hunt = Hunt::new(Options::default());
    for (path, text) in &case.files {
        let (format, input) = Input::from_bytes(path, text.as_bytes()).with_head(monologue_formats::detect).unwrap();
        let format = format.unwrap_or_else(|refusals| panic!("{}: {path} is refused: {refusals:?}", case.name));
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

fn check(case: &Case, expected: &BTreeMap<String, String>, findings: &[Finding]) -> Vec<String> {
    let mut wrong = Vec::new();
    let destination = &expected["destination"];
    let matching: Vec<&Finding> = findings
        .iter()
        .filter(|finding| *finding.destination.host == **destination)
        .filter(|finding| expected.get("application").is_none_or(|name| *finding.application.name == **name))
        .collect();
    let [finding] = matching.as_slice() else {
        let there: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} → {}", finding.application.name, finding.destination.host))
            .collect();
        return vec![format!("{}: expected one channel to {destination}, found {there:?}", case.name)];
    };
    let mut compare = |key: &str, found: String| {
        if let Some(value) = expected.get(key).filter(|value| **value != found) {
            wrong.push(format!("{}: expected {key} {value}, found {found} ({})", case.name, finding.sentence));
        }
    };
    compare("host", finding.host.to_string());
    compare("disposition", finding.disposition.to_string());
    compare("leaning", finding.leaning.map_or_else(|| "none".to_owned(), |leaning| leaning.to_string()));
    compare("level", finding.level.to_string());
    compare("agent", finding.application.agent.as_deref().unwrap_or("none").to_owned());
    for judgement in ["supports", "refutes", "blind", "silent"] {
        for id in expected.get(judgement).map_or("", String::as_str).split_whitespace() {
            let said =
                finding.signals.iter().find(|signal| signal.id == id).map_or("nothing", |signal| signal.judgement);
            if said != judgement {
                wrong.push(format!("{}: expected {id} {judgement}, found {said}", case.name));
            }
        }
    }
    wrong
}

#[test]
fn every_case_gives_the_finding_it_says() {
    let mut wrong = Vec::new();
    for path in cases() {
        let case = parse(&path);
        let findings = hunt(&case);
        for expected in &case.expectations {
            wrong.extend(check(&case, expected, &findings));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_signal_has_a_case() {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for path in cases() {
        for expected in parse(&path).expectations {
            for judgement in ["supports", "refutes", "blind", "silent"] {
                named.extend(
                    expected.get(judgement).into_iter().flat_map(|ids| ids.split_whitespace().map(str::to_owned)),
                );
            }
        }
    }
    let without: Vec<&str> = SIGNALS.iter().map(|signal| signal.id().0).filter(|id| !named.contains(*id)).collect();
    assert!(without.is_empty(), "signals without a case: {without:?}");
}
