//! The book: the pages of `docs` and the cases, checked, and built where mdbook is installed.

use crate::commands;
use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

/// The page that lists the others.
const SUMMARY: &str = "SUMMARY.md";

/// Puts the book together in `target/book-src`, checks it, and builds `target/book` where mdbook is installed.
///
/// # Errors
/// When a page is not in the summary, a link leads nowhere, or mdbook fails.
pub(crate) fn build(root: &Path) -> Result<()> {
    let pages = pages(root)?;
    let problems = problems(&pages, root);
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    let folder = root.join("target/book-src");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot clear target/book-src")?;
    }
    for (name, text) in &pages {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).context("cannot make target/book-src")?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    fs::copy(root.join("docs/book.toml"), folder.join("book.toml")).context("cannot copy docs/book.toml")?;
    pictures(&root.join("docs"), &folder)?;
    if commands::works(root, "mdbook", &["--version"]) {
        commands::run(&folder, "mdbook", &["build", "--dest-dir", "../book"])?;
        println!("book: {} pages, built in target/book", pages.len());
    } else {
        println!("book: {} pages are in order; mdbook is not installed, so it was not built", pages.len());
    }
    Ok(())
}

/// All pages by name, the summary among them with every page.
fn pages(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let mut pages = Vec::new();
    markdown(&root.join("docs"), Path::new(""), &mut pages)?;
    markdown(&root.join("crates/hunt/cases"), Path::new("cases"), &mut pages)?;
    let Some((_, summary)) = pages.iter().find(|(name, _)| name == Path::new(SUMMARY)) else {
        bail!("expected docs/{SUMMARY}");
    };
    let summary = filled(summary, &pages);
    pages.iter_mut().filter(|(name, _)| name == Path::new(SUMMARY)).for_each(|(_, text)| text.clone_from(&summary));
    Ok(pages)
}

/// The summary with each line `<!-- FOLDER -->` replaced by the pages of that folder which it does not list by itself.
fn filled(summary: &str, pages: &[(PathBuf, String)]) -> String {
    let listed: BTreeSet<&str> = links(summary).collect();
    let mut text = String::new();
    for line in summary.lines() {
        let folder = line.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(folder) = folder else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let indent = line.split('<').next().unwrap_or_default();
        for (name, page) in pages {
            let shown = name.display().to_string();
            if name.parent() == Some(Path::new(folder)) && !listed.contains(&*shown) {
                text.push_str(&format!("{indent}- [{}]({shown})\n", title(page)));
            }
        }
    }
    text
}

fn markdown(folder: &Path, name: &Path, pages: &mut Vec<(PathBuf, String)>) -> Result<()> {
    let context = || format!("cannot read {}", folder.display());
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).with_context(context)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    for path in entries {
        let Some(file) = path.file_name() else { continue };
        let name = name.join(file);
        if path.is_dir() {
            markdown(&path, &name, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push((name, fs::read_to_string(&path).with_context(context)?));
        }
    }
    Ok(())
}

/// Copies the pictures of the pages.
fn pictures(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("cannot read {}", from.display());
    for entry in fs::read_dir(from).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let Some(file) = path.file_name() else { continue };
        if path.is_dir() {
            pictures(&path, &to.join(file))?;
        } else if path.extension().is_some_and(|extension| extension == "svg") {
            fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
            fs::copy(&path, to.join(file)).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

fn title(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("untitled")
}

/// Pages that the summary leaves out, and links that lead nowhere.
fn problems(pages: &[(PathBuf, String)], root: &Path) -> Vec<String> {
    let known: BTreeSet<&Path> = pages.iter().map(|(name, _)| name.as_path()).collect();
    let mut problems = Vec::new();
    for (name, text) in pages {
        let here = name.parent().unwrap_or(Path::new(""));
        for link in links(text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let Some(path) = resolved(here, target) else {
                problems.push(format!("docs/{}: expected a link within the book, found {link}", name.display()));
                continue;
            };
            let is_there = known.contains(path.as_path()) || root.join("docs").join(&path).exists();
            if !is_there {
                problems.push(format!("docs/{}: {link} leads nowhere", name.display()));
            }
        }
    }
    let Some((_, summary)) = pages.iter().find(|(name, _)| name == Path::new(SUMMARY)) else { return problems };
    let listed: BTreeSet<String> = links(summary).map(str::to_owned).collect();
    for (name, _) in pages.iter().filter(|(name, _)| name != Path::new(SUMMARY)) {
        if !listed.contains(&name.display().to_string()) {
            problems.push(format!("docs/SUMMARY.md: expected {}", name.display()));
        }
    }
    problems
}

/// Targets of the links in a page, outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    let prose = text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    prose.flat_map(|line| line.split("](").skip(1)).filter_map(|rest| rest.split(')').next())
}

/// A link from a page in `folder`, without `..`. `None` if it leads out of the book.
fn resolved(folder: &Path, target: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir => {}
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_from_the_page_they_stand_in() {
        assert_eq!(resolved(Path::new("guide"), "../reference/a.md"), Some("reference/a.md".into()));
        assert_eq!(resolved(Path::new("guide"), "../../README.md"), None);
        let text = "[a](b.md) and [c](d.md#e)\n```\n[not](this.md)\n```\n[f](g.md)";
        assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "d.md#e", "g.md"]);
    }

    #[test]
    fn what_is_left_out_and_what_leads_nowhere_is_told() {
        let page = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        let pages =
            [page("SUMMARY.md", "- [a](a.md)\n"), page("a.md", "[b](b.md)\n[gone](gone.md)\n"), page("b.md", "# B\n")];
        assert_eq!(
            problems(&pages, Path::new("no-such-folder")),
            ["docs/a.md: gone.md leads nowhere", "docs/SUMMARY.md: expected b.md"]
        );
    }

    #[test]
    fn pages_that_nobody_listed_are_listed_under_the_mark_of_their_folder() {
        let page = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        let pages = [page("a/one.md", "# One\n"), page("a/two.md", "# Two\n"), page("b/three.md", "# Three\n")];
        let filled = filled("- [First](a/one.md)\n  <!-- a -->\n", &pages);
        assert_eq!(filled, "- [First](a/one.md)\n  - [Two](a/two.md)\n");
    }

    #[test]
    fn this_book_is_in_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let pages = pages(root).unwrap();
        assert!(pages.len() > 100, "the cases are part of it");
        assert_eq!(problems(&pages, root), Vec::<String>::new());
    }
}
