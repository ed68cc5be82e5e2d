use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// max(x, 0).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relu;

impl Function for Relu {
    const IS_PARTLY_IDENTITY: bool = true;

    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, one) = (R::from_f64(0.0), R::from_f64(1.0));
        // NaN propagates, so that divergence of a network is detected.
        (R::select(x < zero, zero, x), R::select(x > zero, one, zero))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (value, slope) = self.value_and_slope(x);
        let zero = R::from_f64(0.0);
        [value, slope, zero, zero]
    }
}

impl Builtin for Relu {
    const NAME: &'static str = "relu";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "max(x,0)";

    fields!();

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }
}
