//! Events from records: an HTTP transaction, a flow or a DNS query out of the places that a mapping fills.

use super::{paths::EventKind, view::View};
use crate::{rows::Row, url::Url};
use monologue_model::{
    AnsweredBy, ByteCount, ByteLayer, ByteQuality, Detail, DnsQuery, Flow, FlowReply, GatewayFacts, HttpTransaction,
    RecordPhase, Teardown, Timestamp, Transport, redact,
};
use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

/// An address nobody recorded.
const UNSPECIFIED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What a record is.
///
/// # Errors
/// What was expected in which place.
pub(super) fn row(view: &View<'_, '_>) -> Result<Row, String> {
    if view.rules().iter().any(|rule| rule.lost) {
        let times = Times::of(view)?;
        return Ok(Row::Lost { from: times.start, until: times.end, records: None });
    }
    let times = Times::of(view)?;
    let (detail, host) = match view.mapping.event {
        EventKind::Http => {
            let (http, host) = http(view, &times)?;
            (Detail::Http(Box::new(http)), host)
        }
        EventKind::Flow => (Detail::Flow(Box::new(flow(view, &times)?)), view.text("device").map(shared)),
        EventKind::Dns => (Detail::Dns(Box::new(dns(view)?)), view.text("device").map(shared)),
    };
    Ok(Row::Event { time: times.start, written: times.end, host, detail })
}

/// When it began and when it was over.
struct Times {
    start: Timestamp,
    end: Timestamp,
    duration_ns: Option<i64>,
}

impl Times {
    fn of(view: &View<'_, '_>) -> Result<Self, String> {
        let duration_ns = view.duration("duration")?;
        let (start, end) = match (view.time("time")?, view.time("time.end")?) {
            (Some(start), Some(end)) => (start, end.max(start)),
            (Some(start), None) => (start, start.saturating_add(duration_ns.unwrap_or(0))),
            (None, Some(end)) => (end.saturating_add(-duration_ns.unwrap_or(0)), end),
            (None, None) => return Err("in `time`, expected a time, found none".to_owned()),
        };
        let duration_ns = duration_ns.or((end > start).then(|| end.since(start)));
        Ok(Self { start, end, duration_ns })
    }
}

fn shared(text: Cow<'_, str>) -> Arc<str> {
    text.trim().into()
}

fn lower(text: Cow<'_, str>) -> Arc<str> {
    text.trim().to_ascii_lowercase().into()
}

fn socket(view: &View<'_, '_>, address: &str, port: &str) -> Result<Option<SocketAddr>, String> {
    let Some(ip) = view.address(address)? else { return Ok(None) };
    Ok(Some(SocketAddr::new(ip, view.number(port)?.unwrap_or(0))))
}

fn http(view: &View<'_, '_>, times: &Times) -> Result<(HttpTransaction, Option<Arc<str>>), String> {
    let asked = view.text("url");
    let url = asked.as_deref().map(|text| Url::split(text.trim())).unwrap_or_default();
    let method = view.text("method").map(|method| method.trim().to_ascii_uppercase());
    let tunnel = method.as_deref() == Some("CONNECT");
    let named = view.text("host");
    let (named_host, named_port) = named.as_deref().map_or(("", None), |text| crate::url::host_and_port(text.trim()));
    let host = Some(named_host).filter(|host| !host.is_empty()).or(url.host);
    let scheme = view.text("scheme").map(|scheme| scheme.to_ascii_lowercase());
    let implied = match scheme.as_deref() {
        Some("http") => Some(80),
        Some("https" | "ssl" | "http_proxy") => Some(443),
        _ => None,
    };
    let path = view.text("path");
    let query = view.text("query");
    let mut uri = path.as_deref().unwrap_or(url.path).to_owned();
    if let Some(query) = query.as_deref().filter(|_| !uri.contains('?')) {
        uri = format!("{uri}?{}", query.trim_start_matches('?'));
    }
    let status: Option<u16> = view.number("status")?.filter(|status| *status > 0);
    let client = socket(view, "client.address", "client.port")?;
    let user = view.text("user").map(shared);
    let device = view.text("device").map(shared);
    // Nobody's address and nobody's device: the requests of one user still belong together.
    let host_name = device.or_else(|| {
        let user = user.as_ref().filter(|_| client.is_none())?;
        Some(format!("user:{user}").into())
    });
    if client.is_none() && host_name.is_none() {
        return Err("expected a client's address, device or user, found none".to_owned());
    }
    let gateway = GatewayFacts {
        duration_ns: times.duration_ns,
        answered_by: answered_by(view)?,
        teardown: teardown(view)?,
        outcome: view.text("outcome").map(shared),
        server: view.address("server.address")?,
        user,
    };
    let http = HttpTransaction {
        uid: view.text("uid").map(shared),
        originator: client.unwrap_or(SocketAddr::new(UNSPECIFIED, 0)),
        responder: socket(view, "proxy.address", "proxy.port")?.unwrap_or(SocketAddr::new(UNSPECIFIED, 0)),
        depth: None,
        host: host.map(|host| host.trim_end_matches('.').to_ascii_lowercase().into()),
        port: view.number("port")?.or(named_port).or(url.port).or(implied),
        uri: (!tunnel && !uri.is_empty()).then(|| redact(&uri).as_ref().into()),
        user_agent: view.text("user-agent").map(shared),
        request_body: view.bytes("request.bytes", ByteLayer::Message)?,
        response_body: response(view.bytes("response.bytes", ByteLayer::Message)?, status),
        status,
        proxied: true,
        content_hash: view.text("content-hash").map(shared),
        phase: RecordPhase::End,
        gateway: Some(Box::new(gateway)),
        method: method.map(Into::into),
    };
    Ok((http, host_name))
}

/// A zero that cannot be one: a message has a header, and without a status nobody saw a reply that could be empty.
fn response(count: ByteCount, status: Option<u16>) -> ByteCount {
    let impossible = count.layer == ByteLayer::Message || status.is_none();
    if count.is_measured_zero() && impossible { ByteCount { quality: ByteQuality::Partial, ..count } } else { count }
}

fn answered_by(view: &View<'_, '_>) -> Result<AnsweredBy, String> {
    Ok(match view.text("answered-by").as_deref() {
        None | Some("unknown") => AnsweredBy::Unknown,
        Some("service") => AnsweredBy::Service,
        Some("cache") => AnsweredBy::Cache,
        Some("gateway") => AnsweredBy::Gateway,
        // What the map of a mapping does not name.
        Some(_) => AnsweredBy::Unknown,
    })
}

fn teardown(view: &View<'_, '_>) -> Result<Teardown, String> {
    Ok(match view.text("teardown").as_deref() {
        Some("never-opened") => Teardown::NeverOpened,
        Some("client-closed") => Teardown::ClientClosed,
        Some("client-reset") => Teardown::ClientReset,
        Some("server-closed") => Teardown::ServerClosed,
        Some("server-reset") => Teardown::ServerReset,
        _ => Teardown::Unknown,
    })
}

/// The application protocol, by the name that linking knows. On port 443 it is TLS unless the source says otherwise: what
/// came back may be no more than a handshake.
fn service(view: &View<'_, '_>, responder: SocketAddr) -> Option<Arc<str>> {
    match view.text("service").map(lower) {
        Some(name) if matches!(&*name, "https" | "tls") => Some("ssl".into()),
        None if responder.port() == 443 => Some("ssl".into()),
        other => other,
    }
}

fn transport(text: Option<Cow<'_, str>>) -> Transport {
    match text.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("tcp" | "6") => Transport::Tcp,
        Some("udp" | "17" | "quic") => Transport::Udp,
        Some("icmp" | "1" | "icmp6" | "ipv6-icmp" | "icmpv6" | "58") => Transport::Icmp,
        _ => Transport::Other,
    }
}

fn flow(view: &View<'_, '_>, times: &Times) -> Result<Flow, String> {
    let end = |address: &str, port: &str| {
        socket(view, address, port)?.ok_or_else(|| format!("in `{address}`, expected an address, found none"))
    };
    let mut originator = end("originator.address", "originator.port")?;
    let mut responder = end("responder.address", "responder.port")?;
    let mut sent = view.bytes("sent.bytes", ByteLayer::Ip)?;
    let mut received = view.bytes("received.bytes", ByteLayer::Ip)?;
    let mut sent_packets = view.number("sent.packets")?;
    let mut received_packets = view.number("received.packets")?;
    let direction = view.text("direction");
    let one_way = direction.as_deref() == Some("one-way");
    // Of a row that counts one direction only, the side with the lower port serves.
    let backwards =
        if one_way { originator.port() < responder.port() } else { direction.as_deref() == Some("reverse") };
    if backwards {
        std::mem::swap(&mut originator, &mut responder);
        std::mem::swap(&mut sent, &mut received);
        std::mem::swap(&mut sent_packets, &mut received_packets);
    }
    let phase = match view.text("phase").as_deref() {
        Some("start") => RecordPhase::Start,
        Some("interim") => RecordPhase::Interim,
        Some("snapshot") => RecordPhase::Snapshot,
        _ => RecordPhase::End,
    };
    if phase != RecordPhase::End {
        for count in [&mut sent, &mut received] {
            if count.quality == ByteQuality::Measured {
                count.quality = ByteQuality::Partial;
            }
        }
    }
    let transport = transport(view.text("transport"));
    let whole = phase == RecordPhase::End && !one_way;
    let reply = reply(transport, received, received_packets, whole);
    Ok(Flow {
        uid: view.text("uid").map(shared),
        originator,
        responder,
        transport,
        services: service(view, responder).into_iter().collect(),
        duration_ns: times.duration_ns,
        sent,
        received,
        sent_packets,
        received_packets,
        reply,
        continuation: false,
        unanswered_attempt: transport == Transport::Tcp && whole && received_packets == Some(0),
        local_originator: None,
        local_responder: None,
        state: view.text("state").map(shared),
        history: None,
        phase,
    })
}

/// What the counts state about the other side. Where headers are counted too, payload is certain only above what the
/// longest headers of that many packets take (IPv6 and TCP with all options: 100 bytes; frames: 130), and its absence only
/// at what the shortest take (IPv4 and TCP 40, UDP 28).
fn reply(transport: Transport, received: ByteCount, packets: Option<u64>, whole: bool) -> FlowReply {
    let measured = received.measured_value().filter(|_| whole);
    let value = received.value.unwrap_or(0);
    let headers = match received.layer {
        ByteLayer::Payload | ByteLayer::Body | ByteLayer::Message => None,
        ByteLayer::Ip => Some((100, if transport == Transport::Udp { 28 } else { 40 })),
        ByteLayer::Frame => Some((130, if transport == Transport::Udp { 42 } else { 54 })),
    };
    match (headers, packets) {
        (_, Some(0)) if measured == Some(0) => FlowReply::NothingIfTwoSided,
        (None, _) if value > 0 => FlowReply::Payload,
        (None, Some(_)) if measured == Some(0) => FlowReply::NoPayload,
        (_, None) if measured == Some(0) => FlowReply::NothingIfTwoSided,
        (Some((most, _)), Some(count)) if value > count.saturating_mul(most) => FlowReply::Payload,
        (Some((_, least)), Some(count)) if measured.is_some_and(|value| value <= count.saturating_mul(least)) => {
            FlowReply::NoPayload
        }
        _ => FlowReply::Unknown,
    }
}

fn dns(view: &View<'_, '_>) -> Result<DnsQuery, String> {
    Ok(DnsQuery {
        process: None,
        originator: socket(view, "client.address", "client.port")?,
        resolver: socket(view, "resolver.address", "resolver.port")?,
        name: view.text("name").map(|name| name.trim().trim_end_matches('.').to_ascii_lowercase().into()),
        name_hash: None,
        query_type: view.text("type").map(|kind| kind.trim().to_ascii_uppercase().into()),
        answers: view.list("answers").iter().filter_map(|answer| answer.parse().ok()).collect(),
        response_code: view.text("response-code").map(|code| code.trim().to_ascii_uppercase().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_alone_are_no_payload_and_a_count_between_says_nothing() {
        let ip = |value, packets| reply(Transport::Tcp, ByteCount::measured(value, ByteLayer::Ip), Some(packets), true);
        assert_eq!(ip(0, 0), FlowReply::NothingIfTwoSided);
        assert_eq!(ip(120, 3), FlowReply::NoPayload, "three packets of bare headers");
        assert_eq!(ip(180, 3), FlowReply::Unknown, "options, or a few bytes");
        assert_eq!(ip(372, 3), FlowReply::Payload);
        let payload = |value| reply(Transport::Tcp, ByteCount::measured(value, ByteLayer::Payload), None, true);
        assert_eq!((payload(1), payload(0)), (FlowReply::Payload, FlowReply::NothingIfTwoSided));
        let open = reply(Transport::Tcp, ByteCount::measured(0, ByteLayer::Ip), Some(0), false);
        assert_eq!(open, FlowReply::Unknown, "not over yet");
        let partial = reply(Transport::Tcp, ByteCount::partial(0, ByteLayer::Payload), Some(0), true);
        assert_eq!(partial, FlowReply::Unknown);
    }

    #[test]
    fn a_zero_that_cannot_be_one_is_none() {
        assert!(!response(ByteCount::measured(0, ByteLayer::Message), Some(200)).is_measured_zero());
        assert!(!response(ByteCount::measured(0, ByteLayer::Body), None).is_measured_zero());
        assert!(response(ByteCount::measured(0, ByteLayer::Body), Some(200)).is_measured_zero());
    }
}
