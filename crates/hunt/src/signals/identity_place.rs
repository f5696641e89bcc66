//! `identity.place`: the program lies where nothing is installed.
//!
//! # What it says
//! The program, or the script an interpreter runs for, lies in a temporary folder, in `/Users/Shared`, among downloads, or below
//! a folder or name that begins with a dot; or, and that counts less, loose among settings and caches in the library of the home folder,
//! in no bundle. It refutes, for what nobody signed, where administrators and package managers put tools. It speaks from presence.
//!
//! # Why it matters
//! Installers put programs into `/Applications`, `/Library` or `/opt`, and helpers into bundles. What a lure drops, it drops where
//! anybody may write.
//!
//! # When it is wrong
//! Developers run what they build; package managers keep caches and tools below dotted folders of the home (`~/.cargo`,
//! `~/.local`, `~/.nvm`, `~/.docker`): those are left out. Self-updating programs unpack helpers to temporary folders for
//! minutes. Launchers of games and of developers' tools keep loose programs in the library. A program that nobody signed can lie in `/Applications` all the same.
//!
//! # References
//! MITRE ATT&CK T1564.001 (hidden files and directories), T1036.005 (resembling a legitimate location); the temporary folders of
//! macOS: `confstr(3)`, `_CS_DARWIN_USER_TEMP_DIR`.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, SignatureState, WitnessKind};

/// Where anybody may write, and nothing is installed.
const PLACES: &[(&str, &str)] = &[
    ("/tmp/", "a temporary folder"),
    ("/private/tmp/", "a temporary folder"),
    ("/var/tmp/", "a temporary folder"),
    ("/private/var/tmp/", "a temporary folder"),
    ("/var/folders/", "a temporary folder"),
    ("/private/var/folders/", "a temporary folder"),
    ("/Users/Shared/", "the folder all users share"),
    ("~/Downloads/", "the downloads"),
];

/// Dotted folders of the home in which developers' tools live.
const TOOLS: &[&str] = &[
    ".asdf",
    ".bun",
    ".cache",
    ".cargo",
    ".config",
    ".deno",
    ".docker",
    ".dotnet",
    ".gem",
    ".go",
    ".gradle",
    ".local",
    ".m2",
    ".mise",
    ".npm",
    ".nvm",
    ".oh-my-zsh",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".sdkman",
    ".vscode",
    ".cursor",
    ".Trash",
];

/// See the module comment, which is the manual page.
pub(super) struct Place;

impl Signal for Place {
    fn id(&self) -> SignalId {
        SignalId("identity.place")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec, Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_place.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let agent = channel.key.application.agent().filter(|agent| agent.contains('/')).map(|agent| &**agent);
        let programs = channel.attributes.paths.iter().map(|(path, _)| &**path);
        for path in agent.into_iter().chain(programs) {
            if let Some(place) = place(path) {
                return supports("temporary", format!("{path} lies in {place}"));
            }
        }
        let programs = channel.attributes.paths.iter().map(|(path, _)| &**path);
        if let Some(path) = agent.into_iter().chain(programs).find(|path| is_loose(path)) {
            return supports("loose", format!("{path} lies loose in the library of the home folder"));
        }
        // Of a script the place of the script counts; whoever signed a program has spoken for it.
        let is_signed = channel.attributes.signatures.iter().any(|(state, _)| *state == SignatureState::Team);
        let program = agent.or_else(|| channel.attributes.paths.commonest().map(|path| &**path));
        if let Some(path) = program.filter(|path| (agent.is_some() || !is_signed) && is_of_administrators(path)) {
            return refutes("administrators", format!("{path} lies where administrators and package managers put tools"));
        }
        Opinion::Silent
    }
}

/// Where a path lies, if nothing is installed there.
fn place(path: &str) -> Option<&'static str> {
    if let Some((_, words)) = PLACES.iter().find(|(start, _)| path.starts_with(start)) {
        return Some(words);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let tools = parts.first() == Some(&"~") && parts.get(1).is_some_and(|part| TOOLS.contains(part));
    let hidden = parts.iter().any(|part| part.starts_with('.') && !matches!(*part, "." | ".."));
    (hidden && !tools).then_some("a hidden place")
}

/// Whether a path is where administrators and package managers put tools.
fn is_of_administrators(path: &str) -> bool {
    ["/usr/local/", "/opt/"].iter().any(|start| path.starts_with(start))
}

/// Endings of folders that are one thing to their user, as installers lay them out.
const BUNDLES: &[&str] =
    &[".app", ".appex", ".bundle", ".framework", ".plugin", ".prefPane", ".xpc", ".systemextension", ".component"];

/// Whether a program lies in the library of the home folder, and in no bundle.
fn is_loose(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("~/Library/") else { return false };
    !rest.split('/').any(|part| BUNDLES.iter().any(|ending| part.ends_with(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_where_nothing_is_installed_are_known() {
        for path in [
            "/private/tmp/update",
            "/Users/Shared/.x/agent",
            "~/Library/.helper/run",
            "~/Downloads/a.command",
            "/usr/local/.a",
        ] {
            assert!(place(path).is_some(), "{path}");
        }
        for path in [
            "/usr/bin/curl",
            "~/.cargo/bin/rg",
            "/Applications/A.app/Contents/MacOS/A",
            "~/bin/../bin/x",
            "/opt/homebrew/bin/jq",
        ] {
            assert_eq!(place(path), None, "{path}");
        }
    }

    #[test]
    fn what_lies_in_a_bundle_is_not_loose() {
        for (path, loose) in [
            ("~/Library/Application Support/x/x-helper", true),
            ("~/Library/Application Support/Steam/Steam.AppBundle.app/Contents/MacOS/steam", false),
            ("~/Library/Lantern/LanternUpdate.bundle/Contents/MacOS/LanternUpdate", false),
            ("/Library/Application Support/Fleetwell/fleetwelld", false),
            ("~/bin/sync.sh", false),
        ] {
            assert_eq!(is_loose(path), loose, "{path}");
        }
    }
}
