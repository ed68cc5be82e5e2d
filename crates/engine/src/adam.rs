//! The Adam update (Kingma and Ba, 2015), as PyTorch's `torch.optim.Adam` computes it.

use vi3nr::Network;

use crate::EngineError;
use crate::batch::check_parameters;

/// The constants of Adam. For a gradient g and the learning rate lr, step t = 1, 2, … is
///
/// m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g²,
/// θ ← θ - lr/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// β₁, the decay rate of the mean gradient.
    pub beta1: f64,
    /// β₂, the decay rate of the mean squared gradient.
    pub beta2: f64,
    /// ε, added to the square root of the mean squared gradient.
    pub epsilon: f64,
}

impl Default for Adam {
    /// β = (0.9, 0.999), ε = 1e-8.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// The state of Adam, in the order of [`Network::layers`]. A resumed run needs it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AdamMemory {
    /// m, the exponentially decaying mean of the gradient.
    pub mean: Vec<f32>,
    /// v, the exponentially decaying mean of the squared gradient.
    pub mean_square: Vec<f32>,
    /// t, the number of steps so far.
    pub steps: u64,
}

impl AdamMemory {
    /// Checks that the state has one number per weight and bias of `network`.
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if it does not.
    pub(crate) fn check(&self, network: &Network) -> Result<(), EngineError> {
        check_parameters("mean gradient", network, self.mean.len())?;
        check_parameters("mean squared gradient", network, self.mean_square.len())
    }
}

/// The numbers of one step that are the same for all parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamStep {
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
    /// lr/(1 - β₁ᵗ).
    pub(crate) step_size: f64,
    /// 1/√(1 - β₂ᵗ).
    pub(crate) root_correction: f64,
}

impl Adam {
    /// The constants of step `t`, counted from 1.
    pub(crate) fn step(&self, t: u64, learning_rate: f64) -> AdamStep {
        AdamStep {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            step_size: learning_rate / (1.0 - self.beta1.powf(t as f64)),
            root_correction: 1.0 / (1.0 - self.beta2.powf(t as f64)).sqrt(),
        }
    }
}
