//! Linking: the events of one host to exchanges, each with all that any sensor recorded of its response.
//!
//! A wrong link is worse than none: wherever two candidates fit, neither is taken, and the facts stay with an unknown
//! application, which the absence rule treats as a wildcard.

mod carry;
mod clocks;
mod connections;
mod contacts;
mod delegates;
mod drafts;
mod effects;
mod ends;
mod flows;
mod gateways;
mod join;
mod masks;
mod names;
mod pieces;
mod refused;
mod rows;
mod shells;
mod states;
mod tasks;
mod teardown;
mod tie;
mod watching;

pub(crate) use carry::Carry;
pub(crate) use ends::is_unicast;
pub(crate) use flows::service_of;
pub(crate) use names::HOST_MASK;
pub use refused::RefusedJoins;
pub use states::{TaskState, task_states};

use crate::{
    coverage::Coverage,
    identity, lineage,
    processes::{Found, Instance, Match, ProcessTable},
    settings,
};
use drafts::{Draft, Group, Joined};
use effects::{Aftermath, Deeds};
use monologue_model::{
    ApplicationKey, ByteCount, ByteLayer, Destination, DestinationName, EffectWindow, Event, Exchange, Handling, Link,
    LinkStrength, ProcessImage, ProcessKey, Provenance, Reply, Sight, SightSet, SignatureState, Teardown, Timestamp,
    Transport, WitnessKind,
};
use pieces::TwoSided;
use std::{cell::Cell, sync::Arc};

/// One exchange with what only linking knows of it.
pub(crate) struct LinkedExchange {
    pub(crate) exchange: Exchange,
    /// Application protocol the sensor recognised.
    pub(crate) protocol: Option<Arc<str>>,
    /// The program removed its own file: the record.
    pub(crate) self_removal: Option<Provenance>,
    /// When the reply began to come and was there. `None` without a reply.
    answer: Option<(Timestamp, Timestamp)>,
    /// How far those times may be off the host's clock, in nanoseconds.
    clock_error_ns: i64,
    /// Joins that were refused on the way, because two candidates fitted.
    pub(crate) refused: RefusedJoins,
}

impl LinkedExchange {
    /// By time; of equals, by their first record: the same order however they came.
    pub(crate) fn order(&self) -> (Timestamp, Option<Provenance>) {
        (self.exchange.time, self.exchange.cites.first().map(|(_, provenance)| provenance.clone()))
    }

    /// Adds what followed the reply.
    fn followed_by(&mut self, aftermath: Aftermath) {
        let exchange = &mut self.exchange;
        exchange.effect_window = aftermath.window;
        if aftermath.window == EffectWindow::Seen {
            exchange.seen.insert(Sight::FileEffect);
        }
        exchange.process_gone = aftermath.gone;
        if aftermath.gone.is_some() {
            exchange.seen.insert(Sight::ProcessExit);
        }
        exchange.cites.extend(aftermath.exit.map(|provenance| (WitnessKind::Exit, provenance)));
        exchange.cites.extend(aftermath.effects.iter().map(|effect| (WitnessKind::Effect, effect.provenance.clone())));
        exchange.effects = aftermath.effects;
    }
}

#[cfg(test)]
impl LinkedExchange {
    /// An exchange made by a test.
    pub(crate) fn for_laws(exchange: Exchange) -> Self {
        Self {
            exchange,
            protocol: None,
            self_removal: None,
            answer: None,
            clock_error_ns: 0,
            refused: RefusedJoins::default(),
        }
    }
}

/// Everything about one host that linking looks at.
struct Host<'a> {
    name: Arc<str>,
    coverage: &'a Coverage,
    table: &'a ProcessTable,
    deeds: &'a Deeds,
    names: &'a names::Names,
    masks: &'a masks::Masks,
    two_sided: &'a TwoSided,
    log_shows_responses: bool,
    refused: Cell<RefusedJoins>,
}

/// Links the events of one host that came since, ordered by time, and yields the exchanges that are done with at `horizon`;
/// without one, all that are left: nothing more will come.
pub(crate) fn advance(
    name: &Arc<str>,
    carry: &mut Carry,
    events: &[Event],
    horizon: Option<Timestamp>,
) -> Vec<LinkedExchange> {
    carry.take_in(events);
    // A lookup follows its connection by less than a second: what lies closer to the end is decided in the next hour.
    carry.masks.settle(horizon.map_or(Timestamp::from_nanoseconds(i64::MAX), |end| end.saturating_add(-1_000_000_000)));
    let joined = Joined::new(carry);
    let host = Host {
        name: name.clone(),
        coverage: &carry.coverage,
        table: &carry.table,
        deeds: &carry.deeds,
        names: &carry.names,
        masks: &carry.masks,
        two_sided: &carry.two_sided,
        log_shows_responses: carry.log_shows_responses,
        refused: Cell::default(),
    };
    let drafts = host.drafts(carry, &joined);
    let mut exchanges = match horizon {
        Some(horizon) => carry.hand_on(drafts, &joined, horizon),
        None => drafts.into_iter().map(|draft| draft.linked).collect(),
    };
    exchanges.sort_by_cached_key(LinkedExchange::order);
    exchanges
}

impl Host<'_> {
    /// Every exchange that the parts held make, with what followed its reply.
    fn drafts(&self, carry: &Carry, joined: &Joined) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let mut add = |group: Group, mut linked: LinkedExchange| {
            linked.refused.merge(&self.refused.take());
            drafts.push(Draft { linked, group, root: None, asker: None, aftermath: None });
        };
        let flow_on = |connection: usize| joined.flows.flow_of.get(&connection).and_then(|at| carry.flows.get(*at));
        for (at, task) in carry.tasks.iter().enumerate() {
            let place = joined.tasks.connection_of.get(&at).copied();
            let connection = place.and_then(|place| carry.connections.get(place));
            let sharing = place.map_or(1, |place| joined.tasks.tasks_on.get(&place).copied().unwrap_or(1))
                + connection.map_or(0, |connection| connection.tasks_gone);
            if let Some(mut linked) = self.of_task(task, connection, place.and_then(flow_on), sharing) {
                linked.refused.connections += u64::from(joined.tasks.refused.contains(&at));
                add(joined.group_of_task(at), linked);
            }
        }
        for (at, connection) in carry.connections.iter().enumerate() {
            if !connection.had_tasks && !joined.tasks.tasks_on.contains_key(&at) {
                for mut linked in self.of_connection(connection, flow_on(at)) {
                    linked.refused.flows += u64::from(joined.flows.refused.contains(&at));
                    add(Group::Connection(at), linked);
                }
            }
        }
        // Where the clocks do not fit together, or the host's own connections have not yet shown the sensor's, no command
        // line can tell which flow is its own: a job that runs by the hour fits a clock that is an hour off.
        let callers = if joined.flows.clocks_differ || carry.misses_clock(&joined.flows.pairs) {
            join::Callers::default()
        } else {
            join::Callers::collect(self.table)
        };
        for (at, flow) in carry.flows.iter().enumerate() {
            if !joined.flows.taken.contains(&at) {
                for linked in self.of_flow(flow, &callers, &joined.flows.clock) {
                    add(Group::Flow(at), linked);
                }
            }
        }
        drafts.sort_by_cached_key(|draft| draft.linked.order());
        self.watch_aftermath(&mut drafts, carry);
        drafts
    }

    /// The process that a record of this host's own log means. Refusals are counted.
    fn process_of(&self, image: &ProcessImage, time: Timestamp) -> Option<Match<'_>> {
        match self.table.find(image, time, settings::CLOCK_SLACK_NS) {
            Found::One(found) => Some(found),
            Found::Nobody => None,
            Found::Several => {
                self.refuse(|refused| refused.processes += 1);
                None
            }
        }
    }

    /// When the process that logged this ended, and the record of it.
    fn end_of(&self, image: &ProcessImage, time: Timestamp) -> Option<tasks::End> {
        let Found::One(found) = self.table.find(image, time, settings::CLOCK_SLACK_NS) else { return None };
        Some((found.instance.end?, found.instance.exited.clone()?))
    }

    fn refuse(&self, count: impl FnOnce(&mut RefusedJoins)) {
        let mut refused = self.refused.get();
        count(&mut refused);
        self.refused.set(refused);
    }

    /// An exchange of which nothing is known but who logged it and when.
    fn blank(&self, time: Timestamp, image: Option<&ProcessImage>, format: &Arc<str>) -> Exchange {
        let found = image.and_then(|image| self.process_of(image, time));
        let mut exchange = Exchange {
            time,
            host: self.name.clone(),
            application: ApplicationKey::Unknown,
            process: None,
            agent_signature: None,
            lineage: Vec::new(),
            socket_owner: None,
            destination: Destination {
                name: DestinationName::Unknown,
                address: None,
                port: None,
                part: None,
                transport: Transport::Tcp,
            },
            fresh_connection: false,
            timed: true,
            request_bytes: ByteCount::absent(ByteLayer::Payload),
            response_bytes: ByteCount::absent(ByteLayer::Payload),
            tls_resumed: None,
            request_kind: None,
            request_randomness: None,
            claimed_agent: None,
            status: None,
            content_hash: None,
            reply: Reply::Unknown,
            reply_pending: false,
            handling: Handling::Unknown,
            failed_check: None,
            teardown: Teardown::Unknown,
            seen: SightSet::EMPTY,
            effect_window: EffectWindow::Unseen,
            effects: Vec::new(),
            output_discarded: None,
            process_gone: None,
            links: Vec::new(),
            cites: Vec::new(),
        };
        if let Some(found) = found {
            self.identify(&mut exchange, found, format);
        } else if let Some(image) = image {
            exchange.application = identity::of_image(image);
            exchange.process = Some(image.clone());
        }
        self.undo_delegation(&mut exchange, format);
        exchange
    }

    fn identify(&self, exchange: &mut Exchange, found: Match<'_>, format: &Arc<str>) {
        let Match { instance, strength, candidates } = found;
        exchange.application = identity::of_instance(self.table, instance);
        exchange.process = Some(instance.image.clone());
        exchange.agent_signature = identity::agent_signature(self.table, instance);
        exchange.lineage = lineage::lineage(self.table, instance);
        exchange.links.push(Link { strength, between: (format.clone(), "process".into()), candidates });
        if let Some(provenance) = &instance.started_by {
            exchange.cites.push((WitnessKind::Identity, provenance.clone()));
        }
        if instance.exec.is_some() {
            exchange.seen.insert(Sight::ProcessExec);
        }
        if instance.image.signature != SignatureState::Unknown {
            exchange.seen.insert(Sight::ProcessSignature);
        }
        if instance.arguments().is_some() {
            exchange.seen.insert(Sight::ProcessArguments);
        }
        exchange.output_discarded = shells::discards_output(self.table, instance);
    }

    fn of_task(
        &self,
        task: &tasks::Task,
        connection: Option<&connections::Connection>,
        flow: Option<&flows::Connection>,
        sharing: usize,
    ) -> Option<LinkedExchange> {
        let end = self.end_of(&task.process, task.first);
        let outcome = task.outcome(self.coverage, self.log_shows_responses, end.as_ref())?;
        if outcome.stayed_home && flow.is_none() {
            return None;
        }
        let mut exchange = self.blank(outcome.time, Some(&task.process), &task.format);
        if let Some(bundle) = &task.bundle {
            self.give_to_bundle(&mut exchange, bundle);
        }
        exchange.handling = outcome.handling;
        exchange.failed_check = outcome.failed_check;
        exchange.reply = outcome.reply;
        exchange.reply_pending = outcome.pending;
        exchange.status = outcome.status;
        exchange.request_bytes = outcome.request_bytes;
        exchange.response_bytes = outcome.response_bytes;
        exchange.cites.extend(outcome.cites);
        if outcome.handling != Handling::Unknown {
            exchange.seen.insert(Sight::TaskLifecycle);
        }
        if outcome.reply.is_settled() {
            exchange.seen.insert(Sight::FlowReply);
        }
        if outcome.status.is_some() {
            exchange.seen.insert(Sight::HttpResponse);
        }
        let mut protocol = None;
        if let Some(connection) = connection {
            self.give_to_effective(&mut exchange, connection);
            self.name_from_endpoint(&mut exchange.destination, connection);
            exchange.fresh_connection = connection.start.saturating_add(-1_000_000_000) <= task.last
                && task.first.since(connection.start).abs() <= settings::CLOCK_SLACK_NS;
            exchange.links.push(Link::sure(LinkStrength::Instance, task.format.clone(), connection.format.clone()));
            cite_joined(&mut exchange, connection.records());
        }
        if let (Some(flow), Some(connection)) = (flow, connection) {
            let alone = sharing == 1
                && self.coverage.is_complete(
                    Sight::TaskLifecycle,
                    connection.start,
                    connection.closed.unwrap_or(connection.start),
                );
            protocol = self.add_flow(&mut exchange, flow, alone);
        }
        let answer = outcome.answered_at.map(|end| (outcome.time.min(end), end));
        Some(self.linked(exchange, protocol, answer))
    }

    /// Adds what the wire shows to a request the endpoint logged. Requests that share a connection share its witness: its
    /// bytes prove a reply for none in particular, silence for all only if zero.
    fn add_flow(&self, exchange: &mut Exchange, flow: &flows::Connection, alone: bool) -> Option<Arc<str>> {
        let requests = flow.requests(self.coverage, self.names, self.two_sided);
        let whole = flow.reply(self.two_sided);
        let first = requests.first()?;
        if !matches!(exchange.destination.name, DestinationName::Known(_)) {
            exchange.destination = first.destination.clone();
        } else {
            exchange.destination.address = exchange.destination.address.or(first.destination.address);
            exchange.destination.port = exchange.destination.port.or(first.destination.port);
        }
        match (exchange.reply, whole) {
            (Reply::Unknown, Reply::Silent) => {
                exchange.reply = Reply::Silent;
                exchange.reply_pending = false;
            }
            (Reply::Unknown, answer) if alone && answer.is_settled() => exchange.reply = answer,
            // The log says that nothing came, the wire shows payload outside TLS: one witness of presence is enough.
            (Reply::Silent, Reply::Payload) if alone => exchange.reply = Reply::Payload,
            _ => {}
        }
        if alone {
            exchange.seen = exchange.seen.union(first.seen);
            exchange.status = exchange.status.or(first.status);
            if exchange.request_bytes.value.is_none() {
                exchange.request_bytes = first.request_bytes;
            }
            if exchange.response_bytes.value.is_none() {
                exchange.response_bytes = first.response_bytes;
            }
        }
        if exchange.reply.is_settled() {
            exchange.seen.insert(Sight::FlowReply);
        }
        if exchange.reply == Reply::Silent {
            exchange.cites.extend(first.cites.iter().filter(|(kind, _)| *kind == WitnessKind::Silence).cloned());
        }
        exchange.fresh_connection |= alone && first.fresh;
        if alone {
            exchange.teardown = first.teardown;
            first.describe(exchange);
            exchange.tls_resumed = first.resumed;
        }
        exchange.links.push(Link::sure(LinkStrength::LocalEndpoint, "unified-log".into(), flow.format.clone()));
        exchange.cites.extend(first.cites.iter().filter(|(kind, _)| *kind == WitnessKind::Request).cloned());
        cite_joined(exchange, first.joined.iter());
        first.protocol.clone()
    }

    /// A connection of which no request was logged: not a URLSession client, or its lines are lost.
    fn of_connection(
        &self,
        connection: &connections::Connection,
        flow: Option<&flows::Connection>,
    ) -> Vec<LinkedExchange> {
        let requests = flow.map(|flow| flow.requests(self.coverage, self.names, self.two_sided)).unwrap_or_default();
        if flow.is_some() && requests.is_empty() {
            return Vec::new();
        }
        if connection.endpoint.port.is_some_and(|port| matches!(port, 53 | 853)) {
            return Vec::new();
        }
        if connection.is_foreign_to_exchanges() {
            return Vec::new();
        }
        let mut exchange = self.blank(connection.start, Some(&connection.process), &connection.format);
        self.give_to_effective(&mut exchange, connection);
        self.name_from_endpoint(&mut exchange.destination, connection);
        exchange.destination.transport = connection.transport;
        exchange.fresh_connection = connection.opened;
        exchange.timed = connection.opened;
        exchange.cites.push((WitnessKind::Request, connection.provenance.clone()));
        exchange.request_bytes = connection.sent.unwrap_or(ByteCount::absent(ByteLayer::Payload));
        exchange.response_bytes = connection.received.unwrap_or(ByteCount::absent(ByteLayer::Payload));
        let received = exchange.response_bytes;
        if received.is_positive() {
            exchange.reply = if connection.tls == Some(false) { Reply::Payload } else { Reply::Bytes };
        } else if received.is_measured_zero() && exchange.request_bytes.is_positive() && connection.closed.is_some() {
            // Where nothing was sent either, nothing was asked: opened, or raced against another, and given up.
            exchange.reply = Reply::Silent;
        }
        exchange.reply_pending = connection.closed.is_none() && connection.looked_at.is_none();
        if received.measured_value().is_some() {
            exchange.seen.insert(Sight::FlowBytes);
        }
        if exchange.reply.is_settled() {
            exchange.seen.insert(Sight::FlowReply);
        }
        if let Some(provenance) = &connection.close_provenance {
            let kind = if exchange.reply == Reply::Silent { WitnessKind::Silence } else { WitnessKind::Answer };
            if exchange.reply.is_settled() {
                exchange.cites.push((kind, provenance.clone()));
            }
        } else if connection.looked_at.is_some() && exchange.reply.is_answer() {
            exchange.cites.push((WitnessKind::Answer, connection.provenance.clone()));
        }
        cite_joined(&mut exchange, connection.records());
        let mut protocol = None;
        if let Some(flow) = flow {
            exchange.links.push(Link::sure(
                LinkStrength::LocalEndpoint,
                connection.format.clone(),
                flow.format.clone(),
            ));
            protocol = self.merge_requests(&mut exchange, &requests);
        }
        let end = connection.last();
        let answer = exchange.reply.is_answer().then_some((connection.start, end));
        vec![self.linked(exchange, protocol, answer)]
    }

    fn merge_requests(&self, exchange: &mut Exchange, requests: &[flows::Request]) -> Option<Arc<str>> {
        let first = requests.first()?;
        if !matches!(exchange.destination.name, DestinationName::Known(_)) {
            exchange.destination = first.destination.clone();
        }
        for request in requests {
            exchange.reply = exchange.reply.max(request.reply);
            exchange.seen = exchange.seen.union(request.seen);
            exchange.teardown = request.teardown;
            request.describe(exchange);
            exchange.tls_resumed = request.resumed;
            exchange.status = exchange.status.or(request.status);
            exchange.cites.extend(request.cites.iter().cloned());
            cite_joined(exchange, request.joined.iter());
        }
        exchange.reply_pending &= !exchange.reply.is_settled();
        if exchange.request_bytes.value.is_none() {
            exchange.request_bytes = first.request_bytes;
        }
        if exchange.response_bytes.value.is_none() {
            exchange.response_bytes = first.response_bytes;
        }
        first.protocol.clone()
    }

    /// A flow that no endpoint record claims: attributed if one command line names it, else of an unknown application.
    fn of_flow(
        &self,
        flow: &flows::Connection,
        callers: &join::Callers<'_>,
        clock: &clocks::Clock,
    ) -> Vec<LinkedExchange> {
        let requests = flow.requests(self.coverage, self.names, self.two_sided);
        let skew_ns = clock.at_sensor(flow.start);
        let shift = -skew_ns.unwrap_or(0);
        let mut linked = Vec::with_capacity(requests.len());
        for request in requests {
            let time = request.time.saturating_add(shift);
            let caller = callers.of(&request.destination, time, flow.end.saturating_add(shift), skew_ns.is_some());
            let mut exchange = self.blank(time, None, &flow.format);
            match caller {
                Found::One(found) => self.identify(&mut exchange, found, &flow.format),
                Found::Several => self.refuse(|refused| refused.callers += 1),
                Found::Nobody => {}
            }
            request.describe(&mut exchange);
            exchange.destination = request.destination;
            if let Found::One(found) = caller
                && exchange.destination.part.is_none()
            {
                exchange.destination.part = join::part_asked(found.instance, &exchange.destination);
            }
            exchange.fresh_connection = request.fresh;
            exchange.request_bytes = request.request_bytes;
            exchange.response_bytes = request.response_bytes;
            exchange.status = request.status;
            exchange.reply = request.reply;
            exchange.reply_pending = request.pending;
            exchange.teardown = request.teardown;
            exchange.tls_resumed = request.resumed;
            exchange.seen = exchange.seen.union(request.seen);
            exchange.cites.splice(0..0, request.cites);
            cite_joined(&mut exchange, request.joined.iter());
            let answer = request.answered_at.map(|end| (time, end.saturating_add(shift).max(time)));
            let mut one = self.linked(exchange, request.protocol, answer);
            one.clock_error_ns = clock.error_at_sensor(flow.start);
            linked.push(one);
        }
        linked
    }

    fn linked(
        &self,
        exchange: Exchange,
        protocol: Option<Arc<str>>,
        answer: Option<(Timestamp, Timestamp)>,
    ) -> LinkedExchange {
        let instance = exchange.process.as_ref().and_then(|process| self.instance_of(&process.key));
        let self_removal =
            instance.and_then(|instance| self.deeds.self_removal(instance)).map(|effect| effect.provenance.clone());
        let answer = answer.filter(|_| exchange.reply.is_answer());
        LinkedExchange { exchange, protocol, self_removal, answer, clock_error_ns: 0, refused: RefusedJoins::default() }
    }

    fn instance_of(&self, key: &ProcessKey) -> Option<&Instance> {
        self.table.by_key(key)
    }

    /// The name that the host's own log gives a connection: in clear, else masked alike for all processes of this host, else
    /// masked for this process alone.
    fn name_from_endpoint(&self, destination: &mut Destination, connection: &connections::Connection) {
        let endpoint = &connection.endpoint;
        destination.name = match (&endpoint.name, &endpoint.name_hash) {
            (Some(name), _) => DestinationName::Known(name.to_ascii_lowercase().into()),
            (None, Some(hash)) => self
                .masks
                .name_of(&connection.process, hash)
                .cloned()
                .unwrap_or_else(|| DestinationName::Masked(hash.clone())),
            (None, None) => DestinationName::Unknown,
        };
        if let (DestinationName::Unknown, Some(address), Some(_)) =
            (&destination.name, endpoint.address, connection.looked_at)
            && let Some(name) = self.names.of_address(address, connection.start)
        {
            destination.name = DestinationName::Known(name);
        }
        destination.address = endpoint.address;
        destination.port = endpoint.port;
        destination.transport = connection.transport;
    }
}

/// Cites records that were joined, as far as nothing else cites them.
fn cite_joined<'a>(exchange: &mut Exchange, records: impl Iterator<Item = &'a Provenance>) {
    for record in records {
        if !exchange.cites.iter().any(|(_, known)| known == record) {
            exchange.cites.push((WitnessKind::Joined, record.clone()));
        }
    }
}
