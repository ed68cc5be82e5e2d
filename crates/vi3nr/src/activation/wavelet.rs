use super::builtin::{Builtin, fields};
use super::{Function, Parameter, Symmetry};
use crate::moments::Moments;
use crate::{Bounded, Real};

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
        let envelope = x.bell(self.a);
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
    const SYMMETRY: Symmetry = Symmetry::Even;

    fields!(a);

    fn feature_width(&self) -> f64 {
        0.5 / self.a
    }

    /// exp(-2u²) times the density of N(0, s²), s = aσ, is k times that of N(0, t) with
    /// k = (1 + 4s²)^(-1/2), t = s²/(1 + 4s²); under it E[cos 2u] = q = e^(-2t), and E[u g(u)] = t E[g'].
    fn closed_moments(&self, sigma: f64) -> Option<Moments> {
        let a = Bounded::exact(self.a);
        let angle = a * Bounded::exact(sigma);
        let square = angle * angle;
        let narrowed = 1.0 + 4.0 * square;
        let k = 1.0 / narrowed.sqrt();
        let t = square / narrowed;
        let q = (-2.0 * t).exp();
        let one_minus_q = -(-2.0 * t).exp_m1();
        let turning = 1.0 + (1.0 + -4.0 * t) * q;
        let slope = 0.5 * one_minus_q + 4.0 * t * q + 2.0 * t * turning;
        let widened = 1.0 + 2.0 * square;
        Some(Moments::from_closed_form([
            (-0.5 * square / widened).exp() / widened.sqrt(),
            0.5 * k * (1.0 + q),
            Bounded::exact(0.0),
            a * a * k * slope,
        ]))
    }
}
