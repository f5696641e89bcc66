//! Wrapped text for a terminal.

use crate::escape::terminal;
use std::io::{self, Write};

/// Columns the text is wrapped to.
pub(crate) const WIDTH: usize = 100;

/// A paragraph of hostile text, wrapped, each line after the indent.
///
/// # Errors
/// When writing fails.
pub(crate) fn paragraph(to: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    item(to, indent, text)
}

/// Text after a lead; further lines are indented as far as the lead reaches. The lead is ours, the text is hostile.
///
/// # Errors
/// When writing fails.
pub(crate) fn item(to: &mut dyn Write, lead: &str, text: &str) -> io::Result<()> {
    let indent = lead.chars().count();
    let mut line = String::new();
    let mut first = true;
    let mut flush = |line: &mut String| -> io::Result<()> {
        let start = if first { lead.to_owned() } else { " ".repeat(indent) };
        first = false;
        writeln!(to, "{}", format!("{start}{line}").trim_end())?;
        line.clear();
        Ok(())
    };
    for word in terminal(text).split(' ') {
        let room = WIDTH.saturating_sub(indent).max(20);
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            flush(&mut line)?;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    flush(&mut line)
}
