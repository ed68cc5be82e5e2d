//! The paper's tables and its Figure 2a, run again and compared with what it prints.
//!
//! What to run and what the paper prints lies in `repro/*.toml` of this crate and is built
//! into the program ([`Experiment`]); [`run`] measures, [`Agreement`] compares, [`RunResult::save`]
//! writes CSV, JSON and, for the figure, pictures. Tables and figures of trained networks are sweeps:
//! [`evaluation`].

mod agreement;
pub mod evaluation;
mod experiment;
mod heat_map;
mod measure;
pub mod paper_table;
mod report;
mod result;
mod student_t;

pub use agreement::{Agreement, compare, printed_half_unit};
pub use experiment::{ConditionMap, Experiment, Quantity, SigmaChoice, TableEntry, ValueGrid};
pub use result::{Cell, RunResult};

use std::path::PathBuf;

use vi3nr::Error;

use crate::propagate::PropagateError;
use crate::sweep::SweepError;
use vi3nr_inr::atomic_file::WriteError;
use vi3nr_inr::chart::ChartError;

/// What can be run again.
pub const NAMES: [&str; 5] = ["table1", "table2", "table3", "table4", "fig2a"];

/// Sizes and repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Independent repetitions of whatever is random.
    pub seeds: u64,
    /// Weight matrices of the deep networks.
    pub depth: usize,
    /// Units of every layer.
    pub width: usize,
    /// Samples of each repetition.
    pub batch: usize,
    /// Worker threads; one per core if none.
    pub threads: Option<usize>,
}

/// An experiment that cannot be run or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReproError {
    /// No experiment of this name.
    #[error("unknown experiment '{0}', expected one of {names}", names = [&NAMES[..], &evaluation::EVALUATIONS[..]].concat().join(", "))]
    Unknown(String),
    /// An experiment's file that cannot be read.
    #[error("{name}: {reason}")]
    File {
        /// The experiment.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A quantity out of range.
    #[error(transparent)]
    Theory(#[from] Error),
    /// A deep network that cannot be computed.
    #[error(transparent)]
    Propagate(#[from] PropagateError),
    /// The directory cannot be made.
    #[error("cannot use '{}' as the output directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data cannot be found.
    #[error("cannot use '{}' as the data: {source}; expected a folder with kodak, audio and shapes", path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The fits cannot be planned, run or kept.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A result cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A picture cannot be drawn or written.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// Runs the experiment `name`; `note` is told what is about to be measured.
///
/// # Errors
/// An unknown name, sizes out of range, memory or threads that cannot be had.
pub fn run(
    name: &str,
    settings: &Settings,
    note: impl FnMut(&str),
) -> Result<RunResult, ReproError> {
    let experiment = Experiment::named(name)?;
    measure::run(name, &experiment, settings, note)
}
