use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// exp(-x²/(2σ_a²))^b (Ramasinghe and Lucey, "Beyond Periodicity", ECCV 2022).
///
/// The code that the authors published contains only the Gaussian. The defaults of 1 are those of a
/// widely copied implementation, `kwea123/Coordinate-MLPs` (`models.py`, `opt.py`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SuperGaussian {
    pub(crate) sigma: f64,
    pub(crate) b: f64,
}

impl Function for SuperGaussian {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let rate = self.b / (self.sigma * self.sigma);
        let value = (x * x * R::from_f64(-0.5 * rate)).exp();
        (value, x * R::from_f64(-rate) * value)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let rate = self.b / (self.sigma * self.sigma);
        let value = (x * x * R::from_f64(-0.5 * rate)).exp();
        let rate = R::from_f64(-rate);
        let slope = x * rate * value;
        // The derivatives of f' = -bxf/σ²; x² would overflow where f is 0.
        let second = x.mul_add(slope, value) * rate;
        [value, slope, second, x.mul_add(second, slope + slope) * rate]
    }
}

impl Builtin for SuperGaussian {
    const NAME: &'static str = "super_gaussian";
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::positive("sigma", 1.0, "standard deviation sigma_a"),
        Parameter::positive("b", 1.0, "power"),
    ];
    const DEFINITION: &'static str = "exp(-x^2/(2*sigma^2))^b";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(sigma, b);

    fn feature_width(&self) -> f64 {
        self.sigma / libm::sqrt(self.b)
    }
}
