//! The texts of objects: their citations numbered, their links and code told apart from words.

use serde::Serialize;
use serde_json::Value;

/// How a citation begins in the texts of ATT&CK.
const CITATION: &str = "(Citation: ";

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Segment {
    /// Words.
    Text(String),
    /// Words that lead somewhere: only `http` and `https`.
    Link {
        /// The words.
        label: String,
        /// Where they lead.
        url: String,
    },
    /// A citation, by its number.
    Citation(usize),
    /// Code.
    Code(String),
}

/// A source that a text cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// Its number in this text, from 1.
    pub number: usize,
    /// The name it is cited by.
    pub name: String,
    /// What it is. `None` where the object does not list it.
    pub description: Option<String>,
    /// Where it is: only `http` and `https`.
    pub url: Option<String>,
}

/// A text with its citations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prose {
    /// The text in pieces.
    pub segments: Vec<Segment>,
    /// What it cites, by number.
    pub citations: Vec<Citation>,
}

impl Prose {
    /// The description of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let mut prose = Self::default();
        if let Some(text) = object.get("description").and_then(Value::as_str) {
            prose.read(text, object);
        }
        prose
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The text for plain output: `[n]` for citations, links by their words.
    #[must_use]
    pub fn plain(&self) -> String {
        let piece = |segment: &Segment| match segment {
            Segment::Text(text) | Segment::Code(text) => text.clone(),
            Segment::Link { label, .. } => label.clone(),
            Segment::Citation(number) => format!(" [{number}]"),
        };
        self.segments.iter().map(piece).collect()
    }

    fn read(&mut self, text: &str, object: &Value) {
        let mut rest = text;
        while let Some((before, segment, after)) = self.next_special(rest, object) {
            self.push_text(before);
            self.segments.push(segment);
            rest = after;
        }
        self.push_text(rest);
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.segments.last_mut() {
            Some(Segment::Text(last)) => last.push_str(text),
            _ => self.segments.push(Segment::Text(text.to_owned())),
        }
    }

    /// The first citation, link or piece of code: what stands before it, itself, and what follows.
    fn next_special<'t>(&mut self, text: &'t str, object: &Value) -> Option<(&'t str, Segment, &'t str)> {
        let mut from = 0;
        loop {
            let at = from + text.get(from..)?.find(['(', '[', '`', '<'])?;
            let (before, here) = (text.get(..at)?, text.get(at..)?);
            if let Some((segment, length)) = self.special(here, object) {
                return Some((before, segment, here.get(length..)?));
            }
            from = at + 1;
        }
    }

    fn special(&mut self, here: &str, object: &Value) -> Option<(Segment, usize)> {
        if let Some(inner) = here.strip_prefix(CITATION) {
            let end = inner.find(')')?;
            let number = self.cite(inner.get(..end)?.trim(), object);
            return Some((Segment::Citation(number), CITATION.len() + end + 1));
        }
        if let Some(inner) = here.strip_prefix("<code>") {
            let end = inner.find("</code>")?;
            return Some((Segment::Code(inner.get(..end)?.to_owned()), "<code></code>".len() + end));
        }
        if let Some(inner) = here.strip_prefix('`') {
            let end = inner.find('`').filter(|end| *end > 0)?;
            return Some((Segment::Code(inner.get(..end)?.to_owned()), end + 2));
        }
        let inner = here.strip_prefix('[')?;
        let middle = inner.find("](")?;
        let label = inner.get(..middle)?;
        let target = inner.get(middle + 2..)?;
        let end = target.find(')')?;
        let url = web(target.get(..end)?)?;
        (!label.contains(['[', '\n'])).then(|| (Segment::Link { label: label.to_owned(), url }, middle + end + 4))
    }

    fn cite(&mut self, name: &str, object: &Value) -> usize {
        if let Some(found) = self.citations.iter().find(|citation| citation.name == name) {
            return found.number;
        }
        let number = self.citations.len() + 1;
        let references = object.get("external_references").and_then(Value::as_array);
        let found = references
            .into_iter()
            .flatten()
            .find(|reference| reference.get("source_name").and_then(Value::as_str) == Some(name));
        let text = |field: &str| found?.get(field)?.as_str();
        self.citations.push(Citation {
            number,
            name: name.to_owned(),
            description: text("description").map(str::to_owned),
            url: text("url").and_then(web),
        });
        number
    }
}

/// The address, where it is one of the web: nothing that runs or opens a file.
pub(crate) fn web(url: &str) -> Option<String> {
    let url = url.trim();
    let head = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let known = head.starts_with("https://") || head.starts_with("http://");
    (known && !url.contains(|character: char| character.is_whitespace() || character.is_control()))
        .then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn citations_are_numbered_and_links_and_code_are_seen() {
        let object = json!({
            "description": "See [Web](https://a.example/x) (or not).(Citation: One) Run `log show` or <code>a<b</code>(Citation: Two)(Citation: One)",
            "external_references": [{ "source_name": "One", "description": "First.", "url": "javascript:alert(1)" },
                { "source_name": "Two", "url": "http://b.example" }],
        });
        let prose = Prose::of(&object);
        assert_eq!(prose.plain(), "See Web (or not). [1] Run log show or a<b [2] [1]");
        assert_eq!(prose.segments[1], Segment::Link { label: "Web".into(), url: "https://a.example/x".into() });
        assert!(prose.segments.contains(&Segment::Code("a<b".into())));
        assert_eq!(prose.citations.len(), 2);
        assert_eq!(
            (prose.citations[0].url.as_deref(), prose.citations[1].url.as_deref()),
            (None, Some("http://b.example"))
        );
        assert_eq!(prose.citations[0].description.as_deref(), Some("First."));
    }

    #[test]
    fn what_only_looks_like_a_link_is_text() {
        for text in ["[a](javascript:x)", "a ] (b) [", "(Citation: open", "`open", "[x](file:///etc/passwd)", "<code>é"]
        {
            let prose = Prose::of(&json!({ "description": text }));
            assert_eq!(prose.segments, [Segment::Text(text.into())], "{text}");
        }
        let unknown = Prose::of(&json!({ "description": "x(Citation: Lost)" }));
        assert_eq!(unknown.citations[0].description, None);
    }
}
