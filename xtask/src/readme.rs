//! Runs the commands of README.md, so that what it promises a newcomer works.

use crate::commands;
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// One line `$ command` of a console block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    line: usize,
    command: String,
    code: i32,
}

/// Runs the commands of the console blocks, in order, but not those that begin with one of `skipped`. Commands of cargo
/// run in the repository, all others in one new folder, with the release build of the program first in `PATH`.
///
/// # Errors
/// When a command does not end with the code it is shown with (0, or `# exits N`).
pub(crate) fn check(root: &Path, skipped: &[&str]) -> Result<()> {
    let text = fs::read_to_string(root.join("README.md")).context("cannot read README.md")?;
    let shown = console_commands(&text)?;
    if shown.is_empty() {
        bail!("expected a ```console block with `$ ` lines in README.md, found none");
    }
    let is_cargo = |shown: &Shown| shown.command.split_whitespace().next() == Some("cargo");
    if shown.iter().any(|shown| !is_cargo(shown)) {
        commands::run(root, "cargo", &["build", "--release", "--locked", "--package", "monologue"])?;
    }
    let folder = Folder::new()?;
    for shown in &shown {
        if skipped.iter().any(|start| shown.command.starts_with(start)) {
            println!("README.md:{}: passed over, it has just run: {}", shown.line, shown.command);
            continue;
        }
        println!("README.md:{}: $ {}", shown.line, shown.command);
        run(shown, if is_cargo(shown) { root } else { &folder.0 }, root)?;
    }
    Ok(())
}

fn run(shown: &Shown, folder: &Path, root: &Path) -> Result<()> {
    let mut programs = vec![root.join("target/release")];
    programs.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    let began = Instant::now();
    let status = Command::new("sh")
        .args(["-c", &shown.command])
        .env("PATH", env::join_paths(programs).context("cannot put target/release into PATH")?)
        .current_dir(folder)
        .status()
        .with_context(|| format!("cannot start `{}`", shown.command))?;
    if status.code() != Some(shown.code) {
        bail!("README.md:{}: expected exit code {}, found {status}", shown.line, shown.code);
    }
    println!("README.md:{}: ok, {:.1} s", shown.line, began.elapsed().as_secs_f64());
    Ok(())
}

/// The commands of all console blocks.
fn console_commands(markdown: &str) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    let mut inside = None;
    for (number, line) in (1..).zip(markdown.lines()) {
        match (inside, line.trim_end().strip_prefix("```")) {
            (None, Some(language)) => inside = Some(language == "console"),
            (Some(_), Some("")) => inside = None,
            (Some(true), None) => shown.extend(line.strip_prefix("$ ").map(|command| parse(number, command))),
            _ => {}
        }
    }
    shown.into_iter().collect()
}

fn parse(line: usize, command: &str) -> Result<Shown> {
    let (command, code) = match command.rsplit_once("# exits ") {
        Some((command, code)) => {
            let code = code.trim().parse();
            (command, code.with_context(|| format!("README.md:{line}: expected a number after `# exits`"))?)
        }
        None => (command, 0),
    };
    Ok(Shown { line, command: command.trim().to_owned(), code })
}

/// A new folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("monologue-readme-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("note: cannot remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prompted_lines_of_console_blocks_are_commands() {
        let markdown = "\
$ not this
```sh
$ nor this
```
```console
$ monologue demo
output of it
$ monologue hunt x  # exits 1
```
```console
$ cargo test # all of them
```
";
        let shown = console_commands(markdown).unwrap();
        let of = |line, command: &str, code| Shown { line, command: command.to_owned(), code };
        assert_eq!(
            shown,
            [of(6, "monologue demo", 0), of(8, "monologue hunt x", 1), of(11, "cargo test # all of them", 0)]
        );
    }

    #[test]
    fn a_code_that_is_no_number_is_an_error_with_its_line() {
        let error = console_commands("```console\n$ x # exits soon\n```\n").unwrap_err().to_string();
        assert!(error.starts_with("README.md:2: "), "{error}");
    }

    #[test]
    fn the_folder_is_gone_afterwards() {
        let folder = Folder::new().unwrap();
        let path = folder.0.clone();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
