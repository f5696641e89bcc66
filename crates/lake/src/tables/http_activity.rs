//! OCSF 4002 HTTP Activity: transactions of sensors and proxies, and the life of API requests told by the client.

use super::{
    Interner,
    endpoints::{Socket, Traffic, Worth},
    error::Unexpected,
    http_task::{BackgroundFacts, TaskFacts},
    http_transaction::TransactionFacts,
    network_activity::ConnectionInfo,
    process::Actor,
    shape::Shape,
};
use monologue_model::Detail;
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct HttpActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct HttpRow<'a> {
    /// OCSF: the process that logged the row. Null for rows of network sensors.
    pub(super) actor: Option<Actor<'a>>,
    /// OCSF: who asked.
    pub(super) src_endpoint: Option<Socket<'a>>,
    /// OCSF: who was asked: a proxy, where one is used.
    pub(super) dst_endpoint: Option<Socket<'a>>,
    /// OCSF: about the connection.
    pub(super) connection_info: Option<ConnectionInfo<'a>>,
    /// OCSF: the request.
    pub(super) http_request: HttpRequest<'a>,
    /// OCSF: the response. Null where the row says nothing of one.
    pub(super) http_response: Option<HttpResponse>,
    /// OCSF: header and body bytes each way, as the client counts them.
    pub(super) traffic: Option<Traffic>,
    /// OCSF: how long the transaction took, in milliseconds.
    pub(super) duration: Option<i64>,
    /// What OCSF has no names for.
    pub(super) monologue: HttpFacts<'a>,
}

/// OCSF `http_request`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct HttpRequest<'a> {
    /// OCSF: the API request's UUID: 32 hexadecimal digits, upper case. Null for rows of network sensors.
    pub(super) uid: Option<&'a str>,
    /// OCSF: method, such as `GET`.
    pub(super) http_method: Option<&'a str>,
    /// OCSF: user agent.
    pub(super) user_agent: Option<&'a str>,
    /// OCSF: bytes of the body sent; what they are worth stands in `monologue.request`.
    pub(super) body_length: Option<i64>,
    /// OCSF: what was asked for.
    pub(super) url: Option<Url<'a>>,
}

/// OCSF `url`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Url<'a> {
    /// OCSF: host asked for, port removed. Null means nobody recorded it.
    pub(super) hostname: Option<&'a str>,
    /// OCSF: port asked for, where the request names one.
    pub(super) port: Option<i32>,
    /// OCSF: path, secrets redacted.
    pub(super) path: Option<&'a str>,
    /// OCSF: what follows the first `?`, secrets redacted. Null means there is none.
    pub(super) query_string: Option<&'a str>,
}

/// OCSF `http_response`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HttpResponse {
    /// OCSF: status. Null means no reply was seen.
    pub(super) code: Option<i32>,
    /// OCSF: bytes of the body received; what they are worth stands in `monologue.response`.
    pub(super) body_length: Option<i64>,
}

/// What OCSF has no names for in HTTP activity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct HttpFacts<'a> {
    /// What the row is: `transaction` of a sensor or proxy, `task-…` one fact of an API request's life, `background-…` one
    /// fact that `nsurlsessiond` tells.
    pub(super) kind: HttpKind,
    /// What `http_request.body_length` is worth.
    pub(super) request: Option<Worth>,
    /// What `http_response.body_length` is worth.
    pub(super) response: Option<Worth>,
    /// Of a transaction.
    pub(super) transaction: Option<TransactionFacts<'a>>,
    /// Number of the API request within its session, `taskIdentifier`; its UUID is `http_request.uid`.
    pub(super) task_number: Option<i64>,
    /// Of an API request.
    pub(super) task: Option<TaskFacts<'a>>,
    /// Of a background request.
    pub(super) background: Option<BackgroundFacts<'a>>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HttpKind {
    Transaction,
    TaskResumed,
    TaskConnectionAssigned,
    TaskAuthenticated,
    TaskRequestSent,
    TaskResponseReceived,
    TaskResponseEnded,
    TaskConnectionReleased,
    TaskSummary,
    TaskFinished,
    TaskFailed,
    TaskLoadFailed,
    BackgroundBelongsTo,
    BackgroundAcknowledged,
    BackgroundClientDisconnected,
}

impl HttpRow<'_> {
    /// A row that says nothing yet.
    pub(super) fn of(kind: HttpKind) -> Self {
        Self {
            actor: None,
            src_endpoint: None,
            dst_endpoint: None,
            connection_info: None,
            http_request: HttpRequest::default(),
            http_response: None,
            traffic: None,
            duration: None,
            monologue: HttpFacts {
                kind,
                request: None,
                response: None,
                transaction: None,
                task_number: None,
                task: None,
                background: None,
            },
        }
    }
}

/// The OCSF activity of a method: 0 where there is none, 99 where OCSF numbers none.
fn activity(method: Option<&str>) -> i32 {
    match method {
        None => 0,
        Some("CONNECT") => 1,
        Some("DELETE") => 2,
        Some("GET") => 3,
        Some("HEAD") => 4,
        Some("OPTIONS") => 5,
        Some("POST") => 6,
        Some("PUT") => 7,
        Some("TRACE") => 8,
        Some("PATCH") => 9,
        Some(_) => 99,
    }
}

impl Shape for HttpActivity {
    type Row<'a> = HttpRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, HttpRow<'_>)> {
        let row = match detail {
            Detail::Http(transaction) => super::http_transaction::row(transaction),
            Detail::Task(task) => super::http_task::row(task),
            Detail::Background(task) => super::http_task::background_row(task),
            _ => return None,
        };
        Some((activity(row.http_request.http_method), row))
    }

    fn detail(row: HttpRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        use HttpKind as Kind;
        Ok(match row.monologue.kind {
            Kind::Transaction => Detail::Http(Box::new(super::http_transaction::transaction(row, interner)?)),
            Kind::BackgroundBelongsTo | Kind::BackgroundAcknowledged | Kind::BackgroundClientDisconnected => {
                Detail::Background(Box::new(super::http_task::background(row, interner)?))
            }
            Kind::TaskResumed
            | Kind::TaskConnectionAssigned
            | Kind::TaskAuthenticated
            | Kind::TaskRequestSent
            | Kind::TaskResponseReceived
            | Kind::TaskResponseEnded
            | Kind::TaskConnectionReleased
            | Kind::TaskSummary
            | Kind::TaskFinished
            | Kind::TaskFailed
            | Kind::TaskLoadFailed => Detail::Task(Box::new(super::http_task::task(row, interner)?)),
        })
    }
}
