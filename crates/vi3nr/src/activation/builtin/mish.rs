use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;

/// x tanh(ln(1 + e^x)) (Misra 2020).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mish;

/// The parts of the function and its derivatives, without cancellation in either tail.
struct Parts<R> {
    /// w = tanh(ln(1 + e^x)).
    tanh: R,
    /// 1 - w.
    lack: R,
    /// s = 1/(1 + e^(-x)).
    sigmoid: R,
    /// 1 - s.
    opposite: R,
}

impl<R: Real> Parts<R> {
    #[inline(always)]
    fn at(x: R) -> Self {
        // With t = e^(-|x|), the tanh is rational: t(t+2)/(t(t+2)+2) on the left and
        // (1+2t)/(1+2t+2t²) on the right, and its difference from 1 has no cancellation.
        let (zero, one, two) = (R::from_f64(0.0), R::from_f64(1.0), R::from_f64(2.0));
        let t = (-x.abs()).exp();
        let on_left = x < zero;
        let numerator = R::select(on_left, t * (t + two), t + t + one);
        let rest = R::select(on_left, two, (t + t) * t);
        // One division for all quotients.
        let (sum, rise) = (numerator + rest, one + t);
        let inverse = one / (sum * rise);
        let (near, far) = (sum * inverse, t * sum * inverse);
        Self {
            tanh: numerator * rise * inverse,
            lack: rest * rise * inverse,
            sigmoid: R::select(on_left, far, near),
            opposite: R::select(on_left, near, far),
        }
    }
}

impl Function for Mish {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let Parts { tanh, lack, sigmoid, .. } = Parts::at(x);
        (x * tanh, tanh + x * (lack * (R::from_f64(1.0) + tanh)) * sigmoid)
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        // With w' = d and k = d'/d = 1 - s - 2ws.
        let (one, two) = (R::from_f64(1.0), R::from_f64(2.0));
        let Parts { tanh, lack, sigmoid, opposite } = Parts::at(x);
        let d = lack * (one + tanh) * sigmoid;
        let k = opposite - two * tanh * sigmoid;
        let k_slope = -(sigmoid * (opposite * (one + two * tanh) + two * d));
        [
            x * tanh,
            tanh + x * d,
            d * (two + x * k),
            d * (R::from_f64(3.0) * k + x * (k * k + k_slope)),
        ]
    }
}

impl Builtin for Mish {
    const NAME: &'static str = "mish";
    const PARAMETERS: &'static [Parameter] = &[];
    const DEFINITION: &'static str = "x*tanh(log(1+exp(x)))";

    fields!();

    fn feature_width(&self) -> f64 {
        1.0
    }
}
