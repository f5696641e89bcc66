//! `identity.imitation`: the name of a program of macOS on a file that is none.
//!
//! # What it says
//! The program's file bears the name of a well-known daemon or agent of macOS, differs from one by one letter, or puts `com.apple.`
//! into a signing identifier, and the kernel does not call it part of macOS. It speaks from presence.
//!
//! # Why it matters
//! A list of processes is read by people. A name they know is passed over.
//!
//! # When it is wrong
//! Common words are names of daemons too; only names that nothing else bears stand in the list. A state of the signature that
//! nobody recorded is no statement, and then nothing is said.
//!
//! # References
//! MITRE ATT&CK T1036.005 (masquerading: match legitimate name or location).

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, identity::file_name, judge::Context};
use monologue_model::{Needs, Sight, SignalId, SignatureState, WitnessKind};

/// Daemons and agents of macOS whose names nothing else bears.
const DAEMONS: &[&str] = &[
    "accountsd",
    "akd",
    "apsd",
    "bluetoothd",
    "cfprefsd",
    "cloudd",
    "configd",
    "coreaudiod",
    "coreduetd",
    "corespotlightd",
    "distnoted",
    "fseventsd",
    "identityservicesd",
    "imagent",
    "kernel_task",
    "launchd",
    "launchservicesd",
    "locationd",
    "loginwindow",
    "mDNSResponder",
    "mdworker_shared",
    "nsurlsessiond",
    "opendirectoryd",
    "powerd",
    "rapportd",
    "securityd",
    "sharingd",
    "softwareupdated",
    "storeaccountd",
    "syspolicyd",
    "sysmond",
    "systemstats",
    "tccd",
    "trustd",
    "usbmuxd",
    "UserEventAgent",
    "WindowServer",
    "xpcproxy",
];

/// See the module comment, which is the manual page.
pub(super) struct Imitation;

impl Signal for Imitation {
    fn id(&self) -> SignalId {
        SignalId("identity.imitation")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessSignature])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_imitation.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let attributes = &subject.channel.attributes;
        let mut states = attributes.signatures.iter().map(|(state, _)| *state);
        if !states.all(|state| matches!(state, SignatureState::Unsigned | SignatureState::AdHoc | SignatureState::Team))
        {
            return Opinion::Silent;
        }
        for (path, _) in attributes.paths.iter() {
            if let Some(daemon) = imitated(file_name(path)) {
                return supports(
                    "named-like-macos",
                    format!("{path} is not part of macOS, and named like its {daemon}"),
                );
            }
        }
        let apple = attributes.signing_ids.iter().map(|(name, _)| name).find(|name| name.starts_with("com.apple."));
        match apple {
            Some(name) => supports("named-like-macos", format!("it is signed as {name}, and not by Apple")),
            None => Opinion::Silent,
        }
    }
}

/// The daemon whose name this is, or is but for one letter.
fn imitated(name: &str) -> Option<&'static str> {
    DAEMONS.iter().copied().find(|daemon| *daemon == name || (daemon.len() > 6 && differs_by_one(daemon, name)))
}

/// Whether two words differ by one letter changed, left out or added, upper case apart.
fn differs_by_one(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase().into_bytes(), other.to_ascii_lowercase().into_bytes());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let front = one.iter().zip(&other).take_while(|(left, right)| left == right).count();
    let rest = one.len().min(other.len()) - front;
    let back = one.iter().rev().zip(other.iter().rev()).take(rest).take_while(|(left, right)| left == right).count();
    one.len().max(other.len()) - front - back <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_does_not_hide_a_name() {
        for name in ["trustd", "softwareupdated", "softwareupdate", "nsurIsessiond", "mDNSResponderr", "WindowSewer"] {
            assert_eq!(imitated(name).is_some(), name != "WindowSewer", "{name}");
        }
        for name in ["trusted", "curl", "update", "powers", "launcher", ""] {
            assert_eq!(imitated(name), None, "{name}");
        }
    }
}
