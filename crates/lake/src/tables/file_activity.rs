//! OCSF 1001 File Activity: files made, changed and removed.

use super::{
    Interner,
    error::{Unexpected, need},
    process::{Actor, File},
    shape::Shape,
};
use monologue_model::{Detail, FileEffect, FileEffectKind};
use serde::{Deserialize, Serialize};

/// The table.
pub(super) struct FileActivity;

/// Columns of the table beyond the base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct FileRow<'a> {
    /// OCSF: who did it.
    actor: Actor<'a>,
    /// OCSF: the file.
    file: File<'a>,
    /// OCSF: the other file of a rename or copy. Null where there is none.
    file_result: Option<File<'a>>,
    /// What OCSF has no names for.
    monologue: FileFacts,
}

/// What OCSF has no names for in file activity.
#[derive(Debug, Serialize, Deserialize)]
struct FileFacts {
    /// What was done: `create`, `write`, `rename`, `unlink`, `copy`, `attribute`, `mode` or `map-executable`.
    effect: FileEffectKind,
}

/// The OCSF activity of an effect; 99 where OCSF numbers none.
const fn activity(effect: FileEffectKind) -> i32 {
    match effect {
        FileEffectKind::Create => 1,
        FileEffectKind::Write => 3,
        FileEffectKind::Unlink => 4,
        FileEffectKind::Rename => 5,
        FileEffectKind::Attribute => 6,
        FileEffectKind::Mode => 7,
        FileEffectKind::Copy | FileEffectKind::MapExecutable => 99,
    }
}

impl Shape for FileActivity {
    type Row<'a> = FileRow<'a>;

    fn row(detail: &Detail) -> Option<(i32, FileRow<'_>)> {
        let Detail::FileEffect(detail) = detail else { return None };
        let row = FileRow {
            actor: Actor::of(&detail.process),
            file: File::of(&detail.path),
            file_result: detail.target.as_deref().map(File::of),
            monologue: FileFacts { effect: detail.effect },
        };
        Some((activity(detail.effect), row))
    }

    fn detail(row: FileRow<'_>, interner: &mut Interner) -> Result<Detail, Unexpected> {
        Ok(Detail::FileEffect(Box::new(FileEffect {
            process: need(row.actor.image(interner)?, "actor.process")?,
            effect: row.monologue.effect,
            path: interner.text(row.file.path),
            target: interner.option(row.file_result.map(|file| file.path)),
        })))
    }
}
