//! What is spoken on a connection: HTTP/1, TLS, or something that is not looked into.

use super::{
    http::{Http, HttpExchange, Left, looks_like as looks_like_http},
    tls::{Tls, looks_like as looks_like_tls},
};
use monologue_model::{Provenance, Timestamp};

/// Bytes by which a protocol is told.
const START_LENGTH: usize = 10;

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Originator,
    Responder,
}

/// When something came, and in which packet.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) time: Timestamp,
    pub(super) provenance: Provenance,
}

/// What is known of the protocol.
#[derive(Debug)]
enum Protocol {
    /// The originator has not said enough.
    Undecided(Vec<u8>),
    Http(Box<Http>),
    Tls(Box<Tls>),
    /// Something else, or not to be told.
    Other,
}

/// Both streams of a connection.
#[derive(Debug)]
pub(super) struct Conversation {
    protocol: Protocol,
    /// HTTP that made way for a tunnel, with its requests.
    before: Option<Box<Http>>,
}

impl Default for Conversation {
    fn default() -> Self {
        Self { protocol: Protocol::Undecided(Vec::new()), before: None }
    }
}

impl Conversation {
    /// Whether nothing more is to be learnt from what is said.
    pub(super) fn is_over(&self) -> bool {
        match &self.protocol {
            Protocol::Other => true,
            Protocol::Tls(tls) => tls.is_settled(),
            _ => false,
        }
    }

    /// Takes in the next bytes of one side, in order.
    pub(super) fn feed(&mut self, side: Side, bytes: &[u8], place: &dyn Fn() -> Place) {
        let mut left = None;
        match &mut self.protocol {
            Protocol::Other => {}
            Protocol::Tls(tls) => tls.feed(side, bytes, place),
            Protocol::Http(http) => {
                let rest = http.feed(side, bytes, place);
                left = http.left.map(|left| (left, rest));
            }
            Protocol::Undecided(start) => match side {
                Side::Responder => self.protocol = Protocol::Other,
                Side::Originator => {
                    start.extend_from_slice(bytes);
                    let start = std::mem::take(start);
                    self.decide(&start, place);
                }
            },
        }
        if let Some((left, rest)) = left {
            self.leave_http(left, side, rest, place);
        }
    }

    fn decide(&mut self, start: &[u8], place: &dyn Fn() -> Place) {
        if looks_like_tls(start) {
            self.protocol = Protocol::Tls(Box::default());
        } else if looks_like_http(start) && start.len() >= START_LENGTH {
            self.protocol = Protocol::Http(Box::default());
        } else if start.len() < START_LENGTH && (looks_like_http(start) || b"\x16\x03".starts_with(start)) {
            self.protocol = Protocol::Undecided(start.to_vec());
            return;
        } else {
            self.protocol = Protocol::Other;
            return;
        }
        self.feed(Side::Originator, start, place);
    }

    /// After a tunnel was opened, another protocol begins within it; after an upgrade nothing is looked into.
    fn leave_http(&mut self, left: Left, side: Side, rest: &[u8], place: &dyn Fn() -> Place) {
        let next = match left {
            Left::Tunnel => Protocol::Undecided(Vec::new()),
            Left::Upgraded => Protocol::Other,
        };
        if let Protocol::Http(http) = std::mem::replace(&mut self.protocol, next) {
            self.before = Some(http);
        }
        if !rest.is_empty() {
            self.feed(side, rest, place);
        }
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        match &self.protocol {
            Protocol::Undecided(start) => start.len(),
            Protocol::Http(http) => http.held(),
            Protocol::Tls(tls) => tls.held(),
            Protocol::Other => 0,
        }
    }

    /// HTTP exchanges that are over.
    pub(super) fn take_http(&mut self) -> Vec<HttpExchange> {
        let before = self.before.as_mut().map(|http| std::mem::take(&mut http.done)).unwrap_or_default();
        let now = match &mut self.protocol {
            Protocol::Http(http) => std::mem::take(&mut http.done),
            _ => Vec::new(),
        };
        before.into_iter().chain(now).collect()
    }

    /// The connection is over. `closed`: the responder ended its stream, and all of it was seen.
    pub(super) fn end(&mut self, closed: bool) {
        if let Protocol::Http(http) = &mut self.protocol {
            http.end(closed);
        }
    }

    /// The TLS handshake, where there was one.
    pub(super) fn tls(&self) -> Option<&Tls> {
        match &self.protocol {
            Protocol::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// The protocol as Zeek names it. `None`: not recognised.
    pub(super) fn service(&self) -> Option<&'static str> {
        match &self.protocol {
            Protocol::Tls(_) => Some("ssl"),
            Protocol::Http(http) if http.spoken() => Some("http"),
            _ => self.before.as_ref().map(|_| "http"),
        }
    }

    /// Stops reading, and keeps what was learnt.
    pub(super) fn stop(&mut self) {
        if matches!(self.protocol, Protocol::Undecided(_)) {
            self.protocol = Protocol::Other;
        }
    }
}
