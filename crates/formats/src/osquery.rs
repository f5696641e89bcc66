//! osquery results: events, batches and snapshots, one JSON object a line.
//!
//! The name of a query is the user's, so a table is told by its columns. All values are texts. The time of a result is
//! that of the query; rows of event tables have their own, in seconds. A socket that is gone since the last query says
//! nothing of when it went, and a socket that came and went between two queries is never seen: presence only.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, Told, command_line, contact},
    texts::Texts,
};
use monologue_model::{
    Detail, FileEffect, FileEffectKind, ProcessExec, ProcessExit, ProcessFork, ProcessImage, ProcessKey, Sight,
    SightSet, SignatureState, Timestamp,
};
use serde_json::Value;
use std::sync::Arc;

/// osquery results.
pub(crate) const OSQUERY: JsonFormat = JsonFormat {
    name: "osquery",
    about: "osquery results (es_process_events, es_process_file_events, process_open_sockets and alike): presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessFork,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::FileEffect,
    ]),
    lacks,
    marks: &["\"name\"", "\"action\""],
    sensor: |_| Box::new(Osquery),
    lenient: false,
};

fn lacks(record: Fields<'_>) -> Option<String> {
    let has_rows = ["columns", "diffResults", "snapshot"].iter().any(|name| record.value(name).is_some());
    let is_result = record.value("name").is_some() && has_rows;
    (!is_result).then(|| "the first record has no `name` with `columns`, `diffResults` or `snapshot`".to_owned())
}

/// Which table a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    /// `es_process_events`.
    Process,
    /// `es_process_file_events`.
    File,
    /// `process_open_sockets`, and what joins it.
    Sockets,
    /// `socket_events` (OpenBSM, macOS 10.15 and older).
    SocketEvents,
    /// `process_events` (OpenBSM).
    Audit,
}

fn table_of(row: Fields<'_>) -> Option<Table> {
    let has = |names: &[&str]| names.iter().all(|name| row.value(name).is_some());
    if has(&["remote_address", "remote_port", "pid"]) {
        let is_event = has(&["action"]) || has(&["success"]) || has(&["socket", "time"]);
        return Some(if is_event { Table::SocketEvents } else { Table::Sockets });
    }
    if has(&["pid", "event_type"]) && (has(&["filename"]) || has(&["dest_filename"])) {
        return Some(Table::File);
    }
    if has(&["pid", "event_type", "path"]) && (has(&["pidversion"]) || has(&["global_seq_num"])) {
        return Some(Table::Process);
    }
    (has(&["pid", "path", "cmdline", "parent", "time"]) && (has(&["auid"]) || has(&["syscall"])))
        .then_some(Table::Audit)
}

struct Osquery;

impl Sensor for Osquery {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        let rows = rows(record);
        let Some(table) = rows.iter().find_map(|row| table_of(Fields(row))) else {
            return Ok(Said::Skipped("table not used"));
        };
        if record.text("action").is_some_and(|action| action == "removed") && table == Table::Sockets {
            return Ok(Said::Skipped("socket that was gone at the time of the query"));
        }
        let host = record.first(&["decorations.hostname", "hostIdentifier", "decorations.host_uuid"]);
        let host = host.map(|host| texts.text(&host));
        let asked = ["unixTime", "calendarTime"].into_iter().find(|name| record.value(name).is_some());
        let asked = match asked {
            Some("unixTime") => Some(record.time("unixTime", Time::Seconds)?),
            Some(_) => Some(calendar(&record.text("calendarTime").unwrap_or_default())?),
            None => None,
        };
        let mut events = Vec::new();
        for row in rows.iter().map(|row| Fields(row)) {
            let Some(table) = table_of(row) else { continue };
            if let Some((own_time, detail)) = event(row, table, place, texts)? {
                let time = own_time.or(asked).ok_or("expected `unixTime` or `calendarTime`")?;
                events.push(Told { time, host: host.clone(), detail });
            }
        }
        Ok(Said::Events(events))
    }
}

/// Rows of a result that say what is or was there.
fn rows<'a>(record: Fields<'a>) -> Vec<&'a Value> {
    if let Some(columns) = record.value("columns") {
        return vec![columns];
    }
    match record.value("snapshot") {
        Some(_) => record.list("snapshot").iter().collect(),
        None => record.list("diffResults.added").iter().collect(),
    }
}

/// `Mon May  2 22:27:32 2016 UTC`, or RFC 3339 without a zone.
fn calendar(text: &str) -> Result<Timestamp, String> {
    let mut words = text.split_whitespace();
    let (Some(_), Some(month), Some(day), Some(clock), Some(year)) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Time::Utc.read(text).map_err(|error| format!("in `calendarTime`: {error}"));
    };
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month).map_or(0, |at| at + 1);
    Time::Utc
        .read(&format!("{year}-{month:02}-{day:0>2} {clock}"))
        .map_err(|error| format!("in `calendarTime`: {error}"))
}

/// The event of a row, with the row's own time where it has one. `None` for a row that says nothing of use.
fn event(
    row: Fields<'_>,
    table: Table,
    place: &Place,
    texts: &mut Texts,
) -> Result<Option<(Option<Timestamp>, Detail)>, String> {
    let own = match table {
        Table::Sockets => None,
        _ => row.value("time").map(|_| row.time("time", Time::Seconds)).transpose()?,
    };
    let detail = match table {
        Table::Process => process(row, texts)?,
        Table::Audit => Some(audit(row, texts)?),
        Table::File => file(row, texts)?,
        Table::Sockets => socket(row, None, texts)?,
        Table::SocketEvents => match row.text("action").as_deref() {
            None | Some("connect") => socket(row, Some(contact::number(&place.sha256)), texts)?,
            Some(_) => None,
        },
    };
    Ok(detail.map(|detail| (own, detail)))
}

fn image(row: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    let pid = row.number("pid").ok_or("expected a process number in `pid`")?;
    let team = row.text("team_id");
    let path = row.first(&["path", "process_path"]);
    let platform = row.flag("platform_binary");
    // Flags are written as names.
    let is_adhoc = row.text("codesigning_flags").is_some_and(|flags| flags.to_ascii_uppercase().contains("ADHOC"));
    let signature = match (platform, team.is_some()) {
        (Some(true), _) => SignatureState::Platform,
        _ if is_adhoc => SignatureState::AdHoc,
        (_, true) => SignatureState::Team,
        _ => SignatureState::Unknown,
    };
    let other = |pid: &str, version: &str| {
        let pid: u32 = row.number(pid)?;
        Some(ProcessKey::from_pid(pid, row.number(version)))
    };
    Ok(ProcessImage {
        key: ProcessKey::from_pid(pid, row.number("pidversion")),
        path: texts.some(path.as_deref()),
        signing_id: texts.some(row.text("signing_id").as_deref()),
        team_id: texts.some(team.as_deref()),
        cdhash: texts.cdhash(row.text("cdhash").as_deref()),
        code_uuid: None,
        signature,
        user_id: row.first(&["euid", "uid"]).and_then(|uid| uid.parse().ok()),
        parent: other("parent", "parent_pidversion"),
        responsible: other("responsible_pid", "responsible_pidversion"),
    })
}

fn exec(target: ProcessImage, row: Fields<'_>, texts: &mut Texts) -> Detail {
    let line = row.text("cmdline").unwrap_or_default();
    let arguments = command_line::split(&line, target.path.as_deref());
    let folder = row.text("cwd");
    Detail::ProcessExec(Box::new(ProcessExec {
        previous: ProcessImage::default(),
        target,
        arguments,
        script: None,
        working_directory: texts.some(folder.as_deref()),
        launch_label: label(row, texts),
    }))
}

/// The launch label out of an environment. All else in it may be secret and is never kept.
fn label(row: Fields<'_>, texts: &mut Texts) -> Option<Arc<str>> {
    let environment = row.text("env")?;
    let mut variables = environment.split([' ', ',', '\n']);
    let label = variables.find_map(|variable| variable.strip_prefix("XPC_SERVICE_NAME="))?;
    Some(label).filter(|label| !matches!(*label, "" | "0")).map(|label| texts.text(label))
}

fn process(row: Fields<'_>, texts: &mut Texts) -> Result<Option<Detail>, String> {
    let image = image(row, texts)?;
    Ok(Some(match row.text("event_type").as_deref() {
        Some("exec") => exec(image, row, texts),
        Some("fork") => {
            let child = row.number("child_pid").ok_or("expected a process number in `child_pid`")?;
            let child = ProcessImage {
                key: ProcessKey::from_pid(child, None),
                parent: Some(image.key.clone()),
                responsible: None,
                ..image.clone()
            };
            Detail::ProcessFork(Box::new(ProcessFork { parent: image, child }))
        }
        Some("exit") => {
            // The number may be an exit code or a raw wait status; only 0 is the same in both.
            let status = row.number::<u32>("exit_code").filter(|code| *code == 0).map(|_| 0);
            Detail::ProcessExit(Box::new(ProcessExit { process: image, status }))
        }
        _ => return Ok(None),
    }))
}

fn audit(row: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let image = image(row, texts)?;
    Ok(exec(image, row, texts))
}

fn file(row: Fields<'_>, texts: &mut Texts) -> Result<Option<Detail>, String> {
    let effect = match row.text("event_type").as_deref() {
        Some("create") => FileEffectKind::Create,
        Some("write" | "close") => FileEffectKind::Write,
        Some("rename") => FileEffectKind::Rename,
        Some("unlink") => FileEffectKind::Unlink,
        Some("truncate") => FileEffectKind::Write,
        _ => return Ok(None),
    };
    let process = image(row, texts)?;
    let path = row.first(&["filename", "dest_filename"]).ok_or("expected `filename`")?;
    let target = row.text("dest_filename").filter(|target| *target != path);
    let (path, target) = (texts.text(&path), target.map(|target| texts.text(&target)));
    Ok(Some(Detail::FileEffect(Box::new(FileEffect { process, effect, path, target }))))
}

/// A socket: seen to be there, or, with the number of its record, connected then.
fn socket(row: Fields<'_>, event: Option<u64>, texts: &mut Texts) -> Result<Option<Detail>, String> {
    let listens = row.text("state").is_some_and(|state| state.eq_ignore_ascii_case("LISTEN"));
    let far = row.text("remote_address").unwrap_or_default();
    let port = row.number::<u16>("remote_port").filter(|port| *port != 0);
    let end = contact::endpoint("", &far, port);
    // A socket without a far end waits for others, or is not connected.
    if listens || end.address.is_none() || port.is_none() {
        return Ok(None);
    }
    let process = image(row, texts)?;
    let near = row.text("local_address").unwrap_or_default();
    let local = contact::socket(&near, row.number("local_port"));
    let words = [
        process.key.pid.unwrap_or(0).to_string(),
        local.map(|local| local.to_string()).unwrap_or_default(),
        far.to_string(),
        port.unwrap_or(0).to_string(),
    ];
    let number = event.unwrap_or_else(|| contact::number_of(&words.each_ref().map(String::as_str)));
    let found = Contact {
        far: end,
        local,
        transport: contact::transport(row.text("protocol").as_deref()),
        opened: event.is_some(),
        ..Contact::default()
    };
    Ok(found.detail(process, number))
}
