//! The moments of sin(ax)/(ax).

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use crate::activation::builtin::Sinc;
use crate::{Bounded, Real};

/// From sinc(z) = ∫₀¹ cos(zt) dt and sinc²(z) = 2∫₀¹ (1-t) cos(2zt) dt; E[f'²] from the heat
/// equation dE[f²]/dσ² = E[f'² + f f''] with f'' = -f - 2f'/z. With s = aσ the terms of size 1
/// cancel down to s², so below s = 10 the quadrature is better.
pub(super) fn moments(form: &Sinc, sigma: f64) -> Option<[Bounded; 4]> {
    let a = Bounded::exact(form.a);
    let s = a * Bounded::exact(sigma);
    if s.value < 10.0 {
        return None;
    }
    let root = Bounded::rounded(libm::sqrt(0.5 * PI)) / s;
    let square = s * s;
    let c = Bounded::rounded(SQRT_2) * s;
    let (erf, fall) = (c.erf(), (-(c * c)).exp());
    let gone = -(-(c * c)).exp_m1();
    let second_moment = root * erf + -(0.5 * gone / square);
    // dE[f²]/d(s²).
    let growth = 0.5 * (gone / square + -(root * erf)) / square;
    // ∫₀¹ t(1-t) erf(ct) dt by parts.
    let spi = Bounded::rounded(libm::sqrt(PI));
    let (c2, c3) = (c * c, c * c * c);
    let quadratic = spi * erf / (4.0 * c3) + -(0.5 * fall / c2);
    let cubic = 0.5 * (1.0 + -((1.0 + c2) * fall)) / (c2 * c2);
    let kernel = 2.0 * c / spi * (0.5 * quadratic + -(Bounded::rounded(1.0 / 3.0) * cubic));
    let integral = Bounded::rounded(1.0 / 6.0) * erf + -kernel;
    let quotient = -4.0 * root * integral;
    Some([
        root * (s * Bounded::rounded(FRAC_1_SQRT_2)).erf(),
        second_moment,
        Bounded::exact(0.0),
        a * a * (growth + second_moment + quotient),
    ])
}
