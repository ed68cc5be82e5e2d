//! What second-order training asks of an engine.

use vi3nr::Network;

use crate::EngineError;
use crate::batch::{check_length, check_values};

/// The Kronecker factors of one layer's Gauss-Newton curvature (K-FAC, Martens and Grosse 2015),
/// means over points.
///
/// The layer maps h̄ = \[h; 1\] to z = W̄h̄. Its block of (1/n) Σ JᵀJ, J the derivatives of the
/// network's values by the parameters, is approximated by A ⊗ G.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerCurvature {
    /// A = mean h̄h̄ᵀ, row-major (fan-in + 1, fan-in + 1); the last row and column belong to the
    /// bias.
    pub inputs: Vec<f64>,
    /// G = mean ssᵀ, row-major (fan-out, fan-out), with s = Σ_o u_o dΦ_o/dz. Where the u are
    /// independent with mean 0 and variance 1, such as random signs, that is an unbiased estimate of
    /// Σ_o (dΦ_o/dz)(dΦ_o/dz)ᵀ.
    pub slopes: Vec<f64>,
}

/// Adam's memory, in the order of [`Network::layers`]: what a resumed run needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AdamMemory {
    /// m, the decaying mean of the gradient.
    pub mean: Vec<f32>,
    /// v, the decaying mean of its square.
    pub mean_square: Vec<f32>,
    /// t, the steps so far.
    pub steps: u64,
}

impl AdamMemory {
    /// Refuses a memory of another network.
    pub(crate) fn check(&self, network: &Network) -> Result<(), EngineError> {
        let count = network.parameter_count();
        check_length("mean gradient", self.mean.len(), count, 1)?;
        check_length("mean squared gradient", self.mean_square.len(), count, 1)
    }
}

/// Checks points, shape (n, inputs), with their signs, shape (n, outputs); returns n.
pub(crate) fn check_signs(
    network: &Network,
    points: &[f32],
    signs: &[f32],
) -> Result<usize, EngineError> {
    let count = check_values(network, points, signs)?;
    if count == 0 {
        return Err(no_points());
    }
    Ok(count)
}

/// Checks points, shape (n, inputs), and directions, each as long as the parameters; returns n.
pub(crate) fn check_directions(
    network: &Network,
    points: &[f32],
    directions: &[&[f32]],
) -> Result<usize, EngineError> {
    let inputs = network.inputs();
    let count = points.len() / inputs;
    check_length("points", points.len(), count, inputs)?;
    for direction in directions {
        check_length("direction", direction.len(), network.parameter_count(), 1)?;
    }
    if count == 0 {
        return Err(no_points());
    }
    Ok(count)
}

fn no_points() -> EngineError {
    EngineError::Length { what: "points", seen: 0, expected: "at least one point".into() }
}
