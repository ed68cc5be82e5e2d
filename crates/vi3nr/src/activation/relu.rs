use std::f64::consts::PI;

use super::builtin::{Builtin, fields};
use super::{Function, Parameter};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// max(x, 0).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relu;

impl Function for Relu {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, one) = (R::from_f64(0.0), R::from_f64(1.0));
        // A NaN is kept, so that a diverged network is seen as such.
        (R::select(x < zero, zero, x), R::select(x > zero, one, zero))
    }
}

impl Builtin for Relu {
    const NAME: &'static str = "relu";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "max(x,0)";

    fields!();

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }

    fn torch_gain(&self) -> Option<f64> {
        Some(std::f64::consts::SQRT_2)
    }

    /// Half of the moments of the identity, and E|z|/2 = σ/√(2π).
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let sigma = Bounded::exact(sigma);
        let half = Bounded::exact(0.5);
        let mean = sigma / Bounded::rounded(libm::sqrt(2.0 * PI));
        Some(Moments::from_closed_form([mean, half * sigma * sigma, half, half]))
    }
}
