//! The number types that an activation is evaluated on.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number type: `f64` in the theory, a float32 lane in an engine.
///
/// An activation is written once for this trait, so that it has the same definition everywhere.
/// Implementations choose their own accuracy: the functions of `f64` are within 1 to 2 ulp of the
/// exact ones, and the float32 type of an engine documents its own error bounds. Code for this
/// trait avoids data-dependent branches, so that a loop over many values can be vectorized: write
/// `R::select(x < limit, a, b)` instead of `if`.
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

    /// `self * factor + term`, with one rounding if the machine has a fused multiply-add.
    fn mul_add(self, factor: Self, term: Self) -> Self;

    /// The absolute value.
    fn abs(self) -> Self;

    /// e to the power of `self`.
    fn exp(self) -> Self;

    /// The bell curve e^(-(scale·x)²).
    #[inline(always)]
    fn bell(self, scale: f64) -> Self {
        let scaled = self * Self::from_f64(scale);
        (-(scaled * scaled)).exp()
    }

    /// The sine and the cosine of `self` (radians).
    fn sin_cos(self) -> (Self, Self);

    /// The hyperbolic tangent.
    fn tanh(self) -> Self;

    /// sin(x)/x and its derivative (cos(x) - sin(x)/x)/x, with their limits 1 and 0 at x = 0.
    fn sinc_and_slope(self) -> (Self, Self);

    /// sin(x)/x and its first three derivatives.
    #[inline(always)]
    fn sinc_jet(self) -> [Self; 4] {
        let (value, slope) = self.sinc_and_slope();
        // From the derivatives of x·sinc(x) = sin(x), where nothing cancels.
        let inverse = Self::from_f64(1.0) / self;
        let second = -(value + (slope + slope) * inverse);
        let third = -(slope + (value + Self::from_f64(3.0) * second) * inverse);
        // From the power series of sinc near 0.
        let square = self * self;
        let last = SINC_JET_SERIES.len() - 1;
        let mut second_near = Self::from_f64(SINC_JET_SERIES[last][0]);
        let mut third_near = Self::from_f64(SINC_JET_SERIES[last][1]);
        for [second, third] in SINC_JET_SERIES[..last].iter().rev() {
            second_near = second_near.mul_add(square, Self::from_f64(*second));
            third_near = third_near.mul_add(square, Self::from_f64(*third));
        }
        let near = self.abs() < Self::from_f64(1.5);
        let second = Self::select(near, second_near, second);
        [value, slope, second, Self::select(near, third_near * self, third)]
    }

    /// The natural logarithm; NaN below 0 and minus infinity at 0.
    fn ln(self) -> Self;

    /// The square root; NaN below 0.
    fn sqrt(self) -> Self;

    /// The error function 2/√π ∫₀ˣ e^(-t²) dt.
    fn erf(self) -> Self;

    /// 1 - erf(x), without cancellation for large x.
    fn erfc(self) -> Self;

    /// The arc tangent, within ±π/2.
    fn atan(self) -> Self;

    /// e^x - 1 without cancellation near 0: 2t/(1 - t) with t = tanh(x/2), for x below about 16 in
    /// single precision.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let t = (self * Self::from_f64(0.5)).tanh();
        (t + t) / (Self::from_f64(1.0) - t)
    }

    /// ln(1 + x) without cancellation near 0 (Kahan's quotient).
    #[inline(always)]
    fn ln_1p(self) -> Self {
        let one = Self::from_f64(1.0);
        let sum = one + self;
        Self::select(sum == one, self, self * sum.ln() / (sum - one))
    }

    /// The hyperbolic sine.
    #[inline(always)]
    fn sinh(self) -> Self {
        let magnitude = self.abs();
        let grown = magnitude.exp_m1();
        let half = Self::from_f64(0.5);
        let small = half * (grown + grown / (grown + Self::from_f64(1.0)));
        // For larger arguments e^(-|x|) is negligible, and exp_m1 may not be accurate there.
        let large = half * magnitude.exp();
        let value = Self::select(magnitude < Self::from_f64(15.0), small, large);
        Self::select(self < Self::from_f64(0.0), -value, value)
    }

    /// The hyperbolic cosine.
    #[inline(always)]
    fn cosh(self) -> Self {
        let grown = self.abs().exp();
        Self::from_f64(0.5) * (grown + Self::from_f64(1.0) / grown)
    }

    /// 1/cosh(x), through e^(-|x|) so that nothing overflows.
    #[inline(always)]
    fn sech(self) -> Self {
        let tail = (-self.abs()).exp();
        (tail + tail) / (tail * tail + Self::from_f64(1.0))
    }

    /// 1/(1 + e^(-x)), through e^(-|x|) so that neither tail overflows or cancels.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let one = Self::from_f64(1.0);
        let tail = (-self.abs()).exp();
        let above = one / (one + tail);
        Self::select(self < Self::from_f64(0.0), tail * above, above)
    }

    /// ln(1 + e^x) = max(x, 0) + ln(1 + e^(-|x|)).
    #[inline(always)]
    fn softplus(self) -> Self {
        let zero = Self::from_f64(0.0);
        // A NaN is kept: the comparison fails and `self` is added.
        Self::select(self < zero, zero, self) + (-self.abs()).exp().ln_1p()
    }

    /// -1, 0 or 1 with the sign of `self`; NaN for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        let zero = Self::from_f64(0.0);
        let below = Self::select(self < zero, Self::from_f64(-1.0), self);
        Self::select(self > zero, Self::from_f64(1.0), below)
    }

    /// The power with an integer exponent, by repeated squaring.
    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        let mut remaining = exponent.unsigned_abs();
        let mut square = self;
        let mut power = Self::from_f64(1.0);
        while remaining > 0 {
            if remaining & 1 == 1 {
                power = power * square;
            }
            remaining >>= 1;
            if remaining > 0 {
                square = square * square;
            }
        }
        if exponent < 0 { Self::from_f64(1.0) / power } else { power }
    }

    /// The power of a base of at least 0: e^(p ln x). NaN for a base below 0.
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        (exponent * self.ln()).exp()
    }

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

/// Taylor coefficients in x² of the second derivative of sin(x)/x, and of its third derivative
/// divided by x, up to x^18 (below 1e-16 for |x| <= 1.5): (-1)^(m+1)/((2m+3)(2m)!) and
/// (-1)^m/((2m+5)(2m+1)!).
const SINC_JET_SERIES: [[f64; 2]; 10] = {
    let mut coefficients = [[0.0; 2]; 10];
    let (mut m, mut factorial, mut sign) = (0, 1.0, 1.0);
    while m < 10 {
        let next = factorial * (2 * m + 1) as f64;
        coefficients[m] =
            [-sign / ((2 * m + 3) as f64 * factorial), sign / ((2 * m + 5) as f64 * next)];
        factorial = next * (2 * m + 2) as f64;
        sign = -sign;
        m += 1;
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

    fn ln(self) -> Self {
        libm::log(self)
    }

    fn sqrt(self) -> Self {
        libm::sqrt(self)
    }

    fn erf(self) -> Self {
        libm::erf(self)
    }

    fn erfc(self) -> Self {
        libm::erfc(self)
    }

    fn atan(self) -> Self {
        libm::atan(self)
    }

    fn exp_m1(self) -> Self {
        libm::expm1(self)
    }

    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }

    fn sinh(self) -> Self {
        libm::sinh(self)
    }

    fn cosh(self) -> Self {
        libm::cosh(self)
    }

    fn powf(self, exponent: Self) -> Self {
        libm::pow(self, exponent)
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
