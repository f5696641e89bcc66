//! HTTP transactions of sensors and proxies, as rows of `http_activity`.

use super::{
    Interner,
    endpoints::{Socket, Worth, restored, stored},
    error::{Unexpected, narrow_option, need},
    http_activity::{HttpKind, HttpRequest, HttpResponse, HttpRow, Url},
    network_activity::ConnectionInfo,
};
use monologue_model::{HttpTransaction, RecordPhase};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What only transactions of sensors and proxies have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct TransactionFacts<'a> {
    /// Number of the request within its connection, from 1. Null means nobody recorded it.
    depth: Option<i64>,
    /// The request went through a proxy.
    proxied: bool,
    /// Identifies the response's content where the sensor hashed it.
    content_hash: Option<&'a str>,
    /// Which part of the transaction's life: `start`, `interim`, `end` or `snapshot`.
    phase: RecordPhase,
}

/// The row of a transaction.
pub(super) fn row(http: &HttpTransaction) -> HttpRow<'_> {
    let (path, query_string) = match http.uri.as_deref().map(|uri| (uri, uri.split_once('?'))) {
        None => (None, None),
        Some((uri, None)) => (Some(uri), None),
        Some((_, Some((path, query)))) => (Some(path), Some(query)),
    };
    let (hostname, port) = (http.host.as_deref(), http.port.map(i32::from));
    let url = hostname.is_some() || port.is_some() || path.is_some();
    let mut row = HttpRow {
        src_endpoint: Some(Socket::of(http.originator)),
        dst_endpoint: Some(Socket::of(http.responder)),
        connection_info: http.uid.as_deref().map(ConnectionInfo::named),
        http_request: HttpRequest {
            uid: None,
            http_method: http.method.as_deref(),
            user_agent: http.user_agent.as_deref(),
            body_length: stored(http.request_body.value),
            url: url.then_some(Url { hostname, port, path, query_string }),
        },
        http_response: Some(HttpResponse {
            code: http.status.map(i32::from),
            body_length: stored(http.response_body.value),
        }),
        ..HttpRow::of(HttpKind::Transaction)
    };
    row.monologue.request = Some(Worth::of(&http.request_body));
    row.monologue.response = Some(Worth::of(&http.response_body));
    row.monologue.transaction = Some(TransactionFacts {
        depth: stored(http.depth),
        proxied: http.proxied,
        content_hash: http.content_hash.as_deref(),
        phase: http.phase,
    });
    row
}

/// The transaction of a row.
pub(super) fn transaction(row: HttpRow<'_>, interner: &mut Interner) -> Result<HttpTransaction, Unexpected> {
    let facts = need(row.monologue.transaction, "monologue.transaction")?;
    let response = need(row.http_response, "http_response")?;
    let request = row.http_request;
    let url = request.url.unwrap_or(Url { hostname: None, port: None, path: None, query_string: None });
    let uri: Option<Arc<str>> = match (url.path, url.query_string) {
        (Some(path), Some(query)) => Some(format!("{path}?{query}").into()),
        (path, _) => interner.option(path),
    };
    Ok(HttpTransaction {
        uid: row.connection_info.and_then(|info| info.uid).map(Into::into),
        originator: need(row.src_endpoint, "src_endpoint")?.address("src_endpoint")?,
        responder: need(row.dst_endpoint, "dst_endpoint")?.address("dst_endpoint")?,
        depth: restored(facts.depth),
        method: interner.option(request.http_method),
        host: interner.option(url.hostname),
        port: narrow_option(url.port.map(i64::from), "http_request.url.port")?,
        uri,
        user_agent: interner.option(request.user_agent),
        request_body: need(row.monologue.request, "monologue.request")?.count(request.body_length),
        response_body: need(row.monologue.response, "monologue.response")?.count(response.body_length),
        status: narrow_option(response.code.map(i64::from), "http_response.code")?,
        proxied: facts.proxied,
        content_hash: interner.option(facts.content_hash),
        phase: facts.phase,
    })
}
