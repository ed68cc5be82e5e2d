//! The moments of the super-Gaussian.

use crate::activation::builtin::SuperGaussian;
use crate::{Bounded, Real};

/// Those of the Gaussian whose width is σ_a/√b.
pub(super) fn moments(form: &SuperGaussian, sigma: f64) -> [Bounded; 4] {
    let width = Bounded::exact(form.sigma) / Bounded::exact(form.b).sqrt();
    super::gaussian::of_width(width, Bounded::exact(sigma))
}
