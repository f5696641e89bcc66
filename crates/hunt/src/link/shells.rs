//! What shells do with the output of a program they started: thrown away, or run as a command.

use crate::{
    identity,
    processes::{Instance, ProcessTable},
};
use monologue_model::{Effect, EffectKind, Provenance, Timestamp};

/// Programs that run what they read.
const RUNNERS: &[&str] =
    &["sh", "bash", "zsh", "dash", "ksh", "python", "python3", "perl", "ruby", "node", "osascript"];

/// Whether a command line throws the output away: the program's own, or that of the shell that started it. `None` means that
/// neither was recorded.
pub(super) fn discards_output(table: &ProcessTable, instance: &Instance) -> Option<bool> {
    let own = instance.arguments()?;
    let to_null = own.windows(2).any(|pair| match pair {
        [option, target] => matches!(option.as_str(), "-o" | "--output" | "-O") && target == "/dev/null",
        _ => false,
    }) || own.iter().any(|argument| matches!(argument.as_str(), "-o/dev/null" | "--output=/dev/null"));
    let parent = table.parent(instance)?;
    let redirected =
        command_of_shell(parent).is_some_and(|line| line.contains(">/dev/null") || line.contains("> /dev/null"));
    Some(to_null || redirected)
}

/// The shell that runs the program's output as a command, where its own command line says so: `eval "$(curl …)"`,
/// `x=$(curl …); eval "$x"`, `curl … | sh`, `sh -c "$(curl …)"`, `source <(curl …)`.
pub(super) fn evaluation(table: &ProcessTable, instance: &Instance, answered_at: Timestamp) -> Option<Effect> {
    let shell = table.parent(instance)?;
    let line = command_of_shell(shell)?;
    let program = identity::file_name(instance.image.path.as_deref()?);
    if !runs_output_of(&line, program) {
        return None;
    }
    let provenance: Provenance = shell.started_by.clone()?;
    let target = shell.image.path.clone()?;
    Some(Effect { time: answered_at, kind: EffectKind::Evaluated, target, provenance })
}

/// Whether it is known what reads the program's output: a shell whose command line was not recorded may run it.
pub(super) fn knows_reader(table: &ProcessTable, instance: &Instance) -> bool {
    if instance.image.parent.as_ref().is_some_and(|parent| parent.pid == Some(1)) {
        return true;
    }
    match table.parent(instance) {
        Some(parent) if parent.image.path.as_deref().is_some_and(identity::is_shell) => parent.arguments().is_some(),
        Some(parent) => parent.image.path.is_some(),
        None => false,
    }
}

/// The command line of a process, if it is a shell that was given one.
fn command_of_shell(process: &Instance) -> Option<String> {
    process.image.path.as_deref().filter(|path| identity::is_shell(path))?;
    process.arguments().map(|arguments| arguments.join(" "))
}

fn runs_output_of(line: &str, program: &str) -> bool {
    let Some(at) = line.find(program) else { return false };
    let (before, after) = line.split_at(at);
    let substituted = before.contains("$(") || before.contains('`') || before.contains("<(");
    let piped = after.split('|').skip(1).any(|part| {
        let mut words = part.split_whitespace().skip_while(|word| matches!(*word, "sudo" | "env" | "command" | "exec"));
        words.next().is_some_and(|word| RUNNERS.contains(&identity::file_name(word)))
    });
    let words: Vec<&str> =
        line.split(|letter: char| letter.is_whitespace() || letter == ';' || letter == '&').collect();
    // The first word is the shell that runs the line; another one with `-c`, or one that reads `<(`, runs the output.
    let run_by_word = words.iter().enumerate().any(|(place, word)| {
        let name = identity::file_name(word);
        matches!(name, "eval" | "source" | ".") || (place > 0 && RUNNERS.contains(&name))
    });
    piped || (substituted && run_by_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_run_only_where_the_line_says_so() {
        for line in [
            r#"sh -c eval "$(curl -s https://a.example)""#,
            r#"/bin/zsh -c x=$(curl -s https://a.example); eval "$x""#,
            "bash -c curl -fsSL https://a.example | sudo sh",
            "sh -c curl https://a.example | /bin/bash -s -- x",
            r#"sh -c /bin/bash -c "$(curl -fsSL https://a.example)""#,
            "zsh -c source <(curl -s https://a.example)",
        ] {
            assert!(runs_output_of(line, "curl"), "{line}");
        }
        for line in [
            "sh -c curl -s https://a.example",
            "sh -c curl -s https://a.example >/dev/null 2>&1",
            "sh -c v=$(curl -s https://a.example); echo $v",
            "sh -c curl -s https://a.example | grep x",
            "sh -c eval x=1; wget https://a.example",
            "/bin/sh /tmp/update.sh",
        ] {
            assert!(!runs_output_of(line, "curl"), "{line}");
        }
    }
}
