//! Writing a report: to standard output, or to files that appear whole or not at all.

use anyhow::{Context, Result, anyhow};
use monologue_model::Report;
use monologue_report::Output;
use std::{
    fs::File,
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
/// When there is no such output.
pub(crate) fn wish(text: &str) -> Result<Wish> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let output = monologue_report::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = monologue_report::OUTPUTS.iter().map(|output| output.name()).collect();
        anyhow!("expected the name of an output, found {name:?}; hint: one of {}", names.join(", "))
    })?;
    Ok(Wish { output, file })
}

/// Writes a report as wished.
///
/// # Errors
/// When a file or standard output cannot be written.
pub(crate) fn write(wishes: &[Wish], report: &Report) -> Result<()> {
    for wish in wishes {
        match &wish.file {
            Some(path) => write_file(wish.output, report, path)?,
            None => {
                let mut to = BufWriter::new(io::stdout().lock());
                wish.output.write(report, &mut to)?;
                to.flush()?;
            }
        }
    }
    Ok(())
}

/// Writes beside the file first and renames, so that nobody sees half a report.
fn write_file(output: &dyn Output, report: &Report, path: &Path) -> Result<()> {
    let failed =
        || format!("cannot write {}; hint: check that its folder exists and can be written to", path.display());
    let name = path.file_name().ok_or_else(|| anyhow!("expected a file name in {}", path.display()))?;
    let beside = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = (|| -> io::Result<()> {
        let mut to = BufWriter::new(File::create(&beside)?);
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
