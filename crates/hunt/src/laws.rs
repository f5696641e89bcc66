//! The laws of the engine, on channels small enough to try everything: forgetting, order, merging.

use crate::{
    absence::{self, Subject},
    disposition,
    judge::{self, Context},
    link::LinkedExchange,
    summarise,
};
use monologue_model::{
    ApplicationKey, ByteCount, ByteLayer, Channel, ChannelKey, Destination, DestinationName, Disposition, Effect,
    EffectKind, EffectWindow, Exchange, Handling, Judgement, Needs, ProcessImage, Provenance, Reply, Sha256, Sight,
    SightSet, SignatureState, Teardown, Timestamp, Transport, WitnessKind,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

mod witnesses;

/// What one exchange was, with every fact recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Silent,
    NoResponse,
    CancelledAtHeaders,
    IgnoredAndGone,
    Delivered,
    Collected,
    ActedOn,
    SentBack,
    NoContent,
}

const TRUTHS: [Truth; 9] = [
    Truth::Silent,
    Truth::NoResponse,
    Truth::CancelledAtHeaders,
    Truth::IgnoredAndGone,
    Truth::Delivered,
    Truth::Collected,
    Truth::ActedOn,
    Truth::SentBack,
    Truth::NoContent,
];

/// One fact of an exchange that stays, or the whole record with its time marked as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forget {
    Nothing,
    Reply,
    Handling,
    Aftermath,
    Application,
    Agent,
    Signature,
    Name,
    Address,
    NameAndAddress,
    Path,
    RequestSize,
    ResponseSize,
    Status,
    MessageSize,
    Exit,
    Record,
}

const FORGETTINGS: [Forget; 17] = [
    Forget::Nothing,
    Forget::Reply,
    Forget::Handling,
    Forget::Aftermath,
    Forget::Application,
    Forget::Agent,
    Forget::Signature,
    Forget::Name,
    Forget::Address,
    Forget::NameAndAddress,
    Forget::Path,
    Forget::RequestSize,
    Forget::ResponseSize,
    Forget::Status,
    Forget::MessageSize,
    Forget::Exit,
    Forget::Record,
];

fn provenance(at: usize) -> Provenance {
    Provenance { source: "law".into(), offset: at as u64, length: 1, sha256: Sha256::default() }
}

fn exchange(truth: Truth, at: usize, agent: &str) -> LinkedExchange {
    let time = Timestamp::from_seconds(1_000 + 60 * at as i64).unwrap();
    let mut exchange = Exchange {
        time,
        host: "mac".into(),
        application: ApplicationKey::Signed {
            team: None,
            signing_id: "com.apple.curl".into(),
            agent: Some(agent.into()),
        },
        process: Some(ProcessImage {
            path: Some("/usr/bin/curl".into()),
            signing_id: Some("com.apple.curl".into()),
            signature: SignatureState::Platform,
            ..ProcessImage::default()
        }),
        agent_signature: None,
        lineage: Vec::new(),
        socket_owner: None,
        destination: Destination {
            name: DestinationName::Known("api.telegram.org".into()),
            address: Some(format!("192.0.2.{}", 1 + at % 2).parse().unwrap()),
            port: Some(443),
            part: Some("bot1".into()),
            transport: Transport::Tcp,
        },
        fresh_connection: true,
        timed: true,
        request_bytes: ByteCount::measured(100, ByteLayer::Message),
        response_bytes: ByteCount::measured(0, ByteLayer::Message),
        tls_resumed: None,
        request_kind: None,
        request_randomness: None,
        claimed_agent: None,
        status: None,
        content_hash: None,
        reply: Reply::Silent,
        reply_pending: false,
        handling: Handling::Unknown,
        failed_check: None,
        teardown: Teardown::Unknown,
        seen: SightSet::of(&[Sight::FlowReply, Sight::FlowBytes, Sight::ProcessExec, Sight::ProcessSignature]),
        effect_window: EffectWindow::Unseen,
        effects: Vec::new(),
        output_discarded: None,
        process_gone: None,
        links: Vec::new(),
        cites: vec![(WitnessKind::Request, provenance(at))],
    };
    if truth != Truth::Silent {
        exchange.seen.insert(Sight::TaskLifecycle);
        exchange.handling = match truth {
            Truth::NoResponse => Handling::NoResponse,
            Truth::CancelledAtHeaders => Handling::AbandonedAtHeaders,
            Truth::Collected => Handling::Collected,
            _ => Handling::Delivered,
        };
    }
    if !matches!(truth, Truth::Silent | Truth::NoResponse) {
        exchange.reply = if truth == Truth::CancelledAtHeaders { Reply::Bytes } else { Reply::Payload };
        exchange.response_bytes = ByteCount::measured(166, ByteLayer::Message);
        exchange.status = Some(400);
        exchange.effect_window = EffectWindow::Seen;
        exchange.seen.insert(Sight::FileEffect);
        exchange.seen.insert(Sight::ProcessExit);
        exchange.process_gone = Some(truth == Truth::IgnoredAndGone);
    }
    if truth == Truth::NoContent {
        exchange.reply = Reply::Empty;
        exchange.status = Some(204);
        exchange.handling = Handling::DeliveredEmpty;
    }
    if matches!(truth, Truth::ActedOn | Truth::SentBack) {
        exchange.effects.push(Effect {
            time: time.saturating_add(1),
            kind: EffectKind::Child,
            target: "/bin/ls".into(),
            provenance: provenance(1_000 + at),
        });
    }
    if truth == Truth::SentBack {
        exchange.request_bytes = ByteCount::measured(5_000, ByteLayer::Message);
    }
    LinkedExchange::for_laws(exchange)
}

/// The exchange with one fact hidden; `None` if the record itself is gone.
fn forget(linked: &LinkedExchange, what: Forget) -> Option<LinkedExchange> {
    let mut exchange = linked.exchange.clone();
    match what {
        Forget::Nothing => {}
        Forget::Record => return None,
        Forget::Reply => {
            // All sensors that spoke of the reply fall silent; the API's own verdict is part of that.
            exchange.reply = Reply::Unknown;
            exchange.handling = Handling::Unknown;
            exchange.response_bytes = ByteCount::absent(ByteLayer::Message);
            exchange.status = None;
            for sight in
                [Sight::FlowReply, Sight::FlowBytes, Sight::TaskLifecycle, Sight::FileEffect, Sight::ProcessExit]
            {
                exchange.seen.remove(sight);
            }
            exchange.effect_window = EffectWindow::Unseen;
            exchange.effects.clear();
            exchange.process_gone = None;
        }
        Forget::Handling => {
            exchange.handling = Handling::Unknown;
            exchange.seen.remove(Sight::TaskLifecycle);
        }
        Forget::Aftermath => {
            exchange.effect_window = EffectWindow::Unseen;
            exchange.effects.clear();
            exchange.seen.remove(Sight::FileEffect);
        }
        Forget::Application => {
            exchange.application = ApplicationKey::Unknown;
            exchange.process = None;
            for sight in [Sight::ProcessExec, Sight::ProcessSignature, Sight::FileEffect, Sight::ProcessExit] {
                exchange.seen.remove(sight);
            }
            exchange.effect_window = EffectWindow::Unseen;
            exchange.effects.clear();
            exchange.process_gone = None;
        }
        Forget::Agent => {
            exchange.application =
                ApplicationKey::Signed { team: None, signing_id: "com.apple.curl".into(), agent: None };
        }
        Forget::Signature => {
            let agent = exchange.application.agent().cloned();
            exchange.application = ApplicationKey::Path { path: "/usr/bin/curl".into(), agent };
            exchange.seen.remove(Sight::ProcessSignature);
        }
        Forget::Name => exchange.destination.name = DestinationName::Unknown,
        Forget::Address => exchange.destination.address = None,
        Forget::NameAndAddress => {
            exchange.destination.name = DestinationName::Unknown;
            exchange.destination.address = None;
        }
        // Only TLS was seen: whose part of the platform it was is hidden.
        Forget::Path => exchange.destination.part = None,
        Forget::RequestSize => exchange.request_bytes = ByteCount::absent(ByteLayer::Message),
        Forget::ResponseSize => {
            exchange.response_bytes = ByteCount::absent(ByteLayer::Message);
            exchange.seen.remove(Sight::FlowBytes);
        }
        Forget::Status => exchange.status = None,
        // The line with the numbers is gone; the one that names the body's size stays.
        Forget::MessageSize => exchange.request_bytes = ByteCount::measured(16, ByteLayer::Body),
        Forget::Exit => {
            exchange.process_gone = None;
            exchange.seen.remove(Sight::ProcessExit);
        }
    }
    Some(LinkedExchange::for_laws(exchange))
}

/// A claim: a definite disposition, or support from absence, of one channel.
type Claim = (ChannelKey, String);

fn claims_of(subject: &Subject<'_>) -> Vec<String> {
    let mut claims = Vec::new();
    let disposition = disposition::decide(subject);
    if disposition.is_definite() {
        claims.push(disposition.to_string());
    }
    for answer in judge::judge(subject, &Context::default()) {
        let from_absence = matches!(answer.signal.needs(), Needs::Every(_));
        if from_absence && matches!(answer.judgement, Judgement::Supports { .. }) {
            claims.push(answer.signal.id().to_string());
        }
    }
    claims
}

fn claims(exchanges: &[LinkedExchange], missing: u64) -> BTreeSet<Claim> {
    let channels = summarise::summarise(exchanges);
    let possible = absence::possible(&channels);
    let mut claims = BTreeSet::new();
    for (channel, possible) in channels.iter().zip(&possible) {
        let subject = Subject { channel, possible, missing };
        claims.extend(claims_of(&subject).into_iter().map(|claim| (channel.key.clone(), claim)));
    }
    claims
}

/// The question a channel's key asks, put to the full data: exchanges whose key agrees with every part that is known.
fn asked_of_full(key: &ChannelKey, full: &[LinkedExchange]) -> Vec<LinkedExchange> {
    full.iter()
        .filter_map(|linked| {
            let own = summarise::key_of(&linked.exchange);
            let application = match (&key.application, &own.application) {
                (ApplicationKey::Unknown, _) => true,
                (ApplicationKey::Path { agent, .. }, other) | (ApplicationKey::Signed { agent, .. }, other) => {
                    agent.is_none() || agent.as_ref() == other.agent()
                }
            };
            let service = match &key.service {
                monologue_model::Service::Address(address) => linked.exchange.destination.address == Some(*address),
                monologue_model::Service::Name(_) => own.service.family() == key.service,
                monologue_model::Service::Part { .. } => key.service == own.service,
                _ => true,
            };
            (application && service).then(|| {
                let mut exchange = linked.exchange.clone();
                exchange.application = key.application.clone();
                match &key.service {
                    monologue_model::Service::Address(_) => exchange.destination.name = DestinationName::Unknown,
                    monologue_model::Service::Name(_) => exchange.destination.part = None,
                    monologue_model::Service::Part { .. } => {}
                    _ => {
                        exchange.destination.name = DestinationName::Unknown;
                        exchange.destination.address = None;
                    }
                }
                LinkedExchange::for_laws(exchange)
            })
        })
        .collect()
}

fn assert_no_new_claim(full: &[LinkedExchange], forgettings: &[Forget]) {
    let mut left = Vec::new();
    let mut missing = 0;
    for (linked, what) in full.iter().zip(forgettings) {
        match forget(linked, *what) {
            Some(linked) => left.push(linked),
            None => missing += 1,
        }
    }
    let after = claims(&left, missing);
    if after.is_empty() {
        return;
    }
    let before = claims(full, 0);
    for (key, claim) in after {
        let known = before.contains(&(key.clone(), claim.clone()))
            || claims(&asked_of_full(&key, full), 0).contains(&(key.clone(), claim.clone()));
        assert!(known, "forgetting {forgettings:?} made the new claim {claim} of {key:?}");
    }
}

/// Every list of `length` items with repetition, calling `each` with indices.
fn every(length: usize, base: usize, each: &mut impl FnMut(&[usize])) {
    let mut digits = vec![0_usize; length];
    loop {
        each(&digits);
        let Some(at) = digits.iter().rposition(|digit| digit + 1 < base) else { return };
        digits[at] += 1;
        digits[at + 1..].iter_mut().for_each(|digit| *digit = 0);
    }
}

/// Channels of `length` exchanges: every choice of truths with repetition. Their order matters to growth after a deed alone, so
/// up to three exchanges deeds stand at every place among the others, which ascend; beyond, all ascend.
fn channels(length: usize) -> Vec<Vec<LinkedExchange>> {
    let mut all = Vec::new();
    every(length, TRUTHS.len(), &mut |truths| {
        let is_deed = |at: &usize| matches!(TRUTHS.get(*at), Some(Truth::ActedOn | Truth::SentBack));
        let others: Vec<usize> = truths.iter().copied().filter(|at| !is_deed(at)).collect();
        if truths.is_sorted() || (length <= 3 && others.is_sorted()) {
            all.push(truths.iter().enumerate().map(|(at, truth)| exchange(TRUTHS[*truth], at, "~/a.sh")).collect());
        }
    });
    all
}

#[test]
fn forgetting_makes_no_claim_on_channels_of_up_to_three_exchanges_whatever_is_forgotten() {
    for length in 1..=3 {
        for full in channels(length) {
            every(length, FORGETTINGS.len(), &mut |chosen| {
                let chosen: Vec<Forget> = chosen.iter().map(|at| FORGETTINGS[*at]).collect();
                assert_no_new_claim(&full, &chosen);
            });
        }
    }
}

/// Set to try every forgetting of channels of four exchanges (32 million, some minutes), or to `N/OF` for the Nth of so
/// many parts of them, counted from 0.
const EVERYTHING: &str = "MONOLOGUE_TRY_EVERYTHING";

/// The part of everything that is asked for: which of how many. `None`: everything was not asked for.
fn part_of_everything() -> Option<(usize, usize)> {
    let asked = std::env::var(EVERYTHING).ok()?;
    let Some((part, of)) = asked.split_once('/') else { return Some((0, 1)) };
    let (part, of) = (part.parse().unwrap(), of.parse().unwrap());
    assert!(part < of, "expected a part below {of}, found {part}");
    Some((part, of))
}

#[test]
fn forgetting_makes_no_claim_on_channels_of_four_exchanges() {
    let channels = channels(4);
    if let Some((part, of)) = part_of_everything() {
        let channels: Vec<_> = channels.into_iter().skip(part).step_by(of).collect();
        std::thread::scope(|scope| {
            for half in channels.chunks(channels.len().div_ceil(2)) {
                scope.spawn(move || {
                    for full in half {
                        every(4, FORGETTINGS.len(), &mut |chosen| {
                            let chosen: Vec<Forget> = chosen.iter().map(|at| FORGETTINGS[*at]).collect();
                            assert_no_new_claim(full, &chosen);
                        });
                    }
                });
            }
        });
        return;
    }
    // Otherwise two of the four exchanges lose something: every pair of places, every pair of forgettings.
    for full in channels {
        for (first, second) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            every(2, FORGETTINGS.len(), &mut |chosen| {
                let mut forgettings = vec![Forget::Nothing; 4];
                forgettings[first] = FORGETTINGS[chosen[0]];
                forgettings[second] = FORGETTINGS[chosen[1]];
                assert_no_new_claim(&full, &forgettings);
            });
        }
    }
}

#[test]
fn the_claims_the_law_is_about_are_made_at_all() {
    let all = |truth, count| (0..count).map(|at| exchange(truth, at, "~/a.sh")).collect::<Vec<_>>();
    let says = |exchanges: &[LinkedExchange], claim: Disposition| {
        claims(exchanges, 0).iter().any(|(_, said)| *said == claim.to_string())
    };
    assert!(says(&all(Truth::Silent, 4), Disposition::NoReply));
    assert!(!says(&all(Truth::Silent, 3), Disposition::NoReply), "three are too few");
    assert!(says(&all(Truth::NoResponse, 1), Disposition::NoReply), "the API settles even one");
    assert!(says(&all(Truth::CancelledAtHeaders, 2), Disposition::ReplyUnhandled));
    assert!(says(&all(Truth::IgnoredAndGone, 1), Disposition::ReplyUnhandled));
    assert!(says(&all(Truth::Delivered, 8), Disposition::ReplyUnhandled), "eight identical errors changed nothing");
    assert!(!says(&all(Truth::Delivered, 7), Disposition::ReplyUnhandled));
    assert!(says(&all(Truth::ActedOn, 2), Disposition::PullOnly));
    assert!(says(&[exchange(Truth::ActedOn, 0, "a"), exchange(Truth::SentBack, 1, "a")], Disposition::TwoWay));
    assert!(!says(&all(Truth::Collected, 9), Disposition::ReplyUnhandled), "the client took delivery");
    assert!(claims(&all(Truth::Silent, 4), 1).is_empty(), "one record may be missing");
}

fn truth() -> impl Strategy<Value = Truth> {
    prop::sample::select(TRUTHS.to_vec())
}

fn forgetting() -> impl Strategy<Value = Forget> {
    prop::sample::select(FORGETTINGS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Longer channels, two applications that share a service, several facts of one exchange forgotten.
    #[test]
    fn forgetting_makes_no_claim_on_longer_channels(
        plan in prop::collection::vec((truth(), prop::bool::weighted(0.3), forgetting(), forgetting()), 1..12),
        uniform in prop::option::of(truth()),
    ) {
        let full: Vec<_> = plan
            .iter()
            .enumerate()
            .map(|(at, (truth, other, _, _))| {
                // Mostly alike, as real channels are: otherwise no claim would ever be made.
                let truth = uniform.filter(|_| at % 7 != 6).unwrap_or(*truth);
                let mut linked = exchange(truth, at, if *other { "~/b.sh" } else { "~/a.sh" });
                if at % 5 == 4 {
                    linked.exchange.destination.part = Some("bot2".into());
                }
                linked
            })
            .collect();
        let first: Vec<Forget> = plan.iter().map(|(_, _, first, _)| *first).collect();
        assert_no_new_claim(&full, &first);
        let once: Vec<LinkedExchange> = full
            .iter()
            .zip(&first)
            .filter_map(|(linked, what)| forget(linked, if *what == Forget::Record { Forget::Nothing } else { *what }))
            .collect();
        let second: Vec<Forget> = plan.iter().map(|(_, _, _, second)| *second).collect();
        let mut left = Vec::new();
        let mut missing = 0;
        for (linked, what) in once.iter().zip(&second) {
            match forget(linked, *what) {
                Some(linked) => left.push(linked),
                None => missing += 1,
            }
        }
        let before = claims(&full, 0);
        for (key, claim) in claims(&left, missing) {
            prop_assert!(
                before.contains(&(key.clone(), claim.clone()))
                    || claims(&asked_of_full(&key, &full), 0).contains(&(key.clone(), claim.clone())),
                "new claim {} of {:?}", claim, key
            );
        }
    }

    /// Merging parts in any grouping and order gives what summarising all at once gives.
    #[test]
    fn merging_is_associative_and_commutative(
        plan in prop::collection::vec((truth(), 0_usize..3, 0_i64..400), 1..60),
        cap in 1_usize..40,
    ) {
        let exchanges: Vec<(usize, LinkedExchange)> = plan
            .iter()
            .enumerate()
            .map(|(at, (truth, part, hour))| {
                let mut linked = exchange(*truth, at, "~/a.sh");
                linked.exchange.time = linked.exchange.time.saturating_add(hour * 3_600_000_000_000);
                (*part, LinkedExchange::for_laws(linked.exchange))
            })
            .collect();
        let part = |wanted: &[usize]| {
            let chosen: Vec<LinkedExchange> = exchanges
                .iter()
                .filter(|(part, _)| wanted.contains(part))
                .map(|(_, linked)| LinkedExchange::for_laws(linked.exchange.clone()))
                .collect();
            summarise::summarise_with_cap(&chosen, cap).into_iter().next()
        };
        let joined = |order: &[usize]| {
            let mut parts = order.iter().filter_map(|wanted| part(&[*wanted]));
            let mut whole: Channel = parts.next()?;
            for other in parts {
                whole.merge(&other).unwrap();
            }
            Some(whole)
        };
        let grouped = || {
            let mut right = part(&[1]);
            match (&mut right, part(&[2])) {
                (Some(right), Some(other)) => right.merge(&other).unwrap(),
                (none @ None, other) => *none = other,
                _ => {}
            }
            match (part(&[0]), right) {
                (Some(mut left), Some(right)) => { left.merge(&right).unwrap(); Some(left) }
                (left, right) => left.or(right),
            }
        };
        let all = part(&[0, 1, 2]);
        prop_assert_eq!(joined(&[0, 1, 2]), all.clone());
        prop_assert_eq!(joined(&[2, 0, 1]), all.clone());
        prop_assert_eq!(grouped(), all);
    }
}
