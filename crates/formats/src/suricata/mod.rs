//! Suricata's EVE log: one JSON object a line, of many kinds in one file (`flow`, `http`, `tls`, `quic`, `dns`, `fileinfo`, `stats`).
//!
//! Members as in Suricata's own schema (`etc/schema.json`) and its page "Eve JSON Format". Bytes of flows are those of whole
//! packets, so that a mere handshake counts some: they prove a reply only where no headers can explain them.

mod flow;
mod members;
mod reader;

use crate::{Format, Head, Input, Records, Refusal, Vantage};
use monologue_model::{Sight, SightSet};

/// EVE in one line an object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eve;

impl Format for Eve {
    fn name(&self) -> &'static str {
        "suricata-eve"
    }

    fn about(&self) -> &'static str {
        "Suricata eve.json: flows, HTTP requests, TLS and QUIC names, DNS, and what the sensor lost"
    }

    fn sights(&self) -> SightSet {
        SightSet::of(&[
            Sight::FlowBytes,
            Sight::FlowReply,
            Sight::HttpResponse,
            Sight::HttpRequest,
            Sight::TlsHandshake,
            Sight::DnsQuery,
        ])
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal(why.to_owned()));
        let Some(first) = head.first_line() else { return refuse("expected Suricata's EVE log, found no line") };
        match serde_json::from_slice::<members::Kind<'_>>(first) {
            Ok(kind) if kind.timestamp.is_some() && kind.event_type.is_some() => Ok(()),
            Ok(_) => refuse("expected the members timestamp and event_type in the first JSON object"),
            Err(_) => refuse("expected one whole JSON object on the first line"),
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.name()))
    }
}
