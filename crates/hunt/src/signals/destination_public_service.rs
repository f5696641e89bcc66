//! `destination.public-service`: a public web service anybody can write to, asked by no client of it.
//!
//! # What it says
//! The name asked for stands in a curated table of public services (code, texts, chat, posts, documents, calendars, storage, hosting,
//! blockchain nodes, webhooks, request bins), or in `DestinationDomain` of the settings, and the program is neither a browser nor one
//! of the service's own. Request bins and out-of-band testers count more. That it is no client speaks from absence: the signature of
//! every request's program must be known, or that all of them lie in no application and in no part of macOS.
//!
//! # Why it matters
//! T1102 is about services that blend in: commands are left where everybody reads.
//!
//! # When it is wrong
//! Developers' tools and scripts use these services all day; much software fetches its updates from code hosting. A front or a
//! custom name in one's own domain hides the service. Where nobody
//! recorded who asked, or how it is signed, a browser may have, and nothing is said.
//!
//! # References
//! MITRE ATT&CK T1102, T1567, mutable elements `DestinationDomain` and `TargetService`; the table with a source for each line:
//! `crates/hunt/src/public-services.toml`.

use super::{Opinion, Signal, supports};
use crate::{
    absence::Subject,
    judge::Context,
    public_services::{Kind, PublicServices, above},
};
use monologue_model::{ApplicationKey, Channel, Needs, Sight, SignalId, SignatureState, WitnessKind};

/// Programs in which people go anywhere, by signing identifier.
const BROWSERS: &[&str] = &[
    "com.apple.Safari",
    "com.apple.WebKit.Networking",
    "com.google.Chrome",
    "com.google.Chrome.helper",
    "org.mozilla.firefox",
    "com.microsoft.edgemac",
    "com.brave.Browser",
    "company.thebrowser.Browser",
    "com.operasoftware.Opera",
    "com.vivaldi.Vivaldi",
    "org.chromium.Chromium",
];

/// See the module comment, which is the manual page.
pub(super) struct PublicServiceSignal;

impl Signal for PublicServiceSignal {
    fn id(&self) -> SignalId {
        SignalId("destination.public-service")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessSignature, Sight::ProcessExec, Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("destination_public_service.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let states = &channel.attributes.signatures;
        let is_signature_known = !states.is_empty() && !states.contains(&SignatureState::Unknown);
        if !is_signature_known && !lies_outside_of_applications(channel) {
            return Opinion::Silent;
        }
        let (signing_id, team) = match &channel.key.application {
            ApplicationKey::Signed { team, signing_id, .. } => (Some(&**signing_id), team.as_deref()),
            _ => (None, None),
        };
        let starts = |name: &str, known: &str| {
            name == known || name.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'))
        };
        if signing_id.is_some_and(|name| BROWSERS.iter().any(|known| starts(name, known))) {
            return Opinion::Silent;
        }
        for (name, _) in channel.attributes.names.iter() {
            if let Some((known, service)) = PublicServices::shipped().of(name) {
                let is_client = |client: &String| {
                    team == Some(client) || signing_id.is_some_and(|signing_id| starts(signing_id, client))
                };
                if !context.settings.target_service.contains(&service.kind) || service.clients.iter().any(is_client) {
                    continue;
                }
                let why =
                    format!("{name} belongs to {known}, a public service ({}) that anybody can use", service.kind);
                let case = if service.kind == Kind::Tester { "tester" } else { "dead-drop" };
                return if case == "tester" { supports("tester", why) } else { supports("dead-drop", why) };
            }
            let lower = name.to_ascii_lowercase();
            if above(&lower).any(|name| context.settings.destination_domain.contains(name)) {
                return supports("dead-drop", format!("{name} is among the destinations that the settings name"));
            }
        }
        Opinion::Silent
    }
}

/// Whether every program that asked is known by its path, and none lies in an application or is part of macOS: then it is no
/// browser, and no application that is a service's own.
fn lies_outside_of_applications(channel: &Channel) -> bool {
    let attributes = &channel.attributes;
    let known = attributes.path_unknown == 0 && !attributes.paths.overflow && !attributes.paths.is_empty();
    let is_outside = |path: &str| {
        !path.contains(".app/") && !["/System/", "/usr/", "/bin/", "/sbin/"].iter().any(|start| path.starts_with(start))
    };
    known && attributes.socket_owners.is_empty() && attributes.paths.iter().all(|(path, _)| is_outside(path))
}
