//! The `vi3nr` command: from the command line to the library and back.
//!
//! `arguments` holds what can be given; each file of `commands` turns that into a plan for
//! `vi3nr-inr`, runs it and reports. No numerics here. The binary and the Python package both call
//! [`run`].

mod arguments;
mod commands;
mod explain;
mod failure;
mod interrupt;
mod numbers;
mod output;
mod progress;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use arguments::{Command, GlobalArguments};
use output::Failure;

/// The path by which this program can be started again, for the trials of a sweep.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Runs the command line `words`, the first of which is the name of the program, and returns the exit
/// code. Help, the version and errors of usage end the process.
///
/// A sweep starts `program` again for each trial that needs a process of its own.
pub fn run(words: impl IntoIterator<Item = OsString>, program: PathBuf) -> u8 {
    let started = Instant::now();
    let _ = PROGRAM.set(program);
    let arguments = arguments::parse(words);
    let GlobalArguments { quiet, verbose, color } = arguments.global;
    output::configure(quiet, verbose, color);
    let result = match arguments.command {
        Command::Fit(arguments) => commands::fit::run(&arguments),
        Command::Decode(arguments) => commands::decode::run(&arguments),
        Command::Eval(arguments) => commands::eval::run(&arguments),
        Command::Info(arguments) => commands::info::run(&arguments),
        Command::Export(arguments) => commands::export::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments.command),
        Command::Sample(arguments) => commands::sample::run(&arguments),
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
        Command::Devices(arguments) => commands::devices::run(&arguments),
        Command::Completions(arguments) => commands::program::completions(&arguments),
        Command::Man(arguments) => commands::program::man(&arguments),
    };
    if verbose {
        output::status(&commands::program::footer(started.elapsed()));
    }
    match result {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}

/// What a command returns.
pub(crate) type CommandResult = Result<(), Failure>;
