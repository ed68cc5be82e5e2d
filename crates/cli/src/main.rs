//! The `vi3nr` command: from the command line to the library and back.
//!
//! `arguments` holds what can be given; each file of `commands` turns that into a plan for
//! `vi3nr-inr`, runs it and reports. No numerics here.

mod arguments;
mod commands;
mod explain;
mod failure;
mod interrupt;
mod numbers;
mod output;
mod progress;

use std::process::ExitCode;
use std::time::Instant;

use arguments::{Command, GlobalArguments};
use output::Failure;

fn main() -> ExitCode {
    let started = Instant::now();
    // Clap prints help, version and usage errors itself and exits with 0 or 2.
    let arguments = arguments::parse(std::env::args_os());
    let GlobalArguments { quiet, verbose, color } = arguments.global;
    output::configure(quiet, verbose, color);
    let result = match arguments.command {
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Decode(arguments) => commands::decode::run(&arguments),
        Command::Eval(arguments) => commands::eval::run(&arguments),
        Command::Info(arguments) => commands::info::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments.command),
        Command::Gain(arguments) => commands::gain::run(&arguments),
        Command::Solve(arguments) => commands::solve::run(&arguments),
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Plot(arguments) => commands::plot::run(&arguments),
        Command::Propagate(arguments) => commands::propagate::run(&arguments),
        Command::Activations(arguments) => commands::catalog::activations(&arguments),
        Command::Schemes(arguments) => commands::catalog::schemes(&arguments),
        Command::Repro(arguments) => commands::repro::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Sweep(arguments) => commands::sweep::run(&arguments),
        Command::Completions(arguments) => commands::program::completions(&arguments),
        Command::Man(arguments) => commands::program::man(&arguments),
    };
    if verbose {
        output::status(&commands::program::footer(started.elapsed()));
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What a command returns.
pub(crate) type CommandResult = Result<(), Failure>;
