//! Application identity: which application a program instance is, and on whose behalf an interpreter runs.

use crate::{
    lineage,
    processes::{Instance, ProcessTable},
};
use monologue_model::{ApplicationKey, ProcessImage, SignatureState};
use std::sync::Arc;

/// Shells: never the agent themselves.
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "csh", "tcsh", "fish"];

/// Programs that run somebody else's script or request: their own identity says nothing of who asked.
const DELEGATES: &[&str] =
    &["curl", "wget", "nscurl", "osascript", "python", "node", "ruby", "perl", "php", "deno", "bun", "java", "swift"];

/// Whether the program at `path` is a shell.
pub(crate) fn is_shell(path: &str) -> bool {
    SHELLS.contains(&file_name(path))
}

/// Whether the program at `path` acts for a script or a caller (versions such as `python3.12` included).
pub(crate) fn is_interpreter(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    SHELLS.contains(&bare) || DELEGATES.contains(&bare)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Bytes from which on the kernel may have cut a program's name (`MAXCOMLEN` of XNU is 16; some tools keep one less).
const CUT_NAME_LENGTH: usize = 15;

/// Whether `said`, the name of a running program as the kernel keeps it, may be the program called `name`.
pub(crate) fn is_named(said: &str, name: &str) -> bool {
    said == name || said.len() >= CUT_NAME_LENGTH && name.starts_with(said)
}

/// A path with the home folder as `~`, so that one application is the same for every user.
pub(crate) fn without_home(path: &str) -> Arc<str> {
    for prefix in ["/Users/", "/System/Volumes/Data/Users/"] {
        if let Some((_, inside)) = path.strip_prefix(prefix).and_then(|rest| rest.split_once('/'))
            && !path.starts_with("/Users/Shared/")
        {
            return format!("~/{inside}").into();
        }
    }
    match path.strip_prefix("/private/var/root/").or_else(|| path.strip_prefix("/var/root/")) {
        Some(inside) => format!("~/{inside}").into(),
        None => path.into(),
    }
}

/// The identity of a program image alone, without an agent.
pub(crate) fn of_image(image: &ProcessImage) -> ApplicationKey {
    match (image.signature, &image.signing_id, &image.team_id, &image.path) {
        (SignatureState::Team, Some(signing_id), Some(team), _) => {
            ApplicationKey::Signed { team: Some(team.clone()), signing_id: signing_id.clone(), agent: None }
        }
        (SignatureState::Platform, Some(signing_id), _, _) => {
            ApplicationKey::Signed { team: None, signing_id: signing_id.clone(), agent: None }
        }
        (_, _, _, Some(path)) => ApplicationKey::Path { path: without_home(path), agent: None },
        _ => ApplicationKey::Unknown,
    }
}

/// The identity of a program instance; for interpreters and `curl` with the script, launch label or nearest ancestor
/// that is not a shell. A chain with an unknown link gives no agent: a guess would be another application tomorrow.
pub(crate) fn of_instance(table: &ProcessTable, instance: &Instance) -> ApplicationKey {
    let key = of_image(&instance.image);
    let Some(path) = instance.image.path.as_deref().filter(|path| is_interpreter(path)) else { return key };
    let found = agent(table, instance, path).map(|(agent, _)| agent);
    match key {
        ApplicationKey::Unknown => ApplicationKey::Unknown,
        ApplicationKey::Signed { team, signing_id, .. } => ApplicationKey::Signed { team, signing_id, agent: found },
        ApplicationKey::Path { path, .. } => ApplicationKey::Path { path, agent: found },
    }
}

/// On whose behalf an interpreter runs, and the pid of the process that stands for it (whose descendants act with it).
pub(crate) fn agent(table: &ProcessTable, instance: &Instance, path: &str) -> Option<(Arc<str>, Option<u32>)> {
    if let Some(script) = script_of(instance, path) {
        return Some((script, instance.image.key.pid));
    }
    let (ancestors, complete) = table.ancestors(instance);
    for ancestor in &ancestors {
        let ancestor_path = ancestor.image.path.as_deref()?;
        if is_interpreter(ancestor_path) {
            // Only an exec tells whether a shell runs a script; a fork's copy shares its parent's.
            if let Some(script) = script_of(ancestor, ancestor_path) {
                return Some((script, ancestor.image.key.pid));
            }
            ancestor.exec.as_ref()?;
        } else if file_name(ancestor_path) != "xpcproxy" {
            return Some((without_home(ancestor_path), ancestor.image.key.pid));
        }
    }
    let top = ancestors.last().copied().unwrap_or(instance);
    let label = complete.then(|| lineage::label(table, top)).flatten()?;
    Some((label, top.image.key.pid))
}

/// The signature of the program on whose behalf an interpreter runs, where that is a program of its own and no script.
pub(crate) fn agent_signature(table: &ProcessTable, instance: &Instance) -> Option<SignatureState> {
    let path = instance.image.path.as_deref().filter(|path| is_interpreter(path))?;
    let (name, pid) = agent(table, instance, path)?;
    let (ancestors, _) = table.ancestors(instance);
    let of_agent = |ancestor: &&&Instance| {
        ancestor.image.key.pid == pid
            && ancestor.image.path.as_deref().is_some_and(|path| without_home(path) == name && !is_interpreter(path))
    };
    ancestors.iter().find(of_agent).map(|ancestor| ancestor.image.signature)
}

/// The script an interpreter was given: the kernel's `#!` script, or the first argument that is a path and no option.
pub(crate) fn script_of(instance: &Instance, path: &str) -> Option<Arc<str>> {
    let exec = instance.exec.as_ref()?;
    if let Some(script) = &exec.script {
        return Some(without_home(script));
    }
    let name = file_name(path).to_ascii_lowercase();
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if matches!(bare, "curl" | "wget" | "nscurl") {
        return None;
    }
    let mut arguments = exec.arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // `osascript -l JavaScript -s h …`: options that take a word.
            "-l" | "-s" if bare == "osascript" => drop(arguments.next()),
            // An inline program: `sh -c …`, `python -c …`, `osascript -e …`, `node -e …`, `python -m …`.
            "-c" | "-e" | "-m" | "--eval" => return None,
            option if option.starts_with('-') => {
                if is_shell(path) && option.len() > 1 && !option.starts_with("--") && option.contains('c') {
                    return None;
                }
            }
            // `deno run x.ts`, `bun run x.ts`.
            "run" if matches!(bare, "deno" | "bun") => {}
            script => return Some(without_home(script)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_written_the_same_for_every_user() {
        assert_eq!(&*without_home("/Users/anna/Library/x"), "~/Library/x");
        assert_eq!(&*without_home("/private/var/root/x"), "~/x");
        assert_eq!(&*without_home("/Users/Shared/x"), "/Users/Shared/x");
        assert_eq!(&*without_home("/usr/bin/curl"), "/usr/bin/curl");
    }

    #[test]
    fn names_cut_by_the_kernel_stand_for_the_whole() {
        assert!(is_named("curl", "curl"));
        assert!(!is_named("cur", "curl"), "short names are whole");
        assert!(is_named("com.apple.WebKit", "com.apple.WebKit.Networking"));
        assert!(!is_named("com.apple.Photos", "com.apple.WebKit.Networking"));
    }

    #[test]
    fn interpreters_are_known_with_their_version() {
        assert!(is_interpreter("/opt/homebrew/bin/python3.12"));
        assert!(is_interpreter("/usr/bin/curl"));
        assert!(is_shell("/bin/zsh") && !is_shell("/usr/bin/python3"));
        assert!(!is_interpreter("/Applications/Curly.app/Contents/MacOS/Curly"));
    }
}
