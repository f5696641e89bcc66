//! `identity.watched`: a program that this team's settings name.
//!
//! # What it says
//! The file name of the program is in `ProcessName`, or that of an ancestor in `ParentProcess`, of the settings in force. It speaks
//! from presence, and never without such settings.
//!
//! # Why it matters
//! ATT&CK's analytics leave names of processes to those who know the fleet. A hint from elsewhere (an advisory, a case) belongs
//! there for as long as it is worth something.
//!
//! # When it is wrong
//! A name says nothing of who wrote a program, and is changed in a moment.
//!
//! # References
//! MITRE ATT&CK, mutable elements `ProcessName` and `ParentProcess` of the analytics under T1102.

use super::{Opinion, Signal, identity_lineage::steps, supports};
use crate::{absence::Subject, identity::file_name, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Watched;

impl Signal for Watched {
    fn id(&self) -> SignalId {
        SignalId("identity.watched")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_watched.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let attributes = &subject.channel.attributes;
        let named = attributes.paths.iter().map(|(path, _)| file_name(path));
        if let Some(name) = named.into_iter().find(|name| context.settings.process_name.contains(*name)) {
            return supports("named", format!("the settings name {name}"));
        }
        let parents = attributes.lineages.iter().flat_map(|(lineage, _)| steps(lineage)).map(file_name);
        match parents.into_iter().find(|name| context.settings.parent_process.contains(*name)) {
            Some(name) => supports("named", format!("the settings name its ancestor {name}")),
            None => Opinion::Silent,
        }
    }
}
