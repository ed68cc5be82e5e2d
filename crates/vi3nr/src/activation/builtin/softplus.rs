use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// ln(1 + e^(βx))/β (Dugas et al. 2001).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Softplus {
    pub(crate) beta: f64,
}

impl Function for Softplus {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let beta = R::from_f64(self.beta);
        let u = x * beta;
        (u.softplus() * R::from_f64(1.0 / self.beta), u.sigmoid())
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (one, beta) = (R::from_f64(1.0), R::from_f64(self.beta));
        let u = x * beta;
        let (above, below) = (u.sigmoid(), (-u).sigmoid());
        let second = beta * above * below;
        let value = u.softplus() * R::from_f64(1.0 / self.beta);
        [value, above, second, beta * second * (one - (above + above))]
    }
}

impl Builtin for Softplus {
    const NAME: &'static str = "softplus";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("beta", 1.0, "sharpness")];
    const DEFINITION: &'static str = "log(1+exp(beta*x))/beta";

    fields!(beta);

    fn feature_width(&self) -> f64 {
        1.0 / self.beta
    }
}
