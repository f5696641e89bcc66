//! Escaping: text from telemetry is hostile until it has passed one of these.

use std::fmt::Write;

/// Characters that act instead of showing: controls, bidirectional overrides, zero-width characters, the byte-order mark.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Text that cannot move the cursor, change colours or hide its direction: acting characters are shown as code points.
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => inert.push_str("\\n"),
            '\t' => inert.push_str("\\t"),
            '\r' => inert.push_str("\\r"),
            _ if acts(character) => {
                // Writing to a String cannot fail.
                let _ = write!(inert, "\\u{{{:x}}}", u32::from(character));
            }
            _ => inert.push(character),
        }
    }
    inert
}

/// Text that is only text within HTML elements and double-quoted attributes, and inert as in [`terminal`].
#[must_use]
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON text in which characters that act on a terminal are written as escapes. serde escapes those below U+0020 itself.
#[must_use]
pub fn json(line: &str) -> String {
    if !line.contains(acts) {
        return line.to_owned();
    }
    let mut inert = String::with_capacity(line.len() + 16);
    for character in line.chars() {
        if acts(character) {
            // All of them lie in the basic plane, so one escape is enough. Writing to a String cannot fail.
            let _ = write!(inert, "\\u{:04x}", u32::from(character));
        } else {
            inert.push(character);
        }
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_after_escaping() {
        let hostile = "a\u{1b}[2J\u{202e}b\u{9b}31m\u{200b}<script>&\"'\n\u{7f}";
        for escaped in
            [terminal(hostile), html(hostile), json(&format!("\"{}\"", hostile.replace(['"', '\n', '\u{1b}'], "")))]
        {
            assert!(!escaped.contains(acts), "{escaped:?}");
        }
        assert!(!html(hostile).contains('<'));
        assert_eq!(html("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "x\u{202e}y\u{85}z";
        let line = serde_json::to_string(text).unwrap();
        let inert = json(&line);
        assert!(inert.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&inert).unwrap(), text);
    }
}
