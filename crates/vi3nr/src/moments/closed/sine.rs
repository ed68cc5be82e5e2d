//! The moments of sin(ωx).

use crate::activation::builtin::Sine;
use crate::{Bounded, Real};

/// E[sin²] = (1 - e^(-2ω²σ²))/2 and E[cos²] = (1 + e^(-2ω²σ²))/2.
pub(super) fn moments(form: &Sine, sigma: f64) -> [Bounded; 4] {
    let omega = Bounded::exact(form.omega);
    let angle = omega * Bounded::exact(sigma);
    let square = angle * angle;
    let zero = Bounded::exact(0.0);
    let cosines = 0.5 * (1.0 + (-2.0 * square).exp());
    [zero, -0.5 * (-2.0 * square).exp_m1(), omega * (-0.5 * square).exp(), omega * omega * cosines]
}
