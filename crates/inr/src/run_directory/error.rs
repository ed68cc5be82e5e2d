//! Errors of runs on disk.

use std::io;
use std::path::PathBuf;

use crate::atomic_file::WriteError;
use crate::checkpoint::CheckpointError;
use crate::decode::DecodeError;
use crate::model_file::ModelError;
use crate::prepare::PrepareError;
use crate::session::FitError;
use crate::signal::SignalError;

/// Why a run fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The signal cannot be read, or a setting is impossible.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Training or evaluation fails.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Training or evaluation fails after a checkpoint, or after pieces have been fitted, so that the
    /// run can be resumed.
    #[error("{source}; what was done before is kept in '{}'", path.display())]
    Cut {
        /// The error.
        source: FitError,
        /// The directory.
        path: PathBuf,
    },
    /// The directory cannot be created or written to.
    #[error("cannot use '{}' as the run directory: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The directory holds an earlier run, and overwriting it was not requested.
    #[error("'{}' holds an earlier run; choose another directory or overwrite it", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The record of the run cannot be read.
    #[error("'{}' cannot be used: {reason}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The directory holds no run.
    #[error("there is no run in '{}': {reason}; expected the directory of a run", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The reconstruction or another file of the signal cannot be written.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// The model cannot be decoded into the reconstruction.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Another file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
