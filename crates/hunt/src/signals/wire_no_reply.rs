//! `wire.no-reply`: nothing ever came back.
//!
//! # What it says
//! Every request of the channel was seen by a sensor that would have seen a reply, and none had one: no payload from the
//! other side at the transport level. It speaks from absence, so one unseen exchange makes it blind.
//!
//! # Why it matters
//! An implant whose server is dead, blocked or only listens looks like this. A program that keeps asking without an
//! answer does not depend on one.
//!
//! # When it is wrong
//! Dead licence servers, retired update hosts, datagram protocols that never answer, and firewalls that drop the traffic. Where not
//! one byte was sent, because nobody took the connection, it counts less: such a channel carries nothing.
//! Documented protocols are named by `destination.documented`; the rest need a look at the owner of the program.
//!
//! # References
//! MITRE ATT&CK AN1599 and AN1602 (no return traffic); Zeek `conn.log`: `conn_state`, `history`.

use super::{Opinion, Signal, counted, supports};
use crate::{absence::Subject, judge::Context, settings};
use monologue_model::{Needs, Reply, Sight, SignalId, WitnessKind};

/// See the module comment, which is the manual page.
pub(super) struct NoReply;

impl Signal for NoReply {
    fn id(&self) -> SignalId {
        SignalId("wire.no-reply")
    }

    fn needs(&self) -> Needs {
        Needs::Every(&[Sight::FlowReply])
    }

    fn source(&self) -> &'static str {
        include_str!("wire_no_reply.rs")
    }

    fn cites(&self) -> &'static [WitnessKind] {
        &[WitnessKind::Request, WitnessKind::Silence]
    }

    fn judge(&self, subject: &Subject<'_>, _context: &Context<'_>) -> Opinion {
        let silent = subject.possible.reply.of(Reply::Silent);
        if silent == 0 || silent != subject.due(Sight::FlowReply) {
            return Opinion::Silent;
        }
        let own = subject.channel.counters.reply.of(Reply::Silent);
        if own < settings::NO_REPLY_MINIMUM {
            return supports("few", format!("nothing came back to {}", counted(own, "request")));
        }
        // A request that found no listener carried nothing: nobody heard it.
        let sent = subject.possible.request_bytes;
        if sent.greatest == Some(0) && sent.seen >= silent {
            let why = format!(
                "none of {} found a listener: nothing was sent, and nothing came back",
                counted(own, "request")
            );
            return supports("unheard", why);
        }
        supports("every-one", format!("nothing came back to any of {}", counted(own, "request")))
    }
}
