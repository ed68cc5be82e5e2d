use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// exp(-sin(ax)) (Ramasinghe and Lucey, "Beyond Periodicity", ECCV 2022).
///
/// The code that the authors published contains only the Gaussian. The defaults of 1 are those of a
/// widely copied implementation, `kwea123/Coordinate-MLPs` (`models.py`, `opt.py`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExpSin {
    pub(crate) a: f64,
}

impl Function for ExpSin {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let (sine, cosine) = (x * a).sin_cos();
        let value = (-sine).exp();
        (value, -(a * cosine * value))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let a = R::from_f64(self.a);
        let (sine, cosine) = (x * a).sin_cos();
        let value = (-sine).exp();
        let second = (cosine * cosine + sine) * value;
        let third = cosine * sine * (sine - R::from_f64(3.0)) * value;
        [value, -(a * cosine * value), second * (a * a), third * (a * a * a)]
    }
}

impl Builtin for ExpSin {
    const NAME: &'static str = "expsin";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 1.0, "angular frequency")];
    const DEFINITION: &'static str = "exp(-sin(a*x))";

    fields!(a);

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }
}
