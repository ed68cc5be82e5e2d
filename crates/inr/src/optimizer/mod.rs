//! How a gradient becomes a step.
//!
//! | name | what it does | docs/optimizers.md |
//! |---|---|---|
//! | `adam` | Adam with a learning rate and a schedule | any signal, any batch |
//! | `muon` | orthogonalized momentum for hidden weights, Adam for the rest | any signal, any batch |
//! | `kfac` | Gauss-Newton by Kronecker factors and a quadratic model; no learning rate | all points at each step, squared error |
//!
//! [`OptimizerSettings`] says which one and with which numbers; [`Optimizer`] is one at work. All
//! that it remembers can be taken out and put back ([`OptimizerState`]); whatever is random in it
//! is a function of the seed and the step.
//!
//! A new optimizer is a file beside `adam.rs` with its settings, their `Method` and its
//! [`Optimizer`], and a line in the list of `optimizers!` below.

mod adam;
mod kfac;
mod muon;
mod schedule;
mod state;

pub use adam::AdamSettings;
pub use kfac::KfacSettings;
pub use muon::MuonSettings;
pub use schedule::Schedule;
pub use state::{OptimizerState, StateError};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use vi3nr::Network;
use vi3nr_engine::{Backend, Engine, EngineError};

use crate::points::PointBatch;

/// What the file of an optimizer says of its settings.
trait Method {
    /// Those that suit a problem where nothing else is asked for.
    fn suited_to(problem: &Problem<'_>) -> Self
    where
        Self: Sized;

    /// The learning rate and its schedule, if there are any.
    fn rates_mut(&mut self) -> Option<RatesMut<'_>>;

    /// Whether each step must see all points, with the squared error as the loss.
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

/// What settings are chosen for.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// What is trained.
    pub network: &'a Network,
    /// The number of all points, or of those of a step where points are drawn.
    pub points: usize,
    /// What suits Adam on this kind of signal.
    pub adam: AdamSettings,
}

/// The learning rate at the start of a run and how it falls, to be changed.
#[derive(Debug, PartialEq)]
pub struct RatesMut<'a> {
    /// At the start.
    pub learning_rate: &'a mut f64,
    /// How it falls.
    pub schedule: &'a mut Schedule,
}

/// Makes [`OptimizerSettings`] and [`OptimizerName`] of the list of all optimizers.
macro_rules! optimizers {
    ($($(#[doc = $doc:literal])* $variant:ident($settings:ty) = $name:literal;)*) => {
        /// Which optimizer, with its settings.
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
            /// Without the settings.
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written on the command line and in files.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The settings that suit a problem.
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
    /// Kingma and Ba 2015.
    Adam(AdamSettings) = "adam";
    /// Jordan et al. 2024 on hidden weights, Adam on the rest.
    Muon(MuonSettings) = "muon";
    /// After Martens and Grosse 2015.
    Kfac(KfacSettings) = "kfac";
}

impl fmt::Display for OptimizerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is none of [`OptimizerName::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown optimizer '{seen}', expected one of {}", names())]
pub struct UnknownOptimizer {
    /// What was written.
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
    /// The learning rate that it starts with, if it has one.
    pub fn learning_rate(&self) -> Option<f64> {
        self.clone().rates_mut().map(|rates| *rates.learning_rate)
    }

    /// The learning rate and its schedule, if it has them.
    pub fn rates_mut(&mut self) -> Option<RatesMut<'_>> {
        self.method_mut().rates_mut()
    }

    /// Whether each step must see all points, with the squared error as the loss.
    pub fn needs_all_points(&self) -> bool {
        self.method().needs_all_points()
    }

    /// An optimizer of `network` that has done no step, for engines of `backend`, on whose workers
    /// its own algebra runs.
    ///
    /// # Errors
    /// Returns [`EngineError::Unsupported`] if it needs what the backend lacks.
    pub fn start(
        &self,
        network: &Network,
        seed: u64,
        backend: &dyn Backend,
    ) -> Result<Box<dyn Optimizer>, EngineError> {
        self.method().start(network, seed, backend)
    }
}

/// Where a run stands when an optimizer is asked for a step: the engine holds the gradient of
/// `loss` on `batch`.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
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
pub struct StepOutcome {
    /// How the run goes on.
    pub status: StepStatus,
    /// The learning rate of the step; for `kfac` the length that its model gave it.
    pub rate: f64,
    /// Floating-point operations beyond the forward and backward pass of the batch. Those in double
    /// precision count twice.
    pub operations: f64,
}

/// How a run goes on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// The parameters have moved.
    Moved,
    /// The loss is not finite and there is nothing to go back to.
    Diverged,
    /// No step is found that makes the loss noticeably smaller.
    Exhausted,
}

/// An optimizer at work on one engine.
pub trait Optimizer: Send {
    /// Moves the engine's parameters. The loss of where they go is what the next call is told.
    ///
    /// # Errors
    /// Returns [`EngineError::Memory`] if memory cannot be had, and whatever else the engine
    /// refuses.
    fn step(
        &mut self,
        engine: &mut dyn Engine,
        at: &StepContext<'_>,
    ) -> Result<StepOutcome, EngineError>;

    /// A copy of all that decides the next steps, besides the engine's parameters.
    fn save(&self, engine: &dyn Engine) -> OptimizerState;

    /// Puts a copy back: the next step is that which followed when it was taken.
    ///
    /// # Errors
    /// Returns [`StateError::Missing`] or [`StateError::Length`] if it is the state of another
    /// optimizer or network.
    fn restore(
        &mut self,
        engine: &mut dyn Engine,
        state: &OptimizerState,
    ) -> Result<(), StateError>;
}

#[cfg(test)]
mod tests;
