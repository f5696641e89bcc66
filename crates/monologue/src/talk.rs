//! Talking to the person at the terminal: notes, errors, exit codes. All of it goes to standard error.

use monologue_report::escape;
use std::{
    io::{self, Write},
    process::ExitCode,
};

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

/// What separates a message from its hint in the text of an error.
const HINT: &str = "; hint: ";

/// One line for the person at the terminal. If nobody listens there any more, nothing is lost but the talk.
pub(crate) fn note(text: &str) {
    let inert = text.lines().map(escape::terminal).collect::<Vec<_>>().join("\n");
    let _ = writeln!(io::stderr().lock(), "{inert}");
}

/// An error with its causes, as `error: … : …`, then its hint on a line of its own.
pub(crate) fn error(error: &anyhow::Error) {
    let (what, hint) = parted(error);
    note(&format!("error: {what}"));
    if let Some(hint) = hint {
        note(&format!("hint: {hint}"));
    }
}

/// The messages of an error and its causes, and the first hint among them: a cause belongs before the hint, not after.
fn parted(error: &anyhow::Error) -> (String, Option<String>) {
    let mut messages = Vec::new();
    let mut hints = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Our hint stands at the end, whatever the input quoted before it says.
        match text.rsplit_once(HINT) {
            Some((message, hint)) => {
                messages.push(message.to_owned());
                hints.push(hint.to_owned());
            }
            None => messages.push(text),
        }
    }
    (messages.join(": "), hints.into_iter().next())
}

/// Whether an error only says that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn causes_stand_before_the_hint() {
        let error = anyhow!("no such file").context("cannot read a.log; hint: check the path");
        assert_eq!(parted(&error), ("cannot read a.log: no such file".to_owned(), Some("check the path".to_owned())));
    }

    #[test]
    fn a_quoted_hint_is_not_ours() {
        let error = anyhow!("expected a sight, found \"x; hint: y\"; hint: one of z");
        assert_eq!(parted(&error).1.as_deref(), Some("one of z"));
        assert_eq!(parted(&anyhow!("plain")), ("plain".to_owned(), None));
    }
}
