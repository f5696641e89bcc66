//! Words that documentation does not use, because another word is the project's.

/// The word, and what to write instead.
const WORDS: [(&str, &str); 4] =
    [("connector", "reader"), ("ingestor", "reader"), ("log entry", "record"), ("whitelist", "baseline or approval")];

/// Words not to use in a Markdown file, with line numbers. Code, in fences or backticks, is left alone.
#[must_use]
pub(crate) fn in_markdown(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(in_line(line).map(|problem| (number, problem)));
        }
    }
    found
}

/// Words not to use in the documentation comments of a Rust source, with line numbers.
#[must_use]
pub(crate) fn in_documentation_comments(source: &str) -> Vec<(usize, String)> {
    let comment = |line: &'_ str| {
        let line = line.trim_start();
        line.starts_with("///") || line.starts_with("//!")
    };
    (1..)
        .zip(source.lines())
        .filter(|(_, line)| comment(line))
        .flat_map(|(number, line)| in_line(line).map(move |problem| (number, problem)))
        .collect()
}

fn in_line(line: &str) -> impl Iterator<Item = String> {
    // Every second piece between backticks is code.
    let prose: Vec<&str> = line.split('`').step_by(2).collect();
    let prose = prose.join(" ").to_lowercase();
    WORDS.into_iter().filter(move |(word, _)| contains_word(&prose, word)).map(|(word, instead)| {
        format!("expected {instead}, found \"{word}\"; see ARCHITECTURE.md for the words we use")
    })
}

/// Whether `word` begins a word of `text`, so that plurals and verb forms count too.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text.get(..at).unwrap_or_default().ends_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_prose_and_left_alone_in_code() {
        let text = "A Connector.\n`whitelist`\n```\ningestor\n```\nwhitelisted, log entry\nreconnectors\n";
        let lines: Vec<usize> = in_markdown(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 6, 6]);
    }

    #[test]
    fn only_documentation_comments_of_source_are_looked_at() {
        let source = "//! A whitelist.\nlet whitelist = 1; // whitelist\n    /// An ingestor.\n";
        let lines: Vec<usize> = in_documentation_comments(source).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 3]);
    }
}
