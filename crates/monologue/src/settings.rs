//! `monologue settings`: which settings are in force, and why.

use crate::{
    cli::{SettingsCommand, SettingsShowArguments},
    talk::Verdict,
};
use anyhow::{Context, Result, anyhow};
use monologue_hunt::{Settings, settings::FILE_CAP};
use monologue_report::escape::terminal as escaped;
use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    sync::Arc,
};

/// How the page of the reference begins.
const HEAD: &str = "\
# Settings

`--settings FILE.toml` changes what a team knows better than the product. Mutable elements of ATT&CK's analytics bear ATT&CK's
own names and stand under `[mutable]`; levels under `[levels]`; `prior_decibans`, `discovery_rate`, `rarity_hosts`, `known_hours` and
`macos_baseline` under `[weighing]`; caps under `[caps]`; weights under `[weights.\"signal.name\"]`, each with a reason. An error names the line. What is marked
fixed is part of how hours of a lake are decided or of who an application is, and the same for everybody.

```toml
[mutable]
UserContext = [\"service-account\"]
DestinationDomain = [\"paste.example.org\"]

[levels]
medium = 0.6

[weights.\"time.cadence\"]
on-a-clock = { decibans = 4, reason = \"every agent of this fleet polls\" }
```

`monologue settings show --settings FILE.toml` prints what is in force and which line set it. An evidence pack states the same.

| key | value | what it does, and why |
|---|---|---|
";

/// The settings in force: those of a file, or the product's own.
///
/// # Errors
/// When the file cannot be read, or is not what it should be: with its line.
pub(crate) fn read(path: Option<&Path>) -> Result<Arc<Settings>> {
    let Some(path) = path else { return Ok(Arc::new(Settings::shipped().clone())) };
    let context = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let most = FILE_CAP as u64 + 1;
    File::open(path).with_context(context)?.take(most).read_to_string(&mut text).with_context(context)?;
    let settings = Settings::from_toml(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    Ok(Arc::new(settings))
}

/// Runs one of the commands.
///
/// # Errors
/// When the settings cannot be read, or the result cannot be printed.
pub(crate) fn run(command: &SettingsCommand) -> Result<Verdict> {
    let SettingsCommand::Show(arguments) = command;
    show(arguments)
}

fn show(arguments: &SettingsShowArguments) -> Result<Verdict> {
    let settings = read(arguments.settings.as_deref())?;
    let mut out = std::io::stdout().lock();
    if arguments.markdown {
        write!(out, "{HEAD}")?;
        for line in settings.lines() {
            let cell = |text: &str| text.replace('|', "\\|");
            writeln!(out, "| `{}` | {} | {} |", line.key, cell(&line.value), cell(&line.why))?;
        }
        return Ok(Verdict::Nothing);
    }
    for line in settings.lines() {
        let set_by = match (line.line, &arguments.settings) {
            (Some(number), Some(path)) => format!("{}:{number}", path.display()),
            _ => "shipped".to_owned(),
        };
        if arguments.json {
            let object = serde_json::json!({ "key": line.key, "value": line.value, "set_by": set_by, "why": line.why });
            writeln!(out, "{object}")?;
        } else {
            writeln!(out, "{} = {}  # {set_by}: {}", line.key, escaped(&line.value), escaped(&line.why))?;
        }
    }
    Ok(Verdict::Nothing)
}
