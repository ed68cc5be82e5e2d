//! The numbers an activation is evaluated on.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number type: `f64` in the theory, a float32 lane in an engine.
///
/// An activation is written once against this trait and so has the same definition everywhere.
/// Implementations choose their own accuracy: `f64` here is within an ulp or two of the exact
/// function; an engine's float32 type states its own bound. Every method is free of data-dependent
/// branches in spirit: write `R::select(x < limit, a, b)` rather than `if`, so that a loop over
/// many values can be vectorised.
pub trait Real:
    Copy
    + Debug
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest representable value of `value`.
    fn from_f64(value: f64) -> Self;

    /// `self * factor + term`, with one rounding where the machine offers it.
    fn mul_add(self, factor: Self, term: Self) -> Self;

    /// The absolute value.
    fn abs(self) -> Self;

    /// e to the power of `self`.
    fn exp(self) -> Self;

    /// The sine and the cosine of `self` (radians).
    fn sin_cos(self) -> (Self, Self);

    /// The hyperbolic tangent.
    fn tanh(self) -> Self;

    /// sin(x)/x and its derivative (cos(x) - sin(x)/x)/x, with their limits 1 and 0 at x = 0.
    fn sinc_and_slope(self) -> (Self, Self);

    /// `then` where `condition` holds, else `otherwise`; both are already computed.
    #[inline(always)]
    fn select(condition: bool, then: Self, otherwise: Self) -> Self {
        if condition { then } else { otherwise }
    }
}

/// Below this |x| the quotient (cos x - sin x / x) / x loses digits and the power series is used.
const SINC_SERIES_LIMIT: f64 = 1.0;

/// Taylor coefficients of sin(x)/x in x²: 1, -1/3!, 1/5!, … up to x^18 (below 1e-19 for |x| <= 1).
const SINC_SERIES: [f64; 10] = {
    let mut coefficients = [1.0; 10];
    let mut k = 1;
    while k < 10 {
        coefficients[k] = -coefficients[k - 1] / ((2 * k) as f64 * (2 * k + 1) as f64);
        k += 1;
    }
    coefficients
};

impl Real for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        // One rounding more than a fused operation, but the same bits on every machine and no
        // slow software routine where the machine lacks the instruction.
        self * factor + term
    }

    #[inline(always)]
    fn abs(self) -> Self {
        libm::fabs(self)
    }

    fn exp(self) -> Self {
        libm::exp(self)
    }

    fn sin_cos(self) -> (Self, Self) {
        libm::sincos(self)
    }

    fn tanh(self) -> Self {
        libm::tanh(self)
    }

    fn sinc_and_slope(self) -> (Self, Self) {
        let square = self * self;
        if self.abs() < SINC_SERIES_LIMIT {
            let (mut value, mut slope) = (0.0, 0.0);
            for k in (1..SINC_SERIES.len()).rev() {
                value = value * square + SINC_SERIES[k];
                slope = slope * square + 2.0 * k as f64 * SINC_SERIES[k];
            }
            (value * square + SINC_SERIES[0], slope * self)
        } else {
            let (sine, cosine) = libm::sincos(self);
            let value = sine / self;
            (value, (cosine - value) / self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinc_is_smooth_across_its_series_limit() {
        for x in [0.9999999, 1.0, 1.0000001, -0.9999999, -1.0] {
            let (value, slope) = f64::sinc_and_slope(x);
            assert!((value - x.sin() / x).abs() < 1e-15, "sinc({x}) = {value}");
            let exact = (x.cos() - x.sin() / x) / x;
            assert!((slope - exact).abs() < 1e-15, "sinc'({x}) = {slope}, not {exact}");
        }
        assert_eq!(f64::sinc_and_slope(0.0), (1.0, 0.0));
        let (_, slope) = f64::sinc_and_slope(1e-8);
        assert!((slope + 1e-8 / 3.0).abs() < 1e-22);
    }
}
