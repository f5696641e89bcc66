//! `destination.leads-elsewhere`: after each reply of this service, an address that nobody looked up.
//!
//! # What it says
//! The same application also talks to a public address for which nobody asked a name, and does so only within thirty seconds after
//! asking this service, which has a name. It speaks from presence.
//!
//! # Why it matters
//! An address that no lookup gave came out of something, and the reply just before is the nearest thing: a dead drop that
//! names the next server.
//!
//! # When it is wrong
//! Trackers of peer-to-peer programs, games and calls hand out addresses in the same way; they are signed, and their addresses
//! change from one time to the next. Lookups that nobody recorded make a name look like a bare address.
//!
//! # References
//! MITRE ATT&CK T1102.001 (dead drop resolver), AN0160.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct LeadsElsewhere;

impl Signal for LeadsElsewhere {
    fn id(&self) -> SignalId {
        SignalId("destination.leads-elsewhere")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn source(&self) -> &'static str {
        include_str!("destination_leads_elsewhere.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer]
    }

    fn judge(&self, _subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        match context.leads_to {
            Some((address, times)) => supports(
                "bare-address",
                format!("{} the same application went on to {address}, for which nobody asked a name", {
                    if times == 1 { "once after it".to_owned() } else { counted(times, "time") + " soon after it" }
                }),
            ),
            None => Opinion::Silent,
        }
    }
}
