//! What a run that was cut off needs to go on to the very bytes of one that was not.
//!
//! A checkpoint is one safetensors file: the parameters, the best ones, all that the optimizer
//! remembers and the rows of `metrics.csv` as tensors, everything else as JSON in the metadata,
//! with a checksum over all of it. Batches and whatever else is random follow from the seed and the
//! step, so the step is the position of every generator.

mod file;
pub mod version_1;

use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use crate::atomic_file::WriteError;
use crate::plan::{FitPlan, differences};
use crate::request::FitRequest;
use crate::signal::Signal;
use crate::train::{Progress, TrainState};

/// The checkpoint's file name inside a run directory.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";

/// A run at the end of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What the run must agree in.
    pub identity: Identity,
    /// What was asked for; `None` in a checkpoint of version 1.
    pub request: Option<FitRequest>,
    /// Where training stands.
    pub state: TrainState,
    /// The steps that `metrics.csv` holds so far.
    pub log: Vec<Progress>,
}

/// What tells the run of a checkpoint from others.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    /// The plan, as JSON: a plan of another format is kept as it is, to say where it differs.
    Plan(Value),
    /// What version 1 kept.
    Version1(Value),
}

impl Checkpoint {
    /// Where this checkpoint's run differs from a fit of `plan` to `signal`, in words; nothing if
    /// it is the same run.
    pub fn differences(&self, plan: &FitPlan, signal: &dyn Signal) -> Vec<String> {
        match &self.identity {
            Identity::Plan(kept) => differences(kept, &plan.to_json()),
            Identity::Version1(kept) => differences(kept, &version_1::identity(plan, signal)),
        }
    }
}

/// How often a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CheckpointInterval {
    /// After so many steps.
    Steps(u64),
    /// After so much time.
    Time(Duration),
}

impl CheckpointInterval {
    /// Whether a checkpoint is due `steps` steps and `time` after the last.
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

    /// A whole number of steps above 0, or seconds such as `30s`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            || "expected a whole number of steps above 0, or seconds such as 30s".to_owned();
        if let Some(seconds) = text.strip_suffix('s') {
            let seconds = seconds.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
            let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            return time.map(Self::Time).ok_or_else(expected);
        }
        text.parse().ok().filter(|steps| *steps > 0).map(Self::Steps).ok_or_else(expected)
    }
}

/// A checkpoint that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The system did not let the file be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a checkpoint or is damaged.
    #[error("the checkpoint '{}' is damaged: {reason}; remove it to start from nothing", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The run was another.
    #[error("'{}' belongs to other settings: {}", path.display(), differences.join("; "))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Each setting that differs, with both values.
        differences: Vec<String>,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

#[cfg(test)]
mod tests;
