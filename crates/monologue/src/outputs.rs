//! Writing a report: to standard output, or to files that appear whole or not at all.

use crate::attack::citing::Site;
use anyhow::{Context, Result, anyhow, bail};
use monologue_model::Report;
use monologue_report::Output;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// One wish: which output, and where. `None`: standard output.
pub(crate) struct Wish {
    output: &'static dyn Output,
    file: Option<PathBuf>,
}

/// Understands `NAME[=FILE]`.
///
/// # Errors
/// When there is no such output, or no folder for its file: better said before hours of reading than after.
pub(crate) fn wish(text: &str) -> Result<Wish> {
    wish_among(text, monologue_report::OUTPUTS)
}

/// As [`wish`], of another list of outputs.
///
/// # Errors
/// As [`wish`].
pub(crate) fn wish_among(text: &str, outputs: &[&'static dyn Output]) -> Result<Wish> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let output = outputs.iter().copied().find(|output| output.name() == name).ok_or_else(|| {
        let names: Vec<&str> = outputs.iter().map(|output| output.name()).collect();
        anyhow!("expected the name of an output, found {name:?}; hint: one of {}", names.join(", "))
    })?;
    if let Some(path) = &file {
        if path.file_name().is_none() || path.is_dir() {
            bail!("expected a file name after {name}=, found {path:?}; hint: such as --output {name}=report.{name}");
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            bail!("cannot write {}: its folder does not exist; hint: make the folder first", path.display());
        }
    }
    Ok(Wish { output, file })
}

/// Writes a report as wished: files first, so that a reader of standard output who goes away costs no file. Each links to
/// the ATT&CK pages from where it lies, standard output from the current folder.
///
/// # Errors
/// When a file or standard output cannot be written.
pub(crate) fn write(wishes: &[Wish], report: &mut Report, site: Option<&Site>) -> Result<()> {
    for wish in wishes {
        if let Some(path) = &wish.file {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            report.summary.attack_pages = site.and_then(|site| site.seen_from(folder));
            write_file(wish.output, report, path)?;
        }
    }
    report.summary.attack_pages = site.and_then(|site| site.seen_from(Path::new(".")));
    for wish in wishes.iter().filter(|wish| wish.file.is_none()) {
        let mut to = BufWriter::new(io::stdout().lock());
        wish.output.write(report, &mut to)?;
        to.flush()?;
    }
    Ok(())
}

/// Writes beside the file first and renames, so that nobody sees half a report. What is no plain file, such as a pipe
/// or `/dev/null`, cannot be replaced and is written to as it stands.
fn write_file(output: &dyn Output, report: &Report, path: &Path) -> Result<()> {
    let failed =
        || format!("cannot write {}; hint: check that its folder exists and can be written to", path.display());
    // A link is followed: the rename must replace what it names, never the link.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let mut to = BufWriter::new(OpenOptions::new().write(true).open(path).with_context(failed)?);
        return output.write(report, &mut to).and_then(|()| to.flush()).with_context(failed);
    }
    let (file, beside) = create_beside(path).with_context(failed)?;
    let written = (|| -> io::Result<()> {
        let mut to = BufWriter::new(file);
        output.write(report, &mut to)?;
        to.into_inner()?.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // What could not be finished is of no use; failing to remove it changes nothing.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(failed)
}

/// Makes a new file beside `path`. A name that is taken is passed over, never opened: it may be a link laid out by
/// somebody else.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..100 {
        let beside = path.with_file_name(format!(".{name}.{}-{attempt}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((file, beside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}
