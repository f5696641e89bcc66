//! mitmproxy's flow files: tnetstrings one after another, each a flow as the proxy held it.
//!
//! A flow whose `response` is null had none when the file was written: of that, and of streamed bodies, nothing is counted.

use crate::{Format, Head, Input, Item, Malformed, Records, Refusal, Vantage, times::TimeForm, zone::Zone};
use monologue_model::{
    AnsweredBy, ByteCount, ByteLayer, Detail, Event, GatewayFacts, HttpTransaction, Provenance, RecordPhase, Sha256,
    Sight, SightSet, Teardown, Timestamp, redact,
};
use std::{
    io::{self, BufRead, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// Largest flow that is read: 256 MiB.
const FLOW_CAP: u64 = 256 << 20;

/// Nesting of values that is followed.
const DEPTH_CAP: usize = 24;

/// See the module comment.
pub(crate) struct Mitmproxy;

impl Format for Mitmproxy {
    fn name(&self) -> &'static str {
        "mitmproxy"
    }

    fn about(&self) -> &'static str {
        "mitmproxy flow files: requests and replies in full, client ports"
    }

    fn sights(&self) -> SightSet {
        SightSet::of(&[Sight::GatewayRecord, Sight::HttpResponse, Sight::HttpRequest])
    }

    fn vantage(&self) -> Vantage {
        Vantage::Network
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let digits = head.bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let starts = (1..=12).contains(&digits) && head.bytes.get(digits) == Some(&b':');
        let has = |name: &[u8]| memchr::memmem::find(head.bytes, name).is_some();
        let keys: [&[u8]; 6] =
            [b"11:client_conn", b"11:server_conn", b"7:version", b"9:websocket;", b"8:response;", b"7:request;"];
        if starts && keys.into_iter().any(has) {
            Ok(())
        } else {
            Err(Refusal("expected a tnetstring with a flow of mitmproxy".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        Box::new(Flows { reader: Some(input.reader), source: input.source, format: self.name().into(), offset: 0 })
    }
}

struct Flows<'a> {
    reader: Option<Box<dyn BufRead + 'a>>,
    source: Arc<str>,
    format: Arc<str>,
    offset: u64,
}

impl Iterator for Flows<'_> {
    type Item = Result<Item, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let offset = self.offset;
        let taken = take(reader);
        let raw = match taken {
            Ok(None) => {
                self.reader = None;
                return None;
            }
            Ok(Some(raw)) => raw,
            Err(expected) => {
                // Without its length nobody knows where the next flow begins.
                self.reader = None;
                return Some(Err(Malformed { offset, length: 1, expected }));
            }
        };
        let length = raw.len() as u64;
        self.offset += length;
        let read = value(&raw, 0).ok_or_else(|| "expected a tnetstring".to_owned()).and_then(|(flow, _)| event(&flow));
        Some(match read {
            Ok(Some((time, http))) => {
                let provenance = Provenance { source: self.source.clone(), offset, length, sha256: Sha256::of(&raw) };
                let detail = Detail::Http(Box::new(http));
                Ok(Item::Event(Box::new(Event { time, host: None, format: self.format.clone(), provenance, detail })))
            }
            Ok(None) => Ok(Item::Skipped("a flow that is not HTTP")),
            Err(expected) => Err(Malformed { offset, length, expected }),
        })
    }
}

/// The bytes of one tnetstring. `None`: the file ends here.
fn take(reader: &mut Box<dyn BufRead + '_>) -> Result<Option<Vec<u8>>, String> {
    let broken = |error: io::Error| format!("more to read: {error}");
    let mut raw = Vec::new();
    loop {
        let mut byte = [0_u8];
        if reader.read(&mut byte).map_err(broken)? == 0 {
            return if raw.is_empty() { Ok(None) } else { Err("expected a whole tnetstring".to_owned()) };
        }
        match byte {
            [b'\n' | b'\r'] if raw.is_empty() => return Err("expected the length of a tnetstring".to_owned()),
            [digit] if digit.is_ascii_digit() && raw.len() < 12 => raw.push(digit),
            [b':'] if !raw.is_empty() => break,
            _ => return Err("expected the length of a tnetstring".to_owned()),
        }
    }
    let text = String::from_utf8_lossy(&raw).into_owned();
    let length: u64 = text.parse().map_err(|_| "expected the length of a tnetstring".to_owned())?;
    if length > FLOW_CAP {
        return Err(format!("expected a flow of at most {FLOW_CAP} bytes, found {length}"));
    }
    raw.push(b':');
    let wanted = length + 1;
    let read = reader.by_ref().take(wanted).read_to_end(&mut raw).map_err(broken)?;
    if read as u64 == wanted { Ok(Some(raw)) } else { Err("expected a whole tnetstring".to_owned()) }
}

/// A value of a tnetstring.
enum Value<'a> {
    Bytes(&'a [u8]),
    Null,
    List(Vec<Value<'a>>),
    Members(Vec<(Value<'a>, Value<'a>)>),
}

/// The value at the beginning of some bytes, and what follows it.
fn value(bytes: &[u8], depth: usize) -> Option<(Value<'_>, &[u8])> {
    let colon = bytes.iter().take(13).position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(bytes.get(..colon)?).ok()?.parse().ok()?;
    let payload = bytes.get(colon + 1..colon.checked_add(1)?.checked_add(length)?)?;
    let rest = bytes.get(colon + 1 + length..)?;
    let (kind, rest) = rest.split_first()?;
    if depth > DEPTH_CAP {
        return None;
    }
    let found = match kind {
        b',' | b';' | b'#' | b'^' | b'!' => Value::Bytes(payload),
        b'~' => Value::Null,
        b']' => {
            let mut items = Vec::new();
            let mut left = payload;
            while !left.is_empty() {
                let (item, after) = value(left, depth + 1)?;
                items.push(item);
                left = after;
            }
            Value::List(items)
        }
        b'}' => {
            let mut members = Vec::new();
            let mut left = payload;
            while !left.is_empty() {
                let (name, after) = value(left, depth + 1)?;
                let (member, after) = value(after, depth + 1)?;
                members.push((name, member));
                left = after;
            }
            Value::Members(members)
        }
        _ => return None,
    };
    Some((found, rest))
}

impl<'a> Value<'a> {
    fn get(&self, name: &str) -> Option<&Value<'a>> {
        let Self::Members(members) = self else { return None };
        let found = members.iter().find(|(key, _)| matches!(key, Value::Bytes(bytes) if *bytes == name.as_bytes()));
        found.map(|(_, member)| member).filter(|member| !matches!(member, Value::Null))
    }

    fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        match self.get(name)? {
            Value::Bytes(bytes) => Some(*bytes),
            _ => None,
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).filter(|text| !text.is_empty())
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        TimeForm::Epoch(0).read(&self.text(name)?, &Zone::default()).ok()
    }

    /// `[address, port]`, under the first of the names that versions gave it.
    fn socket(&self, names: &[&str]) -> Option<SocketAddr> {
        names.iter().find_map(|name| {
            let Value::List(parts) = self.get(name)? else { return None };
            let [Value::Bytes(address), Value::Bytes(port), ..] = parts.as_slice() else { return None };
            let address = std::str::from_utf8(address).ok()?.trim_start_matches("::ffff:").parse().ok()?;
            Some(SocketAddr::new(address, std::str::from_utf8(port).ok()?.parse().ok()?))
        })
    }

    fn header(&self, wanted: &str) -> Option<String> {
        let Value::List(headers) = self.get("headers")? else { return None };
        headers.iter().find_map(|header| match header {
            Value::List(pair) => match pair.as_slice() {
                [Value::Bytes(name), Value::Bytes(text), ..] if name.eq_ignore_ascii_case(wanted.as_bytes()) => {
                    Some(String::from_utf8_lossy(text).into_owned())
                }
                _ => None,
            },
            _ => None,
        })
    }
}

/// A flow as a transaction. `None`: it is not HTTP.
fn event(flow: &Value<'_>) -> Result<Option<(Timestamp, HttpTransaction)>, String> {
    if flow.text("type").is_some_and(|kind| kind != "http") {
        return Ok(None);
    }
    let request = flow.get("request").ok_or("expected a flow with a request")?;
    let response = flow.get("response");
    let time = request.time("timestamp_start").ok_or("expected a time in request.timestamp_start")?;
    let error = flow.get("error");
    let end = response.and_then(|response| response.time("timestamp_end")).or_else(|| error?.time("timestamp"));
    let left = error.and_then(|error| error.text("msg")).is_some_and(|msg| {
        let msg = msg.to_ascii_lowercase();
        msg.contains("client disconnected") || msg.contains("client closed")
    });
    let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let client = flow.get("client_conn");
    let streamed = response.and_then(|response| response.header("content-type"));
    let streamed = streamed.is_some_and(|kind| kind.starts_with("text/event-stream"));
    let body = |message: Option<&Value<'_>>| match message.and_then(|message| message.bytes("content")) {
        Some(content) if streamed || left => ByteCount::partial(content.len() as u64, ByteLayer::Body),
        Some(content) => ByteCount::measured(content.len() as u64, ByteLayer::Body),
        None => ByteCount::absent(ByteLayer::Body),
    };
    let method = request.text("method");
    let tunnel = method.as_deref() == Some("CONNECT");
    let gateway = GatewayFacts {
        duration_ns: end.map(|end| end.since(time)).filter(|duration| *duration >= 0),
        answered_by: if response.is_some() { AnsweredBy::Service } else { AnsweredBy::Unknown },
        teardown: if left { Teardown::ClientClosed } else { Teardown::Unknown },
        outcome: error.and_then(|error| error.text("msg")).map(Into::into),
        server: flow
            .get("server_conn")
            .and_then(|server| server.socket(&["peername", "ip_address", "address"]))
            .map(|socket| socket.ip()),
        user: None,
    };
    let status = response.and_then(|response| response.text("status_code")).and_then(|code| code.parse().ok());
    let http = HttpTransaction {
        uid: None,
        originator: client.and_then(|client| client.socket(&["peername", "address"])).unwrap_or(nobody),
        responder: client.and_then(|client| client.socket(&["sockname"])).unwrap_or(nobody),
        depth: None,
        host: request.text("host").map(|host| host.to_ascii_lowercase().into()),
        port: request.text("port").and_then(|port| port.parse().ok()),
        uri: request.text("path").filter(|_| !tunnel).map(|path| redact(&path).as_ref().into()),
        user_agent: request.header("user-agent").map(Into::into),
        request_body: body(Some(request)),
        response_body: body(response),
        status,
        proxied: true,
        content_hash: None,
        phase: RecordPhase::End,
        gateway: Some(Box::new(gateway)),
        method: method.map(Into::into),
    };
    Ok(Some((time, http)))
}
