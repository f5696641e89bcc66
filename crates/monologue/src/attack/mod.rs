//! `monologue attack …`: the ATT&CK library on the command line.

pub(crate) mod arguments;
mod briefing;
mod changes;
pub(crate) mod citing;
mod importing;
mod lists;
mod object;
mod write;

use crate::talk::Verdict;
use anyhow::{Result, anyhow};
use arguments::{AskArguments, AttackArguments, AttackCommand};
use monologue_attack::{Ask, Library};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Runs one of the subcommands.
///
/// # Errors
/// When it cannot be done; each error says what was expected.
pub(crate) fn run(arguments: &AttackArguments) -> Result<Verdict> {
    let folder = folder(arguments.library.as_deref())?;
    match &arguments.command {
        AttackCommand::Import(arguments) => importing::import(&folder, arguments),
        AttackCommand::Snapshots(arguments) => importing::snapshots(&folder, *arguments),
        AttackCommand::Show(arguments) => object::show(&folder, arguments),
        AttackCommand::Raw(arguments) => object::raw(&folder, arguments),
        AttackCommand::List(arguments) => lists::list(&folder, arguments),
        AttackCommand::Search(arguments) => lists::search(&folder, arguments),
        AttackCommand::History(arguments) => changes::history(&folder, arguments),
        AttackCommand::Diff(arguments) => changes::diff(&folder, arguments),
        AttackCommand::Graph(arguments) => object::graph(&folder, arguments),
        AttackCommand::Brief(arguments) => briefing::brief(&folder, arguments),
        AttackCommand::Crosswalk(arguments) => briefing::crosswalk(&folder, arguments),
        AttackCommand::Site(arguments) => briefing::site(&folder, arguments),
    }
}

/// The library's folder: as named, else where the platform keeps data of programs.
fn folder(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    let from = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else if cfg!(windows) {
        from("LOCALAPPDATA")
    } else {
        from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")))
    };
    data.map(|data| data.join("monologue/attack")).ok_or_else(|| {
        anyhow!("expected a home folder to keep the library in, found none; hint: name one with --library DIR")
    })
}

fn open(folder: &Path) -> Result<Library> {
    Ok(Library::open(folder)?)
}

fn ask(arguments: &AskArguments) -> Ask {
    Ask { release: arguments.release.clone(), domain: arguments.domain.clone() }
}
