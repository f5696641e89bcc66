//! List pages: all rows stand in the page; the script filters and pages them, and without it all are shown.

use super::{
    addresses::Addresses,
    page::{self, Frame, safe},
};
use crate::{kinds, library::Snapshot, object::Header};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// A list of objects.
pub(super) fn page(title: &str, depth: usize, headers: &[&Header], addresses: &Addresses) -> String {
    let mut body = format!("<h1>{}</h1>\n<div data-list>\n", safe(title));
    filters(headers, &mut body);
    body.push_str(
        "<p class=\"count\" role=\"status\"></p>\n<div class=\"scroll\"><table class=\"stack\"><thead><tr><th>id</th><th>name</th><th>type</th><th>domain</th><th>version</th><th>modified</th><th>status</th></tr></thead><tbody>\n",
    );
    let folder = if depth == 0 { "objects/" } else { "../objects/" };
    for header in headers {
        row(header, folder, addresses, &mut body);
    }
    body.push_str(
        "</tbody></table></div>\n<p class=\"pager\" hidden><button type=\"button\" data-step=\"-1\">previous</button> \
         <button type=\"button\" data-step=\"1\">next</button></p>\n</div>\n",
    );
    page::page(&Frame { title, depth, script: true, alone: false }, &body)
}

fn row(header: &Header, folder: &str, addresses: &Addresses, body: &mut String) {
    let to = addresses.name(&header.stix_id).map(|name| format!("{folder}{name}.html"));
    let joined = |values: &[String]| safe(&values.join("|").to_lowercase());
    let modified = header.modified.as_deref().and_then(|time| time.split('T').next()).unwrap_or_default();
    let _ = writeln!(
        body,
        "<tr data-type=\"{kind}\" data-domain=\"{}\" data-platform=\"{}\" data-tactic=\"{}\" data-status=\"{status}\">\
         <td>{}</td><td>{}</td><td>{kind}</td><td>{}</td><td>{}</td><td class=\"nowrap\">{}</td><td>{status}</td></tr>",
        joined(&header.domains),
        joined(&header.platforms),
        joined(&header.tactics),
        page::link(to.as_deref(), header.label()),
        safe(header.name.as_deref().unwrap_or_default()),
        safe(&header.domains.join(", ")),
        safe(header.version.as_deref().unwrap_or_default()),
        safe(modified),
        kind = safe(kinds::word(&header.kind)),
        status = header.status(),
    );
}

fn filters(headers: &[&Header], body: &mut String) {
    body.push_str(
        "<div class=\"filters\" hidden><label>words<input type=\"search\" data-filter=\"words\" placeholder=\"id or name\"></label>\n",
    );
    let all = |each: &dyn Fn(&Header) -> Vec<String>| -> BTreeSet<String> {
        headers.iter().flat_map(|header| each(header)).collect()
    };
    for (name, values) in [
        ("type", all(&|header| vec![kinds::word(&header.kind).to_owned()])),
        ("domain", all(&|header| header.domains.clone())),
        ("platform", all(&|header| header.platforms.clone())),
        ("tactic", all(&|header| header.tactics.clone())),
        ("status", all(&|header| vec![header.status().to_owned()])),
    ] {
        if values.len() < 2 {
            continue;
        }
        let _ = write!(body, "<label>{name}<select data-filter=\"{name}\"><option value=\"\">all</option>");
        for value in values.iter().take(200) {
            let _ = write!(body, "<option value=\"{}\">{}</option>", safe(&value.to_lowercase()), safe(value));
        }
        body.push_str("</select></label>\n");
    }
    body.push_str("</div>\n");
}

/// The first page: what was imported, what there is, what changed.
pub(super) fn index(snapshots: &[Snapshot], headers: &[&Header], changes: &[(String, String)]) -> String {
    let mut counts: BTreeMap<(usize, &str), (usize, usize)> = BTreeMap::new();
    for header in headers {
        let count = counts.entry((kinds::order(&header.kind), header.kind.as_str())).or_default();
        count.0 += 1;
        count.1 += usize::from(header.revoked || header.deprecated);
    }
    let mut body = String::from("<h1>ATT&amp;CK library</h1>\n");
    let _ = writeln!(body, "<p>{} objects, from snapshots that were imported on this machine.</p>", headers.len());
    body.push_str("<h2>Objects</h2>\n<table><thead><tr><th>type</th><th class=\"number\">objects</th><th class=\"number\">revoked or deprecated</th></tr></thead><tbody>\n");
    for ((_, kind), (count, retired)) in counts {
        let plural = kinds::of(kind).map_or(kind, |kind| kind.plural);
        let _ = writeln!(
            body,
            "<tr><td><a href=\"types/{}.html\">{}</a></td><td class=\"number\">{count}</td><td class=\"number\">{retired}</td></tr>",
            safe(kinds::word(kind)),
            safe(plural)
        );
    }
    body.push_str("</tbody></table>\n<h2>Snapshots</h2>\n<div class=\"scroll\"><table class=\"stack\"><thead><tr><th>snapshot</th><th>imported</th><th>official</th><th>sha256 of the file</th></tr></thead><tbody>\n");
    for snapshot in snapshots {
        let _ = writeln!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            safe(&snapshot.to_string()),
            snapshot.imported,
            safe(&snapshot.official_words()),
            snapshot.sha256
        );
    }
    body.push_str("</tbody></table></div>\n<h2 id=\"changes\">Changes between releases</h2>\n");
    if changes.is_empty() {
        body.push_str("<p class=\"note\">Import a second release of a domain to see what changed.</p>\n");
    } else {
        body.push_str("<ul>\n");
        for (file, title) in changes {
            let _ = writeln!(body, "<li><a href=\"changes/{}.html\">{}</a></li>", safe(file), safe(title));
        }
        body.push_str("</ul>\n");
    }
    page::page(&Frame { title: "ATT&CK library", depth: 0, script: false, alone: false }, &body)
}
