//! `api.no-response`: sent, and the API shows no response.
//!
//! # What it says
//! Every request was sent, ended without any response, and the four checks for a negative passed: the request ended or its
//! timeout lies within the log, nothing was lost meanwhile, this log shows responses of others, and lines were selected by
//! sender. It speaks from absence.
//!
//! # Why it matters
//! The API sees what TLS hides from the wire: that no HTTP response came at all.
//!
//! # When it is wrong
//! Servers that are down, and networks that drop: the same log shows it, so look for other requests that failed at the time.
//!
//! # References
//! `NSURLErrorTimedOut` (-1001), `NSURLErrorNetworkConnectionLost` (-1005).

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Handling, Needs, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct NoResponse;

impl Signal for NoResponse {
    fn id(&self) -> SignalId {
        SignalId("api.no-response")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::TaskLifecycle])
    }

    fn source(&self) -> &'static str {
        include_str!("api_no_response.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request, WitnessKind::NoResponse]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let count = subject.possible.handling.of(Handling::NoResponse);
        if count == 0 || count != subject.due(Sight::TaskLifecycle) {
            return Opinion::Silent;
        }
        supports(
            "every-one",
            format!(
                "the API shows that {} ended without a response; all four checks passed: the log covers each to its end, \
                 lost nothing meanwhile, shows responses of other requests, and was read by sender",
                counted(count, "sent request"),
            ),
        )
    }
}
