//! Programs: where they lie and who signed them.

use crate::names;

/// Who signed a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Apple, as part of macOS.
    Platform,
    /// A developer team, with its identifier.
    Team(String),
    /// Nobody: only a hash holds the program together.
    AdHoc,
}

/// A program on disk.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: String,
    pub(crate) signing_id: String,
    pub(crate) signature: Signature,
    /// The user agent it writes. `None` means that of URLSession.
    pub(crate) user_agent: Option<String>,
}

impl Program {
    pub(crate) fn new(path: &str, signing_id: &str, signature: Signature) -> Self {
        Self { path: path.to_owned(), signing_id: signing_id.to_owned(), signature, user_agent: None }
    }

    pub(crate) fn platform(path: &str, signing_id: &str) -> Self {
        Self::new(path, signing_id, Signature::Platform)
    }

    /// Identifier of the build: `LC_UUID` of its Mach-O header.
    pub(crate) fn build_uuid(&self) -> String {
        names::uuid(&["build", &self.path, &self.signing_id])
    }

    pub(crate) fn cdhash(&self) -> String {
        names::cdhash(&["code", &self.path, &self.signing_id])
    }

    /// The file name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The path with the home folder of any user as `~`.
    pub(crate) fn path_from_home(&self) -> String {
        path_from_home(&self.path)
    }

    /// Team identifier, if a team signed it.
    pub(crate) fn team(&self) -> Option<&str> {
        match &self.signature {
            Signature::Team(team) => Some(team),
            Signature::Platform | Signature::AdHoc => None,
        }
    }

    /// Flags of `cs_blobs.h`: signed (0x2000_0000) and valid (0x1) for all; platform programs are marked as such
    /// (0x400_0000) and run hardened (0x1_0000); an ad hoc signature of the linker is 0x2 and 0x2_0000.
    pub(crate) const fn code_signing_flags(&self) -> u32 {
        match self.signature {
            Signature::Platform => 0x2601_2301,
            Signature::Team(_) => 0x2201_0301,
            Signature::AdHoc => 0x2002_0003,
        }
    }

    /// Category of validation since message version 10: 1 is platform, 6 is Developer ID, 10 is none.
    pub(crate) const fn validation_category(&self) -> u32 {
        match self.signature {
            Signature::Platform => 1,
            Signature::Team(_) => 6,
            Signature::AdHoc => 10,
        }
    }
}

/// A path with the home folder of any user as `~`.
pub(crate) fn path_from_home(path: &str) -> String {
    match path.strip_prefix("/Users/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => format!("~/{rest}"),
        None => path.to_owned(),
    }
}

pub(crate) fn launchd() -> Program {
    Program::platform("/sbin/launchd", "com.apple.xpc.launchd")
}

pub(crate) fn launch_proxy() -> Program {
    Program::platform("/usr/libexec/xpcproxy", "com.apple.xpc.proxy")
}

pub(crate) fn shell() -> Program {
    Program::platform("/bin/sh", "com.apple.sh")
}
