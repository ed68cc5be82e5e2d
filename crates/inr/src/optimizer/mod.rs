//! Optimizers: from a gradient to an update of the parameters.
//!
//! | name | method | applies to |
//! |---|---|---|
//! | `adam` | Adam with a learning rate and a schedule | any signal, any batch |
//! | `muon` | orthogonalized momentum for hidden weights, else Adam | any signal, any batch |
//! | `kfac` | Gauss-Newton with Kronecker factors, no learning rate | full batch, squared error |
//!
//! [`OptimizerSettings`] selects a method and its hyperparameters; an [`Optimizer`] runs it. Its
//! state can be saved and restored ([`OptimizerState`]); its random numbers are functions of the
//! seed and the step. The repository's docs/optimizers.md compares the methods.
//!
//! To add an optimizer, write a file beside `adam.rs` with its settings, their `Method`
//! implementation and its [`Optimizer`], and add a line to the `optimizers!` list below.

mod adam;
mod kfac;
mod muon;
mod schedule;
mod state;

pub use adam::AdamSettings;
pub use kfac::KfacSettings;
pub use muon::MuonSettings;
pub use schedule::Schedule;
pub(crate) use state::check_counter;
pub use state::{OptimizerState, StateError};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::{Backend, Engine, EngineError};

use crate::points::PointBatch;

/// The operations on the settings of an optimizer, implemented in its file.
trait Method {
    /// The default settings for a problem.
    fn suited_to(problem: &Problem<'_>) -> Self
    where
        Self: Sized;

    /// The learning rate and its schedule, if the optimizer has them.
    fn rates_mut(&mut self) -> Option<RatesMut<'_>>;

    /// Whether each step needs all points, with the squared error as the loss.
    fn needs_all_points(&self) -> bool {
        false
    }

    /// See [`OptimizerSettings::start`].
    fn start(
        &self,
        network: &Network,
        seed: u64,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError>;
}

/// The problem for which default settings are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The network.
    pub network: &'a Network,
    /// The number of all points, or of the points per step if points are drawn.
    pub points: usize,
    /// The settings of Adam for this kind of signal.
    pub adam: AdamSettings,
}

/// Mutable access to the learning rate and its schedule.
#[derive(Debug, PartialEq)]
pub struct RatesMut<'a> {
    /// The initial learning rate.
    pub learning_rate: &'a mut f64,
    /// The learning-rate schedule.
    pub schedule: &'a mut Schedule,
}

/// Defines [`OptimizerSettings`] and [`OptimizerName`] from the list of all optimizers.
macro_rules! optimizers {
    ($($(#[doc = $doc:literal])* $variant:ident($settings:ty) = $name:literal;)*) => {
        /// An optimizer with its settings.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "optimizer")]
        pub enum OptimizerSettings {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant($settings),)*
        }

        /// An optimizer without its settings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum OptimizerName {
            $($(#[doc = $doc])* #[serde(rename = $name)] $variant,)*
        }

        impl OptimizerSettings {
            /// The name of the optimizer.
            pub fn name(&self) -> OptimizerName {
                match self {
                    $(Self::$variant(_) => OptimizerName::$variant,)*
                }
            }

            fn method(&self) -> &dyn Method {
                match self {
                    $(Self::$variant(settings) => settings,)*
                }
            }

            fn method_mut(&mut self) -> &mut dyn Method {
                match self {
                    $(Self::$variant(settings) => settings,)*
                }
            }
        }

        impl OptimizerName {
            /// All optimizers.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, as on the command line and in files.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The default settings for a problem.
            pub fn suited_to(self, problem: &Problem<'_>) -> OptimizerSettings {
                match self {
                    $(Self::$variant => {
                        OptimizerSettings::$variant(Method::suited_to(problem))
                    })*
                }
            }
        }
    };
}

optimizers! {
    /// Adam (Kingma and Ba 2015).
    Adam(AdamSettings) = "adam";
    /// Muon (Jordan et al. 2024) for hidden weights, Adam for the other parameters.
    Muon(MuonSettings) = "muon";
    /// K-FAC (after Martens and Grosse 2015).
    Kfac(KfacSettings) = "kfac";
}

impl fmt::Display for OptimizerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name is not one of [`OptimizerName::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown optimizer '{seen}', expected one of {}", names())]
pub struct UnknownOptimizer {
    /// The unknown name.
    pub seen: String,
}

fn names() -> String {
    OptimizerName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for OptimizerName {
    type Err = UnknownOptimizer;

    fn from_str(text: &str) -> Result<Self, UnknownOptimizer> {
        let found = Self::ALL.iter().find(|name| name.as_str() == text);
        found.copied().ok_or_else(|| UnknownOptimizer { seen: text.into() })
    }
}

impl OptimizerSettings {
    /// The initial learning rate, if the optimizer has one.
    pub fn learning_rate(&self) -> Option<f64> {
        self.clone().rates_mut().map(|rates| *rates.learning_rate)
    }

    /// The learning rate and its schedule, if the optimizer has them.
    pub fn rates_mut(&mut self) -> Option<RatesMut<'_>> {
        self.method_mut().rates_mut()
    }

    /// Whether each step needs all points, with the squared error as the loss.
    pub fn needs_all_points(&self) -> bool {
        self.method().needs_all_points()
    }

    /// Creates an optimizer of `network` at step 0 for engines of `backend`, on whose worker
    /// threads its linear algebra runs.
    ///
    /// # Errors
    /// Returns [`EngineError::Unsupported`] if the backend lacks an operation that the optimizer
    /// needs.
    pub fn start(
        &self,
        network: &Network,
        seed: u64,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError> {
        self.method().start(network, seed, backend)
    }
}

/// The inputs of a step. The engine holds the gradient of `loss` on `batch`.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
    /// The points of the step.
    pub batch: &'a PointBatch,
    /// The loss of the current parameters on these points; may be NaN or infinite.
    pub loss: f64,
    /// The number of steps already taken.
    pub step: u64,
    /// The fraction of the run that is complete, from 0 to 1.
    pub progress: f64,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepOutcome {
    /// Whether training can continue.
    pub status: StepStatus,
    /// The learning rate of the step; for `kfac`, the coefficient α of its direction.
    pub rate: f64,
    /// Floating-point operations besides the forward and backward pass over the batch. Operations
    /// in double precision count twice.
    pub operations: f64,
}

/// Whether training can continue after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// The parameters have moved.
    Moved,
    /// The loss is not finite, and there are no earlier parameters to return to.
    Diverged,
    /// The optimizer finds no step that noticeably reduces the loss.
    Exhausted,
}

/// A running optimizer of one engine's network.
pub trait Optimizer: Send {
    /// Updates the engine's parameters. The next call gets the loss of the updated parameters.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if memory cannot be allocated, and other errors of the
    /// engine.
    fn step(
        &mut self,
        engine: &mut dyn Engine,
        at: &StepContext<'_>,
    ) -> Result<StepOutcome, EngineError>;

    /// The learning rate of the step `step` (from 0) at which the fraction `progress` of the run is
    /// complete, if the step is one of Adam for all parameters, so that [`Engine::run`] can take it.
    fn adam_rate(&self, _step: u64, _progress: f64) -> Option<f64> {
        None
    }

    /// A copy of the state, which with the engine's parameters determines all further steps.
    ///
    /// # Errors
    /// Returns [`EngineError::Device`] if the engine's part of it cannot be read from a device.
    fn save(&self, engine: &dyn Engine) -> Result<OptimizerState, EngineError>;

    /// Restores a state that was saved after `step` steps: the next step is the one that followed
    /// the save.
    ///
    /// # Errors
    /// Returns [`StateError::Missing`], [`StateError::Length`] or [`StateError::Engine`] if it is
    /// the state of another optimizer or network, and [`StateError::Counter`] if a number in it is
    /// impossible after `step` steps.
    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimizerState,
        step: u64,
    ) -> Result<(), StateError>;
}

#[cfg(test)]
mod tests;
