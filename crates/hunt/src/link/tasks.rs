//! API requests: the facts of one task as a set, decided at the end, never a strict sequence (lines arrive out of order).

use crate::{coverage::Coverage, settings};
use monologue_model::{
    BackgroundFact, ByteCount, ByteLayer, Detail, Event, FailedCheck, Handling, ProcessImage, Provenance, Reply,
    RequestBody, Sight, TaskFact, TaskId, TaskSummary, Timestamp, WitnessKind,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Cancelled by the client (`NSURLErrorCancelled`).
const CANCELLED: i64 = -999;

/// Errors after which nothing was ever sent to a server: bad or unsupported URL, host not found, offline, TLS and
/// certificate failures (`NSURLError` documentation).
const NEVER_SENT_ERRORS: &[i64] = &[-1000, -1002, -1003, -1006, -1009, -1020, -1022];

/// Errors that mean the connection or the answer did not come: timed out, cannot connect, connection lost.
const NO_ANSWER_ERRORS: &[i64] = &[-1001, -1004, -1005];

/// Everything the log says of one API request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(super) id: TaskId,
    pub(crate) process: ProcessImage,
    pub(crate) format: Arc<str>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    resumed: Option<(Timestamp, Option<f64>)>,
    modern_loader: bool,
    pub(crate) connection: Option<u64>,
    sent: Option<(Timestamp, RequestBody, Provenance)>,
    responses: Vec<(Timestamp, i32, Provenance)>,
    ended: bool,
    summaries: Vec<(TaskSummary, Provenance)>,
    finished: bool,
    failed: Option<(Timestamp, i64, Provenance)>,
    load_failed: Option<(u64, u64)>,
    acknowledged: Option<Provenance>,
    /// The application a background request belongs to, by bundle identifier.
    pub(crate) bundle: Option<Arc<str>>,
    /// That application went away.
    left: Option<(Timestamp, Provenance)>,
    first_provenance: Provenance,
}

/// The end of the process that asked, where it was recorded.
pub(crate) type End = (Timestamp, Provenance);

/// What became of one API request.
#[derive(Clone, Debug)]
pub(crate) struct TaskOutcome {
    pub(crate) time: Timestamp,
    pub(crate) handling: Handling,
    /// The log shows that no request left the Mac: an exchange only if the wire shows one.
    pub(crate) stayed_home: bool,
    pub(crate) failed_check: Option<FailedCheck>,
    pub(crate) reply: Reply,
    pub(crate) pending: bool,
    /// When the answer was there: the end of the response, else its headers, else the end of the task.
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) status: Option<u16>,
    pub(crate) request_bytes: ByteCount,
    pub(crate) response_bytes: ByteCount,
    pub(crate) cites: Vec<(WitnessKind, Provenance)>,
}

/// Boot, pid and the task's identifier.
type TaskKey = (Option<Arc<str>>, Option<u32>, TaskId);

/// All tasks of one host, in the order of their first line: those still held from before, and what `events` say.
pub(crate) fn gather(held: Vec<Task>, events: &[Event]) -> Vec<Task> {
    let mut tasks: BTreeMap<TaskKey, Task> = held.into_iter().map(|task| (task.key(), task)).collect();
    for event in events {
        let (process, id) = match &event.detail {
            Detail::Task(task) => (&task.process, Some(&task.task)),
            Detail::Background(task) => (&task.process, task.task.as_ref()),
            _ => continue,
        };
        if let Detail::Background(entry) = &event.detail
            && let BackgroundFact::ClientDisconnected { bundle: Some(bundle) } = &entry.fact
        {
            // A session ends for all its requests so far.
            let of_bundle = |task: &&mut Task| task.bundle.as_ref() == Some(bundle) && task.left.is_none();
            tasks
                .values_mut()
                .filter(of_bundle)
                .for_each(|task| task.left = Some((event.time, event.provenance.clone())));
        }
        let Some(id) = id else { continue };
        let key = (process.key.boot.clone(), process.key.pid, id.clone());
        let task = tasks.entry(key).or_insert_with(|| Task::new(id, process, event));
        task.first = task.first.min(event.time);
        task.last = task.last.max(event.time);
        match &event.detail {
            Detail::Task(entry) => task.add(&entry.fact, event),
            Detail::Background(entry) => match &entry.fact {
                BackgroundFact::Acknowledged { .. } => task.acknowledged = Some(event.provenance.clone()),
                BackgroundFact::BelongsTo { bundle } => task.bundle = Some(bundle.clone()),
                BackgroundFact::ClientDisconnected { .. } => {}
            },
            _ => {}
        }
    }
    let mut tasks: Vec<Task> = tasks.into_values().collect();
    tasks.sort_by(|one, other| (one.first, &one.first_provenance).cmp(&(other.first, &other.first_provenance)));
    tasks
}

impl Task {
    fn key(&self) -> TaskKey {
        (self.process.key.boot.clone(), self.process.key.pid, self.id.clone())
    }

    /// When nothing more is expected of it. `None`: it is still open, or the log has not yet been shown to hold
    /// responses at all, so that the lack of one means nothing.
    pub(crate) fn settles_at(&self, log_shows_responses: bool) -> Option<Timestamp> {
        let ended = self.finished || self.failed.is_some() || !self.summaries.is_empty();
        let background_unclaimed = self.bundle.is_some() && self.acknowledged.is_none();
        (ended && !background_unclaimed && (log_shows_responses || self.answered()))
            .then(|| self.last.saturating_add(settings::SETTLE_NS))
    }

    fn new(id: &TaskId, process: &ProcessImage, event: &Event) -> Self {
        Self {
            id: id.clone(),
            process: process.clone(),
            format: event.format.clone(),
            first: event.time,
            last: event.time,
            resumed: None,
            modern_loader: false,
            connection: None,
            sent: None,
            responses: Vec::new(),
            ended: false,
            summaries: Vec::new(),
            finished: false,
            failed: None,
            load_failed: None,
            acknowledged: None,
            bundle: None,
            left: None,
            first_provenance: event.provenance.clone(),
        }
    }

    fn add(&mut self, fact: &TaskFact, event: &Event) {
        match fact {
            TaskFact::Resumed { request_timeout_s, modern_loader, .. } => {
                self.resumed = Some((event.time, *request_timeout_s));
                self.modern_loader |= modern_loader;
            }
            TaskFact::ConnectionAssigned { connection } | TaskFact::ConnectionReleased { connection } => {
                self.connection = Some(*connection);
            }
            TaskFact::RequestSent { body } => {
                self.sent.get_or_insert((event.time, *body, event.provenance.clone()));
            }
            TaskFact::ResponseReceived { status, .. } => {
                self.responses.push((event.time, *status, event.provenance.clone()));
            }
            TaskFact::Authenticated => {}
            TaskFact::ResponseEnded => self.ended = true,
            TaskFact::Summary(summary) => {
                self.connection = summary.connection.or(self.connection);
                self.summaries.push((summary.clone(), event.provenance.clone()));
            }
            TaskFact::Finished => self.finished = true,
            TaskFact::Failed { code } => self.failed = Some((event.time, *code, event.provenance.clone())),
            TaskFact::LoadFailed { bytes_sent, bytes_received, code } => {
                self.load_failed = Some((*bytes_sent, *bytes_received));
                self.failed.get_or_insert((event.time, *code, event.provenance.clone()));
            }
        }
    }

    fn succeeded(&self) -> bool {
        self.summaries.iter().any(|(summary, _)| summary.success) || (self.finished && self.ended)
    }

    fn status(&self) -> Option<u16> {
        let from_line = self.responses.last().and_then(|(_, status, _)| u16::try_from(*status).ok());
        from_line.or_else(|| self.summaries.iter().filter_map(|(summary, _)| summary.status).next_back())
    }

    fn response_bytes(&self) -> Option<u64> {
        let sum: Vec<u64> = self.summaries.iter().filter_map(|(summary, _)| summary.response_bytes).collect();
        if sum.is_empty() { self.load_failed.map(|(_, received)| received) } else { Some(sum.iter().sum()) }
    }

    /// Anything of a response came: headers, bytes or a status. One witness is enough.
    fn answered(&self) -> bool {
        !self.responses.is_empty()
            || self.ended
            || self.acknowledged.is_some()
            || self.response_bytes().is_some_and(|bytes| bytes > 0)
            || self.summaries.iter().any(|(summary, _)| summary.status.is_some())
    }

    /// Served without any network contact.
    fn is_cached(&self) -> bool {
        self.succeeded()
            && !self.summaries.is_empty()
            && self.summaries.iter().all(|(summary, _)| {
                summary.connection.is_none()
                    && summary.cache_hit == Some(true)
                    && summary.response_bytes.is_none_or(|bytes| bytes == 0)
            })
    }

    /// When the request's own timeout ends.
    fn deadline(&self) -> Timestamp {
        let (time, timeout) = self.resumed.unwrap_or((self.first, None));
        let timeout_ns = timeout
            .filter(|seconds| seconds.is_finite() && *seconds > 0.0 && *seconds < 1e6)
            .map_or(settings::DEFAULT_REQUEST_TIMEOUT_NS, |seconds| (seconds * 1e9) as i64);
        time.saturating_add(timeout_ns)
    }

    /// The four checks before anything may be said from what the log does not show (unified-log state table):
    /// the task ended or its timeout lies within the store; nothing was lost meanwhile; this export shows responses at
    /// all; and lines were selected by sender, which the readers guarantee. The one that failed.
    fn failed_check(
        &self,
        coverage: &Coverage,
        log_shows_responses: bool,
        end: Option<Timestamp>,
    ) -> Option<FailedCheck> {
        let over = self.failed.is_some() || !self.summaries.is_empty() || self.finished;
        let until = match end {
            _ if over => self.last,
            Some(end) => end.max(self.last),
            None => self.deadline(),
        };
        if self.modern_loader {
            Some(FailedCheck::ModernLoader)
        } else if coverage.is_lost(Sight::TaskLifecycle, self.first, until) {
            Some(FailedCheck::Loss)
        } else if !coverage.is_complete(Sight::TaskLifecycle, self.first, until) {
            Some(FailedCheck::Window)
        } else {
            (!log_shows_responses).then_some(FailedCheck::NoResponseShown)
        }
    }

    /// Whether the process ended while the request was still open.
    fn left_by<'a>(&self, end: Option<&'a End>) -> Option<&'a End> {
        let open = self.failed.is_none() && self.summaries.is_empty() && !self.finished && !self.ended;
        // The log's clock is the host's; a line may be written a moment after what it tells.
        end.filter(|(time, _)| open && *time >= self.last.saturating_add(-1_000_000_000) && *time <= self.deadline())
    }

    /// Decides what became of this request. `None`: it was served from the cache. `end` is that of the process, where it was recorded.
    pub(crate) fn outcome(
        &self,
        coverage: &Coverage,
        log_shows_responses: bool,
        end: Option<&End>,
    ) -> Option<TaskOutcome> {
        if self.is_cached() {
            return None;
        }
        let end = self.left_by(end);
        let failed_check = self.failed_check(coverage, log_shows_responses, end.map(|(time, _)| *time));
        let absence = failed_check.is_none();
        let code = self.failed.as_ref().map(|(_, code, _)| *code);
        let answered = self.answered();
        let unsent = self.sent.is_none() && !answered;
        if unsent && absence && code.is_some_and(|code| NEVER_SENT_ERRORS.contains(&code) || code <= -1200) {
            return Some(TaskOutcome {
                stayed_home: true,
                ..self.outcome_of(Handling::NeverSent, Reply::Unknown, false)
            });
        }
        let (handling, reply) = if answered {
            self.answered_outcome(coverage, absence, code, end.is_some())
        } else if !absence {
            (Handling::Unknown, Reply::Unknown)
        } else if end.is_some() && !unsent {
            // What the server did is not the log's to say: nobody was left to be told.
            (Handling::EndedWaiting, Reply::Unknown)
        } else {
            self.unanswered_outcome(unsent, code)
        };
        let open = self.failed.is_none() && self.summaries.is_empty() && !self.finished && !self.ended;
        let covered = coverage.end_after(Sight::TaskLifecycle, self.first);
        let pending = open && !answered && end.is_none() && covered.is_some_and(|covered| self.deadline() > covered);
        let mut outcome = self.outcome_of(handling, reply, pending);
        outcome.failed_check = failed_check.filter(|_| !answered);
        if handling.is_abandoned() {
            let left = if handling == Handling::NeverCollected { self.left.as_ref() } else { end };
            outcome.cites.extend(left.map(|(_, provenance)| (WitnessKind::Abandoned, provenance.clone())));
        }
        Some(outcome)
    }

    fn answered_outcome(
        &self,
        coverage: &Coverage,
        absence: bool,
        code: Option<i64>,
        process_ended: bool,
    ) -> (Handling, Reply) {
        let status = self.status();
        let over = self.ended || self.succeeded();
        let empty = matches!(status, Some(100 | 102..=199 | 204 | 205 | 304));
        let reply = match (over, empty) {
            // What came by the other protocol is not in these lines.
            _ if status == Some(101) => Reply::Bytes,
            (false, _) => Reply::Bytes,
            (true, true) => Reply::Empty,
            (true, false) => Reply::Payload,
        };
        let handling = if self.acknowledged.is_some() {
            Handling::Collected
        } else if status == Some(101) {
            Handling::Upgraded
        } else if self.is_never_collected(coverage) {
            Handling::NeverCollected
        } else if self.left.is_some() {
            // The client went away, and whether it came back for it was not seen to the end.
            Handling::Unknown
        } else if over && empty {
            Handling::DeliveredEmpty
        } else if over && status.is_some_and(|status| (300..400).contains(&status)) {
            Handling::NotFollowed
        } else if over {
            Handling::Delivered
        } else if code.is_some_and(|code| NO_ANSWER_ERRORS.contains(&code)) {
            Handling::Partial
        } else if absence && code == Some(CANCELLED) {
            // A failed sum without its error may have been a broken connection as well: to forget a line makes no claim.
            Handling::AbandonedAtHeaders
        } else if absence && process_ended {
            Handling::EndedAtHeaders
        } else {
            Handling::Unknown
        };
        (handling, reply)
    }

    /// The client of a background request went away, and nothing was missed in which it may have come back for the
    /// response.
    fn is_never_collected(&self, coverage: &Coverage) -> bool {
        self.left.as_ref().is_some_and(|(time, _)| {
            let until = time.saturating_add(settings::SETTLE_NS);
            self.acknowledged.is_none() && coverage.is_complete(Sight::TaskLifecycle, self.first, until)
        })
    }

    fn unanswered_outcome(&self, unsent: bool, code: Option<i64>) -> (Handling, Reply) {
        match code {
            // Sent or not, the client did not wait; what the server did is not the log's to say.
            Some(CANCELLED) => (Handling::CancelledOnSend, Reply::Unknown),
            // No connection came about, so nothing was asked: the wire says what it saw.
            _ if unsent => (Handling::NeverSent, Reply::Unknown),
            Some(code) if NO_ANSWER_ERRORS.contains(&code) => (Handling::NoResponse, Reply::Silent),
            _ => (Handling::Unknown, Reply::Unknown),
        }
    }

    fn outcome_of(&self, handling: Handling, reply: Reply, pending: bool) -> TaskOutcome {
        let time = self.sent.as_ref().map_or(self.first, |(time, _, _)| *time);
        let answered_at = self.responses.last().map(|(time, _, _)| (*time).max(self.last.min(*time)));
        let answered_at = if self.ended { Some(self.last) } else { answered_at }.filter(|_| reply.is_answer());
        TaskOutcome {
            time,
            handling,
            stayed_home: false,
            failed_check: None,
            reply,
            pending,
            answered_at: answered_at.or_else(|| reply.is_answer().then_some(self.last)),
            status: self.status(),
            request_bytes: self.request_bytes(),
            response_bytes: self
                .response_bytes()
                .map_or(ByteCount::absent(ByteLayer::Message), |bytes| ByteCount::measured(bytes, ByteLayer::Message)),
            cites: self.cites(handling, reply),
        }
    }

    fn request_bytes(&self) -> ByteCount {
        let summed: Vec<u64> = self.summaries.iter().filter_map(|(summary, _)| summary.request_bytes).collect();
        match (&self.sent, summed.is_empty()) {
            (_, false) => ByteCount::measured(summed.iter().sum(), ByteLayer::Message),
            (Some((_, RequestBody::Bytes(bytes), _)), true) => ByteCount::measured(*bytes, ByteLayer::Body),
            (Some((_, RequestBody::None, _)), true) => ByteCount::measured(0, ByteLayer::Body),
            _ => ByteCount::absent(ByteLayer::Message),
        }
    }

    fn cites(&self, handling: Handling, reply: Reply) -> Vec<(WitnessKind, Provenance)> {
        let mut cites = Vec::new();
        let request = self.sent.as_ref().map_or(&self.first_provenance, |(_, _, provenance)| provenance);
        cites.push((WitnessKind::Request, request.clone()));
        let summary = self.summaries.last().map(|(_, provenance)| provenance);
        let failure = self.failed.as_ref().map(|(_, _, provenance)| provenance);
        if reply.is_answer() {
            let answer = self.responses.last().map(|(_, _, provenance)| provenance).or(summary);
            cites.extend(answer.map(|provenance| (WitnessKind::Answer, provenance.clone())));
        }
        if let Some(provenance) = &self.acknowledged {
            cites.push((WitnessKind::Collected, provenance.clone()));
        }
        let kind = match handling {
            Handling::NoResponse => Some(WitnessKind::NoResponse),
            Handling::CancelledOnSend | Handling::AbandonedAtHeaders => Some(WitnessKind::Abandoned),
            _ => None,
        };
        if let (Some(kind), Some(provenance)) = (kind, failure.or(summary)) {
            cites.push((kind, provenance.clone()));
        }
        cites
    }
}

/// Whether any task of this host's log shows a response: if none does, an absent one means nothing.
pub(crate) fn shows_responses(tasks: &[Task]) -> bool {
    tasks.iter().any(Task::answered)
}
