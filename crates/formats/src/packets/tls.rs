//! TLS: what a handshake shows in clear, on either side of a stream.
//!
//! Layouts: RFC 8446 (TLS 1.3), 5246 (1.2), 6066 (server name), 8701 (GREASE). Nothing is decrypted.

use super::{
    bytes::be16,
    conversation::{Place, Side},
    ja4,
};
use std::sync::Arc;

/// Longest record body the protocol allows (RFC 8446 section 5.2), with room for what old versions add.
const RECORD_CAP: usize = (1 << 14) + 2048;

/// Bytes of handshake messages of one side that are put together; certificates are longer than what is needed.
const HANDSHAKE_CAP: usize = 32 * 1024;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// A handshake as far as it went.
#[derive(Debug, Default)]
pub(super) struct Tls {
    client: Records,
    server: Records,
    /// Where the ClientHello stands.
    pub(super) place: Option<Place>,
    pub(super) hello: Option<ClientHello>,
    server_hello: Option<ServerHello>,
    certificate: bool,
    last_alert: Option<u8>,
}

/// What the ClientHello asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    /// Name asked for, lower case. `None`: the hello names none.
    pub(super) server_name: Option<Arc<str>>,
    /// JA4 fingerprint.
    pub(super) ja4: Arc<str>,
}

#[derive(Clone, Copy, Debug, Default)]
struct ServerHello {
    version_1_3: bool,
    pre_shared_key: bool,
}

/// The records of one side.
#[derive(Debug, Default)]
struct Records {
    header: Vec<u8>,
    kind: u8,
    length: usize,
    left: usize,
    /// Handshake messages in clear, not yet whole.
    messages: Vec<u8>,
    alert: Vec<u8>,
    changed_cipher: bool,
    /// A record came that only the holder of the keys can read.
    encrypted: bool,
    application_data: bool,
    /// A message was longer than what is put together.
    overfull: bool,
    /// These are no TLS records.
    broken: bool,
}

/// A handshake message or alert that one side finished.
enum Heard {
    Message(u8, Vec<u8>),
    Alert(u8),
}

/// Whether a stream that begins so may be TLS: a handshake record of any version.
pub(super) fn looks_like(start: &[u8]) -> bool {
    matches!(start, [HANDSHAKE, 3, 0..=4, ..])
}

impl Tls {
    /// Takes in the next bytes of one side.
    pub(super) fn feed(&mut self, side: Side, bytes: &[u8], place: &dyn Fn() -> Place) {
        let records = match side {
            Side::Originator => &mut self.client,
            Side::Responder => &mut self.server,
        };
        let mut heard = Vec::new();
        records.feed(bytes, &mut heard);
        for one in heard {
            match (one, side) {
                (Heard::Message(1, body), Side::Originator) if self.hello.is_none() => {
                    self.hello = client_hello(&body);
                    self.place = Some(place());
                }
                (Heard::Message(2, body), Side::Responder) => self.server_hello = server_hello(&body),
                (Heard::Message(11, _), Side::Responder) => self.certificate = true,
                (Heard::Alert(description), _) => self.last_alert = Some(description),
                _ => {}
            }
        }
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.client.messages.len() + self.server.messages.len()
    }

    /// Whether nothing more is to be learnt.
    pub(super) fn is_settled(&self) -> bool {
        self.established(false) == Some(true)
    }

    /// Whether the handshake succeeded. `ended`: both streams were seen to their end.
    pub(super) fn established(&self, ended: bool) -> Option<bool> {
        let server = self.server_hello;
        let both = match server {
            Some(ServerHello { version_1_3: true, .. }) => self.client.application_data && self.server.application_data,
            Some(_) => {
                self.client.changed_cipher
                    && self.client.encrypted
                    && self.server.changed_cipher
                    && self.server.encrypted
            }
            None => false,
        };
        match (both, ended) {
            (true, _) => Some(true),
            (false, true) if !self.client.broken && !self.server.broken => Some(false),
            _ => None,
        }
    }

    /// Whether an earlier session was resumed: a chosen pre-shared key (1.3), or no certificate before the change of
    /// ciphers (earlier versions).
    pub(super) fn resumed(&self) -> Option<bool> {
        let server = self.server_hello?;
        if server.version_1_3 {
            Some(server.pre_shared_key)
        } else if self.certificate {
            Some(false)
        } else {
            self.server.changed_cipher.then_some(true)
        }
    }

    /// Name of the last alert in clear, as RFC 8446 section 6 spells it.
    pub(super) fn last_alert(&self) -> Option<Arc<str>> {
        Some(alert_name(self.last_alert?).into())
    }
}

impl Records {
    fn feed(&mut self, mut bytes: &[u8], heard: &mut Vec<Heard>) {
        while !bytes.is_empty() && !self.broken {
            if self.left == 0 {
                let need = 5 - self.header.len().min(5);
                let (head, rest) = bytes.split_at(need.min(bytes.len()));
                self.header.extend_from_slice(head);
                bytes = rest;
                if self.header.len() == 5 {
                    self.begin();
                    // A record without a body is over at once.
                    self.header.clear();
                }
                continue;
            }
            let (body, rest) = bytes.split_at(self.left.min(bytes.len()));
            bytes = rest;
            self.left -= body.len();
            self.body(body, heard);
        }
    }

    fn begin(&mut self) {
        let (kind, length) = (self.header.first().copied().unwrap_or(0), be16(&self.header, 3).map_or(0, usize::from));
        if !(CHANGE_CIPHER_SPEC..=APPLICATION_DATA + 1).contains(&kind)
            || self.header.get(1) != Some(&3)
            || length > RECORD_CAP
        {
            self.broken = true;
            return;
        }
        (self.kind, self.length, self.left) = (kind, length, length);
        self.alert.clear();
        match kind {
            CHANGE_CIPHER_SPEC => self.changed_cipher = true,
            APPLICATION_DATA => (self.encrypted, self.application_data) = (true, true),
            HANDSHAKE if self.changed_cipher => self.encrypted = true,
            _ => {}
        }
    }

    fn body(&mut self, body: &[u8], heard: &mut Vec<Heard>) {
        match self.kind {
            // In clear an alert is two bytes: level and description.
            ALERT if self.length == 2 => {
                self.alert.extend_from_slice(body);
                if let [_, description] = self.alert.as_slice() {
                    heard.push(Heard::Alert(*description));
                }
            }
            HANDSHAKE if !self.encrypted && !self.overfull => {
                let room = HANDSHAKE_CAP.saturating_sub(self.messages.len());
                self.messages.extend_from_slice(body.get(..room).unwrap_or(body));
                self.take_messages(heard);
            }
            _ => {}
        }
    }

    fn take_messages(&mut self, heard: &mut Vec<Heard>) {
        let mut at = 0;
        while let Some([kind, a, b, c, rest @ ..]) = self.messages.get(at..) {
            let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            let kind = *kind;
            let Some(body) = rest.get(..length) else {
                // A certificate chain may be longer than what is held: that it came is enough.
                if self.messages.len() >= HANDSHAKE_CAP {
                    heard.push(Heard::Message(kind, Vec::new()));
                    (self.messages, self.overfull) = (Vec::new(), true);
                    return;
                }
                break;
            };
            heard.push(Heard::Message(kind, body.to_vec()));
            at += 4 + length;
        }
        self.messages.drain(..at.min(self.messages.len()));
    }
}

/// Length-prefixed fields of a hello.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        be16(self.take(2)?, 0)
    }

    /// A field whose length stands in one byte before it.
    pub(super) fn short_vector(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.take(1)?.first()?);
        self.take(length)
    }

    /// A field whose length stands in two bytes before it.
    pub(super) fn vector(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.short()?);
        self.take(length)
    }
}

/// Numbers of 16 bits.
pub(super) fn shorts(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).filter_map(|pair| be16(pair, 0))
}

/// A ClientHello as it stands in the message.
#[derive(Debug, Default)]
pub(super) struct Hello<'a> {
    pub(super) version: u16,
    pub(super) ciphers: Vec<u16>,
    /// Number and body of each extension, in order.
    pub(super) extensions: Vec<(u16, &'a [u8])>,
}

impl<'a> Hello<'a> {
    /// Reads the body of a ClientHello. `None`: it ends too early.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let version = fields.short()?;
        fields.take(32)?;
        fields.short_vector()?;
        let ciphers = shorts(fields.vector()?).collect();
        fields.short_vector()?;
        // Old clients send no extensions at all.
        let extensions = if fields.0.is_empty() { Vec::new() } else { extensions(fields.vector()?) };
        Some(Self { version, ciphers, extensions })
    }

    pub(super) fn extension(&self, number: u16) -> Option<&'a [u8]> {
        self.extensions.iter().find(|(found, _)| *found == number).map(|(_, body)| *body)
    }

    /// The host name asked for (RFC 6066 section 3), as text.
    fn server_name(&self) -> Option<String> {
        let mut list = Fields(Fields(self.extension(0)?).vector()?);
        while let Some(kind) = list.take(1) {
            let name = list.vector()?;
            if kind == [0] && !name.is_empty() {
                return Some(String::from_utf8_lossy(name).to_ascii_lowercase());
            }
        }
        None
    }
}

fn extensions(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut fields = Fields(bytes);
    let mut found = Vec::new();
    while let (Some(number), Some(body)) = (fields.short(), fields.vector()) {
        found.push((number, body));
    }
    found
}

fn client_hello(body: &[u8]) -> Option<ClientHello> {
    let hello = Hello::parse(body)?;
    Some(ClientHello {
        server_name: hello.server_name().map(Into::into),
        ja4: ja4::fingerprint(&hello, ja4::Carrier::Tcp).into(),
    })
}

fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut fields = Fields(body);
    fields.short()?;
    fields.take(32)?;
    fields.short_vector()?;
    fields.take(3)?;
    let extensions = fields.vector().map(extensions).unwrap_or_default();
    let find = |number: u16| extensions.iter().find(|(found, _)| *found == number).map(|(_, body)| *body);
    Some(ServerHello { version_1_3: find(43) == Some(&[3, 4]), pre_shared_key: find(41).is_some() })
}

/// Alerts of RFC 8446 section 6.2 and RFC 5246 section 7.2.
const fn alert_name(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "other",
    }
}
