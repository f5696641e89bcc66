//! The program: reads the command line, runs one command, prints, exits.

mod assets;
mod attack;
mod baseline;
mod cli;
mod code;
mod coverage;
mod demo;
mod evaluate;
mod evidence;
mod explain;
mod field_origins;
mod generate;
mod hosts;
mod hunting;
mod inputs;
mod lake;
mod listing;
mod outputs;
mod reading;
mod review;
#[cfg(feature = "send")]
mod sending;
mod settings;
mod talk;
mod walk;
mod window;

use clap::Parser;
use std::process::ExitCode;

/// Events are many small texts, made by one thread and dropped by another, which the allocators of most systems do slowly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quieten_contained_panics();
    let command = cli::Cli::parse().command;
    let done = match command {
        cli::Command::Demo(arguments) => demo::demo(&arguments),
        cli::Command::Hunt(arguments) => hunting::hunt(&arguments),
        cli::Command::Coverage(arguments) => coverage::coverage(&arguments),
        cli::Command::Explain(arguments) => explain::explain(&arguments),
        cli::Command::Ingest(arguments) => lake::ingest(&arguments),
        cli::Command::Lake(arguments) => lake::keep(&arguments),
        cli::Command::Read(arguments) => reading::read(&arguments),
        #[cfg(feature = "send")]
        cli::Command::Send(arguments) => sending::send(&arguments),
        cli::Command::Simulate(arguments) => demo::simulate(&arguments),
        cli::Command::Evaluate(arguments) => evaluate::evaluate(&arguments),
        cli::Command::Baseline(arguments) => baseline::run(&arguments.command),
        cli::Command::Review(arguments) => review::review(&arguments),
        cli::Command::Settings(arguments) => settings::run(&arguments.command),
        cli::Command::Attack(arguments) => attack::run(&arguments),
        cli::Command::Formats(arguments) => listing::formats(&arguments),
        cli::Command::Signals(arguments) => listing::signals(&arguments),
        cli::Command::Outputs(arguments) => listing::outputs(&arguments),
        cli::Command::Generate(arguments) => generate::generate(&arguments.command),
    };
    match done {
        Ok(verdict) => verdict.into(),
        Err(error) if talk::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            talk::error(&error);
            talk::Verdict::Error.into()
        }
    }
}

/// A panic that a reader contains becomes an error with its source and place: the hook need not tell it a second time.
fn quieten_contained_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !monologue_model::containment::is_contained() {
            tell(panic);
        }
    }));
}
