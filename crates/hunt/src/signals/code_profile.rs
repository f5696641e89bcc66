//! `code.profile`: what the program's code can do with a response.
//!
//! # What it says
//! The program file was inspected (`--code`), and by its code directory hash or its build (`LC_UUID`) it is the one that
//! asked. Code that only ever asks without looking at a response raises the suspicion; code that handles responses lowers
//! it. Code that could not be proved either way, or is opaque, says nothing.
//!
//! # Why it matters
//! It is the only layer that sees the handler itself.
//!
//! # When it is wrong
//! It is a prior and no more: it decides no disposition, and no other layer is silenced by it. A program may load code
//! later, hand the request to a child, or have a handler that is never reached; a handler may throw the response away.
//!
//! # References
//! Apple, URLSession: `dataTask(with:)` with and without a completion handler.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{CodeVerdict, Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Profile;

impl Signal for Profile {
    fn id(&self) -> SignalId {
        SignalId("code.profile")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::CodeProfile])
    }

    fn source(&self) -> &'static str {
        include_str!("code_profile.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Identity]
    }

    fn judge(&self, _subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match context.code {
            Some(CodeVerdict::FireAndForgetOnly) => {
                supports("fire-and-forget", "its code only ever asks, and has no path that looks at a response")
            }
            Some(CodeVerdict::HandlerPresent) => refutes("handler", "its code has a path that handles responses"),
            _ => Opinion::Silent,
        }
    }
}
