//! `monologue explain`: one finding, back to the bytes it rests on.

mod raw;

use crate::{
    cli::{ExplainArguments, HuntArguments, InputArguments, MinimumLevel},
    hunting, settings,
    talk::Verdict,
};
use anyhow::{Context, Result, anyhow, bail};
use monologue_model::{Level, Report};
use monologue_report::explain::{self, Explained};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
};

/// Bytes of one finding at most.
const LINE_BYTES: u64 = 64 * 1024 * 1024;

/// Digits of an identifier that must be given.
const ID_DIGITS: usize = 4;

/// Runs the command.
///
/// # Errors
/// When there is no such finding, the findings cannot be read, or standard output is closed.
pub(crate) fn explain(arguments: &ExplainArguments) -> Result<Verdict> {
    let id = arguments.id.to_ascii_lowercase();
    if id.len() < ID_DIGITS || !id.chars().all(|digit| digit.is_ascii_hexdigit()) {
        bail!(
            "expected the first digits of a finding's id ({ID_DIGITS} at least), found {:?}; hint: they stand in every output, such as 3f0a9c17",
            arguments.id
        );
    }
    let finding = match (&arguments.findings, &arguments.lake) {
        (Some(file), _) => in_file(file, &id)?,
        (None, Some(_)) => in_report(&hunting::run(&hunt_of(arguments), Level::Info)?, &id)?,
        (None, None) => {
            bail!(
                "expected --findings FILE or --lake DIR; hint: `monologue hunt PATH… --output json=findings.ndjson` writes such a file"
            )
        }
    };
    let evidence = raw::look_up(&finding.citations(), &arguments.evidence);
    let mut to = BufWriter::new(io::stdout().lock());
    let levels = settings::read(arguments.settings.as_deref())?.levels;
    explain::write(&finding, &evidence, &levels, &mut to)?;
    to.flush()?;
    Ok(Verdict::Nothing)
}

fn hunt_of(arguments: &ExplainArguments) -> HuntArguments {
    HuntArguments {
        inputs: InputArguments::default(),
        outputs: Vec::new(),
        report: None,
        evidence: None,
        assets: Vec::new(),
        lake: arguments.lake.clone(),
        memory: None,
        local: Vec::new(),
        baseline: arguments.baseline.clone(),
        settings: arguments.settings.clone(),
        library: None,
        attack_site: None,
        code: Vec::new(),
        minimum_level: MinimumLevel::Info,
        require: Vec::new(),
    }
}

/// The one finding whose id begins so.
fn in_report(report: &Report, id: &str) -> Result<Explained> {
    let found: Vec<_> =
        report.findings.iter().filter(|finding| finding.id.to_string().starts_with(id)).take(2).collect();
    match found.as_slice() {
        [one] => Ok(Explained::from_json(&serde_json::to_string(one)?)?),
        [] => Err(no_such(id, "the lake")),
        _ => Err(several(id)),
    }
}

fn in_file(path: &Path, id: &str) -> Result<Explained> {
    let shown = path.display().to_string();
    let context = || format!("cannot read the findings in {shown}; hint: `--output json=FILE` writes them");
    let mut reader = BufReader::new(File::open(path).with_context(context)?);
    let mut found: Option<Explained> = None;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).with_context(context)? == 0 {
            break;
        }
        let text = std::str::from_utf8(&line).with_context(|| format!("{shown}:{number}: expected UTF-8"))?;
        // Most lines are not the one: only those that name it are read.
        if !text.contains(id) {
            continue;
        }
        let finding = Explained::from_json(text).with_context(|| format!("{shown}:{number}"))?;
        if !finding.id.starts_with(id) {
            continue;
        }
        if found.as_ref().is_some_and(|known| known.id != finding.id) {
            return Err(several(id));
        }
        found = Some(finding);
    }
    found.ok_or_else(|| no_such(id, &shown))
}

fn no_such(id: &str, place: &str) -> anyhow::Error {
    anyhow!(
        "expected a finding whose id begins with {id}, found none in {place}; hint: `--minimum-level info` lists every channel that was judged"
    )
}

fn several(id: &str) -> anyhow::Error {
    anyhow!("expected one finding whose id begins with {id}, found several; hint: give more digits")
}
