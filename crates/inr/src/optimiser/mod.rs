//! How a gradient becomes a step.
//!
//! | name | what it does | what it is for |
//! |---|---|---|
//! | `adam` | Adam with a learning rate and a schedule | any signal, any batch |
//! | `muon` | orthogonalised momentum for hidden weights, Adam for the rest | any signal, any batch |
//! | `kfac` | Gauss-Newton by Kronecker factors and a quadratic model; no learning rate | all points at each step, squared error |
//!
//! Measurements are in the repository's docs/optimisers.md.
//!
//! [`OptimiserSettings`] says which one and with which numbers; [`Optimiser`] is one at work. All that
//! it remembers can be taken out and put back ([`OptimiserState`]); whatever is random in it is a
//! function of the seed and the step.

mod adam;
mod kfac;
mod muon;
mod schedule;
mod state;

pub use adam::AdamSettings;
pub use kfac::KfacSettings;
pub use muon::MuonSettings;
pub use schedule::Schedule;
pub use state::{OptimiserState, StateError};

use serde::Serialize;
use vi3nr::Network;
use vi3nr_engine::{Engine, EngineError, thread_count};

use crate::points::PointBatch;

/// Which optimiser, with its settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "optimizer", rename_all = "lowercase")]
pub enum OptimiserSettings {
    /// Kingma and Ba 2015.
    Adam(AdamSettings),
    /// Jordan et al. 2024 on hidden weights, Adam on the rest.
    Muon(MuonSettings),
    /// After Martens and Grosse 2015.
    Kfac(KfacSettings),
}

/// An optimiser without its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptimiserName {
    /// [`OptimiserSettings::Adam`].
    Adam,
    /// [`OptimiserSettings::Muon`].
    Muon,
    /// [`OptimiserSettings::Kfac`].
    Kfac,
}

impl OptimiserSettings {
    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adam(_) => "adam",
            Self::Muon(_) => "muon",
            Self::Kfac(_) => "kfac",
        }
    }

    /// The learning rate that it starts with, if it has one.
    pub fn learning_rate(&self) -> Option<f64> {
        match self {
            Self::Adam(settings) => Some(settings.learning_rate),
            Self::Muon(settings) => Some(settings.learning_rate),
            Self::Kfac(_) => None,
        }
    }

    /// Whether each step must see all points, with the squared error as the loss.
    pub fn needs_all_points(&self) -> bool {
        matches!(self, Self::Kfac(_))
    }

    /// An optimiser of `network` that has done no step. `threads` are those of its own algebra, one
    /// per core if none; they do not change the result.
    ///
    /// # Errors
    /// Threads that cannot be started.
    pub fn start(
        &self,
        network: &Network,
        seed: u64,
        threads: Option<usize>,
    ) -> Result<Box<dyn Optimiser>, EngineError> {
        Ok(match self {
            Self::Adam(settings) => Box::new(adam::AdamOptimiser::new(*settings)),
            Self::Muon(settings) => Box::new(muon::Muon::new(*settings, network, threads)?),
            Self::Kfac(settings) => Box::new(kfac::Kfac::new(*settings, network, seed, threads)?),
        })
    }
}

/// Where a run stands when an optimiser is asked for a step: the engine holds the gradient of `loss`
/// on `batch`.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The points of the step.
    pub batch: &'a PointBatch,
    /// The loss of the present parameters on them; may be anything but finite.
    pub loss: f64,
    /// Steps done.
    pub step: u64,
    /// The share of the run that is over, 0 to 1.
    pub progress: f64,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// How the run goes on.
    pub verdict: Verdict,
    /// The learning rate of the step; for `kfac` the length that its model gave it.
    pub rate: f64,
    /// Floating-point operations beyond the forward and backward pass of the batch. Those in double
    /// precision count twice.
    pub operations: f64,
}

/// How a run goes on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The parameters have moved.
    Moved,
    /// The loss is not finite and there is nothing to go back to.
    Diverged,
    /// No step is found that makes the loss noticeably smaller.
    Exhausted,
}

/// An optimiser at work on one engine.
pub trait Optimiser: Send {
    /// Moves the engine's parameters. The loss of where they go is what the next call is told.
    ///
    /// # Errors
    /// A batch that does not fit the network, memory that cannot be had.
    fn step(&mut self, engine: &mut dyn Engine, at: &Situation<'_>) -> Result<Taken, EngineError>;

    /// A copy of all that decides the next steps, besides the engine's parameters.
    fn save(&self, engine: &dyn Engine) -> OptimiserState;

    /// Puts a copy back: the next step is that which followed when it was taken.
    ///
    /// # Errors
    /// A state of another optimiser or network.
    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimiserState,
    ) -> Result<(), StateError>;
}

/// Workers for an optimiser's own algebra.
fn thread_pool(threads: Option<usize>) -> Result<rayon::ThreadPool, EngineError> {
    let threads = thread_count(threads);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("algebra-{index}"))
        .build()
        .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })
}

#[cfg(test)]
mod tests;
