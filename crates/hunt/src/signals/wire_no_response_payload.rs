//! `wire.no-response-payload`: replies came, and none had a body.
//!
//! # What it says
//! Every reply of the channel was empty (204, 304, no body) or stopped at the TLS handshake. It speaks from absence.
//!
//! # Why it matters
//! A request that can never bring anything home is only good for sending: a ping, a report, a beacon.
//!
//! # When it is wrong
//! Telemetry and heartbeats are answered with 204 by design, and are most of what this sees. Commands can travel in headers,
//! which no sensor here shows. Its weight is small for both reasons.
//!
//! # References
//! RFC 9110 sections 15.3.5 (204) and 15.4.5 (304).

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Reply, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct NoResponsePayload;

impl Signal for NoResponsePayload {
    fn id(&self) -> SignalId {
        SignalId("wire.no-response-payload")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowReply])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_no_response_payload.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Answer]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let reply = &subject.possible.reply;
        let own = &subject.channel.counters.reply;
        let bare = own.of(Reply::Empty) + own.of(Reply::HandshakeOnly);
        let with_body = reply.of(Reply::Payload) + reply.of(Reply::Bytes);
        if bare == 0 || with_body > 0 {
            return Opinion::Silent;
        }
        if reply.of(Reply::Empty) == 0 {
            return supports(
                "handshake-only",
                format!("none of {} got further than the TLS handshake", counted(bare, "connection")),
            );
        }
        supports("no-body", format!("no reply to {} had a body", counted(bare, "request")))
    }
}
