//! The fixed report that tests put through the outputs.

use monologue_model::{
    Application, ApplicationKey, AttackReference, BlindSpot, ByteCount, ByteLayer, ChannelKey, Cite, Claim, ClaimHours,
    ClaimState, ClaimStretch, ClaimSummary, Claims, CollectionStep, Confidence, DestinationSummary, Disposition,
    Finding, FormatCoverage, HostClaim, HostCoverage, HuntSummary, LargestBytes, LayerSays, LayerView, Level, Loss,
    LossCoverage, Prevalence, Provenance, Reading, Report, SCHEMA, Service, Sha256, Sight, SightCoverage, SightSet,
    SignalOutcome, SignatureState, SourceSummary, SpeaksFrom, TimelineKind, TimelinePoint, Timestamp,
};
use monologue_report::by_name;

/// Text that acts wherever it is not escaped.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\u{1b}[31m\u{202e}evil\u{7f}";

/// A moment of the fixed day.
pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_772_431_200 + minutes * 60).unwrap()
}

fn signal(id: &'static str, judgement: &'static str, weight: f64, why: &str) -> SignalOutcome {
    let provenance = Provenance {
        source: "logs/conn.log".into(),
        offset: 8000 + id.len() as u64,
        length: 117,
        sha256: Sha256::of(id.as_bytes()),
    };
    let cites = if judgement == "supports" { vec![Cite { provenance, note: "".into() }] } else { Vec::new() };
    SignalOutcome { id, judgement, weight, why: why.to_owned(), seen: 40, of: 40, cites }
}

/// A finding; a hostile one is unknown, and says hostile things.
pub(crate) fn finding(number: i64, hostile: bool) -> Finding {
    let name = if hostile { HOSTILE } else { "agentd" };
    let host: std::sync::Arc<str> = format!("mac-{number:02}").into();
    let key = ChannelKey {
        host: host.clone(),
        application: ApplicationKey::Path { path: name.into(), agent: None },
        service: Service::Name("quiet.example".into()),
    };
    let kinds = [
        TimelineKind::Silent,
        TimelineKind::Answered,
        TimelineKind::ActedOn,
        TimelineKind::Unseen,
        TimelineKind::Abandoned,
    ];
    Finding {
        schema: SCHEMA,
        id: key.id(),
        supersedes: Vec::new(),
        host,
        application: Application {
            path: Some(format!("~/Library/{name}").into()),
            name: name.into(),
            agent: hostile.then(|| "~/x.sh".into()),
            signature: SignatureState::AdHoc,
            lineage: Some("launchd → /bin/sh".into()),
            ..Application::default()
        },
        user: Some("uid 501".into()),
        destination: DestinationSummary {
            host: if hostile { HOSTILE.into() } else { "a.quiet.example".into() },
            hosts: vec!["a.quiet.example".into()],
            service: "quiet.example".into(),
            ips: vec!["203.0.113.7".parse().unwrap()],
            ports: vec![443],
        },
        disposition: if hostile { Disposition::Unknown } else { Disposition::NoReply },
        leaning: hostile.then_some(Disposition::NoReply),
        confidence: (!hostile).then_some(Confidence::High),
        layers: vec![
            LayerView { layer: "code", says: LayerSays::Blind, sentence: "nobody inspected it".to_owned() },
            LayerView { layer: "wire", says: LayerSays::NothingCame, sentence: "of 40 requests: 40 silent".to_owned() },
        ],
        contradictions: if hostile { vec![HOSTILE.to_owned()] } else { Vec::new() },
        sentence: format!("{name} asked a.quiet.example 40 times, and nothing came back."),
        readings: vec![Reading::NoReturn],
        level: if hostile { Level::Medium } else { Level::High },
        level_reason: hostile.then(|| "no endpoint record says which application it is".to_owned()),
        score: 1.0 / (1.0 + 10_f64.powf(-0.8)),
        first_time: at(0),
        last_time: at(390),
        exchanges: 40,
        largest: LargestBytes {
            request: ByteCount::measured(210, ByteLayer::Payload),
            response: ByteCount::absent(ByteLayer::Payload),
        },
        signals: vec![
            signal("prior", "prior", -20.0, "before any evidence"),
            signal("wire.no-reply", "supports", 10.0, "nothing came back to any of 40 requests"),
            signal("identity.untrusted", "supports", 10.0, "signed ad hoc: nobody vouches for it"),
            signal("time.cadence", "supports", 8.0, "39 of 39 intervals lie within 2 % of 10.0 min"),
            signal("effect.nothing-after", "blind", 0.0, "file.effect was seen for 0 of 40"),
            signal("destination.documented", "silent", 0.0, ""),
        ],
        blind: vec![BlindSpot {
            sight: Sight::FileEffect,
            seen: 0,
            of: 40,
            consequence: "whether anything followed the replies".to_owned(),
            collect: Sight::FileEffect.how_to_collect().to_owned(),
        }],
        approval: None,
        period_seconds: (!hostile).then_some(600.0),
        drift: hostile.then(|| HOSTILE.to_owned()),
        related: Vec::new(),
        prevalence: Prevalence { hosts: 1, of: 14 },
        attack: AttackReference::of(if hostile { Disposition::Unknown } else { Disposition::NoReply }),
        triage: vec![format!("look at ~/Library/{name}"), "ask the owner".to_owned()],
        timeline: (0..40)
            .map(|step| TimelinePoint {
                time: at(step * 10),
                kind: kinds[usize::try_from(step).unwrap() % kinds.len()],
                request_bytes: Some(210),
                response_bytes: (step % 2 == 0).then_some(0),
                status: None,
            })
            .collect(),
    }
}

/// What that coverage allows: one claim, one hour whole, one in part, eight not at all.
fn claims() -> Claims {
    let claim = Claim {
        id: "no-reply",
        sentence: "a program that asks and is never answered would be seen",
        speaks_from: SpeaksFrom::Absence,
        needs: &[&[Sight::FlowReply]],
        hosts: 1,
    };
    let hours = ClaimHours { holds: 1, partly: 1, blind: 8 };
    let stretch = |from, hours, state| ClaimStretch { from, hours, state };
    Claims {
        summary: vec![ClaimSummary { claim, host_hours: hours, hosts_holding: 1 }],
        hosts: vec![vec![HostClaim {
            claim: claim.id,
            hours,
            missing: vec![Sight::FlowReply],
            stretches: vec![
                stretch(at(0), 1, ClaimState::Holds),
                stretch(at(60), 1, ClaimState::Partly),
                stretch(at(120), 8, ClaimState::Blind),
            ],
        }]],
        steps: vec![CollectionStep {
            step: "place a sensor: `zeek -i en0`".into(),
            sights: vec![Sight::FlowReply],
            hosts: 1,
            unlocks: vec![("no-reply", 9)],
            host_hours: 9,
        }],
    }
}

/// A report of these findings.
pub(crate) fn report(findings: Vec<Finding>) -> Report {
    let host = HostCoverage {
        host: "mac-01".into(),
        from: at(0),
        until: at(600),
        sights: vec![SightCoverage {
            sight: Sight::FlowReply,
            covered_nanoseconds: 300 * 60_000_000_000,
            losses: 1,
            hours: [(at(0).hour(), 1.0), (at(60).hour(), 0.5)].into(),
            lost_hours: [at(60).hour()].into(),
        }],
        formats: vec![FormatCoverage {
            format: "zeek-conn".into(),
            sights: SightSet::of(&[Sight::FlowReply]),
            from: at(0),
            until: at(90),
        }],
        losses: vec![LossCoverage {
            format: "zeek-capture-loss".into(),
            reason: Loss::SensorLoss,
            sights: SightSet::of(&[Sight::FlowReply]),
            stretches: 1,
            records: Some(2),
        }],
        ..HostCoverage::default()
    };
    let refused = SourceSummary {
        source: HOSTILE.into(),
        refused: Some("no format reads it".to_owned()),
        ..SourceSummary::default()
    };
    let read = SourceSummary {
        source: "logs/conn.log".into(),
        format: Some("zeek-conn".into()),
        events: 1200,
        malformed: 2,
        problems: vec!["at byte 12: expected a time in field `ts`".to_owned()],
        ..SourceSummary::default()
    };
    Report {
        summary: HuntSummary {
            version: "0.1.0".into(),
            hosts: 1,
            exchanges: 80,
            channels_examined: 12,
            cadence_tested: 3,
            cadence_threshold: Some(1e-9),
            first_time: Some(at(0)),
            last_time: Some(at(600)),
            sources: vec![read, refused],
            coverage: vec![host],
            not_listed: 12 - findings.len().min(12) as u64,
            notes: vec!["mac-01: 2 records were lost".to_owned()],
            claims: claims(),
            ..HuntSummary::default()
        },
        findings,
    }
}

/// The report through the output of that name.
pub(crate) fn written(name: &str, report: &Report) -> String {
    let mut bytes = Vec::new();
    by_name(name).unwrap().write(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}
