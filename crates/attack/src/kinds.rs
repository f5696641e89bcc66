//! The types of ATT&CK objects: their STIX names, and the words people use.

/// A type of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// STIX type.
    pub stix: &'static str,
    /// The word for one of them, as taken by `--type`.
    pub word: &'static str,
    /// The heading for many of them.
    pub plural: &'static str,
    /// Whether it has a version that releases count, so that change classes apply to it.
    pub versioned: bool,
}

const fn kind(stix: &'static str, word: &'static str, plural: &'static str, versioned: bool) -> Kind {
    Kind { stix, word, plural, versioned }
}

/// Every type that occurs in releases, in the order of lists.
pub const KINDS: [Kind; 18] = [
    kind("x-mitre-matrix", "matrix", "Matrices", true),
    kind("x-mitre-tactic", "tactic", "Tactics", true),
    kind("attack-pattern", "technique", "Techniques", true),
    kind("x-mitre-detection-strategy", "strategy", "Detection strategies", true),
    kind("x-mitre-analytic", "analytic", "Analytics", true),
    kind("x-mitre-data-component", "component", "Data components", true),
    kind("x-mitre-data-source", "data-source", "Data sources", true),
    kind("course-of-action", "mitigation", "Mitigations", true),
    kind("intrusion-set", "group", "Groups", true),
    kind("malware", "malware", "Malware", true),
    kind("tool", "tool", "Tools", true),
    kind("campaign", "campaign", "Campaigns", true),
    kind("x-mitre-asset", "asset", "Assets", true),
    kind("x-mitre-collection", "collection", "Collections", false),
    kind("identity", "identity", "Identities", false),
    kind("marking-definition", "marking", "Markings", false),
    kind("relationship", "relationship", "Relationships", false),
    kind("note", "note", "Notes", false),
];

/// The type of a STIX name.
#[must_use]
pub fn of(stix: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.stix == stix)
}

/// The word for a type; its STIX name where it has none.
#[must_use]
pub fn word(stix: &str) -> &str {
    of(stix).map_or(stix, |kind| kind.word)
}

/// The place of a type in lists; unknown ones come last.
pub(crate) fn order(stix: &str) -> usize {
    KINDS.iter().position(|kind| kind.stix == stix).unwrap_or(KINDS.len())
}

/// Whether `asked` means this type: its word, its STIX name, or `software` for malware and tools.
pub(crate) fn is_meant(stix: &str, asked: &str) -> bool {
    let asked = asked.to_ascii_lowercase();
    asked == stix
        || asked.trim_end_matches('s') == word(stix)
        || (matches!(stix, "malware" | "tool") && asked == "software")
        || (stix == "attack-pattern" && matches!(asked.as_str(), "sub-technique" | "subtechnique"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_words_of_their_own() {
        for kind in KINDS {
            assert_eq!(KINDS.iter().filter(|other| other.word == kind.word).count(), 1, "{}", kind.word);
            assert!(is_meant(kind.stix, kind.word) && is_meant(kind.stix, kind.stix));
        }
        assert!(is_meant("tool", "software") && is_meant("x-mitre-analytic", "Analytics"));
        assert!(!is_meant("tool", "malware"));
        assert_eq!(word("x-new"), "x-new");
    }
}
