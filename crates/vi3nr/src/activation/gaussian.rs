use std::f64::consts::FRAC_1_SQRT_2;

use super::builtin::{Builtin, fields};
use super::{Function, Parameter, Symmetry};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// exp(-x²/(2σ_a²)).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gaussian {
    sigma: f64,
}

impl Function for Gaussian {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let value = x.bell(FRAC_1_SQRT_2 / self.sigma);
        (value, x * R::from_f64(-1.0 / (self.sigma * self.sigma)) * value)
    }
}

impl Builtin for Gaussian {
    const NAME: &'static str = "gaussian";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("sigma", 0.05, "standard deviation sigma_a")];
    const DEFINITION: &'static str = "exp(-x^2/(2*sigma^2))";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(sigma);

    fn feature_width(&self) -> f64 {
        self.sigma
    }

    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        Some(moments(Bounded::exact(self.sigma), Bounded::exact(sigma)))
    }
}

/// Eq. (47), Eq. (16) and, for the derivative, E[f'²] = σ_r^-4 (1 + 2σ_r^-2)^(-3/2) / σ_p²
/// with σ_r = σ_a/σ_p.
pub(super) fn moments(width: Bounded, sigma: Bounded) -> Moments {
    // In t = 1/σ_r² = (σ_p/σ_a)² nothing overflows before the result does.
    let ratio = sigma / width;
    let t = ratio * ratio;
    let widened = 1.0 + 2.0 * t;
    let root = widened.sqrt();
    Moments::from_closed_form([
        1.0 / (1.0 + t).sqrt(),
        1.0 / root,
        Bounded::exact(0.0),
        t / (width * width) / widened / root,
    ])
}
