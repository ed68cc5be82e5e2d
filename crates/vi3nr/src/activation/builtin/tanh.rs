use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// The hyperbolic tangent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tanh;

impl Function for Tanh {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let value = x.tanh();
        let one = R::from_f64(1.0);
        (value, (one - value) * (one + value))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (one, two) = (R::from_f64(1.0), R::from_f64(2.0));
        let value = x.tanh();
        let slope = (one - value) * (one + value);
        let bend = value * value * R::from_f64(6.0) - two;
        [value, slope, -(two * value * slope), slope * bend]
    }
}

impl Builtin for Tanh {
    const NAME: &'static str = "tanh";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "tanh(x)";
    const SYMMETRY: Symmetry = Symmetry::Odd;

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
