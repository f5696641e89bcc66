//! What a process did, as details of events: it started a program, it touched a file.

use super::command_line;
use crate::texts::Texts;
use monologue_model::{Detail, FileEffect, FileEffectKind, ProcessExec, ProcessImage};

/// A program was started with a command line, of which nothing else is known.
pub(crate) fn started(target: ProcessImage, line: &str) -> Detail {
    let arguments = command_line::split(line, target.path.as_deref());
    Detail::ProcessExec(Box::new(ProcessExec {
        previous: ProcessImage::default(),
        target,
        arguments,
        script: None,
        working_directory: None,
        launch_label: None,
    }))
}

/// A file was touched. Records of a rename give the path that it has and, in another field, `before`, the one it had.
pub(crate) fn touched(
    process: ProcessImage,
    effect: FileEffectKind,
    path: &str,
    before: Option<&str>,
    texts: &mut Texts,
) -> Detail {
    let (path, target) = match before.filter(|_| effect == FileEffectKind::Rename) {
        Some(before) => (texts.text(before), Some(texts.text(path))),
        None => (texts.text(path), None),
    };
    Detail::FileEffect(Box::new(FileEffect { process, effect, path, target }))
}
