use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// sin(ωx), SIREN's activation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sine {
    pub(crate) omega: f64,
}

impl Function for Sine {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let omega = R::from_f64(self.omega);
        let (sine, cosine) = (x * omega).sin_cos();
        (sine, cosine * omega)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (omega, square) = (R::from_f64(self.omega), R::from_f64(-self.omega * self.omega));
        let (sine, cosine) = (x * omega).sin_cos();
        let slope = cosine * omega;
        [sine, slope, square * sine, square * slope]
    }
}

impl Builtin for Sine {
    const NAME: &'static str = "sine";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("omega", 30.0, "angular frequency")];
    const DEFINITION: &'static str = "sin(omega*x)";
    const SYMMETRY: Symmetry = Symmetry::Odd;

    fields!(omega);

    fn feature_width(&self) -> f64 {
        1.0 / self.omega
    }
}
