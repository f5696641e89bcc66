//! `identity.rare`: how many hosts do the same.
//!
//! # What it says
//! Supports where one host of the fleet alone runs this application, or, and that counts less, runs it against this service.
//! Refutes where at least three hosts do the same. Blind below ten hosts with that sight.
//!
//! # Why it matters
//! An implant is rare; an agent that the company rolled out is not.
//!
//! # When it is wrong
//! Most names are seen on one host only (measured: 732 of 879 TLS names over five hosts), so rarity alone is noise and weighs
//! little. An attack on the whole fleet is not rare. Where the log masks names, each host masks them differently, and the
//! application alone is counted.
//!
//! # References
//! `docs/concepts/scoring.md`.

use super::{Opinion, Signal, refutes, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Prevalence, Sight, SignalId, WitnessKind};

/// Hosts from which on it is no single host's habit: by then somebody rolls it out, or an attack is no longer a secret.
const SEVERAL_HOSTS: u64 = 3;

/// See the module comment, which is the manual page.
pub(super) struct Rare;

impl Signal for Rare {
    fn id(&self) -> SignalId {
        SignalId("identity.rare")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::ProcessExec, Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("identity_rare.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[]
    }

    fn compares_hosts(&self) -> bool {
        true
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        if subject.channel.key.application.is_unknown() {
            return Opinion::Silent;
        }
        let Prevalence { hosts, of } = context.prevalence;
        if hosts == 1 && context.application_hosts == 1 {
            supports("own-program", format!("no other host of {of} runs it"))
        } else if hosts == 1 {
            supports("one-host", format!("on one host of {of}"))
        } else if hosts * 3 >= of {
            refutes("common", format!("on {hosts} hosts of {of}"))
        } else if hosts >= SEVERAL_HOSTS {
            refutes("several", format!("on {hosts} hosts of {of}: somebody rolled it out"))
        } else {
            Opinion::Silent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ApplicationKey, Channel, ChannelKey, DEFAULT_ROW_CAP, Service, Timestamp};

    /// What is said where `hosts` of 20 do the same and `application_hosts` run the program.
    fn case(application: ApplicationKey, hosts: u64, application_hosts: u64) -> Option<(bool, &'static str)> {
        let key = ChannelKey { host: "anna".into(), application, service: Service::Name("example.com".into()) };
        let channel = Channel::new(key, Timestamp::default(), DEFAULT_ROW_CAP);
        let subject = Subject { channel: &channel, possible: &channel.counters, missing: 0 };
        let context = Context { prevalence: Prevalence { hosts, of: 20 }, application_hosts, ..Context::default() };
        match Rare.judge(&subject, &context) {
            Opinion::Supports { case, .. } => Some((true, case)),
            Opinion::Refutes { case, .. } => Some((false, case)),
            Opinion::Silent => None,
        }
    }

    #[test]
    fn one_host_supports_two_say_nothing_and_from_three_on_somebody_rolled_it_out() {
        let program = || ApplicationKey::Path { path: "/opt/agent".into(), agent: None };
        assert_eq!(case(program(), 1, 1), Some((true, "own-program")));
        assert_eq!(case(program(), 1, 20), Some((true, "one-host")), "all run it, one asks this service");
        assert_eq!(case(program(), 2, 2), None);
        assert_eq!(case(program(), 3, 3), Some((false, "several")));
        assert_eq!(case(program(), 6, 6), Some((false, "several")), "6 of 20 are less than a third");
        assert_eq!(case(program(), 7, 7), Some((false, "common")), "7 of 20 are more");
        assert_eq!(case(ApplicationKey::Unknown, 1, 1), None, "nobody knows whether it is the same program");
    }
}
