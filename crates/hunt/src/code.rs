//! What is known of programs' code: the verdicts of static inspection, by code directory hash and build.

use monologue_model::{Channel, CodeProfile, CodeVerdict};
use std::{collections::BTreeMap, sync::Arc};

/// Profiles of programs, by how telemetry names their code.
#[derive(Clone, Debug, Default)]
pub struct CodeProfiles {
    by_cdhash: BTreeMap<Arc<str>, CodeVerdict>,
}

impl CodeProfiles {
    /// Adds the profile of one file. Of two that name the same code, the one that claims less stands.
    pub fn add(&mut self, profile: &CodeProfile) {
        for slice in &profile.slices {
            for hash in slice.cdhash.iter().chain(&slice.uuid) {
                let known = self.by_cdhash.entry(hash.to_ascii_lowercase().into()).or_insert(profile.verdict);
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
        let builds = &channel.attributes.cdhashes;
        if builds.overflow {
            return None;
        }
        let mut verdicts = builds.iter().map(|(hash, _)| self.by_cdhash.get(&*hash.to_ascii_lowercase()).copied());
        let first = verdicts.next()??;
        verdicts.all(|other| other == Some(first)).then_some(first)
    }
}
