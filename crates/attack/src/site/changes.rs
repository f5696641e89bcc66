//! Compare pages: one object through its versions, and two releases by change class.

use super::{
    addresses::Addresses,
    page::{self, Frame, safe},
};
use crate::{
    diff::{Class, Difference},
    fields::{Change, Piece, Span},
    kinds,
};
use serde_json::Value;
use std::fmt::Write as _;

/// Objects of one class that are listed; the command line lists all.
const LISTED_CAP: usize = 5000;

/// One step from a version to the next.
pub(super) struct Version {
    pub(super) title: String,
    pub(super) class: String,
    pub(super) changes: Vec<Change>,
}

/// The page of an object's versions, the newest step first.
pub(super) fn versions(label: &str, name: &str, versions: &[Version]) -> String {
    let title = format!("Versions of {label}");
    let mut body =
        format!("<h1>{0}</h1>\n<p><a href=\"../objects/{name}.html\">{1}</a></p>\n", safe(&title), safe(label));
    for version in versions.iter().rev() {
        let _ = writeln!(body, "<h2>{}: {}</h2>", safe(&version.title), safe(&version.class));
        for change in &version.changes {
            self::change(change, &mut body);
        }
    }
    page::page(&Frame { title: &title, depth: 1, script: false, alone: false }, &body)
}

fn change(change: &Change, body: &mut String) {
    let _ = writeln!(body, "<h3><code>{}</code></h3>", safe(change.field()));
    match change {
        Change::Added { value, .. } => {
            let _ = writeln!(body, "<p>added <ins>{}</ins></p>", short(value));
        }
        Change::Removed { value, .. } => {
            let _ = writeln!(body, "<p>removed <del>{}</del></p>", short(value));
        }
        Change::Replaced { old, new, .. } => {
            let _ = writeln!(body, "<p><del>{}</del> → <ins>{}</ins></p>", short(old), short(new));
        }
        Change::Text { spans, .. } => {
            let _ = writeln!(body, "<p>{}</p>", spans.iter().map(span).collect::<String>());
        }
        Change::List { added, removed, altered, kept, .. } => {
            body.push_str("<ul>\n");
            for member in removed {
                let _ = writeln!(body, "<li>removed <del>{}</del></li>", short(member));
            }
            for member in added {
                let _ = writeln!(body, "<li>added <ins>{}</ins></li>", short(member));
            }
            for member in altered {
                let side = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), short);
                let _ = writeln!(
                    body,
                    "<li>altered {}: <del>{}</del> → <ins>{}</ins> <span class=\"note\">in {}</span></li>",
                    safe(&member.field),
                    side(&member.old),
                    side(&member.new),
                    short(&Value::Object(member.of.clone()))
                );
            }
            let _ = writeln!(body, "<li class=\"note\">{kept} unchanged</li>\n</ul>");
        }
    }
}

fn span(span: &Span) -> String {
    let text: Vec<String> = span.text.split('\n').map(safe).collect();
    let text = text.join("<br>");
    match span.piece {
        Piece::Same => text,
        Piece::Removed => format!("<del>{text}</del>"),
        Piece::Added => format!("<ins>{text}</ins>"),
    }
}

/// A value on one line, made safe.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        Value::Object(members) if members.values().all(Value::is_string) => {
            let pairs: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default())).collect();
            safe(&pairs.join(", "))
        }
        other => safe(&other.to_string()),
    }
}

/// The page of two releases.
pub(super) fn releases(
    title: &str,
    difference: &Difference,
    addresses: &Addresses,
    compared: &dyn Fn(&str) -> bool,
) -> String {
    let mut body = format!("<h1>{}</h1>\n<table><tbody>\n", safe(title));
    for class in Class::ALL {
        let proved = match class {
            Class::Deletions => difference.deletions_proved,
            Class::Additions => difference.additions_proved,
            _ => true,
        };
        let note = if proved { "" } else { "not proved: the other side is not known to be a whole release" };
        let count = difference.counts.get(&class).copied().unwrap_or_default();
        let _ = writeln!(
            body,
            "<tr><td><a href=\"#{0}\">{1}</a></td><td class=\"number\">{count}</td><td class=\"note\">{note}</td></tr>",
            class.name(),
            class.words()
        );
    }
    let _ = writeln!(
        body,
        "<tr><td>revoked or deprecated on both sides</td><td class=\"number\">{}</td><td></td></tr>\
         <tr><td>unchanged by these rules, yet of other content</td><td class=\"number\">{}</td><td></td></tr></tbody></table>",
        difference.retired_before, difference.unchanged_with_other_content
    );
    let relationships = &difference.relationships;
    let _ = writeln!(
        body,
        "<p>Relationships: {} added, {} removed, {} changed.</p>",
        relationships.added, relationships.removed, relationships.changed
    );
    for class in Class::ALL {
        let objects = || difference.objects.iter().filter(|changed| changed.class == Some(class));
        let _ = writeln!(body, "<h2 id=\"{}\">{}</h2>\n<ul>", class.name(), class.words());
        for header in objects().filter_map(|changed| changed.header()).take(LISTED_CAP) {
            let name = addresses.name(&header.stix_id);
            let folder = if compared(&header.stix_id) { "compare" } else { "objects" };
            let to = name.map(|name| format!("../{folder}/{name}.html"));
            let words = format!("{} {}", header.label(), header.name.as_deref().unwrap_or_default());
            let _ =
                writeln!(body, "<li>{} {}</li>", safe(kinds::word(&header.kind)), page::link(to.as_deref(), &words));
        }
        let _ = writeln!(body, "</ul>{}", if objects().next().is_none() { "\n<p class=\"note\">none</p>" } else { "" });
    }
    page::page(&Frame { title, depth: 1, script: false, alone: false }, &body)
}
