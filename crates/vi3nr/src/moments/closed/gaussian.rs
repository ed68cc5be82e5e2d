//! The moments of the Gaussian.

use crate::activation::builtin::Gaussian;
use crate::{Bounded, Real};

/// Those of [`of_width`] with its own σ_a.
pub(super) fn moments(form: &Gaussian, sigma: f64) -> [Bounded; 4] {
    of_width(Bounded::exact(form.sigma), Bounded::exact(sigma))
}

/// For exp(-x²/(2σ_a²)), `width` = σ_a: Eq. (47), Eq. (16) and, for the derivative, E[f'²] = σ_r^-4 (1 + 2σ_r^-2)^(-3/2) / σ_p²
/// with σ_r = σ_a/σ_p.
pub(super) fn of_width(width: Bounded, sigma: Bounded) -> [Bounded; 4] {
    // In t = 1/σ_r² = (σ_p/σ_a)² nothing overflows before the result does.
    let ratio = sigma / width;
    let t = ratio * ratio;
    let widened = 1.0 + 2.0 * t;
    let root = widened.sqrt();
    [1.0 / (1.0 + t).sqrt(), 1.0 / root, Bounded::exact(0.0), t / (width * width) / widened / root]
}
