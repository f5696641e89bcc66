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

/// As [`html`], with what stands between backticks as code: our own sentences quote commands so.
#[must_use]
pub fn html_with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick of the telemetry's own leaves one over: then nothing is taken for code.
    if parts.len().is_multiple_of(2) {
        return html(text);
    }
    let tagged = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        0 => html(part),
        _ => format!("<code>{}</code>", html(part)),
    });
    tagged.collect()
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

/// Pretty JSON text, line by line as in [`json`].
#[must_use]
pub fn json_lines(text: &str) -> String {
    text.split('\n').map(json).collect::<Vec<_>>().join("\n")
}

/// A double-quoted YAML scalar that means exactly this text: JSON strings are YAML, and what YAML forbids to stand as it is
/// (YAML 1.2, 5.1) is written as an escape, as is what acts.
#[must_use]
pub fn yaml(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            _ if acts(character) || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                // All of them lie in the basic plane. Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Text for a cell of a table: inert as in [`terminal`], and no formula. Spreadsheets take a cell that begins with one of
/// `= + - @` (full-width ones too) for a formula, after blanks; an apostrophe before it makes it text.
#[must_use]
pub fn cell(text: &str) -> String {
    let inert = terminal(text);
    let begins = |character: char| matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    // What acted before it was made inert, such as a tab, is a backslash now and begins no formula.
    if inert.trim_start().starts_with(begins) { format!("'{inert}") } else { inert }
}

/// Text for the header of a Common Event Format record: bars and backslashes are escaped, line ends are spaces.
#[must_use]
pub fn cef_header(text: &str) -> String {
    let one_line: String = text.chars().map(|character| if character == '\n' { ' ' } else { character }).collect();
    terminal(&one_line).replace('\\', "\\\\").replace('|', "\\|")
}

/// Text for a value in the extension of a Common Event Format record: backslashes and equals signs are escaped, line ends
/// are `\n`, as the format says, and what acts is shown as a code point.
#[must_use]
pub fn cef_value(text: &str) -> String {
    let lines = text.split('\n').map(|line| terminal(line).replace('\\', "\\\\").replace('=', "\\="));
    lines.collect::<Vec<_>>().join("\\n")
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
    fn commands_between_backticks_are_code_and_still_escaped() {
        assert_eq!(html_with_code("run `a <b>` now"), "run <code>a &lt;b&gt;</code> now");
        assert_eq!(html_with_code("one ` is left as it is"), "one ` is left as it is");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "x\u{202e}y\u{85}z";
        let line = serde_json::to_string(text).unwrap();
        let inert = json(&line);
        assert!(inert.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&inert).unwrap(), text);
    }

    #[test]
    fn cells_hold_no_formula_and_no_line_end() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u{ff1d}1"] {
            assert!(cell(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!(cell("\t=1"), "\\t=1");
        assert_eq!(cell("a=b-c@d"), "a=b-c@d");
        assert!(!cell("a\r\nb").contains(['\r', '\n']));
    }

    #[test]
    fn common_event_format_cannot_be_broken_out_of() {
        // The rules of the format: in the header `\` and `|` are escaped; in the extension `\`, `=` and line ends.
        assert_eq!(cef_header("a|b\\c\nd"), "a\\|b\\\\c d");
        assert_eq!(cef_value("a=b\\c|d\ne"), "a\\=b\\\\c|d\\ne");
        assert_eq!(cef_value("\u{1b}[2J"), "\\\\u{1b}[2J");
        for escaped in [cef_header("x\u{202e}\r\n\u{7f}"), cef_value("x\u{202e}\r\n\u{7f}")] {
            assert!(!escaped.contains(acts), "{escaped:?}");
        }
    }

    #[test]
    fn yaml_scalars_stay_one_scalar_of_safe_characters() {
        assert_eq!(yaml("a: \"b\" \\ # c"), "\"a: \\\"b\\\" \\\\ # c\"");
        assert_eq!(yaml("\u{1b}\u{85}\u{202e}\n\u{feff}\u{ffff}"), "\"\\u001b\\u0085\\u202e\\u000a\\ufeff\\uffff\"");
    }
}
