use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// x/(1 + e^(-x)), also called swish (Elfwing, Uchibe and Doya 2018).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Silu;

impl Function for Silu {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let one = R::from_f64(1.0);
        let above = x.sigmoid();
        (x * above, above * (x * (one - above) + one))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        // With s the sigmoid, s' = s(1 - s) and w = 1 - 2s.
        let (one, two, three) = (R::from_f64(1.0), R::from_f64(2.0), R::from_f64(3.0));
        let (above, below) = (x.sigmoid(), (-x).sigmoid());
        let slope = above * below;
        let lean = below - above;
        [
            x * above,
            above * (x * below + one),
            slope * (two + x * lean),
            slope * (three * lean + x * (one - slope * R::from_f64(6.0))),
        ]
    }
}

impl Builtin for Silu {
    const NAME: &'static str = "silu";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "x/(1+exp(-x))";

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
