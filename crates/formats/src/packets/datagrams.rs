//! The datagrams of a capture, for formats that are sent over UDP and kept as captures.

use super::{
    frames::{Frame, Frames},
    headers::{self, Passed},
    processes,
};
use crate::Malformed;
use monologue_model::Transport;
use std::{io::BufRead, net::SocketAddr};

/// What one packet is.
pub(crate) enum Datagram<'d> {
    /// UDP.
    Udp {
        /// First byte of the packet's record in the file.
        offset: u64,
        /// The whole record.
        record: &'d [u8],
        source: SocketAddr,
        payload: &'d [u8],
        /// The capture kept less than there was.
        is_cut: bool,
    },
    /// Something else, and why it is passed over.
    Other(&'static str),
}

/// Walks a capture.
pub(crate) struct Datagrams<'a>(Frames<'a>);

impl<'a> Datagrams<'a> {
    pub(crate) fn new(reader: Box<dyn BufRead + 'a>) -> Self {
        Self(Frames::new(reader))
    }

    /// The capture was cut.
    pub(crate) const fn is_truncated(&self) -> bool {
        self.0.truncated
    }

    /// The next packet; `None` at the end.
    pub(crate) fn next_datagram(&mut self) -> Option<Result<Datagram<'_>, Malformed>> {
        let packet = match self.0.next_frame()? {
            Ok(Frame::Packet(packet)) => packet,
            Ok(Frame::Dropped(_)) => return Some(Ok(Datagram::Other("the capture says that it dropped packets"))),
            Err(malformed) => return Some(Err(malformed)),
        };
        let (link, bytes) = match processes::peel(packet.bytes) {
            Ok(peeled) if processes::is_pktap(packet.link) => (peeled.link, peeled.bytes),
            _ => (packet.link, packet.bytes),
        };
        Some(match headers::decode(link, bytes, packet.original_length) {
            Ok(segment) if segment.transport == Transport::Udp => Ok(Datagram::Udp {
                offset: packet.offset,
                record: packet.record,
                source: segment.source,
                payload: segment.payload,
                is_cut: segment.is_cut(),
            }),
            Ok(_) => Ok(Datagram::Other("a packet that is no datagram")),
            Err(Passed::Skipped(why)) => Ok(Datagram::Other(why)),
            Err(Passed::Malformed(expected)) => {
                Err(Malformed { offset: packet.offset, length: packet.record.len() as u64, expected })
            }
        })
    }
}
