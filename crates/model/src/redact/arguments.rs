//! Finds secrets that only the argument before them gives away (`--password VALUE`, `-u user:password`).

use super::names::{NameClass, classify, is_path, is_reference, is_secret, is_switch};
use std::ops::Range;

/// Programs that run another program given in their arguments.
const WRAPPERS: [&str; 8] = ["sudo", "env", "nohup", "exec", "time", "nice", "caffeinate", "command"];

/// Short options that take a secret: programs, option, and whether the secret may be attached to it.
const SHORT_SECRETS: [(&[&str], &str, bool); 10] = [
    (&["sshpass"], "-p", true),
    (&["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"], "-p", true),
    (&["7z", "7za", "7zz"], "-p", true),
    (&["security"], "-P", false),
    (&["security"], "-w", false),
    (&["redis-cli"], "-a", false),
    (&["ldapsearch", "ldapmodify", "ldapadd", "ldapwhoami"], "-w", false),
    (&["zip", "unzip", "sqlcmd"], "-P", false),
    (&["openssl"], "-k", false),
    (&["curl"], "-b", false),
];

/// Programs whose `-p` is known to be no password.
const PLAIN_P: [&str; 40] = [
    "ssh",
    "scp",
    "sftp",
    "mkdir",
    "cp",
    "mv",
    "install",
    "ps",
    "kill",
    "lsof",
    "nmap",
    "nc",
    "ncat",
    "netstat",
    "python",
    "python3",
    "perl",
    "ruby",
    "node",
    "npm",
    "npx",
    "bash",
    "sh",
    "zsh",
    "ksh",
    "read",
    "git",
    "make",
    "cargo",
    "xcrun",
    "xcode-select",
    "launchctl",
    "diff",
    "patch",
    "tar",
    "rsync",
    "codesign",
    "dscl",
    "touch",
    "defaults",
];

/// Programs whose `-u` names a user and group, or something else than a login.
const PLAIN_U: [&str; 8] = ["docker", "podman", "kubectl", "sudo", "chroot", "date", "sort", "id"];

/// Adds the secrets of an argument that is a command line itself, such as the text after `sh -c`.
pub(super) fn find_in_text(text: &str, found: &mut Vec<Range<usize>>) {
    if !text.contains(" -") {
        return;
    }
    let places = split(text);
    let is_break = |place: &Range<usize>| matches!(text.get(place.clone()), Some("|" | "||" | "&&" | "&" | ";"));
    for command in places.split(is_break) {
        let words: Vec<&str> = command.iter().map(|place| text.get(place.clone()).unwrap_or_default()).collect();
        for (at, range) in find_pairs(&words) {
            if let Some(place) = command.get(at) {
                found.push(place.start + range.start..place.start + range.end);
            }
        }
    }
}

/// The words of a command line as a shell splits it, without the quotes around a word, and `;` as a word of its own.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = None;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b' ' | b'\t' | b'\n' | b'\r') => {
                if let Some(start) = start.take() {
                    push_word(text, start..at, &mut places);
                }
            }
            (None, _) => {
                start.get_or_insert(at);
                if matches!(byte, b'"' | b'\'') {
                    quote = Some(byte);
                }
            }
        }
    }
    if let Some(start) = start {
        push_word(text, start..text.len(), &mut places);
    }
    places
}

fn push_word(text: &str, mut place: Range<usize>, places: &mut Vec<Range<usize>>) {
    let ends_command = text.get(place.clone()).is_some_and(|word| word.len() > 1 && word.ends_with(';'));
    if ends_command {
        place.end -= 1;
    }
    let word = text.get(place.clone()).unwrap_or_default();
    for quote in ['"', '\''] {
        if word.len() >= 2 && word.starts_with(quote) && word.ends_with(quote) {
            place = place.start + 1..place.end - 1;
            break;
        }
    }
    let after = place.end;
    places.push(place);
    if ends_command {
        let semicolon = text.get(after..).and_then(|rest| rest.find(';')).map_or(after, |found| after + found);
        places.push(semicolon..semicolon + 1);
    }
}

/// The secrets of a command line: number of the argument, and range within it.
pub(super) fn find_pairs(arguments: &[&str]) -> Vec<(usize, Range<usize>)> {
    let program = program(arguments);
    let mut found = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let Some(name) = argument.strip_prefix('-').filter(|name| !name.is_empty()) else { continue };
        if let Some(range) = attached(program, argument) {
            found.push((at, range));
            continue;
        }
        let Some(value) = arguments.get(at + 1).filter(|value| !value.starts_with('-')) else { continue };
        if let Some(range) = secret_of_pair(program, argument, name, value) {
            found.push((at + 1, range));
        }
        if program == "dscl" && *argument == "-passwd" {
            // dscl . -passwd /Users/anna OLD NEW
            found.extend(arguments.iter().enumerate().skip(at + 2).map(|(at, word)| (at, 0..word.len())));
            break;
        }
    }
    found.retain(|(at, range)| {
        arguments.get(*at).and_then(|word| word.get(range.clone())).is_some_and(|secret| secret != super::MASK)
    });
    found
}

/// File name of the first program that is no wrapper.
fn program<'a>(arguments: &[&'a str]) -> &'a str {
    arguments
        .iter()
        .filter(|argument| !argument.starts_with('-') && !argument.contains('='))
        .map(|argument| argument.rsplit('/').next().unwrap_or(argument))
        .find(|name| !WRAPPERS.contains(name))
        .unwrap_or("")
}

/// The secret that is attached to its option: `-pSECRET`, `-uuser:password`, `--user=user:password`.
fn attached(program: &str, argument: &str) -> Option<Range<usize>> {
    for (programs, option, may_attach) in SHORT_SECRETS {
        if may_attach && programs.contains(&program) && argument.len() > option.len() && argument.starts_with(option) {
            return Some(option.len()..argument.len());
        }
    }
    let start = if program == "curl" && argument.starts_with("-u") && argument.len() > 2 {
        2
    } else {
        let equals = argument.find('=')?;
        let option = argument.get(..equals)?;
        matches!(option, "--user" | "--proxy-user" | "--login").then_some(equals + 1)?
    };
    let range = password_of_login(argument.get(start..)?)?;
    Some(start + range.start..start + range.end)
}

/// The secret in the value after an option.
fn secret_of_pair(program: &str, option: &str, name: &str, value: &str) -> Option<Range<usize>> {
    let whole = 0..value.len();
    if matches!(option, "-u" | "-U" | "--user" | "--proxy-user" | "--login") {
        return if PLAIN_U.contains(&program) { None } else { password_of_login(value) };
    }
    if name.len() == 1 {
        if SHORT_SECRETS.iter().any(|(programs, short, _)| *short == option && programs.contains(&program)) {
            // A cookie without `=` is the name of a file.
            let is_file = option == "-b" && !value.contains('=');
            return (!is_file && !value.is_empty() && !is_reference(value)).then_some(whole);
        }
        return (option == "-p" && !PLAIN_P.contains(&program) && may_be_password(value)).then_some(whole);
    }
    if name.contains('=') || is_switch(name) || (program == "dscl" && option == "-passwd") {
        return None;
    }
    let class = classify(name);
    // openssl writes where a password comes from: `pass:secret`, `env:NAME`, `file:path`, `fd:3`, `stdin`.
    if class == NameClass::PathTolerant {
        if let Some(secret) = value.strip_prefix("pass:") {
            return (!secret.is_empty()).then_some(5..value.len());
        }
        if ["env:", "fd:", "stdin"].iter().any(|source| value.starts_with(source)) {
            return None;
        }
    }
    is_secret(class, value, false).then_some(whole)
}

/// Whether the value of `-p` may be a password: no number, no mapping of ports, no path, no URL.
fn may_be_password(value: &str) -> bool {
    !value.is_empty()
        && !is_path(value)
        && !value.contains('/')
        && !is_reference(value)
        && !value.bytes().all(|byte| byte.is_ascii_digit() || b":,-.".contains(&byte))
}

/// The password of `user:password`. `None` where the value has another form, such as `501:20` or a URL.
fn password_of_login(value: &str) -> Option<Range<usize>> {
    let (user, password) = value.split_once(':')?;
    let is_user = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@\\$".contains(&byte) || byte >= 0x80);
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_login = is_user && !password.is_empty() && !password.starts_with("//") && !is_reference(password);
    (is_login && !(is_number(user) && is_number(password))).then_some(user.len() + 1..value.len())
}
