//! Flows as a network sensor saw them: rows of one connection brought together, then one exchange for each request.

use super::{
    ends::is_exchange,
    gateways,
    names::{HOST_MASK, Names},
    pieces::{self, SensorNames, Spent, TwoSided},
    rows::{FlowRow, same_row, total, views},
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
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

/// One connection with all rows that speak of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Connection {
    pub(crate) originator: SocketAddr,
    pub(crate) responder: SocketAddr,
    pub(crate) transport: Transport,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) format: Arc<str>,
    /// The sensor that spoke of it first.
    sensor: Arc<str>,
    flows: Vec<FlowRow>,
    https: Vec<(Timestamp, HttpTransaction, Provenance)>,
    tls: Option<(Timestamp, TlsHandshake, Provenance)>,
    /// Records of it by a second sensor that add nothing but their witness.
    also: Vec<Provenance>,
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

/// All connections of one host, from events ordered by time: those still held from before, and what `events` say. Records
/// that stand in two files are taken once.
pub(crate) fn gather(held: Vec<Connection>, spent: &[Spent], events: &[Event]) -> Vec<Connection> {
    let mut connections = held;
    let mut by_tie: BTreeMap<Tie, usize> = BTreeMap::new();
    let mut sensors = SensorNames::default();
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
        let sensor = sensors.of(event);
        if at == connections.len() {
            connections.push(Connection {
                originator,
                responder,
                transport,
                start: event.time,
                end: event.time,
                format: event.format.clone(),
                sensor: sensor.clone(),
                flows: Vec::new(),
                https: Vec::new(),
                tls: None,
                also: Vec::new(),
            });
        }
        if let Some(connection) = connections.get_mut(at) {
            connection.add(event, sensor);
        }
    }
    connections.sort_by_cached_key(Connection::order);
    pieces::join(pieces::unite(connections), spent)
}

impl Connection {
    fn add(&mut self, event: &Event, sensor: Arc<str>) {
        self.start = self.start.min(event.time);
        self.end = self.end.max(event.time);
        let provenance = event.provenance.clone();
        match &event.detail {
            Detail::Flow(flow) => {
                self.transport = flow.transport;
                self.format = event.format.clone();
                self.end = self.end.max(event.time.saturating_add(flow.duration_ns.unwrap_or(0).max(0)));
                let new = FlowRow { time: event.time, flow: (**flow).clone(), provenance, sensor };
                match self.flows.iter_mut().find(|known| same_row(known, &new)) {
                    // A look at the open flow gives way to its end; a second copy of a row to the first.
                    Some(known) if known.flow.phase != RecordPhase::End => *known = new,
                    Some(_) => {}
                    None => self.flows.push(new),
                }
            }
            Detail::Http(http) => {
                let apart_ns = if self.sensors().len() > 1 { pieces::SENSORS_APART_NS } else { 0 };
                let known = self.https.iter_mut().find(|(time, known, _)| {
                    (known.depth, &known.host, &known.uri) == (http.depth, &http.host, &http.uri)
                        && time.since(event.time).abs() <= apart_ns
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

    pub(super) fn absorb(&mut self, other: Self) {
        self.end = self.end.max(other.end);
        self.flows.extend(other.flows);
        self.https.extend(other.https);
        self.tls = self.tls.take().or(other.tls);
        self.also.extend(other.also);
    }

    /// Takes in what another sensor saw of the same connection. What both tell of requests and of TLS is taken once.
    pub(super) fn see_also(&mut self, mut other: Self) {
        if !self.https.is_empty() {
            self.also.extend(std::mem::take(&mut other.https).into_iter().map(|(_, _, provenance)| provenance));
        }
        if self.tls.is_some() {
            self.also.extend(other.tls.take().map(|(_, _, provenance)| provenance));
        }
        self.absorb(other);
    }

    /// The sensors that speak of it.
    pub(super) fn sensors(&self) -> BTreeSet<&Arc<str>> {
        self.flows.iter().map(|row| &row.sensor).chain([&self.sensor]).collect()
    }

    /// How much is told of it, to be compared: requests, then TLS, then its rows.
    pub(super) fn detail(&self) -> (bool, bool, Option<(bool, bool, bool)>) {
        (!self.https.is_empty(), self.tls.is_some(), self.flows.iter().map(FlowRow::detail).max())
    }

    fn ties(&self) -> impl Iterator<Item = Tie> {
        let flows = self.flows.iter().map(|row| &row.flow);
        let flows = flows.map(|flow| Tie::new(&flow.uid, flow.originator, flow.responder, flow.transport));
        let https = self.https.iter().map(|(_, http, provenance)| Tie::of_http(http, provenance));
        let tls = self.tls.iter().map(|(_, tls, _)| Tie::new(&tls.uid, tls.originator, tls.responder, Transport::Tcp));
        flows.chain(https).chain(tls)
    }

    /// By time; of equals, by what does not depend on the order in which records came.
    fn order(&self) -> (Timestamp, SocketAddr, SocketAddr, Option<Tie>) {
        (self.start, self.originator, self.responder, self.ties().min())
    }

    /// When nothing more is expected of it. `None`: more may come: it was seen open only, it may go on and has shown no
    /// answer yet, or the sensor has not yet been shown to see both sides.
    pub(crate) fn settles_at(&self, two_sided: &TwoSided) -> Option<Timestamp> {
        let reply = self.reply(two_sided);
        let open = self.flows.iter().all(|row| row.flow.phase == RecordPhase::Snapshot) && !self.flows.is_empty();
        let may_answer = !reply.is_answer()
            && !self.is_attempt()
            && !self.is_closed()
            && !self.is_gateway_record()
            && self.transport == Transport::Tcp;
        let one_sided = reply == Reply::Unknown
            && self
                .flows
                .iter()
                .any(|row| row.flow.reply == FlowReply::NothingIfTwoSided && !two_sided.holds(&row.sensor));
        (!open && !may_answer && !one_sided).then(|| self.end.saturating_add(settings::SETTLE_NS))
    }

    /// A sensor saw it refused, reset or closed: no row continues it. (Zeek `conn_state`; others give none.)
    fn is_closed(&self) -> bool {
        self.flows.iter().any(|FlowRow { flow, .. }| {
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
    pub(super) fn is_gateway_record(&self) -> bool {
        self.flows.is_empty() && self.https.iter().all(|(_, http, _)| http.gateway.is_some())
    }

    /// Who ended it, as the last row says of the sensor that tells most and knows. That it was never opened is said only
    /// where every sensor says so: one that saw it open is witness enough.
    fn teardown(&self) -> Teardown {
        let last = |rows: &Vec<&FlowRow>| rows.last().map_or(Teardown::Unknown, |row| teardown::of_flow(&row.flow));
        let told: Vec<Teardown> = views(&self.flows).iter().map(last).collect();
        let opened = told.iter().find(|told| !matches!(told, Teardown::Unknown | Teardown::NeverOpened));
        match opened {
            Some(teardown) => *teardown,
            None if !told.is_empty() && told.iter().all(|told| *told == Teardown::NeverOpened) => Teardown::NeverOpened,
            None => Teardown::Unknown,
        }
    }

    pub(super) fn is_continuation(&self) -> bool {
        !self.flows.is_empty() && self.flows.iter().all(|row| row.flow.continuation)
    }

    pub(super) fn is_attempt(&self) -> bool {
        !self.flows.is_empty() && self.flows.iter().all(|row| row.flow.unanswered_attempt)
    }

    fn services(&self) -> impl Iterator<Item = &Arc<str>> {
        self.flows.iter().flat_map(|row| row.flow.services.iter())
    }

    /// The sensors that show by it that they see the other side of this host's traffic.
    pub(super) fn shows_responder(&self) -> impl Iterator<Item = &Arc<str>> {
        let showing =
            self.flows.iter().filter(|row| matches!(row.flow.reply, FlowReply::Payload | FlowReply::NoPayload));
        showing.map(|row| &row.sensor)
    }

    /// Whether TLS ran on it, as far as anything says.
    fn is_tls(&self) -> bool {
        self.tls.is_some() || self.services().any(|service| matches!(&**service, "ssl" | "tls" | "quic"))
    }

    /// What came back on the whole connection.
    pub(crate) fn reply(&self, two_sided: &TwoSided) -> Reply {
        self.told(two_sided).0
    }

    /// What came back, and a row of the sensor that shows it. One that saw an answer proves it; that nothing came is said
    /// by one that saw all of it, where none saw anything.
    fn told(&self, two_sided: &TwoSided) -> (Reply, Option<&Provenance>) {
        let seen = views(&self.flows)
            .into_iter()
            .rev()
            .map(|rows| (self.reply_of(&rows, two_sided), rows.iter().map(|row| &row.provenance).min()));
        // Of the two that are no answer, silence says more; of equals, the last is of the sensor that tells most.
        seen.max_by_key(|(reply, _)| (reply.is_answer(), *reply == Reply::Silent, *reply))
            .unwrap_or((Reply::Unknown, None))
    }

    /// What came back, as the rows of one sensor say.
    fn reply_of(&self, rows: &[&FlowRow], two_sided: &TwoSided) -> Reply {
        let mut reply = Reply::Unknown;
        let mut silent = !rows.is_empty() && !rows.iter().all(|row| row.flow.continuation);
        for row in rows {
            match row.flow.reply {
                FlowReply::Payload => reply = reply.max(self.payload_reply()),
                FlowReply::NoPayload => {}
                FlowReply::NothingIfTwoSided => silent &= two_sided.holds(&row.sensor),
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

    /// Bytes as one sensor counted them, never added up over several.
    fn bytes(&self, pick: impl Fn(&Flow) -> ByteCount) -> ByteCount {
        let counted = views(&self.flows).into_iter().map(|rows| {
            let counts: Vec<ByteCount> = rows.iter().map(|row| pick(&row.flow)).collect();
            total(&counts)
        });
        let counted: Vec<ByteCount> = counted.collect();
        let whole = counted.iter().find(|count| count.measured_value().is_some());
        whole.or(counted.first()).copied().unwrap_or_else(|| ByteCount::absent(ByteLayer::Payload))
    }

    /// The requests made on this connection. Empty: it is no exchange (DNS, DHCP, multicast, ICMP).
    pub(crate) fn requests(&self, coverage: &Coverage, names: &Names, two_sided: &TwoSided) -> Vec<Request> {
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
        two_sided: &TwoSided,
        connect: Option<&(Timestamp, HttpTransaction, Provenance)>,
    ) -> Request {
        let (mut reply, shown_by) = self.told(two_sided);
        let tunnelled = connect.filter(|_| self.is_gateway_record()).map(|(_, http, _)| http);
        if let Some(http) = tunnelled {
            reply = gateways::tunnel_reply(http);
        }
        let tunnel_refused = connect.and_then(|(_, http, _)| http.status).is_some_and(|status| status >= 400);
        if connect.is_some() && reply == Reply::Payload {
            // The proxy's own "established" is no reply of the destination.
            reply = if tunnel_refused { Reply::Unknown } else { Reply::Bytes };
        }
        let snapshot = self.flows.iter().all(|row| row.flow.phase == RecordPhase::Snapshot)
            && self.tls.as_ref().is_none_or(|(_, tls, _)| tls.phase == RecordPhase::Snapshot);
        let mut seen = SightSet::EMPTY;
        if self.flows.iter().any(|row| row.flow.received.measured_value().is_some()) {
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
            cites: self.cites(reply, shown_by),
            joined: self.carriers().chain(self.https.iter().map(|(_, _, provenance)| provenance)).cloned().collect(),
        }
    }

    fn http_request(
        &self,
        time: Timestamp,
        http: &HttpTransaction,
        provenance: &Provenance,
        two_sided: &TwoSided,
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
        self.flows.iter().map(|row| &row.provenance).chain(tls).chain(&self.also)
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

    fn cites(&self, reply: Reply, shown_by: Option<&Provenance>) -> Vec<(WitnessKind, Provenance)> {
        let own = self.flows.iter().map(|row| &row.provenance);
        let other = self.tls.iter().map(|(_, _, provenance)| provenance);
        let https = self.https.iter().map(|(_, _, provenance)| provenance);
        let Some(provenance) = own.chain(https).chain(other).min() else { return Vec::new() };
        let mut cites = vec![(WitnessKind::Request, provenance.clone())];
        let shown_by = shown_by.unwrap_or(provenance);
        match reply {
            Reply::Silent => cites.push((WitnessKind::Silence, shown_by.clone())),
            _ if reply.is_answer() => cites.push((WitnessKind::Answer, shown_by.clone())),
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
