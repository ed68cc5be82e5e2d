use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// x Φ(x), where Φ is the cumulative distribution function of N(0, 1) (Hendrycks and Gimpel 2016).
/// It is exact, not the approximation by tanh.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gelu;

impl Function for Gelu {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let scaled = x * R::from_f64(-FRAC_1_SQRT_2);
        let below = scaled.erfc() * R::from_f64(0.5);
        let density = scaled.bell(1.0) * R::from_f64(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        (x * below, below + x * density)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let scaled = x * R::from_f64(-FRAC_1_SQRT_2);
        let below = scaled.erfc() * R::from_f64(0.5);
        let density = scaled.bell(1.0) * R::from_f64(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        // Bounded where the density is 0, so that it does not overflow.
        let (square, bound) = (x * x, R::from_f64(1e4));
        let square = R::select(square < bound, square, bound);
        let first = x * density;
        [
            x * below,
            below + first,
            density * (R::from_f64(2.0) - square),
            first * (square - R::from_f64(4.0)),
        ]
    }
}

impl Builtin for Gelu {
    const NAME: &'static str = "gelu";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "0.5*x*(1+erf(x/sqrt(2)))";

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
