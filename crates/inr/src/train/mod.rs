//! The training loop: optimizer steps until a stopping criterion is met.

mod batches;
mod check;
mod trainer;

pub use trainer::{RunContext, Trainer};

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vi3nr_engine::EngineError;

use crate::metrics::mse_of_psnr;
use crate::optimizer::{OptimizerName, OptimizerSettings, OptimizerState, StateError};
use crate::points::TermLosses;

/// The settings of training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSettings {
    /// The maximum number of steps.
    pub steps: u64,
    /// The number of points per step; if `None`, all sampled points or the default number of drawn
    /// points.
    pub batch: Option<usize>,
    /// The optimizer.
    pub optimizer: OptimizerSettings,
    /// The PSNR (peak 2, dB) of the training loss at which training stops.
    pub target_psnr: Option<f64>,
    /// The time after the start by which the fit must be complete. The cosine schedule then follows
    /// the elapsed time, so that the result depends on the machine's speed.
    pub time_limit: Option<Duration>,
}

impl TrainSettings {
    /// The training loss at which training stops.
    pub fn target_loss(&self) -> Option<f64> {
        self.target_psnr.map(mse_of_psnr)
    }
}

/// Why training fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The engine reports an error.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state belongs to another network or optimizer.
    #[error(transparent)]
    State(#[from] StateError),
    /// The optimizer does not support mini-batches or other losses.
    #[error(
        "the optimizer {optimizer} needs all points at each step and the squared error as the \
         loss, but got {seen}"
    )]
    NeedsAllPoints {
        /// The optimizer.
        optimizer: OptimizerName,
        /// The points or the loss that it would get.
        seen: &'static str,
    },
}

/// The progress of training after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The number of steps taken, including this one.
    pub step: u64,
    /// The maximum number of steps.
    pub steps: u64,
    /// The loss on the step's points before the update.
    pub loss: f64,
    /// The loss of each term on the step's points before the update, in the order of
    /// [`Supervision::terms`](crate::supervision::Supervision::terms).
    pub terms: TermLosses,
    /// The learning rate of the step; for `kfac`, the coefficient α of its direction.
    pub learning_rate: f64,
    /// The number of points seen so far, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations so far: 6·weights for each point seen, and those of the optimizer.
    pub operations: f64,
    /// Time since training began.
    pub elapsed: Duration,
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// The maximum number of steps was reached.
    Steps,
    /// The loss reached the target.
    Target,
    /// The time limit was reached.
    Time,
    /// The optimizer found no step that noticeably reduces the loss.
    Converged,
    /// The callback interrupted training.
    Interrupted,
    /// The loss after the last step was not finite.
    Diverged,
}

impl Stop {
    /// The name, as in files and JSON.
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

/// The result of training, besides the engine's parameters.
#[derive(Debug, Clone)]
pub struct TrainOutcome {
    /// Why training ended.
    pub stop: Stop,
    /// The number of steps taken.
    pub steps: u64,
    /// The number of points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// The duration of training.
    pub elapsed: Duration,
    /// The best known parameters, if any loss was finite: with full batches, those of the smallest
    /// loss; with mini-batches, the initial ones or those at the end of the epoch with the smallest
    /// mean loss, where an epoch of drawn points is a hundred steps.
    pub best: Option<Best>,
}

/// The parameters of the smallest loss seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Best {
    /// The loss by which they were selected.
    pub loss: f64,
    /// The number of steps taken before.
    pub step: u64,
    /// The parameters, in the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
}

/// The state of training after a step, which with the settings determines all further steps.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    /// The number of steps taken, which determines all further random numbers.
    pub step: u64,
    /// The number of points seen, repetitions counted.
    pub points_seen: u64,
    /// Floating-point operations, as in [`Progress::operations`].
    pub operations: f64,
    /// The duration of training.
    pub elapsed: Duration,
    /// The losses of the current epoch.
    pub epoch: EpochMean,
    /// The best known parameters.
    pub best: Option<Best>,
    /// The current parameters, in the order of [`vi3nr::Network::layers`].
    pub parameters: Vec<f32>,
    /// The state of the optimizer.
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
mod run_tests;
#[cfg(test)]
mod tests;
