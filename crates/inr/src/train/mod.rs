//! The training loop: steps of an optimizer until something says stop.

mod batches;
mod trainer;

pub use trainer::{RunContext, Trainer};

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vi3nr_engine::EngineError;

use crate::metrics::mse_of_psnr;
use crate::optimizer::{OptimizerName, OptimizerSettings, OptimizerState, StateError};

/// How a network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// The maximum number of steps.
    pub steps: u64,
    /// Points of a step; if none, all that are sampled or the default number of drawn ones.
    pub batch: Option<usize>,
    /// What makes a step of a gradient.
    pub optimizer: OptimizerSettings,
    /// Stop once the training loss is that of this PSNR (peak 2, dB).
    pub target_psnr: Option<f64>,
    /// Stop in time to be done this long after the start. The cosine schedule then ends with the
    /// time, so that the result depends on the machine's speed.
    pub time_limit: Option<Duration>,
}

impl TrainSettings {
    /// The training loss at which the fit stops.
    pub fn target_loss(&self) -> Option<f64> {
        self.target_psnr.map(mse_of_psnr)
    }
}

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The engine refuses something.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A state that is not this run's.
    #[error(transparent)]
    State(#[from] StateError),
    /// An optimizer that cannot work on parts of a signal or another loss.
    #[error(
        "the optimizer {optimizer} needs all points at each step and the squared error as the loss, \
         not {seen}"
    )]
    NeedsAllPoints {
        /// Its name.
        optimizer: OptimizerName,
        /// What it would get.
        seen: &'static str,
    },
}

/// What a step found; handed to the watcher of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps done, this one included.
    pub step: u64,
    /// The maximum number of steps.
    pub steps: u64,
    /// The loss of the step's points, before the step.
    pub loss: f64,
    /// The step's learning rate; for `kfac` the length that its model gave it.
    pub learning_rate: f64,
    /// Points seen so far, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations so far: 6·weights for each point seen, and what the optimizer did
    /// besides.
    pub operations: f64,
    /// Time since training began.
    pub elapsed: Duration,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// All steps were done.
    Steps,
    /// The loss reached the target.
    Target,
    /// The time was up.
    Time,
    /// The optimizer finds no step that makes the loss noticeably smaller.
    Converged,
    /// The watcher asked for it.
    Interrupted,
    /// The loss of the step after the last one done was not a finite number.
    Diverged,
}

impl Stop {
    /// As it is written in files and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Target => "target",
            Self::Time => "time",
            Self::Converged => "converged",
            Self::Interrupted => "interrupted",
            Self::Diverged => "diverged",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What training leaves behind besides the engine's parameters.
#[derive(Debug, Clone)]
pub struct TrainOutcome {
    /// Why it ended.
    pub stop: Stop,
    /// Steps done.
    pub steps: u64,
    /// Points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// Time that training took.
    pub elapsed: Duration,
    /// The best parameters known, if any loss was finite: with full batches those of the smallest
    /// loss, with mini-batches the first ones or those at the end of the epoch of smallest mean
    /// loss (for drawn points, of a hundred steps).
    pub best: Option<Best>,
}

/// The parameters of the smallest loss seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Best {
    /// The loss by which they were chosen.
    pub loss: f64,
    /// How many steps led to these parameters.
    pub step: u64,
    /// In the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
}

/// Where a run stands at the end of a step: all that its next steps depend on besides its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    /// Steps done, by which every random number that is left to draw is known.
    pub step: u64,
    /// Points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// Time that training took.
    pub elapsed: Duration,
    /// The current epoch's losses.
    pub epoch: EpochMean,
    /// The best parameters known.
    pub best: Option<Best>,
    /// The current parameters, in the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
    /// What the optimizer remembers.
    pub optimizer: OptimizerState,
}

/// The mean loss of an epoch's batches, weighted by their sizes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochMean {
    sum: f64,
    count: usize,
}

impl EpochMean {
    fn add(&mut self, loss: f64, count: usize) {
        self.sum += loss * count as f64;
        self.count += count;
    }

    fn take(&mut self) -> f64 {
        let mean = self.sum / self.count as f64;
        *self = Self::default();
        mean
    }
}

#[cfg(test)]
mod tests;
