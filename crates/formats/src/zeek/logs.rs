//! `http.log`, `ssl.log`, `dns.log`, `capture_loss.log`: one record each.

use super::{
    Log,
    row::{Fields, Row},
};
use crate::target::Target;
use monologue_model::{
    ByteCount, ByteLayer, CoverageRecord, CoverageState, DnsQuery, HttpTransaction, Loss, RecordPhase, Timestamp,
    TlsHandshake, redact,
};
use std::sync::Arc;

const fn phase(open: bool) -> RecordPhase {
    if open { RecordPhase::Snapshot } else { RecordPhase::End }
}

fn shared(text: Option<std::borrow::Cow<'_, str>>) -> Option<Arc<str>> {
    text.map(|text| text.as_ref().into())
}

/// Reads one record of `http.log`.
///
/// # Errors
/// What was expected in which field.
pub(super) fn http<R: Row>(row: &R, open: bool) -> Result<(Timestamp, HttpTransaction), String> {
    let fields = Fields(row);
    let method = row.text("method");
    let uri = row.text("uri");
    let named = row.text("host");
    let target = Target::of(method.as_deref(), uri.as_deref(), named.as_deref());
    let body = |name: &'static str| -> Result<ByteCount, String> {
        Ok(match fields.count(name)? {
            Some(value) if open => ByteCount::partial(value, ByteLayer::Body),
            Some(value) => ByteCount::measured(value, ByteLayer::Body),
            None => ByteCount::absent(ByteLayer::Body),
        })
    };
    let status = fields
        .count("status_code")?
        .map(|status| {
            u16::try_from(status).map_err(|_| format!("expected a status in field `status_code`, found {status}"))
        })
        .transpose()?;
    let transaction = HttpTransaction {
        uid: shared(row.text("uid")),
        originator: fields.originator()?,
        responder: fields.responder()?,
        depth: fields.count("trans_depth")?,
        host: target.host,
        port: target.port,
        uri: uri.as_deref().map(|uri| redact(uri).as_ref().into()),
        user_agent: shared(row.text("user_agent")),
        request_body: body("request_body_len")?,
        response_body: body("response_body_len")?,
        status,
        proxied: target.proxied || !row.list("proxied").is_empty(),
        content_hash: None,
        phase: phase(open),
        gateway: None,
        method: shared(method),
    };
    Ok((fields.time("ts")?, transaction))
}

/// Reads one record of `ssl.log`.
///
/// # Errors
/// What was expected in which field.
pub(super) fn tls<R: Row>(row: &R, open: bool) -> Result<(Timestamp, TlsHandshake), String> {
    let fields = Fields(row);
    let handshake = TlsHandshake {
        uid: shared(row.text("uid")),
        originator: fields.originator()?,
        responder: fields.responder()?,
        server_name: row.text("server_name").map(|name| name.to_ascii_lowercase().into()),
        established: fields.flag("established"),
        resumed: fields.flag("resumed"),
        last_alert: shared(row.text("last_alert")),
        ja4: shared(row.text("ja4")),
        phase: phase(open),
    };
    Ok((fields.time("ts")?, handshake))
}

/// Reads one record of `dns.log`.
///
/// # Errors
/// What was expected in which field.
pub(super) fn dns<R: Row>(row: &R) -> Result<(Timestamp, DnsQuery), String> {
    let fields = Fields(row);
    let query = DnsQuery {
        process: None,
        originator: Some(fields.originator()?),
        resolver: Some(fields.responder()?),
        name: row.text("query").map(|name| name.to_ascii_lowercase().into()),
        name_hash: None,
        query_type: shared(row.text("qtype_name")),
        answers: row.list("answers").iter().filter_map(|answer| answer.parse().ok()).collect(),
        response_code: shared(row.text("rcode_name")),
    };
    Ok((fields.time("ts")?, query))
}

/// Reads one record of `capture_loss.log`: what the sensor says of its own completeness.
///
/// # Errors
/// What was expected in which field.
pub(super) fn capture_loss<R: Row>(row: &R, format: &Arc<str>) -> Result<(Timestamp, CoverageRecord), String> {
    let fields = Fields(row);
    let until = fields.time("ts")?;
    let stretch = fields.seconds("ts_delta")?.unwrap_or(0).max(0);
    let gaps = fields.count("gaps")?;
    let percent: f64 = match row.text("percent_lost") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|percent: &f64| percent.is_finite() && *percent >= 0.0)
            .ok_or_else(|| format!("expected a percentage in field `percent_lost`, found {text:?}"))?,
        None => return Err("expected a percentage in field `percent_lost`".to_owned()),
    };
    let state = if percent > 0.0 {
        CoverageState::Lost { reason: Loss::SensorLoss, records: gaps.map(|gaps| gaps.max(1)) }
    } else {
        CoverageState::Complete
    };
    let from = until.saturating_add(-stretch);
    let record = CoverageRecord { format: format.clone(), sights: Log::CaptureLoss.sights(), from, until, state };
    Ok((until, record))
}
