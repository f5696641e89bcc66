//! Packet captures: pcap and pcapng, with the process of each packet where Apple's tools recorded it.
//!
//! A capture holds packets, not records of what happened. So flows are built here, and they state what Zeek's `conn.log`
//! states, in its letters: then both are judged alike. Every packet is accounted for: the first of a flow by the flow's
//! event, the others as counted in it.

mod bytes;
mod conversation;
mod datagrams;
mod flow;
mod frames;
mod headers;
mod http;
mod ja4;
mod lookups;
mod processes;
mod reader;
mod records;
mod sequence;
mod table;
#[cfg(test)]
mod tests;
mod tls;

pub(crate) use datagrams::{Datagram, Datagrams};
pub(crate) use frames::is_capture;

use crate::{Format, Head, Input, Records, Refusal, Vantage};
use monologue_model::SightSet;

/// A capture that knows addresses only: of a sensor on the network, or of a host whose tools record no processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capture;

/// A capture made on a Mac, in which packets name their process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AppleCapture;

impl Format for Capture {
    fn name(&self) -> &'static str {
        "packet-capture"
    }

    fn about(&self) -> &'static str {
        "packet captures, pcap or pcapng: flows with bytes and history, HTTP/1 requests, TLS names, DNS"
    }

    fn sights(&self) -> SightSet {
        reader::SIGHTS
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        if frames::is_capture(head.bytes) {
            Ok(())
        } else {
            Err(Refusal("expected the magic number of a pcap or pcapng file".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.name()))
    }
}

impl Format for AppleCapture {
    fn name(&self) -> &'static str {
        "apple-capture"
    }

    fn about(&self) -> &'static str {
        "packet captures of a Mac with the process of each packet (tcpdump -k, pktap): as packet-capture, with who asked"
    }

    fn sights(&self) -> SightSet {
        reader::SIGHTS
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        Capture.detect(head)?;
        if frames::names_processes(head.bytes) {
            Ok(())
        } else {
            Err(Refusal("expected a process block or a pktap header at the beginning of the capture".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(reader::Reader::new(input, self.name()))
    }
}
