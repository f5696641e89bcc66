//! `time.cadence`: check-ins keep a clock.
//!
//! # What it says
//! The intervals between check-ins (connections within five seconds are one) crowd around one period more than a bursty,
//! heavy-tailed series would by chance. The p-value has a closed form and must pass false-discovery control over every
//! channel of the hunt that could be tested.
//!
//! # Why it matters
//! Implants without a return channel cannot be told when to call, so they call on a clock.
//!
//! # When it is wrong
//! Most regular traffic is honest: push, heartbeats, update checks. A cadence says that a program calls, never that it
//! should not. Narrow human habits (a page that reloads itself) are clocks too.
//!
//! # References
//! Benjamini and Hochberg 1995; the statistic and its limits: `docs/reference/cadence.md`.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, finding::duration, judge::Context};
use monologue_model::{Needs, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct CadenceSignal;

impl Signal for CadenceSignal {
    fn id(&self) -> SignalId {
        SignalId("time.cadence")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn source(&self) -> &'static str {
        include_str!("time_cadence.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, _subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match context.cadence {
            Some(cadence) if context.passes_cadence() => supports(
                "on-a-clock",
                format!(
                    "{} of {} intervals lie within {:.0} % of {}, p = {:.1e}",
                    cadence.within,
                    cadence.intervals,
                    cadence.tolerance * 100.0,
                    duration(cadence.period_ns),
                    cadence.p_value,
                ),
            ),
            _ => Opinion::Silent,
        }
    }
}
