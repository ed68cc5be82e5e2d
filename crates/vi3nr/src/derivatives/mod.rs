//! The derivatives of a network by its coordinates at the start.
//!
//! A loss on ∂Φ/∂x_d or on the Laplacian ΔΦ starts from derivatives whose size the initial weights
//! decide. In wide layers it is known: at one point x, each unit's preactivation z, its derivatives
//! z_d = ∂z/∂x_d and its Laplacian Δz = Σ_d ∂²z/∂x_d² are jointly normal over the initial weights,
//! with mean 0. [`variances`] follows their covariances from layer to layer. With M inputs of a
//! layer, weights of the variance σ²(W), D coordinates and κ = M σ²(W):
//!
//! z_d → Σ W f'(z) z_d,  Δz → Σ W (f''(z) |∇z|² + f'(z) Δz).
//!
//! # Where the preactivations keep their variance
//!
//! Let P = Var(z) be kept from layer to layer, and V_d = Var(z_d). If z is uncorrelated with its
//! derivatives, as it is after the first layers for |χ| < 1
//! ([`variance_sensitivity`](crate::variance_sensitivity)), then
//!
//! V_d → κ E\[f'²\] V_d,
//! Var(Δz) → κ E\[f'²\] Var(Δz) + κ E\[f''²\] ((Σ V_d)² + 2 Σ V_d²),
//!
//! where the last factor is E|∇z|⁴, which is D(D + 2) V² if all V_d = V. (Δz is correlated with z,
//! by Cov(z, Δz) = -Σ V_d, but the two terms that this causes cancel.)
//!
//! κ E\[f'²\] is the factor of Eq. (10) for equal fans, the left side of Eq. (13) with the weights of
//! the paper: where gradients of the loss keep their variance on the way back, derivatives by the
//! coordinates keep theirs on the way forward. The Laplacian does not even then: with κ E\[f'²\] = 1
//! its variance grows by the same amount in each layer, and with more it grows as V_d².
//!
//! # In the first layers
//!
//! There z is correlated with its derivatives, since its variance depends on |x|. Given z, z_d is
//! normal with the mean (C/P) z, where C = Cov(z, z_d) = ½ ∂P/∂x_d, so that
//!
//! E\[f'² z_d²\] = (V - C²/P) E\[f'²\] + (C/P)² E\[z² f'²\],  C → κ (C/P) E\[z f f'\],
//!
//! from C = σ²(W_0) x_d in the first layer. The Laplacian has such terms for its covariances with z
//! and ∇z too. [`variances`] contains all of them. What it neglects is of the order of depth/width,
//! and that z is not normal in the first layer if its weights are not.

mod covariances;
mod expectations;

#[cfg(test)]
mod tests;

use crate::{Activation, Error, InitRule, InputDistribution, Network, require_positive};
use covariances::Covariances;
use expectations::{Expectations, Functions};

/// The place where derivatives are predicted. All directions of x are alike, so that its distance
/// from 0 is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// D, the number of coordinates.
    pub coordinates: usize,
    /// |x|², a finite number above 0.
    pub square: f64,
}

/// The variances of a layer's initial parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerScale {
    /// M, the number of inputs of the layer.
    pub fan_in: usize,
    /// σ²(W).
    pub weight_variance: f64,
    /// Var(b).
    pub bias_variance: f64,
}

/// Predicted variances over the initial weights, each list with one entry per layer. Infinite where
/// they exceed the range of `f64`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DerivativeVariances {
    /// Var(z) of the layer's preactivations z, the network's outputs in the last layer.
    pub preactivations: Vec<f64>,
    /// Var(∂z/∂x_d), the mean over the coordinates.
    pub derivatives: Vec<f64>,
    /// Var(Δz), or why it is not known: E\[f''²\] is infinite where f' jumps, as that of the ReLU
    /// does.
    pub laplacians: Result<Vec<f64>, Error>,
}

/// The variances of the preactivations of `layers` and of their derivatives by the coordinates at
/// `place`. The first layer is the one whose inputs are the coordinates.
///
/// # Errors
/// Returns [`Error::OutOfRange`] if there are no coordinates, |x|² or a variance of weights is not a
/// finite number above 0, or a variance of biases is not a finite number of at least 0. Returns
/// [`Error::Moment`] if f jumps, E\[f'²\] is infinite or a moment cannot be computed.
///
/// ```
/// use vi3nr::derivatives::{LayerScale, Place, variances};
///
/// // Weights that keep sigma_p = 1 of sin(x), and the gradient's variance to 31 % per layer.
/// let gain_squared = vi3nr::gain_squared(&"sine:omega=1".parse()?, 1.0)?;
/// let first = LayerScale { fan_in: 2, weight_variance: 1.5, bias_variance: 0.0 };
/// let hidden = LayerScale { fan_in: 256, weight_variance: gain_squared / 256.0, ..first };
/// let place = Place { coordinates: 2, square: 2.0 / 3.0 };
/// let layers = [vec![first], vec![hidden; 20]].concat();
/// let found = variances(&"sine:omega=1".parse()?, place, &layers)?;
/// assert_eq!(found.derivatives[0], 1.5);
/// assert!((found.derivatives[20] / found.derivatives[19] - 1.31303528).abs() < 1e-4);
/// # Ok::<(), vi3nr::Error>(())
/// ```
pub fn variances(
    activation: &Activation,
    place: Place,
    layers: &[LayerScale],
) -> Result<DerivativeVariances, Error> {
    check(place, layers)?;
    let Some(first) = layers.first() else {
        return Ok(DerivativeVariances {
            preactivations: Vec::new(),
            derivatives: Vec::new(),
            laplacians: Ok(Vec::new()),
        });
    };
    let mut functions = Functions::of(activation)?;
    let mut layer = Covariances::of_first_layer(place, first);
    let mut found = DerivativeVariances {
        preactivations: vec![layer.variance()],
        derivatives: vec![layer.derivative_variance()],
        laplacians: Ok(vec![layer.laplacian_variance()]),
    };
    let mut known: Option<Expectations> = None;
    for scale in &layers[1..] {
        let sigma = libm::sqrt(layer.variance());
        let expectations = match known {
            Some(known) if known.are_at(sigma) => known,
            _ => functions.expectations(sigma)?,
        };
        known = Some(expectations);
        layer = layer.next(scale, &expectations);
        found.preactivations.push(layer.variance());
        found.derivatives.push(layer.derivative_variance());
        if let Ok(laplacians) = &mut found.laplacians {
            laplacians.push(layer.laplacian_variance());
        }
        if let Some(error) = functions.take_refusal() {
            found.laplacians = Err(error);
        }
    }
    Ok(found)
}

/// Refuses numbers that are out of range.
fn check(place: Place, layers: &[LayerScale]) -> Result<(), Error> {
    if place.coordinates == 0 {
        return Err(Error::OutOfRange {
            quantity: "the number of coordinates".into(),
            value: 0.0,
            expected: "at least 1",
        });
    }
    require_positive("|x|^2", place.square)?;
    for layer in layers {
        require_positive("the variance of the weights", layer.weight_variance)?;
        if !(layer.bias_variance.is_finite() && layer.bias_variance >= 0.0) {
            return Err(Error::OutOfRange {
                quantity: "the variance of the biases".into(),
                value: layer.bias_variance,
                expected: "a finite number of at least 0",
            });
        }
    }
    Ok(())
}

impl Place {
    /// The place whose coordinates have the mean square of `input`: |x|² = D E\[x_0²\]. There the
    /// first layer of a scheme has its σ_p, Eq. (24).
    ///
    /// # Errors
    /// Returns [`Error::OutOfRange`] if `input` has no valid second moment.
    pub fn of_mean_square(coordinates: usize, input: &InputDistribution) -> Result<Self, Error> {
        Ok(Self { coordinates, square: coordinates as f64 * input.second_moment()? })
    }
}

impl InitRule {
    /// The variances of the derivatives of `network` by its coordinates at the start, for
    /// coordinates uniform on \[-1, 1\] and at [`Place::of_mean_square`].
    ///
    /// # Errors
    /// Returns the errors of [`InitRule::plan`] and of [`variances`].
    ///
    /// ```
    /// use vi3nr::{InitRule, Network, Scheme};
    ///
    /// let network = Network::uniform(2, 128, 5, 1, "tanh".parse()?)?;
    /// let rule = InitRule::new(Scheme::ours(1.0));
    /// let found = rule.derivative_variances(&network)?;
    /// assert!((found.preactivations[4] - 1.0).abs() < 1e-9);
    /// assert!((found.derivatives[4] - 1.5357).abs() < 1e-4);
    /// assert!((found.laplacians?[4] - 51.03).abs() < 0.01);
    /// # Ok::<(), vi3nr::Error>(())
    /// ```
    pub fn derivative_variances(&self, network: &Network) -> Result<DerivativeVariances, Error> {
        let place = Place::of_mean_square(network.inputs(), &InputDistribution::COORDINATES)?;
        let plan = self.plan(network)?;
        let scales: Vec<LayerScale> = network
            .layers()
            .iter()
            .zip(&plan)
            .map(|(layer, plan)| LayerScale {
                fan_in: layer.fan_in,
                weight_variance: plan.variance(),
                bias_variance: plan.bias_variance(),
            })
            .collect();
        variances(network.activation(), place, &scales)
    }
}
