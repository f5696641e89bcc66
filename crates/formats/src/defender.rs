//! Microsoft Defender advanced hunting: rows of its device tables, as streamed (`properties`), as JSON columns, or as the
//! portal's CSV.
//!
//! On macOS the folder path is the whole path of the file. A program that another replaced by exec shows as its own
//! parent, so a parent equal to the process is none. Rows of connections are sampled and folded by design, and have no
//! bytes and no end: presence only.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, command_line, contact, deeds, rows},
    texts::Texts,
};
use monologue_model::{Detail, FileEffectKind, ProcessExec, ProcessImage, ProcessKey, Sight, SightSet, SignatureState};
use serde_json::{Map, Value};

const SIGHTS: SightSet = SightSet::of(&[Sight::ProcessExec, Sight::ProcessArguments, Sight::FileEffect]);

/// Microsoft Defender advanced hunting, JSON.
pub(crate) const DEFENDER: JsonFormat = JsonFormat {
    name: "defender",
    about: "Microsoft Defender advanced hunting rows (streamed or JSON); connect events without bytes, sampled and folded: presence only, no clock",
    sights: SIGHTS,
    lacks,
    marks: &["\"DeviceId\"", "\"Timestamp\""],
    sensor: |_| Box::new(Defender),
    lenient: false,
};

/// Microsoft Defender advanced hunting, CSV of the portal.
pub(crate) const DEFENDER_CSV: rows::RowFormat = rows::RowFormat {
    name: "defender-csv",
    about: "Microsoft Defender advanced hunting rows (CSV of the portal); connect events without bytes, sampled and folded: presence only, no clock",
    sights: SIGHTS,
    lacks: lacks_header,
    sensor: |_| Box::new(Portal::default()),
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let streamed = record.text("category").is_some_and(|category| category.starts_with("AdvancedHunting-"));
    let columns = ["Timestamp", "DeviceId", "ActionType"].iter().all(|name| record.value(name).is_some());
    (!streamed && !columns).then(|| {
        "the first record has neither a `category` AdvancedHunting-… nor Timestamp, DeviceId, ActionType".to_owned()
    })
}

fn lacks_header(line: &str) -> Option<String> {
    let columns = rows::comma_separated(line).unwrap_or_default();
    let found = |name: &&str| columns.iter().any(|column| column == name);
    let missing = ["Timestamp", "DeviceId", "ActionType"].into_iter().find(|name| !found(name))?;
    Some(format!("the first line has no column {missing}"))
}

struct Defender;

impl Sensor for Defender {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let row = record.part("properties").unwrap_or(record);
        let Some(action) = row.text("ActionType") else { return Ok(Said::Skipped("table not used")) };
        let found = match &*action {
            "ConnectionSuccess" | "ConnectionAttempt" | "ConnectionRequest" | "ConnectionFailed" => {
                connect(row, place, texts)?
            }
            "ProcessCreated" => process(row, texts)?,
            "FileCreated" => file(row, FileEffectKind::Create, texts)?,
            "FileModified" => file(row, FileEffectKind::Write, texts)?,
            "FileDeleted" => file(row, FileEffectKind::Unlink, texts)?,
            "FileRenamed" => file(row, FileEffectKind::Rename, texts)?,
            _ => Err("action not used"),
        };
        match found {
            Ok(detail) => {
                let host = row.first(&["DeviceName", "DeviceId"]).map(|host| texts.text(&host));
                Ok(Said::one(row.time("Timestamp", Time::Utc)?, host, detail))
            }
            Err(reason) => Ok(Said::Skipped(reason)),
        }
    }
}

/// An event, or why there is none.
type Found = Result<Detail, &'static str>;

const OTHER_PLATFORM: &str = "host of another platform";

/// The program that acted. An error says why the row is of no use.
fn initiator(row: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, &'static str> {
    let folder = row.first(&["InitiatingProcessFolderPath", "InitiatingProcessFileName"]);
    let pid = row.number("InitiatingProcessId");
    if folder.is_none() && pid.is_none() {
        return Err("seen on the network, without a process");
    }
    if folder.as_ref().is_some_and(|folder| is_windows(folder)) {
        return Err(OTHER_PLATFORM);
    }
    let path = path_of(folder.as_deref(), row.text("InitiatingProcessFileName").as_deref());
    let parent = row.number::<u32>("InitiatingProcessParentId").filter(|parent| Some(*parent) != pid);
    Ok(ProcessImage {
        key: key(pid, row, "InitiatingProcessUniqueId", "InitiatingProcessCreationTime", texts),
        path: texts.some(path.as_deref()),
        signature: SignatureState::Unknown,
        parent: parent.map(|parent| ProcessKey::from_pid(parent, None)),
        ..ProcessImage::default()
    })
}

/// Which process: by the sensor's identifier where there is one, else by pid and the time it was created.
fn key(pid: Option<u32>, row: Fields<'_>, unique: &str, created: &str, texts: &mut Texts) -> ProcessKey {
    let by_time = || Some(format!("{}@{}", pid?, row.text(created)?));
    let instance = row.text(unique).map(|unique| unique.into_owned()).or_else(by_time);
    ProcessKey { pid, instance: texts.some(instance.as_deref()), ..ProcessKey::default() }
}

fn is_windows(path: &str) -> bool {
    path.get(1..3) == Some(":\\") || path.starts_with("\\\\") || path.contains(":\\")
}

/// The path of a program: the folder path is the whole path on macOS, but some rows give the folder alone.
fn path_of(folder: Option<&str>, name: Option<&str>) -> Option<String> {
    let folder = folder?;
    match name {
        Some(name) if folder.ends_with('/') => Some(format!("{folder}{name}")),
        _ => Some(folder.to_owned()),
    }
}

fn connect(row: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Found, String> {
    let process = match initiator(row, texts) {
        Ok(process) => process,
        Err(reason) => return Ok(Err(reason)),
    };
    let url = row.text("RemoteUrl").unwrap_or_default();
    let address = row.text("RemoteIP").unwrap_or_default();
    let near = row.text("LocalIP").unwrap_or_default();
    let found = Contact {
        far: contact::endpoint(&url, &address, row.number("RemotePort")),
        local: contact::socket(&near, row.number("LocalPort")),
        transport: contact::transport(row.text("Protocol").as_deref()),
        // The agent reports a repeated connection once in a while, and no row tells so: a clock in them is the agent's.
        opened: false,
        ..Contact::default()
    };
    let detail = found.detail(process, contact::number(&place.sha256));
    detail.map(Ok).ok_or_else(|| "expected `RemoteIP` or `RemoteUrl`".to_owned())
}

fn process(row: Fields<'_>, texts: &mut Texts) -> Result<Found, String> {
    let path = path_of(row.text("FolderPath").as_deref(), row.text("FileName").as_deref());
    if path.as_deref().is_some_and(is_windows) {
        return Ok(Err(OTHER_PLATFORM));
    }
    let pid = row.number::<u32>("ProcessId").ok_or("expected `ProcessId`")?;
    let before = initiator(row, texts).unwrap_or_default();
    let in_place = before.key.pid == Some(pid);
    let parent = if in_place { before.parent.clone() } else { Some(before.key.clone()) };
    let target = ProcessImage {
        key: key(Some(pid), row, "ProcessUniqueId", "ProcessCreationTime", texts),
        path: texts.some(path.as_deref()),
        parent: parent.filter(|parent| parent.pid.is_some_and(|parent| parent != pid)),
        ..ProcessImage::default()
    };
    let line = row.text("ProcessCommandLine").unwrap_or_default();
    let arguments = command_line::split(&line, target.path.as_deref());
    Ok(Ok(Detail::ProcessExec(Box::new(ProcessExec {
        previous: if in_place { before } else { ProcessImage::default() },
        target,
        arguments,
        script: None,
        working_directory: None,
        launch_label: None,
    }))))
}

fn file(row: Fields<'_>, effect: FileEffectKind, texts: &mut Texts) -> Result<Found, String> {
    let process = match initiator(row, texts) {
        Ok(process) => process,
        Err(reason) => return Ok(Err(reason)),
    };
    let name = row.text("FileName");
    let path = path_of(row.text("FolderPath").as_deref(), name.as_deref()).ok_or("expected `FolderPath`")?;
    let before = path_of(row.text("PreviousFolderPath").as_deref(), row.text("PreviousFileName").as_deref());
    Ok(Ok(deeds::touched(process, effect, &path, before.as_deref(), texts)))
}

/// The portal's CSV: rows by the names of their columns.
#[derive(Default)]
struct Portal {
    columns: Vec<String>,
}

impl rows::RowSensor for Portal {
    fn line(&mut self, line: &str, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let fields = rows::comma_separated(line).ok_or("expected comma-separated values with closed quotes")?;
        if self.columns.is_empty() {
            self.columns = fields;
            return Ok(Said::Skipped("header line"));
        }
        if fields.len() != self.columns.len() {
            return Err(format!("expected {} columns, found {}", self.columns.len(), fields.len()));
        }
        let row: Map<String, Value> = self.columns.iter().cloned().zip(fields.into_iter().map(Value::String)).collect();
        Defender.take(Fields(&Value::Object(row)), place, texts)
    }
}
