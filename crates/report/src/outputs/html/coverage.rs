//! The coverage map: for each host and hour, how much of it was watched by the key sights.

use super::safe;
use crate::words;
use monologue_model::{HostCoverage, HuntSummary, Sight};
use std::io::{self, Write};

/// One sight of each layer.
const KEY_SIGHTS: [Sight; 5] =
    [Sight::ProcessExec, Sight::FileEffect, Sight::TaskLifecycle, Sight::FlowReply, Sight::HttpResponse];

/// Hosts drawn; more are counted in words.
const HOSTS_SHOWN: usize = 120;

/// Columns drawn: hours are put together where there are more.
const COLUMNS: i64 = 168;

/// Writes the section.
pub(super) fn section(to: &mut dyn Write, summary: &HuntSummary) -> io::Result<()> {
    if summary.coverage.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "<h2 id=\"coverage\">What could be seen</h2><p>Each row is one sight of one host, each cell a stretch of time: the darker, \
         the more of it was watched. Empty means that nobody can say anything about that time.</p>"
    )?;
    let hours = summary
        .coverage
        .iter()
        .flat_map(|host| host.sights.iter().flat_map(|sight| sight.hours.iter().map(|(hour, _)| *hour)));
    let (first, last) = (hours.clone().min().unwrap_or(0), hours.max().unwrap_or(0));
    let per_cell = ((last - first + 1) / COLUMNS + 1).max(1);
    writeln!(
        to,
        "<div class=\"scroll\"><table class=\"coverage\"><thead><tr><th>Host</th><th>Sight</th><th class=\"n\">%</th><th>{} to {} UTC, {per_cell} h a cell</th></tr></thead><tbody>",
        hour(first),
        hour(last + 1)
    )?;
    for host in summary.coverage.iter().take(HOSTS_SHOWN) {
        rows(to, host, first, last, per_cell)?;
    }
    writeln!(to, "</tbody></table></div>")?;
    if summary.coverage.len() > HOSTS_SHOWN {
        writeln!(to, "<p class=\"note\">{} more hosts are not drawn.</p>", summary.coverage.len() - HOSTS_SHOWN)?;
    }
    Ok(())
}

fn hour(hour: i64) -> String {
    monologue_model::Timestamp::from_seconds(hour.saturating_mul(3600)).map(words::moment).unwrap_or_default()
}

fn rows(to: &mut dyn Write, host: &HostCoverage, first: i64, last: i64, per_cell: i64) -> io::Result<()> {
    let cells = (last - first) / per_cell + 1;
    for (at, sight) in KEY_SIGHTS.into_iter().enumerate() {
        let name = if at == 0 { safe(&host.host) } else { String::new() };
        writeln!(
            to,
            "<tr{}><th>{name}</th><td><code>{sight}</code></td><td class=\"n\">{}</td><td><svg viewBox=\"0 0 {} 10\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{sight}\">",
            if at == 0 { " class=\"first\"" } else { "" },
            words::percent(host.percent(sight)),
            cells * 10,
        )?;
        let covered = host.sights.iter().find(|entry| entry.sight == sight);
        let mut shares: std::collections::BTreeMap<i64, f32> = std::collections::BTreeMap::new();
        for (hour, share) in covered.map_or(&[][..], |entry| entry.hours.as_slice()) {
            *shares.entry((hour - first) / per_cell).or_insert(0.0) += share / per_cell as f32;
        }
        for (cell, share) in shares {
            let opacity = share.clamp(0.08, 1.0);
            writeln!(to, "<rect x=\"{}\" width=\"9\" height=\"10\" opacity=\"{opacity:.2}\"/>", cell * 10)?;
        }
        writeln!(to, "</svg></td></tr>")?;
    }
    Ok(())
}
