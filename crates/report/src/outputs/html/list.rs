//! The list of findings: a table of the first ones, and the data from which the script shows any of them.

use super::{anchor, asker, safe};
use crate::escape;
use monologue_model::{Disposition, Finding, Level};
use std::io::{self, Write};

/// Findings that the table shows without the script.
const TABLE_ROWS: usize = 100;

/// The tools (shown by the script) and the table.
pub(super) fn table(to: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    let options = |names: &[&str]| -> String { names.iter().map(|name| format!("<option>{name}</option>")).collect() };
    let levels: Vec<&str> = Level::ALL.into_iter().rev().map(Level::name).collect();
    let dispositions: Vec<&str> = [
        Disposition::NoReply,
        Disposition::ReplyUnhandled,
        Disposition::PullOnly,
        Disposition::TwoWay,
        Disposition::Unknown,
    ]
    .into_iter()
    .map(Disposition::name)
    .collect();
    writeln!(
        to,
        "<div id=\"tools\" hidden role=\"search\"><label>Find <input id=\"search\" type=\"search\" placeholder=\"application, destination, host, id\"></label> \
         <label>From level <select id=\"level\"><option value=\"\">any</option>{}</select></label> \
         <label>What happened <select id=\"disposition\"><option value=\"\">any</option>{}</select></label> \
         <span class=\"pager\"><button id=\"back\" type=\"button\">Back</button> <span id=\"count\" aria-live=\"polite\"></span> \
         <button id=\"on\" type=\"button\">On</button></span></div>",
        options(&levels),
        options(&dispositions),
    )?;
    writeln!(
        to,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"List of findings\"><table class=\"list\"><thead><tr><th>Level</th><th>What happened</th>\
         <th>Application</th><th>Destination</th><th>Host</th><th class=\"n\">Requests</th><th class=\"n\">Score</th></tr></thead><tbody>"
    )?;
    for finding in findings.iter().take(TABLE_ROWS) {
        writeln!(
            to,
            "<tr><td><span class=\"level {0}\">{0}</span></td><td class=\"what\"><a href=\"#{1}\">{2}</a></td><td>{3}</td><td>{4}</td><td>{5}</td>\
             <td class=\"n\">{6}</td><td class=\"n\">{7:.3}</td></tr>",
            finding.level.name(),
            anchor(finding),
            finding.disposition.name(),
            asker(finding),
            safe(&finding.destination.host),
            safe(&finding.host),
            finding.exchanges,
            finding.score,
        )?;
    }
    writeln!(to, "</tbody></table></div>")
}

/// A data block that no browser runs: one row a finding.
pub(super) fn data(to: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    write!(to, "<script id=\"rows\" type=\"application/json\">[")?;
    for (at, finding) in findings.iter().enumerate() {
        // What the script shows must be inert as text: controls and direction marks are written out, as everywhere.
        let row = (
            finding.level.name(),
            finding.disposition.name(),
            escape::terminal(&finding.application.name),
            finding.application.agent.as_deref().map(escape::terminal),
            escape::terminal(&finding.destination.host),
            escape::terminal(&finding.host),
            finding.exchanges,
            (finding.score * 1000.0).round() / 1000.0,
            finding.id.to_string(),
        );
        // Nothing in it may end the element it stands in.
        let text = serde_json::to_string(&row)?.replace('<', "\\u003c").replace('>', "\\u003e");
        write!(to, "{}{text}", if at == 0 { "\n" } else { ",\n" })?;
    }
    writeln!(to, "]</script>")
}
