//! Profiles of programs' code: NDJSON, one object a file, as `inspect --output json` writes it.

use anyhow::{Context, Result, bail};
use monologue_hunt::CodeProfiles;
use monologue_model::CodeProfile;
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

/// Bytes of one profile at most.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads the profiles of all files.
///
/// # Errors
/// When a file cannot be read, or a line is no profile: with its number.
pub(crate) fn read<'a>(paths: impl IntoIterator<Item = &'a std::path::PathBuf>) -> Result<CodeProfiles> {
    let mut profiles = CodeProfiles::default();
    for path in paths {
        add(&mut profiles, path).with_context(|| format!("in {}", path.display()))?;
    }
    Ok(profiles)
}

fn add(profiles: &mut CodeProfiles, path: &Path) -> Result<()> {
    let mut reader = BufReader::new(File::open(path).context("cannot open the profiles")?);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        reader.by_ref().take(LINE_BYTES + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        if line.len() as u64 > LINE_BYTES {
            bail!("expected a line of at most {LINE_BYTES} bytes, found more at line {number}");
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let profile: CodeProfile = serde_json::from_slice(&line).with_context(|| {
            format!(
                "expected a code profile at line {number}; hint: one JSON object a line with path, verdict and slices \
                 (cdhash, uuid)"
            )
        })?;
        profiles.add(&profile);
    }
    Ok(())
}
