//! One Mac: its processes, and what its own sensors record of them.

use crate::{
    Moment,
    chance::Chance,
    clock::{MILLISECOND, SECOND},
    disturbance::Conditions,
    eslogger::{self, Kind, Pending},
    names,
    programs::{self, Program},
    unified_log::Line,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// What of the endpoint a recording of `eslogger` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subscription {
    /// `eslogger` does not run.
    Nothing,
    /// Only `exec` and `fork`.
    Starts,
    /// Only `exec`, `fork` and `exit`.
    Processes,
    /// All event types of the simulation.
    Everything,
}

/// Which sensors a host has.
#[derive(Clone, Debug)]
pub(crate) struct Sensors {
    pub(crate) endpoint: Subscription,
    /// Whether the unified log is exported.
    pub(crate) unified_log: bool,
    /// Whether its traffic passes the network sensor.
    pub(crate) network: bool,
    /// Stretches whose endpoint records were dropped.
    pub(crate) dropped: Vec<(Moment, Moment)>,
}

/// Which process, for ever: a process identifier is used again, with another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) pid: u32,
    pub(crate) version: u32,
    pub(crate) user: u32,
}

/// A running process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) token: Token,
    pub(crate) parent: Token,
    /// The process the user holds answerable. `None` stands for itself.
    pub(crate) responsible: Option<Token>,
    pub(crate) program: Program,
    pub(crate) started: Moment,
    /// Connections of CFNetwork so far; they are numbered by process.
    pub(crate) connections: u32,
    /// Tasks of its URL session so far.
    pub(crate) tasks: u32,
    /// Number of the record of the `exec` by which its program began; 0 where nobody wrote one.
    pub(crate) begun_by: u64,
}

/// A Mac.
pub(crate) struct Mac {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) sensors: Sensors,
    pub(crate) conditions: Conditions,
    /// Stretches in which it sleeps and nothing of it is recorded.
    pub(crate) sleeps: Vec<(Moment, Moment)>,
    /// Version of the messages of Endpoint Security.
    pub(crate) message_version: u32,
    /// Whether audit tokens are arrays of eight numbers.
    pub(crate) has_token_arrays: bool,
    pub(crate) booted: Moment,
    pub(crate) pending: Vec<Pending>,
    pub(crate) lines: Vec<Line>,
    next_pid: u32,
    next_version: u32,
    next_port: u16,
    last_record: u64,
    /// What began since the recording did and has not ended, by pid.
    alive: BTreeMap<u32, Process>,
}

/// Process identifier of the first process of the recording.
const FIRST_PID: u32 = 4_000;

impl Mac {
    pub(crate) fn new(name: &str, user: &str, address: Ipv4Addr, sensors: Sensors, start: Moment) -> Self {
        let uptime_hours = i64::try_from(names::number(20, 400, &["uptime", name])).unwrap_or(20);
        Self {
            name: name.to_owned(),
            user: user.to_owned(),
            address,
            sensors,
            conditions: Conditions::default(),
            sleeps: Vec::new(),
            message_version: 11,
            has_token_arrays: false,
            booted: start - uptime_hours * 3600 * SECOND,
            pending: Vec::new(),
            lines: Vec::new(),
            next_pid: FIRST_PID,
            next_version: 40_000,
            next_port: 49_152,
            last_record: 0,
            alive: BTreeMap::new(),
        }
    }

    /// Whether it is awake from then until then.
    pub(crate) fn is_awake(&self, from: Moment, until: Moment) -> bool {
        self.sleeps.iter().all(|(asleep, awake)| until < *asleep || *awake < from)
    }

    pub(crate) fn boot_uuid(&self) -> String {
        names::uuid(&["boot", &self.name])
    }

    /// A free local port.
    pub(crate) fn port(&mut self, chance: &mut Chance) -> u16 {
        let step = u16::try_from(chance.whole(1, 3)).unwrap_or(1);
        self.next_port = if self.next_port > 65_000 { 49_152 + step } else { self.next_port + step };
        self.next_port
    }

    /// `launchd` itself.
    pub(crate) fn launchd(&self) -> Process {
        let token = Token { pid: 1, version: names::number(600, 900, &["launchd", &self.name]) as u32, user: 0 };
        let mut process = self.already_running(programs::launchd(), 0);
        process.token = token;
        process.parent = Token { pid: 0, version: 0, user: 0 };
        process.started = self.booted;
        process
    }

    /// A process that has been running since before recording began.
    pub(crate) fn already_running(&self, program: Program, user: u32) -> Process {
        // What a host adds keeps programs apart that the first number keeps apart.
        let pid =
            (names::number(300, 3_300, &["pid", &program.path]) + names::number(0, 500, &["shift", &self.name])) as u32;
        let launchd = Token { pid: 1, version: names::number(600, 900, &["launchd", &self.name]) as u32, user: 0 };
        Process {
            token: Token { pid, version: pid * 3 + 1, user },
            parent: launchd,
            responsible: None,
            program,
            started: self.booted + 60 * SECOND,
            connections: 0,
            tasks: 0,
            begun_by: 0,
        }
    }

    /// A number for the next record of this host.
    pub(crate) const fn number_record(&mut self) -> u64 {
        self.last_record += 1;
        self.last_record
    }

    /// Writes a record, if it is subscribed to, and gives its number or 0.
    fn record(&mut self, time: Moment, kind: Kind, process: &Process, body: Value) -> u64 {
        if !kind.is_in(self.sensors.endpoint) {
            return 0;
        }
        let process = eslogger::process(self, process);
        let number = self.number_record();
        self.pending.push(Pending { time, kind, process, body, number });
        number
    }

    /// A child with the program of its parent.
    pub(crate) fn fork(&mut self, time: Moment, parent: &Process, chance: &mut Chance) -> Process {
        self.next_pid += chance.whole(1, 3) as u32;
        self.next_version += chance.whole(3, 9) as u32;
        let child = Process {
            token: Token { pid: self.next_pid, version: self.next_version, user: parent.token.user },
            parent: parent.token,
            responsible: Some(parent.responsible.unwrap_or(parent.token)).filter(|token| token.pid != 1),
            program: parent.program.clone(),
            started: time,
            connections: 0,
            tasks: 0,
            begun_by: 0,
        };
        let body = json!({ "child": eslogger::process(self, &child) });
        self.record(time, Kind::Fork, parent, body);
        self.alive.insert(child.token.pid, child.clone());
        child
    }

    /// The process becomes another program.
    pub(crate) fn exec(
        &mut self,
        time: Moment,
        process: &mut Process,
        program: Program,
        arguments: &[&str],
        label: &str,
    ) {
        let previous = process.clone();
        process.program = program;
        process.token.version += 1;
        let body = eslogger::exec(self, process, arguments, label);
        process.begun_by = self.record(time, Kind::Exec, &previous, body);
        self.alive.insert(process.token.pid, process.clone());
    }

    /// A job of `launchd`: fork, `xpcproxy`, then the program itself.
    pub(crate) fn launch(
        &mut self,
        time: Moment,
        label: &str,
        program: Program,
        arguments: &[&str],
        user: u32,
        chance: &mut Chance,
    ) -> Process {
        let mut process = self.fork(time, &self.launchd(), chance);
        let proxy = programs::launch_proxy();
        self.exec(time + MILLISECOND, &mut process, proxy, &["xpcproxy", label], label);
        process.token.user = user;
        self.exec(time + 7 * MILLISECOND, &mut process, program, arguments, label);
        process
    }

    pub(crate) fn exit(&mut self, time: Moment, process: &Process, status: i32) {
        self.alive.remove(&process.token.pid);
        self.record(time, Kind::Exit, process, json!({ "stat": status }));
    }

    /// Ends what began since the recording did, as a shutdown does: children before their parents.
    pub(crate) fn shut_down(&mut self, time: Moment) {
        for process in std::mem::take(&mut self.alive).into_values().rev() {
            self.record(time, Kind::Exit, &process, json!({ "stat": 15 }));
        }
    }

    /// A new file appears.
    pub(crate) fn create(&mut self, time: Moment, process: &Process, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let body = json!({
            "acl": null,
            "destination_type": 1,
            "destination": { "new_path": { "dir": eslogger::file(self, folder), "filename": name, "mode": 33188 } },
        });
        self.record(time, Kind::Create, process, body);
    }

    pub(crate) fn close(&mut self, time: Moment, process: &Process, path: &str, is_modified: bool) {
        let body = json!({
            "modified": is_modified,
            "was_mapped_writable": false,
            "target": eslogger::file(self, path),
        });
        self.record(time, Kind::Close, process, body);
    }

    /// A new file appears and is written.
    pub(crate) fn write_new(&mut self, time: Moment, process: &Process, path: &str) {
        self.create(time, process, path);
        self.close(time + 2 * MILLISECOND, process, path, true);
    }

    pub(crate) fn rename(&mut self, time: Moment, process: &Process, from: &str, to: &str) {
        let body = json!({
            "source": eslogger::file(self, from),
            "destination_type": 0,
            "destination": { "existing_file": eslogger::file(self, to) },
        });
        self.record(time, Kind::Rename, process, body);
    }

    pub(crate) fn unlink(&mut self, time: Moment, process: &Process, path: &str) {
        let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
        let body = json!({ "target": eslogger::file(self, path), "parent_dir": eslogger::file(self, folder) });
        self.record(time, Kind::Unlink, process, body);
    }

    /// Background task management learns of a launch item; `by` installed it.
    pub(crate) fn add_launch_item(&mut self, time: Moment, by: &Process, plist: &str, executable: &str, user: u32) {
        let manager = self.already_running(
            Program::platform(
                "/System/Library/PrivateFrameworks/BackgroundTaskManagement.framework/Versions/A/Resources/backgroundtaskmanagementd",
                "com.apple.backgroundtaskmanagementd",
            ),
            0,
        );
        let instigator = eslogger::process(self, by);
        let body = json!({
            "executable_path": executable,
            "instigator": instigator,
            "instigator_token": eslogger::token(self, by.token),
            "app": null,
            "app_token": null,
            "item": {
                "item_type": if user == 0 { 4 } else { 3 },
                "legacy": true,
                "managed": false,
                "uid": user,
                "item_url": format!("file://{}", plist.replace(' ', "%20")),
                "app_url": "",
            },
        });
        self.record(time, Kind::LaunchItemAdd, &manager, body);
    }

    pub(crate) fn connect_service(&mut self, time: Moment, process: &Process, service: &str) {
        self.record(time, Kind::ServiceConnect, process, json!({ "service_name": service, "service_domain_type": 1 }));
    }
}
