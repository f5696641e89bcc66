//! What the records of proxies and gateways say of the service behind them.

use monologue_model::{AnsweredBy, HttpTransaction, Reply, Teardown};

/// Longest header by which a gateway says that a tunnel is open: `HTTP/1.1 200 Connection established` and what products
/// add to it.
const TUNNEL_OPENING_BYTES: u64 = 256;

/// Whether the gateway made the answer itself, or may have: refused, asked for a password or failed. The service said nothing, as
/// far as anybody can tell: a server that could not be reached and one that says so look the same (502 to 504).
pub(super) fn answered_itself(http: &HttpTransaction) -> bool {
    http.gateway.as_ref().is_some_and(|facts| match facts.answered_by {
        AnsweredBy::Gateway => true,
        AnsweredBy::Unknown => matches!(http.status, Some(502..=504)),
        AnsweredBy::Service | AnsweredBy::Cache => false,
    })
}

/// Who ended the request, where a gateway says so. A client that leaves before the gateway is done with the reply gives it
/// up: that is more than the end of a connection, which comes after every reply.
pub(super) fn teardown(http: &HttpTransaction) -> Teardown {
    match http.gateway.as_ref().map_or(Teardown::Unknown, |facts| facts.teardown) {
        Teardown::ClientClosed | Teardown::ClientReset => Teardown::ClientAborted,
        other => other,
    }
}

/// What came back through a tunnel, by the count of the gateway that held it: its own "established" is no reply of the
/// service.
pub(super) fn tunnel_reply(http: &HttpTransaction) -> Reply {
    let carried = http.response_body.value.is_some_and(|bytes| bytes > TUNNEL_OPENING_BYTES);
    if carried && http.response_body.is_positive() && !answered_itself(http) { Reply::Bytes } else { Reply::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use monologue_model::{ByteCount, ByteLayer, GatewayFacts, RecordPhase};

    fn tunnel(received: ByteCount, answered_by: AnsweredBy) -> HttpTransaction {
        HttpTransaction {
            uid: None,
            originator: "10.0.0.5:0".parse().unwrap(),
            responder: "0.0.0.0:0".parse().unwrap(),
            depth: None,
            method: Some("CONNECT".into()),
            host: Some("a.example".into()),
            port: Some(443),
            uri: None,
            user_agent: None,
            request_body: ByteCount::absent(ByteLayer::Message),
            response_body: received,
            status: Some(200),
            proxied: true,
            content_hash: None,
            phase: RecordPhase::End,
            gateway: Some(Box::new(GatewayFacts { answered_by, ..GatewayFacts::default() })),
        }
    }

    #[test]
    fn the_opening_of_a_tunnel_is_no_reply_and_what_follows_is() {
        let reply = |bytes, by| tunnel_reply(&tunnel(ByteCount::measured(bytes, ByteLayer::Message), by));
        assert_eq!(reply(39, AnsweredBy::Service), Reply::Unknown);
        assert_eq!(reply(3_839, AnsweredBy::Service), Reply::Bytes);
        assert_eq!(reply(3_839, AnsweredBy::Gateway), Reply::Unknown, "an error page of the proxy");
        assert_eq!(tunnel_reply(&tunnel(ByteCount::absent(ByteLayer::Message), AnsweredBy::Service)), Reply::Unknown);
    }
}
