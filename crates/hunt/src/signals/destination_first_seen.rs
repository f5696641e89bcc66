//! `destination.first-seen`: a service that nobody asked before, and that is asked on and on since.
//!
//! # What it says
//! This host first asked the service, with whichever program, after it had been watched for long enough (settings: `known_hours`, two
//! days if nothing is set) by what shows the channel, and the channel has requests in at least four hours since. `fleet`: no record of
//! any host names the service earlier; `fleet-on-a-clock`: and the channel keeps a clock. `host`: others asked it before, this host did
//! not. Hours in which records were lost do not count as watched. It is blind where the hunt does not reach far enough back: hunt the days before along with those in question.
//!
//! # Why it matters
//! Software that stands on a Mac for months has talked to its service for months. What begins to ask a service that the whole
//! fleet never needed, and goes on, was put there that day.
//!
//! # When it is wrong
//! Software is installed every day, and a person may take up a new site. A service that moves to another name is new, too. What was
//! there before the records begin is not new to them.
//!
//! # References
//! MITRE ATT&CK AN1599 (`DestinationDomain`); destinations first seen by a fleet, as in the analyses of DNS by age of a name.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, SignalId, WitnessKind};

/// Hours with requests from which on a service is asked on and on: 4. Who visits a site seldom comes back in so many.
const HOURS: usize = 4;

/// See the module comment, which is the manual page.
pub(super) struct FirstSeen;

impl Signal for FirstSeen {
    fn id(&self) -> SignalId {
        SignalId("destination.first-seen")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[])
    }

    fn compares_past(&self) -> bool {
        true
    }

    fn source(&self) -> &'static str {
        include_str!("destination_first_seen.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let channel = subject.channel;
        let Some(novelty) = context.novelty.filter(|_| channel.kept_hours().0 >= HOURS) else {
            return Opinion::Silent;
        };
        let first = novelty.host_first;
        let watched = counted(novelty.watched_hours, "watched hour");
        if novelty.fleet_first < first {
            return supports(
                "host",
                format!("this host is not seen to ask it in {watched} before {first}; others are"),
            );
        }
        let why = format!("no host is seen to ask it before {first}, and this one was watched for {watched}");
        if context.passes_cadence() { supports("fleet-on-a-clock", why) } else { supports("fleet", why) }
    }
}
