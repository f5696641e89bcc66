//! The objects of MITRE ATT&CK that a report speaks of, and the state of them that was in force.

use crate::{Disposition, Report, Sha256};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The analytic that is hunted for.
pub const ANALYTIC: &str = "AN1601";

/// The detection strategy it belongs to.
pub const STRATEGY: &str = "DET0581";

/// T1102.003, One-Way Communication: the technique that the strategy detects.
pub const ONE_WAY_TECHNIQUE: &str = "T1102.003";

/// T1102.002, Bidirectional Communication: its sibling, for channels that answer back.
pub const TWO_WAY_TECHNIQUE: &str = "T1102.002";

/// The release in which the built-in facts of the analytic were checked.
pub const BUILT_IN_RELEASE: &str = "19.1";

/// Every release that is known to hold the analytic exactly as it is built in.
pub const BUILT_IN_SAME_IN: [&str; 4] = ["18.0", "18.1", "19.0", "19.1"];

/// The built-in analytic: SHA-256 of its JSON with sorted names, compact, in UTF-8.
pub const BUILT_IN_SHA256: Sha256 = Sha256::from_bytes([
    0x6c, 0x5a, 0x5e, 0xe6, 0x35, 0xc9, 0xec, 0xa4, 0xa3, 0x9e, 0x15, 0xde, 0xe2, 0xf5, 0x65, 0x35, 0xa9, 0xfd, 0xc0,
    0xda, 0x24, 0x4d, 0x54, 0x1b, 0x64, 0x7a, 0x6f, 0x7b, 0xab, 0xa6, 0xec, 0xb0,
]);

/// Where the state of the analytic is known from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackSource {
    /// This program: no library was given, or none of its snapshots holds the analytic.
    #[default]
    BuiltIn,
    /// The newest snapshot of the ATT&CK library that holds it.
    Library,
}

/// The state of the analytic that was in force when a report was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttackState {
    /// Where it is known from.
    pub source: AttackSource,
    /// Release of ATT&CK. `None` means nobody said which release the imported snapshot is.
    pub release: Option<Arc<str>>,
    /// Canonical hash of the analytic's object.
    pub analytic_sha256: Sha256,
}

impl Default for AttackState {
    fn default() -> Self {
        Self { source: AttackSource::BuiltIn, release: Some(BUILT_IN_RELEASE.into()), analytic_sha256: BUILT_IN_SHA256 }
    }
}

impl AttackState {
    /// Whether the analytic reads as it did when this program was written after it.
    #[must_use]
    pub fn is_as_built_in(&self) -> bool {
        self.analytic_sha256 == BUILT_IN_SHA256
    }
}

/// The snapshot of the library that was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttackSnapshot {
    /// The file it was imported from, as the user named it then.
    pub imported_from: Arc<str>,
    /// Hash of that file.
    pub sha256: Sha256,
    /// Whether MITRE published a file with that hash.
    pub official: bool,
}

/// Pages of ATT&CK objects that a report links to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttackPages {
    /// Address of the folder with the objects' pages, with a slash at its end: relative to the report, or a URL.
    pub address: Arc<str>,
    /// The ids among [`CITED`] that have a page there.
    pub ids: Vec<&'static str>,
}

impl AttackPages {
    /// The address of an object's page. `None` where it has none.
    #[must_use]
    pub fn page(&self, id: &str) -> Option<String> {
        self.ids.contains(&id).then(|| format!("{}{id}.html", self.address))
    }
}

/// The ids that a report speaks of.
pub const CITED: [&str; 6] = [ANALYTIC, "AN1599", "AN1602", STRATEGY, ONE_WAY_TECHNIQUE, TWO_WAY_TECHNIQUE];

/// The ATT&CK objects a finding speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttackReference {
    /// The analytic that was hunted for, whatever was found.
    pub analytic: &'static str,
    /// Its detection strategy.
    pub strategy: &'static str,
    /// The technique that the disposition matches. `None` where the evidence settles none.
    pub technique: Option<&'static str>,
    /// The state of the analytic that was in force.
    #[serde(flatten)]
    pub state: AttackState,
}

impl AttackReference {
    /// What a channel of that disposition speaks of, with the built-in analytic.
    #[must_use]
    pub fn of(disposition: Disposition) -> Self {
        Self {
            analytic: ANALYTIC,
            strategy: STRATEGY,
            technique: technique(disposition),
            state: AttackState::default(),
        }
    }
}

/// The technique that a disposition matches. `None`: what is not settled claims none.
#[must_use]
pub const fn technique(disposition: Disposition) -> Option<&'static str> {
    match disposition {
        Disposition::NoReply | Disposition::ReplyUnhandled | Disposition::PullOnly => Some(ONE_WAY_TECHNIQUE),
        Disposition::TwoWay => Some(TWO_WAY_TECHNIQUE),
        Disposition::Unknown => None,
    }
}

impl Report {
    /// Says throughout which state of the analytic was in force.
    pub fn cite_attack(&mut self, state: &AttackState, snapshot: Option<AttackSnapshot>) {
        self.findings.iter_mut().for_each(|finding| finding.attack.state.clone_from(state));
        self.summary.attack.clone_from(state);
        self.summary.attack_snapshot = snapshot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technique_is_named_only_where_the_disposition_is_settled() {
        let named = [
            Disposition::NoReply,
            Disposition::ReplyUnhandled,
            Disposition::PullOnly,
            Disposition::TwoWay,
            Disposition::Unknown,
        ]
        .map(technique);
        let one_way = Some("T1102.003");
        assert_eq!(named, [one_way, one_way, one_way, Some("T1102.002"), None]);
    }

    #[test]
    fn the_state_stands_beside_the_ids_in_json() {
        let value = serde_json::to_value(AttackReference::of(Disposition::Unknown)).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "analytic": "AN1601", "strategy": "DET0581", "technique": null, "source": "built-in", "release": "19.1",
                "analytic_sha256": "6c5a5ee635c9eca4a39e15dee2f56535a9fdc0da244d541b647a6f7baba6ecb0",
            })
        );
    }
}
