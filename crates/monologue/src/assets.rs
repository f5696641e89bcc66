//! Asset lists: which host had which address when, as DHCP servers and inventories export it.

use anyhow::{Context, Result, anyhow};
use monologue_model::{Asset, Timestamp};
use std::path::Path;

/// Reads one list. Columns are found by name; those we do not know are ignored, label columns among them.
///
/// # Errors
/// When the file cannot be read, has no host column, or a row is wrong: with its line.
pub(crate) fn read(path: &Path) -> Result<Vec<Asset>> {
    let shown = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot read the asset list {shown}"))?;
    let header = reader.headers().with_context(|| format!("cannot read the asset list {shown}"))?.clone();
    let column = |names: &[&str]| {
        header
            .iter()
            .position(|found| names.iter().any(|name| found.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name)))
    };
    let host = column(&["host", "hostname"]).ok_or_else(|| {
        anyhow!("{shown}: expected a column host or hostname in the header; hint: a lease list has the columns ip, host, from, until")
    })?;
    let (ip, from, until) = (column(&["ip", "address"]), column(&["from", "start"]), column(&["until", "end"]));
    let mut assets = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{shown}: cannot read a row"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty());
        let Some(name) = field(Some(host)) else { continue };
        let time = |at: Option<usize>, what: &str| {
            field(at)
                .map(|text| {
                    Timestamp::parse(text).with_context(|| {
                        format!("{shown}:{line}: in column {what}; hint: write times as 2026-11-24T08:00:00Z")
                    })
                })
                .transpose()
        };
        let address = field(ip)
            .map(|text| {
                text.parse().map_err(|_| {
                    anyhow!("{shown}:{line}: expected an IP address, found {text:?}; hint: one address a row")
                })
            })
            .transpose()?;
        assets.push(Asset { host: name.into(), address, from: time(from, "from")?, until: time(until, "until")? });
    }
    Ok(assets)
}
