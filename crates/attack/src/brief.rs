//! The analyst's view of an object: what it asks for, and what this site's own numbers allow to be said of it.
//!
//! Every line says what it rests on. A line about the site rests on a number of its coverage or findings; without those
//! files the brief says "not measured here", and fills nothing in.

mod write;

use crate::{
    crosswalk::{self, Asked, Cover, Demand, Row},
    known::{self, Known},
    measured::{Coverage, Findings},
    problem::Error,
    view::View,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a line rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The object itself, as imported or as known.
    Object(String),
    /// What this product is built to see.
    Product,
    /// Numbers of this site: where each stands, and its value.
    Measured(Vec<(String, String)>),
    /// Nothing was measured.
    NotMeasured,
}

/// Who a section is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// Those who decide.
    Executives,
    /// Those who hunt.
    SecurityTeam,
}

/// A sentence and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The sentence.
    pub text: String,
    /// What it rests on.
    pub basis: Basis,
}

/// Lines under a title.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Title.
    pub title: &'static str,
    /// Who it is for.
    pub reader: Reader,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// The analyst's view of an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Brief {
    /// Version of this contract.
    pub schema: &'static str,
    /// ATT&CK id.
    pub id: String,
    /// Name.
    pub name: String,
    /// STIX type.
    pub kind: String,
    /// Canonical hash of the object.
    pub sha256: String,
    /// Release the object is read from; for one known without import, the release it was checked in.
    pub release: String,
    /// Whether the object stands in the library. Otherwise only its facts are known.
    pub imported: bool,
    /// The sections.
    pub sections: Vec<Section>,
    /// What the analytics concerned ask for, and how far that is covered.
    pub crosswalk: Vec<Row>,
    /// The line that goes with ATT&CK's text. `None` where none is reproduced.
    pub licence: Option<&'static str>,
}

/// The schema of a brief.
pub const SCHEMA: &str = "monologue.attack-brief/1";

/// The object a brief is about, and the analytics on it.
struct Subject {
    id: String,
    name: String,
    kind: String,
    sha256: String,
    release: String,
    imported: bool,
    description: Option<String>,
    demands: Vec<Demand>,
    mitigations: Option<Vec<String>>,
}

/// Makes the brief of an object.
///
/// # Errors
/// When the object is neither imported nor known, or the database fails.
pub fn brief(
    view: Option<&View<'_>>,
    id: &str,
    coverage: Option<&Coverage>,
    findings: Option<&Findings>,
) -> Result<Brief, Error> {
    let subject = subject(view, id)?;
    let crosswalk: Vec<Row> = subject.demands.iter().flat_map(crosswalk::rows).collect();
    let sections = vec![
        write::stand(&subject, coverage, findings),
        write::first_steps(coverage),
        write::asked_for(&subject),
        write::collected(&crosswalk, coverage),
        write::blind(&crosswalk, coverage),
        write::confidence(&subject, coverage),
        write::detection(&subject, &crosswalk),
        write::mitigations(&subject),
        write::found(&subject, findings),
        write::may_claim(coverage, true),
        write::may_claim(coverage, false),
    ];
    Ok(Brief {
        schema: SCHEMA,
        licence: subject.description.is_some().then_some(crate::LICENCE),
        id: subject.id,
        name: subject.name,
        kind: subject.kind,
        sha256: subject.sha256,
        release: subject.release,
        imported: subject.imported,
        sections,
        crosswalk,
    })
}

fn subject(view: Option<&View<'_>>, id: &str) -> Result<Subject, Error> {
    let found = match view.map(|view| (view, view.card(id, crate::Detail::default()))) {
        Some((view, Ok(card))) => return imported(view, card),
        Some((_, Err(error))) => error,
        None => Error::Unknown {
            id: id.to_owned(),
            place: "is known neither to a library nor to the product itself".to_owned(),
            hint: "`monologue attack import FILE` takes the bundle that holds it".to_owned(),
        },
    };
    match (found, known::by_id(id)) {
        (Error::Unknown { .. }, Some(known)) => Ok(of_known(known)),
        (error, _) => Err(error),
    }
}

fn imported(view: &View<'_>, card: crate::Card) -> Result<Subject, Error> {
    let label = card.attack_id.clone().unwrap_or_else(|| card.stix_id.clone());
    let analytics = concerned(view, &card)?;
    let mut demands = Vec::new();
    for analytic in &analytics {
        demands.push(Demand::from(&view.card(analytic, crate::Detail::default())?));
    }
    if card.kind == "x-mitre-data-component" {
        demands.retain_mut(|demand| {
            demand.log_sources.retain(|(_, _, component)| component.as_deref() == Some(label.as_str()));
            demand.elements.clear();
            !demand.log_sources.is_empty()
        });
    }
    Ok(Subject {
        mitigations: mitigations(view, &card)?,
        name: card.name.clone().unwrap_or_default(),
        kind: card.kind.clone(),
        sha256: card.sha256.to_string(),
        release: card.release.clone().unwrap_or_else(|| "unknown release".to_owned()),
        imported: true,
        description: (!card.description.is_empty()).then(|| card.description.plain()),
        demands,
        id: label,
    })
}

/// STIX ids of the macOS analytics concerned: itself, those of a strategy, of a technique's strategies, those that look at
/// a component.
fn concerned(view: &View<'_>, card: &crate::Card) -> Result<Vec<String>, Error> {
    let near = |card: &crate::Card, kind: &str| -> Vec<String> {
        let others = card.relations.iter().map(|relation| &relation.other).filter(|other| other.kind == kind);
        others.map(|other| other.stix_id.clone()).collect()
    };
    let found = match card.kind.as_str() {
        "x-mitre-analytic" => return Ok(vec![card.stix_id.clone()]),
        "attack-pattern" => {
            let mut found = Vec::new();
            for strategy in near(card, "x-mitre-detection-strategy") {
                if view.header(&strategy)?.is_some() {
                    found.extend(near(&view.card(&strategy, crate::Detail::default())?, "x-mitre-analytic"));
                }
            }
            found
        }
        _ => near(card, "x-mitre-analytic"),
    };
    let mut on_macs = BTreeSet::new();
    for analytic in found {
        if view.header(&analytic)?.is_some_and(|header| header.platforms.iter().any(|platform| platform == "macOS")) {
            on_macs.insert(analytic);
        }
    }
    Ok(on_macs.into_iter().collect())
}

/// Mitigations of the techniques concerned. `None` where the library does not say which technique that is.
fn mitigations(view: &View<'_>, card: &crate::Card) -> Result<Option<Vec<String>>, Error> {
    let techniques: Vec<String> = match card.kind.as_str() {
        "attack-pattern" => vec![card.stix_id.clone()],
        _ => {
            let label = card.attack_id.as_deref().unwrap_or_default();
            let named = known::by_id(label).map(|known| known.technique).filter(|technique| !technique.is_empty());
            let detected = card.relations.iter().filter(|relation| relation.kind == "detects");
            let mut ids: Vec<String> = detected.map(|relation| relation.other.stix_id.clone()).collect();
            ids.extend(named.map(str::to_owned));
            ids
        }
    };
    let mut found = None;
    for technique in techniques {
        let Ok(card) = view.card(&technique, crate::Detail::default()) else { continue };
        let list: &mut Vec<String> = found.get_or_insert_default();
        let relations = card.relations.iter().filter(|relation| relation.kind == "mitigates");
        list.extend(relations.map(|relation| relation.other.title()));
    }
    Ok(found)
}

fn of_known(known: &Known) -> Subject {
    let analytics: Vec<&Known> = known::KNOWN
        .iter()
        .filter(|other| other.kind() == "x-mitre-analytic")
        .filter(|other| {
            other.attack_id == known.attack_id
                || (other.platforms.contains(&"macOS")
                    && (other.strategy == known.attack_id || other.technique == known.attack_id))
        })
        .collect();
    Subject {
        id: known.attack_id.to_owned(),
        name: known.name.to_owned(),
        kind: known.kind().to_owned(),
        sha256: known.sha256.to_owned(),
        release: known::CHECKED_RELEASE.to_owned(),
        imported: false,
        description: None,
        demands: analytics.into_iter().map(Demand::from).collect(),
        mitigations: None,
    }
}

/// What a row asks for, in words.
#[must_use]
pub fn asked_words(row: &Row) -> String {
    match &row.asked {
        Asked::LogSource { name, channel, component } => {
            let channel = channel.as_deref().unwrap_or("no channel");
            let component = component.as_deref().unwrap_or("no component known");
            format!("{name}: {channel} ({component})")
        }
        Asked::Element { field } => format!("mutable element {field}"),
    }
}

impl Brief {
    /// The brief as Markdown, everything from bundles and files without meaning in it.
    #[must_use]
    pub fn markdown(&self, safe: impl Fn(&str) -> String) -> String {
        let mut out = format!("# {} {}\n\n", safe(&self.id), safe(&self.name));
        out.push_str(&format!(
            "Release {}, sha256 `{}`{}.\n",
            safe(&self.release),
            self.sha256,
            if self.imported { "" } else { " (known by its facts only; import a bundle for its text)" }
        ));
        for section in &self.sections {
            out.push_str(&format!("\n## {}\n\n", section.title));
            for line in &section.lines {
                out.push_str(&format!("- {} ({})\n", safe(&line.text), safe(&basis_words(&line.basis))));
            }
        }
        if let Some(licence) = self.licence {
            out.push_str(&format!("\n{licence}\n"));
        }
        out
    }
}

impl Brief {
    /// The brief as a page that needs nothing else.
    #[must_use]
    pub fn html(&self) -> String {
        use crate::site::page::{Frame, page, safe};
        let title = format!("Brief: {} {}", self.id, self.name);
        let mut body = format!("<h1>{}</h1>\n<dl>", safe(&title));
        for (label, value) in [("release", &self.release), ("sha256", &self.sha256)] {
            body.push_str(&format!("<dt>{label}</dt><dd>{}</dd>", safe(value)));
        }
        body.push_str("</dl>\n");
        let mut reader = None;
        for section in &self.sections {
            if reader != Some(section.reader) {
                reader = Some(section.reader);
                let words =
                    if section.reader == Reader::Executives { "For executives" } else { "For the security team" };
                body.push_str(&format!("<h2>{words}</h2>\n"));
            }
            body.push_str(&format!("<h3>{}</h3>\n<ul>\n", section.title));
            for line in &section.lines {
                let text: Vec<String> = line.text.lines().map(safe).collect();
                let basis = safe(&basis_words(&line.basis));
                body.push_str(&format!("<li>{} <span class=\"note\">({basis})</span></li>\n", text.join("<br>")));
            }
            body.push_str("</ul>\n");
        }
        page(&Frame { title: &title, depth: 0, script: false, alone: true }, &body)
    }
}

/// What a line rests on, in words.
#[must_use]
pub fn basis_words(basis: &Basis) -> String {
    match basis {
        Basis::Object(what) => format!("from {what}"),
        Basis::Product => "how this product is built".to_owned(),
        Basis::NotMeasured => "not measured".to_owned(),
        Basis::Measured(numbers) => {
            let pairs: Vec<String> = numbers.iter().map(|(place, value)| format!("{place} = {value}")).collect();
            format!("measured: {}", pairs.join(", "))
        }
    }
}

/// Rows in which something is covered, wholly or in part.
fn is_covered(row: &&Row) -> bool {
    matches!(row.cover, Cover::Covered | Cover::Partly)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::{ClaimShare, SightShare};

    fn lines(brief: &Brief) -> Vec<&Line> {
        brief.sections.iter().flat_map(|section| &section.lines).collect()
    }

    #[test]
    fn without_measurements_nothing_is_said_of_the_site() {
        let brief = brief(None, "AN1601", None, None).unwrap();
        assert!(lines(&brief).iter().all(|line| !matches!(line.basis, Basis::Measured(_))));
        let measured =
            ["Where we stand", "Collected here", "Confidence and why", "What was found", "What may be claimed"];
        for title in measured {
            let section = brief.sections.iter().find(|section| section.title == title).unwrap();
            assert!(section.lines.iter().any(|line| line.text.contains("not measured here")), "{title}");
        }
        assert_eq!((brief.imported, brief.licence), (false, None));
        assert_eq!(brief.crosswalk.len(), 4);
    }

    #[test]
    fn every_line_about_the_site_holds_its_number() {
        let mut coverage = Coverage { hosts: 4, ..Coverage::default() };
        coverage.sights.insert("process.exec".into(), SightShare { hosts: 3, mean_percent: 71.5, losses: 2 });
        for (claim, holds) in [("reply-unhandled", 0), ("no-reply", 90), ("given-up", 12)] {
            coverage.claims.push(ClaimShare {
                claim: claim.into(),
                sentence: format!("{claim} would be seen"),
                holds,
                of: 100,
            });
        }
        coverage.steps.push(("do this".into(), 77));
        let findings = Findings { total: 2, ..Findings::default() };
        let brief = brief(None, "AN1601", Some(&coverage), Some(&findings)).unwrap();
        for line in lines(&brief) {
            if let Basis::Measured(numbers) = &line.basis {
                assert!(!numbers.is_empty(), "{}", line.text);
                for (place, value) in numbers {
                    assert!(line.text.contains(value.as_str()), "{place} = {value} is not in: {}", line.text);
                }
            }
        }
        assert!(lines(&brief).iter().any(|line| line.text.contains("71.5")));
        let confidence = brief.sections.iter().find(|section| section.title == "Confidence and why").unwrap();
        assert!(confidence.lines[0].text.starts_with("None"), "{}", confidence.lines[0].text);
    }

    #[test]
    fn every_known_object_has_a_brief_and_others_say_what_to_do() {
        for known in known::KNOWN {
            assert!(brief(None, known.attack_id, None, None).is_ok(), "{}", known.attack_id);
        }
        assert!(brief(None, "T9999", None, None).unwrap_err().to_string().contains("hint: "));
    }
}
