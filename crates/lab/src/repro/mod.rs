//! Reproducing the paper's Tables 1 to 4 and its Figure 2a.
//!
//! The files `repro/*.toml` of this crate, which are compiled in, give the settings and the paper's
//! numbers ([`Experiment`]). [`run`] measures, [`compare`] compares the numbers, and
//! [`RunResult::save`] writes CSV, JSON and, for the figure, images. Tables and figures of trained
//! networks are sweeps: see [`evaluation`].

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

/// The names of the experiments.
pub const NAMES: [&str; 5] = ["table1", "table2", "table3", "table4", "fig2a"];

/// The sizes and the number of repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The number of independent repetitions of random measurements.
    pub seeds: u64,
    /// The number of layers (weight matrices) of the deep networks.
    pub depth: usize,
    /// The number of units per layer.
    pub width: usize,
    /// The number of samples in each repetition.
    pub batch: usize,
    /// The number of worker threads; one per core if `None`.
    pub threads: Option<usize>,
}

/// An error of an experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReproError {
    /// There is no experiment with this name.
    #[error("unknown experiment '{0}', expected one of {names}", names = all_names().join(", "))]
    Unknown(String),
    /// The file of an experiment is invalid.
    #[error("{name}: {reason}")]
    File {
        /// The experiment.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A quantity is out of range.
    #[error(transparent)]
    Theory(#[from] Error),
    /// The variances of a deep network cannot be measured.
    #[error(transparent)]
    Propagate(#[from] PropagateError),
    /// The output directory cannot be created.
    #[error("cannot use '{}' as the output directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The data cannot be read.
    #[error(
        "cannot use '{}' as the data: {source}; expected a folder with kodak, audio and shapes",
        path.display()
    )]
    Data {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The fits cannot be planned, run or stored.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A result cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A figure cannot be drawn or written.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// The names of all experiments, including the evaluations.
fn all_names() -> Vec<&'static str> {
    [&NAMES[..], &evaluation::EVALUATIONS[..], &evaluation::FURTHER[..]].concat()
}

/// Runs the experiment `name`. `note` is called with the label of each measurement before it
/// starts.
///
/// # Errors
/// Returns [`ReproError::Unknown`] for an unknown name, [`ReproError::Theory`] if a quantity is out
/// of range, and [`ReproError::Propagate`] if the sizes are out of range or memory or threads are
/// unavailable.
pub fn run(
    name: &str,
    settings: &Settings,
    note: impl FnMut(&str),
) -> Result<RunResult, ReproError> {
    let experiment = Experiment::named(name)?;
    measure::run(name, &experiment, settings, note)
}
