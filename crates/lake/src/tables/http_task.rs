//! The life of API requests as the client tells it, as rows of `http_activity`.

use super::{
    Interner,
    endpoints::{Traffic, restored, stored},
    error::{Unexpected, narrow_option, need},
    http_activity::{HttpKind, HttpResponse, HttpRow},
    process::Actor,
};
use monologue_model::{
    BackgroundFact, BackgroundTask, ProcessImage, RequestBody, ResponseContent, TaskEvent, TaskFact, TaskId,
    TaskSummary,
};
use serde::{Deserialize, Serialize};

/// What only API requests have. Each is null where the row's kind does not tell it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct TaskFacts<'a> {
    /// Number of the connection within its process; of a request that got or left one, or of a summary.
    connection: Option<i64>,
    /// Whether the request carried a body: `none`, `bytes` (so many as `http_request.body_length` says) or `unsized`.
    request_body: Option<BodyKind>,
    /// How the length of the response was announced: `known`, `chunked` or `unknown`.
    content: Option<ResponseContent>,
    /// Error code, such as -999 (cancelled); of a request or load that failed.
    error_code: Option<i64>,
    /// Of a request that was started.
    resumed: Option<ResumedFacts>,
    /// Of a transaction's summary.
    summary: Option<SummaryFacts<'a>>,
}

/// Whether a request carried a body.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BodyKind {
    None,
    Bytes,
    Unsized,
}

/// What only the start of an API request has.
#[derive(Debug, Serialize, Deserialize)]
struct ResumedFacts {
    /// Request timeout in seconds.
    request_timeout_s: Option<f64>,
    /// Resource timeout in seconds.
    resource_timeout_s: Option<f64>,
    /// The modern loader (`NWURLSession`) runs it: responses are not observable.
    modern_loader: bool,
}

/// What only the summary of an API transaction has; its status, bytes and duration have OCSF columns.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct SummaryFacts<'a> {
    /// The line says success (else failure).
    success: bool,
    /// The connection had been used before.
    reused: bool,
    /// Milliseconds since the connection's last use.
    reused_after_ms: Option<i64>,
    /// The machine slept between the two uses.
    reused_after_sleep: Option<bool>,
    /// Protocol, such as `h2`.
    protocol: Option<&'a str>,
    /// A cached response object exists (not the same as "no network").
    cached: Option<bool>,
}

/// What only background requests have.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct BackgroundFacts<'a> {
    /// Bundle identifier of the application. Null where the line masks or lacks it.
    bundle: Option<&'a str>,
    /// A file was taken; of a delivery that was acknowledged.
    download: Option<bool>,
}

const fn kind(fact: &TaskFact) -> HttpKind {
    match fact {
        TaskFact::Resumed { .. } => HttpKind::TaskResumed,
        TaskFact::ConnectionAssigned { .. } => HttpKind::TaskConnectionAssigned,
        TaskFact::Authenticated => HttpKind::TaskAuthenticated,
        TaskFact::RequestSent { .. } => HttpKind::TaskRequestSent,
        TaskFact::ResponseReceived { .. } => HttpKind::TaskResponseReceived,
        TaskFact::ResponseEnded => HttpKind::TaskResponseEnded,
        TaskFact::ConnectionReleased { .. } => HttpKind::TaskConnectionReleased,
        TaskFact::Summary(_) => HttpKind::TaskSummary,
        TaskFact::Finished => HttpKind::TaskFinished,
        TaskFact::Failed { .. } => HttpKind::TaskFailed,
        TaskFact::LoadFailed { .. } => HttpKind::TaskLoadFailed,
    }
}

const fn traffic(bytes_out: Option<i64>, bytes_in: Option<i64>) -> Traffic {
    Traffic { bytes_out, bytes_in, packets_out: None, packets_in: None }
}

/// The row of one fact of an API request.
pub(super) fn row(event: &TaskEvent) -> HttpRow<'_> {
    let mut row = HttpRow { actor: Some(Actor::of(&event.process)), ..HttpRow::of(kind(&event.fact)) };
    row.http_request.uid = Some(&event.task.uuid);
    row.monologue.task_number = Some(event.task.number.cast_signed());
    let mut facts = TaskFacts::default();
    match &event.fact {
        TaskFact::Resumed { request_timeout_s, resource_timeout_s, modern_loader } => {
            facts.resumed = Some(ResumedFacts {
                request_timeout_s: *request_timeout_s,
                resource_timeout_s: *resource_timeout_s,
                modern_loader: *modern_loader,
            });
        }
        TaskFact::ConnectionAssigned { connection } | TaskFact::ConnectionReleased { connection } => {
            facts.connection = Some(connection.cast_signed());
        }
        TaskFact::RequestSent { body } => {
            let (kind, bytes) = match body {
                RequestBody::None => (BodyKind::None, None),
                RequestBody::Bytes(bytes) => (BodyKind::Bytes, Some(*bytes)),
                RequestBody::Unsized => (BodyKind::Unsized, None),
            };
            facts.request_body = Some(kind);
            row.http_request.body_length = stored(bytes);
        }
        TaskFact::ResponseReceived { status, content } => {
            row.http_response = Some(HttpResponse { code: Some(*status), body_length: None });
            facts.content = *content;
        }
        TaskFact::Summary(summary) => summarise(summary, &mut row, &mut facts),
        TaskFact::Failed { code } => facts.error_code = Some(*code),
        TaskFact::LoadFailed { bytes_sent, bytes_received, code } => {
            row.traffic = Some(traffic(stored(Some(*bytes_sent)), stored(Some(*bytes_received))));
            facts.error_code = Some(*code);
        }
        TaskFact::Authenticated | TaskFact::ResponseEnded | TaskFact::Finished => {}
    }
    row.monologue.task = Some(facts);
    row
}

fn summarise<'a>(summary: &'a TaskSummary, row: &mut HttpRow<'a>, facts: &mut TaskFacts<'a>) {
    row.http_response = Some(HttpResponse { code: summary.status.map(i32::from), body_length: None });
    row.traffic = Some(traffic(stored(summary.request_bytes), stored(summary.response_bytes)));
    row.duration = stored(summary.duration_ms);
    facts.connection = stored(summary.connection);
    facts.summary = Some(SummaryFacts {
        success: summary.success,
        reused: summary.reused,
        reused_after_ms: stored(summary.reused_after_ms),
        reused_after_sleep: summary.reused_after_sleep,
        protocol: summary.protocol.as_deref(),
        cached: summary.cache_hit,
    });
}

/// The row of one fact of a background request.
pub(super) fn background_row(event: &BackgroundTask) -> HttpRow<'_> {
    let (kind, bundle, download) = match &event.fact {
        BackgroundFact::BelongsTo { bundle } => (HttpKind::BackgroundBelongsTo, Some(&**bundle), None),
        BackgroundFact::Acknowledged { download } => (HttpKind::BackgroundAcknowledged, None, Some(*download)),
        BackgroundFact::ClientDisconnected { bundle } => {
            (HttpKind::BackgroundClientDisconnected, bundle.as_deref(), None)
        }
    };
    let mut row = HttpRow { actor: Some(Actor::of(&event.process)), ..HttpRow::of(kind) };
    row.http_request.uid = event.task.as_ref().map(|task| &*task.uuid);
    row.monologue.task_number = event.task.as_ref().map(|task| task.number.cast_signed());
    row.monologue.background = Some(BackgroundFacts { bundle, download });
    row
}

fn process(row: &HttpRow<'_>, interner: &mut Interner) -> Result<ProcessImage, Unexpected> {
    let image = row.actor.as_ref().map(|actor| actor.image(interner)).transpose()?;
    need(image.flatten(), "actor.process")
}

fn task_id(row: &HttpRow<'_>, interner: &mut Interner) -> Result<Option<TaskId>, Unexpected> {
    row.http_request
        .uid
        .map(|uuid| {
            let number = need(row.monologue.task_number, "monologue.task_number")?.cast_unsigned();
            Ok(TaskId { uuid: interner.text(uuid), number })
        })
        .transpose()
}

/// The background request of a row.
pub(super) fn background(row: HttpRow<'_>, interner: &mut Interner) -> Result<BackgroundTask, Unexpected> {
    let (process, task) = (process(&row, interner)?, task_id(&row, interner)?);
    let facts = need(row.monologue.background, "monologue.background")?;
    let fact = match row.monologue.kind {
        HttpKind::BackgroundBelongsTo => {
            BackgroundFact::BelongsTo { bundle: interner.text(need(facts.bundle, "monologue.background.bundle")?) }
        }
        HttpKind::BackgroundAcknowledged => {
            BackgroundFact::Acknowledged { download: need(facts.download, "monologue.background.download")? }
        }
        _ => BackgroundFact::ClientDisconnected { bundle: interner.option(facts.bundle) },
    };
    Ok(BackgroundTask { process, task, fact })
}

/// The API request of a row.
pub(super) fn task(row: HttpRow<'_>, interner: &mut Interner) -> Result<TaskEvent, Unexpected> {
    let process = process(&row, interner)?;
    let task = need(task_id(&row, interner)?, "http_request.uid")?;
    Ok(TaskEvent { process, task, fact: fact(row, interner)? })
}

fn fact(row: HttpRow<'_>, interner: &mut Interner) -> Result<TaskFact, Unexpected> {
    let facts = need(row.monologue.task, "monologue.task")?;
    let traffic = row.traffic.unwrap_or_default();
    let code = row.http_response.and_then(|response| response.code);
    let connection = restored(facts.connection);
    let required_connection = || need(connection, "monologue.task.connection");
    let error_code = || need(facts.error_code, "monologue.task.error_code");
    Ok(match row.monologue.kind {
        HttpKind::TaskResumed => {
            let resumed = need(facts.resumed, "monologue.task.resumed")?;
            TaskFact::Resumed {
                request_timeout_s: resumed.request_timeout_s,
                resource_timeout_s: resumed.resource_timeout_s,
                modern_loader: resumed.modern_loader,
            }
        }
        HttpKind::TaskConnectionAssigned => TaskFact::ConnectionAssigned { connection: required_connection()? },
        HttpKind::TaskAuthenticated => TaskFact::Authenticated,
        HttpKind::TaskRequestSent => TaskFact::RequestSent {
            body: match need(facts.request_body, "monologue.task.request_body")? {
                BodyKind::None => RequestBody::None,
                BodyKind::Bytes => {
                    RequestBody::Bytes(need(row.http_request.body_length, "http_request.body_length")?.cast_unsigned())
                }
                BodyKind::Unsized => RequestBody::Unsized,
            },
        },
        HttpKind::TaskResponseReceived => {
            TaskFact::ResponseReceived { status: need(code, "http_response.code")?, content: facts.content }
        }
        HttpKind::TaskResponseEnded => TaskFact::ResponseEnded,
        HttpKind::TaskConnectionReleased => TaskFact::ConnectionReleased { connection: required_connection()? },
        HttpKind::TaskSummary => {
            let summary = need(facts.summary, "monologue.task.summary")?;
            TaskFact::Summary(TaskSummary {
                success: summary.success,
                status: narrow_option(code.map(i64::from), "http_response.code")?,
                connection,
                reused: summary.reused,
                reused_after_ms: restored(summary.reused_after_ms),
                reused_after_sleep: summary.reused_after_sleep,
                protocol: interner.option(summary.protocol),
                duration_ms: restored(row.duration),
                request_bytes: restored(traffic.bytes_out),
                response_bytes: restored(traffic.bytes_in),
                cache_hit: summary.cached,
            })
        }
        HttpKind::TaskFinished => TaskFact::Finished,
        HttpKind::TaskFailed => TaskFact::Failed { code: error_code()? },
        _ => TaskFact::LoadFailed {
            bytes_sent: need(traffic.bytes_out, "traffic.bytes_out")?.cast_unsigned(),
            bytes_received: need(traffic.bytes_in, "traffic.bytes_in")?.cast_unsigned(),
            code: error_code()?,
        },
    })
}
