//! Bundles: several files that only make sense together, read as one input, from a folder or from a tar archive.

use crate::{OpenError, input};
use monologue_model::Sha256;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Files of a bundle that are looked at.
const FILE_CAP: usize = 500_000;

/// Bytes of one file that are read: log files are cut by macOS at some ten megabytes, string caches stay below 100.
const LENGTH_CAP: u64 = 512 << 20;

/// Folders below the bundle that are entered.
const DEPTH_CAP: usize = 16;

/// Takes a file by its name, and says whether to go on.
type Take<'a> = dyn FnMut(&str, io::Result<Vec<u8>>) -> ControlFlow<()> + 'a;

/// Takes an entry of a tar by its name and length, and says whether to go on.
type TakeEntry<'a> = dyn FnMut(&str, u64, &mut dyn Read) -> io::Result<ControlFlow<()>> + 'a;

#[derive(Clone, Debug)]
enum Root {
    Folder(PathBuf),
    Tar(PathBuf),
}

/// Several files that are one input.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The source as the user named it.
    pub source: Arc<str>,
    root: Root,
    /// Names with `/` between folders, and lengths.
    files: BTreeMap<String, u64>,
}

impl Bundle {
    /// The bundle at a path: the files of a folder, or of a tar archive, whether packed by gzip or zstd or not. `None` if the
    /// path is neither. Links are not followed, and nothing is unpacked to disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>, OpenError> {
        let source = path.display().to_string().into();
        if path.is_dir() {
            let mut files = BTreeMap::new();
            list(path, "", 0, &mut files)?;
            return Ok(Some(Self { source, root: Root::Folder(path.to_owned()), files }));
        }
        // What is read from a pipe cannot be read again.
        if !path.is_file() {
            return Ok(None);
        }
        let mut reader = input::plain(path)?;
        let mut head = Vec::new();
        let looked = reader.by_ref().take(512).read_to_end(&mut head);
        // "ustar" stands at byte 257 of the first header of every tar that POSIX or GNU know.
        if looked.is_err() || head.get(257..262) != Some(b"ustar") {
            return Ok(None);
        }
        let mut bundle = Self { source, root: Root::Tar(path.to_owned()), files: BTreeMap::new() };
        let mut files = BTreeMap::new();
        bundle.visit_tar(&mut |name, length, _| {
            if files.len() < FILE_CAP {
                files.insert(name.to_owned(), length);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        bundle.files = files;
        Ok(Some(bundle))
    }

    /// Names of the files, with `/` between folders, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Reads the wanted files one after another, in the order in which they are stored (a folder: of their names), until
    /// `take` breaks off. A file that cannot be read, or is too long, comes as an error.
    ///
    /// # Errors
    /// When the archive around them cannot be read further.
    pub fn visit(&self, wanted: &dyn Fn(&str) -> bool, take: &mut Take<'_>) -> io::Result<()> {
        match &self.root {
            Root::Folder(folder) => {
                for (name, length) in self.files.iter().filter(|(name, _)| wanted(name)) {
                    let file = File::open(folder.join(name));
                    if take(name, file.and_then(|mut file| whole(&mut file, *length))).is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Root::Tar(_) => self.visit_tar(&mut |name, length, reader| {
                Ok(if wanted(name) { take(name, whole(reader, length)) } else { ControlFlow::Continue(()) })
            }),
        }
    }

    /// A hash of the names and contents of all files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn content_hash(&self) -> io::Result<(Sha256, u64)> {
        let (mut described, mut total, mut failed) = (Vec::new(), 0, None);
        self.visit(&|_| true, &mut |name, bytes| match bytes {
            Ok(bytes) => {
                described.extend(name.as_bytes());
                described.push(0);
                described.extend(Sha256::of(&bytes).as_bytes());
                total += bytes.len() as u64;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok((Sha256::of(&described), total)), Err)
    }

    fn visit_tar(&self, take: &mut TakeEntry<'_>) -> io::Result<()> {
        let Root::Tar(path) = &self.root else { return Ok(()) };
        let reader = input::plain(path).map_err(|error| io::Error::other(error.to_string()))?;
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            let length = entry.size();
            if take(&name, length, &mut entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The whole of one file, within bounds.
fn whole(reader: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let too_long =
        || io::Error::new(io::ErrorKind::FileTooLarge, format!("expected a file of at most {LENGTH_CAP} bytes"));
    if length > LENGTH_CAP {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(64 << 20)).unwrap_or(0));
    reader.take(LENGTH_CAP + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LENGTH_CAP { Err(too_long()) } else { Ok(bytes) }
}

/// Adds the files of a folder and of those below it.
fn list(folder: &Path, before: &str, depth: usize, files: &mut BTreeMap<String, u64>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEPTH_CAP {
            list(&entry.path(), &format!("{name}/"), depth + 1, files)?;
        } else if kind.is_file() && files.len() < FILE_CAP {
            files.insert(name, entry.metadata()?.len());
        }
    }
    Ok(())
}
