//! Lines of text for people: everything from a bundle made inert, long texts wrapped, JSON with acting characters escaped.

use anyhow::Result;
use monologue_report::escape;
use serde::Serialize;
use std::io::{self, Write};

/// Width to which texts are wrapped.
const WIDTH: usize = 100;

/// Prints one JSON value.
///
/// # Errors
/// When standard output is closed.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value)?;
    writeln!(io::stdout().lock(), "{}", escape::json(&text))?;
    Ok(())
}

/// Prints text that was made inert before.
///
/// # Errors
/// When standard output is closed.
pub(super) fn text(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// A text in paragraphs, made inert, wrapped and indented.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    for paragraph in text.lines() {
        let paragraph = escape::terminal(paragraph.trim_end());
        let lead: String = paragraph.chars().take_while(|character| *character == ' ').collect();
        let mut line = format!("{indent}{lead}");
        let mut empty = true;
        for word in paragraph.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                out.push_str(line.trim_end());
                out.push('\n');
                line = format!("{indent}{lead}");
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A label and its value on one line; nothing where there is no value.
pub(super) fn fact(label: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("  {label:<13} {}\n", escape::terminal(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_and_inert() {
        let text = format!("{}\n\n  - \u{1b}[31mred", "word ".repeat(40));
        let out = wrapped(&text, "  ");
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH), "{out}");
        assert!(out.ends_with("    - \\u{1b}[31mred\n"), "{out}");
        assert_eq!(out.matches("word").count(), 40);
    }
}
