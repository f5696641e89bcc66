//! Our own table `coverage`: what sources say of their own completeness. OCSF has no class for it.

use super::{
    Interner,
    endpoints::{restored, stored},
    error::Unexpected,
    shape::Shape,
};
use monologue_model::{CoverageRecord, CoverageState, Detail, Loss, Sight, Timestamp};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct Coverage;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct CoverageRow<'a> {
    /// The statement.
    monologue: Statement<'a>,
}

/// One statement of a source about its own completeness.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Statement<'a> {
    /// The format that speaks, such as `eslogger`.
    format: &'a str,
    /// The sights spoken of, such as `process.exec`: for completeness those shown, for a loss those hurt.
    sights: Vec<&'a str>,
    /// Start of the stretch, nanoseconds since 1970-01-01T00:00:00Z.
    from_ns: i64,
    /// End of the stretch, inclusive, nanoseconds since 1970-01-01T00:00:00Z.
    until_ns: i64,
    /// Why something is missing: `sequence-gap`, `sensor-loss`, `truncated`, `malformed` or `removed`. Null means all
    /// that the sensor shows was recorded.
    loss: Option<Loss>,
    /// Records lost. Null means nobody counted them, or none was lost.
    lost_records: Option<i64>,
}

/// The OCSF activity "other": the base event has no better one.
const OTHER: i32 = 99;

impl Shape for Coverage {
    type Row<'a> = CoverageRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, CoverageRow<'_>)> {
        let Detail::Coverage(record) = detail else { return None };
        let (loss, records) = match record.state {
            CoverageState::Complete => (None, None),
            CoverageState::Lost { reason, records } => (Some(reason), records),
        };
        let monologue = Statement {
            format: &record.format,
            sights: record.sights.iter().map(Sight::name).collect(),
            from_ns: record.from.nanoseconds(),
            until_ns: record.until.nanoseconds(),
            loss,
            lost_records: stored(records),
        };
        Some((OTHER, CoverageRow { monologue }))
    }

    fn detail(row: CoverageRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        let statement = row.monologue;
        let sight = |name: &&str| {
            Sight::from_name(name).ok_or_else(|| Unexpected::new("monologue.sights", "the name of a sight", name))
        };
        let records = restored(statement.lost_records);
        Ok(Detail::Coverage(CoverageRecord {
            format: interner.text(statement.format),
            sights: statement.sights.iter().map(sight).collect::<Result<_, _>>()?,
            from: Timestamp::from_nanoseconds(statement.from_ns),
            until: Timestamp::from_nanoseconds(statement.until_ns),
            state: statement.loss.map_or(CoverageState::Complete, |reason| CoverageState::Lost { reason, records }),
        }))
    }
}
