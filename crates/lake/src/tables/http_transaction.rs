//! HTTP transactions of sensors and proxies, as rows of `http_activity`.

use super::{
    Interner,
    endpoints::{Socket, Worth, address, restored, stored},
    error::{Unexpected, narrow_option, need},
    http_activity::{HttpKind, HttpRequest, HttpResponse, HttpRow, Url},
    network_activity::ConnectionInfo,
    process::Text,
};
use monologue_model::{AnsweredBy, GatewayFacts, HttpTransaction, RecordPhase, Teardown};
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
    /// What only a gateway knows. Null for a sensor beside the wire.
    gateway: Option<GatewayColumns<'a>>,
}

/// What a gateway knows of a request that it passed on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct GatewayColumns<'a> {
    /// Nanoseconds from the request to the end of the reply. Null means nobody recorded it.
    duration_ns: Option<i64>,
    /// Who made the answer: `unknown`, `service`, `cache` or `gateway`.
    answered_by: AnsweredBy,
    /// Who ended it before it was complete.
    teardown: Teardown,
    /// The gateway's own word for what became of it. Null means it has none.
    outcome: Option<&'a str>,
    /// Address to which the gateway sent the request. Null means nobody recorded it.
    server: Option<Text<'a>>,
    /// The user it was asked for. Null means nobody recorded one.
    user: Option<&'a str>,
}

impl<'a> GatewayColumns<'a> {
    fn of(facts: &'a GatewayFacts) -> Self {
        Self {
            duration_ns: facts.duration_ns,
            answered_by: facts.answered_by,
            teardown: facts.teardown,
            outcome: facts.outcome.as_deref(),
            server: facts.server.map(|address| address.to_string().into()),
            user: facts.user.as_deref(),
        }
    }

    fn facts(self, interner: &mut Interner) -> Result<GatewayFacts, Unexpected> {
        let server = self.server.map(|text| address(&text.0, "monologue.transaction.gateway.server"));
        Ok(GatewayFacts {
            duration_ns: self.duration_ns,
            answered_by: self.answered_by,
            teardown: self.teardown,
            outcome: interner.option(self.outcome),
            server: server.transpose()?,
            user: interner.option(self.user),
        })
    }
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
        gateway: http.gateway.as_deref().map(GatewayColumns::of),
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
        gateway: facts.gateway.map(|columns| columns.facts(interner)).transpose()?.map(Box::new),
    })
}
