use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// sin(ω(|x| + 1)x), whose frequency grows with |x| (Liu et al., "FINER", CVPR 2024, with their
/// ω = 30).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finer {
    pub(crate) omega: f64,
}

impl Function for Finer {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (one, omega) = (R::from_f64(1.0), R::from_f64(self.omega));
        let magnitude = x.abs();
        let (sine, cosine) = (omega * (magnitude + one) * x).sin_cos();
        (sine, omega * (magnitude + magnitude + one) * cosine)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (one, omega) = (R::from_f64(1.0), R::from_f64(self.omega));
        let magnitude = x.abs();
        let (sine, cosine) = (omega * (magnitude + one) * x).sin_cos();
        // The first derivative of the phase, and the second one, ±2ω, of the left side at 0.
        let rate = omega * (magnitude + magnitude + one);
        let bend = R::select(x > R::from_f64(0.0), omega + omega, -(omega + omega));
        let square = rate * rate;
        [
            sine,
            rate * cosine,
            cosine * bend - sine * square,
            -(rate * (square * cosine + R::from_f64(3.0) * bend * sine)),
        ]
    }
}

impl Builtin for Finer {
    const NAME: &'static str = "finer";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("omega", 30.0, "angular frequency at x = 0")];
    const DEFINITION: &'static str = "sin(omega*(abs(x)+1)*x)";
    const SYMMETRY: Symmetry = Symmetry::Odd;

    fields!(omega);

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0 / self.omega
    }
}
