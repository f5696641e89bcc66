//! What is known without any import: the objects that the product itself cites, by id, name and hash.

mod table;

use crate::{Ask, Error, Found, Library};
use monologue_model::attack::BUILT_IN_RELEASE;

pub use table::KNOWN;

/// The release in which the facts of [`KNOWN`] were checked.
pub const CHECKED_RELEASE: &str = BUILT_IN_RELEASE;

/// An object that is known by its facts only. Its text comes from a bundle that the user imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// ATT&CK id.
    pub attack_id: &'static str,
    /// STIX id.
    pub stix_id: &'static str,
    /// Name.
    pub name: &'static str,
    /// Version of the object.
    pub version: &'static str,
    /// Canonical hash, 64 hexadecimal digits.
    pub sha256: &'static str,
    /// For an analytic: its detection strategy. Empty for others.
    pub strategy: &'static str,
    /// For an analytic: the technique its strategy detects. Empty for others.
    pub technique: &'static str,
    /// For an analytic: its platforms.
    pub platforms: &'static [&'static str],
    /// For an analytic: name, channel and data component of each log source.
    pub log_sources: &'static [(&'static str, &'static str, &'static str)],
    /// For an analytic: the fields of its mutable elements.
    pub elements: &'static [&'static str],
}

/// The analytic this product implements: the same object, by its hash, in 18.0, 18.1, 19.0 and 19.1. Later releases
/// were not at hand.
pub const AN1601: Known = by_constant_id("AN1601");

/// The object of an ATT&CK id (in any case) or STIX id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.attack_id.eq_ignore_ascii_case(id) || known.stix_id == id)
}

impl Known {
    /// Its STIX type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.stix_id.split_once("--").map_or("", |(kind, _)| kind)
    }
}

/// The analytic as the library holds it: in the newest enterprise snapshots. `None` where they do not hold it.
///
/// # Errors
/// When the database fails.
pub fn in_force(library: &Library) -> Result<Option<Found>, Error> {
    let enterprise = Ask { release: None, domain: Some("enterprise-attack".to_owned()) };
    let found = library.view(&enterprise).and_then(|view| view.find(AN1601.attack_id));
    match found {
        // Another object may bear the id some day: then it is not the analytic that is hunted for.
        Ok(found) => Ok(Some(found).filter(|found| found.header.stix_id == AN1601.stix_id)),
        Err(Error::NoSnapshot { .. } | Error::Unknown { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks an id up while the program is built.
const fn by_constant_id(id: &str) -> Known {
    let mut rest = KNOWN;
    while let [first, tail @ ..] = rest {
        if same(first.attack_id.as_bytes(), id.as_bytes()) {
            return *first;
        }
        rest = tail;
    }
    // Reached only by an id that is not in the table: then this does not compile.
    unreachable!()
}

const fn same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([first, left_rest @ ..], [other, right_rest @ ..]) = (left, right) {
        if *first != *other {
            return false;
        }
        left = left_rest;
        right = right_rest;
    }
    left.is_empty() && right.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canonical, kinds};
    use monologue_model::attack;
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn the_analytic_is_the_one_of_the_mission() {
        assert_eq!(AN1601.stix_id, "x-mitre-analytic--d49f06ba-7a81-440b-bc16-c583ba918a3d");
        assert_eq!(AN1601.sha256, "6c5a5ee635c9eca4a39e15dee2f56535a9fdc0da244d541b647a6f7baba6ecb0");
        assert_eq!((AN1601.strategy, AN1601.technique), ("DET0581", "T1102.003"));
        assert_eq!(
            (AN1601.attack_id, AN1601.strategy, AN1601.technique, AN1601.sha256),
            (attack::ANALYTIC, attack::STRATEGY, attack::ONE_WAY_TECHNIQUE, &*attack::BUILT_IN_SHA256.to_string()),
            "findings cite the same object"
        );
        assert_eq!(by_id("an1601").map(|known| known.stix_id), Some(AN1601.stix_id));
    }

    #[test]
    fn every_fact_has_its_form() {
        let ids: BTreeSet<&str> = KNOWN.iter().map(|known| known.attack_id).collect();
        assert_eq!(ids.len(), KNOWN.len(), "each id once");
        for known in KNOWN {
            assert!(kinds::of(known.kind()).is_some(), "{}", known.stix_id);
            assert!(known.sha256.len() == 64 && known.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let analytic = known.kind() == "x-mitre-analytic";
            assert_eq!(analytic, !known.strategy.is_empty() && !known.log_sources.is_empty(), "{}", known.attack_id);
        }
    }

    #[test]
    fn released_objects_have_these_hashes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/attack");
        let mut checked = 0;
        for known in KNOWN {
            let Ok(raw) = std::fs::read(folder.join(format!("{}.v{CHECKED_RELEASE}.json", known.attack_id))) else {
                continue;
            };
            let value = canonical::parse(&raw).unwrap();
            assert_eq!(canonical::hash(&value).to_string(), known.sha256, "{}", known.attack_id);
            assert_eq!(value["id"], known.stix_id);
            assert_eq!(value["name"], known.name);
            checked += 1;
        }
        if checked == 0 {
            println!("skipped: no released objects in {}", folder.display());
        } else {
            assert!(checked >= 19, "{checked} checked");
        }
    }
}
