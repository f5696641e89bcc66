//! What a hunt cites of ATT&CK: the state of the analytic that is in force, and the pages to link to.

use super::folder;
use crate::talk::note;
use anyhow::{Context, Result, bail};
use monologue_attack::{Error, Library, known};
use monologue_model::{
    AttackPages, AttackSnapshot, AttackSource, AttackState, Report,
    attack::{ANALYTIC, CITED},
};
use std::path::{Component, Path, PathBuf};

/// Says in the report which state of the analytic was in force: that of the newest snapshot of the library which holds it.
/// A library in the place where the platform keeps data may be missing or unreadable; one that was named may not.
///
/// # Errors
/// When the library that was named cannot be read.
pub(crate) fn cite(report: &mut Report, named: Option<&Path>) -> Result<()> {
    let library = match (named, folder(named)) {
        (Some(folder), _) => Library::open(folder)?,
        (None, Ok(folder)) => match Library::open(&folder) {
            Ok(library) => library,
            Err(Error::NoLibrary(_)) => return Ok(()),
            Err(error) => {
                note(&format!("the ATT&CK library in {} is passed over: {error}", folder.display()));
                return Ok(());
            }
        },
        (None, Err(_)) => return Ok(()),
    };
    let Some(found) = known::in_force(&library)? else {
        let text = format!(
            "the ATT&CK library holds no {ANALYTIC} in its newest enterprise snapshots: the built-in one is cited"
        );
        report.summary.notes.push(text);
        return Ok(());
    };
    let state = AttackState {
        source: AttackSource::Library,
        release: found.snapshot.release.as_deref().map(Into::into),
        analytic_sha256: found.header.sha256,
    };
    if !state.is_as_built_in() {
        report.summary.notes.push(format!(
            "{ANALYTIC} in the ATT&CK library is not the one this program was written after; `monologue attack show {ANALYTIC}` shows it"
        ));
    }
    if found.header.revoked || found.header.deprecated {
        report.summary.notes.push(format!("{ANALYTIC} is no longer in use, says the ATT&CK library"));
    }
    let snapshot = AttackSnapshot {
        imported_from: found.snapshot.source.as_str().into(),
        sha256: found.snapshot.sha256,
        official: !found.snapshot.official.is_empty(),
    };
    report.cite_attack(&state, Some(snapshot));
    Ok(())
}

/// The pages that `monologue attack site` wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// In a folder: its real path, and the ids that have a page.
    Folder(PathBuf, Vec<&'static str>),
    /// At an address, with a slash at its end. Nobody asks whether it is there.
    Address(String),
}

impl Site {
    /// Understands the folder or the address.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn of(text: &str) -> Result<Self> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !br#""'<>\^`{|}?#"#.contains(&byte));
            if !["http", "https", "file"].contains(&scheme) || rest.is_empty() || !plain {
                bail!(
                    "expected an address after --attack-site, found {text:?}; hint: such as https://intranet.example/attack, or the folder itself"
                );
            }
            return Ok(Self::Address(format!("{}/", text.trim_end_matches('/'))));
        }
        let hint = "hint: `monologue attack site DIR` writes the pages";
        let folder = Path::new(text).canonicalize().with_context(|| format!("cannot find {text}; {hint}"))?;
        let ids: Vec<_> =
            CITED.into_iter().filter(|id| folder.join("objects").join(format!("{id}.html")).is_file()).collect();
        if ids.is_empty() {
            bail!("expected pages of ATT&CK objects such as objects/{ANALYTIC}.html in {text}, found none; {hint}");
        }
        Ok(Self::Folder(folder, ids))
    }

    /// The links of a report that lies in `place`. `None` where no relative path leads from there to the pages.
    pub(crate) fn seen_from(&self, place: &Path) -> Option<AttackPages> {
        match self {
            Self::Address(address) => {
                Some(AttackPages { address: format!("{address}objects/").into(), ids: CITED.to_vec() })
            }
            Self::Folder(folder, ids) => {
                let path = relative(&place.canonicalize().ok()?, folder)?;
                Some(AttackPages { address: format!("{path}objects/").into(), ids: ids.clone() })
            }
        }
    }
}

/// The way from one real folder to another, as a relative reference of RFC 3986 with a slash at its end. It begins with a
/// dot, so that no folder's name can be read as a scheme.
fn relative(from: &Path, to: &Path) -> Option<String> {
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let same = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let mut path = "./".to_owned();
    for step in from.iter().skip(same) {
        matches!(step, Component::Normal(_)).then_some(())?;
        path.push_str("../");
    }
    for step in to.iter().skip(same) {
        let Component::Normal(name) = step else { return None };
        for byte in name.as_encoded_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                path.push(char::from(*byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
        path.push('/');
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_folders_is_relative_and_names_nothing_but_folders() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to)).unwrap();
        assert_eq!(way("/a/b", "/a/b"), "./");
        assert_eq!(way("/a/b/c", "/a/d e"), "./../../d%20e/");
        assert_eq!(way("/", "/javascript:alert(1)"), "./javascript%3Aalert%281%29/");
        assert_eq!(way("/", "/\"><script>"), "./%22%3E%3Cscript%3E/");
    }

    #[test]
    fn an_address_is_plain_and_of_a_scheme_that_shows_pages() {
        let site = Site::of("https://intranet.example/attack").unwrap();
        let pages = site.seen_from(Path::new(".")).unwrap();
        assert_eq!(pages.page("AN1601").unwrap(), "https://intranet.example/attack/objects/AN1601.html");
        assert_eq!(pages.page("T1059"), None, "only what the report speaks of");
        for refused in ["javascript://x", "https://", "https://a.example/\" onclick=", "https://a.example/?q"] {
            assert!(Site::of(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_folder_without_pages_is_refused_with_the_command_that_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let error = Site::of(folder.path().to_str().unwrap()).unwrap_err().to_string();
        assert!(error.contains("monologue attack site"), "{error}");
        std::fs::create_dir(folder.path().join("objects")).unwrap();
        std::fs::write(folder.path().join("objects/AN1601.html"), "").unwrap();
        let site = Site::of(folder.path().to_str().unwrap()).unwrap();
        let pages = site.seen_from(folder.path()).unwrap();
        assert_eq!(pages.page("AN1601").unwrap(), "./objects/AN1601.html");
        assert_eq!(pages.page("DET0581"), None, "it has no page there");
    }
}
