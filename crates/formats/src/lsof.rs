//! `lsof -nP -i -F pcuLftPnT`: a look at every open socket, one field a line.
//!
//! A line begins with the letter of its field: `p` begins a process, `f` a file of it. There are no bytes and there is no
//! time: the moment comes from the file's name, in the user's zone unless a `Z` ends it.

use crate::{
    Format, Head, Input, Item, Lines, Malformed, Records, Refusal,
    endpoint::{Contact, contact, stamps},
};
use monologue_model::{Event, ProcessImage, ProcessKey, Provenance, Sha256, SightSet, Timestamp};
use std::{collections::VecDeque, io::BufRead, net::SocketAddr, sync::Arc};

/// `lsof -F`.
pub(crate) const LSOF: Lsof = Lsof;

/// `lsof -F`.
pub(crate) struct Lsof;

/// Letters of fields that lsof may print.
const LETTERS: &[u8] = b"pcuLgRftaldDsoiknPTCGNSrVz";

impl Format for Lsof {
    fn name(&self) -> &'static str {
        "lsof"
    }

    fn about(&self) -> &'static str {
        "lsof -nP -i -F pcuLftPnT: a look at open sockets; moment from the file's name: presence only"
    }

    fn sights(&self) -> SightSet {
        SightSet::EMPTY
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let mut lines = head.bytes.split(|byte| *byte == b'\n').take(12).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let is_process =
            first.strip_prefix(b"p").is_some_and(|pid| !pid.is_empty() && pid.iter().all(u8::is_ascii_digit));
        let all_fields = lines.all(|line| line.first().is_some_and(|letter| LETTERS.contains(letter)));
        if is_process && all_fields {
            Ok(())
        } else {
            Err(Refusal("the first line is not `p` and a process number, as lsof -F prints it".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Reader {
            time: stamps::moment_in_name(&input.source, &input.zone),
            lines: Lines::new(input.reader),
            source: input.source,
            process: None,
            socket: None,
            ready: VecDeque::new(),
            ended: false,
        })
    }
}

/// Fields of one open file.
#[derive(Default)]
struct Socket {
    offset: u64,
    end: u64,
    bytes: Vec<u8>,
    protocol: String,
    name: String,
    state: String,
}

struct Reader<'a> {
    lines: Lines<Box<dyn BufRead + 'a>>,
    source: Arc<str>,
    time: Option<Timestamp>,
    process: Option<ProcessImage>,
    socket: Option<Socket>,
    ready: VecDeque<Result<Item, Malformed>>,
    ended: bool,
}

/// Bytes of the fields of one file that are kept; honest ones have fewer than a hundred.
const SOCKET_CAP: usize = 64 * 1024;

impl Iterator for Reader<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let offset = self.lines.offset();
            let (line_offset, length, bytes) = match self.lines.next_line() {
                Ok(Some(line)) => (
                    line.offset,
                    line.length,
                    line.bytes.get(..line.bytes.len().min(SOCKET_CAP)).unwrap_or_default().to_vec(),
                ),
                Ok(None) => {
                    self.ended = true;
                    self.finish();
                    continue;
                }
                Err(error) => {
                    self.ended = true;
                    self.finish();
                    let expected = format!("expected more bytes: {error}");
                    self.ready.push_back(Err(Malformed { offset, length: 0, expected }));
                    continue;
                }
            };
            self.field(line_offset, length, &bytes);
        }
    }
}

impl Reader<'_> {
    fn field(&mut self, offset: u64, length: u64, bytes: &[u8]) {
        let Some((letter, value)) = bytes.split_first() else { return };
        let value = String::from_utf8_lossy(value);
        match letter {
            b'p' => {
                self.finish();
                self.process = value
                    .parse()
                    .ok()
                    .map(|pid| ProcessImage { key: ProcessKey::from_pid(pid, None), ..ProcessImage::default() });
                if self.process.is_none() {
                    let expected = "expected a process number after `p`".to_owned();
                    self.ready.push_back(Err(Malformed { offset, length, expected }));
                }
            }
            b'u' => {
                if let Some(process) = &mut self.process {
                    process.user_id = value.parse().ok();
                }
            }
            b'f' => {
                self.finish();
                self.socket = Some(Socket { offset, ..Socket::default() });
            }
            _ if !LETTERS.contains(letter) => {
                let expected = "expected a line that begins with the letter of a field".to_owned();
                self.ready.push_back(Err(Malformed { offset, length, expected }));
                return;
            }
            _ => {}
        }
        if let Some(socket) = &mut self.socket {
            if socket.bytes.len() + bytes.len() < SOCKET_CAP {
                if !socket.bytes.is_empty() {
                    socket.bytes.push(b'\n');
                }
                socket.bytes.extend_from_slice(bytes);
                socket.end = offset + length;
            }
            match letter {
                b'P' => socket.protocol = value.into_owned(),
                b'n' => socket.name = value.into_owned(),
                b'T' => {
                    if let Some(state) = value.strip_prefix("ST=") {
                        socket.state = state.to_owned();
                    }
                }
                _ => {}
            }
        }
    }

    /// Tells the file whose fields are complete.
    fn finish(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        let (offset, length) = (socket.offset, socket.end.saturating_sub(socket.offset));
        let item = match self.understand(&socket) {
            Ok(Ok((time, detail))) => {
                let sha256 = Sha256::of(&socket.bytes);
                let provenance = Provenance { source: Arc::clone(&self.source), offset, length, sha256 };
                let format = LSOF.name().into();
                Ok(Item::Event(Box::new(Event { time, host: None, format, provenance, detail })))
            }
            Ok(Err(reason)) => Ok(Item::Skipped(reason)),
            Err(expected) => Err(Malformed { offset, length, expected }),
        };
        self.ready.push_back(item);
    }

    fn understand(
        &self,
        socket: &Socket,
    ) -> Result<Result<(Timestamp, monologue_model::Detail), &'static str>, String> {
        let Some((near, far)) = socket.name.split_once("->") else {
            return Ok(Err("socket without a far end"));
        };
        let (Some(near), Some(far)) = (end(near), end(far)) else {
            return Err("expected near->far with addresses and port numbers; hint: run lsof with -nP".to_owned());
        };
        let process = self.process.clone().ok_or("expected a process before its files")?;
        let time = self.time.ok_or(
            "expected a moment in the name of the file; hint: name it like lsof-2026-11-24T08-15-30Z.txt, lsof prints none",
        )?;
        let found = Contact {
            far: contact::endpoint("", &far.ip().to_string(), Some(far.port())),
            local: Some(near),
            transport: contact::transport(Some(&socket.protocol)),
            ..Contact::default()
        };
        let pid = process.key.pid.unwrap_or(0).to_string();
        let number = contact::number_of(&[&pid, &socket.protocol, &socket.name]);
        let detail = found.detail(process, number).ok_or("expected the address of a far end")?;
        Ok(Ok((time, detail)))
    }
}

/// `192.0.2.1:443` or `[2001:db8::1]:443`.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.rsplit_once(':')?;
    contact::socket(address, port.parse().ok())
}
