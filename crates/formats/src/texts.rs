//! Texts seen before, kept once; and the bounds of what is kept of paths, identifiers and command lines.

use monologue_model::redact_arguments;
use std::{collections::HashSet, sync::Arc};

/// Arguments kept of one command line.
pub(crate) const ARGUMENT_CAP: usize = 256;

/// Longest argument kept, in bytes.
const ARGUMENT_LENGTH_CAP: usize = 4096;

/// Bytes of one argument that are searched for secrets: more than are kept, so that the cut cannot hide one.
const SEARCHED_LENGTH_CAP: usize = 16 * 1024;

/// Texts kept for reuse; when there are more, all are let go.
const SHARED_CAP: usize = 64 * 1024;

/// Longest text that is kept for reuse, in bytes: a path of macOS has at most 1,024.
const SHARED_LENGTH_CAP: usize = 1024;

/// Longest path or identifier kept, in bytes; longer ones are no such thing, and are cut.
const TEXT_LENGTH_CAP: usize = 16 * 1024;

/// Texts seen before, so that the paths and identifiers of a process are stored once and not once an event.
#[derive(Default)]
pub(crate) struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// The text, stored once.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        if self.0.len() >= SHARED_CAP {
            self.0.clear();
        }
        let new: Arc<str> = cut(text, TEXT_LENGTH_CAP).into();
        if new.len() <= SHARED_LENGTH_CAP {
            self.0.insert(Arc::clone(&new));
        }
        new
    }

    /// The text, unless there is none or it is empty.
    pub(crate) fn some(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        text.filter(|text| !text.is_empty()).map(|text| self.text(text))
    }

    /// A code directory hash, in lower case. One of zeros only stands for a program without signature.
    pub(crate) fn cdhash(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        let text = text?;
        let is_hash = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_zero = text.bytes().all(|byte| byte == b'0');
        (is_hash && !is_zero).then(|| self.text(&text.to_ascii_lowercase()))
    }
}

/// A command line as it is kept: secrets redacted, each argument within bounds. The caller caps their number.
pub(crate) fn arguments<T: AsRef<str>>(given: &[T]) -> Vec<String> {
    let searched: Vec<&str> =
        given.iter().take(ARGUMENT_CAP).map(|argument| cut(argument.as_ref(), SEARCHED_LENGTH_CAP)).collect();
    redact_arguments(&searched)
        .into_iter()
        .zip(given)
        .map(|(argument, whole)| shorten(argument, whole.as_ref().len() > SEARCHED_LENGTH_CAP))
        .collect()
}

/// At most `length` bytes of a text, whole characters.
fn cut(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

/// An argument within its bounds; a mark stands where there was more.
fn shorten(mut argument: String, was_cut: bool) -> String {
    if was_cut || argument.len() > ARGUMENT_LENGTH_CAP {
        argument.truncate(argument.floor_char_boundary(ARGUMENT_LENGTH_CAP));
        argument.push('…');
    }
    argument
}
