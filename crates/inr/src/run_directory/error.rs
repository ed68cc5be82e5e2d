//! What can go wrong with a run on disk.

use std::io;
use std::path::PathBuf;

use crate::atomic_file::WriteError;
use crate::checkpoint::CheckpointError;
use crate::decode::DecodeError;
use crate::model_file::ModelError;
use crate::prepare::PrepareError;
use crate::session::FitError;
use crate::signal::SignalError;

/// A run that cannot be begun, continued or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// What is asked for cannot be read or decided.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The fit fails.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The directory cannot be made or written to.
    #[error("cannot use '{}' as the run directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory holds an earlier run, and nobody asked to overwrite it.
    #[error("'{}' holds an earlier run; choose another directory, or overwrite it", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// What the directory says of its run cannot be understood.
    #[error("'{}' cannot be used: {reason}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// There is no run.
    #[error("there is no run in '{}': {reason}; expected the directory of a run", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The model cannot be written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// What the signal draws cannot be written.
    #[error(transparent)]
    Picture(#[from] SignalError),
    /// The model cannot be decoded for people to look at.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Another file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
