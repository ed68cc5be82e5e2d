//! The moments of the error function.

use std::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI};

use crate::{Bounded, Real};

/// E[erf²] = (2/π) asin(2σ²/(1 + 2σ²)) (Williams 1997), with the arc tangent of the same angle;
/// the derivative is a Gaussian.
pub(super) fn moments(sigma: f64) -> [Bounded; 4] {
    let sigma = Bounded::exact(sigma);
    let twice = 2.0 * sigma * sigma;
    let widened = (1.0 + 2.0 * twice).sqrt();
    let angle = (twice / widened).atan();
    let slope = Bounded::rounded(FRAC_2_SQRT_PI);
    [
        Bounded::exact(0.0),
        angle * Bounded::rounded(FRAC_2_PI),
        slope / (1.0 + twice).sqrt(),
        slope * slope / widened,
    ]
}
