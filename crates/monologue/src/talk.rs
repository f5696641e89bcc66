//! Talking to the person at the terminal: notes, errors, exit codes. All of it goes to standard error.

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

/// Text that cannot move the cursor or change colours: control characters, bidirectional overrides and zero-width
/// characters are shown as their code points.
pub(crate) fn inert(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let shown: Vec<char> = if is_inert(character) {
                vec![character]
            } else {
                format!("\\u{{{:x}}}", u32::from(character)).chars().collect()
            };
            shown
        })
        .collect()
}

fn is_inert(character: char) -> bool {
    let hidden =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    !character.is_control() && !hidden
}

/// One line for the person at the terminal.
#[expect(clippy::print_stderr, reason = "this is the one place that talks")]
pub(crate) fn note(text: &str) {
    eprintln!("{}", text.lines().map(inert).collect::<Vec<_>>().join("\n"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_passes() {
        assert_eq!(inert("a\u{1b}[31mb\u{202e}c\u{9b}"), "a\\u{1b}[31mb\\u{202e}c\\u{9b}");
        assert_eq!(inert("ordinary – text"), "ordinary – text");
    }
}
