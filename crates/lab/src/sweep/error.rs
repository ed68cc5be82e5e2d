//! Errors of sweeps.

use std::io;
use std::path::PathBuf;

use vi3nr_inr::atomic_file::WriteError;
use vi3nr_inr::chart::ChartError;
use vi3nr_inr::request::RequestError;

use super::slurm::SlurmError;

/// An error in the plan, the execution or the report of a sweep.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a sweep.
    #[error("'{}': {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// A setting or another entry of the file is invalid.
    #[error("setting '{name}': {reason}")]
    Setting {
        /// The entry.
        name: String,
        /// What is wrong and what was expected.
        reason: String,
    },
    /// The request of a trial is invalid.
    #[error("{}{error}", of_trial(trial))]
    Request {
        /// The label of the trial; empty if the error concerns all trials.
        trial: String,
        /// The setting, its value and what was expected.
        error: RequestError,
    },
    /// The sweep has too many trials.
    #[error("the settings have more than {max} combinations")]
    TooMany {
        /// The largest number of trials.
        max: usize,
    },
    /// The theory has no σ_p for an activation.
    #[error(transparent)]
    Theory(#[from] vi3nr::Error),
    /// The database cannot be used.
    #[error("cannot use '{}' as the sweep's database: {reason}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// The error of SQLite, or what is wrong with the database.
        reason: String,
    },
    /// Another process is running the same sweep.
    #[error("'{}' is in use: another sweep writes to it", path.display())]
    Locked {
        /// The directory of the trials.
        path: PathBuf,
    },
    /// A directory cannot be created or used.
    #[error("cannot use '{}': {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The program of a child process cannot be started.
    #[error("cannot start '{}': {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Trials were submitted to a cluster, where they may still run.
    #[error(
        "trials in '{}' were submitted to Slurm and may still run there; collect or cancel them first",
        path.display()
    )]
    Queued {
        /// The folder of the trials.
        path: PathBuf,
    },
    /// Trials cannot run on a cluster.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
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
