//! What second-order training asks of an engine.

use vi3nr::Network;

use crate::EngineError;
use crate::batch::{check_length, check_parameters, check_some_points};

/// What an engine offers to optimizers that use the curvature of the loss, such as K-FAC:
/// [`Engine::curvature`](crate::Engine::curvature).
///
/// Neither method touches the loaded batch, the gradient, the parameters or Adam's memory.
pub trait Curvature {
    /// Every layer's curvature factors over `points`, shape (n, inputs), with what is propagated
    /// back from the outputs given by `signs`, shape (n, outputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the lengths do not fit the network or each other or there
    /// is no point, [`EngineError::Memory`] if the memory cannot be had.
    fn factors(
        &mut self,
        points: &[f32],
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError>;

    /// J·d for each of `directions` d, all in the order of [`Network::layers`]: how fast the values
    /// at `points`, shape (n, inputs), change along d, shape (n, outputs).
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if the lengths do not fit the network or there is no point,
    /// [`EngineError::Memory`] if the memory cannot be had.
    fn tangents(
        &mut self,
        points: &[f32],
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError>;
}

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

/// The bytes of all layers' curvature factors, 8 Σ ((fan-in + 1)² + fan-out²), as
/// [`Curvature::factors`] returns them. K-FAC holds about five times as much: running means, new
/// factors, inverses and what inverting them needs. Use it to decide whether a network is too wide
/// for K-FAC. `usize::MAX` where the number is too large.
pub fn curvature_bytes(network: &Network) -> usize {
    let square = |side: usize| side.saturating_mul(side);
    let numbers = network.layers().into_iter().fold(0usize, |sum, layer| {
        sum.saturating_add(square(layer.fan_in + 1)).saturating_add(square(layer.fan_out))
    });
    numbers.saturating_mul(size_of::<f64>())
}

/// Checks points, shape (n, inputs), with their signs, shape (n, outputs); returns n.
pub(crate) fn check_signs(
    network: &Network,
    points: &[f32],
    signs: &[f32],
) -> Result<usize, EngineError> {
    let count = check_some_points(network, points)?;
    check_length("signs", signs.len(), count, network.outputs())?;
    Ok(count)
}

/// Checks points, shape (n, inputs), and directions, each as long as the parameters; returns n.
pub(crate) fn check_directions(
    network: &Network,
    points: &[f32],
    directions: &[&[f32]],
) -> Result<usize, EngineError> {
    for direction in directions {
        check_parameters("direction", network, direction.len())?;
    }
    check_some_points(network, points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_take_a_square_of_every_side() {
        let network = Network::new(vec![2, 5, 3], "tanh".parse().unwrap()).unwrap();
        assert_eq!(curvature_bytes(&network), 8 * (9 + 25 + 36 + 9));
    }
}
