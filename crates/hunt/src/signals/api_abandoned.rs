//! `api.abandoned`: the client gave every response up.
//!
//! # What it says
//! The life of every request was seen at the API, and each was cancelled by the client on sending or as soon as the headers
//! came; none was collected. It speaks from absence.
//!
//! # Why it matters
//! It is the strongest sign the log can give that a program does not handle responses: it does not even wait for them.
//!
//! # When it is wrong
//! Speed tests cancel their own loads, media players probe ranges, prefetchers and delegates that return `.cancel` decide at
//! the headers. Those read the headers, which is handling of a kind.
//!
//! # References
//! `NSURLErrorCancelled` (-999); MITRE ATT&CK AN1601.

use super::{Opinion, Signal, counted, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Handling, HandlingCounts, Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct Abandoned;

impl Signal for Abandoned {
    fn id(&self) -> SignalId {
        SignalId("api.abandoned")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("api_abandoned.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request, WitnessKind::Abandoned]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let handling = &subject.possible.handling;
        let collected = handling.of(Handling::Collected);
        let due = subject.due(Sight::TaskLifecycle);
        match handling.abandoned() {
            0 if collected > 0 => {
                refutes("collected", format!("the application took delivery of {}", counted(collected, "response")))
            }
            0 => Opinion::Silent,
            abandoned if abandoned == due => supports(
                "every-one",
                format!(
                    "every one of {} was given up by the client itself: {}",
                    counted(abandoned, "request"),
                    how(handling)
                ),
            ),
            _ => Opinion::Silent,
        }
    }
}

/// How requests were given up.
fn how(handling: &HandlingCounts) -> String {
    let states = Handling::ALL.into_iter().filter(|state| state.is_abandoned() && handling.of(*state) > 0);
    states.map(|state| format!("{} {}", handling.of(state), state.words())).collect::<Vec<_>>().join(", ")
}
