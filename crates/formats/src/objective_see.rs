//! Objective-See's ProcessMonitor, FileMonitor and DNSMonitor, in JSON.
//!
//! ProcessMonitor and FileMonitor build their JSON by hand and escape only quotes, so lines with backslashes or line ends
//! are mended. DNSMonitor's times have no zone: they are in that of the user's choice. Its answers name the process that
//! asked.

use crate::{
    endpoint::{Fields, JsonFormat, Place, Said, Sensor, Time, fields},
    texts::{self, Texts},
    times::TimeForm,
    zone::Zone,
};
use monologue_model::{
    Detail, DnsQuery, FileEffect, FileEffectKind, ProcessExec, ProcessExit, ProcessFork, ProcessImage, ProcessKey,
    Sight, SightSet, SignatureState, Timestamp,
};

/// ProcessMonitor and FileMonitor.
pub(crate) const MONITORS: JsonFormat = JsonFormat {
    name: "process-monitor",
    about: "Objective-See ProcessMonitor and FileMonitor (JSON): what they were asked to show: presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessFork,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::FileEffect,
    ]),
    lacks: |record| {
        let is_event = record.text("event").is_some_and(|event| event.starts_with("ES_EVENT_TYPE_"));
        let has_process = record.part("process").is_some() || record.part("file").is_some();
        (!is_event || !has_process || record.value("timestamp").is_none()).then(|| {
            "the first record has no `event` ES_EVENT_TYPE_… with `timestamp` and `process` or `file`".to_owned()
        })
    },
    marks: &["\"event\":\"ES_EVENT_TYPE_", "\"timestamp\""],
    sensor: |_| Box::new(Monitors),
    lenient: true,
};

/// DNSMonitor.
pub(crate) const DNS_MONITOR: JsonFormat = JsonFormat {
    name: "dns-monitor",
    about: "Objective-See DNSMonitor -json: names each process asked for, times without a zone: presence only",
    sights: SightSet::of(&[Sight::DnsQuery]),
    lacks: |record| {
        let has_packet = record.part("Packet").is_some() && record.part("Process").is_some();
        (!has_packet).then(|| "the first record has no `Packet` with a `Process`".to_owned())
    },
    marks: &["\"Packet\"", "\"Process\""],
    sensor: |input| Box::new(Names { zone: input.zone.clone() }),
    lenient: false,
};

struct Monitors;

impl Sensor for Monitors {
    fn take(&mut self, record: Fields<'_>, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let kind = record.text("event").ok_or("expected `event`")?;
        let kind = kind.rsplit_once("NOTIFY_").map_or(&*kind, |(_, kind)| kind).to_owned();
        let acting = record.part("file").and_then(|file| file.part("process")).or_else(|| record.part("process"));
        let process = acting.ok_or("expected `process`")?;
        let detail = match &*kind {
            "EXEC" => exec(process, texts)?,
            "FORK" => {
                let child = image(process, texts)?;
                let parent = ProcessImage { key: child.parent.clone().unwrap_or_default(), ..ProcessImage::default() };
                Detail::ProcessFork(Box::new(ProcessFork { parent, child }))
            }
            "EXIT" => {
                // The number may be an exit code or a raw wait status; only 0 is the same in both.
                let status = process.number::<u32>("exit code").filter(|code| *code == 0).map(|_| 0);
                Detail::ProcessExit(Box::new(ProcessExit { process: image(process, texts)?, status }))
            }
            _ => match effect_of(&kind) {
                Some(effect) => {
                    let file = record.part("file").ok_or("expected `file`")?;
                    let found = file.first(&["source", "destination"]).ok_or("expected `destination` of `file`")?;
                    let target = file.text("destination").filter(|target| *target != found);
                    Detail::FileEffect(Box::new(FileEffect {
                        process: image(process, texts)?,
                        effect,
                        path: texts.text(&found),
                        target: texts.some(target.as_deref()),
                    }))
                }
                None => return Ok(Said::Skipped("event type not used")),
            },
        };
        Ok(Said::one(time(record)?, None, detail))
    }
}

/// `2026-11-24 08:00:00 +0000`, as Foundation describes a date.
fn time(record: Fields<'_>) -> Result<Timestamp, String> {
    let text = record.text("timestamp").ok_or("expected a time in `timestamp`")?;
    Time::Any.read(&text.replace(" +", "+").replace(" -", "-")).map_err(|error| format!("in `timestamp`: {error}"))
}

fn effect_of(kind: &str) -> Option<FileEffectKind> {
    Some(match kind {
        "CREATE" => FileEffectKind::Create,
        "WRITE" => FileEffectKind::Write,
        "RENAME" => FileEffectKind::Rename,
        "UNLINK" => FileEffectKind::Unlink,
        "CLONE" | "COPYFILE" | "LINK" => FileEffectKind::Copy,
        "SETEXTATTR" | "DELETEEXTATTR" => FileEffectKind::Attribute,
        "SETMODE" => FileEffectKind::Mode,
        _ => return None,
    })
}

fn image(process: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    let pid = process.number("pid").ok_or("expected a process number in `pid`")?;
    let signing = process.part("signing info (reported)");
    let text = |name: &str| signing.and_then(|signing| signing.text(name));
    let team = text("teamID");
    let flags = signing.and_then(|signing| signing.number("csFlags"));
    let platform = signing.and_then(|signing| signing.flag("platformBinary"));
    let path = process.text("path");
    Ok(ProcessImage {
        key: ProcessKey::from_pid(pid, None),
        path: texts.some(path.as_deref()),
        signing_id: texts.some(text("signingID").as_deref()),
        team_id: texts.some(team.as_deref()),
        cdhash: texts.cdhash(text("cdHash").as_deref()),
        code_uuid: None,
        signature: SignatureState::from_fields(platform, team.as_deref(), flags),
        user_id: process.number("uid"),
        parent: process.number("ppid").map(|pid| ProcessKey::from_pid(pid, None)),
        responsible: process.number("rpid").map(|pid| ProcessKey::from_pid(pid, None)),
    })
}

fn exec(process: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let target = image(process, texts)?;
    let label = process.text("environment.XPC_SERVICE_NAME").filter(|label| label != "0");
    Ok(Detail::ProcessExec(Box::new(ProcessExec {
        previous: ProcessImage::default(),
        target,
        arguments: texts::arguments(&process.texts("arguments")),
        script: None,
        working_directory: None,
        launch_label: texts.some(label.as_deref()),
    })))
}

struct Names {
    zone: Zone,
}

impl Sensor for Names {
    fn take(&mut self, record: Fields<'_>, _: &Place, texts: &mut Texts) -> Result<Said, String> {
        let packet = record.part("Packet").ok_or("expected `Packet`")?;
        let question = packet.list("Questions").first().map(Fields);
        let Some(question) = question else { return Ok(Said::Skipped("packet without a question")) };
        let name = question.text("Question Name").ok_or("expected `Question Name`")?;
        let answers = packet.list("Answers").iter().map(Fields);
        let answers = answers.filter_map(|answer| {
            answer.first(&["Host Address", "Address", "IP Address", "Data"]).and_then(|text| fields::address(&text))
        });
        let is_answer = packet.text("QR").is_some_and(|kind| matches!(&*kind, "Response" | "1" | "true" | "response"));
        let kind = question.first(&["Question Type", "Type"]);
        let process = record.part("Process").map(|process| asker(process, texts));
        let code = packet.text("Rcode").filter(|_| is_answer);
        let detail = Detail::Dns(Box::new(DnsQuery {
            process: process.filter(|process| process.key.pid.is_some()),
            originator: None,
            resolver: None,
            name: Some(name.trim_end_matches('.').to_ascii_lowercase().into()),
            name_hash: None,
            query_type: texts.some(kind.as_deref()),
            answers: answers.collect(),
            response_code: code
                .map(|code| if matches!(&*code, "0" | "No error") { "NOERROR".into() } else { texts.text(&code) }),
        }));
        let time = record.text("Timestamp").ok_or("expected a time in `Timestamp`")?;
        let time = TimeForm::Iso.read(&time, &self.zone).map_err(|error| format!("in `Timestamp`, {error}"))?;
        Ok(Said::one(time, None, detail))
    }
}

fn asker(process: Fields<'_>, texts: &mut Texts) -> ProcessImage {
    let key = ProcessKey {
        pid: process.first(&["pid", "processID"]).and_then(|pid| pid.parse().ok()),
        ..ProcessKey::default()
    };
    let path = process.first(&["path", "processPath"]);
    let signing_id = process.first(&["processSigningID", "signing id", "signingID"]);
    ProcessImage {
        key,
        path: texts.some(path.as_deref()),
        signing_id: texts.some(signing_id.as_deref()),
        ..ProcessImage::default()
    }
}
