//! Lineage for the reader: who started whom, as one chain of names.

use crate::{
    identity::{self, file_name, without_home},
    processes::{Instance, ProcessTable},
};
use std::sync::Arc;

/// Steps shown of one chain; of a longer one the middle is left out.
const STEP_CAP: usize = 8;

/// Longest step, in bytes.
const STEP_LENGTH_CAP: usize = 200;

/// A chain of names for the reader, the oldest ancestor first: `launchd (com.example.updater)`, then programs, each with
/// the script it runs. `…` stands for what nobody recorded.
pub(crate) fn lineage(table: &ProcessTable, instance: &Instance) -> Vec<Arc<str>> {
    let (ancestors, complete) = table.ancestors(instance);
    let top = ancestors.last().copied().unwrap_or(instance);
    let mut steps: Vec<Arc<str>> = Vec::new();
    steps.push(match (complete, label(table, top)) {
        (true, Some(label)) => format!("launchd ({label})").into(),
        (true, None) => "launchd".into(),
        (false, _) => "…".into(),
    });
    let mut above: Option<&Instance> = None;
    for step in ancestors.iter().rev().copied().chain([instance]) {
        // A fork's copy is the program above it once more.
        let copy = step.exec.is_none() && above.is_some_and(|above| above.image.path == step.image.path);
        if !copy || std::ptr::eq(step, instance) && step.image.path.is_none() {
            steps.push(name(step));
        }
        above = Some(step);
    }
    if let (Some(responsible), Some(last)) = (responsible(table, instance, &ancestors, complete), steps.last_mut()) {
        *last = shortened(&format!("{last} (responsible: {responsible})"));
    }
    shown(steps)
}

/// The launch label of a program that launchd started, through `xpcproxy` or not. `None` means it has none, or nobody
/// recorded it. What is started below inherits the label, so ask for the topmost program only.
pub(crate) fn label(table: &ProcessTable, top: &Instance) -> Option<Arc<str>> {
    let own = top.exec.as_ref()?.launch_label.clone();
    let found = own.or_else(|| {
        let proxy = table
            .previous(top)
            .filter(|proxy| proxy.image.path.as_deref().is_some_and(|path| file_name(path) == "xpcproxy"))?;
        // `xpcproxy LABEL`: launchd names the service it is to become.
        let exec = proxy.exec.as_ref()?;
        exec.launch_label.clone().or_else(|| exec.arguments.get(1).map(|label| label.as_str().into()))
    })?;
    Some(stable_label(&found))
}

/// A label without the numbers that launchd gives to each start of an application
/// (`application.com.example.notes.55704030.55704039`), so that it is the same tomorrow.
fn stable_label(label: &Arc<str>) -> Arc<str> {
    if !label.starts_with("application.") {
        return label.clone();
    }
    let mut bare = &**label;
    while let Some((rest, last)) = bare.rsplit_once('.') {
        if last.is_empty() || !last.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        bare = rest;
    }
    bare.into()
}

fn name(step: &Instance) -> Arc<str> {
    let Some(path) = step.image.path.as_deref() else { return "unknown".into() };
    let bare = without_home(path);
    match identity::is_interpreter(path).then(|| identity::script_of(step, path)).flatten() {
        Some(script) => shortened(&format!("{bare} {script}")),
        None => shortened(&bare),
    }
}

/// Whom macOS holds responsible, where the parent is launchd and tells nothing.
fn responsible(table: &ProcessTable, instance: &Instance, ancestors: &[&Instance], complete: bool) -> Option<Arc<str>> {
    let pid = instance.image.key.pid?;
    let started_by_launchd = complete && ancestors.iter().all(|other| other.image.key.pid == Some(pid));
    let responsible = table.responsible(instance).filter(|_| started_by_launchd)?;
    Some(responsible.map_or_else(|| "unknown".into(), name))
}

fn shortened(text: &str) -> Arc<str> {
    if text.len() <= STEP_LENGTH_CAP {
        return text.into();
    }
    let kept = text.get(..text.floor_char_boundary(STEP_LENGTH_CAP)).unwrap_or_default();
    format!("{kept}…").into()
}

/// The first steps and the last ones.
fn shown(mut steps: Vec<Arc<str>>) -> Vec<Arc<str>> {
    let surplus = steps.len().saturating_sub(STEP_CAP);
    if surplus > 0 {
        steps.splice(STEP_CAP / 2..STEP_CAP / 2 + surplus + 1, [Arc::from("…")]);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_start_are_no_part_of_a_label() {
        let stable = |label: &str| stable_label(&label.into()).to_string();
        assert_eq!(stable("application.com.example.notes.55704030.55704039"), "application.com.example.notes");
        assert_eq!(stable("com.example.agent.2"), "com.example.agent.2", "somebody named it so");
        assert_eq!(stable("application.1.2"), "application");
    }

    #[test]
    fn long_chains_lose_their_middle() {
        let steps: Vec<Arc<str>> = (0..12).map(|at| at.to_string().into()).collect();
        assert_eq!(shown(steps).join(" "), "0 1 2 3 … 9 10 11");
        let eight: Vec<Arc<str>> = (0..8).map(|at| at.to_string().into()).collect();
        assert_eq!(shown(eight.clone()), eight);
        assert_eq!(shortened(&"ä".repeat(150)).chars().count(), 101);
    }
}
