//! Errors of Slurm.

use std::io;
use std::path::PathBuf;

/// Why trials cannot run on a cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlurmError {
    /// A command of Slurm cannot be started.
    #[error("cannot start '{}': {source}; expected a machine with the commands of Slurm", program.display())]
    Start {
        /// The command.
        program: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// `sbatch` did not accept a job array. What was submitted before continues.
    #[error("'{}' refused the job: {reason}", program.display())]
    Refused {
        /// The command.
        program: PathBuf,
        /// What it wrote to standard error.
        reason: String,
    },
    /// The first look at the queue failed. Nothing was submitted.
    #[error("'{}' cannot be used: {reason}", program.display())]
    Unreachable {
        /// The command.
        program: PathBuf,
        /// What it wrote to standard error.
        reason: String,
    },
    /// A command has failed for a while. Jobs that were submitted continue.
    #[error("'{}' has failed for {seconds} s: {reason}", program.display())]
    Silent {
        /// The command.
        program: PathBuf,
        /// How long it has failed.
        seconds: u64,
        /// What it last wrote to standard error.
        reason: String,
    },
    /// A command printed something unexpected.
    #[error("'{}' printed '{seen}'; expected {expected}", program.display())]
    Output {
        /// The command.
        program: PathBuf,
        /// The line.
        seen: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The list of a submission's trials is damaged.
    #[error("'{}': {reason}", path.display())]
    Tasks {
        /// The file.
        path: PathBuf,
        /// What was seen and what was expected.
        reason: String,
    },
    /// Jobs run in the folder of the trials, and nothing says which trials they run.
    #[error("{jobs} run in '{}' without a list of their trials; cancel them first", path.display())]
    Unknown {
        /// The jobs.
        jobs: String,
        /// The folder of the trials.
        path: PathBuf,
    },
    /// The jobs were cancelled by another process.
    #[error("the jobs of the sweep were cancelled")]
    Cancelled,
    /// An option for `sbatch` is not one.
    #[error("'{option}' is not an option of sbatch; expected, for example, '--qos=high'")]
    Option {
        /// The option.
        option: String,
    },
}
