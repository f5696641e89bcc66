//! `attack list` and `attack search`: rows with counts and pages.

use super::{
    arguments::{FilterArguments, Form, ListArguments, RetiredChoice, SearchArguments},
    ask, open, write,
};
use crate::talk::Verdict;
use anyhow::Result;
use monologue_attack::{Filter, Header, LICENCE, Listed, Page, Retired, View, kinds};
use monologue_report::escape;
use serde_json::json;
use std::path::Path;

/// Lists objects.
///
/// # Errors
/// When there is no library, or standard output is closed.
pub(super) fn list(folder: &Path, arguments: &ListArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let view = library.view(&ask(&arguments.ask))?;
    let (filter, page) = wanted(&arguments.filter, arguments.ask.domain.as_deref());
    written(&view, &view.list(&filter, page)?, arguments.form.form)
}

/// Searches objects.
///
/// # Errors
/// When there is no library, or standard output is closed.
pub(super) fn search(folder: &Path, arguments: &SearchArguments) -> Result<Verdict> {
    let library = open(folder)?;
    let view = library.view(&ask(&arguments.ask))?;
    let (filter, page) = wanted(&arguments.filter, arguments.ask.domain.as_deref());
    written(&view, &view.search(&arguments.words.join(" "), &filter, page)?, arguments.form.form)
}

fn wanted(arguments: &FilterArguments, domain: Option<&str>) -> (Filter, Page) {
    let filter = Filter {
        kinds: arguments.kinds.clone(),
        domain: domain.map(str::to_owned),
        platform: arguments.platform.clone(),
        tactic: arguments.tactic.clone(),
        retired: match arguments.retired {
            RetiredChoice::Without => Retired::Without,
            RetiredChoice::With => Retired::With,
            RetiredChoice::Only => Retired::Only,
        },
    };
    (filter, Page { offset: arguments.offset, limit: arguments.limit })
}

fn written(view: &View<'_>, listed: &Listed, form: Form) -> Result<Verdict> {
    if form == Form::Json {
        let rows: Vec<_> = listed.rows.iter().map(summary).collect();
        let snapshots = view.words();
        write::json(&json!({ "schema": "monologue.attack-list/1", "total": listed.total, "offset": listed.offset,
            "snapshots": snapshots, "rows": rows, "licence": LICENCE }))?;
        return Ok(Verdict::Nothing);
    }
    let mut out = String::new();
    for row in &listed.rows {
        let status = if row.status() == "active" { String::new() } else { format!("  [{}]", row.status()) };
        let name = row.name.as_deref().unwrap_or_default();
        let line = format!("{:<12} {:<12} {name}{status}", row.label(), kinds::word(&row.kind));
        out.push_str(&escape::terminal(&line));
        out.push('\n');
    }
    let shown = match listed.rows.len() {
        0 => "none shown".to_owned(),
        count => format!("{} to {} shown", listed.offset + 1, listed.offset + count),
    };
    out.push_str(&escape::terminal(&format!("{} in {}: {shown}", listed.total, view.words())));
    out.push_str(&format!("\n{LICENCE}\n"));
    write::text(&out)?;
    Ok(Verdict::Nothing)
}

/// An object in a list, for programs.
pub(super) fn summary(header: &Header) -> serde_json::Value {
    json!({ "attack_id": header.attack_id, "stix_id": header.stix_id, "type": header.kind, "name": header.name,
        "version": header.version, "modified": header.modified, "status": header.status(), "domains": header.domains,
        "platforms": header.platforms, "tactics": header.tactics, "sha256": header.sha256 })
}
