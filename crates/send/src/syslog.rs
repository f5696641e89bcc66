//! Syslog: RFC 5424 messages over TCP, framed by octet counting (RFC 6587, section 3.4.1).
//!
//! No receiver acknowledges a message. A connection that ends in order is all that can be known, so what was written before one
//! broke may be lost. Over UDP not even that could be known: it is not offered.

use crate::{
    Options,
    address::Address,
    delivery::{Delivery, Item, Outcome},
};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream, ToSocketAddrs},
    time::Duration,
};

/// A receiver of syslog.
pub(crate) struct Syslog {
    host: String,
    port: u16,
    timeout: Duration,
    connection: Option<TcpStream>,
}

/// Facility local0 (16), severity notice (5): 16 × 8 + 5. Then version, no time (a finding has its own), no host, our name, no
/// process, the kind of message, no structured data (RFC 5424, section 6). The mark of UTF-8 is left out, which makes it a message
/// of any bytes: parsers of CEF look for `CEF:` at the very beginning.
const HEADER: &str = "<133>1 - - monologue - finding - ";

impl Syslog {
    /// The receiver at an address, not connected yet.
    pub(crate) fn new(options: &Options, address: &Address) -> Self {
        let port = address.port.unwrap_or_default();
        Self { host: address.host.clone(), port, timeout: options.timeout, connection: None }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => {
                    stream.set_write_timeout(Some(self.timeout))?;
                    stream.set_read_timeout(Some(self.timeout))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Writes on the connection there is, or on a new one.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = match self.connection.take().filter(is_open) {
            Some(stream) => stream,
            None => self.connect()?,
        };
        stream.write_all(bytes)?;
        self.connection = Some(stream);
        Ok(())
    }
}

/// Whether the receiver has not closed the connection, as far as it is known here.
fn is_open(stream: &TcpStream) -> bool {
    let mut byte = [0];
    let looked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut byte));
    let open = match looked {
        Ok(count) => count > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    };
    open && stream.set_nonblocking(false).is_ok()
}

impl Delivery for Syslog {
    fn deliver(&mut self, items: &[Item]) -> Outcome {
        let mut frames = Vec::new();
        for item in items {
            frames.extend_from_slice(format!("{} {HEADER}", HEADER.len() + item.len()).as_bytes());
            frames.extend_from_slice(item);
        }
        match self.write(&frames) {
            Ok(()) => Outcome::taken(items.len()),
            Err(error) => Outcome::Later { reason: format!("no connection: {error}"), after: None },
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        let Some(mut stream) = self.connection.take() else { return Ok(()) };
        let failed =
            |error: io::Error| format!("the connection did not end in order, so the last lines may be lost: {error}");
        stream.shutdown(Shutdown::Write).map_err(failed)?;
        // A receiver says nothing; the end of its side shows that it has read ours. One that keeps its side open is no failure.
        let mut byte = [0; 64];
        match stream.read(&mut byte) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}
