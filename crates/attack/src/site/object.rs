//! The page of one object, and the page of its exact source.

use super::{
    addresses::Addresses,
    draw,
    page::{self, Frame, safe},
};
use crate::{
    card::{Card, Mention, Relation},
    diff::Step,
    graph::Graph,
    kinds,
};
use std::fmt::Write as _;

/// Relationships that are shown open; the rest is folded.
const OPEN: usize = 60;

/// What the page of an object needs.
pub(super) struct Parts<'a> {
    pub(super) card: &'a Card,
    pub(super) graph: &'a Graph,
    pub(super) steps: &'a [Step],
    /// Whether a page compares its versions.
    pub(super) compared: bool,
    pub(super) addresses: &'a Addresses,
}

/// The page of an object.
pub(super) fn page(parts: &Parts<'_>) -> String {
    let card = parts.card;
    let name = parts.addresses.name(&card.stix_id).unwrap_or_default();
    let label = card.attack_id.as_deref().unwrap_or(&card.stix_id);
    let title = format!("{label} {}", card.name.as_deref().unwrap_or_default());
    let mut body = format!("<h1>{}</h1>\n", safe(&title));
    chips(card, &mut body);
    if let Some(by) = &card.revoked_by {
        let _ = writeln!(body, "<p>Revoked by {}.</p>", mention(by, parts.addresses));
    }
    facts(card, &mut body);
    let compare = if parts.compared {
        format!(" · <a href=\"../compare/{name}.html\">compare versions</a>")
    } else {
        String::new()
    };
    let _ = writeln!(body, "<p><a href=\"../raw/{name}.html\">exact source</a>{compare}</p>");
    if !card.description.is_empty() {
        let _ = write!(body, "<h2>Description</h2>\n{}", page::prose(&card.description, "c"));
    }
    log_sources(parts, &mut body);
    if !card.elements.is_empty() {
        body.push_str("<h2>Mutable elements</h2>\n<dl>\n");
        for element in &card.elements {
            let _ = writeln!(body, "<dt>{}</dt><dd>{}</dd>", safe(&element.field), safe(&element.description));
        }
        body.push_str("</dl>\n");
    }
    let drawn = draw::graph(parts.graph, parts.addresses);
    if !drawn.is_empty() {
        let _ = write!(body, "<section>\n<h2>Surroundings</h2>\n{drawn}</section>\n");
    }
    relations(parts, &mut body);
    history(parts.steps, &mut body);
    page::page(&Frame { title: &title, depth: 1, script: !drawn.is_empty(), alone: false }, &body)
}

fn chips(card: &Card, body: &mut String) {
    let version = card.version.as_ref().map(|version| format!("object version {version}"));
    let modified =
        card.modified.as_deref().and_then(|time| time.split('T').next()).map(|day| format!("modified {day}"));
    let release = format!("release {}", card.release.as_deref().unwrap_or("unknown"));
    let chips = card
        .domains
        .iter()
        .cloned()
        .chain(card.attack_id.clone())
        .chain([card.type_word.clone()])
        .chain(version)
        .chain(modified)
        .chain([release]);
    body.push_str("<ul class=\"chips\">");
    for chip in chips {
        let _ = write!(body, "<li>{}</li>", safe(&chip));
    }
    if card.status != "active" {
        let _ = write!(body, "<li class=\"{0}\">{0}</li>", card.status);
    }
    body.push_str("</ul>\n");
}

fn facts(card: &Card, body: &mut String) {
    body.push_str("<dl>\n");
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    for (label, value) in [
        ("STIX id", card.stix_id.clone()),
        ("sha256", card.sha256.to_string()),
        ("created", text(&card.created)),
        ("specification", text(&card.spec_version)),
        ("platforms", card.platforms.join(", ")),
        ("tactics", card.tactics.join(", ")),
        ("snapshot", format!("#{}: {}", card.snapshot, card.official)),
    ] {
        if !value.is_empty() {
            let _ = writeln!(body, "<dt>{label}</dt><dd>{}</dd>", safe(&value));
        }
    }
    for other in &card.namesakes {
        let _ = writeln!(body, "<dt>same id</dt><dd>{}, {}</dd>", safe(&other.stix_id), safe(other.status));
    }
    body.push_str("</dl>\n");
}

fn mention(other: &Mention, addresses: &Addresses) -> String {
    let to = addresses.name(&other.stix_id).map(|name| format!("{name}.html"));
    page::link(to.as_deref(), &other.title())
}

fn log_sources(parts: &Parts<'_>, body: &mut String) {
    if parts.card.log_sources.is_empty() {
        return;
    }
    let component = parts.card.log_sources.iter().any(|source| source.component.is_some());
    let head = if component { "<th>data component</th>" } else { "" };
    let _ = write!(
        body,
        "<h2>Log sources ({})</h2>\n<div class=\"scroll\"><table class=\"stack\"><thead><tr><th>name</th><th>channel</th>{head}</tr></thead><tbody>\n",
        parts.card.log_sources.len()
    );
    for source in &parts.card.log_sources {
        let component =
            source.component.as_ref().map(|component| format!("<td>{}</td>", mention(component, parts.addresses)));
        let channel = source.channel.as_deref().unwrap_or("none named");
        let _ = writeln!(
            body,
            "<tr><td>{}</td><td>{}</td>{}</tr>",
            safe(&source.name),
            safe(channel),
            component.unwrap_or_default()
        );
    }
    body.push_str("</tbody></table></div>\n");
}

fn relations(parts: &Parts<'_>, body: &mut String) {
    let relations = &parts.card.relations;
    if relations.is_empty() {
        return;
    }
    let _ = writeln!(body, "<h2>Relationships ({})</h2>", relations.len());
    let (open, folded) = relations.split_at(relations.len().min(OPEN));
    relation_table(open, 0, parts.addresses, body);
    if !folded.is_empty() {
        let _ = writeln!(body, "<details><summary>{} more</summary>", folded.len());
        relation_table(folded, open.len(), parts.addresses, body);
        body.push_str("</details>\n");
    }
}

fn relation_table(relations: &[Relation], from: usize, addresses: &Addresses, body: &mut String) {
    body.push_str(
        "<div class=\"scroll\"><table class=\"stack\"><thead><tr><th>relationship</th><th>object</th><th>what it says</th></tr></thead><tbody>\n",
    );
    for (at, relation) in relations.iter().enumerate() {
        let direction = if relation.outgoing { relation.kind.clone() } else { format!("{} (from)", relation.kind) };
        let embedded = if relation.embedded { " <span class=\"note\">embedded</span>" } else { "" };
        let words = if relation.prose.is_empty() {
            String::new()
        } else {
            page::prose(&relation.prose, &format!("r{}-", from + at))
        };
        let _ = writeln!(
            body,
            "<tr><td>{}{embedded}</td><td>{} {}</td><td>{words}</td></tr>",
            safe(&direction),
            safe(kinds::word(&relation.other.kind)),
            mention(&relation.other, addresses)
        );
    }
    body.push_str("</tbody></table></div>\n");
}

fn history(steps: &[Step], body: &mut String) {
    body.push_str(
        "<h2>Change history</h2>\n<div class=\"scroll\"><table><thead><tr><th>snapshot</th><th>version</th><th>modified</th><th>status</th><th>change</th><th>sha256</th></tr></thead><tbody>\n",
    );
    for step in steps {
        let place = safe(&step.snapshot.to_string());
        let Some(header) = &step.header else {
            let why = if step.snapshot.whole.is_proved() { "not in it" } else { "not in this part of the release" };
            let _ = writeln!(body, "<tr><td>{place}</td><td colspan=\"5\">{why}</td></tr>");
            continue;
        };
        let class = match (step.class, step.content_changed) {
            (Some(crate::Class::Unchanged), true) => "unchanged by the rule, yet of other content".to_owned(),
            (Some(class), _) => class.words(),
            (None, _) => "first seen here".to_owned(),
        };
        let text = |value: &Option<String>| safe(value.as_deref().unwrap_or("-"));
        let _ = writeln!(
            body,
            "<tr><td>{place}</td><td>{}</td><td>{}</td><td>{}</td><td>{class}</td><td><code>{}</code></td></tr>",
            text(&header.version),
            text(&header.modified),
            header.status(),
            header.sha256
        );
    }
    body.push_str("</tbody></table></div>\n");
}

/// The page that shows the exact bytes of an object.
pub(super) fn source(card: &Card, name: &str, raw: &[u8]) -> String {
    let label = card.attack_id.as_deref().unwrap_or(&card.stix_id);
    let title = format!("Source of {label}");
    let text = String::from_utf8_lossy(raw);
    let lines: Vec<String> = text.lines().map(safe).collect();
    let body = format!(
        "<h1>{}</h1>\n<dl><dt>canonical sha256</dt><dd><code>{}</code></dd><dt>sha256 of these bytes</dt><dd><code>{}</code></dd>\
         <dt>bytes</dt><dd>{}</dd></dl>\n<p><a href=\"{name}.json\" download>download</a> · <a href=\"../objects/{name}.html\">{}</a></p>\n<pre>{}</pre>\n",
        safe(&title),
        card.sha256,
        monologue_model::Sha256::of(raw),
        raw.len(),
        safe(label),
        lines.join("\n")
    );
    page::page(&Frame { title: &title, depth: 1, script: false, alone: false }, &body)
}
