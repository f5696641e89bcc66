//! Command lines that a sensor writes as one text: taken apart again, as far as that can be done.

use crate::texts;

/// The arguments of a command line written as one text. The path of the program may hold spaces, so it is taken off
/// first where it is known. Quotes hold an argument together; secrets are redacted.
pub(crate) fn split(line: &str, program: Option<&str>) -> Vec<String> {
    let line = line.trim();
    let (first, rest) = match program.filter(|program| !program.is_empty()) {
        Some(program) => match line.strip_prefix(program) {
            Some(rest) if rest.is_empty() || rest.starts_with(char::is_whitespace) => (Some(program), rest),
            _ => (None, line),
        },
        None => (None, line),
    };
    let mut arguments: Vec<String> = first.map(str::to_owned).into_iter().collect();
    arguments.extend(Words { rest }.take(texts::ARGUMENT_CAP - arguments.len()));
    texts::arguments(&arguments)
}

/// Words of a line, quotes undone.
struct Words<'a> {
    rest: &'a str,
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let mut word = String::new();
        let mut quote = None;
        let mut end = rest.len();
        for (at, character) in rest.char_indices() {
            match (quote, character) {
                (Some(open), _) if character == open => quote = None,
                (None, '"' | '\'') => quote = Some(character),
                (None, _) if character.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => word.push(character),
            }
        }
        self.rest = rest.get(end..).unwrap_or_default();
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_spaces_is_one_argument_and_secrets_are_masked() {
        let program = "/Applications/Example Agent.app/Contents/MacOS/Example Agent";
        let line = format!("{program} --mode 'two words' --password hunter2");
        assert_eq!(split(&line, Some(program)), [program, "--mode", "two words", "--password", "***"]);
        assert_eq!(split("curl -s https://a.example/", Some("/usr/bin/curl")), ["curl", "-s", "https://a.example/"]);
        assert_eq!(split("  ", None), Vec::<String>::new());
        assert_eq!(split("sh -c \"echo 1", None), ["sh", "-c", "echo 1"]);
    }
}
