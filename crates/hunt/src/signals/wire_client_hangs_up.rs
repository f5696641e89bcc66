//! `wire.client-hangs-up`: the client ends every connection itself, before anything came back.
//!
//! # What it says
//! Every connection came about, nothing came back on any, and each was closed or reset by the client first; or a gateway says
//! of every request that the client left before the reply was complete. It speaks from absence.
//!
//! # Why it matters
//! A server that is slow or dead lets the client wait for its timeout. A client that asks and hangs up did not want an
//! answer: fire and forget as the wire shows it.
//!
//! # When it is wrong
//! A client whose timeout is short looks the same on the wire; so does one behind a filter that drops replies. The unified
//! log tells a timeout (-1001) from a cancel (-999). A gateway writes the same code for a client that crashed or lost its network.
//!
//! # References
//! Zeek documentation: `conn_state` and `history` of conn.log. RFC 9293 section 3.10. Squid result codes
//! (`_ABORTED`), HAProxy termination states (`C`), Envoy response flags (`DC`).

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context};
use monologue_model::{Needs, Reply, Sight, SignalId, Teardown, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct ClientHangsUp;

impl Signal for ClientHangsUp {
    fn id(&self) -> SignalId {
        SignalId("wire.client-hangs-up")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowTeardown])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_client_hangs_up.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Silence]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let possible = subject.possible;
        let due = subject.due(Sight::FlowTeardown);
        if possible.teardown.of(Teardown::ClientAborted) == due && due > 0 {
            let own = subject.channel.counters.exchanges;
            let why = format!(
                "a gateway says of {} that the client left before the reply was complete",
                counted(own, "request")
            );
            return supports("aborted", why);
        }
        let ended = possible.teardown.of(Teardown::ClientClosed) + possible.teardown.of(Teardown::ClientReset);
        if possible.reply.of(Reply::Silent) != due || ended != due {
            return Opinion::Silent;
        }
        let own = subject.channel.counters.exchanges;
        supports(
            "every-one",
            format!("the client itself ended {} on which nothing had come back", counted(own, "connection")),
        )
    }
}
