//! HTTP/1: requests of one side of a stream and responses of the other, with the bytes of their bodies (RFC 9112).

use super::conversation::{Place, Side};
use sha2::Digest;
use std::collections::VecDeque;

/// Longest head of a message that is kept: 32 KiB, more than servers accept.
const HEAD_CAP: usize = 32 * 1024;

/// Longest line that gives the size of a chunk.
const CHUNK_LINE_CAP: usize = 1024;

/// Requests that wait for their response on one connection.
const WAITING_CAP: usize = 64;

/// One request and what came back.
#[derive(Debug)]
pub(super) struct HttpExchange {
    /// Where the request stands.
    pub(super) place: Place,
    /// Number within its connection, from 1.
    pub(super) depth: u64,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) request_body: Body,
    /// Status of the response. `None`: none came.
    pub(super) status: Option<u16>,
    pub(super) response_body: Body,
    hash: sha2::Sha256,
}

/// Bytes of a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) bytes: u64,
    /// All of it was seen.
    pub(super) whole: bool,
}

impl HttpExchange {
    /// Hash of the response's body, where all of it was seen and there was one.
    pub(super) fn content_hash(&self) -> Option<String> {
        let body = self.response_body;
        (body.whole && body.bytes > 0)
            .then(|| self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Both sides of a connection.
#[derive(Debug, Default)]
pub(super) struct Http {
    requests: Messages,
    responses: Messages,
    request_place: Option<Place>,
    waiting: VecDeque<HttpExchange>,
    /// Exchanges that are over.
    pub(super) done: Vec<HttpExchange>,
    depth: u64,
    /// What follows is another protocol: a tunnel, or one both agreed on.
    pub(super) left: Option<Left>,
    /// Whether the response being read is the final one.
    interim: bool,
}

/// What a connection became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// A tunnel through a proxy (`CONNECT`).
    Tunnel,
    /// Another protocol (`101 Switching Protocols`).
    Upgraded,
}

/// Whether a stream that begins so may be HTTP/1: a method and a space.
pub(super) fn looks_like(start: &[u8]) -> bool {
    const METHODS: [&[u8]; 10] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"DELETE ",
        b"OPTIONS ",
        b"PATCH ",
        b"CONNECT ",
        b"PROPFIND ",
        b"TRACE ",
    ];
    METHODS.iter().any(|method| start.starts_with(method) || (!start.is_empty() && method.starts_with(start)))
}

impl Http {
    /// Takes in the next bytes of one side; returns those that belong to what the connection became.
    pub(super) fn feed<'b>(&mut self, side: Side, bytes: &'b [u8], place: &dyn Fn() -> Place) -> &'b [u8] {
        match side {
            Side::Originator => self.feed_requests(bytes, place),
            Side::Responder => self.feed_responses(bytes),
        }
    }

    fn feed_requests<'b>(&mut self, mut bytes: &'b [u8], place: &dyn Fn() -> Place) -> &'b [u8] {
        while self.requests.can_step(bytes) && self.left.is_none() {
            if self.requests.is_between() {
                self.request_place = Some(place());
            }
            match self.requests.step(&mut bytes) {
                Step::Head(head) => {
                    let Some(exchange) = self.request(&head) else { return self.requests.give_up() };
                    let framing = framing(&head, true);
                    // What follows a CONNECT is no request, whatever the proxy says.
                    let framing = if exchange.method == "CONNECT" { Framing::UntilClose } else { framing };
                    self.requests.begin_body(framing);
                    self.waiting.push_back(exchange);
                    if framing == Framing::UntilClose {
                        return bytes;
                    }
                }
                Step::Body(part) => {
                    if let Some(exchange) = self.waiting.back_mut() {
                        exchange.request_body.bytes += part.len() as u64;
                    }
                }
                Step::End => {
                    if let Some(exchange) = self.waiting.back_mut() {
                        exchange.request_body.whole = true;
                    }
                }
                Step::More => {}
                Step::Broken => return &[],
            }
        }
        bytes
    }

    /// An exchange from the head of its request. `None`: it is no request, or too many wait.
    fn request(&mut self, head: &[u8]) -> Option<HttpExchange> {
        let text = String::from_utf8_lossy(head);
        let mut words = text.lines().next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || self.waiting.len() >= WAITING_CAP {
            return None;
        }
        self.depth += 1;
        Some(HttpExchange {
            place: self.request_place.take()?,
            depth: self.depth,
            method: method.to_owned(),
            target: target.to_owned(),
            host: header(&text, "host"),
            user_agent: header(&text, "user-agent"),
            request_body: Body::default(),
            status: None,
            response_body: Body::default(),
            hash: sha2::Sha256::new(),
        })
    }

    fn feed_responses<'b>(&mut self, mut bytes: &'b [u8]) -> &'b [u8] {
        while self.responses.can_step(bytes) && self.left.is_none() {
            match self.responses.step(&mut bytes) {
                Step::Head(head) => {
                    let Some(framing) = self.response(&head) else { return self.responses.give_up() };
                    self.responses.begin_body(framing);
                }
                Step::Body(part) => {
                    if let Some(exchange) = self.waiting.front_mut() {
                        exchange.response_body.bytes += part.len() as u64;
                        exchange.hash.update(part);
                    }
                }
                Step::End => self.response_ended(),
                Step::More => {}
                Step::Broken => return &[],
            }
        }
        bytes
    }

    /// How the body that follows this head is framed. `None`: it is no response to anything asked.
    fn response(&mut self, head: &[u8]) -> Option<Framing> {
        let text = String::from_utf8_lossy(head);
        let mut words = text.lines().next()?.split(' ');
        let version = words.next()?;
        let status: u16 = words.next()?.parse().ok()?;
        let exchange = self.waiting.front_mut()?;
        if !version.starts_with("HTTP/1.") {
            return None;
        }
        self.interim = (100..200).contains(&status) && status != 101;
        if self.interim {
            return Some(Framing::None);
        }
        exchange.status = Some(status);
        let connected = exchange.method == "CONNECT" && (200..300).contains(&status);
        if status == 101 || connected {
            self.left = Some(if connected { Left::Tunnel } else { Left::Upgraded });
            exchange.response_body.whole = true;
            exchange.request_body.whole = true;
            self.done.extend(self.waiting.pop_front());
            return Some(Framing::None);
        }
        if exchange.method == "HEAD" || matches!(status, 204 | 304) {
            return Some(Framing::None);
        }
        Some(framing(head, false))
    }

    fn response_ended(&mut self) {
        if std::mem::take(&mut self.interim) {
            return;
        }
        if let Some(mut exchange) = self.waiting.pop_front() {
            exchange.response_body.whole = true;
            self.done.push(exchange);
        }
    }

    /// Whether a request was read.
    pub(super) const fn spoken(&self) -> bool {
        self.depth > 0
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.requests.buffer.len() + self.responses.buffer.len()
    }

    /// The connection is over. `closed`: the responder ended its stream, and all of it was seen.
    pub(super) fn end(&mut self, closed: bool) {
        if closed && matches!(self.responses.state, State::Body(Framing::UntilClose)) {
            self.response_ended();
        }
        self.done.extend(self.waiting.drain(..));
    }
}

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// There is none.
    None,
    /// So many bytes are left.
    Length(u64),
    /// In chunks.
    Chunked(Chunk),
    /// All until the connection closes.
    UntilClose,
}

/// Where in a chunked body the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    Size,
    Data(u64),
    /// After the data, its line end.
    DataEnd,
    Trailer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Body(Framing),
    /// What comes is not understood.
    Broken,
}

/// One side's messages.
#[derive(Debug, Default)]
struct Messages {
    state: State,
    buffer: Vec<u8>,
}

/// What one step of reading found.
enum Step<'b> {
    /// A whole head; [`Messages::begin_body`] must follow.
    Head(Vec<u8>),
    /// A part of a body.
    Body(&'b [u8]),
    /// The message ended.
    End,
    /// More is needed, or framing was passed over.
    More,
    Broken,
}

impl Messages {
    /// Whether the next byte begins a message.
    const fn is_between(&self) -> bool {
        matches!(self.state, State::Head) && self.buffer.is_empty()
    }

    /// Whether there is something to read, or a message that ends where the bytes end.
    const fn can_step(&self, bytes: &[u8]) -> bool {
        !bytes.is_empty() || matches!(self.state, State::Body(Framing::None | Framing::Length(0)))
    }

    fn give_up(&mut self) -> &'static [u8] {
        self.state = State::Broken;
        self.buffer = Vec::new();
        &[]
    }

    fn begin_body(&mut self, framing: Framing) {
        self.state = State::Body(framing);
    }

    /// Reads on, taking from `bytes` what it used.
    fn step<'b>(&mut self, bytes: &mut &'b [u8]) -> Step<'b> {
        match self.state {
            State::Broken => Step::Broken,
            State::Head => self.head(bytes),
            State::Body(Framing::None | Framing::Length(0)) => {
                self.state = State::Head;
                Step::End
            }
            State::Body(Framing::Length(left)) => {
                let part = take(bytes, left);
                let left = left - part.len() as u64;
                if left > 0 {
                    self.state = State::Body(Framing::Length(left));
                    return Step::Body(part);
                }
                self.state = State::Body(Framing::None);
                Step::Body(part)
            }
            State::Body(Framing::UntilClose) => Step::Body(std::mem::take(bytes)),
            State::Body(Framing::Chunked(chunk)) => self.chunk(chunk, bytes),
        }
    }

    fn head(&mut self, bytes: &mut &[u8]) -> Step<'static> {
        let before = self.buffer.len();
        // Old clients end a body with a line too many.
        while let (0, Some((b'\r' | b'\n', rest))) = (self.buffer.len(), bytes.split_first()) {
            *bytes = rest;
        }
        let room = (HEAD_CAP + 1).saturating_sub(before);
        self.buffer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let from = before.saturating_sub(3);
        let end = end_of_head(self.buffer.get(from..).unwrap_or_default()).map(|end| from + end);
        match end {
            Some(end) => {
                let used = end.saturating_sub(before);
                *bytes = bytes.get(used..).unwrap_or_default();
                self.buffer.truncate(end);
                Step::Head(std::mem::take(&mut self.buffer))
            }
            None if self.buffer.len() > HEAD_CAP => {
                self.give_up();
                Step::Broken
            }
            None => {
                *bytes = &[];
                Step::More
            }
        }
    }

    fn chunk<'b>(&mut self, chunk: Chunk, bytes: &mut &'b [u8]) -> Step<'b> {
        if let Chunk::Data(left) = chunk {
            let part = take(bytes, left);
            let left = left - part.len() as u64;
            let next = if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) };
            self.state = State::Body(Framing::Chunked(next));
            return Step::Body(part);
        }
        let Some(line) = self.line(bytes) else {
            if self.buffer.len() > CHUNK_LINE_CAP {
                self.give_up();
                return Step::Broken;
            }
            return Step::More;
        };
        let next = match chunk {
            Chunk::DataEnd => Chunk::Size,
            Chunk::Trailer if line.is_empty() => {
                self.state = State::Head;
                return Step::End;
            }
            Chunk::Trailer => Chunk::Trailer,
            Chunk::Size | Chunk::Data(_) => {
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
                match std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
                    Some(0) => Chunk::Trailer,
                    Some(size) => Chunk::Data(size),
                    None => {
                        self.give_up();
                        return Step::Broken;
                    }
                }
            }
        };
        self.state = State::Body(Framing::Chunked(next));
        Step::More
    }

    /// The next line without its end. `None`: it has not ended yet.
    fn line(&mut self, bytes: &mut &[u8]) -> Option<Vec<u8>> {
        match memchr::memchr(b'\n', bytes) {
            Some(end) => {
                self.buffer.extend_from_slice(bytes.get(..end).unwrap_or_default());
                *bytes = bytes.get(end + 1..).unwrap_or_default();
                let mut line = std::mem::take(&mut self.buffer);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                Some(line)
            }
            None => {
                let room = (CHUNK_LINE_CAP + 1).saturating_sub(self.buffer.len());
                self.buffer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                *bytes = &[];
                None
            }
        }
    }
}

fn take<'b>(bytes: &mut &'b [u8], most: u64) -> &'b [u8] {
    let length = usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len());
    let (part, rest) = bytes.split_at(length);
    *bytes = rest;
    part
}

/// The place after the empty line that ends a head.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| match bytes.get(at + 1..)? {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// The value of a header field.
fn header(head: &str, name: &str) -> Option<String> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        let value = value.trim();
        (found.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// How the body after a head is framed (RFC 9112 section 6.3).
fn framing(head: &[u8], is_request: bool) -> Framing {
    let text = String::from_utf8_lossy(head);
    let coding = header(&text, "transfer-encoding").map(|coding| coding.to_ascii_lowercase());
    match (coding, header(&text, "content-length").and_then(|length| length.parse().ok())) {
        (Some(coding), _) if coding.ends_with("chunked") => Framing::Chunked(Chunk::Size),
        (None, Some(length)) => Framing::Length(length),
        _ if is_request => Framing::None,
        _ => Framing::UntilClose,
    }
}
