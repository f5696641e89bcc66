//! The steps of `cargo xtask check`, in order; the first that fails ends it.

use crate::{commands, documents, limits, readme};
use anyhow::{Context, Result, bail};
use std::{path::Path, time::Instant};

/// Seconds of fuzzing in one check.
const FUZZ_SECONDS: &str = "30";

/// Seed of the fuzzing in a check: the same inputs every time, so a failure can be repeated.
const FUZZ_SEED: &str = "1601";

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Formatting.
    Format,
    /// Lints.
    Clippy,
    /// Unit and integration tests.
    Test,
    /// Examples in documentation.
    DocumentationTest,
    /// API documentation and generated reference files.
    Documentation,
    /// Rules that no compiler checks.
    Limits,
    /// Spelling, where `typos` is installed.
    Typos,
    /// The commands of README.md.
    Readme,
    /// Mutated samples through every format.
    Fuzz,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Format,
        Self::Clippy,
        Self::Test,
        Self::DocumentationTest,
        Self::Documentation,
        Self::Limits,
        Self::Typos,
        Self::Readme,
        Self::Fuzz,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Format => "fmt",
            Self::Clippy => "clippy",
            Self::Test => "test",
            Self::DocumentationTest => "doctest",
            Self::Documentation => "docs",
            Self::Limits => "limits",
            Self::Typos => "typos",
            Self::Readme => "readme",
            Self::Fuzz => "fuzz",
        }
    }
}

/// The steps named, in the order of [`Step::ALL`]; all of them when none is named.
///
/// # Errors
/// When a name is no step.
pub(crate) fn parse(names: &[&str]) -> Result<Vec<Step>> {
    if let Some(unknown) = names.iter().find(|name| Step::ALL.iter().all(|step| step.name() != **name)) {
        bail!("expected a step, one of {}; found {unknown:?}", Step::ALL.map(Step::name).join(" "));
    }
    Ok(Step::ALL.into_iter().filter(|step| names.is_empty() || names.contains(&step.name())).collect())
}

/// Runs the steps.
///
/// # Errors
/// The first failure.
pub(crate) fn check(root: &Path, steps: &[Step]) -> Result<()> {
    let started = Instant::now();
    for step in steps {
        println!("check {} …", step.name());
        let began = Instant::now();
        run(root, *step, steps).with_context(|| format!("check {} failed", step.name()))?;
        println!("check {} ok, {:.1} s", step.name(), began.elapsed().as_secs_f64());
    }
    println!("check: {} steps ok, {:.1} s", steps.len(), started.elapsed().as_secs_f64());
    Ok(())
}

fn run(root: &Path, step: Step, steps: &[Step]) -> Result<()> {
    let cargo = |arguments: &[&str]| commands::run(root, "cargo", arguments);
    match step {
        Step::Format => {
            cargo(&["fmt", "--all", "--check"])?;
            cargo(&["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])
        }
        Step::Clippy => {
            cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
            // What the default build leaves out.
            let features = ["clippy", "--package", "monologue", "--bins", "--features", "send,s3", "--locked"];
            cargo(&[&features[..], &["--", "-D", "warnings"]].concat())
        }
        Step::Test if commands::works(root, "cargo", &["nextest", "--version"]) => {
            cargo(&["nextest", "run", "--workspace", "--locked"])
        }
        Step::Test => cargo(&["test", "--workspace", "--all-targets", "--locked"]),
        Step::DocumentationTest => cargo(&["test", "--workspace", "--doc", "--locked"]),
        Step::Documentation => documents::check(root, false),
        Step::Limits => limits::check(root),
        Step::Typos if commands::works(root, "typos", &["--version"]) => {
            commands::run(root, "typos", &["--format", "brief"])
        }
        Step::Typos => {
            println!("typos is not installed, so spelling was not checked");
            Ok(())
        }
        // The test suite has just run: the README's command for it would only run it again.
        Step::Readme if steps.contains(&Step::Test) => readme::check(root, &["cargo test"]),
        Step::Readme => readme::check(root, &[]),
        Step::Fuzz => fuzz(root),
    }
}

fn fuzz(root: &Path) -> Result<()> {
    let cargo = |arguments: &[&str]| commands::run(root, "cargo", arguments);
    let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--release", "--locked"];
    cargo(&[&["clippy"], &manifest[..], &["--all-targets", "--", "-D", "warnings"]].concat())?;
    cargo(&[&["test"], &manifest[..]].concat())?;
    cargo(&[&["run"], &manifest[..], &["--bin", "formats", "--", FUZZ_SECONDS, FUZZ_SEED]].concat())?;
    cargo(&[&["run"], &manifest[..], &["--bin", "attack", "--", FUZZ_SECONDS, FUZZ_SEED]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_every_step_and_names_keep_the_order_of_the_list() {
        assert_eq!(parse(&[]).unwrap(), Step::ALL);
        assert_eq!(parse(&["limits", "fmt"]).unwrap(), [Step::Format, Step::Limits]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_names_there_are() {
        let error = parse(&["fmt", "lint"]).unwrap_err().to_string();
        assert!(error.contains("\"lint\"") && error.contains("clippy"), "{error}");
    }
}
