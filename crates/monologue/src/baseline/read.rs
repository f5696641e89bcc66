//! Approvals from TOML or CSV files, with the line of each.

use crate::talk::note;
use anyhow::{Context, Result, anyhow, bail};
use monologue_hunt::{Approval, Baseline};
use monologue_model::Timestamp;
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Bytes of one baseline at most.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// What stands in a TOML file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    approval: Vec<toml::Spanned<Entry>>,
}

/// One approval as it is written. In CSV, `destination` is `service`, and hosts are separated by spaces.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    signing_id: Option<String>,
    team_id: Option<String>,
    path: Option<String>,
    service: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    cadence_seconds: Option<f64>,
    owner: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    evidence: String,
    expires: Option<String>,
}

/// Reads all approvals of all files, as they hold now.
///
/// # Errors
/// When a file cannot be read or an approval lacks something: with its line.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Baseline> {
    let mut approvals = Vec::new();
    for path in paths {
        let size = fs::metadata(path).with_context(|| format!("cannot read the baseline {}", path.display()))?.len();
        if size > FILE_BYTES {
            bail!("{}: expected at most {FILE_BYTES} bytes, found {size}; hint: split it", path.display());
        }
        let text = fs::read_to_string(path).with_context(|| {
            format!("cannot read the baseline {}; hint: a baseline is a TOML or CSV file in UTF-8", path.display())
        })?;
        let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        approvals.extend(if is_csv { from_csv(path, &text)? } else { from_toml(path, &text)? });
    }
    Ok(Baseline::new(approvals, today()))
}

fn today() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds).ok().and_then(Timestamp::from_seconds).unwrap_or_default()
}

fn from_toml(path: &Path, text: &str) -> Result<Vec<Approval>> {
    let shown = path.display();
    let document: Document = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        anyhow!("{shown}:{line}: {}; hint: approvals are written as [[approval]]", error.message())
    })?;
    document
        .approval
        .into_iter()
        .map(|entry| {
            let line = line_of(text, entry.span().start);
            approval(&shown.to_string(), line, entry.into_inner())
        })
        .collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn from_csv(path: &Path, text: &str) -> Result<Vec<Approval>> {
    let shown = path.display().to_string();
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().with_context(|| format!("cannot read the baseline {shown}"))?.clone();
    let column = |names: &[&str]| {
        header
            .iter()
            .position(|found| names.iter().any(|name| found.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name)))
    };
    let names = ["signing_id", "team_id", "path", "hosts", "cadence_seconds", "owner", "reason", "evidence", "expires"];
    let unknown: Vec<&str> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}'))
        .filter(|name| !names.iter().chain(&["service", "destination"]).any(|known| name.eq_ignore_ascii_case(known)))
        .collect();
    if !unknown.is_empty() {
        note(&format!("{shown}: columns that are not used: {}", unknown.join(", ")));
    }
    let service = column(&["service", "destination"]);
    let mut approvals = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read a row of {shown}"))?;
        let line = record.position().map_or(0, csv::Position::line) as usize;
        let field =
            |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty()).map(str::to_owned);
        let cadence = field(column(&["cadence_seconds"]));
        let cadence_seconds = cadence
            .map(|text| {
                text.parse().map_err(|_| anyhow!("{shown}:{line}: expected seconds in cadence_seconds, found {text:?}"))
            })
            .transpose()?;
        let entry = Entry {
            signing_id: field(column(&["signing_id"])),
            team_id: field(column(&["team_id"])),
            path: field(column(&["path"])),
            service: field(service),
            hosts: field(column(&["hosts"])).map_or_else(Vec::new, |text| {
                text.split([' ', ';', ',']).filter(|host| !host.is_empty()).map(str::to_owned).collect()
            }),
            cadence_seconds,
            owner: field(column(&["owner"])),
            reason: field(column(&["reason"])),
            evidence: field(column(&["evidence"])).unwrap_or_default(),
            expires: field(column(&["expires"])),
        };
        approvals.push(approval(&shown, line, entry)?);
    }
    Ok(approvals)
}

/// An approval with everything it must have.
fn approval(shown: &str, line: usize, entry: Entry) -> Result<Approval> {
    let needed = |value: Option<String>, name: &str, hint: &str| {
        value
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| anyhow!("{shown}:{line}: expected an approval with {name}; hint: {hint}"))
    };
    if entry.signing_id.is_none() && entry.path.is_none() {
        bail!("{shown}:{line}: expected signing_id or path; hint: `codesign -dv` prints Identifier and TeamIdentifier");
    }
    let expires = needed(entry.expires, "expires", "the last day on which it holds, such as 2027-06-30")?;
    let expires_at = Timestamp::parse(&format!("{expires}T23:59:59Z")).map_err(|_| {
        anyhow!("{shown}:{line}: expected a date in expires, found {expires:?}; hint: such as 2027-06-30")
    })?;
    if entry.cadence_seconds.is_some_and(|seconds| !seconds.is_finite() || seconds <= 0.0) {
        bail!("{shown}:{line}: expected a positive number in cadence_seconds");
    }
    Ok(Approval {
        signing_id: entry.signing_id,
        team_id: entry.team_id,
        path: entry.path,
        service: needed(entry.service, "service", "the destination it may talk to, such as vendor.example")?,
        hosts: entry.hosts,
        cadence_seconds: entry.cadence_seconds,
        owner: needed(entry.owner, "owner", "who answers for it")?,
        reason: needed(entry.reason, "reason", "why it is approved")?,
        evidence: entry.evidence,
        expires,
        expires_at,
        place: format!("{shown}:{line}").into(),
    })
}
