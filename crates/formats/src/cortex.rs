//! Palo Alto Cortex XDR: rows of `xdr_data`, as queries and alert exports give them in JSON.
//!
//! The process that acts is `actor_process_…`, told apart by `actor_process_instance_id`; what it acts on is `action_…`.
//! The agent folds and chooses what it uploads: presence only.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, contact, deeds, fields},
    texts::Texts,
};
use monologue_model::{
    ByteCount, ByteLayer, Detail, DnsQuery, FileEffectKind, ProcessExit, ProcessImage, ProcessKey, Sight, SightSet,
    SignatureState,
};

/// Palo Alto Cortex XDR.
pub(crate) const CORTEX: JsonFormat = JsonFormat {
    name: "cortex-xdr",
    about: "Palo Alto Cortex XDR rows (xdr_data, alert exports); folded connect events: presence only, no clock",
    sights: SightSet::of(&[Sight::ProcessExec, Sight::ProcessExit, Sight::ProcessArguments, Sight::FileEffect]),
    lacks,
    marks: &["\"actor_process_"],
    sensor: |_| Box::new(Cortex),
    lenient: false,
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let actor = ["actor_process_image_path", "actor_process_instance_id", "actor_process_os_pid"];
    let has_actor = actor.iter().any(|name| record.value(name).is_some());
    let has_event = record.value("event_type").is_some() || record.value("event_timestamp").is_some();
    (!has_actor || !has_event)
        .then(|| "the first record has no `event_type` or `event_timestamp` with `actor_process_…`".to_owned())
}

struct Cortex;

impl Sensor for Cortex {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let platform = record.first(&["agent_os_type", "agent_os_sub_type"]).map(|name| name.to_ascii_lowercase());
        if platform.is_some_and(|name| !name.contains("mac")) {
            return Ok(Said::Skipped("host of another platform"));
        }
        let kind = record.text("event_type").unwrap_or_default().to_ascii_uppercase();
        let kind = kind.rsplit('.').next().unwrap_or_default();
        let sub = record.text("event_sub_type").unwrap_or_default().to_ascii_uppercase();
        let detail = match kind {
            // Alert exports write what XQL has as numbers or names.
            "NETWORK" | "NETWORK CONNECTIONS" | "NETWORK EVENT" | "STORY" => {
                if sub.contains("ACCEPT")
                    || sub.contains("LISTEN")
                    || record.flag("action_network_is_server") == Some(true)
                {
                    return Ok(Said::Skipped("connection begun by the other side"));
                }
                match record.text("dns_query_name") {
                    Some(name) if record.value("action_remote_ip").is_none() => dns(record, &name, texts),
                    _ => connect(record, place, texts)?,
                }
            }
            "PROCESS" | "PROCESS EXECUTION" if sub.contains("STOP") || sub.contains("TERMINAT") => {
                Detail::ProcessExit(Box::new(ProcessExit { process: target(record, texts)?, status: None }))
            }
            "PROCESS" | "PROCESS EXECUTION" => process(record, texts)?,
            "FILE" | "FILE EVENT" => match effect_of(&sub) {
                Some(effect) => file(record, effect, texts)?,
                None => return Ok(Said::Skipped("action not used")),
            },
            _ => return Ok(Said::Skipped("event type not used")),
        };
        let host = record.first(&["agent_hostname", "host_name", "endpoint_name", "agent_id"]);
        let time = ["event_timestamp", "_time"].into_iter().find(|name| record.value(name).is_some());
        let time = record.time(time.unwrap_or("event_timestamp"), Time::Any)?;
        Ok(Said::one(time, host.map(|host| texts.text(&host)), detail))
    }
}

fn effect_of(sub: &str) -> Option<FileEffectKind> {
    let kinds = [
        ("CREATE", FileEffectKind::Create),
        ("WRITE", FileEffectKind::Write),
        ("REMOVE", FileEffectKind::Unlink),
        ("DELETE", FileEffectKind::Unlink),
        ("RENAME", FileEffectKind::Rename),
    ];
    kinds.into_iter().find(|(word, _)| sub.contains(word)).map(|(_, kind)| kind)
}

fn image(record: Fields<'_>, prefix: &str, texts: &mut Texts) -> Result<ProcessImage, String> {
    let text = |name: &str| record.text(&format!("{prefix}_{name}"));
    let key = ProcessKey {
        pid: record.number(&format!("{prefix}_os_pid")),
        instance: texts.some(text("instance_id").as_deref()),
        ..ProcessKey::default()
    };
    if key.pid.is_none() && key.instance.is_none() {
        return Err(format!("expected `{prefix}_os_pid` or `{prefix}_instance_id`"));
    }
    let status = text("signature_status").map(|status| status.to_ascii_uppercase());
    let is_unsigned = status.is_some_and(|status| status.contains("UNSIGNED"));
    Ok(ProcessImage {
        key,
        path: texts.some(text("image_path").as_deref()),
        signature: if is_unsigned { SignatureState::Unsigned } else { SignatureState::Unknown },
        ..ProcessImage::default()
    })
}

/// The process that an event is about.
fn target(record: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    image(record, "action_process", texts)
}

fn process(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let mut target = target(record, texts)?;
    target.parent = image(record, "actor_process", texts).ok().map(|parent| parent.key);
    let line = record.first(&["action_process_image_command_line", "action_process_command_line"]).unwrap_or_default();
    Ok(deeds::started(target, &line))
}

fn connect(record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, "actor_process", texts)?;
    let name = record.first(&["action_external_hostname", "dst_action_external_hostname", "dns_query_name"]);
    let far = record.text("action_remote_ip").unwrap_or_default();
    let near = record.text("action_local_ip").unwrap_or_default();
    let found = Contact {
        far: contact::endpoint(&name.unwrap_or_default(), &far, record.number("action_remote_port")),
        local: contact::socket(&near, record.number("action_local_port")),
        transport: contact::transport(record.text("action_network_protocol").as_deref().map(short)),
        // A story sums up what went on for a while, and the agent folds single events without saying so: a clock in them is
        // the agent's.
        opened: false,
        received: count(record, "action_total_download"),
        sent: count(record, "action_total_upload"),
    };
    found
        .detail(process, contact::number(&place.sha256))
        .ok_or_else(|| "expected `action_remote_ip` or `action_external_hostname`".to_owned())
}

/// The last part of an enumeration such as `ENUM.TCP`.
fn short(word: &str) -> &str {
    word.rsplit('.').next().unwrap_or(word)
}

/// Bytes, where a story sums them up: of what the agent folded together, so a part.
fn count(record: Fields<'_>, name: &str) -> ByteCount {
    record.number(name).map_or_else(
        || ByteCount::not_applicable(ByteLayer::Payload),
        |bytes| ByteCount::partial(bytes, ByteLayer::Payload),
    )
}

fn dns(record: Fields<'_>, name: &str, texts: &mut Texts) -> Detail {
    let answers = record.texts("dns_resolutions");
    Detail::Dns(Box::new(DnsQuery {
        process: image(record, "actor_process", texts).ok(),
        originator: None,
        resolver: None,
        name: Some(name.trim_end_matches('.').to_ascii_lowercase().into()),
        name_hash: None,
        query_type: None,
        answers: answers.iter().filter_map(|answer| fields::address(answer)).collect(),
        response_code: None,
    }))
}

fn file(record: Fields<'_>, effect: FileEffectKind, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, "actor_process", texts)?;
    let path = record.text("action_file_path").ok_or("expected `action_file_path`")?;
    let before = record.text("action_file_previous_file_path");
    Ok(deeds::touched(process, effect, &path, before.as_deref(), texts))
}
