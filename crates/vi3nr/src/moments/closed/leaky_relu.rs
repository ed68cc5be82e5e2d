//! The moments of the leaky rectifier.

use std::f64::consts::PI;

use crate::Bounded;
use crate::activation::builtin::LeakyRelu;

/// The halves of the line add up: E[f²] = (1 + s²)σ²/2 and E[f'²] = (1 + s²)/2.
pub(super) fn moments(form: &LeakyRelu, sigma: f64) -> [Bounded; 4] {
    let (slope, sigma) = (Bounded::exact(form.slope), Bounded::exact(sigma));
    let half_line = sigma / Bounded::rounded(libm::sqrt(2.0 * PI));
    let squares = 0.5 * (1.0 + slope * slope);
    [(1.0 + -slope) * half_line, squares * sigma * sigma, 0.5 * (1.0 + slope), squares]
}
