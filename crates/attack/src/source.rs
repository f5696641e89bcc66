//! Opens what is to be imported: files, gzip, folders with one file for each object; hashes every byte on the way.

use crate::problem::Error;
use monologue_model::Sha256;
use sha2::Digest;
use std::{
    cell::RefCell,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Decompressed bytes read from one file before it is cut: twenty times the largest release so far.
const DECOMPRESSED_CAP: u64 = 1 << 30;

/// Files taken from one folder.
const FILE_CAP: usize = 200_000;

/// Folders within folders.
const FOLDER_DEPTH_CAP: usize = 16;

/// One file to read, and the hashes of what was read of it.
pub(crate) struct Source {
    pub(crate) reader: Box<dyn BufRead>,
    pub(crate) hashers: Hashers,
}

/// Hashes that grow while a file is read.
pub(crate) struct Hashers {
    file: Rc<RefCell<sha2::Sha256>>,
    /// `None` where the file is not compressed.
    content: Option<Rc<RefCell<sha2::Sha256>>>,
}

/// The hashes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hashes {
    /// Of the file as it lies there.
    pub(crate) file: Sha256,
    /// Of what was compressed in it. `None` where it is not compressed.
    pub(crate) content: Option<Sha256>,
}

impl Source {
    /// Opens a file. gzip is undone.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (counted, file) = Hashing::of(File::open(path)?);
        let mut reader = BufReader::with_capacity(256 << 10, counted);
        if !reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            return Ok(Self { reader: Box::new(reader), hashers: Hashers { file, content: None } });
        }
        let (hashed, content) = Hashing::of(flate2::bufread::MultiGzDecoder::new(reader).take(DECOMPRESSED_CAP));
        let reader = Box::new(BufReader::with_capacity(256 << 10, hashed));
        Ok(Self { reader, hashers: Hashers { file, content: Some(content) } })
    }
}

impl Hashers {
    /// Reads what is left, so that the hashes are those of the whole.
    pub(crate) fn finish(self, mut reader: Box<dyn BufRead>) -> io::Result<Hashes> {
        io::copy(&mut reader, &mut io::sink())?;
        let done = |hasher: &RefCell<sha2::Sha256>| Sha256::from_bytes(hasher.borrow().clone().finalize().into());
        Ok(Hashes { file: done(&self.file), content: self.content.as_deref().map(done) })
    }
}

/// Hashes what passes.
struct Hashing<R> {
    reader: R,
    hasher: Rc<RefCell<sha2::Sha256>>,
}

impl<R: Read> Hashing<R> {
    fn of(reader: R) -> (Self, Rc<RefCell<sha2::Sha256>>) {
        let hasher = Rc::new(RefCell::new(sha2::Sha256::new()));
        (Self { reader, hasher: Rc::clone(&hasher) }, hasher)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(bytes) = buffer.get(..read) {
            self.hasher.borrow_mut().update(bytes);
        }
        Ok(read)
    }
}

/// The files of an input: itself, or all JSON files of the folder, in the order of their paths. Links are not followed.
///
/// # Errors
/// When a folder cannot be read, or there are too many files.
pub(crate) fn files(input: &Path) -> Result<Vec<PathBuf>, Error> {
    if !fs::metadata(input).map_err(Error::file(input))?.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let mut found = Vec::new();
    walk(input, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let too_much = |what: &str| Error::File { path: folder.to_owned(), cause: io::Error::other(what.to_owned()) };
    if depth > FOLDER_DEPTH_CAP {
        return Err(too_much("expected at most 16 folders within each other"));
    }
    for item in fs::read_dir(folder).map_err(Error::file(folder))? {
        let item = item.map_err(Error::file(folder))?;
        let kind = item.file_type().map_err(Error::file(item.path()))?;
        let path = item.path();
        let name = item.file_name().to_string_lossy().to_ascii_lowercase();
        if kind.is_dir() {
            walk(&path, depth + 1, found)?;
        } else if kind.is_file() && (name.ends_with(".json") || name.ends_with(".json.gz")) {
            if found.len() >= FILE_CAP {
                return Err(too_much("expected at most 200,000 files"));
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn both_hashes_are_of_all_bytes_however_little_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json.gz");
        let content = b"{\"type\":\"bundle\"}".repeat(1000);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&content).unwrap();
        let packed = encoder.finish().unwrap();
        fs::write(&path, &packed).unwrap();
        let mut source = Source::open(&path).unwrap();
        source.reader.read_exact(&mut [0; 3]).unwrap();
        let hashes = source.hashers.finish(source.reader).unwrap();
        assert_eq!(hashes, Hashes { file: Sha256::of(&packed), content: Some(Sha256::of(&content)) });
    }

    #[test]
    fn a_folder_gives_its_json_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tool")).unwrap();
        for name in ["tool/b.json", "tool/a.JSON", "readme.md", "c.json.gz"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let names: Vec<String> = files(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["c.json.gz", "tool/a.JSON", "tool/b.json"]);
    }
}
