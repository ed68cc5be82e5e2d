use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// exp(-|x|/σ_a) (Ramasinghe and Lucey, "Beyond Periodicity", ECCV 2022).
///
/// The code that the authors published contains only the Gaussian. The defaults of 1 are those of a
/// widely copied implementation, `kwea123/Coordinate-MLPs` (`models.py`, `opt.py`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Laplacian {
    pub(crate) sigma: f64,
}

impl Function for Laplacian {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let rate = R::from_f64(1.0 / self.sigma);
        let value = (-(x.abs() * rate)).exp();
        let slope = value * rate;
        (value, R::select(x > R::from_f64(0.0), -slope, slope))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let square = R::from_f64(1.0 / (self.sigma * self.sigma));
        let (value, slope) = self.value_and_slope(x);
        [value, slope, value * square, slope * square]
    }
}

impl Builtin for Laplacian {
    const NAME: &'static str = "laplacian";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("sigma", 1.0, "decay length")];
    const DEFINITION: &'static str = "exp(-abs(x)/sigma)";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(sigma);

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        self.sigma
    }
}
