use super::builtin::Builtin;
use super::{Function, Parameter};
use crate::Real;
use crate::moments::Moments;

/// sin(ωx), SIREN's activation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sine {
    omega: f64,
}

impl Function for Sine {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let omega = R::from_f64(self.omega);
        let (sine, cosine) = (x * omega).sin_cos();
        (sine, cosine * omega)
    }
}

impl Builtin for Sine {
    const NAME: &'static str = "sine";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("omega", 30.0, "angular frequency")];
    const DEFINITION: &'static str = "sin(omega*x)";

    fn from_values(values: &[f64]) -> Self {
        Self { omega: values[0] }
    }

    fn values(&self) -> Vec<f64> {
        vec![self.omega]
    }

    fn feature_width(&self) -> f64 {
        1.0 / self.omega
    }

    /// E[sin²] = (1 - e^(-2ω²σ²))/2 and E[cos²] = (1 + e^(-2ω²σ²))/2.
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let square = (self.omega * sigma) * (self.omega * sigma);
        Some(Moments {
            mean: 0.0,
            second_moment: -0.5 * libm::expm1(-2.0 * square),
            derivative_mean: self.omega * libm::exp(-0.5 * square),
            derivative_second_moment: 0.5
                * self.omega
                * self.omega
                * (1.0 + libm::exp(-2.0 * square)),
        })
    }
}
