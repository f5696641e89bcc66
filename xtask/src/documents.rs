//! API documentation without warnings, and reference files equal to what the program prints.

use crate::commands;
use anyhow::{Context, Result, bail};
use std::{fs, io::ErrorKind, path::Path};

/// Files of `docs/reference`, each with the command that prints it.
const REFERENCES: [(&str, &[&str]); 5] = [
    ("formats", &["formats"]),
    ("signals", &["signals"]),
    ("outputs", &["outputs"]),
    ("lake", &["lake", "columns"]),
    ("settings", &["settings", "show"]),
];

/// Builds the API documentation and compares the reference files, or writes them.
///
/// # Errors
/// When the documentation has warnings, the program fails, or a file is out of date.
pub(crate) fn check(root: &Path, write: bool) -> Result<()> {
    let arguments = ["doc", "--workspace", "--no-deps", "--locked"];
    commands::run_with(root, "cargo", &arguments, &[("RUSTDOCFLAGS", "-D warnings")])?;
    let mut stale = Vec::new();
    for (name, command) in REFERENCES {
        let arguments =
            [&["run", "--quiet", "--locked", "--package", "monologue", "--"], command, &["--markdown"]].concat();
        let printed = commands::output(root, "cargo", &arguments)?;
        let path = root.join("docs/reference").join(format!("{name}.md"));
        let written = read_or_empty(&path)?;
        if printed == written {
            continue;
        }
        if write {
            fs::create_dir_all(root.join("docs/reference")).context("cannot make docs/reference")?;
            fs::write(&path, printed).with_context(|| format!("cannot write {}", path.display()))?;
            println!("written: {}", path.display());
        } else {
            let line = first_difference(&written, &printed);
            stale.push(format!("docs/reference/{name}.md differs from line {line}"));
        }
    }
    if !stale.is_empty() {
        bail!("{}; run `cargo xtask docs --write`", stale.join(", "));
    }
    Ok(())
}

/// The file, or nothing where there is none: a list that prints nothing needs no file.
fn read_or_empty(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Number of the first line in which two different texts differ.
fn first_difference(left: &str, right: &str) -> usize {
    left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_different_line_is_named() {
        assert_eq!(first_difference("a\nb\nc", "a\nx\nc"), 2);
        assert_eq!(first_difference("a\n", "a\nb\n"), 2);
        assert_eq!(first_difference("", "a"), 1);
    }
}
