//! What a finished flow says: the flow itself, its process, its requests, its TLS handshake and its lookups.

use super::{
    conversation::{Place, Side},
    flow::{Flow, Owner},
    http::HttpExchange,
    lookups::Lookup,
    tls::Tls,
};
use crate::{Item, history::Facts, target::Target};
use monologue_model::{
    ByteCount, ByteLayer, ConnectionFact, Detail, DnsQuery, Endpoint, Event, FlowReply, HttpTransaction,
    NetworkConnection, ProcessImage, Provenance, RecordPhase, Sha256, Timestamp, TlsHandshake, Transport, redact,
};
use std::sync::Arc;

/// Connection numbers lie above those that programs count themselves, and fit a double.
const NUMBER_BASE: u64 = 1 << 52;

/// Turns flows into records.
pub(super) struct Recorder {
    pub(super) format: Arc<str>,
}

/// What identifies a flow in all captures: its first packet's bytes and place, not the name of the file.
struct Identity {
    uid: Arc<str>,
    /// Stands for the connection's number within its process.
    number: u64,
}

impl Identity {
    fn of(first: &Provenance) -> Self {
        let mut bytes = first.sha256.as_bytes().to_vec();
        bytes.extend_from_slice(&first.offset.to_be_bytes());
        let hash = Sha256::of(&bytes);
        let number = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self {
            uid: format!("P{}", hash.to_string().get(..16).unwrap_or_default()).into(),
            number: NUMBER_BASE | number & (NUMBER_BASE - 1),
        }
    }
}

impl Recorder {
    fn event(&self, time: Timestamp, provenance: Provenance, detail: Detail) -> Box<Event> {
        Box::new(Event { time, host: None, format: self.format.clone(), provenance, detail })
    }

    /// The records of a flow, the flow itself first. `open`: it may go on after the end of the capture.
    pub(super) fn records(&self, mut flow: Flow, open: bool) -> Vec<Item> {
        let identity = Identity::of(&flow.first);
        let row = self.flow(&flow, &identity, open);
        let mut items = Vec::new();
        for fact in self.connection(&flow, &row, &identity) {
            items.push(Item::Derived(Box::new(fact)));
        }
        for exchange in flow.conversation.take_http() {
            let place = exchange.place.clone();
            let detail = Detail::Http(Box::new(http(exchange, &flow, &identity, open)));
            items.push(Item::Derived(self.event(place.time, place.provenance, detail)));
        }
        if let Some(tls) = flow.conversation.tls()
            && let Some(Place { time, provenance }) = &tls.place
        {
            let detail = Detail::Tls(Box::new(handshake(tls, &flow, &identity, open)));
            items.push(Item::Derived(self.event(*time, provenance.clone(), detail)));
        }
        let owner = match &flow.client.owner {
            Owner::One { owner, effective } => asker(owner, effective.as_ref()),
            _ => None,
        };
        for lookup in std::mem::take(&mut flow.lookups.done) {
            let place = lookup.place.clone();
            let detail = Detail::Dns(Box::new(query(lookup, &flow, owner.clone())));
            items.push(Item::Derived(self.event(place.time, place.provenance, detail)));
        }
        let event = self.event(flow.start, flow.first, Detail::Flow(Box::new(row)));
        items.insert(0, Item::Event(event));
        items
    }

    fn flow(&self, flow: &Flow, identity: &Identity, open: bool) -> monologue_model::Flow {
        let state = flow.state();
        let mut history = flow.history.clone();
        if flow.has_gap() || flow.is_inconsistent() {
            history.push('g');
        }
        // Where nothing at all came from the responder, nobody counted its bytes: a silence is the history's to tell.
        let received = (flow.server.packets > 0).then(|| flow.bytes(Side::Responder));
        let facts = Facts { transport: flow.transport, open, state, history: Some(&history), missed: 0, received };
        let services = if flow.lookups.any {
            vec!["dns".into()]
        } else if flow.transport == Transport::Udp && flow.responder.port() == 123 {
            vec!["ntp".into()]
        } else {
            flow.conversation.service().map(Into::into).into_iter().collect()
        };
        let out = matches!(flow.client.owner, Owner::One { .. } | Owner::Several);
        monologue_model::Flow {
            uid: Some(identity.uid.clone()),
            originator: flow.originator,
            responder: flow.responder,
            transport: flow.transport,
            services,
            duration_ns: Some(flow.end.since(flow.start)),
            sent: facts.byte_count(Some(flow.bytes(Side::Originator))),
            received: facts.byte_count(received),
            sent_packets: Some(flow.client.packets),
            received_packets: Some(flow.server.packets),
            reply: facts.reply(),
            continuation: facts.is_continuation(),
            unanswered_attempt: facts.is_attempt(),
            local_originator: out.then_some(true),
            local_responder: matches!(flow.server.owner, Owner::One { .. } | Owner::Several).then_some(true),
            state: Some(state.into()),
            history: Some(history.into()),
            phase: if open { RecordPhase::Snapshot } else { RecordPhase::End },
        }
    }

    /// The connection as its own process would tell it, where the capture names the process that began it.
    fn connection(&self, flow: &Flow, row: &monologue_model::Flow, identity: &Identity) -> Vec<Event> {
        let Owner::One { owner, effective } = &flow.client.owner else { return Vec::new() };
        // A piece of a connection is no new one.
        if !matches!(flow.transport, Transport::Tcp | Transport::Udp) || row.continuation {
            return Vec::new();
        }
        let endpoint =
            Endpoint { address: Some(flow.responder.ip()), port: Some(flow.responder.port()), ..Endpoint::default() };
        // Only a responder that was heard to say nothing is silent: of one that was never heard, nobody counted the bytes.
        let received = match row.reply {
            FlowReply::Payload | FlowReply::NoPayload => row.received,
            FlowReply::NothingIfTwoSided | FlowReply::Unknown => {
                ByteCount::partial(row.received.value.unwrap_or(0), ByteLayer::Payload)
            }
        };
        let started = ConnectionFact::Started {
            endpoint: endpoint.clone(),
            transport: flow.transport,
            tls: flow.conversation.tls().is_some() || flow.transport == Transport::Udp && flow.responder.port() == 443,
        };
        let closed = ConnectionFact::Closed {
            endpoint,
            local: Some(flow.originator),
            duration_ms: u64::try_from(flow.end.since(flow.start) / 1_000_000).ok(),
            received,
            sent: row.sent,
        };
        [(flow.start, started), (flow.end, closed)]
            .into_iter()
            .map(|(time, fact)| {
                let connection = NetworkConnection {
                    process: (**owner).clone(),
                    connection: identity.number,
                    fact,
                    effective_process: effective.as_deref().cloned(),
                };
                *self.event(time, flow.first.clone(), Detail::Connection(Box::new(connection)))
            })
            .collect()
    }
}

/// The process that asked for a name. The system's resolver asks for others: without one it acts for, nobody knows whom.
fn asker(owner: &Arc<ProcessImage>, effective: Option<&Arc<ProcessImage>>) -> Option<ProcessImage> {
    match effective {
        Some(effective) => Some((**effective).clone()),
        None if owner.path.as_deref() == Some("mDNSResponder") => None,
        None => Some((**owner).clone()),
    }
}

fn http(exchange: HttpExchange, flow: &Flow, identity: &Identity, open: bool) -> HttpTransaction {
    let target = Target::of(Some(&exchange.method), Some(&exchange.target), exchange.host.as_deref());
    let body = |body: super::http::Body| {
        if body.whole {
            ByteCount::measured(body.bytes, ByteLayer::Body)
        } else {
            ByteCount::partial(body.bytes, ByteLayer::Body)
        }
    };
    let answered = exchange.status.is_some();
    HttpTransaction {
        uid: Some(identity.uid.clone()),
        originator: flow.originator,
        responder: flow.responder,
        depth: Some(exchange.depth),
        host: target.host,
        port: target.port,
        uri: Some(redact(&exchange.target).as_ref().into()),
        user_agent: exchange.user_agent.as_deref().map(Into::into),
        request_body: body(exchange.request_body),
        response_body: if answered { body(exchange.response_body) } else { ByteCount::absent(ByteLayer::Body) },
        status: exchange.status,
        proxied: target.proxied,
        content_hash: exchange.content_hash().map(Into::into),
        gateway: None,
        phase: if open && !exchange.response_body.whole { RecordPhase::Snapshot } else { RecordPhase::End },
        method: Some(exchange.method.into()),
    }
}

fn handshake(tls: &Tls, flow: &Flow, identity: &Identity, open: bool) -> TlsHandshake {
    TlsHandshake {
        uid: Some(identity.uid.clone()),
        originator: flow.originator,
        responder: flow.responder,
        server_name: tls.hello.as_ref().and_then(|hello| hello.server_name.clone()),
        established: tls.established(flow.heard_out),
        resumed: tls.resumed(),
        last_alert: tls.last_alert(),
        ja4: tls.hello.as_ref().map(|hello| hello.ja4.clone()),
        phase: if open && !tls.is_settled() { RecordPhase::Snapshot } else { RecordPhase::End },
    }
}

fn query(lookup: Lookup, flow: &Flow, process: Option<ProcessImage>) -> DnsQuery {
    DnsQuery {
        process,
        originator: Some(flow.originator),
        resolver: Some(flow.responder),
        name: lookup.asked.name,
        name_hash: None,
        query_type: lookup.asked.query_type,
        answers: lookup.answer.as_ref().map(|answer| answer.answers.clone()).unwrap_or_default(),
        response_code: lookup.answer.map(|answer| answer.response_code),
    }
}
