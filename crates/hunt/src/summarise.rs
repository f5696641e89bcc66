//! Summaries: the exchanges of one host to channels.

use crate::{identity, link::LinkedExchange, link::service_of};
use monologue_model::{
    ByteCount, ByteLayer, Channel, ChannelKey, DEFAULT_ROW_CAP, DestinationName, EffectWindow, Exchange, Reply, Row,
    Sha256, Sight, Witness, WitnessKind,
};
use std::collections::BTreeMap;

/// Gathers exchanges into channels, by key. The result is sorted by key.
pub(crate) fn summarise<'a>(exchanges: impl IntoIterator<Item = &'a LinkedExchange>) -> Vec<Channel> {
    summarise_with_cap(exchanges, DEFAULT_ROW_CAP)
}

/// As [`summarise`], keeping at most `row_cap` rows of each channel.
pub(crate) fn summarise_with_cap<'a>(
    exchanges: impl IntoIterator<Item = &'a LinkedExchange>,
    row_cap: usize,
) -> Vec<Channel> {
    let mut channels: BTreeMap<ChannelKey, Channel> = BTreeMap::new();
    for linked in exchanges {
        let exchange = &linked.exchange;
        let key = key_of(exchange);
        let channel = channels.entry(key.clone()).or_insert_with(|| Channel::new(key, exchange.time, row_cap));
        add(channel, linked);
    }
    channels.values_mut().for_each(Channel::prune);
    channels.into_values().collect()
}

/// The channel an exchange belongs to.
pub(crate) fn key_of(exchange: &Exchange) -> ChannelKey {
    ChannelKey {
        host: exchange.host.clone(),
        application: exchange.application.clone(),
        service: service_of(&exchange.destination),
    }
}

fn add(channel: &mut Channel, linked: &LinkedExchange) {
    let exchange = &linked.exchange;
    count(channel, exchange);
    describe(channel, linked);
    witness(channel, linked);
    channel.push_row(Row {
        time: exchange.time,
        request_bytes: small(exchange.request_bytes),
        response_bytes: small(exchange.response_bytes),
        content_hash: exchange.content_hash.unwrap_or(0),
        seen: exchange.seen,
        request_layer: exchange.request_bytes.measured_value().map(|_| exchange.request_bytes.layer),
        status: exchange.status.unwrap_or(0),
        effects: u16::try_from(exchange.effects.len()).unwrap_or(u16::MAX),
        reply: exchange.reply,
        handling: exchange.handling,
        fresh_connection: exchange.fresh_connection,
        timed: exchange.timed,
        teardown: exchange.teardown,
        request_kind: exchange.request_kind.unwrap_or(0),
        resumed: exchange.tls_resumed,
    });
}

fn count(channel: &mut Channel, exchange: &Exchange) {
    let counters = &mut channel.counters;
    counters.exchanges += 1;
    counters.reply_pending += u64::from(exchange.reply_pending);
    counters.effect_pending += u64::from(exchange.effect_window == EffectWindow::Pending || exchange.reply_pending);
    if !exchange.reply_pending {
        counters.reply.count(exchange.reply);
        counters.teardown.count(exchange.teardown);
        for (count, sight) in counters.seen.iter_mut().zip(Sight::ALL) {
            *count += u64::from(exchange.seen.contains(sight));
        }
    }
    counters.handling.count(exchange.handling);
    exchange.failed_check.into_iter().for_each(|check| counters.failed_checks.count(check));
    if exchange.effect_window == EffectWindow::Seen {
        counters.effects.count(Some(!exchange.effects.is_empty()));
    }
    counters.effects_witnessed += exchange.effects.len() as u64;
    counters.output_discarded.count(exchange.output_discarded);
    counters.process_gone.count(exchange.process_gone);
    // A body's size leaves out the address and the header, which carry as well: it cannot show that nothing went back.
    let whole = exchange.request_bytes.measured_value().filter(|_| exchange.request_bytes.layer != ByteLayer::Body);
    counters.request_bytes.count(whole);
    counters.response_bytes.count(exchange.response_bytes.measured_value());
    counters.status.count(exchange.status.map(u64::from));
    counters.answer.count(answer_signature(exchange));
    counters.fresh_connections += u64::from(exchange.fresh_connection);
    let first_effect = exchange.effects.first().map(|effect| effect.time);
    counters.first_effect = [counters.first_effect, first_effect].into_iter().flatten().min();
}

/// One number for "the same answer again": what came back, its status, measured size and content hash. `None` where
/// nothing came back or its size was not measured.
fn answer_signature(exchange: &Exchange) -> Option<u64> {
    if !exchange.reply.is_answer() && exchange.reply != Reply::HandshakeOnly {
        return None;
    }
    let size = exchange.response_bytes.measured_value()?;
    let text = format!("{} {} {:?}", exchange.status.unwrap_or(0), size, exchange.content_hash);
    Some(Sha256::of(text.as_bytes()).as_bytes().iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn describe(channel: &mut Channel, linked: &LinkedExchange) {
    let exchange = &linked.exchange;
    let attributes = &mut channel.attributes;
    match &exchange.destination.name {
        DestinationName::Known(name) => attributes.names.insert(name.clone()),
        DestinationName::Unknown | DestinationName::Masked(_) => attributes.name_unknown += 1,
        DestinationName::Unnamed => {}
    }
    match exchange.destination.address {
        Some(address) => attributes.addresses.insert(address),
        None => attributes.address_unknown += 1,
    }
    attributes.transports.insert(exchange.destination.transport);
    if let Some(port) = exchange.destination.port {
        attributes.ports.insert(port);
    }
    if let Some(protocol) = &linked.protocol {
        attributes.protocols.insert(protocol.clone());
    }
    exchange.request_randomness.into_iter().for_each(|tenths| attributes.randomness.insert(tenths));
    exchange.claimed_agent.into_iter().for_each(|claimed| attributes.claimed_agents.insert(claimed));
    if let Some(owner) = &exchange.socket_owner {
        attributes.socket_owners.insert(owner.clone());
    }
    match exchange.process.as_ref().and_then(|process| process.path.as_ref()) {
        Some(path) => attributes.paths.insert(identity::without_home(path)),
        None => attributes.path_unknown += 1,
    }
    match exchange.process.as_ref().and_then(|process| process.key.pid) {
        Some(pid) => attributes.pids.insert(pid),
        None => attributes.pid_unknown += 1,
    }
    if let Some(process) = &exchange.process {
        attributes.signatures.insert(process.signature);
        process.cdhash.iter().for_each(|value| attributes.cdhashes.insert(value.clone()));
        process.code_uuid.iter().for_each(|value| attributes.code_uuids.insert(value.clone()));
        process.signing_id.iter().for_each(|value| attributes.signing_ids.insert(value.clone()));
        process.team_id.iter().for_each(|value| attributes.team_ids.insert(value.clone()));
        process.user_id.iter().for_each(|value| attributes.user_ids.insert(*value));
    }
    if let Some(answer) = answer_signature(exchange) {
        attributes.answers.insert(format!("{:08x}/{answer:016x}", exchange.request_kind.unwrap_or(0)).into());
    }
    exchange.agent_signature.iter().for_each(|state| attributes.agent_signatures.insert(*state));
    exchange.links.iter().for_each(|link| attributes.links.insert(link.strength));
    if !exchange.lineage.is_empty() {
        attributes.lineages.insert(exchange.lineage.join(" → ").into());
    }
}

fn witness(channel: &mut Channel, linked: &LinkedExchange) {
    let exchange = &linked.exchange;
    let time = exchange.time;
    for (kind, provenance) in exchange.cites.iter().filter(|(kind, _)| *kind != WitnessKind::Joined) {
        let note = match kind {
            WitnessKind::Effect => effect_note(exchange, provenance),
            _ => "".into(),
        };
        channel.witnesses.insert(*kind, Witness { time, provenance: provenance.clone(), note });
    }
    let identity = exchange.cites.iter().find(|(kind, _)| *kind == WitnessKind::Identity);
    if let (Some(true), Some((_, provenance))) = (exchange.output_discarded, identity) {
        let note = "its output is thrown away".into();
        channel.witnesses.insert(WitnessKind::Discarded, Witness { time, provenance: provenance.clone(), note });
    }
    if let Some(provenance) = &linked.self_removal {
        let note = "the program removed its own file".into();
        channel.witnesses.insert(WitnessKind::SelfRemoval, Witness { time, provenance: provenance.clone(), note });
    }
}

fn effect_note(exchange: &Exchange, provenance: &monologue_model::Provenance) -> std::sync::Arc<str> {
    use monologue_model::EffectKind;
    let Some(effect) = exchange.effects.iter().find(|effect| effect.provenance == *provenance) else {
        return "".into();
    };
    let target = &effect.target;
    match effect.kind {
        EffectKind::Child => format!("started {target}").into(),
        EffectKind::LaunchItem => format!("registered the launch item {target}").into(),
        EffectKind::Connection => format!("contacted {target} for the first time, which no lookup gave it").into(),
        EffectKind::Evaluated => format!("{target} ran the reply as a command").into(),
        EffectKind::File(kind) => format!("{} {target}", file_verb(kind)).into(),
    }
}

const fn file_verb(kind: monologue_model::FileEffectKind) -> &'static str {
    use monologue_model::FileEffectKind as Kind;
    match kind {
        Kind::Create => "created",
        Kind::Write => "wrote",
        Kind::Rename => "renamed",
        Kind::Unlink => "removed",
        Kind::Copy => "copied",
        Kind::Attribute => "set attributes of",
        Kind::Mode => "changed the mode of",
        Kind::MapExecutable => "mapped as code",
    }
}

fn small(count: ByteCount) -> u32 {
    count.value.map_or(u32::MAX, |value| u32::try_from(value).unwrap_or(u32::MAX - 1))
}
