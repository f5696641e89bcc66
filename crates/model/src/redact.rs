//! Takes secrets out of command lines and leaves what an analyst needs: names, hosts, paths and shape.

mod arguments;
mod names;
mod values;

use std::{borrow::Cow, ops::Range};

/// What stands in place of a secret.
const MASK: &str = "***";

/// Rounds after which a text that still changes is masked as a whole. Real texts settle in two.
const ROUND_CAP: usize = 8;

/// One argument of a command line with the secrets in it replaced by `***`.
///
/// Names stay, and so do the scheme, host and path of a URL. Replaced are: values that follow a secret-like name
/// (`--token=…`, `?api_key=…`, `"password":"…"`, `Authorization: Bearer …`), passwords in URLs, tokens known by their
/// own form (AWS, GitHub, GitLab, Slack, Google, Telegram bots, JSON Web Tokens), PEM private keys, and option pairs
/// inside an argument that is itself a command line (`sh -c "… --password …"`).
///
/// Applying it twice gives the same as applying it once.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut current = Cow::Borrowed(text);
    for _ in 0..ROUND_CAP {
        let mut found = Vec::new();
        values::find(&current, &mut found);
        arguments::find_in_text(&current, &mut found);
        match replace(&current, found) {
            Some(next) => current = Cow::Owned(next),
            None => return current,
        }
    }
    Cow::Borrowed(MASK)
}

/// A whole command line with the secrets in it replaced by `***`: each argument as by [`redact`], and besides the
/// values that only their neighbour gives away (`--password VALUE`, `-u user:password`, `-p VALUE`).
///
/// The first argument is the program. Applying it twice gives the same as applying it once.
#[must_use]
pub fn redact_arguments<T: AsRef<str>>(arguments: &[T]) -> Vec<String> {
    let mut current: Vec<String> = arguments.iter().map(|argument| redact(argument.as_ref()).into_owned()).collect();
    for _ in 0..ROUND_CAP {
        let texts: Vec<&str> = current.iter().map(String::as_str).collect();
        let changes: Vec<(usize, String)> = arguments::find_pairs(&texts)
            .into_iter()
            .filter_map(|(at, range)| Some((at, replace(texts.get(at)?, vec![range])?)))
            .map(|(at, text)| (at, redact(&text).into_owned()))
            .filter(|(at, text)| texts.get(*at) != Some(&text.as_str()))
            .collect();
        if changes.is_empty() {
            return current;
        }
        for (at, text) in changes {
            if let Some(argument) = current.get_mut(at) {
                *argument = text;
            }
        }
    }
    current.iter().map(|_| MASK.to_owned()).collect()
}

/// The text with every range replaced by the mask; `None` if that changes nothing.
fn replace(text: &str, mut found: Vec<Range<usize>>) -> Option<String> {
    if found.is_empty() {
        return None;
    }
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for range in merged {
        // Every range ends at ASCII bytes or at the ends of the text, so both cuts fall between characters.
        result.push_str(text.get(done..range.start)?);
        result.push_str(MASK);
        done = range.end;
    }
    result.push_str(text.get(done..)?);
    (result != text).then_some(result)
}

#[cfg(test)]
mod tests;
