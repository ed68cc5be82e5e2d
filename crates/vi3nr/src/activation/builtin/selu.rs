use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// λ and α of the paper.
#[allow(clippy::excessive_precision)]
const SCALE: f64 = 1.0507009873554804934193349852946;
#[allow(clippy::excessive_precision)]
const ALPHA: f64 = 1.6732632423543772848170429916717;

/// λ times the exponential linear unit with the parameter α, with λ and α chosen so that mean 0 and
/// variance 1 are a fixed point (Klambauer, Unterthiner, Mayr and Hochreiter 2017).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selu;

impl Function for Selu {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, scale) = (R::from_f64(0.0), R::from_f64(SCALE));
        let depth = R::from_f64(SCALE * ALPHA);
        let left = R::select(x < zero, x, zero);
        let fall = left.exp_m1();
        let value = R::select(x < zero, depth * fall, scale * x);
        (value, R::select(x > zero, scale, depth * (fall + R::from_f64(1.0))))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let zero = R::from_f64(0.0);
        let (value, slope) = self.value_and_slope(x);
        let higher = R::select(x > zero, zero, slope);
        [value, slope, higher, higher]
    }
}

impl Builtin for Selu {
    const NAME: &'static str = "selu";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "1.0507009873554804934193349852946*(max(x,0)+1.6732632423543772848170429916717*(exp(min(x,0))-1))";

    fields!();

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }
}
