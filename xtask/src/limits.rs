//! Rules that no compiler checks: sizes, names, assertions, samples, machine paths, words.

use crate::{commands, masking::mask, tests_that_assert, words};
use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

/// Longest source file, in lines.
const LINES: usize = 600;

/// Largest sample, in bytes.
const SAMPLE_BYTES: usize = 64 * 1024;

/// The only registry a lock file may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "common", "helper", "helpers", "misc"];

/// Checks every file that git tracks or would track.
///
/// # Errors
/// When a rule is broken; each breach is printed.
pub(crate) fn check(root: &Path) -> Result<()> {
    let listed = commands::output(root, "git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let paths: BTreeSet<&str> = listed.split('\0').filter(|path| root.join(path).is_file()).collect();
    let mut problems = Vec::new();
    for path in &paths {
        let bytes = std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        problems.extend(in_file(path, &bytes, &paths).into_iter().map(|problem| format!("{path}{problem}")));
    }
    problems.iter().for_each(|problem| println!("{problem}"));
    if !problems.is_empty() {
        bail!("{} breaches in {} files looked at", problems.len(), paths.len());
    }
    println!("limits: {} files keep them", paths.len());
    Ok(())
}

/// The breaches of one file: `: problem`, or `:line: problem`.
fn in_file(path: &str, bytes: &[u8], paths: &BTreeSet<&str>) -> Vec<String> {
    let mut problems: Vec<String> = in_name(path).into_iter().chain(in_sample(path, bytes.len(), paths)).collect();
    let Ok(text) = std::str::from_utf8(bytes) else { return problems };
    problems.extend(machine_paths(text).map(|line| format!(":{line}: expected no path of one machine")));
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("rs") => problems.extend(in_source(text)),
        Some("md") => {
            problems.extend(words::in_markdown(text).into_iter().map(|(line, problem)| format!(":{line}: {problem}")));
        }
        Some("lock") => problems.extend(in_lock_file(text)),
        _ => {}
    }
    problems
}

fn in_name(path: &str) -> Option<String> {
    let names = Path::new(path).components().filter_map(|component| match component {
        Component::Normal(name) => Path::new(name).file_stem()?.to_str(),
        _ => None,
    });
    let empty = names.into_iter().find(|name| EMPTY_NAMES.contains(&name.to_ascii_lowercase().as_str()))?;
    Some(format!(": expected a name that says what is inside, found \"{empty}\""))
}

/// Samples are small, and an `ORIGIN` beside each says where its content comes from.
fn in_sample(path: &str, length: usize, paths: &BTreeSet<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    if !path.split('/').rev().skip(1).any(|folder| folder == "samples") {
        return problems;
    }
    if length > SAMPLE_BYTES {
        problems.push(format!(": expected a sample of at most {SAMPLE_BYTES} bytes, found {length}"));
    }
    // A sample may be a folder of files: then one above them speaks for all.
    let folders = std::iter::successors(path.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
    let mut within = folders.map(|(folder, _)| folder).take_while(|folder| !folder.ends_with("/samples"));
    if !within.any(|folder| paths.contains(format!("{folder}/ORIGIN").as_str())) {
        problems.push(": expected a file ORIGIN beside the sample".to_owned());
    }
    problems
}

fn in_source(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        problems.push(format!(": expected at most {LINES} lines, found {lines}"));
    }
    if !text.starts_with("//! ") {
        problems.push(":1: expected a `//!` line that says what the module is for".to_owned());
    }
    let masked = mask(text);
    for (number, line) in (1..).zip(masked.lines()) {
        let line: String = line.split_whitespace().collect();
        if line.contains("#[allow(") || line.contains("#![allow(") {
            problems.push(format!(":{number}: expected `#[expect(lint, reason = \"…\")]`, found `allow`"));
        }
    }
    let tests = tests_that_assert::without_assertion(text).into_iter();
    problems.extend(tests.map(|(line, name)| format!(":{line}: expected an assertion in the test {name}")));
    let words = words::in_documentation_comments(text).into_iter();
    problems.extend(words.map(|(line, problem)| format!(":{line}: {problem}")));
    problems
}

fn in_lock_file(text: &str) -> Vec<String> {
    (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some((number, line.strip_prefix("source = \"")?.trim_end_matches('"'))))
        .filter(|(_, source)| *source != REGISTRY)
        .map(|(number, source)| format!(":{number}: expected the registry crates.io, found {source}"))
        .collect()
}

/// Lines that hold an absolute path of a build machine.
fn machine_paths(text: &str) -> impl Iterator<Item = usize> {
    // Put together here, so that this file does not hold them.
    let needles = ["work", "root"].map(|folder| format!("/{folder}/"));
    (1..)
        .zip(text.lines())
        .filter(move |(_, line)| needles.iter().any(|needle| holds_path(line, needle)))
        .map(|(number, _)| number)
}

/// Whether `needle` begins a path in `line`, rather than standing in the middle of one.
fn holds_path(line: &str, needle: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || "._-~*}>".contains(character);
    line.match_indices(needle).any(|(at, _)| !line.get(..at).unwrap_or_default().ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str, paths: &[&str]) -> Vec<String> {
        in_file(path, text.as_bytes(), &paths.iter().copied().collect())
    }

    #[test]
    fn a_clean_source_has_no_breach() {
        let source = "//! Purpose.\n\n#[test]\nfn sums() {\n    assert_eq!(1 + 1, 2); // no #[allow(dead_code)]\n}\n";
        assert_eq!(breaches("crates/x/src/sums.rs", source, &[]), Vec::<String>::new());
    }

    #[test]
    fn each_rule_for_sources_is_checked() {
        let long = format!("//! Purpose.\n{}", "// line\n".repeat(LINES));
        assert!(breaches("a.rs", &long, &[])[0].contains("found 601"));
        assert!(breaches("a.rs", &"//! Purpose.\n".repeat(LINES), &[]).is_empty());
        assert!(breaches("a.rs", "fn main() {}\n", &[])[0].starts_with(":1: expected a `//!`"));
        assert!(breaches("a.rs", "//! P.\n# [ allow (dead_code)]\nfn f() {}\n", &[])[0].starts_with(":2: "));
        assert!(breaches("a.rs", "//! P.\n#[test]\nfn idle() {}\n", &[])[0].contains("test idle"));
        assert!(breaches("a.rs", "//! A whitelist.\n", &[])[0].starts_with(":1: "));
    }

    #[test]
    fn names_that_say_nothing_are_refused_as_file_and_as_folder() {
        assert_eq!(breaches("crates/x/src/utils.rs", "//! P.\n", &[]).len(), 1);
        assert_eq!(breaches("crates/x/tests/common/mod.rs", "//! P.\n", &[]).len(), 1);
        assert!(breaches("crates/x/src/commonest.rs", "//! P.\n", &[]).is_empty());
    }

    #[test]
    fn samples_are_small_and_have_an_origin() {
        let origin = "crates/formats/samples/zeek/ORIGIN";
        let sample = "crates/formats/samples/zeek/conn.log";
        assert!(breaches(sample, "x", &[origin, sample]).is_empty());
        assert!(breaches(sample, "x", &[sample])[0].contains("ORIGIN"));
        let part = "crates/formats/samples/zeek/folder/deep/part";
        assert!(breaches(part, "x", &[origin, part]).is_empty());
        assert!(breaches(part, "x", &["crates/formats/samples/ORIGIN", part])[0].contains("ORIGIN"));
        assert!(breaches(sample, &"x".repeat(SAMPLE_BYTES + 1), &[origin])[0].contains("at most 65536"));
        assert!(breaches("docs/samples.md", "x", &[]).is_empty());
    }

    #[test]
    fn machine_paths_are_found_and_paths_of_others_are_not() {
        let path = ["", "work", "x"].join("/");
        assert_eq!(breaches("README.md", &format!("fine\nin {path}\n"), &[]).len(), 1);
        assert!(breaches("README.md", &format!("~{path} and C:/home{path}\n"), &[]).is_empty());
    }

    #[test]
    fn lock_files_name_one_registry() {
        let own = "source = \"registry+https://mirror.example/index\"\n";
        assert_eq!(breaches("Cargo.lock", own, &[]).len(), 1);
        assert!(breaches("Cargo.lock", &format!("source = \"{REGISTRY}\"\n"), &[]).is_empty());
    }
}
