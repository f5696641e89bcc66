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
    // What is printed besides the reply (its status, its headers) is kept.
    let keeps = own.iter().any(|argument| keeps_something(argument));
    let to_null = to_null && !keeps;
    let parent = table.parent(instance)?;
    let program = instance.image.path.as_deref().map_or("", identity::file_name);
    let redirected = command_of_shell(parent).is_some_and(|line| discards(&line, program));
    Some(to_null || redirected)
}

/// Whether an option of `curl` prints something of the reply besides its body: `-w`, `-D`, alone or at the end of short ones.
fn keeps_something(argument: &str) -> bool {
    let short = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    let ends = short.is_some_and(|letters| letters.len() < 6 && letters.ends_with(['w', 'D']));
    ends || argument.starts_with("--write-out") || argument.starts_with("--dump-header")
}

/// The shell that runs the program's output as a command, where its own command line says so: `eval "$(curl …)"`,
/// `x=$(curl …); eval "$x"`, `curl … | sh`, `sh -c "$(curl …)"`, `source <(curl …)`.
pub(super) fn evaluation(table: &ProcessTable, instance: &Instance, answered_at: Timestamp) -> Option<Effect> {
    if evaluates_itself(instance) {
        let (provenance, target) = (instance.started_by.clone()?, instance.image.path.clone()?);
        return Some(Effect { time: answered_at, kind: EffectKind::Evaluated, target, provenance });
    }
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

/// Whether an interpreter's own inline text runs what it fetches: `osascript -l JavaScript -e 'eval(… contents of a URL …)'`,
/// `python3 -c 'exec(urlopen(…).read())'`.
fn evaluates_itself(instance: &Instance) -> bool {
    const FETCHES: [&str; 8] = [
        "ContentsOfURL",
        "NSURLSession",
        "urlopen(",
        "requests.get(",
        "fetch(",
        "https.get(",
        "Net::HTTP",
        "LWP::Simple",
    ];
    let Some(path) = instance.image.path.as_deref().filter(|path| identity::is_interpreter(path)) else { return false };
    if identity::is_shell(path) {
        return false;
    }
    let arguments = instance.arguments().unwrap_or_default();
    let inline = arguments.windows(2).filter_map(|pair| match pair {
        [option, text] if matches!(option.as_str(), "-e" | "-c" | "--eval") => Some(text),
        _ => None,
    });
    inline.into_iter().any(|text| {
        let runs = text.contains("eval(") || text.contains("exec(") || text.contains("run script");
        runs && FETCHES.iter().any(|fetch| text.contains(fetch))
    })
}

/// Whether it is known what reads the program's output: a shell whose command line was not recorded may run it.
pub(super) fn knows_reader(table: &ProcessTable, instance: &Instance) -> bool {
    if instance.image.parent.as_ref().is_some_and(|parent| parent.pid == Some(1)) {
        return true;
    }
    // Any other parent may read the output through a pipe and hold it in memory.
    table.parent(instance).is_some_and(|parent| {
        parent.image.path.as_deref().is_some_and(identity::is_shell) && parent.arguments().is_some()
    })
}

/// Whether a line throws the standard output of a program away: its own command does, or the group it stands in.
fn discards(line: &str, program: &str) -> bool {
    let Some(at) = line.find(program) else { return false };
    let (_, own) = line.split_at(at);
    // To the end of its command; what a pipe takes on is another command's.
    let end = own.find(['|', ';', '\n', ')', '}']).into_iter().chain(own.find("&& ")).min().unwrap_or(own.len());
    let (command, rest) = own.split_at(end);
    let group = rest.trim_start_matches([';', ' ']);
    let after_group = group.strip_prefix([')', '}']).unwrap_or_default();
    to_null(command) || (!after_group.is_empty() && to_null(after_group.split(['|', ';']).next().unwrap_or_default()))
}

/// Whether a command's standard output goes to `/dev/null`: `>`, `>>`, `1>`, `&>` and `>&`, but not `2>` alone.
fn to_null(command: &str) -> bool {
    let mut rest = command;
    while let Some(at) = rest.find('>') {
        let (before, after) = rest.split_at(at);
        let target = after.trim_start_matches(['>', '&', '|']).trim_start();
        let errors_only = before.ends_with('2');
        if !errors_only && target.starts_with("/dev/null") {
            return true;
        }
        rest = after.trim_start_matches('>');
    }
    false
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
    fn output_is_thrown_away_only_where_the_line_says_so_of_this_program() {
        for line in [
            "sh -c curl -s https://a.example >/dev/null 2>&1",
            "sh -c curl -s https://a.example > /dev/null",
            "sh -c nohup curl -s https://a.example &>/dev/null &",
            "sh -c curl -s https://a.example 1>/dev/null",
            "sh -c (curl -s https://a.example) >/dev/null",
            "sh -c { curl -s https://a.example; } >/dev/null 2>&1",
            "sh -c test -f x && curl -s https://a.example >>/dev/null; echo",
        ] {
            assert!(discards(line, "curl"), "{line}");
        }
        for line in [
            "sh -c curl -s https://a.example 2>/dev/null",
            "sh -c curl -s https://a.example 2> /dev/null > /tmp/x",
            "sh -c pgrep -x a >/dev/null || curl -s https://a.example",
            "sh -c curl -s https://a.example | grep x >/dev/null",
            "sh -c curl -s https://a.example; echo >/dev/null",
            "sh -c curl -s https://a.example",
        ] {
            assert!(!discards(line, "curl"), "{line}");
        }
    }

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
