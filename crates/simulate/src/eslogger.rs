//! Records of `eslogger`: one JSON object a line, numbered by event type and in all.

use crate::{
    Moment,
    clock::{microsecond_text, nanosecond_text},
    mac::{Mac, Process, Subscription, Token},
    names,
    programs::Signature,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Event types that the simulation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Exec,
    Fork,
    Exit,
    Create,
    Close,
    Rename,
    Unlink,
    LaunchItemAdd,
    ServiceConnect,
}

impl Kind {
    /// Its key below `event`, and its number in `es_event_type_t`.
    const fn native(self) -> (&'static str, u32) {
        match self {
            Self::Exec => ("exec", 9),
            Self::Fork => ("fork", 11),
            Self::Close => ("close", 12),
            Self::Create => ("create", 13),
            Self::Exit => ("exit", 15),
            Self::Rename => ("rename", 25),
            Self::Unlink => ("unlink", 32),
            Self::LaunchItemAdd => ("btm_launch_item_add", 124),
            Self::ServiceConnect => ("xpc_connect", 145),
        }
    }

    pub(crate) const fn is_in(self, subscription: Subscription) -> bool {
        match subscription {
            Subscription::Nothing => false,
            Subscription::Starts => matches!(self, Self::Exec | Self::Fork),
            Subscription::Processes => matches!(self, Self::Exec | Self::Fork | Self::Exit),
            Subscription::Everything => true,
        }
    }
}

/// A record that waits for its numbers.
pub(crate) struct Pending {
    pub(crate) time: Moment,
    pub(crate) kind: Kind,
    pub(crate) process: Value,
    pub(crate) body: Value,
    /// Its number among the records of the host.
    pub(crate) number: u64,
}

/// An audit token, as this host writes it.
pub(crate) fn token(mac: &Mac, token: Token) -> Value {
    let Token { pid, version, user } = token;
    let group = if user == 0 { 0 } else { 20 };
    let (audit_user, session) = if user == 0 { (u32::MAX, 100_000) } else { (user, 100_015) };
    if mac.has_token_arrays {
        json!([audit_user, user, group, user, group, pid, session, version])
    } else {
        json!({
            "auid": audit_user, "euid": user, "egid": group, "ruid": user, "rgid": group,
            "pid": pid, "asid": session, "pidversion": version,
        })
    }
}

/// A file with a short `stat`.
pub(crate) fn file(mac: &Mac, path: &str) -> Value {
    json!({
        "path": path,
        "path_truncated": false,
        "stat": { "st_dev": 16_777_233, "st_ino": names::number(10_000_000, 99_999_999, &[&mac.name, path]), "st_mode": 33_188 },
    })
}

/// A process, as this host writes it.
pub(crate) fn process(mac: &Mac, process: &Process) -> Value {
    let program = &process.program;
    let mut value = json!({
        "audit_token": token(mac, process.token),
        "parent_audit_token": token(mac, process.parent),
        "responsible_audit_token": token(mac, process.responsible.unwrap_or(process.token)),
        "ppid": process.parent.pid,
        "original_ppid": process.parent.pid,
        "group_id": process.token.pid,
        "session_id": 1,
        "codesigning_flags": program.code_signing_flags(),
        "is_platform_binary": program.signature == Signature::Platform,
        "is_es_client": false,
        "signing_id": program.signing_id,
        "team_id": program.team(),
        "cdhash": program.cdhash(),
        "executable": file(mac, &program.path),
        "tty": null,
        "start_time": microsecond_text(process.started),
    });
    if mac.message_version >= 10
        && let Some(fields) = value.as_object_mut()
    {
        fields.insert("cs_validation_category".to_owned(), json!(program.validation_category()));
    }
    value
}

/// The body of an `exec`; `target` is the process as it is from now on.
pub(crate) fn exec(mac: &Mac, target: &Process, arguments: &[&str], label: &str) -> Value {
    let mut environment = vec!["PATH=/usr/bin:/bin:/usr/sbin:/sbin".to_owned(), format!("XPC_SERVICE_NAME={label}")];
    if target.token.user != 0 {
        environment.push(format!("HOME=/Users/{}", mac.user));
    }
    let mut value = json!({
        "target": process(mac, target),
        "args": arguments,
        "env": environment,
        "cwd": file(mac, "/"),
        "script": null,
        "dyld_exec_path": target.program.path,
        "fds": [{ "fd": 0, "fdtype": 1 }, { "fd": 1, "fdtype": 1 }, { "fd": 2, "fdtype": 1 }],
        "last_fd": 2,
        "image_cputype": 16_777_228,
        "image_cpusubtype": -2_147_483_646,
    });
    if mac.message_version >= 11
        && let Some(fields) = value.as_object_mut()
    {
        fields.insert("entitlements".to_owned(), json!({}));
    }
    value
}

/// Ticks of the 24 MHz clock of Apple silicon since boot, which stands still in sleep.
pub(crate) fn ticks(mac: &Mac, time: Moment) -> i64 {
    let asleep: i64 = mac.sleeps.iter().filter(|(_, awake)| *awake <= time).map(|(asleep, awake)| awake - asleep).sum();
    (time - mac.booted - asleep) / 1000 * 24
}

/// The records in order of time, each with its numbers. Records that were dropped keep theirs.
pub(crate) fn render(mac: &mut Mac) -> Vec<(Moment, String, u64)> {
    let mut pending = std::mem::take(&mut mac.pending);
    pending.sort_by_key(|record| record.time);
    let mut by_kind: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut records = Vec::with_capacity(pending.len());
    for (global, Pending { time, kind, process, body, number: own }) in pending.into_iter().enumerate() {
        let number = by_kind.entry(kind).or_default();
        let (name, event_type) = kind.native();
        let thread = names::number(2_000, 900_000, &[&mac.name, &global.to_string()]);
        let record = json!({
            "schema_version": 1,
            "version": mac.message_version,
            "time": nanosecond_text(time),
            "mach_time": ticks(mac, time),
            "event_type": event_type,
            "seq_num": *number,
            "global_seq_num": global,
            "action_type": 1,
            "action": { "result": { "result_type": 0, "result": { "auth": 0 } } },
            "thread": { "thread_id": thread },
            "process": process,
            "event": { name: body },
        });
        *number += 1;
        if mac.sensors.dropped.iter().all(|(from, until)| time < *from || *until <= time) {
            records.push((time, record.to_string(), own));
        }
    }
    records
}
