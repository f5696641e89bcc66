//! Our own table `summaries`: one row for each channel and hour, readable numbers beside the exact summary.

use super::{
    TableError, Unexpected, Written,
    files::{self, Select, until_error},
    shape::{rows_failed, select, trace},
};
use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Fields, Schema, SchemaRef};
use monologue_model::{ApplicationKey, Channel, Reply, Service};
use parquet::file::reader::ChunkReader;
use serde::{Deserialize, Serialize};
use serde_arrow::{ArrayBuilder, Deserializer};
use std::{borrow::Cow, io::Write, ops::Range, sync::LazyLock};

/// Name of the table.
pub const SUMMARIES: &str = "summaries";

/// The summary of one channel's requests of one hour.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The hour of the requests, counted from 1970-01-01T00:00:00Z.
    pub hour: i64,
    /// The hour in which it was decided, counted from 1970-01-01T00:00:00Z: of several rows for one channel and hour, the
    /// one decided last stands.
    pub decided_hour: i64,
    /// The channel, as far as that hour goes.
    pub channel: Channel,
}

/// Columns of the table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct SummaryColumns<'a> {
    /// The hour of the requests: hours since 1970-01-01T00:00:00Z. Row groups are chosen by it.
    hour: i64,
    /// The hour in which it was decided: hours since 1970-01-01T00:00:00Z.
    decided_hour: i64,
    /// The host.
    host: &'a str,
    /// The application that asked.
    application: ApplicationColumns<'a>,
    /// What `service` is: `unknown`, `masked`, `address`, `name` or `part`.
    service_kind: ServiceKind,
    /// The destination service: a registrable domain, an address, a masked name, or a platform's host and a part of it. Null means nobody recorded it.
    service: Option<Cow<'a, str>>,
    /// Exchanges.
    exchanges: i64,
    /// Exchanges by what came back, those pending left out.
    reply: ReplyColumns,
    /// Exchanges of which something of a reply certainly came back: `bytes`, `empty` and `payload` together.
    answered: i64,
    /// Exchanges whose reply may come after the end of coverage.
    reply_pending: i64,
    /// Exchanges that the client gave up.
    abandoned: i64,
    /// Effect windows that were watched wholly.
    effects_seen: i64,
    /// Of those, windows in which something was done.
    effects_yes: i64,
    /// Effects witnessed, whether or not the whole window was seen.
    effects_witnessed: i64,
    /// First request, nanoseconds since 1970-01-01T00:00:00Z.
    first_time_ns: i64,
    /// Last request, nanoseconds since 1970-01-01T00:00:00Z.
    last_time_ns: i64,
    /// The exact summary, `Channel` as JSON. Only this is read back; the other columns but the hours follow from it.
    summary: Cow<'a, str>,
}

/// The identity by which an application is told from others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct ApplicationColumns<'a> {
    /// By what it is known: `unknown`, `signed` or `path`.
    kind: ApplicationKind,
    /// Team identifier. Null means a platform binary, or one that is not known by its signature.
    team_uid: Option<&'a str>,
    /// Signing identifier. Null where it is not known by its signature.
    signing_id: Option<&'a str>,
    /// Path of the executable, home folder as `~`. Null where it is not known by its path.
    path: Option<&'a str>,
    /// The script, launch label or ancestor that tells this use of an interpreter apart.
    agent: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ApplicationKind {
    Unknown,
    Signed,
    Path,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ServiceKind {
    Unknown,
    Masked,
    Address,
    Name,
    Part,
}

/// Exchanges by what came back.
#[derive(Debug, Serialize, Deserialize)]
struct ReplyColumns {
    /// Nobody recorded it.
    unknown: i64,
    /// Nothing came back, and a sensor that would have seen it says so.
    silent: i64,
    /// A TLS handshake was answered and nothing after it.
    handshake_only: i64,
    /// Bytes came back that may all belong to the handshake, or are shared with other requests.
    bytes: i64,
    /// A reply without a body came back.
    empty: i64,
    /// A reply with a body came back.
    payload: i64,
}

/// What rows are made from again.
#[derive(Debug, Deserialize)]
struct KeptColumns<'a> {
    hour: i64,
    decided_hour: i64,
    summary: &'a str,
}

struct Plan {
    fields: Vec<FieldRef>,
    schema: SchemaRef,
    kept: Vec<FieldRef>,
}

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let fields = trace::<SummaryColumns<'static>>();
    let schema = Schema::new(fields.iter().cloned().collect::<Fields>()).into();
    Plan { fields, schema, kept: trace::<KeptColumns<'static>>() }
});

/// The columns of the table.
#[must_use]
pub fn summaries_schema() -> SchemaRef {
    PLAN.schema.clone()
}

fn application(key: &ApplicationKey) -> ApplicationColumns<'_> {
    let (kind, team, signing_id, path) = match key {
        ApplicationKey::Unknown => (ApplicationKind::Unknown, None, None, None),
        ApplicationKey::Signed { team, signing_id, .. } => {
            (ApplicationKind::Signed, team.as_deref(), Some(&**signing_id), None)
        }
        ApplicationKey::Path { path, .. } => (ApplicationKind::Path, None, None, Some(&**path)),
    };
    ApplicationColumns { kind, team_uid: team, signing_id, path, agent: key.agent().map(|agent| &**agent) }
}

fn service(service: &Service) -> (ServiceKind, Option<Cow<'_, str>>) {
    match service {
        Service::Unknown => (ServiceKind::Unknown, None),
        Service::Masked(name) => (ServiceKind::Masked, Some(Cow::Borrowed(&**name))),
        Service::Address(address) => (ServiceKind::Address, Some(address.to_string().into())),
        Service::Name(name) => (ServiceKind::Name, Some(Cow::Borrowed(&**name))),
        Service::Part { platform, part } => (ServiceKind::Part, Some(format!("{platform} {part}").into())),
    }
}

fn columns(row: &SummaryRow) -> Result<SummaryColumns<'_>, serde_json::Error> {
    let Channel { key, counters, first_time, last_time, .. } = &row.channel;
    let (service_kind, service) = service(&key.service);
    let replies = |reply| counters.reply.of(reply).cast_signed();
    let abandoned = counters.handling.abandoned();
    let (bytes, empty, payload) = (replies(Reply::Bytes), replies(Reply::Empty), replies(Reply::Payload));
    Ok(SummaryColumns {
        hour: row.hour,
        decided_hour: row.decided_hour,
        host: &key.host,
        application: application(&key.application),
        service_kind,
        service,
        exchanges: counters.exchanges.cast_signed(),
        reply: ReplyColumns {
            unknown: replies(Reply::Unknown),
            silent: replies(Reply::Silent),
            handshake_only: replies(Reply::HandshakeOnly),
            bytes,
            empty,
            payload,
        },
        answered: bytes.saturating_add(empty).saturating_add(payload),
        reply_pending: counters.reply_pending.cast_signed(),
        abandoned: abandoned.cast_signed(),
        effects_seen: counters.effects.seen.cast_signed(),
        effects_yes: counters.effects.yes.cast_signed(),
        effects_witnessed: counters.effects_witnessed.cast_signed(),
        first_time_ns: first_time.nanoseconds(),
        last_time_ns: last_time.nanoseconds(),
        summary: serde_json::to_string(&row.channel)?.into(),
    })
}

/// The columns of summaries, in their order.
///
/// # Errors
/// When a summary cannot be written as JSON, or the texts of one column exceed 2 GiB.
pub fn encode_summaries(rows: &[SummaryRow]) -> Result<RecordBatch, TableError> {
    let failed = |error| rows_failed(SUMMARIES, error);
    let mut builder = ArrayBuilder::from_arrow(&PLAN.fields).map_err(failed)?;
    for (number, row) in rows.iter().enumerate() {
        let columns = columns(row).map_err(|error| not_a_channel(number, &error))?;
        builder.push(columns).map_err(failed)?;
    }
    Ok(RecordBatch::try_new(summaries_schema(), builder.into_arrow().map_err(failed)?)?)
}

fn not_a_channel(row: usize, error: &serde_json::Error) -> TableError {
    let problem = Unexpected::new("summary", "a channel as JSON", &error.to_string());
    TableError::Value { table: SUMMARIES, row, problem }
}

/// The summaries of columns, in their order.
///
/// # Errors
/// When a column is missing or has another type, or a summary is not a channel that can be.
pub fn decode_summaries(batch: &RecordBatch) -> Result<Vec<SummaryRow>, TableError> {
    let failed = |error| rows_failed(SUMMARIES, error);
    let (fields, columns) = select(SUMMARIES, &PLAN.kept, batch)?;
    let rows = Deserializer::from_arrow(&fields, &columns).map_err(failed)?;
    let mut summaries = Vec::with_capacity(batch.num_rows());
    for (row, columns) in rows.iter().enumerate() {
        let KeptColumns { hour, decided_hour, summary } = KeptColumns::deserialize(columns).map_err(failed)?;
        let channel: Channel = serde_json::from_str(summary).map_err(|error| not_a_channel(row, &error))?;
        let counters = &channel.counters;
        if counters.reply_pending.max(counters.effect_pending) > counters.exchanges {
            let found = format!("{} and {}", counters.reply_pending, counters.effect_pending);
            let problem = Unexpected::new("summary", "no more pending exchanges than exchanges", &found);
            return Err(TableError::Value { table: SUMMARIES, row, problem });
        }
        summaries.push(SummaryRow { hour, decided_hour, channel });
    }
    Ok(summaries)
}

/// Writes batches of summaries as one Parquet file. The times told are those of the first and last request.
///
/// # Errors
/// When a batch has other columns than the table, or `to` fails.
pub fn write_summaries(
    batches: impl Iterator<Item = RecordBatch>,
    to: impl Write + Send,
) -> Result<Written, TableError> {
    files::write_columns(SUMMARIES, summaries_schema(), ["first_time_ns", "last_time_ns"], batches, to)
}

/// Reads the summaries of a file whose hour of requests is in `hours`. Row groups without any are not touched.
///
/// # Errors
/// When the file is not one of this table and layout, or a column is missing or of another type. The iterator yields an
/// error, and then ends, when the bytes are not as they should be.
pub fn read_summaries<R: ChunkReader + 'static>(
    source: R,
    hours: &Range<i64>,
) -> Result<impl Iterator<Item = Result<Vec<SummaryRow>, TableError>> + use<R>, TableError> {
    let hours = Select { from_ns: hours.start, until_ns: hours.end };
    let mut batches = files::read_columns(SUMMARIES, &PLAN.kept, "hour", source, &hours)?;
    Ok(until_error(move || Some(batches.next()?.and_then(|batch| decode_summaries(&batch)))))
}
