//! The commands of the guide and of the README, as they stand there: each page's in one new folder, in their order.
//!
//! `console` blocks show commands with their exit codes and make their own telemetry. `sh` blocks are run on telemetry that is
//! laid out here under the names they use. What needs a Mac, a server or a compiler is held to its syntax.
#![cfg(test)]
#![cfg(unix)]

#[path = "attack/small.rs"]
mod small;

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// Programs that other machines have: their commands are checked by a shell and by nobody else.
const ELSEWHERE: [&str; 3] = ["sudo", "log", "cargo"];

/// Pages without a command, which say what can be said without one.
const WITHOUT_COMMANDS: [&str; 0] = [];

/// A command, and how it is shown to end. `None`: nothing is shown, so 0, or 1 where a hunt or a review may find something.
struct Shown {
    command: String,
    code: Option<i32>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The blocks of a page with their language, without the indent of a list they may stand in.
fn blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, usize, String)> = None;
    for line in markdown.lines() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), indent, String::new())),
            (Some(_), Some("")) => blocks.extend(open.take().map(|(language, _, text)| (language, text))),
            (Some((_, indent, text)), _) => {
                text.push_str(line.get(*indent..).unwrap_or(line));
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The text of the only block of a language on a page.
fn only_block(page: &str, language: &str) -> String {
    let of: Vec<String> =
        blocks(page).into_iter().filter(|(there, _)| there == language).map(|(_, text)| text).collect();
    assert!(!of.is_empty(), "expected a block {language}");
    of.into_iter().next().unwrap()
}

/// The commands of a page.
fn commands(markdown: &str) -> Vec<Shown> {
    let mut commands = Vec::new();
    for (language, text) in blocks(markdown) {
        match language.as_str() {
            "console" => commands.extend(text.lines().filter_map(|line| line.strip_prefix("$ ")).map(|command| {
                let (command, code) = command.rsplit_once("# exits ").unwrap_or((command, "0"));
                Shown { command: command.trim().to_owned(), code: Some(code.trim().parse().unwrap()) }
            })),
            "sh" => commands.extend(shell_commands(&text).into_iter().map(|command| Shown { command, code: None })),
            _ => {}
        }
    }
    commands
}

/// The commands of a block: a line each, unless it ends with a backslash or within quotes.
fn shell_commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut command = String::new();
    for line in text.lines() {
        command.push_str(line);
        let quoted = command.matches('\'').count() % 2 == 1;
        if quoted || line.ends_with('\\') {
            command.push('\n');
        } else if !command.trim().is_empty() {
            commands.push(std::mem::take(&mut command));
        }
    }
    assert!(command.is_empty(), "a command does not end: {command}");
    commands
}

/// The program a command starts, after the variables it sets.
fn program(command: &str) -> &str {
    command.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default()
}

/// Runs a command with this program first in `PATH`, and with no data of another library.
fn shell(folder: &Path, options: &[&str], command: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_monologue")).parent().unwrap().to_owned();
    let path = env::join_paths([program].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap()))).unwrap();
    Command::new("sh")
        .args(options)
        .args(["-c", command])
        .env("PATH", path)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .current_dir(folder)
        .output()
        .unwrap()
}

fn must(folder: &Path, command: &str) {
    let output = shell(folder, &[], command);
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Six hours of the small fleet, made once for all pages.
fn fleet() -> &'static Path {
    static FLEET: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FLEET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        must(folder.path(), "monologue simulate telemetry --hours 6");
        folder
    });
    folder.path()
}

/// Lays out what the `sh` blocks of a page name. What the page itself shows (a baseline, a mapping, a story) is taken from it.
fn lay_out(page: &str, text: &str, folder: &Path) {
    let write = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
    let telemetry = fleet().join("telemetry");
    let link = |from: &str, name: &str| symlink(telemetry.join(from), folder.join(name)).unwrap();
    let samples = root().join("crates/formats/samples");
    match page {
        "attack" => {
            link("", "telemetry");
            write("older.json", &small::bundle("18.0"));
            must(folder, "monologue attack import older.json");
            write("enterprise-attack.json", &small::bundle("18.1"));
        }
        "baselines" => {
            for name in ["telemetry", "june"] {
                link("", name);
            }
            let baseline = only_block(text, "toml");
            for name in ["baseline.toml", "approvals.toml"] {
                write(name, &baseline);
            }
            write("changed.toml", &baseline.replace("vendor.example", "another.example"));
            must(folder, "monologue ingest telemetry/ --lake lake --assets telemetry/assets.csv");
            write(
                "rules.json",
                r#"{"a": [{"path": "/Applications/A.app", "action": 1, "endpointAddr": "a.example", "csInfo": {"signatureIdentifier": "com.example.a"}}]}"#,
            );
        }
        "collecting" => {
            symlink(samples.join("unified-log-archive/lantern.logarchive"), folder.join("week.logarchive")).unwrap();
            link("hosts", "endpoint");
            link("network", "zeek");
            link("assets.csv", "leases.csv");
        }
        "fleet" => {
            fs::create_dir(folder.join("export")).unwrap();
            fs::copy(samples.join("elastic-defend/events.ndjson"), folder.join("export/edr.ndjson")).unwrap();
            fs::copy(samples.join("squid/access.log"), folder.join("export/proxy.log")).unwrap();
            write("leases.csv", &only_block(text, "csv"));
        }
        "lake" => {
            link("", "telemetry");
            link("assets.csv", "leases.csv");
        }
        "mappings" => {
            write("acme.toml", &only_block(text, "toml"));
            let line = "logged=\"2026-11-24 08:00:01\" acme_id=7 type=web took=120 src=10.0.0.5 url=https://api.example/a code=200 out=512\n";
            write("acme.log", line);
            fs::create_dir(folder.join("logs")).unwrap();
            write("logs/acme.log", line);
        }
        "README" | "sending" => link("", "telemetry"),
        "stories" => write("story.txt", &only_block(text, "text")),
        _ => {}
    }
}

/// Why a command of this program cannot be run here. It is still held to its options.
fn cannot_run(command: &str) -> bool {
    // It needs a receiver.
    command.contains("monologue send")
}

/// Whether nothing is wrong when it ends with 1: it found something.
fn may_find(command: &str) -> bool {
    ["monologue hunt", "monologue review", "monologue baseline check", "monologue baseline diff"]
        .iter()
        .any(|start| command.contains(start))
}

fn check(page: &str, shown: &Shown, folder: &Path) {
    let command = &shown.command;
    let said = |output: &Output| format!("{page}: {command}\n{}", String::from_utf8_lossy(&output.stderr));
    if program(command) != "monologue" && shown.code.is_none() {
        assert!(ELSEWHERE.contains(&program(command)), "{page}: expected a command that can be checked: {command}");
        let output = shell(folder, &["-n"], command);
        assert!(output.status.success(), "{}", said(&output));
        return;
    }
    if cannot_run(command) {
        if cfg!(feature = "send") {
            let output = shell(folder, &[], &format!("{command} --help"));
            assert!(output.status.success(), "{}", said(&output));
        }
        return;
    }
    let output = shell(folder, &[], command);
    let code = output.status.code().unwrap();
    match shown.code {
        Some(expected) => assert_eq!(code, expected, "{}", said(&output)),
        None => assert!(code == 0 || code == 1 && may_find(command), "ended with {code}\n{}", said(&output)),
    }
}

fn check_page(page: &str, path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let commands = commands(&text);
    assert_eq!(commands.is_empty(), WITHOUT_COMMANDS.contains(&page), "{page}: {} commands", commands.len());
    let folder = tempfile::tempdir().unwrap();
    lay_out(page, &text, folder.path());
    for shown in &commands {
        // The README's commands of cargo are run by `cargo xtask readme`.
        if shown.code.is_none() || program(&shown.command) != "cargo" {
            check(page, shown, folder.path());
        }
    }
}

/// A test for each page, so that they run beside each other; and one that none is missing.
macro_rules! pages {
    ($($name:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(#[test]
        fn $name() {
            let path = root().join("docs/guide").join($page).with_extension("md");
            assert!(path.is_file(), "{}", path.display());
            check_page($page, &path);
        })*
    };
}

pages! {
    what_the_page_on_attack_shows_works: "attack",
    what_the_page_on_baselines_shows_works: "baselines",
    what_the_page_on_collecting_shows_works: "collecting",
    what_the_page_on_coverage_shows_works: "coverage",
    what_the_page_on_findings_shows_works: "findings",
    what_the_page_on_a_first_hunt_shows_works: "first-hunt",
    what_the_page_on_fleets_shows_works: "fleet",
    what_the_page_on_the_lake_shows_works: "lake",
    what_the_page_on_mappings_shows_works: "mappings",
    what_the_page_on_sending_shows_works: "sending",
    what_the_page_on_stories_shows_works: "stories",
}

#[test]
fn every_page_of_the_guide_is_checked() {
    let there: BTreeSet<String> = fs::read_dir(root().join("docs/guide"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let checked: BTreeSet<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    assert_eq!(there, checked);
}

#[test]
fn what_the_readme_shows_works() {
    let path = root().join("README.md");
    assert!(path.is_file());
    check_page("README", &path);
}

#[test]
fn commands_are_told_from_their_output_and_end_where_a_shell_ends_them() {
    let page = "$ no\n```console\n$ a b  # exits 3\noutput\n$ c\n```\n1. x\n   ```sh\n   d 'e\n   f' \\\n     g\n\n   h=1 i\n   ```\n```text\n$ no\n```\n";
    let told: Vec<(String, Option<i32>)> =
        commands(page).into_iter().map(|shown| (shown.command, shown.code)).collect();
    let of = |command: &str, code| (command.to_owned(), code);
    assert_eq!(told, [of("a b", Some(3)), of("c", Some(0)), of("d 'e\nf' \\\n  g", None), of("h=1 i", None)]);
    assert_eq!(program("h=1 i"), "i");
}
