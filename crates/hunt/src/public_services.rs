//! Public web services that anybody can write to: a curated table, each line with its source.

use serde::Deserialize;
use std::{collections::BTreeMap, fmt, sync::LazyLock};

const TABLE: &str = include_str!("public-services.toml");

/// What a public web service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Keeps source code.
    Code,
    /// Keeps texts.
    Paste,
    /// Passes on messages.
    Chat,
    /// Shows profiles and posts.
    Social,
    /// Keeps documents, tables, notes.
    Documents,
    /// Keeps events.
    Calendar,
    /// Keeps files.
    Storage,
    /// Runs or serves whatever it is given.
    Hosting,
    /// Reads and writes a blockchain.
    Blockchain,
    /// Shows who called: out-of-band testers, request bins.
    Tester,
    /// Passes on what is posted.
    Webhook,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Code,
        Self::Paste,
        Self::Chat,
        Self::Social,
        Self::Documents,
        Self::Calendar,
        Self::Storage,
        Self::Hosting,
        Self::Blockchain,
        Self::Tester,
        Self::Webhook,
    ];

    /// The word used in settings and findings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Paste => "paste",
            Self::Chat => "chat",
            Self::Social => "social",
            Self::Documents => "documents",
            Self::Calendar => "calendar",
            Self::Storage => "storage",
            Self::Hosting => "hosting",
            Self::Blockchain => "blockchain",
            Self::Tester => "tester",
            Self::Webhook => "webhook",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicService {
    /// Its names; each counts with everything below it.
    pub names: Vec<String>,
    /// What it is for.
    pub kind: Kind,
    /// Teams and signing identifiers of its own programs.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Why it is here.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    version: String,
    service: Vec<PublicService>,
}

/// The table by name.
#[derive(Debug, Default)]
pub struct PublicServices {
    /// The table's version: the day of its last change.
    pub version: String,
    services: Vec<PublicService>,
    by_name: BTreeMap<String, usize>,
}

static SHIPPED: LazyLock<PublicServices> = LazyLock::new(|| PublicServices::from_toml(TABLE).unwrap_or_default());

impl PublicServices {
    /// The table the product ships.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        let Table { version, service: services } = toml::from_str(text)?;
        let names = services.iter().enumerate();
        let by_name =
            names.flat_map(|(at, service)| service.names.iter().map(move |name| (name.clone(), at))).collect();
        Ok(Self { version, services, by_name })
    }

    /// The service that a name belongs to, and the name under which it stands.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<(&str, &PublicService)> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        above(&name).find_map(|name| {
            let (name, at) = self.by_name.get_key_value(name)?;
            Some((name.as_str(), self.services.get(*at)?))
        })
    }

    /// Every service.
    pub fn iter(&self) -> impl Iterator<Item = &PublicService> {
        self.services.iter()
    }
}

/// A name, and each name above it.
pub(crate) fn above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_whole_and_every_line_has_a_source() {
        let table = PublicServices::from_toml(TABLE).unwrap();
        assert!(table.version.starts_with("20"), "{}", table.version);
        let mut names = BTreeSet::new();
        for service in table.iter() {
            assert!(service.source.len() > 20, "{:?}", service.names);
            for name in &service.names {
                assert!(names.insert(name.clone()), "{name} stands twice");
                assert!(name.contains('.') && *name == name.to_ascii_lowercase(), "{name}");
            }
        }
        let kinds: BTreeSet<Kind> = table.iter().map(|service| service.kind).collect();
        assert_eq!(kinds.len(), Kind::ALL.len(), "a kind without a service");
    }

    #[test]
    fn a_name_counts_with_everything_below_it_and_nothing_beside_it() {
        let kind = |name: &str| PublicServices::shipped().of(name).map(|(_, service)| service.kind);
        assert_eq!(kind("a1b2.oast.fun"), Some(Kind::Tester));
        assert_eq!(kind("GIST.github.com."), Some(Kind::Code));
        assert_eq!(kind("notgithub.com"), None);
        assert_eq!(kind("oast.fun.example.org"), None);
        assert_eq!(kind(""), None);
    }
}
