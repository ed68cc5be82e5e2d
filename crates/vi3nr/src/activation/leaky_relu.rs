use std::f64::consts::PI;

use super::builtin::{Builtin, fields};
use super::{Function, Parameter};
use crate::moments::Moments;
use crate::{Bounded, Real};

/// max(x, 0) + s min(x, 0), the rectifier with a slope on the left (Maas, Hannun and Ng 2013).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LeakyRelu {
    slope: f64,
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let (zero, one, slope) = (R::from_f64(0.0), R::from_f64(1.0), R::from_f64(self.slope));
        // A NaN is kept, so that a diverged network is seen as such.
        (R::select(x < zero, slope * x, x), R::select(x > zero, one, slope))
    }
}

impl Builtin for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::finite("slope", 0.01, "slope for x < 0; may be negative")];
    const DEFINITION: &'static str = "max(x,0)+slope*min(x,0)";

    fields!(slope);

    fn kinks(&self) -> Vec<f64> {
        vec![0.0]
    }

    fn feature_width(&self) -> f64 {
        1.0
    }

    fn torch_gain(&self) -> Option<f64> {
        Some(libm::sqrt(2.0 / (1.0 + self.slope * self.slope)))
    }

    /// The halves of the line add up: E[f²] = (1 + s²)σ²/2 and E[f'²] = (1 + s²)/2.
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let (slope, sigma) = (Bounded::exact(self.slope), Bounded::exact(sigma));
        let half_line = sigma / Bounded::rounded(libm::sqrt(2.0 * PI));
        let squares = 0.5 * (1.0 + slope * slope);
        Some(Moments::from_closed_form([
            (1.0 + -slope) * half_line,
            squares * sigma * sigma,
            0.5 * (1.0 + slope),
            squares,
        ]))
    }
}
