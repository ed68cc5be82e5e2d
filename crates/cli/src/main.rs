//! The `vi3nr` command: from the command line to the library and back.
//!
//! `arguments` holds what can be typed; each file of `commands` turns that into a plan for
//! `vi3nr-inr`, runs it and reports. No numerics here.

mod arguments;
mod commands;
mod failure;
mod interrupt;
mod numbers;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::Failure;

fn main() -> ExitCode {
    // Clap prints help, version and usage errors itself and exits with 0 or 2.
    let result = match Arguments::parse().command {
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Decode(arguments) => commands::decode::run(&arguments),
        Command::Mesh(arguments) => commands::decode::run_mesh(&arguments),
        Command::Eval(arguments) => commands::eval::run(&arguments),
        Command::Info(arguments) => commands::info::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Gain(arguments) => commands::gain::run(&arguments),
        Command::Solve(arguments) => commands::solve::run(&arguments),
        Command::Init(arguments) => commands::init::run(&arguments),
        Command::Plot(arguments) => commands::plot::run(&arguments),
        Command::Propagate(arguments) => commands::propagate::run(&arguments),
        Command::Repro(arguments) => commands::repro::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Sweep(arguments) => commands::sweep::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What a command returns.
pub(crate) type CommandResult = Result<(), Failure>;
