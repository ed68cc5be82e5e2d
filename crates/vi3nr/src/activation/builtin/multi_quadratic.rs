use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// 1/√(1 + (ax)²) (Ramasinghe and Lucey, "Beyond Periodicity", ECCV 2022).
///
/// The code that the authors published contains only the Gaussian. The defaults of 1 are those of a
/// widely copied implementation, `kwea123/Coordinate-MLPs` (`models.py`, `opt.py`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MultiQuadratic {
    pub(crate) a: f64,
}

impl Function for MultiQuadratic {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (one, a) = (R::from_f64(1.0), R::from_f64(self.a));
        let u = x * a;
        let value = one / (u * u + one).sqrt();
        (value, -(a * (u * value) * (value * value)))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (one, a, three) = (R::from_f64(1.0), R::from_f64(self.a), R::from_f64(3.0));
        let u = x * a;
        let value = one / (u * u + one).sqrt();
        let slim = u * value;
        // u²/(1 + u²).
        let share = slim * slim;
        let square = value * value;
        let second = (three * share - one) * (square * value);
        let third = three * slim * (three - R::from_f64(5.0) * share) * (square * square);
        [value, -(a * slim * square), second * (a * a), third * (a * a * a)]
    }
}

impl Builtin for MultiQuadratic {
    const NAME: &'static str = "multi_quadratic";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 1.0, "inverse width")];
    const DEFINITION: &'static str = "1/sqrt(1+(a*x)^2)";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(a);

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }
}
