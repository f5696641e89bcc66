//! SentinelOne Cloud Funnel 2 (Deep Visibility): one JSON object an event, names with dots.
//!
//! Processes are told apart by `src.process.uid`. One record may stand for several (`event.repetitionCount`), connect
//! events have no bytes and no end, and the agent chooses what it sends: presence only.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, contact, deeds, fields},
    texts::Texts,
};
use monologue_model::{
    Detail, DnsQuery, FileEffectKind, ProcessExit, ProcessImage, ProcessKey, Sight, SightSet, SignatureState,
};

/// SentinelOne Cloud Funnel 2.
pub(crate) const SENTINELONE: JsonFormat = JsonFormat {
    name: "sentinelone",
    about: "SentinelOne Cloud Funnel 2 events; connect events without bytes, folded ones told: presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::DnsQuery,
        Sight::FileEffect,
    ]),
    lacks,
    marks: &["\"event.type\"", "\"src.process."],
    sensor: |_| Box::new(SentinelOne),
    lenient: false,
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let names = ["event.type", "endpoint.name", "endpoint.os", "agent.uuid", "src.process.uid", "event.time"];
    let is_event = record.value("event.type").is_some()
        && names.iter().filter(|name| record.value(name).is_some()).count() >= 3
        && (record.value("src.process.uid").is_some() || record.value("endpoint.os").is_some());
    (!is_event && !is_activity(record))
        .then(|| "the first record has no `event.type` with `src.process.uid` or `endpoint.os`".to_owned())
}

/// What the management console logs of itself.
fn is_activity(record: Fields<'_>) -> bool {
    let any = |one: &str, other: &str| record.value(one).is_some() || record.value(other).is_some();
    any("activitytype", "activityType") && any("accountid", "accountId") && any("siteid", "siteId")
}

struct SentinelOne;

impl Sensor for SentinelOne {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let Some(kind) = record.text("event.type") else {
            return match is_activity(record) {
                true => Ok(Said::Skipped("activity of the console")),
                false => Err("expected `event.type`".to_owned()),
            };
        };
        let platform = record.text("endpoint.os").map(|name| name.to_ascii_lowercase());
        if platform.is_some_and(|name| !matches!(&*name, "osx" | "macos")) {
            return Ok(Said::Skipped("host of another platform"));
        }
        let detail = match &*kind.to_ascii_lowercase() {
            "ip connect" => {
                if record.text("event.network.direction").is_some_and(|word| contact::is_inbound(&word)) {
                    return Ok(Said::Skipped("connection begun by the other side"));
                }
                connect(record, place, texts)?
            }
            "dns resolved" | "dns unresolved" => dns(record, texts)?,
            "process creation" => process(record, texts)?,
            "process termination" | "process exit" => Detail::ProcessExit(Box::new(ProcessExit {
                process: image(record, subject(record), texts)?,
                status: None,
            })),
            "file creation" => file(record, FileEffectKind::Create, texts)?,
            "file modification" => file(record, FileEffectKind::Write, texts)?,
            "file deletion" => file(record, FileEffectKind::Unlink, texts)?,
            "file rename" => file(record, FileEffectKind::Rename, texts)?,
            _ => return Ok(Said::Skipped("event type not used")),
        };
        let host = record.first(&["endpoint.name", "agent.uuid"]).map(|host| texts.text(&host));
        Ok(Said::one(record.time("event.time", Time::Any)?, host, detail))
    }
}

/// Of which process a record of an end speaks: of its target, where it has one.
fn subject(record: Fields<'_>) -> &'static str {
    if record.value("tgt.process.uid").is_some() || record.value("tgt.process.pid").is_some() {
        "tgt.process"
    } else {
        "src.process"
    }
}

fn image(record: Fields<'_>, prefix: &str, texts: &mut Texts) -> Result<ProcessImage, String> {
    let text = |name: &str| record.text(&format!("{prefix}.{name}"));
    let key = ProcessKey {
        pid: record.number(&format!("{prefix}.pid")),
        instance: texts.some(text("uid").as_deref()),
        ..ProcessKey::default()
    };
    if key.pid.is_none() && key.instance.is_none() {
        return Err(format!("expected `{prefix}.uid` or `{prefix}.pid`"));
    }
    let parent = ProcessKey {
        pid: record.number(&format!("{prefix}.parent.pid")),
        instance: texts.some(text("parent.uid").as_deref()),
        ..ProcessKey::default()
    };
    let signer = Publisher::read(text("publisher").as_deref().unwrap_or_default());
    let is_unsigned = text("signedStatus").is_some_and(|status| status.eq_ignore_ascii_case("unsigned"));
    let signature = match &signer.kind {
        _ if is_unsigned => SignatureState::Unsigned,
        Some(kind) if kind.eq_ignore_ascii_case("apple") => SignatureState::Platform,
        Some(kind) if kind.eq_ignore_ascii_case("adhoc") || kind.eq_ignore_ascii_case("ad-hoc") => {
            SignatureState::AdHoc
        }
        _ if signer.team.is_some() => SignatureState::Team,
        _ => SignatureState::Unknown,
    };
    Ok(ProcessImage {
        key,
        path: texts.some(text("image.path").as_deref()),
        signing_id: texts.some(signer.identifier.as_deref()),
        team_id: texts.some(signer.team.as_deref()),
        signature,
        parent: Some(parent).filter(|parent| parent.pid.is_some() || parent.instance.is_some()),
        ..ProcessImage::default()
    })
}

/// Who signed a program: `<Type=DevID/ID=com.example.agent/Subject=… OU:TEAMID …>`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Publisher {
    kind: Option<String>,
    identifier: Option<String>,
    team: Option<String>,
}

impl Publisher {
    fn read(text: &str) -> Self {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let (head, subject) = text.split_once("/Subject=").unwrap_or((text, ""));
        let part = |name: &str| {
            let found = head.split('/').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.filter(|found| !found.is_empty()).map(str::to_owned)
        };
        let team = ["OU:", "OU="].iter().find_map(|mark| {
            let rest = subject.get(subject.find(mark)? + mark.len()..)?;
            let team: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            // Teams are ten characters that Apple gave.
            (team.len() == 10).then_some(team)
        });
        Self { kind: part("Type"), identifier: part("ID"), team }
    }
}

fn connect(record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, "src.process", texts)?;
    let far = record.text("dst.ip.address").unwrap_or_default();
    let near = record.text("src.ip.address").unwrap_or_default();
    let name = record.text("event.dns.request").map(|request| asked(&request).1.to_owned()).unwrap_or_default();
    let found = Contact {
        far: contact::endpoint(&name, &far, record.number("dst.port.number")),
        local: contact::socket(&near, record.number("src.port.number")),
        transport: contact::transport(record.text("event.network.protocolName").as_deref()),
        // Of several that were folded, the moments are not told.
        opened: record.number::<u64>("event.repetitionCount").is_none_or(|count| count <= 1),
        ..Contact::default()
    };
    found
        .detail(process, contact::number(&place.sha256))
        .ok_or_else(|| "expected an address in `dst.ip.address`".to_owned())
}

fn process(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let mut target = image(record, "tgt.process", texts)?;
    if target.parent.is_none() {
        // What the record calls its source started it.
        target.parent = image(record, "src.process", texts).ok().map(|source| source.key);
    }
    let line = record.text("tgt.process.cmdline").unwrap_or_default();
    Ok(deeds::started(target, &line))
}

/// Type and name of a request: `type:  28 host.example`, or the name alone.
fn asked(request: &str) -> (Option<&str>, &str) {
    match request.trim().strip_prefix("type:") {
        Some(rest) => match rest.trim().split_once(char::is_whitespace) {
            Some((number, name)) => (Some(number), name.trim()),
            None => (None, rest.trim()),
        },
        None => (None, request.trim()),
    }
}

fn dns(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let request = record.text("event.dns.request").ok_or("expected `event.dns.request`")?;
    let (number, name) = asked(&request);
    let response = record.text("event.dns.response").unwrap_or_default();
    let answers = response.split(';').filter_map(|answer| fields::address(answer.split_whitespace().last()?));
    Ok(Detail::Dns(Box::new(DnsQuery {
        process: image(record, "src.process", texts).ok(),
        originator: None,
        resolver: None,
        name: Some(name.trim_end_matches('.').to_ascii_lowercase().into()),
        name_hash: None,
        query_type: number.and_then(fields::query_type),
        answers: answers.collect(),
        response_code: None,
    })))
}

fn file(record: Fields<'_>, effect: FileEffectKind, texts: &mut Texts) -> Result<Detail, String> {
    let process = image(record, "src.process", texts)?;
    let path = record.text("tgt.file.path").ok_or("expected `tgt.file.path`")?;
    let before = record.text("tgt.file.oldPath");
    Ok(deeds::touched(process, effect, &path, before.as_deref(), texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_names_kind_identifier_and_team() {
        let found = Publisher::read(
            "<Type=DevID/ID=com.example.agent/Subject=UID:EXAMPLE123 CN:Developer ID/Example OU:EXAMPLE123 O:Example>",
        );
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            Publisher { kind: text("DevID"), identifier: text("com.example.agent"), team: text("EXAMPLE123") }
        );
        assert_eq!(Publisher::read("<Type=Apple/ID=com.apple.curl>").team, None);
        assert_eq!(Publisher::read(""), Publisher::default());
    }

    #[test]
    fn a_request_names_type_and_host() {
        assert_eq!(asked("type:  28 host.example"), (Some("28"), "host.example"));
        assert_eq!(asked("host.example"), (None, "host.example"));
    }
}
