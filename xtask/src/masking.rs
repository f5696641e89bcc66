//! Rust source with the insides of comments and literals blanked, so that rules look at code only.

use std::iter::Peekable;
use std::str::Chars;

/// The source with comments, and what strings and character literals hold, replaced by spaces. Line ends stay, so line
/// numbers stay true.
#[must_use]
pub(crate) fn mask(source: &str) -> String {
    let mut masked = Masked { out: String::with_capacity(source.len()), rest: source.chars().peekable() };
    let mut previous = ' ';
    while let Some(character) = masked.rest.next() {
        let starts_word = !(previous.is_alphanumeric() || previous == '_');
        match character {
            '/' if masked.rest.peek() == Some(&'/') => masked.line_comment(),
            '/' if masked.rest.peek() == Some(&'*') => masked.block_comment(),
            '"' => masked.string(),
            'r' if starts_word || previous == 'b' || previous == 'c' => masked.raw_string(),
            '\'' => masked.character_or_lifetime(),
            other => masked.out.push(other),
        }
        previous = character;
    }
    masked.out
}

struct Masked<'a> {
    out: String,
    rest: Peekable<Chars<'a>>,
}

impl Masked<'_> {
    fn blank(&mut self, character: char) {
        self.out.push(if character == '\n' { '\n' } else { ' ' });
    }

    fn line_comment(&mut self) {
        self.out.push(' ');
        while let Some(character) = self.rest.next_if(|character| *character != '\n') {
            self.blank(character);
        }
    }

    fn block_comment(&mut self) {
        self.rest.next();
        self.out.push_str("  ");
        let mut depth = 1;
        while let Some(character) = self.rest.next() {
            let nesting = match (character, self.rest.peek()) {
                ('*', Some('/')) => -1,
                ('/', Some('*')) => 1,
                _ => {
                    self.blank(character);
                    continue;
                }
            };
            self.rest.next();
            self.out.push_str("  ");
            depth += nesting;
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.out.push('"');
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => {
                    self.out.push(' ');
                    if let Some(escaped) = self.rest.next() {
                        self.blank(escaped);
                    }
                }
                '"' => {
                    self.out.push('"');
                    return;
                }
                other => self.blank(other),
            }
        }
    }

    /// After an `r`: a raw string, or just a name that begins with it.
    fn raw_string(&mut self) {
        self.out.push('r');
        let mut ahead = self.rest.clone();
        let hashes = std::iter::from_fn(|| ahead.next_if_eq(&'#')).count();
        if ahead.next() != Some('"') {
            return;
        }
        self.rest = ahead;
        self.out.extend(std::iter::repeat_n('#', hashes).chain(['"']));
        while let Some(character) = self.rest.next() {
            let mut ahead = self.rest.clone();
            if character == '"' && (0..hashes).all(|_| ahead.next() == Some('#')) {
                self.rest = ahead;
                self.out.extend(['"'].into_iter().chain(std::iter::repeat_n('#', hashes)));
                return;
            }
            self.blank(character);
        }
    }

    /// After a `'`: a literal closes after one character or escape; a lifetime or label does not.
    fn character_or_lifetime(&mut self) {
        self.out.push('\'');
        let mut ahead = self.rest.clone();
        let first = ahead.next();
        if first != Some('\\') && ahead.next() != Some('\'') {
            return;
        }
        if first == Some('\\') {
            self.rest.next();
            self.out.push(' ');
        }
        if let Some(character) = self.rest.next() {
            self.blank(character);
        }
        while let Some(character) = self.rest.next_if(|character| *character != '\n') {
            if character == '\'' {
                self.out.push('\'');
                return;
            }
            self.blank(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        let source = r####"let a = "x{\"y"; // c{
/* one /* two */ { */ let b = r#"p"{"#; let c = '{'; let d: &'a str = '\''; r = 1;"####;
        let masked = mask(source);
        assert_eq!(masked.lines().count(), 2);
        assert_eq!(masked.chars().count(), source.chars().count());
        assert!(!masked.contains('{'), "{masked}");
        for code in ["let a = ", "let b = r#", "let c = ", "let d: &'a str", "r = 1;"] {
            assert!(masked.contains(code), "{code} lost in {masked}");
        }
    }

    #[test]
    fn lifetimes_and_labels_do_not_open_a_literal() {
        let source = "fn f<'a>(x: &'a str) -> &'static str { 'outer: loop { break 'outer } }";
        assert_eq!(mask(source), source);
    }

    #[test]
    fn a_slash_star_slash_does_not_close_the_comment_it_opens() {
        assert_eq!(mask("/*/ hidden */shown"), "             shown");
    }
}
