//! The state of each API request, as a reader of the raw lines would fill the state table.

use super::tasks::{Task, gather, shows_responses};
use crate::coverage::Coverage;
use monologue_model::{Detail, Event, FailedCheck, Handling, Reply};
use std::sync::Arc;

/// What the log shows of one API request, decided: the state table as a reader of the raw lines would fill it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskState {
    /// The process that logged it.
    pub pid: Option<u32>,
    /// The task's UUID: 32 hexadecimal digits, upper case.
    pub uuid: Arc<str>,
    /// The task's number in its session.
    pub number: u64,
    /// How the response was taken.
    pub handling: Handling,
    /// Why it cannot be called unanswered, though the log shows no response. `None`: it can, or the log shows one.
    pub failed_check: Option<FailedCheck>,
    /// What came back.
    pub reply: Reply,
    /// HTTP status. `None` means nobody recorded one.
    pub status: Option<u16>,
    /// Bytes received, header and body. `None` means nobody recorded it.
    pub response_bytes: Option<u64>,
    /// The reply window runs past the end of the log.
    pub pending: bool,
}

/// The state of every API request in the events of one host. Requests served from the cache, or never sent for a reason
/// of our own side, are no exchanges and left out.
#[must_use]
pub fn task_states(events: &[Event]) -> Vec<TaskState> {
    let coverage = Coverage::from_records(events.iter().filter_map(|event| match &event.detail {
        Detail::Coverage(record) => Some(record),
        _ => None,
    }));
    let tasks = gather(Vec::new(), events);
    let shows = shows_responses(&tasks);
    let state = |task: &Task| {
        let outcome = task.outcome(&coverage, shows, None).filter(|outcome| !outcome.stayed_home)?;
        Some(TaskState {
            pid: task.process.key.pid,
            uuid: task.id.uuid.clone(),
            number: task.id.number,
            handling: outcome.handling,
            failed_check: outcome.failed_check,
            reply: outcome.reply,
            status: outcome.status,
            response_bytes: outcome.response_bytes.value,
            pending: outcome.pending,
        })
    };
    tasks.iter().filter_map(state).collect()
}
