//! `identity.user-context`: for whom it runs.
//!
//! # What it says
//! Root runs a program from a folder that a user can write to, or an account of a service (user ids 1 to 500 and the negative
//! ones such as `nobody`) asks the web. Which of both counts is ATT&CK's mutable element `UserContext`. It speaks from presence.
//!
//! # Why it matters
//! AN1601 asks for the context of the user: system or service accounts have nobody who browses.
//!
//! # When it is wrong
//! Administrators' scripts run as root from a home folder now and then. Servers under service accounts fetch updates. Directory
//! accounts have large ids and are people.
//!
//! # References
//! MITRE ATT&CK AN1601, mutable element `UserContext`; macOS gives people ids from 501 on (`dscl(1)`, `sysadminctl(8)`).

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context, settings::UserContext};
use monologue_model::{Needs, Sight, SignalId, SignatureState, WitnessKind};

/// The first id macOS gives to a person.
const FIRST_PERSON: u32 = 501;

/// Ids from here on are negative numbers in disguise: `nobody` is -2.
const NEGATIVE_IDS: u32 = u32::MAX - 1000;

/// See the module comment, which is the manual page.
pub(super) struct UserContextSignal;

impl Signal for UserContextSignal {
    fn id(&self) -> SignalId {
        SignalId("identity.user-context")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessSignature])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_user_context.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let attributes = &subject.channel.attributes;
        // The accounts of macOS's own services run macOS's own programs, and a program whose signature nobody recorded may be one.
        let foreign = |state: &SignatureState| {
            matches!(state, SignatureState::Unsigned | SignatureState::AdHoc | SignatureState::Team)
        };
        let own = !attributes.signatures.iter().all(|(state, _)| foreign(state));
        if own && subject.channel.key.application.agent().is_none() {
            return Opinion::Silent;
        }
        let counts = |context_of: UserContext| context.settings.user_context.contains(&context_of);
        let ids = || attributes.user_ids.iter().map(|(id, _)| *id);
        let writable = attributes.paths.iter().map(|(path, _)| &**path).find(|path| is_writable_by_users(path));
        if let (true, true, Some(path)) = (counts(UserContext::RootFromUserPath), ids().any(|id| id == 0), writable) {
            return supports("root-from-user-path", format!("root runs {path}, which a user can replace"));
        }
        let service = ids().find(|id| (1..FIRST_PERSON).contains(id) || *id > NEGATIVE_IDS);
        match service.filter(|_| counts(UserContext::ServiceAccount)) {
            Some(id) => {
                supports("service-account", format!("it runs for the service account with the id {}", id as i32))
            }
            None => Opinion::Silent,
        }
    }
}

fn is_writable_by_users(path: &str) -> bool {
    [
        "~/",
        "/Users/",
        "/tmp/",
        "/private/tmp/",
        "/var/tmp/",
        "/private/var/tmp/",
        "/var/folders/",
        "/private/var/folders/",
    ]
    .iter()
    .any(|start| path.starts_with(start))
}
