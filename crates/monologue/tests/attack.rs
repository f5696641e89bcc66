//! `monologue attack …` as a user meets it, on made-up bundles.
#![cfg(test)]

#[path = "../../attack/tests/generated/mod.rs"]
mod generated;

#[cfg(unix)]
#[path = "attack/browser.rs"]
mod browser;

use generated::{Shape, bundle};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

fn attack(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_monologue"))
        .args(["attack", "--library", "library"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with two thinned releases, imported.
fn imported() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for release in [1, 2] {
        fs::write(folder.path().join("bundle.json"), bundle(&Shape { thinned: 100, release })).unwrap();
        let done = attack(folder.path(), &["import", "bundle.json", "--release", &format!("{release}.0")]);
        assert!(done.status.success(), "{}", talk(&done));
        assert!(out(&done).contains("not official: its hash is in no list of published files"), "{}", out(&done));
    }
    folder
}

#[test]
fn without_an_import_the_cited_objects_are_known_and_others_say_how_to_get_them() {
    let folder = tempfile::tempdir().unwrap();
    let shown = attack(folder.path(), &["show", "AN1601"]);
    assert!(shown.status.success());
    assert!(out(&shown).contains("6c5a5ee635c9eca4a39e15dee2f56535a9fdc0da244d541b647a6f7baba6ecb0"));
    assert!(talk(&shown).contains("monologue attack import FILE"));
    let missing = attack(folder.path(), &["show", "T1059"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(
        talk(&missing).contains("hint: ") && talk(&missing).contains("enterprise-attack.json"),
        "{}",
        talk(&missing)
    );
    for arguments in
        [vec!["list"], vec!["search", "web"], vec!["diff", "1", "2"], vec!["raw", "AN1601"], vec!["site", "s"]]
    {
        let refused = attack(folder.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(talk(&refused).contains("hint: `monologue attack import FILE`"), "{}", talk(&refused));
    }
    let brief = attack(folder.path(), &["brief", "AN1601"]);
    assert!(out(&brief).contains("not measured here"), "{}", out(&brief));
    let crosswalk = attack(folder.path(), &["crosswalk", "AN1601", "--output", "json"]);
    let crosswalk: Value = serde_json::from_str(&out(&crosswalk)).unwrap();
    assert_eq!(crosswalk["rows"].as_array().unwrap().len(), 4);
}

#[test]
fn every_subcommand_answers_on_an_imported_bundle() {
    let folder = imported();
    let at = folder.path();
    let snapshots = out(&attack(at, &["snapshots"]));
    assert!(
        snapshots.contains("#1 enterprise-attack 1.0") && snapshots.contains("#2 enterprise-attack 2.0"),
        "{snapshots}"
    );
    let shown = out(&attack(at, &["show", "DC0000", "--all"]));
    assert!(shown.contains("Log sources (") && shown.contains("© 2026 The MITRE Corporation"), "{shown}");
    let json: Value = serde_json::from_str(&out(&attack(at, &["show", "AN0001", "--output", "json"]))).unwrap();
    assert_eq!(json["kind"], "x-mitre-analytic");
    let raw = attack(at, &["raw", "AN0001"]).stdout;
    let text = fs::read_to_string(at.join("bundle.json")).unwrap();
    assert!(text.contains(std::str::from_utf8(&raw).unwrap()), "exactly as it stood");
    let list: Value =
        serde_json::from_str(&out(&attack(at, &["list", "--type", "technique", "--limit", "2", "--output", "json"])))
            .unwrap();
    assert_eq!(list["rows"].as_array().unwrap().len(), 2);
    assert!(list["total"].as_u64().unwrap() > 2);
    let listed = out(&attack(at, &["list", "--type", "technique", "--limit", "1"]));
    let id = listed.split_whitespace().next().unwrap();
    let found = out(&attack(at, &["search", &id.to_lowercase()]));
    assert!(id.starts_with('T') && found.starts_with(id), "an id comes first: {found}");
    let history = out(&attack(at, &["history", "AN0005"]));
    assert_eq!(history.lines().count(), 2, "{history}");
    let graph = out(&attack(at, &["graph", "DET0000", "--depth", "2", "--output", "dot"]));
    assert!(graph.starts_with("digraph attack {") && graph.contains("has analytic"), "{graph}");
    let diff = out(&attack(at, &["diff", "1.0", "2.0"]));
    for class in [
        "additions",
        "major version changes",
        "minor version changes",
        "other version changes",
        "patches",
        "revocations",
        "deprecations",
        "deletions",
        "unchanged",
    ] {
        assert!(diff.contains(class), "{class}: {diff}");
    }
    let one = out(&attack(at, &["diff", "1.0", "2.0", "AN0005", "--output", "markdown"]));
    assert!(one.contains("description") && one.contains("**"), "{one}");
}

#[test]
fn a_brief_of_a_simulated_fleet_rests_on_its_findings() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_monologue")).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    assert!(run(&["simulate", "fleet", "--hours", "6"]).status.success());
    let hunted = run(&["hunt", "fleet", "--minimum-level", "info", "--output", "json=findings.ndjson"]);
    assert!(matches!(hunted.status.code(), Some(0 | 1)), "{}", talk(&hunted));
    let findings = fs::read_to_string(folder.path().join("findings.ndjson")).unwrap();
    let brief = attack(folder.path(), &["brief", "AN1601", "--findings", "findings.ndjson", "--output", "markdown"]);
    let lines = findings.lines().count();
    assert!(out(&brief).contains(&format!("of {lines} findings match")), "{}", out(&brief));
    let refused = attack(folder.path(), &["brief", "AN1601", "--coverage", "findings.ndjson"]);
    assert!(talk(&refused).contains("monologue.coverage/1"), "{}", talk(&refused));
}

/// A killed import leaves the library as it was, and the next one works.
#[test]
fn a_killed_import_leaves_the_library_as_it_was() {
    let folder = imported();
    let at = folder.path();
    let before = out(&attack(at, &["snapshots"]));
    fs::write(at.join("large.json"), bundle(&Shape { thinned: 8, release: 1 })).unwrap();
    for wait in [20, 60, 150, 400] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_monologue"))
            .args(["attack", "--library", "library", "import", "large.json", "--release", "3.0"])
            .current_dir(at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = attack(at, &["snapshots"]);
        assert!(after.status.success(), "{}", talk(&after));
        if out(&after) != before {
            assert!(out(&after).contains("enterprise-attack 3.0"), "it had ended before it was killed");
            return;
        }
    }
    assert!(attack(at, &["import", "large.json", "--release", "3.0"]).status.success());
    assert!(out(&attack(at, &["show", "AN0001"])).contains("AN0001"));
}

/// Links of a page that stay in the site, resolved against it.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).unwrap();
    text.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|to| !to.starts_with("http") && !to.starts_with('#'))
        .map(|to| page.parent().unwrap().join(to.split('#').next().unwrap()))
        .collect()
}

#[test]
fn every_link_of_the_site_leads_to_a_page_and_nothing_outside_is_loaded() {
    let folder = imported();
    let site = folder.path().join("site");
    let written = attack(folder.path(), &["site", "site", "--output", "json"]);
    assert!(written.status.success(), "{}", talk(&written));
    let mut pages = 0;
    for part in ["", "objects", "types", "compare", "changes", "raw"] {
        for item in fs::read_dir(site.join(part)).unwrap() {
            let page = item.unwrap().path();
            if page.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            pages += 1;
            for to in links(&page) {
                assert!(to.is_file(), "{} leads to {}", page.display(), to.display());
            }
            let text = fs::read_to_string(&page).unwrap();
            assert!(text.contains("default-src 'none'") && text.contains("© 2026 The MITRE Corporation"));
            for outside in [" src=", "@import", "url(", "<link", "<iframe", " style=\"", " onclick"] {
                assert!(!text.contains(outside), "{}: {outside}", page.display());
            }
        }
    }
    assert!(pages > 100, "{pages}");
    // Writing over an earlier site is fine; over anything else it is refused.
    assert!(attack(folder.path(), &["site", "site"]).status.success());
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/letter.txt"), "x").unwrap();
    assert_eq!(attack(folder.path(), &["site", "mine"]).status.code(), Some(2));
}

/// From list to object to compare to source, the filters, and the graph by keyboard; nothing but files is asked for.
#[cfg(unix)]
#[test]
fn the_site_works_in_a_browser_by_mouse_and_keyboard() {
    let Some(program) = browser::installed() else {
        println!("skipped: no chromium in the path");
        return;
    };
    let folder = imported();
    assert!(attack(folder.path(), &["site", "site"]).status.success());
    let site = folder.path().canonicalize().unwrap().join("site");
    let mut browser = browser::Browser::start(&program, folder.path());
    browser.open(&site.join("all.html"));
    browser.until("document.querySelector('.count').textContent.includes('page 1 of')");
    assert_eq!(browser.value("document.querySelectorAll('tbody tr:not([hidden])').length"), 50, "fifty rows a page");
    browser.value("document.querySelector('[data-step=\"1\"]').click()");
    browser.until("document.querySelector('.count').textContent.includes('page 2 of')");
    let filter = |name: &str, value: &str| {
        format!(
            "(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('input')) }})(document.querySelector('[data-filter={name}]'))"
        )
    };
    browser.value(&filter("type", "analytic"));
    browser.until(
        "[...document.querySelectorAll('tbody tr:not([hidden])')].every(row => row.dataset.type === 'analytic')",
    );
    browser.value(&filter("words", "an0005"));
    browser.until("document.querySelector('.count').textContent.startsWith('1 of ')");
    browser.value("document.querySelector('tbody tr:not([hidden]) a').click()");
    browser.until("location.pathname.endsWith('/objects/AN0005.html') && document.readyState === 'complete'");
    browser.value("document.querySelector('a[href*=\"compare/\"]').click()");
    browser.until("location.pathname.endsWith('/compare/AN0005.html') && document.querySelectorAll('ins').length > 0");
    browser.value("document.querySelector('main a').click()");
    browser.until("location.pathname.endsWith('/objects/AN0005.html') && document.readyState === 'complete'");
    browser.value("document.querySelector('a[href*=\"raw/\"]').click()");
    browser.until("location.pathname.endsWith('/raw/AN0005.html') && document.querySelector('a[download]') !== null");
    assert!(browser.value("document.querySelector('pre').textContent").as_str().unwrap().contains("\"AN0005\""));
    browser.open(&site.join("objects/AN0005.html"));
    browser.until("document.readyState === 'complete' && document.querySelector('.graph .root') !== null");
    browser.value("document.querySelector('.graph .root').focus()");
    browser.press("ArrowRight");
    browser.until(
        "document.activeElement.classList.contains('node') && !document.activeElement.classList.contains('root')",
    );
    browser.until(
        "document.querySelectorAll('path.lit').length > 0 && document.querySelector('.told').textContent !== ''",
    );
    browser.press("ArrowLeft");
    browser.press("Enter");
    browser.until("location.pathname.includes('/objects/') && document.readyState === 'complete'");
    let outside: Vec<&String> =
        browser.asked.iter().filter(|url| !url.starts_with("file:") && *url != "about:blank").collect();
    assert!(outside.is_empty() && browser.asked.len() >= 6, "{outside:?}");
}
