//! `attack history` and `attack diff`: what changed, object by object and field by field.

use super::{
    arguments::{DiffArguments, DocumentForm, Form, HistoryArguments},
    lists, open, write,
};
use crate::talk::Verdict;
use anyhow::Result;
use monologue_attack::{
    Ask, Changed, Class, Difference, LICENCE, Step, difference,
    fields::{Altered, Change, Piece, Span},
    kinds, object_difference,
};
use monologue_report::escape;
use serde_json::{Value, json};
use std::{fmt::Write as _, path::Path};

/// Shows an object across all snapshots.
///
/// # Errors
/// When no snapshot holds it, or standard output is closed.
pub(super) fn history(folder: &Path, arguments: &HistoryArguments) -> Result<Verdict> {
    let steps = open(folder)?.history(&arguments.id)?;
    if arguments.form.form == Form::Json {
        let rows: Vec<Value> = steps
            .iter()
            .map(|step| {
                json!({ "snapshot": step.snapshot.number, "release": step.snapshot.release, "domains": step.snapshot.domains,
                    "whole": step.snapshot.whole, "object": step.header.as_ref().map(lists::summary),
                    "class": step.class, "content_changed": step.content_changed })
            })
            .collect();
        write::json(&json!({ "schema": "monologue.attack-history/1", "id": arguments.id, "steps": rows }))?;
        return Ok(Verdict::Nothing);
    }
    let mut out = String::new();
    for step in &steps {
        let _ = writeln!(out, "{}", escape::terminal(&step_told(step)));
    }
    write::text(&out)?;
    Ok(Verdict::Nothing)
}

fn step_told(step: &Step) -> String {
    let place = step.snapshot.to_string();
    let Some(header) = &step.header else {
        let why = if step.snapshot.whole.is_proved() { "not in it" } else { "not in this part of the release" };
        return format!("{place:<34} {why}");
    };
    let class = match (step.class, step.content_changed) {
        (Some(Class::Unchanged), true) => "unchanged by the rule of change logs, yet of other content".to_owned(),
        (Some(class), _) => class.words(),
        (None, _) => "first seen here".to_owned(),
    };
    let version = header.version.as_deref().unwrap_or("no version");
    let modified = header.modified.as_deref().and_then(|time| time.split('T').next()).unwrap_or("no time");
    format!("{place:<34} version {version}  modified {modified}  {}  {}  {class}", header.status(), header.sha256)
}

/// Compares two releases, or one object in them.
///
/// # Errors
/// When there is no such release or object, or standard output is closed.
pub(super) fn diff(folder: &Path, arguments: &DiffArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let ask = |release: &str| Ask { release: Some(release.to_owned()), domain: arguments.domain.clone() };
    let (old, new) = (library.view(&ask(&arguments.old))?, library.view(&ask(&arguments.new))?);
    if let Some(id) = &arguments.id {
        let (changed, changes) = object_difference(&old, &new, id)?;
        match arguments.form {
            DocumentForm::Json => {
                write::json(&json!({ "schema": "monologue.attack-object-diff/1", "old": old.words(),
                "new": new.words(), "object": row(&changed), "changes": changes, "licence": LICENCE }))?
            }
            form => write::text(&object_told(&old.words(), &new.words(), &changed, &changes, form))?,
        }
        return Ok(Verdict::Nothing);
    }
    let mut found = difference(&old, &new)?;
    if !arguments.kinds.is_empty() {
        found.keep_kinds(&arguments.kinds);
    }
    match arguments.form {
        DocumentForm::Json => {
            let objects: Vec<Value> = found.objects.iter().map(row).collect();
            write::json(&json!({ "schema": "monologue.attack-diff/1", "old": found.old, "new": found.new,
                "counts": found.counts, "unchanged_with_other_content": found.unchanged_with_other_content,
                "retired_before": found.retired_before, "deletions_proved": found.deletions_proved,
                "additions_proved": found.additions_proved, "relationships": found.relationships, "objects": objects,
                "licence": LICENCE }))?;
        }
        form => write::text(&told(&found, form))?,
    }
    Ok(Verdict::Nothing)
}

fn row(changed: &Changed) -> Value {
    json!({ "class": changed.class, "content_changed": changed.content_changed,
        "old": changed.old.as_ref().map(lists::summary), "new": changed.new.as_ref().map(lists::summary),
        "revoked_by": changed.revoked_by.as_ref().map(lists::summary) })
}

/// Text for the form: inert on a terminal, or inert and without meaning in Markdown.
pub(super) fn safe(text: &str, form: DocumentForm) -> String {
    let inert = escape::terminal(text);
    if form != DocumentForm::Markdown {
        return inert;
    }
    let mut out = String::with_capacity(inert.len());
    for character in inert.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}

fn told(found: &Difference, form: DocumentForm) -> String {
    let markdown = form == DocumentForm::Markdown;
    let (title, section, item) = if markdown { ("# ", "## ", "- ") } else { ("", "", "  ") };
    let mut out = format!("{title}{} -> {}\n\n", safe(&found.old, form), safe(&found.new, form));
    for class in Class::ALL {
        let count = found.counts.get(&class).copied().unwrap_or_default();
        let note = match class {
            Class::Deletions if !found.deletions_proved => {
                "  (not proved: the newer side is not known to be a whole release)"
            }
            Class::Additions if !found.additions_proved => {
                "  (not proved: the older side is not known to be a whole release)"
            }
            _ => "",
        };
        let _ = writeln!(out, "{item}{count:>6}  {}{note}", class.words());
    }
    let relationships = &found.relationships;
    let _ = writeln!(out, "{item}{:>6}  revoked or deprecated on both sides", found.retired_before);
    let _ = writeln!(
        out,
        "{item}{:>6}  unchanged by these rules, yet of other content",
        found.unchanged_with_other_content
    );
    let _ = writeln!(
        out,
        "{item}relationships: {} added, {} removed, {} changed",
        relationships.added, relationships.removed, relationships.changed
    );
    let mut class = None;
    for (at, changed) in found.objects.iter().enumerate() {
        if at == 0 || changed.class != class {
            class = changed.class;
            let words = class.map_or_else(|| "retired on both sides, yet of other content".to_owned(), Class::words);
            let _ = write!(out, "\n{section}{words}\n{}", if markdown { "\n" } else { "" });
        }
        let _ = writeln!(out, "{item}{}", safe(&changed_told(changed), form));
    }
    let _ = write!(out, "\n{LICENCE}\n");
    out
}

fn changed_told(changed: &Changed) -> String {
    let Some(header) = changed.header() else { return String::new() };
    let version = |header: &monologue_attack::Header| header.version.clone().unwrap_or_else(|| "no version".to_owned());
    let versions = match (&changed.old, &changed.new) {
        (Some(old), Some(new)) if old.version != new.version => format!("{} -> {}", version(old), version(new)),
        _ => version(header),
    };
    let by =
        changed.revoked_by.as_ref().map(|by| format!(", by {} {}", by.label(), by.name.as_deref().unwrap_or_default()));
    let name = header.name.as_deref().unwrap_or_default();
    format!("{} {} {name} ({versions}){}", kinds::word(&header.kind), header.label(), by.unwrap_or_default())
}

fn object_told(old: &str, new: &str, changed: &Changed, changes: &[Change], form: DocumentForm) -> String {
    let title = if form == DocumentForm::Markdown { "# " } else { "" };
    let class = match (changed.class, changed.content_changed) {
        (Some(Class::Unchanged), true) => "unchanged by the rule of change logs, yet of other content".to_owned(),
        (Some(class), _) => class.words(),
        (None, _) => "retired on both sides".to_owned(),
    };
    let mut out = format!("{title}{}\n\n", safe(&changed_told(changed), form));
    let _ = writeln!(out, "{} -> {}: {class}", safe(old, form), safe(new, form));
    for header in [&changed.old, &changed.new].into_iter().flatten() {
        let modified = header.modified.as_deref().unwrap_or("no time");
        let _ = writeln!(
            out,
            "{}  modified {modified}  sha256 {}",
            header.version.as_deref().unwrap_or("-"),
            header.sha256
        );
    }
    for change in changes {
        change_told(change, form, &mut out);
    }
    let _ = write!(out, "\n{LICENCE}\n");
    out
}

fn change_told(change: &Change, form: DocumentForm, out: &mut String) {
    let (section, item) = if form == DocumentForm::Markdown { ("\n## ", "- ") } else { ("\n", "  ") };
    let _ = writeln!(out, "{section}{}", safe(change.field(), form));
    let mut line = |sign: &str, text: &str| {
        let _ = writeln!(out, "{item}{sign} {}", safe(text, form));
    };
    match change {
        Change::Added { value, .. } => line("added", &short(value)),
        Change::Removed { value, .. } => line("removed", &short(value)),
        Change::Replaced { old, new, .. } => line("", &format!("{} -> {}", short(old), short(new))),
        Change::Text { spans, .. } => {
            let _ = writeln!(out, "{item}{}", spans_told(spans, form));
        }
        Change::List { added, removed, altered, kept, .. } => {
            removed.iter().for_each(|member| line("removed", &short(member)));
            added.iter().for_each(|member| line("added", &short(member)));
            altered.iter().for_each(|member| line("altered", &altered_told(member)));
            line("", &format!("{kept} unchanged"));
        }
    }
}

/// Words taken out as `[-…-]`, words put in as `{+…+}`; struck out and bold in Markdown.
fn spans_told(spans: &[Span], form: DocumentForm) -> String {
    let markdown = form == DocumentForm::Markdown;
    let piece = |span: &Span| {
        let text = safe(&span.text, form);
        match (span.piece, markdown) {
            (Piece::Same, _) => text,
            (Piece::Removed, false) => format!("[-{text}-]"),
            (Piece::Added, false) => format!("{{+{text}+}}"),
            (Piece::Removed, true) => format!("~~{}~~ ", text.trim()),
            (Piece::Added, true) => format!("**{}** ", text.trim()),
        }
    };
    spans.iter().map(piece).collect()
}

fn altered_told(member: &Altered) -> String {
    let of: Vec<String> = member.of.iter().map(|(name, value)| format!("{name} {}", short(value))).collect();
    let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
    format!("{}: {} -> {} ({})", member.field, side(&member.old), side(&member.new), of.join(", "))
}

/// A value on one line: texts as they are, the rest as JSON.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        Value::Object(members) if members.values().all(Value::is_string) => {
            let pairs: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default())).collect();
            pairs.join(", ")
        }
        other => other.to_string(),
    }
}
