//! Jamf Protect before its present telemetry: OpenBSM records of the older telemetry, alerts, and web protection.
//!
//! A connect that does not block returns at once with the error "operation now in progress": an attempt, not a failure.
//! What a record calls `identity` is the program that made the call; after an exec that is the program before. Processes
//! have a pid and no version.

use crate::{
    endpoint::{Contact, Fields, JsonFormat, Place, Said, Sensor, Time, contact, fields},
    texts::{self, Texts},
};
use monologue_model::{
    Detail, DnsQuery, ProcessExec, ProcessExit, ProcessFork, ProcessImage, ProcessKey, Sight, SightSet, SignatureState,
    Timestamp,
};

/// Jamf Protect's older records.
pub(crate) const JAMF: JsonFormat = JsonFormat {
    name: "jamf",
    about: "Jamf Protect: telemetry before agent 5.4 (OpenBSM), alerts, web protection: presence only",
    sights: SightSet::of(&[
        Sight::ProcessExec,
        Sight::ProcessFork,
        Sight::ProcessExit,
        Sight::ProcessSignature,
        Sight::ProcessArguments,
        Sight::DnsQuery,
    ]),
    lacks,
    marks: &["\"host_info\"", "\"event_name\""],
    sensor: |_| Box::new(Jamf),
    lenient: false,
};

/// What a record is.
enum Kind {
    Audit,
    Alert,
    Web,
}

fn kind_of(record: Fields<'_>) -> Option<Kind> {
    if record.text("header.event_name").is_some() && record.part("host_info").is_some() {
        return Some(Kind::Audit);
    }
    let is_alert = record.part("match").is_some() && record.part("host").is_some() && record.value("related").is_some();
    let of_caller = record.text("caVersion").is_some() || record.text("input.match.uuid").is_some();
    if is_alert || of_caller || record.text("input.eventType").is_some_and(|kind| kind.starts_with("GP")) {
        return Some(Kind::Alert);
    }
    let vendor = record.first(&["event.metadata.vendor", "metadata.vendor"]);
    let product = record.first(&["event.metadata.product", "metadata.product"]);
    let is_web = vendor.is_some_and(|vendor| vendor == "Jamf") && product.is_some_and(|name| name.contains("Stream"));
    is_web.then_some(Kind::Web)
}

fn lacks(record: Fields<'_>) -> Option<String> {
    kind_of(record)
        .is_none()
        .then(|| "the first record is no audit record, alert or web event of Jamf Protect".to_owned())
}

struct Jamf;

impl Sensor for Jamf {
    fn take(&mut self, record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
        match kind_of(record) {
            Some(Kind::Audit) => audit(record, place, texts),
            Some(Kind::Alert) => Ok(Said::Skipped("alert: what was noticed, not what happened")),
            Some(Kind::Web) => web(record, texts),
            None => Err("expected an audit record, alert or web event of Jamf Protect".to_owned()),
        }
    }
}

fn audit(record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Said, String> {
    let name = record.text("header.event_name").ok_or("expected `header.event_name`")?;
    let detail = match &*name {
        "AUE_EXECVE" => exec(record, texts)?,
        "AUE_POSIX_SPAWN" => spawn(record, texts)?,
        "AUE_FORK" | "AUE_VFORK" => fork(record, texts)?,
        "AUE_EXIT" => Detail::ProcessExit(Box::new(ProcessExit {
            process: subject(record, texts)?,
            // Only 0 is the same as exit code and as wait status.
            status: record.number::<u32>("exit.status").filter(|status| *status == 0).map(|_| 0),
        })),
        "AUE_CONNECT" => match connect(record, place, texts)? {
            Some(detail) => detail,
            None => return Ok(Said::Skipped("socket of the machine itself")),
        },
        _ => return Ok(Said::Skipped("audit event not used")),
    };
    let seconds = record.text("header.time_seconds_epoch").ok_or("expected `header.time_seconds_epoch`")?;
    let offset = record.number::<u16>("header.time_milliseconds_offset").filter(|offset| *offset < 1000).unwrap_or(0);
    let time = Time::Seconds.read(&format!("{seconds}.{offset:03}")).map_err(|error| error.to_string())?;
    let host = record.first(&["host_info.host_name", "host_info.host_uuid"]).map(|host| texts.text(&host));
    Ok(Said::one(time, host, detail))
}

/// The process that made the call, with its signature.
fn subject(record: Fields<'_>, texts: &mut Texts) -> Result<ProcessImage, String> {
    let pid = record.number("subject.process_id").ok_or("expected `subject.process_id`")?;
    let team = record.text("identity.team_id");
    // 1 is a program of Apple's, 0 any other; without an identifier there is no signature to speak of.
    let by_apple = record.number::<u32>("identity.signer_type") == Some(1);
    let signing_id = record.text("identity.signer_id");
    let signature = match (signing_id.is_some(), by_apple, team.is_some()) {
        (true, true, _) => SignatureState::Platform,
        (true, false, true) => SignatureState::Team,
        _ => SignatureState::Unknown,
    };
    let path = record.text("subject.process_name").filter(|path| path.starts_with('/'));
    Ok(ProcessImage {
        key: ProcessKey::from_pid(pid, None),
        path: texts.some(path.as_deref()),
        signing_id: texts.some(signing_id.as_deref()),
        team_id: texts.some(team.as_deref()),
        cdhash: texts.cdhash(record.text("identity.cd_hash").as_deref()),
        signature,
        user_id: record.number("subject.effective_user_id"),
        parent: record.number("exec_chain_child.parent_pid").map(|pid| ProcessKey::from_pid(pid, None)),
        ..ProcessImage::default()
    })
}

/// The program that was begun: nothing in the record tells its signature.
fn begun(pid: u32, path: Option<&str>, record: Fields<'_>, texts: &mut Texts) -> Detail {
    let mut given: Vec<(u32, String)> = record
        .part("exec_args.args")
        .and_then(|arguments| arguments.0.as_object())
        .into_iter()
        .flatten()
        .filter_map(|(at, value)| Some((at.parse().ok()?, value.as_str()?.to_owned())))
        .collect();
    given.sort_unstable_by_key(|(at, _)| *at);
    let given: Vec<String> = given.into_iter().map(|(_, argument)| argument).take(texts::ARGUMENT_CAP).collect();
    let label = record.text("exec_env.env.XPC_SERVICE_NAME").filter(|label| label != "0");
    Detail::ProcessExec(Box::new(ProcessExec {
        previous: ProcessImage::default(),
        target: ProcessImage {
            key: ProcessKey::from_pid(pid, None),
            path: texts.some(path),
            user_id: record.number("subject.effective_user_id"),
            ..ProcessImage::default()
        },
        arguments: texts::arguments(&given),
        script: None,
        working_directory: None,
        launch_label: texts.some(label.as_deref()),
    }))
}

fn exec(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let pid = record.number("subject.process_id").ok_or("expected `subject.process_id`")?;
    let path = record.text("path");
    let mut detail = begun(pid, path.as_deref(), record, texts);
    if let Detail::ProcessExec(exec) = &mut detail {
        exec.target.parent = record.number("exec_chain_child.parent_pid").map(|pid| ProcessKey::from_pid(pid, None));
    }
    Ok(detail)
}

/// `posix_spawn`: the caller is the parent; the first path may be that of a file the child was given.
fn spawn(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let child = record.first(&["arguments.child_PID", "return.return_value"]).and_then(|pid| pid.parse().ok());
    let child = child.filter(|child| *child > 0).ok_or("expected a process number in `arguments.child_PID`")?;
    let program = record.text("exec_args.args.1");
    let paths = record.texts("path");
    let is_program = |path: &&std::borrow::Cow<'_, str>| {
        program.as_deref().is_some_and(|program| path.rsplit('/').next() == program.rsplit('/').next())
    };
    let path = paths.iter().find(is_program).map(|path| &**path);
    let path = path.or_else(|| program.as_deref().filter(|program| program.starts_with('/')));
    let mut detail = begun(child, path, record, texts);
    if let Detail::ProcessExec(exec) = &mut detail {
        exec.target.parent = record.number("subject.process_id").map(|pid| ProcessKey::from_pid(pid, None));
    }
    Ok(detail)
}

fn fork(record: Fields<'_>, texts: &mut Texts) -> Result<Detail, String> {
    let parent = subject(record, texts)?;
    let child = record.number("arguments.child_PID").ok_or("expected a process number in `arguments.child_PID`")?;
    let child =
        ProcessImage { key: ProcessKey::from_pid(child, None), parent: Some(parent.key.clone()), ..parent.clone() };
    Ok(Detail::ProcessFork(Box::new(ProcessFork { parent, child })))
}

/// Whatever the call returned, the process tried: a socket that does not block always "fails" at first.
fn connect(record: Fields<'_>, place: &Place, texts: &mut Texts) -> Result<Option<Detail>, String> {
    let Some(address) = record.first(&["socket_inet.ip_address", "socket_inet6.ip_address"]) else {
        // A socket of the file system has a path and no address.
        return Ok(None);
    };
    let port = record.first(&["socket_inet.port", "socket_inet6.port"]).and_then(|port| port.parse().ok());
    let found = Contact { far: contact::endpoint("", &address, port), opened: true, ..Contact::default() };
    Ok(found.detail(subject(record, texts)?, contact::number(&place.sha256)))
}

/// Web protection tells the names a device asked for, not which program did.
fn web(record: Fields<'_>, texts: &mut Texts) -> Result<Said, String> {
    let event = record.part("event").unwrap_or(record);
    if event.text("metadata.product").is_none_or(|product| product != "Network Traffic Stream") {
        return Ok(Said::Skipped("web threat: what was noticed, not what happened"));
    }
    if event.text("device.osType").is_some_and(|system| !system.to_ascii_uppercase().starts_with("MAC")) {
        return Ok(Said::Skipped("host of another platform"));
    }
    let name = event.text("hostName").ok_or("expected `hostName`")?;
    let host = event.first(&["device.userDeviceName", "device.externalId", "device.deviceId"]);
    let kind = event.text("dns.recordType");
    let code = event.text("dns.responseStatus");
    let time: Timestamp = event.time("timestamp", Time::Utc)?;
    let detail = Detail::Dns(Box::new(DnsQuery {
        process: None,
        originator: None,
        resolver: None,
        name: Some(name.to_ascii_lowercase().into()),
        name_hash: None,
        query_type: texts.some(kind.as_deref()),
        answers: event.texts("destination.ips").iter().filter_map(|ip| fields::address(ip)).collect(),
        response_code: texts.some(code.as_deref()),
    }));
    Ok(Said::one(time, host.map(|host| texts.text(&host)), detail))
}
