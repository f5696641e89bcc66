//! OCSF 1007 Process Activity: programs started, copied and ended, and connections to system services.

use super::{
    Interner,
    error::{Unexpected, need},
    process::{Actor, Process},
    shape::Shape,
};
use monologue_model::{Detail, ProcessExec, ProcessExit, ProcessFork, ServiceConnect};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct ProcessActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct ProcessRow<'a> {
    /// OCSF: who did it: the process before an exec, the parent of a fork. No process where a process ended or connected.
    actor: Actor<'a>,
    /// OCSF: the process it is about: after an exec, the copy of a fork, the one that ended or connected.
    process: Process<'a>,
    /// OCSF: exit code of a process that ended by itself. Follows from `monologue.wait_status`.
    exit_code: Option<i32>,
    /// What OCSF has no names for.
    monologue: ProcessActivityFacts<'a>,
}

/// What OCSF has no names for in process activity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ProcessActivityFacts<'a> {
    /// What happened: `exec`, `fork`, `exit` or `service-connect`.
    kind: ProcessKind,
    /// Command line in its parts, secrets redacted.
    arguments: Option<Vec<&'a str>>,
    /// The script that was run, for `#!` files.
    script: Option<&'a str>,
    /// Launch label (`XPC_SERVICE_NAME` of the environment).
    launch_label: Option<&'a str>,
    /// Raw wait status: signal in the low seven bits, exit code above eight. Null means nobody recorded it.
    wait_status: Option<i32>,
    /// The system service connected to, such as `com.apple.nsurlsessiond`.
    service: Option<&'a str>,
}

/// What happened to a process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ProcessKind {
    Exec,
    Fork,
    Exit,
    ServiceConnect,
}

impl ProcessActivityFacts<'_> {
    const fn of(kind: ProcessKind) -> Self {
        Self { kind, arguments: None, script: None, launch_label: None, wait_status: None, service: None }
    }
}

const NOBODY: Actor<'static> = Actor { process: None };

/// OCSF activities of the class.
const LAUNCH: i32 = 1;
const TERMINATE: i32 = 2;
const OTHER: i32 = 99;

fn exec(exec: &ProcessExec) -> ProcessRow<'_> {
    let mut process = Process::of(&exec.target);
    process.cmd_line = (!exec.arguments.is_empty()).then(|| exec.arguments.join(" ").into());
    process.working_directory = exec.working_directory.as_deref();
    ProcessRow {
        actor: Actor::of(&exec.previous),
        process,
        exit_code: None,
        monologue: ProcessActivityFacts {
            arguments: Some(exec.arguments.iter().map(String::as_str).collect()),
            script: exec.script.as_deref(),
            launch_label: exec.launch_label.as_deref(),
            ..ProcessActivityFacts::of(ProcessKind::Exec)
        },
    }
}

impl Shape for ProcessActivity {
    type Row<'a> = ProcessRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, ProcessRow<'_>)> {
        Some(match detail {
            Detail::ProcessExec(detail) => (LAUNCH, exec(detail)),
            Detail::ProcessFork(fork) => (
                LAUNCH,
                ProcessRow {
                    actor: Actor::of(&fork.parent),
                    process: Process::of(&fork.child),
                    exit_code: None,
                    monologue: ProcessActivityFacts::of(ProcessKind::Fork),
                },
            ),
            Detail::ProcessExit(exit) => (
                TERMINATE,
                ProcessRow {
                    actor: NOBODY,
                    process: Process::of(&exit.process),
                    exit_code: exit.status.filter(|status| status & 0x7f == 0).map(|status| status >> 8 & 0xff),
                    monologue: ProcessActivityFacts {
                        wait_status: exit.status,
                        ..ProcessActivityFacts::of(ProcessKind::Exit)
                    },
                },
            ),
            Detail::ServiceConnect(connect) => (
                OTHER,
                ProcessRow {
                    actor: NOBODY,
                    process: Process::of(&connect.process),
                    exit_code: None,
                    monologue: ProcessActivityFacts {
                        service: Some(&connect.service),
                        ..ProcessActivityFacts::of(ProcessKind::ServiceConnect)
                    },
                },
            ),
            _ => return None,
        })
    }

    fn detail(row: ProcessRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        let facts = row.monologue;
        let process = row.process.image(interner)?;
        let mut actor = || need(row.actor.image(interner)?, "actor.process");
        Ok(match facts.kind {
            ProcessKind::Exec => Detail::ProcessExec(Box::new(ProcessExec {
                previous: actor()?,
                target: process,
                arguments: need(facts.arguments, "monologue.arguments")?.into_iter().map(str::to_owned).collect(),
                script: interner.option(facts.script),
                working_directory: interner.option(row.process.working_directory),
                launch_label: interner.option(facts.launch_label),
            })),
            ProcessKind::Fork => Detail::ProcessFork(Box::new(ProcessFork { parent: actor()?, child: process })),
            ProcessKind::Exit => Detail::ProcessExit(Box::new(ProcessExit { process, status: facts.wait_status })),
            ProcessKind::ServiceConnect => Detail::ServiceConnect(Box::new(ServiceConnect {
                process,
                service: interner.text(need(facts.service, "monologue.service")?),
            })),
        })
    }
}
