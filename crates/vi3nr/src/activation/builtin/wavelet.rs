use super::form::{Builtin, fields};
use crate::Real;
use crate::activation::function::Function;
use crate::activation::parameter::Parameter;
use crate::activation::symmetry::Symmetry;

/// cos(ax) exp(-(ax)²), the real part of a Gabor wavelet.
///
/// The default suits coordinates within ±1, by measurement (docs/activations.md); the paper's
/// controlled experiments have a = 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wavelet {
    pub(crate) a: f64,
}

impl Function for Wavelet {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let u = x * a;
        let envelope = x.bell(self.a);
        let (sine, cosine) = u.sin_cos();
        let slope = envelope * (u * cosine).mul_add(R::from_f64(2.0), sine);
        (envelope * cosine, -(slope * a))
    }

    #[inline(always)]
    fn jet<R: Real>(&self, x: R) -> [R; 4] {
        let (a, number) = (R::from_f64(self.a), R::from_f64);
        let u = x * a;
        let envelope = x.bell(self.a);
        let (sine, cosine) = u.sin_cos();
        let first = envelope * (u * cosine).mul_add(number(2.0), sine);
        // With the envelope in each term, no power of u overflows where the envelope is 0.
        let (sine, value) = (envelope * sine, envelope * cosine);
        let (turned, moved) = (u * sine, u * value);
        let square = u * moved;
        let second = (square + turned) * number(4.0) - value * number(3.0);
        let third = u * (value * number(18.0) - square * number(8.0) - turned * number(12.0))
            + sine * number(7.0);
        [value, -(first * a), second * (a * a), third * (a * a * a)]
    }
}

impl Builtin for Wavelet {
    const NAME: &'static str = "wavelet";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("a", 10.0, "angular frequency and inverse width")];
    const DEFINITION: &'static str = "cos(a*x)*exp(-(a*x)^2)";
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(a);

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }
}
