use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// max(x, 0) + s min(x, 0), the leaky ReLU with the slope s for x < 0 (Maas, Hannun and Ng 2013).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LeakyRelu {
    pub(crate) slope: f64,
}

impl Function for LeakyRelu {
    const IS_PARTLY_IDENTITY: bool = true;

    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, one, slope) = (R::from_f64(0.0), R::from_f64(1.0), R::from_f64(self.slope));
        // NaN propagates, so that divergence of a network is detected.
        (R::select(x < zero, slope * x, x), R::select(x > zero, one, slope))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (value, slope) = self.value_and_slope(x);
        let zero = R::from_f64(0.0);
        [value, slope, zero, zero]
    }
}

impl Builtin for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::finite("slope", 0.01, "slope for x < 0; may be negative")];
    const DEFINITION: &'static str = "max(x,0)+slope*min(x,0)";

    fields!(slope);

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }
}
