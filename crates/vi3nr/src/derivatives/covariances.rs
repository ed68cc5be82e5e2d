//! The covariances of a preactivation and its derivatives, and what a layer makes of them.

use super::expectations::Expectations;
use super::{LayerScale, Place};

/// The covariances of z, ∇z and Δz at a point x, over the initial weights.
///
/// All directions of x are alike, so that the covariance matrix of ∇z has only two variances, along
/// x and across, and that of ∇z with z or Δz is along x.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covariances {
    /// D.
    coordinates: f64,
    /// P = Var(z).
    variance: f64,
    /// C, of z with its derivative along x.
    with_radial: f64,
    /// The variance of the derivative along x, and of one across.
    radial: f64,
    across: f64,
    /// S = Cov(z, Δz).
    with_laplacian: f64,
    /// Of Δz with the derivative along x.
    radial_with_laplacian: f64,
    /// T = Var(Δz).
    laplacian: f64,
}

impl Covariances {
    /// z = w·x + b, of which ∇z = w and Δz = 0.
    pub(super) fn of_first_layer(place: Place, scale: &LayerScale) -> Self {
        let weight = scale.weight_variance;
        Self {
            coordinates: place.coordinates as f64,
            variance: weight * place.square + scale.bias_variance,
            with_radial: weight * libm::sqrt(place.square),
            radial: weight,
            across: weight,
            with_laplacian: 0.0,
            radial_with_laplacian: 0.0,
            laplacian: 0.0,
        }
    }

    pub(super) fn variance(&self) -> f64 {
        self.variance
    }

    /// The mean over the coordinates.
    pub(super) fn derivative_variance(&self) -> f64 {
        let sum = self.radial + (self.coordinates - 1.0) * self.across;
        checked(sum / self.coordinates)
    }

    pub(super) fn laplacian_variance(&self) -> f64 {
        checked(self.laplacian)
    }

    /// Those of the next layer's preactivations Σ W f(z) + b.
    ///
    /// With ∇z = a z + η and Δz = s z + ζ, where η and ζ are normal and independent of z,
    /// f''|∇z|² + f'Δz = f'' (|a|² z² + 2z a·η + |η|²) + f' (s z + ζ). Odd products of η and ζ have
    /// mean 0. Expectations with two different derivatives follow from others by parts, in
    /// u = z/σ and g(u) = f(z):
    /// E\[u g g'\] = ½ E\[(u² - 1) g²\], E\[u³ g g'\] = ½ E\[(u⁴ - 3u²) g²\],
    /// E\[g g''\] = E\[u g g'\] - E\[g'²\], E\[u² g g''\] = E\[(u³ - 2u) g g'\] - E\[u² g'²\].
    pub(super) fn next(&self, scale: &LayerScale, known: &Expectations) -> Self {
        let Expectations { value, slope, second, .. } = known;
        let p = self.variance;
        let factor = scale.fan_in as f64 * scale.weight_variance;
        let a = self.with_radial / p;
        // E[z f f'] and E[z f' f''].
        let odd = |of: &[f64; 3]| 0.5 * (of[1] - of[0]);
        let (z_f_f1, z_f1_f2) = (odd(value), odd(slope));
        let (radial, across) = (self.radial - p * a * a, self.across);
        let first_order = Self {
            variance: factor * value[0] + scale.bias_variance,
            with_radial: factor * a * z_f_f1,
            radial: factor * (radial * slope[0] + a * a * p * slope[1]),
            across: factor * across * slope[0],
            ..*self
        };
        let Some(second) = second else { return first_order };
        // E[z³ f f'] and E[z³ f' f''].
        let cubic = |of: &[f64; 3]| 0.5 * p * (of[2] - 3.0 * of[1]);
        let (z3_f_f1, z3_f1_f2) = (cubic(value), cubic(slope));
        let f_f2 = z_f_f1 / p - slope[0];
        let z2_f_f2 = z3_f_f1 / p - 2.0 * z_f_f1 - p * slope[1];
        let s = self.with_laplacian / p;
        // E|η|², E|η|⁴, Cov(η along x, ζ) and Var(ζ).
        let others = self.coordinates - 1.0;
        let eta2 = radial + others * across;
        let eta4 = eta2 * eta2 + 2.0 * (radial * radial + others * across * across);
        let eta_zeta = self.radial_with_laplacian - p * a * s;
        let zeta2 = self.laplacian - p * s * s;
        let a2 = a * a;
        let with_laplacian = f_f2 * eta2 + z2_f_f2 * a2 + s * z_f_f1;
        let radial_with_laplacian = z_f1_f2 * (a * eta2 + 2.0 * a * radial)
            + z3_f1_f2 * a * a2
            + p * slope[1] * a * s
            + slope[0] * eta_zeta;
        let laplacian = second[0] * eta4
            + second[1] * p * a2 * (4.0 * radial + 2.0 * eta2)
            + second[2] * (p * a2) * (p * a2)
            + 2.0 * (z_f1_f2 * (s * eta2 + 2.0 * a * eta_zeta) + z3_f1_f2 * a2 * s)
            + slope[0] * zeta2
            + slope[1] * p * s * s;
        Self {
            with_laplacian: factor * with_laplacian,
            radial_with_laplacian: factor * radial_with_laplacian,
            laplacian: factor * laplacian,
            ..first_order
        }
    }
}

/// `variance`, infinity where it or what it was computed from has overflowed, and 0 where rounding has
/// made it negative.
fn checked(variance: f64) -> f64 {
    if variance.is_finite() { variance.max(0.0) } else { f64::INFINITY }
}
