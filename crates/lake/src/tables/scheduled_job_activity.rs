//! OCSF 1006 Scheduled Job Activity: launch items registered and removed.

use super::{
    Interner,
    error::Unexpected,
    process::{Actor, File, Process, last_part},
    shape::Shape,
};
use monologue_model::{Detail, LaunchItem};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct ScheduledJobActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct JobRow<'a> {
    /// OCSF: on whose behalf it was done.
    actor: Actor<'a>,
    /// OCSF: the launch item.
    job: Job<'a>,
    /// What OCSF has no names for.
    monologue: JobFacts<'a>,
}

/// OCSF `job`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Job<'a> {
    /// OCSF: last part of the item's path. Follows from `file.path`.
    name: Option<&'a str>,
    /// OCSF: the item's property list or bundle. Null means nobody recorded it.
    file: Option<File<'a>>,
}

/// What OCSF has no names for in a launch item.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct JobFacts<'a> {
    /// True where it was registered, false where it was removed.
    added: bool,
    /// The program it will run, without arguments. Null means nobody recorded it.
    executable: Option<&'a str>,
}

/// OCSF activities of the class.
const CREATE: i32 = 1;
const DELETE: i32 = 3;

impl Shape for ScheduledJobActivity {
    type Row<'a> = JobRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, JobRow<'_>)> {
        let Detail::LaunchItem(detail) = detail else { return None };
        let item = detail.item.as_deref();
        let row = JobRow {
            actor: Actor { process: detail.instigator.as_ref().map(Process::of) },
            job: Job { name: item.map(last_part), file: item.map(File::of) },
            monologue: JobFacts { added: detail.added, executable: detail.executable.as_deref() },
        };
        Some((if detail.added { CREATE } else { DELETE }, row))
    }

    fn detail(row: JobRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        Ok(Detail::LaunchItem(Box::new(LaunchItem {
            instigator: row.actor.image(interner)?,
            added: row.monologue.added,
            item: interner.option(row.job.file.map(|file| file.path)),
            executable: interner.option(row.monologue.executable),
        })))
    }
}
