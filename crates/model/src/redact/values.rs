//! Finds secrets inside one text: by the name before them, by their own form, by their place in a URL.

use super::names::{NameClass, classify, is_header, is_secret, looks_random};
use std::ops::Range;

/// Longest name that is looked at, in bytes.
const NAME_CAP: usize = 64;

/// Adds the range of every secret in `text`. Ranges may overlap.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    private_keys(text, found);
    known_tokens(text, found);
    bot_tokens(text, found);
    url_passwords(text, found);
    named_values(text, found);
}

/// Where the run of bytes that satisfy `belongs` ends, from `start` on.
fn run_end(text: &str, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
}

/// Where the run of bytes that satisfy `belongs` begins, from `end` back, at most `cap` bytes.
fn run_start(text: &str, end: usize, cap: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let before = text.as_bytes().get(end.saturating_sub(cap)..end).unwrap_or_default();
    end - before.iter().rev().position(|byte| !belongs(*byte)).unwrap_or(before.len())
}

fn byte(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// PEM private keys: from the line of dashes that begins one to the one that ends it, or to the end.
fn private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    const MARK: &str = "PRIVATE KEY-----";
    let mut marks = text.match_indices(MARK).map(|(at, _)| at);
    while let Some(at) = marks.next() {
        let start = at + MARK.len();
        let end = marks.next().map_or(text.len(), |next| {
            let body = text.get(start..next).unwrap_or_default();
            body.rfind("-----END").map_or(next, |dashes| start + dashes)
        });
        if text.get(start..end).is_some_and(|body| !body.trim().is_empty() && body.trim() != super::MASK) {
            found.push(start..end);
        }
    }
}

/// Tokens that begin with a mark of their issuer: the mark stays. (Mark, fewest characters after it.)
const MARKS: [(&str, usize); 24] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxe-", 8),
    ("xoxo-", 8),
    ("xoxp-", 8),
    ("xoxr-", 8),
    ("xoxs-", 8),
    ("xapp-", 8),
    ("AIza", 30),
    ("npm_", 30),
    ("pypi-", 30),
    ("sk-", 32),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("dop_v1_", 32),
];

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Tokens known by their own form, each at the start of a run of token characters.
fn known_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at < text.len() {
        let end = run_end(text, at, is_token_byte);
        if end == at {
            at += 1;
            continue;
        }
        let run = text.get(at..end).unwrap_or_default();
        if let Some(range) = marked_token(run) {
            found.push(at + range.start..at + range.end);
        }
        if let Some(token_end) = web_token_end(text, at, run) {
            found.push(at + 3..token_end);
            at = token_end;
        } else {
            at = end;
        }
    }
}

/// The secret part of a run that holds a marked token, at its start or after a dash or underscore.
fn marked_token(run: &str) -> Option<Range<usize>> {
    MARKS.iter().find_map(|(mark, fewest)| {
        let (place, _) = run.match_indices(mark).find(|(place, _)| {
            *place == 0 || byte(run, place.saturating_sub(1)).is_some_and(|before| !before.is_ascii_alphanumeric())
        })?;
        let start = place + mark.len();
        let after = run.get(start..)?;
        // Keys of AWS are exactly capitals and digits: `AKIA` may well begin another word.
        let fits = !mark.starts_with('A')
            || mark.ends_with('a')
            || after.bytes().take(*fewest).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        (after.len() >= *fewest && fits).then_some(start..run.len())
    })
}

/// The end of a JSON Web Token that begins at `at` with `run`: three parts with dots between, the last may be empty.
fn web_token_end(text: &str, at: usize, run: &str) -> Option<usize> {
    if !run.starts_with("eyJ") || run.len() < 10 {
        return None;
    }
    let mut end = at + run.len();
    for _ in 0..2 {
        if byte(text, end) != Some(b'.') {
            return None;
        }
        let next = run_end(text, end + 1, is_token_byte);
        end = next;
    }
    Some(end)
}

/// Tokens of Telegram bots, `<digits>:<token>`: the digits name the bot and stay.
fn bot_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    for (colon, _) in text.match_indices(':') {
        let digits = run_start(text, colon, 20, |byte| byte.is_ascii_digit());
        if colon - digits < 5 {
            continue;
        }
        let end = run_end(text, colon + 1, is_token_byte);
        let in_path = text.get(..digits).is_some_and(|before| before.ends_with("/bot"));
        if end - colon > if in_path { 8 } else { 30 } {
            found.push(colon + 1..end);
        }
    }
}

/// Bytes that end a URL's authority.
fn ends_authority(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"/?#\"'`<>|\\".contains(&byte)
}

/// `scheme://user:password@host`: the password, and the user too where it looks like a token.
fn url_passwords(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let end = run_end(text, start, |byte| !ends_authority(byte));
        let Some(authority) = text.get(start..end) else { continue };
        let Some(login) = authority.rfind('@').and_then(|place| authority.get(..place)) else { continue };
        let (user, password) = login.split_once(':').map_or((login, None), |(user, rest)| (user, Some(rest)));
        if user.len() >= 20 && looks_random(user) {
            found.push(start..start + user.len());
        }
        if password.is_some_and(|password| !password.is_empty() && password != super::MASK) {
            found.push(start + user.len() + 1..start + login.len());
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// A name, what stands before its value, and how the value is written.
struct Named<'a> {
    name: &'a str,
    name_start: usize,
    separator: usize,
    /// The name stands in quotes, as in JSON.
    quoted: bool,
    /// White space stands between name and separator.
    spaced: bool,
}

/// The name before the separator at `separator`.
fn name_before(text: &str, separator: usize) -> Option<Named<'_>> {
    let trimmed = run_start(text, separator, 8, |byte| byte == b' ');
    let mut end = trimmed;
    let mut quoted = false;
    if matches!(byte(text, end.checked_sub(1)?), Some(b'"' | b'\'')) {
        quoted = true;
        end -= 1;
        end = run_start(text, end, 1, |byte| byte == b'\\');
    } else {
        end = run_start(text, end, 1, |byte| byte == b']');
    }
    let start = run_start(text, end, NAME_CAP, is_name_byte);
    let name = text.get(start..end).filter(|name| !name.is_empty())?;
    Some(Named { name, name_start: start, separator, quoted, spaced: trimmed < separator })
}

/// The end of the last run of each kind, so that a text full of names is not walked once for each of them.
#[derive(Default)]
struct Runs {
    line: usize,
    object: usize,
    word: usize,
}

/// The end of the run that `start` lies in, from the cache or by walking.
fn cached_run_end(text: &str, start: usize, cache: &mut usize, belongs: impl Fn(u8) -> bool) -> usize {
    if start >= *cache {
        *cache = run_end(text, start, belongs);
    }
    *cache
}

/// Values after a secret-like name and `=` or `:`.
fn named_values(text: &str, found: &mut Vec<Range<usize>>) {
    let mut done = 0;
    let mut runs = Runs::default();
    for (separator, _) in text.match_indices(['=', ':']) {
        if separator < done {
            continue;
        }
        let Some(named) = name_before(text, separator) else { continue };
        let class = classify(named.name);
        let is_colon = byte(text, separator) == Some(b':');
        if class == NameClass::None || (is_colon && class == NameClass::Weak && !named.quoted) {
            continue;
        }
        let Some(range) = value_range(text, &named, is_colon, &mut runs) else { continue };
        let before = named.name_start.checked_sub(1).and_then(|place| byte(text, place));
        let is_form = named.name_start == 0 && text.contains('&') && !text.starts_with('-');
        let in_query = !is_colon && (matches!(before, Some(b'?' | b'&')) || is_form);
        let Some(value) = text.get(range.clone()) else { continue };
        if is_secret(class, value, in_query) {
            done = range.end;
            found.push(range);
        }
    }
}

/// Where the value of `named` stands.
fn value_range(text: &str, named: &Named<'_>, is_colon: bool, runs: &mut Runs) -> Option<Range<usize>> {
    let mut start = named.separator + 1;
    if is_colon && text.get(start..).is_some_and(|rest| rest.starts_with("//")) {
        return None;
    }
    if is_colon || named.spaced {
        start = run_end(text, start, |byte| byte == b' ');
    }
    let escaped = byte(text, start) == Some(b'\\');
    let quote = byte(text, start + usize::from(escaped)).filter(|byte| matches!(byte, b'"' | b'\''));
    if let Some(quote) = quote {
        start += 1 + usize::from(escaped);
        return Some(start..quoted_end(text, start, quote, escaped));
    }
    // The value of an option that is an argument of its own runs to the end of the argument.
    if !is_colon && named.name_start == 0 && named.name.starts_with('-') {
        return Some(start..text.len());
    }
    let header = is_header(named.name);
    if header || (is_colon && named.name.contains('-') && start > named.separator + 1) {
        start = after_scheme(text, start);
        let end = cached_run_end(text, start, &mut runs.line, |byte| !b"\r\n\"'`".contains(&byte));
        return Some(start..end);
    }
    let ends_word = |byte: u8| byte.is_ascii_whitespace() || b"&\"'`\\".contains(&byte);
    let end = if named.quoted {
        cached_run_end(text, start, &mut runs.object, |byte| !ends_word(byte) && !b",}]".contains(&byte))
    } else {
        cached_run_end(text, start, &mut runs.word, |byte| !ends_word(byte))
    };
    Some(start..end)
}

/// Where a quoted value ends: at the same quote, written as the first was.
fn quoted_end(text: &str, start: usize, quote: u8, escaped: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if escaped && bytes.get(at + 1) == Some(&quote) => return at,
            // A backslash takes the next byte with it; the next byte of a longer character is no quote anyway.
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii) => at += 2,
            found if *found == quote => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// Passes over the scheme of an `Authorization` header, which is no secret.
fn after_scheme(text: &str, start: usize) -> usize {
    const SCHEMES: [&str; 8] =
        ["Bearer ", "Basic ", "Token ", "Digest ", "Negotiate ", "ApiKey ", "NTLM ", "AWS4-HMAC-SHA256 "];
    SCHEMES
        .iter()
        .find(|scheme| text.get(start..start + scheme.len()).is_some_and(|found| found.eq_ignore_ascii_case(scheme)))
        .map_or(start, |scheme| start + scheme.len())
}
