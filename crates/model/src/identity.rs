//! Who acts: process instances, program images and application identity.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// One process instance. Every part may be unknown, and says so: `None` means nobody recorded it.
///
/// A pid alone is reused within hours; `pidversion` is unique within a boot (macOS raises it at each fork and exec).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessKey {
    /// The host. `None` means nobody recorded it.
    pub host: Option<Arc<str>>,
    /// The boot session (a UUID without dashes, upper case). `None` means nobody recorded it.
    pub boot: Option<Arc<str>>,
    /// Process number. `None` means nobody recorded it.
    pub pid: Option<u32>,
    /// Version of the process number: changes at every fork and exec. `None` means nobody recorded it.
    pub pidversion: Option<u32>,
    /// The identifier by which the sensor tells this process from all others of its host (CrowdStrike `TargetProcessId`,
    /// Elastic `process.entity_id`, SentinelOne `src.process.uid`). `None` means it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Arc<str>>,
}

impl ProcessKey {
    /// A key of which only the pid and its version are known.
    #[must_use]
    pub const fn from_pid(pid: u32, pidversion: Option<u32>) -> Self {
        Self { host: None, boot: None, pid: Some(pid), pidversion, instance: None }
    }
}

impl fmt::Display for ProcessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(formatter, "pid {pid}")?,
            None => write!(formatter, "pid unknown")?,
        }
        match self.pidversion {
            Some(version) => write!(formatter, " version {version}"),
            None => Ok(()),
        }
    }
}

/// What is known of a program's code signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureState {
    /// Nobody recorded it.
    #[default]
    Unknown,
    /// The program has no signature.
    Unsigned,
    /// Signed without an identity: anyone can make such a signature.
    AdHoc,
    /// Signed by a developer's certificate (Developer ID, Mac App Store or development; a team stands behind it).
    Team,
    /// Part of macOS, as the kernel says.
    Platform,
}

/// What a request's user agent says of the program that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimedAgent {
    /// No browser, or an application with one inside, which says so.
    NoBrowser,
    /// A browser on macOS, or on a system it does not name.
    BrowserOnMac,
    /// A browser on Windows.
    BrowserOnWindows,
    /// A browser on another system.
    BrowserElsewhere,
}

/// Code-signing flags of XNU (`osfmk/kern/cs_blobs.h`).
const CS_SIGNED: u32 = 0x2000_0000;
const CS_ADHOC: u32 = 0x0000_0002;

impl SignatureState {
    /// The state that Endpoint Security's process fields mean.
    ///
    /// `flags` are XNU's code-signing flags (`CS_SIGNED` 0x20000000, `CS_ADHOC` 0x2, from `cs_blobs.h`).
    #[must_use]
    pub fn from_fields(platform: Option<bool>, team: Option<&str>, flags: Option<u32>) -> Self {
        if platform == Some(true) {
            return Self::Platform;
        }
        match flags {
            Some(flags) if flags & CS_SIGNED == 0 => Self::Unsigned,
            Some(flags) if flags & CS_ADHOC != 0 => Self::AdHoc,
            _ if team.is_some_and(|team| !team.is_empty()) => Self::Team,
            // Signed, not ad hoc, and no team: a self-made certificate. Nobody vouches for it.
            Some(_) if platform == Some(false) => Self::AdHoc,
            _ => Self::Unknown,
        }
    }

    /// The word used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Unsigned => "unsigned",
            Self::AdHoc => "ad-hoc",
            Self::Team => "team",
            Self::Platform => "platform",
        }
    }
}

/// A program as it runs in one process: what a record says of it. `None` means nobody recorded it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessImage {
    /// Which process.
    pub key: ProcessKey,
    /// Path of the executable file.
    pub path: Option<Arc<str>>,
    /// Signing identifier, such as `com.example.agent`.
    pub signing_id: Option<Arc<str>>,
    /// Team identifier: ten characters that Apple gave to the developer.
    pub team_id: Option<Arc<str>>,
    /// Code directory hash: 40 hexadecimal digits, lower case.
    pub cdhash: Option<Arc<str>>,
    /// `LC_UUID` of the executable: 32 hexadecimal digits, upper case.
    pub code_uuid: Option<Arc<str>>,
    /// What is known of the signature.
    pub signature: SignatureState,
    /// Effective user id.
    pub user_id: Option<u32>,
    /// The parent process.
    pub parent: Option<ProcessKey>,
    /// The process that macOS holds responsible for this one.
    pub responsible: Option<ProcessKey>,
}

/// The identity by which an application is told from others: team and signing id; else the signing id of a platform
/// binary; else its path with the home folder as `~`. `agent` tells scripts of one interpreter apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum ApplicationKey {
    /// Nobody recorded which application it was: a wildcard (design 1.2).
    Unknown,
    /// Known by its signature.
    Signed {
        /// Team identifier. `None` means a platform binary, which needs no team.
        team: Option<Arc<str>>,
        /// Signing identifier.
        signing_id: Arc<str>,
        /// The script, launch label or nearest ancestor that is not a shell, for interpreters and `curl`.
        agent: Option<Arc<str>>,
    },
    /// Known by its path only (unsigned or ad hoc signed programs, or a source that records no signature).
    Path {
        /// Path of the executable, home folder as `~`.
        path: Arc<str>,
        /// As in `Signed`.
        agent: Option<Arc<str>>,
    },
}

impl ApplicationKey {
    /// The script, launch label or ancestor that tells this use of an interpreter apart.
    #[must_use]
    pub const fn agent(&self) -> Option<&Arc<str>> {
        match self {
            Self::Unknown => None,
            Self::Signed { agent, .. } | Self::Path { agent, .. } => agent.as_ref(),
        }
    }

    /// Whether nobody recorded the application.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

impl fmt::Display for ApplicationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => return formatter.write_str("unknown"),
            Self::Signed { team: Some(team), signing_id, .. } => write!(formatter, "{team}:{signing_id}")?,
            Self::Signed { team: None, signing_id, .. } => write!(formatter, "platform:{signing_id}")?,
            Self::Path { path, .. } => write!(formatter, "{path}")?,
        }
        match self.agent() {
            Some(agent) => write!(formatter, " for {agent}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_state_follows_the_kernels_flags() {
        // Flags of a Developer ID program with hardened runtime, as XNU defines the bits:
        // CS_VALID 0x1 | CS_KILL 0x200 | CS_RUNTIME 0x10000 | CS_SIGNED 0x20000000.
        let developer = 0x1 | 0x200 | 0x1_0000 | 0x2000_0000;
        assert_eq!(SignatureState::from_fields(Some(false), Some("ABCDE12345"), Some(developer)), SignatureState::Team);
        // Ad hoc and linker-signed: CS_VALID | CS_ADHOC | CS_LINKER_SIGNED 0x20000 | CS_SIGNED.
        let ad_hoc = 0x1 | 0x2 | 0x2_0000 | 0x2000_0000;
        assert_eq!(SignatureState::from_fields(Some(false), None, Some(ad_hoc)), SignatureState::AdHoc);
        assert_eq!(SignatureState::from_fields(Some(false), None, Some(0)), SignatureState::Unsigned);
        assert_eq!(SignatureState::from_fields(Some(true), None, None), SignatureState::Platform);
        assert_eq!(SignatureState::from_fields(None, None, None), SignatureState::Unknown);
    }

    #[test]
    fn unknown_parts_say_so() {
        assert_eq!(ProcessKey::default().to_string(), "pid unknown");
        assert_eq!(ProcessKey::from_pid(7, Some(9)).to_string(), "pid 7 version 9");
    }
}
