//! Findings: a judged channel as it is handed to people and machines.

use crate::{
    absence::Subject,
    disposition,
    identity::file_name,
    judge::{Answer, Context},
    layers,
    settings::{self, Weights},
    weigh,
};
use monologue_model::{
    Application, ApplicationKey, AttackReference, BlindSpot, ByteCount, ByteLayer, Channel, Cite, DestinationSummary,
    Disposition, FailedCheck, Finding, Handling, Judgement, LargestBytes, Layer, Reply, Row, SCHEMA, Service, Sight,
    SignalOutcome, SignatureState, TimelineKind, TimelinePoint, Witness,
};
use std::sync::Arc;

/// What stands for a destination of which nobody recorded anything.
const UNNAMED: &str = "unknown";

/// A duration for the reader: `45.0 s`, `5.0 min`, `1.0 h`.
pub(crate) fn duration(nanoseconds: i64) -> String {
    let seconds = nanoseconds as f64 / 1e9;
    if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else if seconds < 7200.0 {
        format!("{:.1} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

/// Builds the finding of one channel from what its signals said.
pub(crate) fn build(subject: &Subject<'_>, context: &Context<'_>, answers: &[Answer]) -> Finding {
    let channel = subject.channel;
    let disposition = disposition::decide(subject);
    let leaning = (!disposition.is_definite()).then(|| disposition::lean(subject)).flatten();
    let weights = &context.settings.weights;
    let score = weigh::score(weigh::sum(answers, weights));
    let attributed = !channel.key.application.is_unknown();
    let (level, level_reason) = weigh::level(score, disposition, attributed, answers, context);
    let application = application_of(channel);
    let destination = destination_of(channel);
    let mut blind = blind_spots(subject, disposition, leaning);
    if !disposition.is_definite() && blind.is_empty() && context.code.is_none() {
        blind.push(unread_code(subject));
    }
    let layers = layers::views(subject, context);
    let contradictions = layers::contradictions(&layers);
    let mut finding = Finding {
        schema: SCHEMA,
        id: channel.key.id(),
        supersedes: Vec::new(),
        host: channel.key.host.clone(),
        user: channel.attributes.user_ids.commonest().map(|user| format!("uid {user}").into()),
        confidence: layers::confidence(subject, disposition, &layers, &contradictions),
        layers,
        contradictions,
        sentence: String::new(),
        readings: disposition::readings(disposition),
        application,
        destination,
        disposition,
        leaning,
        level,
        level_reason,
        score,
        first_time: channel.first_time,
        last_time: channel.last_time,
        exchanges: channel.counters.exchanges,
        largest: largest(channel),
        signals: signals(subject, answers, weights),
        blind,
        approval: None,
        drift: None,
        period_seconds: None,
        related: Vec::new(),
        prevalence: context.prevalence,
        attack: AttackReference::of(disposition),
        triage: Vec::new(),
        timeline: timeline(channel),
    };
    finding.sentence = sentence(subject, &finding);
    finding
}

fn application_of(channel: &Channel) -> Application {
    let attributes = &channel.attributes;
    let path = attributes.paths.commonest().cloned();
    let (signing_id, team_id) = match &channel.key.application {
        ApplicationKey::Signed { team, signing_id, .. } => (Some(signing_id.clone()), team.clone()),
        _ => (attributes.signing_ids.commonest().cloned(), attributes.team_ids.commonest().cloned()),
    };
    let bundle = match &channel.key.application {
        ApplicationKey::Path { path, .. } => path.strip_prefix("bundle:").map(Arc::from),
        _ => None,
    };
    let owner = attributes.socket_owners.commonest().cloned();
    // The delegate's path is not the application's.
    let path = path.filter(|path| owner.as_ref() != Some(path) || !channel.key.application.is_unknown());
    let name =
        bundle.or_else(|| path.as_deref().map(|path| file_name(path).into())).unwrap_or_else(|| "unknown".into());
    Application {
        name,
        agent: channel.key.application.agent().cloned(),
        socket_owner: owner,
        signing_id,
        team_id,
        cdhash: attributes.cdhashes.commonest().cloned(),
        signature: attributes
            .signatures
            .iter()
            .map(|(state, _)| *state)
            .filter(|state| *state != SignatureState::Unknown)
            .min()
            .unwrap_or_default(),
        lineage: attributes.lineages.commonest().cloned(),
        path,
    }
}

fn destination_of(channel: &Channel) -> DestinationSummary {
    let attributes = &channel.attributes;
    let service: Arc<str> = channel.key.service.to_string().into();
    DestinationSummary {
        host: attributes.names.commonest().cloned().unwrap_or_else(|| match channel.key.service {
            Service::Unknown => UNNAMED.into(),
            _ => service.clone(),
        }),
        hosts: attributes.names.iter().map(|(name, _)| name.clone()).collect(),
        service,
        ips: attributes.addresses.iter().map(|(address, _)| *address).collect(),
        ports: attributes.ports.iter().map(|(port, _)| *port).collect(),
    }
}

fn largest(channel: &Channel) -> LargestBytes {
    let count = |extent: monologue_model::Extent| match extent.greatest {
        Some(value) if extent.seen == channel.counters.exchanges => ByteCount::measured(value, ByteLayer::Payload),
        Some(value) => ByteCount::partial(value, ByteLayer::Payload),
        None => ByteCount::absent(ByteLayer::Payload),
    };
    LargestBytes { request: count(channel.counters.request_bytes), response: count(channel.counters.response_bytes) }
}

fn signals(subject: &Subject<'_>, answers: &[Answer], weights: &Weights) -> Vec<SignalOutcome> {
    let exchanges = subject.channel.counters.exchanges;
    let mut outcomes = vec![SignalOutcome {
        id: "prior",
        judgement: "prior",
        weight: weights.prior,
        why: weights.prior_reason.clone(),
        seen: exchanges,
        of: exchanges,
        cites: Vec::new(),
    }];
    for answer in answers {
        let (judgement, why, seen, of) = match &answer.judgement {
            Judgement::Supports { why, .. } => ("supports", why.clone(), exchanges, exchanges),
            Judgement::Refutes { why, .. } => ("refutes", why.clone(), exchanges, exchanges),
            Judgement::Silent => ("silent", String::new(), exchanges, exchanges),
            Judgement::Blind { seen, of, sight } => {
                let why = if answer.signal.compares_past() {
                    format!("{sight} was watched for {seen} of {of} hours before the first request")
                } else if answer.signal.compares_services() {
                    format!("it is known of {seen} of {of} hosts which services they ask")
                } else {
                    format!("{sight} was seen for {seen} of {of}")
                };
                ("blind", why, *seen, *of)
            }
        };
        let speaks = matches!(answer.judgement, Judgement::Supports { .. } | Judgement::Refutes { .. });
        let kinds = if speaks { answer.signal.cites() } else { &[] };
        let mut cites: Vec<Cite> = Vec::new();
        // One record can be the witness of several things, such as of a request and of its silence.
        for cite in kinds.iter().flat_map(|kind| subject.channel.witnesses.of(*kind)).map(cite) {
            if !cites.contains(&cite) {
                cites.push(cite);
            }
        }
        let weight = weigh::weight(&answer.judgement);
        outcomes.push(SignalOutcome { id: answer.signal.id().0, judgement, weight, why, seen, of, cites });
    }
    outcomes.extend(weigh::excess(answers, weights).into_iter().map(|(layer, sum, over)| SignalOutcome {
        id: cap_name(layer),
        judgement: "cap",
        weight: -over,
        why: format!(
            "what supports in this layer comes to {sum} and counts {} at most: it looks at the same facts",
            sum - over
        ),
        seen: exchanges,
        of: exchanges,
        cites: Vec::new(),
    }));
    outcomes
}

/// The name under which a layer's cap stands among the signals, so that the sum can be checked by hand.
const fn cap_name(layer: Layer) -> &'static str {
    match layer {
        Layer::Code => "cap.code",
        Layer::Api => "cap.api",
        Layer::Wire => "cap.wire",
        Layer::Effect => "cap.effect",
        Layer::Time => "cap.time",
        Layer::Identity => "cap.identity",
        Layer::Destination => "cap.destination",
        Layer::Request => "cap.request",
    }
}

fn cite(witness: &Witness) -> Cite {
    Cite { provenance: witness.provenance.clone(), note: witness.note.clone() }
}

/// What was not visible and would matter, the one that would settle most first.
fn blind_spots(subject: &Subject<'_>, disposition: Disposition, leaning: Option<Disposition>) -> Vec<BlindSpot> {
    if disposition.is_definite() {
        return Vec::new();
    }
    let answered = subject.channel.counters.reply.answered() > 0;
    let mut wanted: Vec<(Sight, &str)> = Vec::new();
    if !answered || leaning == Some(Disposition::NoReply) {
        wanted.push((Sight::FlowReply, "whether anything came back to every request"));
    }
    if answered {
        wanted.push((Sight::FileEffect, "whether anything followed the replies"));
    }
    wanted.push((Sight::TaskLifecycle, "whether the program waited for its responses"));
    wanted.push((Sight::ProcessExec, "which application it was"));
    let mut spots: Vec<BlindSpot> = Vec::new();
    for (sight, consequence) in wanted {
        let (seen, of) = match sight {
            Sight::ProcessExec => (subject.channel.counters.seen_by(sight), subject.channel.counters.exchanges),
            _ => match subject.every(sight) {
                Ok(()) => continue,
                Err(blind) => (blind.seen, blind.of),
            },
        };
        if seen < of || of == 0 {
            let collect = if subject.missing > 0 && subject.possible.seen_by(sight) >= subject.possible.reply_due() {
                format!("records of this host were lost ({} at least): collect without loss", subject.missing)
            } else {
                sight.how_to_collect().to_owned()
            };
            let consequence = match failed_check(subject).filter(|_| sight == Sight::TaskLifecycle) {
                Some(check) => format!("{consequence} (the log {})", check.words()),
                None => consequence.to_owned(),
            };
            spots.push(BlindSpot { sight, seen, of, consequence, collect });
        }
    }
    spots
}

/// Everything else was seen and does not settle it: what the program does with a reply in memory, only its code shows.
fn unread_code(subject: &Subject<'_>) -> BlindSpot {
    BlindSpot {
        sight: Sight::CodeProfile,
        seen: 0,
        of: subject.channel.counters.exchanges,
        consequence: "whether the program has a path that uses a response at all".to_owned(),
        collect: Sight::CodeProfile.how_to_collect().to_owned(),
    }
}

/// The check that most often kept a request without a response from being called unanswered.
fn failed_check(subject: &Subject<'_>) -> Option<FailedCheck> {
    let count = |check: &FailedCheck| subject.channel.counters.failed_checks.of(*check);
    FailedCheck::ALL.into_iter().filter(|check| count(check) > 0).max_by_key(count)
}

fn timeline(channel: &Channel) -> Vec<TimelinePoint> {
    let total = channel.rows().count();
    let step = total.div_ceil(settings::TIMELINE_POINTS).max(1);
    channel.rows().step_by(step).map(point).collect()
}

fn point(row: &Row) -> TimelinePoint {
    let kind = if row.effects > 0 {
        TimelineKind::ActedOn
    } else if row.handling.is_abandoned() {
        TimelineKind::Abandoned
    } else {
        match row.reply {
            Reply::Silent => TimelineKind::Silent,
            Reply::Unknown => TimelineKind::Unseen,
            Reply::HandshakeOnly => TimelineKind::Handshake,
            Reply::Bytes | Reply::Empty | Reply::Payload => TimelineKind::Answered,
        }
    };
    let known = |bytes: u32| (bytes != u32::MAX).then_some(bytes);
    TimelinePoint {
        time: row.time,
        kind,
        request_bytes: known(row.request_bytes),
        response_bytes: known(row.response_bytes),
        status: (row.status > 0).then_some(row.status),
    }
}

/// The destination as it stands in a sentence.
pub(crate) fn in_words(destination: &DestinationSummary) -> &str {
    if is_named(destination) { &destination.host } else { "a destination that no record names" }
}

/// Whether any record names the destination.
pub(crate) fn is_named(destination: &DestinationSummary) -> bool {
    &*destination.host != UNNAMED || !destination.hosts.is_empty()
}

/// The sentence a person would write.
fn sentence(subject: &Subject<'_>, finding: &Finding) -> String {
    let counters = &subject.channel.counters;
    let who = match (&*finding.application.name, &finding.application.agent, &finding.application.socket_owner) {
        ("unknown", _, Some(owner)) => format!("{} on behalf of an unknown application", file_name(owner)),
        ("unknown", _, None) => "an unknown application".to_owned(),
        (name, Some(agent), _) => format!("{name} (for {agent})"),
        (name, None, _) => name.to_owned(),
    };
    let count = counters.exchanges;
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let asked = format!("{who} on {} asked {} {times}", finding.host, in_words(&finding.destination));
    let answered = counters.reply.answered();
    match finding.disposition {
        Disposition::NoReply => format!("{asked}, and nothing came back."),
        Disposition::ReplyUnhandled if counters.handling.abandoned() > 0 => {
            format!("{asked}, and gave up every response itself before it was read.")
        }
        Disposition::ReplyUnhandled => format!("{asked}; replies came, and nothing used them."),
        Disposition::PullOnly => format!("{asked}, acted on what came back, and sent nothing back over this service."),
        Disposition::TwoWay => format!("{asked}, acted on what came back, and sent results back."),
        Disposition::Unknown => {
            let were = |number: u64, what: &str| match (number, count) {
                (1, 1) => format!("it was {what}"),
                (1, _) => format!("1 was {what}"),
                _ => format!("{number} were {what}"),
            };
            let seen = if answered > 0 {
                were(answered, "answered")
            } else if counters.reply.of(Reply::Silent) > 0 {
                were(counters.reply.of(Reply::Silent), "silent")
            } else if counters.reply.of(Reply::HandshakeOnly) > 0 {
                format!("{} got no further than the TLS handshake", counters.reply.of(Reply::HandshakeOnly))
            } else if counters.handling.of(Handling::NeverSent) == count {
                "none got as far as being sent".to_owned()
            } else {
                "no reply was recorded, which does not mean that there was none".to_owned()
            };
            format!("{asked}; {seen}. What became of the responses was not seen.")
        }
    }
}
