//! The moments of the rectifier.

use std::f64::consts::PI;

use crate::Bounded;

/// Half of the moments of the identity, and E|z|/2 = σ/√(2π).
pub(super) fn moments(sigma: f64) -> [Bounded; 4] {
    let sigma = Bounded::exact(sigma);
    let half = Bounded::exact(0.5);
    let mean = sigma / Bounded::rounded(libm::sqrt(2.0 * PI));
    [mean, half * sigma * sigma, half, half]
}
