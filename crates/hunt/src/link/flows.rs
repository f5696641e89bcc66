//! Flows as a network sensor saw them: rows of one connection brought together, then one exchange for each request.

use super::{
    gateways,
    names::{HOST_MASK, Names},
    teardown,
    tie::Tie,
};
use crate::{coverage::Coverage, randomness, settings, user_agents};
use monologue_model::{
    ByteCount, ByteLayer, ClaimedAgent, Destination, DestinationName, Detail, Event, Exchange, Flow, FlowReply,
    HttpTransaction, Provenance, RecordPhase, Reply, Service, Sha256, Sight, SightSet, Teardown, Timestamp,
    TlsHandshake, Transport, WitnessKind, part_of,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, net::SocketAddr, sync::Arc};

/// Ports of DNS and DNS over TLS: asking a resolver is evidence, not a channel.
const RESOLVER_PORTS: &[u16] = &[53, 853, 5353, 5355];

/// Ports of DHCP: never an exchange.
const DHCP_PORTS: &[u16] = &[67, 68, 546, 547];

/// One connection with all rows that speak of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) originator: SocketAddr,
    pub(crate) responder: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) format: Arc<str>,
    flows: Vec<(Timestamp, Flow, Provenance)>,
    https: Vec<(Timestamp, HttpTransaction, Provenance)>,
    tls: Option<(Timestamp, TlsHandshake, Provenance)>,
}

/// One request on a connection, as far as the network shows.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) time: Timestamp,
    pub(crate) destination: Destination,
    pub(crate) request_bytes: ByteCount,
    pub(crate) response_bytes: ByteCount,
    pub(crate) status: Option<u16>,
    pub(crate) reply: Reply,
    pub(crate) pending: bool,
    pub(crate) seen: SightSet,
    pub(crate) teardown: Teardown,
    /// What was asked: a hash of method and path. `None` means nobody recorded it.
    pub(crate) kind: Option<u32>,
    /// How random the address asked for looks, in tenths of bits per character.
    pub(crate) randomness: Option<u8>,
    /// What its user agent says.
    pub(crate) claimed: Option<ClaimedAgent>,
    /// An earlier TLS session was resumed. `None` means nobody recorded it.
    pub(crate) resumed: Option<bool>,
    pub(crate) fresh: bool,
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) protocol: Option<Arc<str>>,
    pub(crate) cites: Vec<(WitnessKind, Provenance)>,
    /// Every record that was brought together here and concerns this request.
    pub(crate) joined: Vec<Provenance>,
}

impl Request {
    /// Tells an exchange what was asked, and as whom.
    pub(crate) const fn describe(&self, exchange: &mut Exchange) {
        exchange.request_kind = self.kind;
        exchange.request_randomness = self.randomness;
        exchange.claimed_agent = self.claimed;
    }
}

/// Whether an address can be the far end of an exchange: unicast and not ourselves.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let broadcast =
                v4.is_broadcast() || ((v4.is_private() || v4.is_link_local()) && v4.octets().last() == Some(&255));
            !(v4.is_multicast() || broadcast || v4.is_unspecified() || v4.is_loopback())
        }
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified() || v6.is_loopback()),
    }
}

/// Whether traffic to this responder is evidence about names rather than a channel, or no exchange at all.
pub(crate) fn is_exchange(transport: Transport, responder: SocketAddr, services: &[Arc<str>]) -> bool {
    matches!(transport, Transport::Tcp | Transport::Udp)
        && is_unicast(responder.ip())
        && !RESOLVER_PORTS.contains(&responder.port())
        && !DHCP_PORTS.contains(&responder.port())
        && !services.iter().any(|service| matches!(&**service, "dns" | "dhcp"))
}

/// A 5-tuple whose connection was handed on without having been seen to close: rows that continue it are no new exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Spent {
    originator: SocketAddr,
    responder: SocketAddr,
    transport: Transport,
    pub(crate) end: Timestamp,
}

/// All connections of one host, from events ordered by time: those still held from before, and what `events` say. Records
/// that stand in two files are taken once.
pub(crate) fn gather(held: Vec<Connection>, spent: &[Spent], events: &[Event]) -> Vec<Connection> {
    let mut connections = held;
    let mut by_tie: BTreeMap<Tie, usize> = BTreeMap::new();
    for (at, connection) in connections.iter().enumerate() {
        by_tie.extend(connection.ties().map(|tie| (tie, at)));
    }
    for event in events {
        let (uid, originator, responder, transport) = match &event.detail {
            Detail::Flow(flow) => (&flow.uid, flow.originator, flow.responder, flow.transport),
            Detail::Http(http) => (&http.uid, http.originator, http.responder, Transport::Tcp),
            Detail::Tls(tls) => (&tls.uid, tls.originator, tls.responder, Transport::Tcp),
            _ => continue,
        };
        let tie = match &event.detail {
            Detail::Http(http) => Tie::of_http(http, &event.provenance),
            _ => Tie::new(uid, originator, responder, transport),
        };
        let at = *by_tie.entry(tie).or_insert(connections.len());
        if at == connections.len() {
            connections.push(Connection {
                originator,
                responder,
                transport,
                start: event.time,
                end: event.time,
                format: event.format.clone(),
                flows: Vec::new(),
                https: Vec::new(),
                tls: None,
            });
        }
        if let Some(connection) = connections.get_mut(at) {
            connection.add(event);
        }
    }
    connections.sort_by_cached_key(Connection::order);
    join_pieces(connections, spent)
}

/// Joins rows that continue a connection (their history lacks the opening) and repeated attempts of one 5-tuple: neither
/// is a new request, nor a silence.
fn join_pieces(connections: Vec<Connection>, spent: &[Spent]) -> Vec<Connection> {
    // A place past the end stands for a connection that is no longer held.
    let mut latest: BTreeMap<(SocketAddr, SocketAddr, Transport), usize> =
        spent.iter().map(|gone| ((gone.originator, gone.responder, gone.transport), usize::MAX)).collect();
    let mut joined: Vec<Connection> = Vec::with_capacity(connections.len());
    for connection in connections {
        let tuple = (connection.originator, connection.responder, connection.transport);
        let reverse = (connection.responder, connection.originator, connection.transport);
        let known = latest.get(&tuple).copied();
        let continues = connection.is_continuation();
        if let Some(earlier) = known.and_then(|at| joined.get_mut(at)) {
            let retries = connection.is_attempt()
                && earlier.is_attempt()
                && connection.start.since(earlier.end) <= settings::ATTEMPT_RETRY_NS;
            if continues || retries {
                earlier.absorb(connection);
                continue;
            }
        }
        if continues && (known.is_some() || latest.contains_key(&reverse)) {
            // A connection of ours that was handed on already, or its responder's side, seen again after the sensor forgot
            // its beginning.
            continue;
        }
        latest.insert(tuple, joined.len());
        joined.push(connection);
    }
    joined
}

impl Connection {
    fn add(&mut self, event: &Event) {
        self.start = self.start.min(event.time);
        self.end = self.end.max(event.time);
        let provenance = event.provenance.clone();
        match &event.detail {
            Detail::Flow(flow) => {
                self.transport = flow.transport;
                self.format = event.format.clone();
                self.end = self.end.max(event.time.saturating_add(flow.duration_ns.unwrap_or(0).max(0)));
                match self.flows.iter_mut().find(|(time, known, _)| same_flow(*time, known, event.time, flow)) {
                    // A look at the open flow gives way to its end; a second copy of a row to the first.
                    Some(entry) if entry.1.phase != RecordPhase::End => {
                        *entry = (event.time, (**flow).clone(), provenance)
                    }
                    Some(_) => {}
                    None => self.flows.push((event.time, (**flow).clone(), provenance)),
                }
            }
            Detail::Http(http) => {
                let known = self.https.iter_mut().find(|(time, known, _)| {
                    known.depth == http.depth && known.host == http.host && known.uri == http.uri && *time == event.time
                });
                match known {
                    Some(entry) if entry.1.phase != RecordPhase::End => {
                        *entry = (event.time, (**http).clone(), provenance)
                    }
                    Some(_) => {}
                    None => self.https.push((event.time, (**http).clone(), provenance)),
                }
            }
            Detail::Tls(tls) => {
                let replace = self.tls.as_ref().is_none_or(|(_, known, _)| known.phase != RecordPhase::End);
                if replace {
                    self.tls = Some((event.time, (**tls).clone(), provenance));
                }
            }
            _ => {}
        }
    }

    fn absorb(&mut self, other: Self) {
        self.end = self.end.max(other.end);
        self.flows.extend(other.flows);
        self.https.extend(other.https);
        self.tls = self.tls.take().or(other.tls);
    }

    fn ties(&self) -> impl Iterator<Item = Tie> {
        let flows = self.flows.iter();
        let flows = flows.map(|(_, flow, _)| Tie::new(&flow.uid, flow.originator, flow.responder, flow.transport));
        let https = self.https.iter().map(|(_, http, provenance)| Tie::of_http(http, provenance));
        let tls = self.tls.iter();
        let tls = tls.map(|(_, tls, _)| Tie::new(&tls.uid, tls.originator, tls.responder, Transport::Tcp));
        flows.chain(https).chain(tls)
    }

    /// By time; of equals, by what does not depend on the order in which records came.
    fn order(&self) -> (Timestamp, SocketAddr, SocketAddr, Option<Tie>) {
        (self.start, self.originator, self.responder, self.ties().min())
    }

    /// When nothing more is expected of it. `None`: more may come: it was seen open only, it may go on and has shown no
    /// answer yet, or the sensor has not yet been shown to see both sides.
    pub(crate) fn settles_at(&self, two_sided: bool) -> Option<Timestamp> {
        let reply = self.reply(two_sided);
        let open = self.flows.iter().all(|(_, flow, _)| flow.phase == RecordPhase::Snapshot) && !self.flows.is_empty();
        let may_answer = !reply.is_answer()
            && !self.is_attempt()
            && !self.is_closed()
            && !self.is_gateway_record()
            && self.transport == Transport::Tcp;
        let one_sided =
            !two_sided && self.flows.iter().any(|(_, flow, _)| matches!(flow.reply, FlowReply::NothingIfTwoSided));
        (!open && !may_answer && !one_sided).then(|| self.end.saturating_add(settings::SETTLE_NS))
    }

    /// A sensor saw it refused, reset or closed: no row continues it. (Zeek `conn_state`; others give none.)
    fn is_closed(&self) -> bool {
        self.flows.iter().any(|(_, flow, _)| {
            flow.state.as_deref().is_some_and(|state| {
                matches!(state, "SF" | "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" | "SH" | "SHR")
            })
        })
    }

    /// What is kept of it once it is handed on. `None`: no row can continue it.
    pub(crate) fn spent(&self) -> Option<Spent> {
        (!self.is_closed()).then_some(Spent {
            originator: self.originator,
            responder: self.responder,
            transport: self.transport,
            end: self.end,
        })
    }

    /// It is known by a gateway's own record only, which is all there will be.
    fn is_gateway_record(&self) -> bool {
        self.flows.is_empty() && self.https.iter().all(|(_, http, _)| http.gateway.is_some())
    }

    /// Who ended it, as its last row says.
    fn teardown(&self) -> Teardown {
        self.flows.last().map_or(Teardown::Unknown, |(_, flow, _)| teardown::of_flow(flow))
    }

    fn is_continuation(&self) -> bool {
        !self.flows.is_empty() && self.flows.iter().all(|(_, flow, _)| flow.continuation)
    }

    fn is_attempt(&self) -> bool {
        !self.flows.is_empty() && self.flows.iter().all(|(_, flow, _)| flow.unanswered_attempt)
    }

    fn services(&self) -> impl Iterator<Item = &Arc<str>> {
        self.flows.iter().flat_map(|(_, flow, _)| flow.services.iter())
    }

    /// The sensor itself shows that it sees the other side of this host's traffic.
    pub(crate) fn shows_responder(&self) -> bool {
        self.flows.iter().any(|(_, flow, _)| matches!(flow.reply, FlowReply::Payload | FlowReply::NoPayload))
    }

    /// Whether TLS ran on it, as far as anything says.
    fn is_tls(&self) -> bool {
        self.tls.is_some() || self.services().any(|service| matches!(&**service, "ssl" | "tls" | "quic"))
    }

    /// What came back on the whole connection.
    pub(crate) fn reply(&self, two_sided: bool) -> Reply {
        let mut reply = Reply::Unknown;
        let mut silent = !self.flows.is_empty();
        for (_, flow, _) in &self.flows {
            match flow.reply {
                FlowReply::Payload => reply = reply.max(self.payload_reply()),
                FlowReply::NoPayload => silent &= !self.is_continuation(),
                FlowReply::NothingIfTwoSided => silent &= two_sided && !self.is_continuation(),
                FlowReply::Unknown => silent = false,
            }
        }
        if reply == Reply::Unknown && silent { Reply::Silent } else { reply }
    }

    /// What payload from the responder proves.
    fn payload_reply(&self) -> Reply {
        match &self.tls {
            Some((_, tls, _)) if tls.established == Some(false) => Reply::HandshakeOnly,
            _ if self.is_tls() || (self.transport == Transport::Udp && self.responder.port() == 443) => Reply::Bytes,
            _ => Reply::Payload,
        }
    }

    fn bytes(&self, pick: impl Fn(&Flow) -> ByteCount) -> ByteCount {
        let counts: Vec<ByteCount> = self.flows.iter().map(|(_, flow, _)| pick(flow)).collect();
        match counts.as_slice() {
            [] => ByteCount::absent(ByteLayer::Payload),
            [one] => *one,
            several => {
                let total: u64 = several.iter().filter_map(|count| count.value).sum();
                if several.iter().all(|count| count.measured_value().is_some()) {
                    ByteCount::measured(total, ByteLayer::Payload)
                } else {
                    ByteCount::partial(total, ByteLayer::Payload)
                }
            }
        }
    }

    /// The requests made on this connection. Empty: it is no exchange (DNS, DHCP, multicast, ICMP).
    pub(crate) fn requests(&self, coverage: &Coverage, names: &Names, two_sided: bool) -> Vec<Request> {
        let services: Vec<Arc<str>> = self.services().cloned().collect();
        if !self.is_gateway_record() && !is_exchange(self.transport, self.responder, &services) {
            return Vec::new();
        }
        let connect = self.https.iter().find(|(_, http, _)| http.method.as_deref() == Some("CONNECT"));
        let plain: Vec<_> =
            self.https.iter().filter(|(_, http, _)| http.method.as_deref() != Some("CONNECT")).collect();
        if plain.is_empty() || connect.is_some() {
            return vec![self.whole(coverage, names, two_sided, connect)];
        }
        let mut requests: Vec<Request> = Vec::new();
        let alone = plain.len() == 1;
        for (time, http, provenance) in plain {
            let mut request = self.http_request(*time, http, provenance, two_sided, requests.is_empty());
            if alone && self.teardown() != Teardown::Unknown {
                request.teardown = self.teardown();
                request.seen.insert(Sight::FlowTeardown);
            }
            let carried = self.bytes(|flow| flow.sent);
            if alone && carried.measured_value().is_some() {
                // The only request of its connection: what the connection sent is the whole request.
                request.request_bytes = carried;
            }
            requests.push(request);
        }
        requests
    }

    /// The connection as one request: TLS, a tunnel through a proxy, or a protocol we do not look into.
    fn whole(
        &self,
        coverage: &Coverage,
        names: &Names,
        two_sided: bool,
        connect: Option<&(Timestamp, HttpTransaction, Provenance)>,
    ) -> Request {
        let mut reply = self.reply(two_sided);
        let tunnelled = connect.filter(|_| self.is_gateway_record()).map(|(_, http, _)| http);
        if let Some(http) = tunnelled {
            reply = gateways::tunnel_reply(http);
        }
        let tunnel_refused = connect.and_then(|(_, http, _)| http.status).is_some_and(|status| status >= 400);
        if connect.is_some() && reply == Reply::Payload {
            // The proxy's own "established" is no reply of the destination.
            reply = if tunnel_refused { Reply::Unknown } else { Reply::Bytes };
        }
        let snapshot = self.flows.iter().all(|(_, flow, _)| flow.phase == RecordPhase::Snapshot)
            && self.tls.as_ref().is_none_or(|(_, tls, _)| tls.phase == RecordPhase::Snapshot);
        let mut seen = SightSet::EMPTY;
        if self.flows.iter().any(|(_, flow, _)| flow.received.measured_value().is_some()) {
            seen.insert(Sight::FlowBytes);
        }
        if reply.is_settled() {
            seen.insert(Sight::FlowReply);
        }
        let teardown = tunnelled.map_or_else(|| self.teardown(), gateways::teardown);
        if teardown != Teardown::Unknown {
            seen.insert(Sight::FlowTeardown);
        }
        if self.tls.is_some() {
            seen.insert(Sight::TlsHandshake);
        }
        Request {
            time: self.start,
            destination: self.destination(coverage, names, connect.map(|(_, http, _)| http)),
            request_bytes: tunnelled.map_or_else(|| self.bytes(|flow| flow.sent), |http| http.request_body),
            response_bytes: tunnelled.map_or_else(|| self.bytes(|flow| flow.received), |http| http.response_body),
            status: None,
            reply,
            pending: snapshot && !reply.is_answer(),
            seen,
            teardown,
            kind: None,
            randomness: None,
            claimed: None,
            resumed: self.tls.as_ref().and_then(|(_, tls, _)| tls.resumed),
            fresh: !self.is_continuation(),
            answered_at: reply.is_answer().then_some(self.end),
            protocol: self.protocol(),
            cites: self.cites(reply),
            joined: self.carriers().chain(self.https.iter().map(|(_, _, provenance)| provenance)).cloned().collect(),
        }
    }

    fn http_request(
        &self,
        time: Timestamp,
        http: &HttpTransaction,
        provenance: &Provenance,
        two_sided: bool,
        first: bool,
    ) -> Request {
        let whole = self.reply(two_sided);
        let reply = match http.status {
            // The proxy asks for a password: the request never got to the service.
            Some(407) if http.proxied => Reply::Unknown,
            // Refused or failed there: likewise.
            Some(_) if gateways::answered_itself(http) => Reply::Unknown,
            Some(100..=199 | 204 | 205 | 304) => Reply::Empty,
            Some(_) if http.response_body.is_measured_zero() => Reply::Empty,
            Some(_) => Reply::Payload,
            // No status: silence only if the whole connection carried nothing back; its bytes prove a reply for none.
            None if whole == Reply::Silent => Reply::Silent,
            None => Reply::Unknown,
        };
        let mut seen = SightSet::EMPTY;
        if reply.is_settled() {
            seen.insert(Sight::HttpResponse);
            seen.insert(Sight::FlowReply);
        }
        seen.insert(Sight::HttpRequest);
        if gateways::teardown(http) != Teardown::Unknown {
            seen.insert(Sight::FlowTeardown);
        }
        if http.response_body.measured_value().is_some() {
            seen.insert(Sight::FlowBytes);
        }
        let address = (!http.proxied).then_some(self.responder.ip());
        let name = match &http.host {
            Some(host) => DestinationName::Known(host.to_ascii_lowercase().into()),
            None => DestinationName::Unknown,
        };
        let part = http.host.as_deref().zip(http.uri.as_deref());
        let part = part.and_then(|(host, uri)| part_of(&host.to_ascii_lowercase(), uri));
        let mut cites = vec![(WitnessKind::Request, provenance.clone())];
        match reply {
            Reply::Silent => cites.push((WitnessKind::Silence, provenance.clone())),
            _ if reply.is_answer() => cites.push((WitnessKind::Answer, provenance.clone())),
            _ => {}
        }
        Request {
            time,
            destination: Destination {
                name,
                part,
                address,
                port: http.port.or((!http.proxied).then_some(self.responder.port())),
                transport: Transport::Tcp,
            },
            request_bytes: http.request_body,
            response_bytes: http.response_body,
            status: http.status,
            reply,
            pending: http.phase == RecordPhase::Snapshot && !reply.is_answer(),
            seen,
            teardown: gateways::teardown(http),
            kind: kind_of(http),
            randomness: http.uri.as_deref().and_then(randomness::of_address),
            claimed: http.user_agent.as_deref().map(user_agents::claimed),
            resumed: None,
            fresh: first,
            answered_at: reply.is_answer().then_some(time.max(self.end.min(time.saturating_add(1_000_000_000)))),
            protocol: self.protocol(),
            cites,
            joined: self.carriers().cloned().collect(),
        }
    }

    /// Whether its responder is a proxy, as the sensor saw by what was asked.
    pub(crate) fn is_proxied(&self) -> bool {
        self.https.iter().any(|(_, http, _)| http.proxied)
    }

    /// The records of the connection itself, whatever was asked on it.
    fn carriers(&self) -> impl Iterator<Item = &Provenance> {
        let tls = self.tls.iter().map(|(_, _, provenance)| provenance);
        self.flows.iter().map(|(_, _, provenance)| provenance).chain(tls)
    }

    fn protocol(&self) -> Option<Arc<str>> {
        if self.transport == Transport::Udp && self.responder.port() == 123 {
            return Some("ntp".into());
        }
        self.services().next().cloned()
    }

    /// Whom the connection went to. Through a proxy it is the name asked for, and the proxy's address is not its.
    fn destination(&self, coverage: &Coverage, names: &Names, connect: Option<&HttpTransaction>) -> Destination {
        let server_name = self.tls.as_ref().and_then(|(_, tls, _)| tls.server_name.clone());
        let asked = connect.and_then(|http| http.host.clone());
        let name = match asked.or(server_name) {
            Some(name) => DestinationName::Known(name.to_ascii_lowercase().into()),
            None => self.name_by_dns(coverage, names),
        };
        let port = match connect {
            Some(http) => http.port,
            None => Some(self.responder.port()),
        };
        let address = connect.is_none().then_some(self.responder.ip());
        Destination { name, address, port, part: None, transport: self.transport }
    }

    /// The name this host's own DNS answers give the address. Without one it is a fact that no name was sent only if DNS
    /// and TLS records of this host are whole, and the beginning of the connection was seen.
    fn name_by_dns(&self, coverage: &Coverage, names: &Names) -> DestinationName {
        // With answers lost, another name may have been told for this address: one candidate of two is not one.
        let answers_lost = coverage.has_loss(Sight::DnsQuery);
        if let Some(name) = names.of_address(self.responder.ip(), self.start).filter(|_| !answers_lost) {
            return DestinationName::Known(name);
        }
        if let Some(mask) = names.mask_of_address(self.responder.ip(), self.start).filter(|_| !answers_lost) {
            return DestinationName::Masked(mask);
        }
        let whole = [Sight::DnsQuery, Sight::TlsHandshake, Sight::HttpResponse];
        let recorded = coverage.shows(Sight::DnsQuery) && whole.into_iter().all(|sight| !coverage.has_loss(sight));
        let tls_unrecorded = self.is_tls() && self.tls.is_none();
        if recorded && !tls_unrecorded && !self.is_continuation() {
            DestinationName::Unnamed
        } else {
            DestinationName::Unknown
        }
    }

    fn cites(&self, reply: Reply) -> Vec<(WitnessKind, Provenance)> {
        let own = self.flows.iter().map(|(_, _, provenance)| provenance);
        let other = self.tls.iter().map(|(_, _, provenance)| provenance);
        let https = self.https.iter().map(|(_, _, provenance)| provenance);
        let Some(provenance) = own.chain(https).chain(other).min() else { return Vec::new() };
        let mut cites = vec![(WitnessKind::Request, provenance.clone())];
        match reply {
            Reply::Silent => cites.push((WitnessKind::Silence, provenance.clone())),
            _ if reply.is_answer() => cites.push((WitnessKind::Answer, provenance.clone())),
            _ => {}
        }
        cites
    }
}

/// What an HTTP request asks for, whatever its query says.
fn kind_of(http: &HttpTransaction) -> Option<u32> {
    let (method, uri) = (http.method.as_deref()?, http.uri.as_deref()?);
    let path = uri.split(['?', '#', ';']).next().unwrap_or(uri);
    let hash = Sha256::of(format!("{method} {path}").as_bytes());
    Some(hash.as_bytes().iter().take(4).fold(0, |kind, byte| kind << 8 | u32::from(*byte)).max(1))
}

/// Whether two rows are the same row of the same flow.
fn same_flow(time: Timestamp, known: &Flow, other_time: Timestamp, other: &Flow) -> bool {
    known.uid.is_some() && known.uid == other.uid && time == other_time
}

/// The service a destination belongs to.
pub(crate) fn service_of(destination: &Destination) -> Service {
    match (&destination.name, destination.address) {
        (DestinationName::Known(name), _) => Service::from_host_and_part(name, destination.part.as_ref()),
        // The same name for every process of this host, whatever its address.
        (DestinationName::Masked(mask), _) if mask.starts_with(HOST_MASK) => Service::Masked(mask.clone()),
        (_, Some(address)) => Service::Address(address),
        (DestinationName::Masked(hash), None) => Service::Masked(hash.clone()),
        (_, None) => Service::Unknown,
    }
}
