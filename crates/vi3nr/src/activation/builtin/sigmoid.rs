use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// 1/(1 + e^(-x)).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sigmoid;

impl Function for Sigmoid {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        // Through e^(-|x|), so that neither tail overflows or cancels.
        let one = R::from_f64(1.0);
        let tail = (-x.abs()).exp();
        let above = one / (one + tail);
        let below = tail * above;
        (R::select(x < R::from_f64(0.0), below, above), below * above)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (value, slope) = self.value_and_slope(x);
        let lean = R::from_f64(1.0) - (value + value);
        let bend = R::from_f64(1.0) - slope * R::from_f64(6.0);
        [value, slope, slope * lean, slope * bend]
    }
}

impl Builtin for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "1/(1+exp(-x))";

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
