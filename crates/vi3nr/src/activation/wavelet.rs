use super::builtin::Builtin;
use super::{Function, Parameter};
use crate::Real;
use crate::moments::Moments;

/// cos(ax) exp(-(ax)²), the real part of a Gabor wavelet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wavelet {
    a: f64,
}

impl Function for Wavelet {
    #[inline(always)]
    fn value_and_slope<R: Real>(&self, x: R) -> (R, R) {
        let a = R::from_f64(self.a);
        let u = x * a;
        let envelope = (-(u * u)).exp();
        let (sine, cosine) = u.sin_cos();
        let slope = envelope * (u * cosine).mul_add(R::from_f64(2.0), sine);
        (envelope * cosine, -(slope * a))
    }
}

impl Builtin for Wavelet {
    const NAME: &'static str = "wavelet";
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::positive("a", 1.0, "angular frequency and inverse width")];
    const DEFINITION: &'static str = "cos(a*x)*exp(-(a*x)^2)";

    fn from_values(values: &[f64]) -> Self {
        Self { a: values[0] }
    }

    fn values(&self) -> Vec<f64> {
        vec![self.a]
    }

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }

    /// exp(-2u²) times the density of N(0, s²), s = aσ, is k times that of N(0, t) with
    /// k = (1 + 4s²)^(-1/2), t = s²/(1 + 4s²); under it E[cos 2u] = q = e^(-2t), and E[u g(u)] = t E[g'].
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let square = (self.a * sigma) * (self.a * sigma);
        let k = 1.0 / libm::sqrt(1.0 + 4.0 * square);
        let t = square / (1.0 + 4.0 * square);
        let q = libm::exp(-2.0 * t);
        let one_minus_q = -libm::expm1(-2.0 * t);
        let slope = 0.5 * one_minus_q + 4.0 * t * q + 2.0 * t * (1.0 + (1.0 - 4.0 * t) * q);
        let widened = 1.0 + 2.0 * square;
        Some(Moments {
            mean: libm::exp(-0.5 * square / widened) / libm::sqrt(widened),
            second_moment: 0.5 * k * (1.0 + q),
            derivative_mean: 0.0,
            derivative_second_moment: self.a * self.a * k * slope,
        })
    }
}
