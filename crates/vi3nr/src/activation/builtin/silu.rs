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
