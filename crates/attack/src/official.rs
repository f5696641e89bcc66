//! The published hashes of official release files, so that an import can prove what a file is.

use monologue_model::Sha256;
use serde::{Deserialize, Serialize};

/// The table: facts from the release list that MITRE ships with its own tools; the file names its source.
const TABLE: &str = include_str!("official.tsv");

/// Where the table comes from, for outputs.
pub const SOURCE: &str = "release_info.py of mitreattack-python 6.3.1, 2026-10-13";

/// A release file that was published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Official {
    /// Edition of STIX: `2.0` or `2.1`.
    pub stix: String,
    /// Domain, such as `enterprise-attack`.
    pub domain: String,
    /// Release, such as `19.1`.
    pub release: String,
}

/// The releases whose published file has this hash. None is a normal answer; two happen where a release changed nothing.
#[must_use]
pub fn named(sha256: Sha256) -> Vec<Official> {
    let wanted = sha256.to_string();
    TABLE.lines().filter_map(row).filter(|(_, hash)| *hash == wanted).map(|(official, _)| official).collect()
}

fn row(line: &str) -> Option<(Official, &str)> {
    let mut cells = line.split('\t');
    let official = Official {
        stix: cells.next().filter(|stix| !stix.starts_with('#'))?.to_owned(),
        domain: cells.next()?.to_owned(),
        release: cells.next()?.to_owned(),
    };
    Some((official, cells.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_whole() {
        let rows: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| row(line).unwrap()).collect();
        assert!(rows.len() > 200);
        for (official, hash) in rows {
            assert!(hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{hash}");
            assert!(official.domain.ends_with("-attack") && official.release.contains('.'), "{official:?}");
        }
    }

    #[test]
    fn a_published_hash_names_its_release_and_others_name_none() {
        // Enterprise 20.0 as STIX 2.1, from the same source, read by hand.
        let text = "\"81113ba98afa2928f3dcff62022539f7ce30c315c32e14422f11ff95ce534352\"";
        let found = named(serde_json::from_str(text).unwrap());
        let row = Official { stix: "2.1".into(), domain: "enterprise-attack".into(), release: "20.0".into() };
        assert_eq!(found, [row]);
        assert!(named(Sha256::of(b"mine")).is_empty());
    }
}
