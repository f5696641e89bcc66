//! One line of a Squid-like access log as an HTTP transaction.

use super::{
    layout::{Field, Fields},
    outcome::Outcome,
};
use crate::{
    rows::Row,
    times::{COMMON_LOG, TimeForm},
    url::{Url, host_and_port},
    zone::Zone,
};
use monologue_model::{
    AnsweredBy, ByteCount, ByteLayer, Detail, GatewayFacts, HttpTransaction, RecordPhase, Timestamp, redact,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// An address nobody recorded.
const UNSPECIFIED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Reads the fields of one line.
///
/// # Errors
/// What was expected in which field.
pub(super) fn row(fields: &Fields<'_>, policy: Policy, zone: &Zone) -> Result<Row, String> {
    let code = fields.text(Field::Outcome).map(|text| text.split(':').next().unwrap_or(text));
    if code.is_some_and(|code| code.starts_with("UDP_") || code.starts_with("ICP_") || code.starts_with("HTCP_")) {
        return Ok(Row::Skipped("a query between proxies, no request of a client"));
    }
    let asked = fields.text(Field::Url).ok_or("expected what was asked for, found none")?;
    if let Some(error) = asked.strip_prefix("error:") {
        return Ok(if error == "transaction-end-before-headers" {
            Row::Skipped("a connection on which nothing was asked")
        } else {
            Row::Skipped("a request the proxy could not understand")
        });
    }
    if asked.starts_with("cache_object:") || asked.starts_with("internal:") {
        return Ok(Row::Skipped("a question to the proxy itself"));
    }
    let method = fields.text(Field::Method);
    let tunnel = method == Some("CONNECT") || asked.starts_with("tunnel://");
    let status: Option<u16> = fields.number(Field::ReplyStatus, "a status")?.filter(|status| *status > 0);
    let bytes: Option<u64> = fields.number(Field::ReplyBytes, "reply bytes")?;
    let server = fields.text(Field::Server).filter(|text| !matches!(*text, "NONE" | "0.0.0.0"));
    if tunnel && status == Some(200) && bytes == Some(0) && server.is_none() {
        return Ok(Row::Skipped("a tunnel that the proxy opens up: each request in it has a record"));
    }
    let outcome = Outcome {
        code: code.unwrap_or_default(),
        status,
        server_answered: fields.number::<u16>(Field::ServerStatus, "a status")?.is_some_and(|status| status > 0),
        forwarded: server.is_some(),
        tunnel,
    };
    let times = times(fields, zone)?;
    let url = if tunnel && !asked.contains("://") { tunnel_url(asked) } else { Url::split(asked) };
    let host = fields.text(Field::ServerName).or(url.host);
    let measured = |value, incomplete| {
        if incomplete {
            ByteCount::partial(value, ByteLayer::Message)
        } else {
            ByteCount::measured(value, ByteLayer::Message)
        }
    };
    let answered_by = if policy == Policy::Blocked { AnsweredBy::Gateway } else { outcome.answered_by() };
    let gateway = GatewayFacts {
        duration_ns: times.duration_ns,
        answered_by,
        teardown: outcome.teardown(),
        outcome: code.map(Into::into),
        server: server.and_then(|text| text.parse().ok()),
        user: fields.text(Field::User).map(|user| user.trim_matches('"').into()),
    };
    let http = HttpTransaction {
        uid: None,
        originator: socket(fields, Field::ClientAddress, Field::ClientPort)?,
        responder: socket(fields, Field::ProxyAddress, Field::ProxyPort)?,
        depth: None,
        method: if tunnel { Some("CONNECT".into()) } else { method.map(Into::into) },
        host: host.map(|host| host.to_ascii_lowercase().into()),
        port: url.port,
        uri: (!tunnel && !url.path.is_empty()).then(|| redact(url.path).as_ref().into()),
        user_agent: fields.text(Field::UserAgent).map(Into::into),
        request_body: match fields.number(Field::RequestBytes, "request bytes")? {
            Some(value) => measured(value, outcome.is_incomplete()),
            None => ByteCount::not_applicable(ByteLayer::Message),
        },
        response_body: match bytes {
            Some(value) => measured(value, outcome.is_incomplete()),
            None => ByteCount::absent(ByteLayer::Message),
        },
        status,
        proxied: true,
        content_hash: None,
        phase: RecordPhase::End,
        gateway: Some(Box::new(gateway)),
    };
    Ok(Row::Event { time: times.start, written: times.end, host: None, detail: Detail::Http(Box::new(http)) })
}

/// What the policy of the proxy did, where the log has a column for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// It let the request pass, or the log does not say.
    Passed,
    /// It refused the request.
    Blocked,
}

fn tunnel_url(asked: &str) -> Url<'_> {
    let (host, port) = host_and_port(asked);
    Url { host: (!host.is_empty()).then_some(host), port, ..Url::default() }
}

struct Times {
    start: Timestamp,
    end: Timestamp,
    duration_ns: Option<i64>,
}

/// The stamp is that of the end: the request began as much earlier as the proxy says it took.
fn times(fields: &Fields<'_>, zone: &Zone) -> Result<Times, String> {
    let end = match (fields.text(Field::EndSeconds), fields.text(Field::EndDate)) {
        (Some(seconds), _) => {
            let whole = fields.text(Field::EndFraction).map(|fraction| format!("{seconds}.{fraction}"));
            Some(TimeForm::Epoch(0).read(whole.as_deref().unwrap_or(seconds), zone)?)
        }
        (None, Some(date)) => Some(TimeForm::Pattern(COMMON_LOG.to_owned()).read(date, zone)?),
        (None, None) => None,
    };
    let duration_ns = fields
        .number::<i64>(Field::DurationMs, "milliseconds")?
        .filter(|duration| *duration >= 0)
        .map(|duration| duration.saturating_mul(1_000_000));
    let start = fields.text(Field::StartSeconds).map(|text| TimeForm::Epoch(0).read(text, zone)).transpose()?;
    let (start, end) = match (start, end) {
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, start.saturating_add(duration_ns.unwrap_or(0))),
        (None, Some(end)) => (end.saturating_add(-duration_ns.unwrap_or(0)), end),
        (None, None) => return Err("expected the time of the request, found none".to_owned()),
    };
    Ok(Times { start, end, duration_ns })
}

/// An address with its port. The client may be masked or replaced by a name: then it is nobody we know.
fn socket(fields: &Fields<'_>, address: Field, port: Field) -> Result<SocketAddr, String> {
    let ip = match fields.text(address) {
        Some(text) => match text.parse() {
            Ok(ip) => ip,
            Err(_) if address == Field::ClientAddress => {
                let found: String = text.chars().take(40).collect();
                return Err(format!("expected the client's address, found {found:?}"));
            }
            Err(_) => UNSPECIFIED,
        },
        None if address == Field::ClientAddress => return Err("expected the client's address, found none".to_owned()),
        None => UNSPECIFIED,
    };
    Ok(SocketAddr::new(ip, fields.number(port, "a port")?.unwrap_or(0)))
}
