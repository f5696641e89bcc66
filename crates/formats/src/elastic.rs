//! Elastic Defend: events of the Elastic Common Schema, one JSON object each, with or without the search engine's
//! wrapper.
//!
//! A connection is told twice on macOS: when it was attempted, and when it was closed, then with bytes. Nothing joins the
//! two but the process and both ends. What stands there as 0 is not known to be measured, so only more than 0 is a count.
//! Numbers in `event.sequence` leave gaps in any export that was searched for, so gaps prove no loss: presence only.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, command_line, contact, deeds, fields},
    texts::{self, Texts},
};
use monologue_model::{
    ByteCount, ByteLayer, Detail, DnsQuery, FileEffectKind, ProcessExec, ProcessExit, ProcessFork, ProcessImage,
    ProcessKey, Sight, SightSet, SignatureState,
};

/// Elastic Defend.
pub(crate) const ELASTIC: JsonFormat = JsonFormat {
    name: "elastic-defend",
    about: "Elastic Defend events (ECS); bytes when a connection is closed: presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessFork,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::FlowBytes,
        Sight::FlowReply,
        Sight::DnsQuery,
        Sight::FileEffect,
    ]),
    lacks,
    marks: &["\"@timestamp\"", "endpoint"],
    sensor: |_| Box::new(Elastic),
    lenient: false,
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let is_endpoint = record.text("agent.type").is_some_and(|kind| kind == "endpoint")
        || record.text("event.module").is_some_and(|module| module == "endpoint")
        || record.text("event.dataset").is_some_and(|set| set.starts_with("endpoint."));
    let has_action = record.value("event.action").is_some() || record.value("event.category").is_some();
    (!is_endpoint || !has_action || record.value("@timestamp").is_none())
        .then(|| "the first record has no `@timestamp` with `event.action` of the agent `endpoint`".to_owned())
}

struct Elastic;

impl Sensor for Elastic {
    fn take(&mut self, record: Fields<'_>, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let platform = record.first(&["host.os.type", "host.os.platform", "host.os.family"]);
        if platform.is_some_and(|name| !matches!(&*name.to_ascii_lowercase(), "macos" | "darwin")) {
            return Ok(Said::Skipped("host of another platform"));
        }
        let actions = match record.texts("event.action") {
            actions if actions.is_empty() => record.text("event.action").into_iter().collect(),
            actions => actions,
        };
        let did = |name: &str| actions.iter().any(|action| action == name);
        let category = record.text("event.category").unwrap_or_default();
        let detail = if did("exec") || did("start") && category == "process" {
            exec(record, texts)?
        } else if did("fork") {
            fork(record, texts)?
        } else if did("end") && category == "process" {
            let status = record.number::<i32>("process.exit_code").filter(|code| (0..=255).contains(code));
            Detail::ProcessExit(Box::new(ProcessExit {
                process: image(record, texts)?,
                status: status.map(|code| code << 8),
            }))
        } else if did("connection_attempted") || did("disconnect_received") {
            if record.text("network.direction").is_some_and(|word| contact::is_inbound(&word)) {
                return Ok(Said::Skipped("connection begun by the other side"));
            }
            connect(record, did("disconnect_received"), texts)?
        } else if did("connection_accepted") {
            return Ok(Said::Skipped("connection begun by the other side"));
        } else if did("lookup_result") {
            dns(record, texts)?
        } else if let Some(effect) = effect_of(did) {
            file(record, effect, texts)?
        } else {
            return Ok(Said::Skipped("action not used"));
        };
        let host = record.first(&["host.name", "host.hostname", "agent.id"]).map(|host| texts.text(&host));
        Ok(Said::one(record.time("@timestamp", Time::Any)?, host, detail))
    }
}

fn effect_of(did: impl Fn(&str) -> bool) -> Option<FileEffectKind> {
    let kinds = [
        ("creation", FileEffectKind::Create),
        ("modification", FileEffectKind::Write),
        ("overwrite", FileEffectKind::Write),
        ("deletion", FileEffectKind::Unlink),
        ("rename", FileEffectKind::Rename),
        ("extended_attributes_delete", FileEffectKind::Attribute),
    ];
    kinds.into_iter().find(|(name, _)| did(name)).map(|(_, kind)| kind)
}

fn image(record: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    let text = |name: &str| record.text(&format!("process.{name}"));
    let key = ProcessKey {
        pid: record.number("process.pid"),
        instance: texts.some(text("entity_id").as_deref()),
        ..ProcessKey::default()
    };
    if key.pid.is_none() && key.instance.is_none() {
        return Err("expected `process.pid` or `process.entity_id`".to_owned());
    }
    let parent = ProcessKey {
        pid: record.number("process.parent.pid"),
        instance: texts.some(text("parent.entity_id").as_deref()),
        ..ProcessKey::default()
    };
    let team = text("code_signature.team_id");
    Ok(ProcessImage {
        key,
        path: texts.some(text("executable").as_deref()),
        signing_id: texts.some(text("code_signature.signing_id").as_deref()),
        team_id: texts.some(team.as_deref()),
        cdhash: texts.cdhash(text("hash.cdhash").as_deref()),
        signature: signature(record, team.is_some()),
        user_id: record.first(&["user.id", "process.user.id"]).and_then(|id| id.parse().ok()),
        parent: Some(parent).filter(|parent| parent.pid.is_some() || parent.instance.is_some()),
        ..ProcessImage::default()
    })
}

/// Apple signs what belongs to macOS as "Software Signing".
fn signature(record: Fields<'_>, has_team: bool) -> SignatureState {
    let subject = record.text("process.code_signature.subject_name");
    match record.flag("process.code_signature.exists") {
        Some(false) => SignatureState::Unsigned,
        Some(true) if subject.as_deref() == Some("Software Signing") => SignatureState::Platform,
        Some(true) if has_team => SignatureState::Team,
        Some(true) if subject.is_none() => SignatureState::AdHoc,
        _ => SignatureState::Unknown,
    }
}

fn exec(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let target = image(record, texts)?;
    let listed = record.texts("process.args");
    let arguments = if listed.is_empty() {
        command_line::split(&record.text("process.command_line").unwrap_or_default(), target.path.as_deref())
    } else {
        texts::arguments(&listed)
    };
    let folder = record.text("process.working_directory");
    Ok(Detail::ProcessExec(Box::new(ProcessExec {
        previous: ProcessImage::default(),
        target,
        arguments,
        script: None,
        working_directory: texts.some(folder.as_deref()),
        launch_label: None,
    })))
}

fn fork(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let child = image(record, texts)?;
    let parent_path = record.text("process.parent.executable");
    let parent = ProcessImage {
        key: child.parent.clone().unwrap_or_default(),
        path: texts.some(parent_path.as_deref()),
        ..ProcessImage::default()
    };
    Ok(Detail::ProcessFork(Box::new(ProcessFork { parent, child })))
}

fn connect(record: Fields<'_>, closed: bool, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, texts)?;
    let address = record.text("destination.ip").unwrap_or_default();
    let name = record.text("destination.domain").unwrap_or_default();
    let (near, near_port) = (record.text("source.ip").unwrap_or_default(), record.number::<u16>("source.port"));
    let far_port = record.number::<u16>("destination.port");
    let transport = record.text("network.transport");
    let instance = process.key.instance.clone();
    let pid = process.key.pid.map(|pid| pid.to_string());
    let words = [
        instance.as_deref().or(pid.as_deref()).unwrap_or_default(),
        &near,
        &near_port.unwrap_or(0).to_string(),
        if address.is_empty() { &name } else { &address },
        &far_port.unwrap_or(0).to_string(),
    ];
    let number = contact::number_of(&words);
    let mut found = Contact {
        far: contact::endpoint(&name, &address, far_port),
        local: contact::socket(&near, near_port),
        transport: contact::transport(transport.as_deref()),
        opened: true,
        ..Contact::default()
    };
    let detail = if closed {
        found.sent = count(record, "source.bytes");
        found.received = count(record, "destination.bytes");
        found.closed(process, number, None)
    } else {
        found.detail(process, number)
    };
    detail.ok_or_else(|| "expected `destination.ip` or `destination.domain`".to_owned())
}

/// Bytes of one direction. A 0 is not known to be measured.
fn count(record: Fields<'_>, name: &str) -> ByteCount {
    match record.number::<u64>(name) {
        Some(0) => ByteCount::partial(0, ByteLayer::Payload),
        Some(bytes) => ByteCount::measured(bytes, ByteLayer::Payload),
        None => ByteCount::absent(ByteLayer::Payload),
    }
}

fn dns(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let name = record.text("dns.question.name").ok_or("expected `dns.question.name`")?;
    let kind = record.text("dns.question.type");
    Ok(Detail::Dns(Box::new(DnsQuery {
        process: image(record, texts).ok(),
        originator: None,
        resolver: None,
        name: Some(name.trim_end_matches('.').to_ascii_lowercase().into()),
        name_hash: None,
        query_type: texts.some(kind.as_deref()),
        answers: record.texts("dns.resolved_ip").iter().filter_map(|answer| fields::address(answer)).collect(),
        response_code: None,
    })))
}

fn file(record: Fields<'_>, effect: FileEffectKind, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, texts)?;
    let path = record.text("file.path").ok_or("expected `file.path`")?;
    let before = record.text("file.Ext.original.path");
    Ok(deeds::touched(process, effect, &path, before.as_deref(), texts))
}
