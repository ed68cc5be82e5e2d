use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::builtin::{Builtin, fields};
use super::{Function, Parameter, Symmetry};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// sin(ax)/(ax), 1 at x = 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sinc {
    a: f64,
}

impl Function for Sinc {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let (value, slope) = (x * a).sinc_and_slope();
        (value, slope * a)
    }
}

impl Builtin for Sinc {
    const NAME: &'static str = "sinc";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 1.0, "angular frequency")];
    const DEFINITION: &'static str = "sin(a*x)/(a*x)";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(a);

    fn feature_width(&self) -> f64 {
        1.0 / self.a
    }

    /// From sinc(z) = ∫₀¹ cos(zt) dt and sinc²(z) = 2∫₀¹ (1-t) cos(2zt) dt; E[f'²] from the heat
    /// equation dE[f²]/dσ² = E[f'² + f f''] with f'' = -f - 2f'/z. With s = aσ the terms of size 1
    /// cancel down to s², so below s = 10 the quadrature is better.
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let a = Bounded::exact(self.a);
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
        Some(Moments::from_closed_form([
            root * (s * Bounded::rounded(FRAC_1_SQRT_2)).erf(),
            second_moment,
            Bounded::exact(0.0),
            a * a * (growth + second_moment + quotient),
        ]))
    }
}
