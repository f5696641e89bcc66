//! HTTP archives (HAR 1.2), as browsers and debugging proxies export them: one JSON document, an entry a request.
//!
//! `bodySize` of -1 means "unknown", status 0 "no reply"; both are no zero. An archive names no client: it is of the Mac that
//! wrote it.

use crate::{Format, Head, Input, Item, Malformed, Records, Refusal, times::TimeForm, url::Url, zone::Zone};
use monologue_model::{
    AnsweredBy, ByteCount, ByteLayer, Detail, Event, GatewayFacts, HttpTransaction, Provenance, RecordPhase, Sha256,
    Sight, SightSet, Timestamp, redact,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// Largest archive that is read: it has to be held as a whole. 512 MiB.
const ARCHIVE_CAP: u64 = 512 << 20;

/// See the module comment.
pub(crate) struct Har;

impl Format for Har {
    fn name(&self) -> &'static str {
        "har"
    }

    fn about(&self) -> &'static str {
        "HTTP archive (HAR 1.2) of browsers and debugging proxies: requests, status, bodies both ways"
    }

    fn sights(&self) -> SightSet {
        SightSet::of(&[Sight::GatewayRecord, Sight::HttpResponse, Sight::HttpRequest])
    }

    fn detect(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let text = String::from_utf8_lossy(head.bytes.get(..4096).unwrap_or(head.bytes));
        let squeezed: String = text.chars().filter(|letter| !letter.is_whitespace()).take(200).collect();
        let squeezed = squeezed.trim_start_matches('\u{feff}');
        if squeezed.starts_with("{\"log\":{") {
            Ok(())
        } else {
            Err(Refusal("expected {\"log\": {… of an HTTP archive".to_owned()))
        }
    }

    fn read<'a>(&self, input: Input<'a>) -> Records<'a> {
        let mut bytes = Vec::new();
        let read = input.reader.take(ARCHIVE_CAP).read_to_end(&mut bytes).map_err(|error| error.to_string());
        let text = read.and_then(|_| std::str::from_utf8(&bytes).map_err(|error| error.to_string()));
        let archive = text.and_then(|text| {
            let archive = serde_json::from_str::<Archive<'_>>(text.trim_start_matches('\u{feff}'));
            archive.map(|archive| (text, archive)).map_err(|error| error.to_string())
        });
        let items = match archive {
            Ok((text, archive)) => entries(&archive.log.entries, text, &input.source, &self.name().into()),
            Err(error) => {
                let expected = format!("expected an HTTP archive: {error}");
                vec![Err(Malformed { offset: 0, length: bytes.len() as u64, expected })]
            }
        };
        Box::new(items.into_iter())
    }
}

fn entries(entries: &[&RawValue], text: &str, source: &Arc<str>, format: &Arc<str>) -> Vec<Result<Item, Malformed>> {
    let read = |raw: &&RawValue| {
        let raw = raw.get();
        let offset = (raw.as_ptr() as usize).saturating_sub(text.as_ptr() as usize) as u64;
        let length = raw.len() as u64;
        let entry = serde_json::from_str::<Entry>(raw).map_err(|error| format!("expected an entry: {error}"));
        match entry.and_then(|entry| event(&entry)) {
            Ok((time, http)) => {
                let sha256 = Sha256::of(raw.as_bytes());
                let provenance = Provenance { source: source.clone(), offset, length, sha256 };
                let detail = Detail::Http(Box::new(http));
                Ok(Item::Event(Box::new(Event { time, host: None, format: format.clone(), provenance, detail })))
            }
            Err(expected) => Err(Malformed { offset, length, expected }),
        }
    };
    entries.iter().map(read).collect()
}

#[derive(Deserialize)]
struct Archive<'a> {
    #[serde(borrow)]
    log: Log<'a>,
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: Request,
    response: Response,
    #[serde(default, rename = "serverIPAddress")]
    server: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default = "unknown")]
    body_size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    status: i64,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default = "unknown")]
    body_size: i64,
    #[serde(default, rename = "_error")]
    error: Option<String>,
    #[serde(default, rename = "_fetchedViaServiceWorker")]
    by_service_worker: bool,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// HAR's word for an unknown size.
fn unknown() -> i64 {
    -1
}

fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

fn event(entry: &Entry) -> Result<(Timestamp, HttpTransaction), String> {
    let time = TimeForm::Iso
        .read(&entry.started_date_time, &Zone::default())
        .map_err(|error| format!("in startedDateTime, {error}"))?;
    let url = Url::split(&entry.request.url);
    let status = u16::try_from(entry.response.status).ok().filter(|status| *status > 0);
    // Bodies that are streams are not collected: nothing counted there is no zero.
    let streamed = header(&entry.response.headers, "content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"))
        || status == Some(101);
    let count = |size: i64, partial: bool| match u64::try_from(size) {
        Ok(value) if partial => ByteCount::partial(value, ByteLayer::Body),
        Ok(value) => ByteCount::measured(value, ByteLayer::Body),
        Err(_) => ByteCount::absent(ByteLayer::Body),
    };
    let duration = entry.time.is_finite().then_some((entry.time * 1e6) as i64).filter(|duration| *duration >= 0);
    let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let server = entry.server.as_deref().and_then(|text| text.trim_matches(['[', ']']).parse().ok());
    let answered_by = match status {
        None => AnsweredBy::Unknown,
        // Nobody was asked, and a reply came: it lay in the cache.
        Some(_) if entry.response.by_service_worker => AnsweredBy::Cache,
        Some(_) => AnsweredBy::Service,
    };
    let tunnel = entry.request.method == "CONNECT";
    let http = HttpTransaction {
        uid: None,
        originator: nobody,
        responder: nobody,
        depth: None,
        method: Some(entry.request.method.as_str().into()),
        host: url.host.map(|host| host.to_ascii_lowercase().into()),
        port: url.port,
        uri: (!tunnel && !url.path.is_empty()).then(|| redact(url.path).as_ref().into()),
        user_agent: header(&entry.request.headers, "user-agent").map(Into::into),
        request_body: count(entry.request.body_size, false),
        response_body: count(entry.response.body_size, streamed || status.is_none()),
        status,
        proxied: true,
        content_hash: None,
        phase: RecordPhase::End,
        gateway: Some(Box::new(GatewayFacts {
            duration_ns: duration,
            answered_by,
            outcome: entry.response.error.as_deref().map(Into::into),
            server,
            ..GatewayFacts::default()
        })),
    };
    Ok((time, http))
}
