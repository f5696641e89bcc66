//! CrowdStrike Falcon Data Replicator: one JSON object an event, every value a text.
//!
//! Processes are told apart by `TargetProcessId`, a 64-bit number of the sensor; other events name it `ContextProcessId`
//! and often give nothing else of the process. The pid of the system is `RawProcessId`. Connect events have no bytes and
//! no end, the sensor folds repetitions of a process into `ProcessRollup2Stats`, and it chooses what it reports: presence
//! in it is a fact, absence is none.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, contact, deeds, fields},
    texts::Texts,
};
use monologue_model::{
    CoverageRecord, CoverageState, Detail, DnsQuery, FileEffectKind, Loss, ProcessExit, ProcessImage, ProcessKey,
    Sight, SightSet, SignatureState, Timestamp,
};
use std::{collections::HashMap, sync::Arc};

/// Processes remembered, so that events which give only the sensor's number are complete; when there are more, all are
/// let go, and linking finds them by that number.
const PROCESS_CAP: usize = 100_000;

/// Names of the product.
const NAME: &str = "crowdstrike";

/// What process records show.
const PROCESS: SightSet = SightSet::of(&[Sight::ProcessExec, Sight::ProcessSignature, Sight::ProcessArguments]);

/// CrowdStrike Falcon Data Replicator.
pub(crate) const CROWDSTRIKE: JsonFormat = JsonFormat {
    name: NAME,
    about: "CrowdStrike Falcon Data Replicator events; connect events without bytes: presence only",
    sights: PROCESS.union(SightSet::of(&[Sight::ProcessExit, Sight::DnsQuery, Sight::FileEffect])),
    lacks,
    marks: &["\"event_simpleName\"", "\"aid\""],
    sensor: |_| Box::new(Falcon::default()),
    lenient: false,
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let event = event_of(record);
    let known = ["event_simpleName", "aid", "cid", "fdr_event_type", "EventType"];
    let found = known.iter().filter(|name| event.value(name).is_some() || record.value(name).is_some()).count();
    let is_event = event.value("event_simpleName").is_some() && found >= 2;
    // Records of the same stream that are no events of a sensor: `aid` and `cid` and a platform.
    let is_other = ["aid", "cid"].iter().all(|name| record.value(name).is_some());
    (!is_event && !is_other).then(|| "the first record has no `event_simpleName` with `aid` or `cid`".to_owned())
}

/// The event itself, which some pipelines nest.
fn event_of(record: Fields<'_>) -> Fields<'_> {
    record.part("event").filter(|event| event.value("event_simpleName").is_some()).unwrap_or(record)
}

/// What is remembered of a source.
#[derive(Default)]
struct Falcon {
    /// By host and the sensor's number.
    processes: HashMap<(Arc<str>, Arc<str>), ProcessImage>,
}

impl Sensor for Falcon {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let event = event_of(record);
        let Some(kind) = event.text("event_simpleName") else {
            return Ok(Said::Skipped("no event of the sensor"));
        };
        let host = event.first(&["ComputerName", "aid"]).or_else(|| record.first(&["ComputerName", "aid"]));
        let Some(host) = host.map(|host| texts.text(&host)) else {
            return Err("expected `aid` to name the host".to_owned());
        };
        if event.text("event_platform").is_some_and(|platform| !matches!(&*platform, "Mac" | "mac")) {
            return Ok(Said::Skipped("host of another platform"));
        }
        let detail = match &*kind {
            "ProcessRollup2" | "SyntheticProcessRollup2" => self.process(event, &host, texts)?,
            "ProcessRollup2Stats" => return folded(event, host),
            "EndOfProcess" => self.exit(event, &host, texts)?,
            "NetworkConnectIP4" | "NetworkConnectIP6" => match self.connect(event, &host, place, texts)? {
                Ok(detail) => detail,
                Err(reason) => return Ok(Said::Skipped(reason)),
            },
            "DnsRequest" => self.dns(event, &host, texts)?,
            _ => match effect_of(&kind) {
                Some(effect) => self.file(event, effect, &host, texts)?,
                None => return Ok(Said::Skipped("event type not used")),
            },
        };
        Ok(Said::one(time(event)?, Some(host), detail))
    }
}

/// The time on the sensor; only where it is missing, that of the cloud's receipt.
fn time(event: Fields<'_>) -> Result<Timestamp, String> {
    let name = ["ContextTimeStamp", "timestamp"].into_iter().find(|name| event.value(name).is_some());
    event.time(name.unwrap_or("ContextTimeStamp"), Time::Any)
}

/// Which file events are what.
fn effect_of(kind: &str) -> Option<FileEffectKind> {
    Some(match kind {
        "MachOFileWritten" | "NewExecutableWritten" | "NewScriptWritten" | "FileCreateInfo" => FileEffectKind::Create,
        "FileDeleteInfo" | "ExecutableDeleted" => FileEffectKind::Unlink,
        "NewExecutableRenamed" | "FileRenameInfo" => FileEffectKind::Rename,
        _ => return None,
    })
}

impl Falcon {
    fn process(&mut self, event: Fields<'_>, host: &Arc<str>, texts: &mut Texts) -> Result<Detail, String> {
        let id = event.text("TargetProcessId").ok_or("expected `TargetProcessId`")?;
        let key =
            ProcessKey { pid: event.number("RawProcessId"), instance: Some(texts.text(&id)), ..ProcessKey::default() };
        let parent = event.first(&["ParentProcessId", "SourceProcessId"]);
        let path = event.text("ImageFileName");
        let signing_id = event.text("SigningId");
        let team_id = event.text("TeamId");
        let flags: Option<u32> = event.number("CodeSigningFlags");
        let target = ProcessImage {
            key: key.clone(),
            path: texts.some(path.as_deref()),
            signing_id: texts.some(signing_id.as_deref()),
            team_id: texts.some(team_id.as_deref()),
            cdhash: texts.cdhash(event.text("CDHash").as_deref()),
            code_uuid: None,
            signature: signature(flags, team_id.as_deref()),
            user_id: event.first(&["UID", "RUID"]).and_then(|uid| uid.parse().ok()),
            parent: parent.map(|parent| ProcessKey {
                instance: Some(texts.text(&parent)),
                pid: self.processes.get(&(host.clone(), texts.text(&parent))).and_then(|known| known.key.pid),
                ..ProcessKey::default()
            }),
            responsible: None,
        };
        if self.processes.len() >= PROCESS_CAP {
            self.processes.clear();
        }
        if let Some(instance) = key.instance {
            self.processes.insert((host.clone(), instance), target.clone());
        }
        let line = event.text("CommandLine").unwrap_or_default();
        Ok(deeds::started(target, &line))
    }

    /// The process that an event speaks of: as its own record told it, else by the sensor's number alone.
    fn context(
        &self,
        event: Fields<'_>,
        field: &str,
        host: &Arc<str>,
        texts: &mut Texts,
    ) -> Result<ProcessImage, String> {
        let id = event.text(field).ok_or_else(|| format!("expected `{field}`"))?;
        let id = texts.text(&id);
        if let Some(known) = self.processes.get(&(host.clone(), id.clone())) {
            return Ok(known.clone());
        }
        let pid = event.first(&["RawProcessId", "ContextRawProcessId"]).and_then(|pid| pid.parse().ok());
        let path = event.first(&["ContextImageFileName", "ImageFileName"]).filter(|path| path.starts_with('/'));
        Ok(ProcessImage {
            key: ProcessKey { pid, instance: Some(id), ..ProcessKey::default() },
            path: texts.some(path.as_deref()),
            ..ProcessImage::default()
        })
    }

    fn exit(&self, event: Fields<'_>, host: &Arc<str>, texts: &mut Texts) -> Result<Detail, String> {
        let process = self.context(event, "TargetProcessId", host, texts)?;
        Ok(Detail::ProcessExit(Box::new(ProcessExit { process, status: None })))
    }

    fn connect(
        &self,
        event: Fields<'_>,
        host: &Arc<str>,
        place: &Place,
        texts: &mut Texts,
    ) -> Result<Result<Detail, &'static str>, String> {
        match event.text("ConnectionDirection").as_deref() {
            Some("1") => return Ok(Err("connection begun by the other side")),
            Some("2") => return Ok(Err("socket bound, no connection")),
            _ => {}
        }
        let process = self.context(event, "ContextProcessId", host, texts)?;
        let far = event.first(&["RemoteAddressIP4", "RemoteAddressIP6"]).unwrap_or_default();
        let near = event.first(&["LocalAddressIP4", "LocalAddressIP6"]).unwrap_or_default();
        let found = Contact {
            far: contact::endpoint("", &far, event.number("RemotePort")),
            local: contact::socket(&near, event.number("LocalPort")),
            transport: contact::transport_of_number(event.number("Protocol")),
            opened: true,
            ..Contact::default()
        };
        let detail = found.detail(process, contact::number(&place.sha256));
        Ok(Ok(detail.ok_or("expected an address in `RemoteAddressIP4` or `RemoteAddressIP6`")?))
    }

    fn dns(&self, event: Fields<'_>, host: &Arc<str>, texts: &mut Texts) -> Result<Detail, String> {
        let process = self.context(event, "ContextProcessId", host, texts).ok();
        let name = event.text("DomainName").ok_or("expected `DomainName`")?;
        let answers = ["IP4Records", "IP6Records"].into_iter().filter_map(|field| event.text(field));
        let answers = answers.flat_map(|list| list.split(';').filter_map(fields::address).collect::<Vec<_>>());
        Ok(Detail::Dns(Box::new(DnsQuery {
            process,
            originator: None,
            resolver: None,
            name: Some(name.to_ascii_lowercase().into()),
            name_hash: None,
            query_type: event.text("RequestType").and_then(|number| fields::query_type(&number)),
            answers: answers.collect(),
            response_code: None,
        })))
    }

    fn file(
        &self,
        event: Fields<'_>,
        effect: FileEffectKind,
        host: &Arc<str>,
        texts: &mut Texts,
    ) -> Result<Detail, String> {
        let process = self.context(event, "ContextProcessId", host, texts)?;
        let before = event.text("SourceFileName");
        let path = event.text("TargetFileName").ok_or("expected `TargetFileName`")?;
        Ok(deeds::touched(process, effect, &path, before.as_deref(), texts))
    }
}

/// Repetitions that the sensor counted instead of reporting them: so many starts of a program are missing.
fn folded(event: Fields<'_>, host: Arc<str>) -> Result<Said, String> {
    let time = time(event)?;
    let count = event.number("ProcessCount").ok_or("expected `ProcessCount`")?;
    let timeout_s = event.number::<u64>("Timeout").map_or(0, |seconds| seconds.min(86_400));
    let from = time.saturating_add(-(timeout_s as i64) * 1_000_000_000);
    let state = CoverageState::Lost { reason: Loss::SensorLoss, records: Some(count) };
    let record = CoverageRecord { format: NAME.into(), sights: PROCESS, from, until: time, state };
    Ok(Said::one(from, Some(host), Detail::Coverage(record)))
}

/// The signature by XNU's flags: a platform program has `CS_PLATFORM_BINARY` (0x4000000 in `cs_blobs.h`).
fn signature(flags: Option<u32>, team: Option<&str>) -> SignatureState {
    const PLATFORM: u32 = 0x0400_0000;
    SignatureState::from_fields(flags.map(|flags| flags & PLATFORM != 0), team, flags)
}
