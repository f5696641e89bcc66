//! Words for a shell: what stands in a command that somebody may paste.

/// One word of a command for `sh` or `zsh`, whatever stands in it. A leading `~/` stays the home folder.
pub(super) fn quoted(text: &str) -> String {
    let (home, rest) = match text.strip_prefix("~/") {
        Some(rest) => ("~/", rest),
        None => ("", text),
    };
    let harmless = |character: char| character.is_ascii_alphanumeric() || "_./:@%+=,-".contains(character);
    // A word that begins with a hyphen would be an option.
    if !rest.is_empty() && rest.chars().all(harmless) && !text.starts_with('-') {
        return text.to_owned();
    }
    let path = if text.starts_with('-') { format!("./{text}") } else { rest.to_owned() };
    format!("{home}'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_word_acts() {
        assert_eq!(quoted("/usr/bin/curl"), "/usr/bin/curl");
        assert_eq!(quoted("~/Library/a b"), "~/'Library/a b'");
        assert_eq!(quoted("/tmp/x'; rm -rf ~; '"), r"'/tmp/x'\''; rm -rf ~; '\'''");
        assert_eq!(quoted("$(id)`id`"), "'$(id)`id`'");
        assert_eq!(quoted("--help"), "'./--help'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for hostile in ["a'b", "$(touch x)", "a\\b\"c", "; exit 7 #", "*?[a]", "~root", "!!"] {
            let command = format!("printf %s {}", quoted(hostile));
            let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), hostile, "{command}");
        }
    }
}
