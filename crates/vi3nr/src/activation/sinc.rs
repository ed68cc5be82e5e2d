use super::builtin::Builtin;
use super::{Function, Parameter};
use crate::Real;

/// sin(ax)/(ax), 1 at x = 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sinc {
    a: f64,
}

impl Function for Sinc {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let (value, slope) = (x * a).sinc_and_slope();
        (value, slope * a)
    }
}

impl Builtin for Sinc {
    const NAME: &'static str = "sinc";
    const PARAMETERS: &'static [Parameter] = &[Parameter::positive("a", 1.0, "angular frequency")];
    const DEFINITION: &'static str = "sin(a*x)/(a*x)";

    fn from_values(values: &[f64]) -> Self {
        Self { a: values[0] }
    }

    fn values(&self) -> Vec<f64> {
        vec![self.a]
    }

    fn feature_width(&self) -> f64 {
        1.0 / self.a
    }
}
