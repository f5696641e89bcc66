//! Talking to the person at the terminal: notes, errors, exit codes. All of it goes to standard error.

use monologue_report::escape;
use std::{io, process::ExitCode};

/// How a command ended (design 5). Of several, the first named here wins: error, could not look, findings, nothing found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing found where we could look, or the command was no hunt.
    Nothing,
    /// Findings at or above the minimum level.
    Findings,
    /// It could not be done.
    Error,
    /// Coverage is below what was required.
    CouldNotLook,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(match verdict {
            Verdict::Nothing => 0,
            Verdict::Findings => 1,
            Verdict::Error => 2,
            Verdict::CouldNotLook => 3,
        })
    }
}

/// One line for the person at the terminal.
#[expect(clippy::print_stderr, reason = "this is the one place that talks")]
pub(crate) fn note(text: &str) {
    eprintln!("{}", text.lines().map(escape::terminal).collect::<Vec<_>>().join("\n"));
}

/// An error with its causes, as `error: … : …`, then its hint on a line of its own.
pub(crate) fn error(error: &anyhow::Error) {
    let whole = format!("{error:#}");
    let (what, hint) = match whole.split_once("hint: ") {
        Some((what, hint)) => (what.trim_end_matches([' ', ';', ':', '\n']).to_owned(), Some(hint.to_owned())),
        None => (whole, None),
    };
    note(&format!("error: {what}"));
    if let Some(hint) = hint {
        note(&format!("hint: {hint}"));
    }
}

/// Whether an error only says that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe))
}
