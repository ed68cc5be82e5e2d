//! Checkpoints, from which an interrupted run is resumed to the same bytes as an uninterrupted one.
//!
//! A checkpoint is one safetensors file. The current parameters, the best parameters, the state of
//! the optimizer and the rows of `metrics.csv` are tensors; everything else is JSON in the
//! metadata, with a checksum over the whole content. Mini-batches and all other random numbers are
//! functions of the seed and the step, so that no generator state is stored.

mod file;
pub mod version_1;

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use vi3nr::printable::excerpt;

use crate::atomic_file::WriteError;
use crate::plan::{FitPlan, differences_but_backend};
use crate::request::FitRequest;
use crate::signal::Signal;
use crate::train::{Progress, TrainState};

/// The file name of the checkpoint inside a run directory.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";

/// The state of a run after a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The identity of the run.
    pub identity: Identity,
    /// The request; `None` in a checkpoint of version 1.
    pub request: Option<FitRequest>,
    /// The state of training.
    pub state: TrainState,
    /// The rows of `metrics.csv` so far.
    pub log: Vec<Progress>,
}

/// The identity of a run: a checkpoint is used only for a run of the same identity.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    /// The plan as JSON. A plan of another format is kept unchanged, so that its differences can be
    /// reported.
    Plan(Value),
    /// The identity that version 1 stored.
    Version1(Value),
}

impl Checkpoint {
    /// The differences between this checkpoint's run and a fit of `plan` to `signal`, one sentence
    /// each; empty if it is the same run. The backend may differ: the record of a run says on which
    /// one it is resumed.
    pub fn differences(&self, plan: &FitPlan, signal: &dyn Signal) -> Vec<String> {
        match &self.identity {
            Identity::Plan(kept) => differences_but_backend(kept, &plan.to_json()),
            Identity::Version1(kept) => {
                differences_but_backend(kept, &version_1::identity(plan, signal))
            }
        }
    }
}

/// How often a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CheckpointInterval {
    /// After this many steps.
    Steps(u64),
    /// After this much time.
    Time(Duration),
}

impl CheckpointInterval {
    /// Whether a checkpoint is due `steps` steps and `time` after the last one.
    pub fn is_due(self, steps: u64, time: Duration) -> bool {
        match self {
            Self::Steps(every) => steps >= every,
            Self::Time(every) => time >= every,
        }
    }
}

impl Default for CheckpointInterval {
    /// Every 30 seconds.
    fn default() -> Self {
        Self::Time(Duration::from_secs(30))
    }
}

impl FromStr for CheckpointInterval {
    type Err = String;

    /// Parses a whole number of steps above 0, or seconds such as `30s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected a whole number of steps above 0, or seconds such as 30s".to_owned();
        if let Some(seconds) = text.strip_suffix('s') {
            let seconds = vi3nr::number::real(seconds).filter(|seconds| *seconds > 0.0);
            let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            return time.map(Self::Time).ok_or_else(expected);
        }
        let steps = vi3nr::number::whole(text).filter(|steps| *steps > 0);
        steps.map(Self::Steps).ok_or_else(expected)
    }
}

/// Why a checkpoint cannot be used or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not a checkpoint or is damaged.
    #[error(
        "the checkpoint '{}' is damaged: {}; remove it to restart from the first step",
        path.display(),
        excerpt(reason, 300)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The checkpoint belongs to a run with other settings or another signal.
    #[error("'{}' belongs to other settings: {}", path.display(), differences.join("; "))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Each setting that differs, with both values.
        differences: Vec<String>,
    },
    /// The checkpoint cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

#[cfg(test)]
mod tests;
