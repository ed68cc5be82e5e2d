use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// sin(ax)/(ax), 1 at x = 0.
///
/// The default suits coordinates within ±1, by measurement (docs/activations.md); the paper's
/// controlled experiments have a = 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sinc {
    pub(crate) a: f64,
}

impl Function for Sinc {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let (value, slope) = (x * a).sinc_and_slope();
        (value, slope * a)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let a = R::from_f64(self.a);
        let [value, first, second, third] = (x * a).sinc_jet();
        [value, first * a, second * (a * a), third * (a * a * a)]
    }
}

impl Builtin for Sinc {
    const NAME: &'static str = "sinc";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 20.0, "angular frequency")];
    const DEFINITION: &'static str = "sin(a*x)/(a*x)";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(a);

    fn feature_width(&self) -> f64 {
        1.0 / self.a
    }
}
