//! Which names announce a secret, and which values look like one.

/// How surely a name announces a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameClass {
    /// `password`, `access_token`, `client-secret`: whatever follows is secret.
    Strong,
    /// `pass`, `pwd`: secret unless a path follows (`PWD=/Users/anna` is the working directory).
    PathTolerant,
    /// `key`, `code`, `sig`: secret in a query string, and elsewhere if the value looks random.
    Weak,
    /// No secret.
    None,
}

/// Endings of names that always announce a secret; separators are taken out before comparing.
const STRONG_ENDINGS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "accountkey",
    "sharedkey",
    "credential",
    "authorization",
    "cookie",
];

/// Last words of names that announce a password, unless a path follows.
const PATH_TOLERANT_WORDS: [&str; 5] = ["pass", "pwd", "psw", "passin", "passout"];

/// Last words of names that announce a secret in a query string.
const WEAK_WORDS: [&str; 12] =
    ["key", "auth", "sig", "signature", "session", "code", "sid", "hmac", "jwt", "sas", "sessid", "phpsessid"];

/// First words of options that speak about a secret and do not take one.
const SWITCH_WORDS: [&str; 16] = [
    "no", "ask", "show", "print", "with", "without", "use", "skip", "generate", "disable", "enable", "get", "verify",
    "check", "list", "prompt",
];

/// The words of a name, lower case: split at every separator and where capitals begin (`accessToken`).
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut after_small = false;
    for character in name.chars() {
        let separates = !character.is_ascii_alphanumeric();
        if (separates || (character.is_ascii_uppercase() && after_small)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !separates {
            word.push(character.to_ascii_lowercase());
        }
        after_small = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// What a name announces.
pub(super) fn classify(name: &str) -> NameClass {
    let words = words(name);
    let Some(last) = words.last() else { return NameClass::None };
    if last == "id" {
        // The id of a secret is mostly harmless (`key_id`); that of a session is the session.
        let before: String = words.iter().rev().skip(1).rev().map(String::as_str).collect();
        let names_secret = is_strong(&before) || WEAK_WORDS.iter().any(|word| before.ends_with(word));
        return if names_secret { NameClass::Weak } else { NameClass::None };
    }
    if is_strong(&words.concat()) {
        NameClass::Strong
    } else if PATH_TOLERANT_WORDS.contains(&last.as_str()) {
        NameClass::PathTolerant
    } else if WEAK_WORDS.contains(&last.as_str()) || last == "sessionid" {
        NameClass::Weak
    } else {
        NameClass::None
    }
}

fn is_strong(joined: &str) -> bool {
    STRONG_ENDINGS.iter().any(|ending| joined.ends_with(ending))
}

/// Whether the option only speaks about a secret (`--no-password`, `--show-token`).
pub(super) fn is_switch(name: &str) -> bool {
    words(name).first().is_some_and(|first| SWITCH_WORDS.contains(&first.as_str()))
}

/// Whether a header of that name carries a secret that runs to the end of its line.
pub(super) fn is_header(name: &str) -> bool {
    let joined = words(name).concat();
    joined.ends_with("authorization") || joined.ends_with("cookie")
}

/// Whether a value starts as a path does.
pub(super) fn is_path(value: &str) -> bool {
    value.starts_with(['/', '~', '.']) || value.starts_with("file:")
}

/// Whether a value is long and mixed enough to be a generated secret.
pub(super) fn looks_random(value: &str) -> bool {
    (16..=4096).contains(&value.len())
        && !is_path(value)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/_=.~%-".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Whether a value is only a reference to one that the shell fills in (`$(…)`, `${NAME}`, `$NAME`).
pub(super) fn is_reference(value: &str) -> bool {
    value.strip_prefix('$').is_some_and(|rest| {
        rest.starts_with(['(', '{'])
            || (!rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    })
}

/// Whether a value that follows a name of this class is to be replaced. `in_query`: it is part of a query string.
pub(super) fn is_secret(class: NameClass, value: &str, in_query: bool) -> bool {
    if value.is_empty() || value == super::MASK || is_reference(value) {
        return false;
    }
    match class {
        NameClass::Strong => true,
        NameClass::PathTolerant => !is_path(value),
        NameClass::Weak => in_query || looks_random(value),
        NameClass::None => false,
    }
}
