//! `monologue generate`: manual pages and completions, from the command line as it is defined.

use crate::{
    cli::{Cli, GenerateCommand},
    talk::Verdict,
};
use anyhow::{Context, Result};
use clap::CommandFactory;
use std::io::{self, Write};

/// Runs the command.
///
/// # Errors
/// When the folder cannot be written, or standard output is closed.
pub(crate) fn generate(command: &GenerateCommand) -> Result<Verdict> {
    let mut program = Cli::command();
    match command {
        GenerateCommand::Man { folder } => {
            let context = || format!("cannot write manual pages to {}", folder.display());
            std::fs::create_dir_all(folder).with_context(context)?;
            clap_mangen::generate_to(program, folder).with_context(context)?;
        }
        GenerateCommand::Completions { shell } => {
            // Into memory first: a reader of standard output who goes away is no reason to panic.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut program, "monologue", &mut script);
            io::stdout().lock().write_all(&script)?;
        }
    }
    Ok(Verdict::Nothing)
}
