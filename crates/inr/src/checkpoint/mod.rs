//! What a run that was cut off needs to go on to the very bytes of one that was not.
//!
//! A checkpoint is one safetensors file: the parameters, the best ones, all that the optimiser
//! remembers and the rows of `metrics.csv` as tensors, everything else as JSON in the metadata, with a
//! checksum over all of it. Batches and whatever else is random follow from the seed and the step, so
//! the step is the position of every generator.

mod file;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::atomic_file::WriteError;
use crate::model_file::ModelError;
use crate::train::{Progress, TrainState};

/// The checkpoint's file name inside a run directory.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";

/// A run at the end of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What decides the result besides the signal: [`crate::fit::FitPlan::identity`].
    pub settings: Value,
    /// Where training stands.
    pub state: TrainState,
    /// The steps that `metrics.csv` holds so far.
    pub log: Vec<Progress>,
}

/// How often a checkpoint is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Every {
    /// After so many steps.
    Steps(u64),
    /// After so much time.
    Time(Duration),
}

impl Every {
    /// Whether one is due `steps` steps and `time` after the last.
    pub fn is_due(self, steps: u64, time: Duration) -> bool {
        match self {
            Self::Steps(every) => steps >= every,
            Self::Time(every) => time >= every,
        }
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
    /// The file is no checkpoint or is damaged.
    #[error("the checkpoint '{}' is damaged: {reason}; remove it to start from nothing", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// The run was another.
    #[error("the checkpoint '{}' belongs to other settings: {}", path.display(), differences.join("; "))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Each setting that differs, with both values.
        differences: Vec<String>,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The model beside it cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Each place where `asked` is not `kept`, in words.
pub fn differences(kept: &Value, asked: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", kept, asked, &mut found);
    found
}

fn compare(place: &str, kept: &Value, asked: &Value, found: &mut Vec<String>) {
    if let (Value::Object(kept), Value::Object(asked)) = (kept, asked) {
        let names = kept.keys().chain(asked.keys().filter(|name| !kept.contains_key(*name)));
        for name in names {
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            let value = |of: &serde_json::Map<String, Value>| of.get(name).cloned();
            let (kept, asked) = (value(kept), value(asked));
            compare(&place, &kept.unwrap_or_default(), &asked.unwrap_or_default(), found);
        }
    } else if kept != asked {
        found.push(format!("{place} is {kept} there and {asked} here"));
    }
}

#[cfg(test)]
mod tests;
