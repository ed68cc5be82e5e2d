use std::f64::consts::FRAC_2_SQRT_PI;

use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// The error function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Erf;

impl Function for Erf {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let slope = x.bell(1.0) * R::from_f64(FRAC_2_SQRT_PI);
        (x.erf(), slope)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let slope = x.bell(1.0) * R::from_f64(FRAC_2_SQRT_PI);
        // The derivatives of f'' = -2xf'; x² would overflow where f' is 0.
        let minus_two = R::from_f64(-2.0);
        let second = minus_two * x * slope;
        [x.erf(), slope, second, minus_two * x.mul_add(second, slope)]
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
}
