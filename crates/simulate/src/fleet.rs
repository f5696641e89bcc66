//! The hosts of the fleet, and what plays on each.

use crate::{
    Fleet, Moment, Options, SimulatedFile,
    chance::Chance,
    clock::{SECOND, nanosecond_text, seconds},
    disturbance::Conditions,
    eslogger,
    implants::Role,
    links::{LinkTruth, Places, eslogger_path, network_path, unified_log_path},
    mac::{Mac, Sensors, Subscription},
    network::Network,
    stage::Stage,
    truth::{Truth, contradicted},
    unified_log,
};
use serde::Serialize;
use std::{fmt::Write as _, net::Ipv4Addr};

/// What plays on a host besides ordinary life.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Play {
    Nothing,
    OneShotPost,
    HourlyPull,
    TwoWayImplant,
    DeadServer,
    SilentServer,
    CancelAtHeaders,
    ConstantAnswer,
    SleepingLaptop,
}

/// Which sensors a host has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kit {
    All,
    /// Process starts and the network; no unified log.
    StartsAndNetwork,
    /// The unified log and the network; no endpoint records.
    LogAndNetwork,
    /// Only endpoint records.
    EndpointOnly,
    /// Process records with large gaps, and the network.
    GapsAndNetwork,
    /// Only the network.
    NetworkOnly,
}

/// One host of the fleet.
struct Post {
    host: &'static str,
    user: &'static str,
    kit: Kit,
    play: Play,
    role: Role,
}

const fn role(scenario: &'static str, disposition: &'static str, vendor: &'static str, domain: &'static str) -> Role {
    Role { scenario, disposition, twin: None, vendor, domain }
}

const fn twin(
    scenario: &'static str,
    of: &'static str,
    missing: &'static str,
    vendor: &'static str,
    domain: &'static str,
) -> Role {
    Role { scenario, disposition: "unknown", twin: Some((of, missing)), vendor, domain }
}

const NO_ROLE: Role = role("", "any", "", "");

const POSTS: &[Post] = &[
    Post {
        host: "ada-pro",
        user: "ada",
        kit: Kit::All,
        play: Play::OneShotPost,
        role: role("one-shot-post", "reply-unhandled", "Voicetree", "stat.treepulse.test"),
    },
    Post {
        host: "bela-air",
        user: "bela",
        kit: Kit::All,
        play: Play::HourlyPull,
        role: role("hourly-pull", "pull-only", "verx", "weatherparts-47.s3.amazonaws.com"),
    },
    Post {
        host: "cleo-pro",
        user: "cleo",
        kit: Kit::All,
        play: Play::TwoWayImplant,
        role: role("two-way-implant", "two-way", "GlassHelper", "cdn.glassquota.test"),
    },
    Post {
        host: "dora-studio",
        user: "dora",
        kit: Kit::All,
        play: Play::DeadServer,
        role: role("dead-server", "no-reply", "meshkit", ""),
    },
    Post {
        host: "emil-mini",
        user: "emil",
        kit: Kit::All,
        play: Play::SilentServer,
        role: role("silent-server", "no-reply", "paperlane", "in.paperlane-metrics.test"),
    },
    Post {
        host: "fatima-air",
        user: "fatima",
        kit: Kit::All,
        play: Play::CancelAtHeaders,
        role: role("cancel-at-headers", "reply-unhandled", "glintbar", "edge.glintbar-cdn.test"),
    },
    Post {
        host: "georg-pro",
        user: "georg",
        kit: Kit::All,
        play: Play::ConstantAnswer,
        role: role("constant-answer", "reply-unhandled", "tidyfold", "api.tidyfold-sync.test"),
    },
    Post {
        host: "hana-air",
        user: "hana",
        kit: Kit::All,
        play: Play::SleepingLaptop,
        role: role("sleeping-laptop", "reply-unhandled", "noterelay", "push.noterelay.test"),
    },
    Post {
        host: "ivan-pro",
        user: "ivan",
        kit: Kit::StartsAndNetwork,
        play: Play::OneShotPost,
        role: twin(
            "one-shot-post-blind",
            "one-shot-post",
            "no unified log, and only process starts of the endpoint",
            "Callgrove",
            "stat.grovepulse.test",
        ),
    },
    Post {
        host: "jana-air",
        user: "jana",
        kit: Kit::LogAndNetwork,
        play: Play::HourlyPull,
        role: twin(
            "hourly-pull-blind",
            "hourly-pull",
            "no endpoint records",
            "tagr",
            "orchardnotes-52.s3.amazonaws.com",
        ),
    },
    Post {
        host: "kofi-pro",
        user: "kofi",
        kit: Kit::LogAndNetwork,
        play: Play::TwoWayImplant,
        role: twin(
            "two-way-implant-blind",
            "two-way-implant",
            "no endpoint records",
            "ClearHelper",
            "cdn.clearquota.test",
        ),
    },
    Post {
        host: "lena-studio",
        user: "lena",
        kit: Kit::EndpointOnly,
        play: Play::DeadServer,
        role: twin("dead-server-blind", "dead-server", "no network sensor and no unified log", "gridpeer", ""),
    },
    Post {
        host: "milo-mini",
        user: "milo",
        kit: Kit::NetworkOnly,
        play: Play::SilentServer,
        role: twin(
            "silent-server-blind",
            "silent-server",
            "the network sensor missed bytes, and nothing records the host itself",
            "inkpost",
            "in.inkpost-metrics.test",
        ),
    },
    Post {
        host: "nora-air",
        user: "nora",
        kit: Kit::StartsAndNetwork,
        play: Play::CancelAtHeaders,
        role: twin(
            "cancel-at-headers-blind",
            "cancel-at-headers",
            "no unified log, and only process starts of the endpoint",
            "shinepanel",
            "edge.shinepanel-cdn.test",
        ),
    },
    Post {
        host: "oskar-pro",
        user: "oskar",
        kit: Kit::GapsAndNetwork,
        play: Play::ConstantAnswer,
        role: twin(
            "constant-answer-blind",
            "constant-answer",
            "endpoint records were dropped every hour and show no files, and no unified log",
            "neatstack",
            "api.neatstack-sync.test",
        ),
    },
    Post {
        host: "pia-air",
        user: "pia",
        kit: Kit::NetworkOnly,
        play: Play::SleepingLaptop,
        role: twin(
            "sleeping-laptop-blind",
            "sleeping-laptop",
            "nothing records the host itself",
            "memocast",
            "push.memocast.test",
        ),
    },
    Post { host: "quinn-imac", user: "quinn", kit: Kit::All, play: Play::Nothing, role: NO_ROLE },
    Post { host: "rosa-imac", user: "rosa", kit: Kit::NetworkOnly, play: Play::Nothing, role: NO_ROLE },
];

/// The host whose time server never answers.
const HOST_WITHOUT_TIME: &str = "quinn-imac";

/// The host whose endpoint records have audit tokens as arrays.
const HOST_WITH_TOKEN_ARRAYS: &str = "emil-mini";

fn sensors(kit: Kit, start: Moment, end: Moment) -> Sensors {
    let (endpoint, unified_log, network) = match kit {
        Kit::All => (Subscription::Everything, true, true),
        Kit::StartsAndNetwork => (Subscription::Starts, false, true),
        Kit::LogAndNetwork => (Subscription::Nothing, true, true),
        Kit::EndpointOnly => (Subscription::Everything, false, false),
        Kit::GapsAndNetwork => (Subscription::Processes, false, true),
        Kit::NetworkOnly => (Subscription::Nothing, false, true),
    };
    let mut dropped = Vec::new();
    if kit == Kit::GapsAndNetwork {
        let mut time = start + 720 * SECOND;
        while time < end {
            dropped.push((time, time + 2400 * SECOND));
            time += 3600 * SECOND;
        }
    }
    Sensors { endpoint, unified_log, network, dropped }
}

fn mac(post: &Post, index: usize, start: Moment, end: Moment, chance: &mut Chance) -> Mac {
    let address = Ipv4Addr::new(10, 20, 4 + (index / 8) as u8, 21 + 7 * (index as u8));
    let mut mac = Mac::new(post.host, post.user, address, sensors(post.kit, start, end), start);
    mac.message_version = 9 + (index % 3) as u32;
    if post.host == HOST_WITH_TOKEN_ARRAYS {
        mac.message_version = 10;
        mac.has_token_arrays = true;
    }
    if post.play == Play::SleepingLaptop {
        mac.sleeps = [(2.6, 0.5, 1.0), (6.8, 0.8, 1.6), (15.0, 2.0, 3.0)]
            .map(|(hour, least, most)| {
                let from = start + seconds(3600.0 * (hour + chance.between(0.0, 0.8)));
                (from, from + seconds(3600.0 * chance.between(least, most)))
            })
            .to_vec();
    }
    mac
}

fn play(post: &Post, stage: &mut Stage<'_>) {
    let role = &post.role;
    match post.play {
        Play::Nothing => {}
        Play::OneShotPost => stage.one_shot_post(role),
        Play::HourlyPull => stage.hourly_pull(role),
        Play::TwoWayImplant => stage.two_way_implant(role),
        Play::DeadServer => stage.dead_server(role),
        Play::SilentServer => {
            if role.twin.is_some() {
                stage.damaged = Some(role.domain.to_owned());
            }
            stage.silent_server(role);
        }
        Play::CancelAtHeaders => stage.cancel_at_headers(role),
        Play::ConstantAnswer => stage.constant_answer(role, 200.0, 80),
        Play::SleepingLaptop => stage.constant_answer(role, 900.0, usize::MAX),
    }
}

pub(crate) fn simulate(options: &Options) -> Fleet {
    let start = options.start.nanoseconds();
    let end = start.saturating_add(i64::from(options.hours).saturating_mul(3600 * SECOND));
    let conditions = Conditions { start, disturbance: options.disturbance, site: 0 };
    let mut network = Network::default();
    network.conditions = conditions;
    let mut files = Vec::new();
    let mut truth = Vec::new();
    let mut places = Places::default();
    let mut assets = String::from("host,ip,from,until\n");
    for (index, post) in POSTS.iter().enumerate() {
        let mut chance = Chance::new(options.seed, index as u64);
        let mut mac = mac(post, index, start, end, &mut chance);
        mac.conditions = conditions;
        mac.sensors.unified_log &= !options.disturbance.no_unified_log;
        for (address, from, until) in conditions.leases(&mac, end) {
            let _ = writeln!(assets, "{},{address},{},{}", mac.name, nanosecond_text(from), nanosecond_text(until));
        }
        let mut stage = Stage { mac, network: &mut network, chance, truth: Vec::new(), start, end, damaged: None };
        play(post, &mut stage);
        stage.ordinary_life(index, post.host != HOST_WITHOUT_TIME);
        if options.shut_down {
            stage.mac.shut_down(end - 1);
        }
        truth.extend(stage.truth.drain(..).map(with_what_happened));
        files.extend(host_files(stage.mac, &mut places));
    }
    network.tell_losses(start, end);
    let logs = network.logs.render(&conditions, end, &mut places);
    files.extend(logs.into_iter().map(|(name, bytes)| SimulatedFile { path: network_path(name), bytes }));
    let requests = (1..).zip(network.traces);
    let links: Vec<LinkTruth> = requests.map(|(request, trace)| trace.settle(request, &places)).collect();
    files.push(SimulatedFile { path: "assets.csv".to_owned(), bytes: assets.into_bytes() });
    files.push(SimulatedFile { path: "truth.ndjson".to_owned(), bytes: json_lines(&truth) });
    files.push(SimulatedFile { path: "links.ndjson".to_owned(), bytes: json_lines(&links) });
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Fleet { files, truth, links }
}

/// What happens to a blind twin is what happens to the behaviour it repeats.
fn with_what_happened(mut truth: Truth) -> Truth {
    if let Some(of) = &truth.blind_twin_of {
        let original = POSTS.iter().find(|post| post.role.scenario == of);
        truth.happened = original.map_or("any", |post| post.role.disposition).to_owned();
        truth.false_claims = contradicted(&truth.happened);
    }
    truth
}

/// What the sensors of a host itself recorded.
pub(crate) fn host_files(mut mac: Mac, places: &mut Places) -> Vec<SimulatedFile> {
    let conditions = mac.conditions;
    let mut files = Vec::new();
    if mac.sensors.endpoint != Subscription::Nothing {
        let path = eslogger_path(&mac.name);
        let mut bytes = Vec::new();
        places.write(&path, &mut bytes, conditions.arrange(&path, eslogger::render(&mut mac)));
        files.push(SimulatedFile { path, bytes });
    }
    if mac.sensors.unified_log {
        let path = unified_log_path(&mac.name);
        let mut records = conditions.arrange(&path, unified_log::render(&mut mac));
        records.push((unified_log::count_line(records.len()), 0));
        let mut bytes = Vec::new();
        places.write(&path, &mut bytes, records);
        files.push(SimulatedFile { path, bytes });
    }
    files
}

pub(crate) fn json_lines<T: Serialize>(values: &[T]) -> Vec<u8> {
    let mut text = String::new();
    for value in values {
        if let Ok(json) = serde_json::to_string(value) {
            text.push_str(&json);
            text.push('\n');
        }
    }
    text.into_bytes()
}
