//! `request.user-agent`: a program that says it is a browser, and is none.
//!
//! # What it says
//! At least four requests bear the user agent of a browser with a window, and the program that makes them is an interpreter, a script
//! or a program nobody vouches for. `other-system`: they name another system than macOS besides, while endpoint records show that
//! the Mac itself asks. Applications with a browser inside (Electron and the like) and web views of macOS name themselves, and
//! are not meant. It speaks from presence, and only where requests are in the clear or a proxy opens them.
//!
//! # Why it matters
//! Implants copy the user agent of a browser to pass through proxies and to look like a person; many copy one of Windows.
//!
//! # When it is wrong
//! Scripts that fetch pages from sites which refuse everything but browsers do the same, for an honest reason. A guest system's own
//! requests (virtual machines) come from the virtual machine's program, which is signed.
//!
//! # References
//! MITRE ATT&CK T1071.001 (user agents that imitate); RFC 9110 section 10.1.5.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{ClaimedAgent, Needs, Sight, SignalId, SignatureState, WitnessKind};

/// Requests that make it a habit.
const LEAST_REQUESTS: u64 = 4;

/// See the module comment, which is the manual page.
pub(super) struct UserAgent;

impl Signal for UserAgent {
    fn id(&self) -> SignalId {
        SignalId("request.user-agent")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::HttpRequest])
    }

    fn source(&self) -> &'static str {
        include_str!("request_user_agent.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request, WitnessKind::Identity]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let (application, attributes) = (&subject.channel.key.application, &subject.channel.attributes);
        let vouched = |state: &SignatureState| !matches!(state, SignatureState::Unsigned | SignatureState::AdHoc);
        let is_nobodys = attributes.signatures.iter().next().is_some()
            && !attributes.signatures.iter().any(|(state, _)| vouched(state));
        if application.is_unknown() || !(is_nobodys || application.agent().is_some()) {
            return Opinion::Silent;
        }
        let of = |wanted: &[ClaimedAgent]| -> u64 {
            let claimed = attributes.claimed_agents.iter().filter(|(claimed, _)| wanted.contains(claimed));
            claimed.map(|(_, count)| count).sum()
        };
        let elsewhere = of(&[ClaimedAgent::BrowserOnWindows, ClaimedAgent::BrowserElsewhere]);
        let here = of(&[ClaimedAgent::BrowserOnMac]);
        if elsewhere >= LEAST_REQUESTS {
            let system = if of(&[ClaimedAgent::BrowserOnWindows]) > 0 { "Windows" } else { "another system" };
            supports(
                "other-system",
                format!("{} say that a browser on {system} makes them", counted(elsewhere, "request")),
            )
        } else if here >= LEAST_REQUESTS {
            supports("browser", format!("{} say that a browser makes them, and none does", counted(here, "request")))
        } else {
            Opinion::Silent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ApplicationKey, Channel, ChannelKey, DEFAULT_ROW_CAP, Service, Timestamp};

    /// What is said where a program of this signature makes `count` requests with a claim.
    fn case(agent: Option<&str>, signature: SignatureState, claim: ClaimedAgent, count: u32) -> Option<&'static str> {
        let application = ApplicationKey::Path { path: "/opt/tool".into(), agent: agent.map(Into::into) };
        let key = ChannelKey { host: "anna".into(), application, service: Service::Name("example.com".into()) };
        let mut channel = Channel::new(key, Timestamp::default(), DEFAULT_ROW_CAP);
        for _ in 0..count {
            channel.attributes.signatures.insert(signature);
            channel.attributes.claimed_agents.insert(claim);
        }
        let subject = Subject { channel: &channel, possible: &channel.counters, missing: 0 };
        match UserAgent.judge(&subject, &Context::default()) {
            Opinion::Supports { case, .. } => Some(case),
            Opinion::Refutes { case, .. } => panic!("{case}"),
            Opinion::Silent => None,
        }
    }

    #[test]
    fn only_programs_that_cannot_be_browsers_contradict_their_user_agent() {
        use ClaimedAgent::{BrowserElsewhere, BrowserOnMac, BrowserOnWindows, NoBrowser};
        use SignatureState::{AdHoc, Platform, Team, Unsigned};
        assert_eq!(case(None, AdHoc, BrowserOnMac, 4), Some("browser"));
        assert_eq!(case(None, Unsigned, BrowserOnWindows, 4), Some("other-system"));
        assert_eq!(case(None, AdHoc, BrowserElsewhere, 4), Some("other-system"));
        assert_eq!(case(Some("~/bin/ask.py"), Team, BrowserOnMac, 4), Some("browser"), "an interpreter is signed");
        assert_eq!(case(None, AdHoc, BrowserOnMac, 3), None, "three are no habit");
        assert_eq!(case(None, AdHoc, NoBrowser, 40), None);
        assert_eq!(case(None, Team, BrowserOnMac, 40), None, "a signed program may be a browser");
        assert_eq!(case(None, Platform, BrowserOnMac, 40), None);
    }
}
