//! `attack show`, `attack raw` and `attack graph`: one object, with and without its surroundings.

use super::{
    arguments::{Form, GraphArguments, GraphForm, RawArguments, ShowArguments},
    ask, open, write,
};
use crate::talk::{self, Verdict};
use anyhow::{Result, anyhow};
use monologue_attack::{Card, Detail, Error, Graph, LICENCE, Prose, Reach, Relation, kinds, known};
use monologue_report::escape;
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::Path,
};

/// What an import would add, for an object of which only facts are known.
const HOW_TO_IMPORT: &str = "its text is not in the library: import a bundle that holds it, such as enterprise-attack.json \
                             of MITRE's repository cti or attack-stix-data: `monologue attack import FILE`";

/// Shows an object.
///
/// # Errors
/// When it is not known, or standard output is closed.
pub(super) fn show(folder: &Path, arguments: &ShowArguments) -> Result<Verdict> {
    let detail = Detail { retired: arguments.all, words: arguments.all };
    let found = open_card(folder, arguments, detail);
    let card = match (found, known::by_id(&arguments.id)) {
        (Ok(card), _) => card,
        (Err(Error::NoLibrary(_) | Error::Unknown { .. }), Some(known)) if arguments.ask.release.is_none() => {
            return fact_sheet(known, arguments.form.form);
        }
        (Err(Error::NoLibrary(_)), None) => {
            let id = &arguments.id;
            return Err(anyhow!(
                "expected an imported object, found no library to look for {id:?} in; hint: \
                `monologue attack import FILE` takes a STIX bundle, such as enterprise-attack.json of MITRE's \
                repository cti or attack-stix-data"
            ));
        }
        (Err(error), _) => return Err(error.into()),
    };
    match arguments.form.form {
        Form::Json => write::json(&card)?,
        Form::Text => write::text(&told(&card))?,
    }
    Ok(Verdict::Nothing)
}

fn open_card(folder: &Path, arguments: &ShowArguments, detail: Detail) -> Result<Card, Error> {
    let library = monologue_attack::Library::open(folder)?;
    let view = library.view(&ask(&arguments.ask))?;
    view.card(&arguments.id, detail)
}

/// What is known of an object without any import.
fn fact_sheet(known: &known::Known, form: Form) -> Result<Verdict> {
    if form == Form::Json {
        write::json(&json!({ "attack_id": known.attack_id, "stix_id": known.stix_id, "kind": known.kind(),
            "name": known.name, "version": known.version, "sha256": known.sha256, "platforms": known.platforms,
            "checked_release": known::CHECKED_RELEASE, "imported": false }))?;
    } else {
        let mut out = format!("{} {}\n", known.attack_id, known.name);
        for (label, value) in [
            ("type", kinds::word(known.kind())),
            ("STIX id", known.stix_id),
            ("version", known.version),
            ("sha256", known.sha256),
            ("strategy", known.strategy),
            ("technique", known.technique),
        ] {
            out.push_str(&write::fact(label, value));
        }
        out.push_str(&write::fact("checked in", &format!("ATT&CK {}", known::CHECKED_RELEASE)));
        write::text(&out)?;
    }
    talk::note(HOW_TO_IMPORT);
    Ok(Verdict::Nothing)
}

/// Prints the exact object.
///
/// # Errors
/// When it is not there, or standard output is closed.
pub(super) fn raw(folder: &Path, arguments: &RawArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let view = library.view(&ask(&arguments.ask))?;
    let found = view.find(&arguments.id)?;
    let bytes = view.raw(&found)?;
    // Exactly these bytes, without even an end of line: whoever pipes them wants to hash them.
    io::stdout().lock().write_all(&bytes)?;
    talk::note(&format!("from {}; canonical sha256 {}\n{LICENCE}", found.snapshot, found.header.sha256));
    Ok(Verdict::Nothing)
}

/// Shows what an object is related to.
///
/// # Errors
/// When it is not there, or standard output is closed.
pub(super) fn graph(folder: &Path, arguments: &GraphArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let view = library.view(&ask(&arguments.ask))?;
    let reach = Reach {
        depth: arguments.depth.into(),
        nodes: arguments.limit.max(1),
        retired: arguments.all,
        detection_only: false,
    };
    let graph = view.graph(&arguments.id, reach)?;
    match arguments.form {
        GraphForm::Json => write::json(&graph)?,
        GraphForm::Dot => write::text(&graph.dot())?,
        GraphForm::Text => write::text(&graph_told(&graph))?,
    }
    if graph.cut {
        talk::note(&format!("only {} objects are shown; hint: --limit shows more", reach.nodes));
    }
    Ok(Verdict::Nothing)
}

fn graph_told(graph: &Graph) -> String {
    let mut out = String::new();
    let title =
        |id: &str| graph.nodes.iter().find(|node| node.id == id).map_or_else(|| id.to_owned(), |node| node.title());
    for node in &graph.nodes {
        let missing = if node.present { "" } else { "  (not in these snapshots)" };
        let kind = kinds::word(&node.kind);
        let line = format!("{}{:<12} {}{missing}", "  ".repeat(node.depth), kind, node.title());
        out.push_str(&escape::terminal(&line));
        out.push('\n');
    }
    out.push('\n');
    for link in &graph.links {
        let embedded = if link.embedded { "  (embedded)" } else { "" };
        let line = format!("{}  {} -> {}{embedded}", title(&link.from), link.kind, title(&link.to));
        out.push_str(&escape::terminal(&line));
        out.push('\n');
    }
    out.push_str(&format!("{} objects, {} references\n{LICENCE}\n", graph.nodes.len(), graph.links.len()));
    out
}

fn told(card: &Card) -> String {
    let id = card.attack_id.as_deref().unwrap_or(&card.stix_id);
    let mut out = format!("{}\n", escape::terminal(&format!("{id} {}", card.name.as_deref().unwrap_or_default())));
    let status = match &card.revoked_by {
        Some(by) => format!("{}, by {}", card.status, by.title()),
        None => card.status.to_owned(),
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let release = card.release.clone().unwrap_or_else(|| "unknown release".to_owned());
    for (label, value) in [
        ("type", card.type_word.clone()),
        ("STIX id", card.stix_id.clone()),
        ("release", format!("{release} (snapshot #{}; {})", card.snapshot, card.official)),
        ("domains", card.domains.join(", ")),
        ("platforms", card.platforms.join(", ")),
        ("tactics", card.tactics.join(", ")),
        ("version", text(&card.version)),
        ("specification", text(&card.spec_version)),
        ("created", text(&card.created)),
        ("modified", text(&card.modified)),
        ("status", status),
        ("sha256", card.sha256.to_string()),
    ] {
        out.push_str(&write::fact(label, &value));
    }
    prose_told(&card.description, &mut out);
    log_sources_told(card, &mut out);
    if !card.elements.is_empty() {
        out.push_str("\nMutable elements\n");
        for element in &card.elements {
            out.push_str(&write::wrapped(&format!("{}: {}", element.field, element.description), "  "));
        }
    }
    if !card.relations.is_empty() {
        let _ = write!(out, "\nRelationships ({})\n", card.relations.len());
        card.relations.iter().for_each(|relation| relation_told(relation, &mut out));
    }
    for other in &card.namesakes {
        let line = format!("\nAlso named {id}: {} {}, {}", other.stix_id, other.title(), other.status);
        let _ = writeln!(out, "{}", escape::terminal(line.trim_start()));
    }
    let _ = write!(out, "\n{}\n", card.licence);
    out
}

fn prose_told(prose: &Prose, out: &mut String) {
    if prose.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&write::wrapped(&prose.plain(), "  "));
    if prose.citations.is_empty() {
        return;
    }
    out.push('\n');
    for citation in &prose.citations {
        let what = citation.description.as_deref().unwrap_or("the object does not list this source");
        let url = citation.url.as_deref().unwrap_or_default();
        out.push_str(&write::wrapped(&format!("[{}] {}: {what} {url}", citation.number, citation.name), "  "));
    }
}

fn log_sources_told(card: &Card, out: &mut String) {
    if card.log_sources.is_empty() {
        return;
    }
    let _ = write!(out, "\nLog sources ({})\n", card.log_sources.len());
    for source in &card.log_sources {
        let channel = source.channel.as_deref().unwrap_or("no channel");
        let component = source.component.as_ref().map(|component| format!("  ({})", component.title()));
        let line = format!("  {}: {channel}{}", source.name, component.unwrap_or_default());
        let _ = writeln!(out, "{}", escape::terminal(&line));
    }
}

fn relation_told(relation: &Relation, out: &mut String) {
    let other = relation.other.title();
    let line = if relation.outgoing {
        format!("  {} {} {other}", relation.kind, kinds::word(&relation.other.kind))
    } else {
        format!("  {} {other} {} this", kinds::word(&relation.other.kind), relation.kind)
    };
    let embedded = if relation.embedded { " (embedded)" } else { "" };
    let _ = writeln!(out, "{}{embedded}", escape::terminal(&line));
    if !relation.prose.is_empty() {
        out.push_str(&write::wrapped(&relation.prose.plain(), "      "));
    }
}
