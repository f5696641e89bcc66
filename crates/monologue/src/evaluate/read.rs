//! The truth, the findings, and what the recording was: read from files, nothing else.

use anyhow::{Context, Result, bail};
use monologue_simulate::{Recording, Truth};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

/// Longest line that is read, in bytes.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// What of a finding is held against the truth: keys of `--output json`, and no others.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) host: String,
    pub(super) application: FoundApplication,
    pub(super) destination: FoundDestination,
    pub(super) disposition: String,
    pub(super) level: String,
    pub(super) score: f64,
    pub(super) exchanges: u64,
    #[serde(default)]
    pub(super) signals: Vec<FoundSignal>,
    #[serde(default)]
    pub(super) sentence: String,
}

/// What one signal said.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FoundSignal {
    pub(super) id: String,
    pub(super) judgement: String,
    pub(super) weight: f64,
}

/// The application of a finding.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FoundApplication {
    /// `None` means nobody recorded it.
    pub(super) path: Option<String>,
}

/// The destination of a finding.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FoundDestination {
    pub(super) host: String,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    pub(super) service: String,
    #[serde(default)]
    pub(super) ips: Vec<String>,
}

/// The truth about every channel that is of interest.
///
/// # Errors
/// When the file cannot be read, or a line is no truth.
pub(super) fn truth(path: &Path) -> Result<Vec<Truth>> {
    lines(path, "a line of truth, as `monologue simulate` writes it")
}

/// Every finding of a hunt.
///
/// # Errors
/// When the file cannot be read, or a line is no finding.
pub(super) fn findings(path: &Path) -> Result<Vec<Found>> {
    lines(path, "a finding, as `monologue hunt --output json --minimum-level info` writes it")
}

/// What was recorded: the file `recording.json` beside the truth. `None` where there is none.
///
/// # Errors
/// When it is there and cannot be understood.
pub(super) fn recording(truth: &Path) -> Result<Option<Recording>> {
    let path = truth.with_file_name("recording.json");
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let recording = serde_json::from_str(&text);
    recording.map(Some).with_context(|| format!("{}: expected what was recorded, as JSON", path.display()))
}

fn lines<T: DeserializeOwned>(path: &Path, what: &str) -> Result<Vec<T>> {
    if path.is_dir() {
        bail!("{}: expected a file with {what}, one a line, found a folder; hint: name the file in it", path.display());
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut values, mut line, mut number) = (Vec::new(), String::new(), 0_u64);
    loop {
        line.clear();
        let taken = reader.by_ref().take(LINE_BYTES).read_line(&mut line);
        let taken = taken.with_context(|| format!("{}:{}: expected text", path.display(), number + 1))?;
        if taken == 0 {
            return Ok(values);
        }
        number += 1;
        if taken as u64 == LINE_BYTES {
            bail!("{}:{number}: expected lines of less than {LINE_BYTES} bytes", path.display());
        }
        if !line.trim().is_empty() {
            let value = serde_json::from_str(&line);
            values.push(value.with_context(|| format!("{}:{number}: expected {what}", path.display()))?);
        }
    }
}
