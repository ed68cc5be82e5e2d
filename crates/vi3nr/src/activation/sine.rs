use super::builtin::{Builtin, fields};
use super::{Function, Parameter, Symmetry};
use crate::moments::Moments;
use crate::{Bounded, Real, Scheme};

/// sin(ωx), SIREN's activation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sine {
    pub(super) omega: f64,
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
    const SYMMETRY: Symmetry = Symmetry::Odd;

    fields!(omega);

    fn feature_width(&self) -> f64 {
        1.0 / self.omega
    }

    fn own_scheme(&self) -> Option<Scheme> {
        Some(Scheme::Siren { omega: self.omega })
    }

    /// E[sin²] = (1 - e^(-2ω²σ²))/2 and E[cos²] = (1 + e^(-2ω²σ²))/2.
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let omega = Bounded::exact(self.omega);
        let angle = omega * Bounded::exact(sigma);
        let square = angle * angle;
        let zero = Bounded::exact(0.0);
        let cosines = 0.5 * (1.0 + (-2.0 * square).exp());
        Some(Moments::from_closed_form([
            zero,
            -0.5 * (-2.0 * square).exp_m1(),
            omega * (-0.5 * square).exp(),
            omega * omega * cosines,
        ]))
    }
}
