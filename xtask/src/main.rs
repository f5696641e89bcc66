//! Checks of this repository: `cargo xtask check`, and each of its parts alone.

mod book;
mod commands;
mod documents;
mod limits;
mod masking;
mod readme;
mod steps;
mod tests_that_assert;
mod words;

use anyhow::{Context, Result, bail};
use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "usage:
  cargo xtask check [STEP]…    run these steps, or all: fmt clippy test doctest docs limits typos readme fuzz
  cargo xtask limits           rules that no compiler checks
  cargo xtask docs [--write]   API documentation without warnings; reference files as the program prints them
  cargo xtask readme           run the commands of README.md
  cargo xtask book             put the book together, check its links, build it where mdbook is installed";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    let root = root()?;
    match arguments {
        ["check", names @ ..] => steps::check(&root, &steps::parse(names)?),
        ["limits"] => limits::check(&root),
        ["docs"] => documents::check(&root, false),
        ["docs", "--write"] => documents::check(&root, true),
        ["readme"] => readme::check(&root, &[]),
        ["book"] => book::build(&root),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("expected a task\n{USAGE}"),
    }
}

/// The top folder of the repository.
fn root() -> Result<PathBuf> {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").context("expected to be started by cargo, as `cargo xtask …`")?;
    let folder = PathBuf::from(manifest);
    Ok(folder.parent().context("expected xtask to lie in the repository")?.to_path_buf())
}
