//! NetFlow version 5 and 9, and IPFIX: flows as routers count them, from a capture of their export packets, or from a file of
//! IPFIX messages (RFC 5655).
//!
//! A record tells one direction, one stretch of time, and bytes of IP packets. So directions are paired and stretches added
//! up before a flow is told: the spacing of records is the exporter's, not the flow's. Layouts: Cisco's "NetFlow Export
//! Datagram Format" (5), RFC 3954 (9), RFC 7011 and IANA's "IPFIX Information Elements". Written by hand: it is a table of
//! fields, where the crates for it bring a parser library of their own.

mod export;
mod pairs;
mod reader;

use crate::{Format, Head, Input, Records, Refusal, Vantage};
use monologue_model::{Sight, SightSet};

/// Export packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Netflow;

/// What flow records show. Who ended a connection they do not say.
const SIGHTS: SightSet = SightSet::of(&[Sight::FlowBytes, Sight::FlowReply]);

impl Format for Netflow {
    fn name(&self) -> &'static str {
        "netflow"
    }

    fn about(&self) -> &'static str {
        "NetFlow 5 and 9 and IPFIX: captures of export packets, or files of IPFIX messages; directions paired"
    }

    fn sights(&self) -> SightSet {
        SIGHTS
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        if reader::holds_exports(head.bytes) {
            Ok(())
        } else {
            Err(Refusal("expected a capture of NetFlow export packets, or IPFIX messages".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.name()))
    }
}
