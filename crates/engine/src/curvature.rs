//! What second-order optimizers need from an engine.

use vi3nr::Network;

use crate::batch::{check_length, check_parameters, check_some_points};
use crate::{EngineError, Residuals};

/// Curvature of the loss for second-order optimizers such as K-FAC; see
/// [`Engine::curvature`](crate::Engine::curvature).
///
/// Neither method changes the loaded batch, the gradient, the parameters or the state of Adam.
pub trait Curvature {
    /// The curvature factors of every layer, averaged over `points`, shape (n, inputs). `signs`,
    /// shape (n, residuals), are the values u that are propagated back from the residuals; see
    /// [`LayerCurvature::slopes`].
    ///
    /// # Errors
    /// Returns [`EngineError::Length`] if there is no point or the length of an array does not fit
    /// the network and the number of points, [`EngineError::Activation`] if the higher derivatives
    /// of a formula exceed its limits, and [`EngineError::Memory`] if an allocation fails.
    fn factors(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        signs: &[f32],
    ) -> Result<Vec<LayerCurvature>, EngineError>;

    /// J·d for each of `directions` d, where J is the Jacobian of the residuals at `points`, shape
    /// (n, inputs), with respect to the parameters. A direction is in the order of
    /// [`Network::layers`]; each result has the shape (n, residuals).
    ///
    /// # Errors
    /// Returns the errors of [`factors`](Curvature::factors).
    fn tangents(
        &mut self,
        points: &[f32],
        residuals: Residuals,
        directions: &[&[f32]],
    ) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// The Kronecker factors of one layer's Gauss-Newton curvature (K-FAC, Martens and Grosse 2015),
/// averaged over points.
///
/// The layer maps h̄ = \[h; 1\] to z = W̄h̄. K-FAC approximates its block of (1/n) Σ JᵀJ, where J
/// is the Jacobian of the residuals with respect to the parameters, by A ⊗ G.
///
/// If the residuals contain derivatives with respect to the coordinates, the layer also maps their
/// rows ∂h to ∂z by the same weights, without the bias. The sums then also run over these rows
/// (K-FAC with weights that are shared, as in Dangel, Müller and Zeinhofer, "Kronecker-Factored
/// Approximate Curvature for Physics-Informed Neural Networks", NeurIPS 2024).
#[derive(Debug, Clone, PartialEq)]
pub struct LayerCurvature {
    /// A = mean h̄h̄ᵀ, row-major (fan-in + 1, fan-in + 1); the last row and column belong to the
    /// bias.
    pub inputs: Vec<f64>,
    /// G = mean ssᵀ, row-major (fan-out, fan-out), with s = Σ_r u_r dr/dz over the
    /// residuals r. Where the u are independent with mean 0 and variance 1, such as random signs,
    /// that is an unbiased estimate of Σ_r (dr/dz)(dr/dz)ᵀ.
    pub slopes: Vec<f64>,
}

/// The size in bytes of the curvature factors of all layers that [`Curvature::factors`] returns,
/// 8 Σ ((fan-in + 1)² + fan-out²), or `usize::MAX` if it does not fit a `usize`.
///
/// Use it to decide whether a network is too wide for K-FAC, which needs about five times as much
/// memory for running means, new factors, inverses and the temporary matrices of the inversion.
pub fn curvature_bytes(network: &Network) -> usize {
    let square = |side: usize| side.saturating_mul(side);
    let numbers = network.layers().into_iter().fold(0usize, |sum, layer| {
        sum.saturating_add(square(layer.fan_in + 1)).saturating_add(square(layer.fan_out))
    });
    numbers.saturating_mul(size_of::<f64>())
}

/// Checks `points`, shape (n, inputs), and `signs`, shape (n, residuals), and returns n.
pub(crate) fn check_signs(
    network: &Network,
    points: &[f32],
    residuals: Residuals,
    signs: &[f32],
) -> Result<usize, EngineError> {
    let count = check_some_points(network, points)?;
    let each = residuals.count(network.inputs(), network.outputs());
    check_length("signs", signs.len(), count, each)?;
    Ok(count)
}

/// Checks `points`, shape (n, inputs), and `directions`, each of the length of the parameters, and
/// returns n.
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
