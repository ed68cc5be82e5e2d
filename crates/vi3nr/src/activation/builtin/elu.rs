use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// x for x > 0, else α(e^x - 1), the exponential linear unit (Clevert, Unterthiner and Hochreiter
/// 2016).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Elu {
    pub(crate) alpha: f64,
}

impl Function for Elu {
    const IS_PARTLY_IDENTITY: bool = true;

    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, one, alpha) = (R::from_f64(0.0), R::from_f64(1.0), R::from_f64(self.alpha));
        let left = R::select(x < zero, x, zero);
        let fall = left.exp_m1();
        let value = R::select(x < zero, alpha * fall, x);
        (value, R::select(x > zero, one, alpha * (fall + one)))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let zero = R::from_f64(0.0);
        let (value, slope) = self.value_and_slope(x);
        let higher = R::select(x > zero, zero, slope);
        [value, slope, higher, higher]
    }
}

impl Builtin for Elu {
    const NAME: &'static str = "elu";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("alpha", 1.0, "depth of the left side")];
    const DEFINITION: &'static str = "max(x,0)+alpha*(exp(min(x,0))-1)";

    fields!(alpha);

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }
}
