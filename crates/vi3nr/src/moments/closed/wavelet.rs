//! The moments of the Gabor wavelet.

use crate::activation::builtin::Wavelet;
use crate::{Bounded, Real};

/// exp(-2u²) times the density of N(0, s²), s = aσ, is k times that of N(0, t) with
/// k = (1 + 4s²)^(-1/2), t = s²/(1 + 4s²); under it E[cos 2u] = q = e^(-2t), and E[u g(u)] = t E[g'].
pub(super) fn moments(form: &Wavelet, sigma: f64) -> [Bounded; 4] {
    let a = Bounded::exact(form.a);
    let angle = a * Bounded::exact(sigma);
    let square = angle * angle;
    let narrowed = 1.0 + 4.0 * square;
    let k = 1.0 / narrowed.sqrt();
    let t = square / narrowed;
    let q = (-2.0 * t).exp();
    let one_minus_q = -(-2.0 * t).exp_m1();
    let turning = 1.0 + (1.0 + -4.0 * t) * q;
    let slope = 0.5 * one_minus_q + 4.0 * t * q + 2.0 * t * turning;
    let widened = 1.0 + 2.0 * square;
    [
        (-0.5 * square / widened).exp() / widened.sqrt(),
        0.5 * k * (1.0 + q),
        Bounded::exact(0.0),
        a * a * k * slope,
    ]
}
