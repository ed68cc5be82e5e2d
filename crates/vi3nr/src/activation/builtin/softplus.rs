use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// ln(1 + e^x) (Dugas et al. 2001).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Softplus;

impl Function for Softplus {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        (x.softplus(), x.sigmoid())
    }
}

impl Builtin for Softplus {
    const NAME: &'static str = "softplus";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "log(1+exp(x))";

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
