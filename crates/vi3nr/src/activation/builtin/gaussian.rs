use std::f64::consts::FRAC_1_SQRT_2;

use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// exp(-x²/(2σ_a²)).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gaussian {
    pub(crate) sigma: f64,
}

impl Function for Gaussian {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let value = x.bell(FRAC_1_SQRT_2 / self.sigma);
        (value, x * R::from_f64(-1.0 / (self.sigma * self.sigma)) * value)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let rate = 1.0 / (self.sigma * self.sigma);
        let value = x.bell(FRAC_1_SQRT_2 / self.sigma);
        let rate = R::from_f64(-rate);
        let slope = x * rate * value;
        // The derivatives of f' = -xf/σ²; x² would overflow where f is 0.
        let second = x.mul_add(slope, value) * rate;
        [value, slope, second, x.mul_add(second, slope + slope) * rate]
    }
}

impl Builtin for Gaussian {
    const NAME: &'static str = "gaussian";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("sigma", 0.05, "standard deviation sigma_a")];
    const DEFINITION: &'static str = "exp(-x^2/(2*sigma^2))";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(sigma);

    fn feature_width(&self) -> f64 {
        self.sigma
    }
}
