use std::f64::consts::{FRAC_2_PI, FRAC_2_SQRT_PI};

use super::builtin::{Builtin, fields};
use super::{Function, Parameter, Symmetry};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// The error function.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Erf;

impl Function for Erf {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let slope = x.bell(1.0) * R::from_f64(FRAC_2_SQRT_PI);
        (x.erf(), slope)
    }
}

impl Builtin for Erf {
    const NAME: &'static str = "erf";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "erf(x)";
    const SYMMETRY: Symmetry = Symmetry::Odd;

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }

    /// E[erf²] = (2/π) asin(2σ²/(1 + 2σ²)) (Williams 1997), with the arc tangent of the same angle;
    /// the derivative is a Gaussian.
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let sigma = Bounded::exact(sigma);
        let twice = 2.0 * sigma * sigma;
        let widened = (1.0 + 2.0 * twice).sqrt();
        let angle = (twice / widened).atan();
        let slope = Bounded::rounded(FRAC_2_SQRT_PI);
        Some(Moments::from_closed_form([
            Bounded::exact(0.0),
            angle * Bounded::rounded(FRAC_2_PI),
            slope / (1.0 + twice).sqrt(),
            slope * slope / widened,
        ]))
    }
}
