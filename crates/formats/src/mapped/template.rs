//! Templates: a line as literal text with named fields between, such as `client {client}#{port}: query: {name}`.

use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A field, by its name; empty: passed over.
    Field(String),
    /// Text that stands between. A blank stands for one or more.
    Literal(String),
}

/// A compiled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

/// Parts of one template.
const PART_CAP: usize = 200;

impl Template {
    /// Compiles a template. `{name}` is a field, `{}` one that is passed over; a field ends where the text after it begins,
    /// and the last takes what is left.
    ///
    /// # Errors
    /// What was expected, and at which byte.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let place = text.len() - rest.len() + at;
            let (literal, field) = rest.split_at_checked(at).unwrap_or((rest, ""));
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            } else if matches!(parts.last(), Some(Part::Field(_))) {
                return Err(format!("expected text between two fields, at byte {place} of the template"));
            }
            let (name, after) = field
                .get(1..)
                .and_then(|inside| inside.split_once('}'))
                .ok_or_else(|| format!("expected }} for the {{ at byte {place} of the template"))?;
            parts.push(Part::Field(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if parts.is_empty() || parts.len() > PART_CAP {
            return Err(format!("expected 1 to {PART_CAP} parts in the template, found {}", parts.len()));
        }
        Ok(Self(parts))
    }

    /// The fields of a line. `None`: it does not fit.
    pub(super) fn fields<'a>(&'a self, line: &'a str) -> Option<Vec<(Cow<'a, str>, Cow<'a, str>)>> {
        let mut fields = Vec::new();
        let mut rest = line;
        let mut parts = self.0.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => rest = skip(rest, text)?,
                Part::Field(name) => {
                    let end = match parts.peek() {
                        Some(Part::Literal(text)) => rest.find(text.as_str()).or_else(|| {
                            // At the end of a line the blanks of the text may be missing.
                            let bare = text.trim_end();
                            if bare.is_empty() {
                                Some(rest.len())
                            } else {
                                rest.ends_with(bare).then(|| rest.len() - bare.len())
                            }
                        })?,
                        _ => rest.len(),
                    };
                    let (value, after) = rest.split_at_checked(end)?;
                    if !name.is_empty() {
                        fields.push((Cow::Borrowed(name.as_str()), Cow::Borrowed(value.trim())));
                    }
                    rest = after;
                }
            }
        }
        Some(fields)
    }

    /// Names of the fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(name) if !name.is_empty() => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Passes over the text of a template.
fn skip<'a>(mut rest: &'a str, text: &str) -> Option<&'a str> {
    for wanted in text.chars() {
        if wanted == ' ' {
            let trimmed = rest.trim_start_matches(' ');
            if trimmed.len() == rest.len() && !rest.is_empty() {
                return None;
            }
            rest = trimmed;
        } else {
            rest = rest.strip_prefix(wanted)?;
        }
    }
    Some(if text.ends_with(' ') { rest.trim_start_matches(' ') } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_where_the_text_after_them_begins() {
        let template = Template::compile("[{time}] \"{user}\" {client} {} {rest}").unwrap();
        let fields = template.fields("[25/Nov/2026:10:00:00 +0000] \"Anna B\"  10.0.0.5 x y z").unwrap();
        let named: Vec<_> = fields.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(
            named,
            [("time", "25/Nov/2026:10:00:00 +0000"), ("user", "Anna B"), ("client", "10.0.0.5"), ("rest", "y z")]
        );
        assert!(template.fields("no brackets").is_none());
        assert!(Template::compile("{a}{b}").unwrap_err().contains("byte 3"));
        assert!(Template::compile("{a").unwrap_err().contains("byte 0"));
    }
}
