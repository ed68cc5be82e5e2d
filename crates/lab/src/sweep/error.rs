//! What can be wrong with a sweep.

use std::io;
use std::path::PathBuf;

use vi3nr_inr::atomic_file::WriteError;
use vi3nr_inr::chart::ChartError;
use vi3nr_inr::request::RequestError;

/// A sweep that cannot be planned, run or reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a sweep.
    #[error("'{}': {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },
    /// An entry of the file that makes no sense.
    #[error("setting '{name}': {reason}")]
    Setting {
        /// The entry.
        name: String,
        /// What was seen and what was expected.
        reason: String,
    },
    /// A fit that cannot be asked for.
    #[error("{}{error}", of_trial(trial))]
    Request {
        /// Which trial, in words; empty if all.
        trial: String,
        /// Which setting, what was seen and what was expected.
        error: RequestError,
    },
    /// More trials than anyone can mean.
    #[error("the settings have more than {max} combinations")]
    TooMany {
        /// How many are accepted.
        max: usize,
    },
    /// A σ_p that does not exist.
    #[error(transparent)]
    Theory(#[from] vi3nr::Error),
    /// The database cannot be used.
    #[error("cannot use '{}' as the sweep's database: {reason}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Another process runs the same sweep.
    #[error("'{}' is in use: another sweep writes to it", path.display())]
    Locked {
        /// The directory of the trials.
        path: PathBuf,
    },
    /// A directory cannot be made.
    #[error("cannot use '{}': {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("cannot start '{}': {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A figure cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A result cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn of_trial(label: &str) -> String {
    if label.is_empty() { String::new() } else { format!("trial {label}: ") }
}
