//! One case file: its telemetry and what it expects.

use monologue_model::Timestamp;
use std::path::{Path, PathBuf};

/// When raw telemetry of every case begins: 2026-03-02T06:00:00Z.
const START: i64 = 1_772_431_200;

/// The Mac of every story.
pub(crate) const MAC: &str = "anna-mac";

/// What one block expects of one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expectation {
    /// Sensors that are taken away first.
    pub(crate) without: Vec<String>,
    /// Keys and values, in the order of the file.
    pub(crate) pairs: Vec<(String, String)>,
    /// Bytes of the block's body in the file.
    pub(crate) place: std::ops::Range<usize>,
}

impl Expectation {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// A case file.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) story: Option<String>,
    /// Profiles of programs' code, one JSON object a line.
    pub(crate) code: String,
    pub(crate) expectations: Vec<Expectation>,
}

/// All case files, by name.
pub(crate) fn all() -> Vec<PathBuf> {
    let folder = std::env::var_os("MONOLOGUE_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"), PathBuf::from);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
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

pub(crate) fn parse(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut case = Case {
        name: name.clone(),
        path: path.to_owned(),
        text: text.clone(),
        files: Vec::new(),
        story: None,
        code: String::new(),
        expectations: Vec::new(),
    };
    assert!(text.starts_with("# "), "{name}: a case begins with its title");
    let mut at = 0;
    while let Some(found) = text[at..].find("\n```") {
        let info_at = at + found + 4;
        let body_at = info_at + text[info_at..].find('\n').unwrap() + 1;
        let close = text[body_at - 1..].find("\n```").unwrap_or_else(|| panic!("{name}: a block is not closed"));
        let end = body_at - 1 + close;
        let (info, body) = (text[info_at..body_at].trim(), text[body_at.min(end)..end].trim_end_matches('\n'));
        match info.split_once(' ').unwrap_or((info, "")) {
            ("telemetry", rest) => {
                let path = rest.split(' ').next().unwrap();
                case.files.push((path.to_owned(), expand(rest, body)));
            }
            ("story", _) => case.story = Some(body.to_owned()),
            ("code", _) => case.code = body.to_owned(),
            ("expect", rest) => case.expectations.push(expectation(&name, rest, body, body_at..end)),
            (other, _) => panic!("{name}: expected a block telemetry, story, code or expect, found {other:?}"),
        }
        at = end + 4;
    }
    assert!(!case.expectations.is_empty(), "{name} expects nothing");
    let first = case.expectations[0].clone();
    for expectation in &mut case.expectations {
        let named = expectation.get("destination").is_some() || expectation.get("application").is_some();
        if !named {
            let names = first.pairs.iter().filter(|(key, _)| key == "destination" || key == "application");
            expectation.pairs.splice(0..0, names.cloned().collect::<Vec<_>>());
        }
    }
    case
}

fn expectation(name: &str, info: &str, body: &str, place: std::ops::Range<usize>) -> Expectation {
    let without = match info.strip_prefix("without ") {
        Some(list) => list.split(',').map(|sensor| sensor.trim().to_owned()).collect(),
        None if info.is_empty() => Vec::new(),
        None => panic!("{name}: expected `expect` or `expect without SENSOR, SENSOR`, found {info:?}"),
    };
    let pairs = body.lines().map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{name}: {line}")));
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
    Expectation { without, pairs, place }
}
