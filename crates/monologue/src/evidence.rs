//! `monologue hunt --evidence DIR`: a folder an auditor can check without us.

use crate::{baseline, cli::HuntArguments, demo::refuse_if_taken, lake};
use anyhow::{Context, Result};
use monologue_formats::Bundle;
use monologue_hunt::settings;
use monologue_model::{Report, Sha256};
use monologue_report::{
    Output,
    coverage::CoverageForm,
    evidence::{self, HashedFile, InForce},
};
use sha2::Digest as _;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Makes the folder, so that a hunt of hours does not end with "cannot write".
///
/// # Errors
/// When it has files, or cannot be made.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    refuse_if_taken(folder, "name another with --evidence")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Writes the pack.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(folder: &Path, arguments: &HuntArguments, report: &Report) -> Result<()> {
    let in_force = in_force(arguments, report)?;
    let mut written: BTreeMap<String, Sha256> = BTreeMap::new();
    let mut file = |name: &str, write: &dyn Fn(&mut dyn Write) -> io::Result<()>| -> Result<()> {
        let path = folder.join(name);
        let context = || format!("cannot write {}", path.display());
        let mut to =
            Hashing { to: BufWriter::new(File::create_new(&path).with_context(context)?), hash: sha2::Sha256::new() };
        write(&mut to).and_then(|()| to.flush()).with_context(context)?;
        written.insert(name.to_owned(), Sha256::from_bytes(to.hash.finalize().into()));
        Ok(())
    };
    file("manifest.json", &|to| evidence::manifest(report, &in_force, to))?;
    file("statement.md", &|to| evidence::statement(report, &in_force, to))?;
    file("coverage.json", &|to| CoverageForm::Json.write(report, to))?;
    for (output, name) in [("json", "findings.ndjson"), ("html", "report.html")] {
        if let Some(output) = monologue_report::by_name(output) {
            file(name, &|to| output.write(report, to))?;
        }
    }
    let sums: String = written.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums).with_context(|| format!("cannot write {}", path.display()))
}

fn in_force(arguments: &HuntArguments, report: &Report) -> Result<InForce> {
    let baseline = baseline::read(&arguments.baseline)?;
    let expired = baseline.approvals().iter().filter(|approval| !baseline.is_in_force(approval)).count();
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    let inputs = &arguments.inputs;
    let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    Ok(InForce {
        options: vec![
            ("paths", paths(&inputs.paths)),
            ("lake", arguments.lake.iter().map(|path| path.display().to_string()).collect()),
            ("host", one(&inputs.host)),
            ("host-pattern", one(&inputs.host_pattern)),
            ("format", inputs.formats.clone()),
            ("timezone", one(&inputs.timezone)),
            ("since", one(&inputs.since)),
            ("until", one(&inputs.until)),
            ("local", arguments.local.clone()),
            ("minimum-level", vec![monologue_model::Level::from(arguments.minimum_level).name().to_owned()]),
            ("require", arguments.require.clone()),
            ("settings", tuned(arguments.settings.as_deref())?),
        ],
        settings: settings::in_force(),
        inputs: inputs_of(arguments, report)?,
        assets: arguments.assets.iter().map(|path| hashed(path)).collect(),
        baselines: arguments.baseline.iter().map(|path| hashed(path)).collect(),
        approvals: (baseline.approvals().len() as u64, expired as u64),
        code: arguments.code.iter().map(|path| hashed(path)).collect(),
    })
}

/// Every setting a team may change, as it is in force.
fn tuned(file: Option<&Path>) -> Result<Vec<String>> {
    let lines = crate::settings::read(file)?.lines();
    Ok(lines.into_iter().map(|line| format!("{} = {}", line.key, line.value)).collect())
}

/// Each source's content: of a lake as it was when taken, of files as they are now.
fn inputs_of(arguments: &HuntArguments, report: &Report) -> Result<Vec<HashedFile>> {
    let sources = report.summary.sources.iter().map(|source| source.source.clone());
    if let Some(address) = &arguments.lake {
        let contents = lake::contents(address)?;
        let of = |name: std::sync::Arc<str>| {
            let content = contents.get(&*name).copied();
            HashedFile { sha256: content.map(|(hash, _)| hash), bytes: content.map(|(_, bytes)| bytes), name }
        };
        return Ok(sources.map(of).collect());
    }
    Ok(sources.map(|name| HashedFile { name: name.clone(), ..hashed(Path::new(&*name)) }).collect())
}

fn hashed(path: &Path) -> HashedFile {
    let read = || -> io::Result<(Sha256, u64)> {
        let mut file = File::open(path)?;
        let (mut hash, mut bytes) = (sha2::Sha256::new(), 0_u64);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            bytes += count as u64;
            hash.update(buffer.get(..count).unwrap_or_default());
        }
        Ok((Sha256::from_bytes(hash.finalize().into()), bytes))
    };
    // A folder that is one input, such as a log archive, has the hash of its files' names and contents.
    let bundle = || Bundle::open(path).ok().flatten().and_then(|bundle| bundle.content_hash().ok());
    // What cannot be read is stated as not hashed; the report says why it was not read.
    let content = if path.is_dir() { bundle() } else { read().ok() };
    HashedFile {
        name: path.display().to_string().into(),
        sha256: content.map(|(hash, _)| hash),
        bytes: content.map(|(_, bytes)| bytes),
    }
}

/// Hashes what passes through it.
struct Hashing {
    to: BufWriter<File>,
    hash: sha2::Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
