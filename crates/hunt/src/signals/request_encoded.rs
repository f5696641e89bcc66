//! `request.encoded`: addresses asked for hold text that looks random.
//!
//! # What it says
//! At least four requests asked for an address with a part of path or query that is 24 characters or longer and has as many bits
//! per character as encoded data (settings: `EntropyScore`). It speaks from presence: what other requests hold changes nothing.
//!
//! # Why it matters
//! What is sent in an address is encoded: identifiers, keys, output.
//!
//! # When it is wrong
//! Tokens, content addresses and cache keys look the same and are everywhere; its weight is small. Hexadecimal digits have four bits
//! at most and stay below the product's number. Secrets are redacted before this looks, and TLS hides addresses altogether.
//!
//! # References
//! MITRE ATT&CK AN1601, mutable element `EntropyScore`; Shannon 1948, section 6.

use super::{Opinion, Signal, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Sight, SignalId, WitnessKind};

/// Requests that make it a habit.
const LEAST_REQUESTS: u64 = 4;

/// See the module comment, which is the manual page.
pub(super) struct Encoded;

impl Signal for Encoded {
    fn id(&self) -> SignalId {
        SignalId("request.encoded")
    }

    fn needs(&self) -> Needs {
        Needs::Any(&[Sight::HttpResponse])
    }

    fn source(&self) -> &'static str {
        include_str!("request_encoded.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request]
    }

    fn judge(&self, subject: &Subject<'_>, context: &Context<'_>) -> Opinion {
        let known = || subject.channel.attributes.randomness.iter();
        let random = known().filter(|(tenths, _)| f64::from(**tenths) / 10.0 >= context.settings.entropy_score);
        let random: u64 = random.map(|(_, count)| count).sum();
        if random < LEAST_REQUESTS {
            return Opinion::Silent;
        }
        let greatest = known().map(|(tenths, _)| *tenths).max().unwrap_or(0);
        supports(
            "several",
            format!(
                "{random} addresses hold text with {} bits per character or more, {:.1} at most",
                context.settings.entropy_score,
                f64::from(greatest) / 10.0
            ),
        )
    }
}
