//! Events of the network: flows, connections, handshakes, names.

use super::{image, maybe, maybe_any, number, one_of, signed, text, texts};
use monologue_model::{
    ByteCount, ByteLayer, ByteQuality, ConnectionFact, Detail, DnsQuery, Endpoint, Flow, FlowReply, NetworkConnection,
    RecordPhase, TlsHandshake, Transport,
};
use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Strategy, any, prop_oneof},
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Addresses of both families, with zones and flow labels.
pub(crate) fn socket() -> BoxedStrategy<SocketAddr> {
    let four = (any::<Ipv4Addr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddrV4::new(ip, port).into());
    let bare = (any::<Ipv6Addr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddrV6::new(ip, port, 0, 0).into());
    let six = (any::<Ipv6Addr>(), any::<u16>(), any::<u32>(), any::<u32>())
        .prop_map(|(ip, port, flow, zone)| SocketAddrV6::new(ip, port, flow, zone).into());
    prop_oneof![four, bare, six].boxed()
}

fn address() -> BoxedStrategy<IpAddr> {
    any::<IpAddr>().boxed()
}

pub(crate) fn bytes() -> BoxedStrategy<ByteCount> {
    use ByteLayer::{Body, Frame, Ip, Message, Payload};
    use ByteQuality::{Absent, Measured, NotApplicable, Partial};
    let quality = one_of(&[Measured, Partial, Absent, NotApplicable]);
    let layer = one_of(&[Payload, Ip, Frame, Body, Message]);
    (option::of(number()), quality, layer)
        .prop_map(|(value, quality, layer)| ByteCount { value, quality, layer })
        .boxed()
}

pub(crate) fn phase() -> BoxedStrategy<RecordPhase> {
    one_of(&[RecordPhase::Start, RecordPhase::Interim, RecordPhase::End, RecordPhase::Snapshot])
}

fn transport() -> BoxedStrategy<Transport> {
    one_of(&[Transport::Tcp, Transport::Udp, Transport::Icmp, Transport::Other])
}

fn flow() -> BoxedStrategy<Detail> {
    use FlowReply::{NoPayload, NothingIfTwoSided, Payload, Unknown};
    let ends = (maybe(), socket(), socket(), transport(), texts(), option::of(signed()));
    let counts = (bytes(), bytes(), option::of(number()), option::of(number()));
    let reply = one_of(&[Payload, NoPayload, NothingIfTwoSided, Unknown]);
    let flags = (any::<bool>(), any::<bool>(), maybe_any(), maybe_any());
    (ends, counts, reply, flags, (maybe(), maybe(), phase()))
        .prop_map(|(ends, counts, reply, flags, (state, history, phase))| {
            let (uid, originator, responder, transport, services, duration_ns) = ends;
            let (sent, received, sent_packets, received_packets) = counts;
            let (continuation, unanswered_attempt, local_originator, local_responder) = flags;
            Detail::Flow(Box::new(Flow {
                uid,
                originator,
                responder,
                transport,
                services,
                duration_ns,
                sent,
                received,
                sent_packets,
                received_packets,
                reply,
                continuation,
                unanswered_attempt,
                local_originator,
                local_responder,
                state,
                history,
                phase,
            }))
        })
        .boxed()
}

fn endpoint() -> BoxedStrategy<Endpoint> {
    (maybe(), maybe(), option::of(address()), maybe_any())
        .prop_map(|(name, name_hash, address, port)| Endpoint { name, name_hash, address, port })
        .boxed()
}

fn connection() -> BoxedStrategy<Detail> {
    let started = (endpoint(), transport(), any::<bool>())
        .prop_map(|(endpoint, transport, tls)| ConnectionFact::Started { endpoint, transport, tls });
    let closed = (endpoint(), option::of(socket()), option::of(number()), bytes(), bytes()).prop_map(
        |(endpoint, local, duration_ms, received, sent)| ConnectionFact::Closed {
            endpoint,
            local,
            duration_ms,
            received,
            sent,
        },
    );
    let failed = any::<i32>().prop_map(|error| ConnectionFact::Failed { error });
    let contacted = (endpoint(), option::of(socket()), transport(), any::<bool>(), bytes(), bytes()).prop_map(
        |(endpoint, local, transport, opened, received, sent)| ConnectionFact::Contacted {
            endpoint,
            local,
            transport,
            opened,
            received,
            sent,
        },
    );
    (image(), number(), prop_oneof![started, closed, failed, contacted], proptest::option::of(image()))
        .prop_map(|(process, connection, fact, effective_process)| {
            Detail::Connection(Box::new(NetworkConnection { process, connection, fact, effective_process }))
        })
        .boxed()
}

fn handshake() -> BoxedStrategy<Detail> {
    (maybe(), socket(), socket(), maybe(), maybe_any(), maybe_any(), maybe(), maybe(), phase())
        .prop_map(|(uid, originator, responder, server_name, established, resumed, last_alert, ja4, phase)| {
            Detail::Tls(Box::new(TlsHandshake {
                uid,
                originator,
                responder,
                server_name,
                established,
                resumed,
                last_alert,
                ja4,
                phase,
            }))
        })
        .boxed()
}

fn dns() -> BoxedStrategy<Detail> {
    let ends = (option::of(image()), option::of(socket()), option::of(socket()));
    (ends, (maybe(), maybe(), maybe()), vec(address(), 0..4), option::of(text()))
        .prop_map(|((process, originator, resolver), (name, name_hash, query_type), answers, response_code)| {
            Detail::Dns(Box::new(DnsQuery {
                process,
                originator,
                resolver,
                name,
                name_hash,
                query_type,
                answers,
                response_code,
            }))
        })
        .boxed()
}

/// Any of them.
pub(crate) fn details() -> BoxedStrategy<Detail> {
    prop_oneof![flow(), connection(), handshake(), dns()].boxed()
}
