//! Asset lists: which host had which address when, as DHCP servers and inventories export it.

use crate::talk::note;
use anyhow::{Context, Result, anyhow, bail};
use monologue_formats::Head;
use monologue_model::{Asset, Timestamp};
use std::{collections::BTreeMap, path::Path};

/// Names of the column with the host.
const HOST: &[&str] = &["host", "hostname"];

/// Names of the column with the address.
const ADDRESS: &[&str] = &["ip", "address"];

/// Columns that inventories have besides the host.
const INVENTORY: &[&str] = &["os_version", "serial", "utc_offset_hours", "role"];

/// What inventories say of each host's version of macOS. Lists without that column say nothing.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn os_versions(paths: &[std::path::PathBuf]) -> Result<BTreeMap<String, String>> {
    let mut versions = BTreeMap::new();
    for path in paths {
        let context = || format!("cannot read the asset list {}", path.display());
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_path(path).with_context(context)?;
        let header = reader.headers().with_context(context)?.clone();
        let place = |names: &[&str]| {
            header.iter().position(|found| {
                names.iter().any(|name| found.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            })
        };
        let (Some(host), Some(version)) = (place(HOST), place(&["os_version"])) else { continue };
        // A row that is wrong was told when the list was read for its addresses.
        for record in reader.records().flatten() {
            if let (Some(host), Some(version)) = (record.get(host), record.get(version).filter(|text| !text.is_empty()))
            {
                versions.insert(host.to_owned(), version.to_owned());
            }
        }
    }
    Ok(versions)
}

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
    let host = column(HOST).ok_or_else(|| {
        anyhow!("{shown}: expected a column host or hostname in the header; hint: a lease list has the columns ip, host, from, until")
    })?;
    let (ip, from, until) = (column(ADDRESS), column(&["from", "start"]), column(&["until", "end"]));
    let mut assets = Vec::new();
    let mut nameless = 0_u64;
    for record in reader.records() {
        let record = record.map_err(|error| row_error(&shown.to_string(), &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty());
        // Servers export leases of machines that gave no name: they say nothing of a host.
        let Some(name) = field(Some(host)) else {
            nameless += 1;
            continue;
        };
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
        let asset = Asset { host: name.into(), address, from: time(from, "from")?, until: time(until, "until")? };
        if asset.from.zip(asset.until).is_some_and(|(from, until)| until < from) {
            bail!("{shown}:{line}: expected the end of a lease after its start; hint: are the two columns swapped?");
        }
        assets.push(asset);
    }
    if nameless > 0 {
        note(&format!("{shown}: {nameless} rows without a host were left out"));
    }
    Ok(assets)
}

/// Why a row is no row, with its line.
fn row_error(shown: &str, error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => anyhow!("{shown}:{line}: expected UTF-8 text; hint: export the list as UTF-8"),
        _ => anyhow!(
            "{shown}:{line}: cannot read the row: {error}; hint: a lease list has the columns ip, host, from, until"
        ),
    }
}

/// Whether the beginning of a file is the header of such a list: a host column, and another that only these lists have.
pub(crate) fn looks_like_one(head: &Head<'_>) -> bool {
    let Some(line) = head.first_line() else { return false };
    let line = String::from_utf8_lossy(line).to_ascii_lowercase();
    let columns: Vec<&str> = line.split(',').map(|column| column.trim().trim_matches('"')).collect();
    let any = |names: &[&str]| names.iter().any(|name| columns.contains(name));
    any(HOST) && (any(ADDRESS) || any(INVENTORY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_lists_are_told_from_other_csv() {
        let looks = |text: &str| looks_like_one(&Head { name: "x", bytes: text.as_bytes(), complete: true });
        assert!(looks("ip,host,from,until\n"));
        assert!(looks("\u{feff}\"Hostname\" , \"Serial\"\n"));
        assert!(!looks("time,host,uri\n"));
        assert!(!looks(""));
    }
}
