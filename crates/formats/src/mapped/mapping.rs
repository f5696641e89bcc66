//! A mapping: the TOML file that says how the records of a format become events, checked as a whole before the first is read.

use super::{
    paths::{self, EventKind},
    shape::{RawShape, Shape},
    shipped,
    spec::{self, Spec},
};
use monologue_model::{Sight, SightSet};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Spanned, Value};

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}, line {line}: {expected}")]
pub struct MappingError {
    /// The file.
    pub source_name: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// What was expected of which field, with a hint where one helps.
    pub expected: String,
}

/// A checked mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) event: EventKind,
    pub(super) sights: SightSet,
    pub(super) shape: Shape,
    pub(super) detect: Detect,
    /// Texts that mean "not recorded", beside the empty one.
    pub(super) nulls: Vec<String>,
    pub(super) fields: BTreeMap<&'static str, Spec>,
    pub(super) rules: Vec<Rule>,
    /// Mappings of the product whose records may stand in the same file.
    pub(super) beside: Vec<String>,
}

/// By what records of the format are known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Detect {
    /// Fields that a record has.
    #[serde(default)]
    pub(super) has: Vec<String>,
    /// Fields and the texts one of which each has.
    #[serde(default)]
    pub(super) r#where: BTreeMap<String, Texts>,
    /// A text that stands in the line.
    #[serde(default)]
    pub(super) text: Option<String>,
}

/// One text or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Texts {
    /// The texts.
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }

    /// Whether a field's text is one of them. `""` is a field that is not there, `*` at the end stands for any rest, and `!`
    /// at the beginning for "not this".
    pub(super) fn accept(&self, text: Option<&str>) -> bool {
        self.all().iter().any(|wanted| match (wanted.strip_prefix('!'), text) {
            (Some(unwanted), text) => !matches(unwanted, text),
            (None, text) => matches(wanted, text),
        })
    }
}

fn matches(wanted: &str, text: Option<&str>) -> bool {
    let Some(text) = text else { return wanted.is_empty() };
    match wanted.strip_suffix('*') {
        Some(start) => text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)),
        None => wanted.eq_ignore_ascii_case(text),
    }
}

/// What is done with records that meet a condition.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) r#where: BTreeMap<String, Texts>,
    /// They are passed over, for this reason.
    pub(super) skip: Option<String>,
    /// They say that records were lost.
    pub(super) lost: bool,
    /// These fields are taken in place of those of the whole mapping.
    pub(super) fields: BTreeMap<&'static str, Spec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    name: Spanned<String>,
    about: String,
    event: Spanned<String>,
    #[serde(default)]
    sights: Vec<Spanned<String>>,
    shape: Spanned<RawShape>,
    detect: Spanned<Detect>,
    #[serde(default)]
    nulls: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, Spanned<Value>>,
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    beside: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRule {
    r#where: BTreeMap<String, Texts>,
    #[serde(default)]
    skip: Option<String>,
    #[serde(default)]
    lost: bool,
    #[serde(default)]
    fields: BTreeMap<String, Spanned<Value>>,
}

/// Bytes of a mapping.
const SIZE_CAP: usize = 1 << 20;

impl Mapping {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// The first thing that is wrong with it, by line.
    pub(super) fn parse(text: &str, source_name: &str) -> Result<Self, MappingError> {
        let line_of = |at: usize| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        let wrong = |line, expected: String| MappingError { source_name: source_name.to_owned(), line, expected };
        if text.len() > SIZE_CAP {
            return Err(wrong(1, format!("expected at most {SIZE_CAP} bytes, found {}", text.len())));
        }
        let raw: Raw = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(span.start));
            wrong(line, error.message().replace('\n', ", "))
        })?;
        let at = |spanned: std::ops::Range<usize>| line_of(spanned.start);
        let name = raw.name.get_ref();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(wrong(
                at(raw.name.span()),
                format!("expected a name of lower-case letters, digits and `-` in `name`, found {name:?}"),
            ));
        }
        let event = EventKind::named(raw.event.get_ref()).map_err(|expected| wrong(at(raw.event.span()), expected))?;
        let mut sights = SightSet::EMPTY;
        for name in &raw.sights {
            let sight = Sight::from_name(name.get_ref()).ok_or_else(|| {
                wrong(at(name.span()), format!("expected the name of a sight in `sights`, found {:?}", name.get_ref()))
            })?;
            sights.insert(sight);
        }
        let mut beside = Vec::new();
        for name in raw.beside {
            if shipped::beside(name.get_ref()).is_none() {
                let known = shipped::names_beside().join("`, `");
                let found = name.get_ref();
                return Err(wrong(at(name.span()), format!("expected one of `{known}` in `beside`, found {found:?}")));
            }
            beside.push(name.into_inner());
        }
        let shape_line = at(raw.shape.span());
        let shape = Shape::compile(raw.shape.into_inner()).map_err(|expected| wrong(shape_line, expected))?;
        let detect_line = at(raw.detect.span());
        let detect = raw.detect.into_inner();
        if detect.has.is_empty() && detect.r#where.is_empty() && detect.text.is_none() {
            let expected = "expected `has`, `where` or `text` in `detect`: by what is a record known?".to_owned();
            return Err(wrong(detect_line, expected));
        }
        let known = shape.known_names();
        let compile = |fields: BTreeMap<String, Spanned<Value>>| {
            let mut compiled = BTreeMap::new();
            for (path, value) in fields {
                let line = at(value.span());
                let kind = paths::find(event, &path).map_err(|expected| wrong(line, expected))?;
                let spec =
                    spec::compile(&path, kind.1, value.into_inner()).map_err(|expected| wrong(line, expected))?;
                if let Some(unknown) = known.as_ref().and_then(|known| spec.unknown(known)) {
                    let expected = format!("expected a field of the shape in `{path}`, found {unknown:?}");
                    return Err(wrong(line, expected));
                }
                compiled.insert(kind.0, spec);
            }
            Ok(compiled)
        };
        let fields = compile(raw.fields)?;
        let mut rules = Vec::new();
        for rule in raw.rule {
            let line = at(rule.span());
            let rule = rule.into_inner();
            let fields = compile(rule.fields)?;
            if rule.skip.is_none() && !rule.lost && fields.is_empty() {
                return Err(wrong(line, "expected `skip`, `lost` or `fields` in a rule".to_owned()));
            }
            rules.push(Rule { r#where: rule.r#where, skip: rule.skip, lost: rule.lost, fields });
        }
        // Codes of Squid's layouts have their places already.
        let required = if matches!(shape, Shape::Squid(_)) { &[][..] } else { event.required() };
        for alternatives in required {
            let given =
                |path: &&&str| fields.contains_key(**path) || rules.iter().any(|rule| rule.fields.contains_key(**path));
            if !alternatives.iter().any(|path| given(&path)) {
                return Err(wrong(1, format!("expected `{}` in `fields`", alternatives.join("` or `"))));
            }
        }
        let sights = if raw.sights.is_empty() { event.sights() } else { sights };
        let name = raw.name.into_inner();
        Ok(Self { name, about: raw.about, event, sights, shape, detect, nulls: raw.nulls, fields, rules, beside })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"name = "acme"
about = "Acme"
event = "http"
[shape]
kind = "json"
[detect]
has = ["acme"]
[fields]
time = { from = "t", form = "epoch-s" }
"client.address" = "c"
url = "u"
"response.bytes" = { from = "n", layer = "body" }
"#;

    fn error(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        Mapping::parse(&GOOD.replace(from, to), "acme.toml").unwrap_err().to_string()
    }

    #[test]
    fn a_bad_mapping_is_told_by_line_field_and_what_was_expected() {
        let good = Mapping::parse(GOOD, "acme.toml").unwrap();
        assert_eq!((good.name.as_str(), good.fields.len()), ("acme", 4));
        assert_eq!(
            error("\"http\"", "\"web\""),
            "acme.toml, line 3: expected `http`, `flow` or `dns` in `event`, found \"web\""
        );
        assert!(
            error("url = ", "urll = ").starts_with(
                "acme.toml, line 11: expected a path of `http`, found \"urll\"; hint: did you mean `url`?"
            )
        );
        assert!(error("epoch-s", "epoch-h").starts_with("acme.toml, line 9: in `time`, expected `epoch-s`"));
        assert_eq!(
            error("layer = \"body\"", "layer = \"bodies\""),
            "acme.toml, line 12: in `response.bytes`, expected `payload`, `ip`, `frame`, `body` or `message` as layer, found \"bodies\""
        );
        assert_eq!(
            error("layer = \"body\"", "unit = \"s\""),
            "acme.toml, line 12: in `response.bytes`, expected no `unit`: it is for durations"
        );
        assert!(
            error("kind = \"json\"", "kind = \"yaml\"")
                .starts_with("acme.toml, line 5: unknown variant `yaml`, expected one of")
        );
        assert_eq!(error("url = \"u\"\n", ""), "acme.toml, line 1: expected `url` or `host` in `fields`");
        assert!(
            error("[shape]", "beside = [\"cef-webb\"]\n[shape]")
                .starts_with("acme.toml, line 4: expected one of `ocsf-http`")
        );
        assert!(error("event = ", "event ").starts_with("acme.toml, line 3: "));
        assert!(error("[detect]\nhas = [\"acme\"]", "[detect]").contains("by what is a record known?"));
        assert!(error("about = \"Acme\"\n", "").contains("missing field `about`"));
    }

    #[test]
    fn conditions_know_absence_beginnings_and_negation() {
        let texts = |list: &[&str]| Texts::Several(list.iter().map(|text| (*text).to_owned()).collect());
        assert!(texts(&["block*"]).accept(Some("Blocked")));
        assert!(!texts(&["block*"]).accept(Some("allowed")) && !texts(&["block*"]).accept(None));
        assert!(texts(&[""]).accept(None) && !texts(&[""]).accept(Some("x")));
        assert!(texts(&["!end"]).accept(Some("start")) && texts(&["!end"]).accept(None));
        assert!(!texts(&["!end"]).accept(Some("end")));
    }
}
