//! `vi3nr bench`: how fast this machine trains, and what optimizers and grids achieve.

mod engine;
mod grid;
mod optimizers;

use crate::CommandResult;
use crate::arguments::BenchCommand;

/// Measures and prints.
pub(crate) fn run(command: &BenchCommand) -> CommandResult {
    match command {
        BenchCommand::Engine(arguments) => engine::run(arguments),
        BenchCommand::Optimizers(arguments) => optimizers::run(arguments),
        BenchCommand::Grid(arguments) => grid::run(arguments),
    }
}
