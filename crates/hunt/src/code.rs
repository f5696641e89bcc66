//! What is known of programs' code: the verdicts of static inspection, by code directory hash and build.

use monologue_model::{Bounded, Channel, CodeProfile, CodeVerdict};
use std::{collections::BTreeMap, sync::Arc};

/// One spelling of a hash or identifier: lower case, without dashes.
fn normal(name: &str) -> String {
    name.replace('-', "").to_ascii_lowercase()
}

/// Profiles of programs, by how telemetry names their code.
#[derive(Clone, Debug, Default)]
pub struct CodeProfiles {
    by_name: BTreeMap<String, CodeVerdict>,
}

impl CodeProfiles {
    /// Adds the profile of one file. Of two that name the same code, the one that claims less stands.
    pub fn add(&mut self, profile: &CodeProfile) {
        for slice in &profile.slices {
            for hash in slice.cdhash.iter().chain(&slice.uuid) {
                let known = self.by_name.entry(normal(hash)).or_insert(profile.verdict);
                if *known != profile.verdict {
                    *known = CodeVerdict::Unproved;
                }
            }
        }
    }

    /// What the code of a channel's program can do with a response. `None`: nobody inspected it, or it ran as several
    /// builds of which not all were.
    #[must_use]
    pub fn of(&self, channel: &Channel) -> Option<CodeVerdict> {
        self.of_all(&channel.attributes.cdhashes).or_else(|| self.of_all(&channel.attributes.code_uuids))
    }

    fn of_all(&self, builds: &Bounded<Arc<str>>) -> Option<CodeVerdict> {
        let mut verdicts = builds.iter().map(|(name, _)| self.by_name.get(&normal(name)).copied());
        let first = verdicts.next()??;
        (!builds.overflow && verdicts.all(|other| other == Some(first))).then_some(first)
    }
}
