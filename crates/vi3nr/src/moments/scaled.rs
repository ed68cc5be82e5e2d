//! Numbers with an unlimited exponent, for what overflows on the way to a finite result.

use std::cmp::Ordering;
use std::f64::consts::LN_2;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::{Bounded, Real};

/// `mantissa` times 2^`exponent`: e^8000 is such a number, and e^8000/(1 + e^8000) is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scaled {
    mantissa: Bounded,
    exponent: i64,
}

/// Magnitudes within 2^±this keep the exponent 0.
const COMFORT: i64 = 400;
/// Exponents beyond this are infinite or zero.
const FARTHEST: i64 = 1 << 60;

impl Scaled {
    pub(crate) fn new(mantissa: Bounded) -> Self {
        Self::normalized(mantissa, 0)
    }

    /// The number as it is; infinite or zero where `f64` ends.
    pub(crate) fn plain(self) -> Bounded {
        if self.exponent == 0 {
            return self.mantissa;
        }
        let by = self.exponent.clamp(-5000, 5000) as i32;
        let value = libm::ldexp(self.mantissa.value, by);
        // What becomes subnormal is rounded.
        let lost =
            if value.abs() < f64::MIN_POSITIVE { f64::EPSILON * f64::MIN_POSITIVE } else { 0.0 };
        Bounded { value, error: libm::ldexp(self.mantissa.error, by) + 2.0 * lost }
    }

    /// ln|x|; infinite for 0 and for what has no number.
    pub(crate) fn ln_magnitude(self) -> f64 {
        libm::log(self.mantissa.value.abs()) + self.exponent as f64 * LN_2
    }

    /// Whether the bound includes 0.
    pub(crate) fn may_be_zero(self) -> bool {
        self.mantissa.value.abs() <= self.mantissa.error
    }

    /// The mantissa beside another exponent.
    fn with_exponent(self, exponent: i64) -> Bounded {
        Self::shifted(self.mantissa, self.exponent - exponent)
    }

    fn shifted(mantissa: Bounded, by: i64) -> Bounded {
        Self { mantissa, exponent: by }.plain()
    }

    fn normalized(mantissa: Bounded, exponent: i64) -> Self {
        // A bound wider than the value counts as much: its square must not overflow.
        let value = if mantissa.error.is_finite() {
            mantissa.value.abs().max(mantissa.error)
        } else {
            mantissa.value.abs()
        };
        if value == 0.0 || !value.is_finite() {
            return Self { mantissa, exponent: if mantissa.error == 0.0 { 0 } else { exponent } };
        }
        let magnitude = i64::from(libm::ilogb(value));
        let total = magnitude + exponent;
        if total.abs() > FARTHEST {
            let limit = if total > 0 { f64::INFINITY.copysign(mantissa.value) } else { 0.0 };
            return Self { mantissa: Bounded::exact(limit), exponent: 0 };
        }
        if total.abs() < COMFORT {
            return Self { mantissa: Self::shifted(mantissa, exponent), exponent: 0 };
        }
        Self { mantissa: Self::shifted(mantissa, -magnitude), exponent: total }
    }

    fn through(self, function: impl Fn(Bounded) -> Bounded) -> Self {
        Self::new(function(self.plain()))
    }

    /// A function with f(x) = `slope` x (1 + O(x)) near 0, where `f64` may underflow.
    fn through_zero(self, slope: f64, function: impl Fn(Bounded) -> Bounded) -> Self {
        if self.exponent < -COMFORT {
            let slope = Bounded { value: slope, error: 2.0 * f64::EPSILON * slope };
            return Self::normalized(self.mantissa * slope, self.exponent);
        }
        self.through(function)
    }
}

/// From here on erfc(x) is computed as e^(-x²) times a factor.
const ERFC_TAIL: f64 = 20.0;

/// erfc(x) e^(x²) for x >= [`ERFC_TAIL`] by its asymptotic series, whose terms alternate and enclose
/// the function: the tenth is below 1e-19.
fn erfc_factor(x: Bounded) -> Bounded {
    let ratio = 0.5 / (x.value * x.value);
    let series = (0..10).rev().fold(1.0, |sum, n| 1.0 - f64::from(2 * n + 1) * ratio * sum);
    let value = 0.5 * std::f64::consts::FRAC_2_SQRT_PI * series / x.value;
    // The factor falls a little slower than 1/x.
    Bounded { value, error: value * (8.0 * f64::EPSILON + 1.01 * x.error / x.value) }
}

impl PartialOrd for Scaled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (*self - *other).mantissa.value.partial_cmp(&0.0)
    }
}

impl Add for Scaled {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        // An uncertain 0 has a size of its own.
        let is_zero = |x: &Self| x.mantissa == Bounded::exact(0.0);
        let common = if is_zero(&self) {
            other.exponent
        } else if is_zero(&other) {
            self.exponent
        } else {
            self.exponent.max(other.exponent)
        };
        let align = |x: Self| x.with_exponent(common);
        Self::normalized(align(self) + align(other), common)
    }
}

impl Sub for Scaled {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Scaled {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        // Nothing underflows here, so an exact 0 stays exact beside any exponent.
        let zero = Bounded::exact(0.0);
        if self.mantissa == zero || other.mantissa == zero {
            return Self { mantissa: zero, exponent: 0 };
        }
        Self::normalized(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

impl Div for Scaled {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        // Here infinity is a number beyond every exponent, and an exact 0 stays exact.
        let is_zero = self.mantissa == Bounded::exact(0.0) && !other.may_be_zero();
        if is_zero || (other.mantissa.value.is_infinite() && self.mantissa.is_finite()) {
            return Self { mantissa: Bounded::exact(0.0), exponent: 0 };
        }
        Self::normalized(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl Neg for Scaled {
    type Output = Self;
    fn neg(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }
}

impl Real for Scaled {
    fn from_f64(value: f64) -> Self {
        Self::new(Bounded::exact(value))
    }

    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }

    fn abs(self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self }
    }

    fn exp(self) -> Self {
        let x = self.plain();
        if x.value.abs() < 250.0 || x.value.is_nan() {
            return Self::new(x.exp());
        }
        if x.value.abs() > 1e15 {
            let limit = if x.value > 0.0 { f64::INFINITY } else { 0.0 };
            return Self::new(Bounded::exact(limit));
        }
        let k = (x.value / LN_2).floor();
        let rest = Bounded {
            value: x.value - k * LN_2,
            error: x.error + 2.0 * f64::EPSILON * x.value.abs(),
        };
        Self::normalized(rest.exp(), k as i64)
    }

    fn sin_cos(self) -> (Self, Self) {
        let (sine, cosine) = self.plain().sin_cos();
        (Self::new(sine), Self::new(cosine))
    }

    fn tanh(self) -> Self {
        if self.exponent >= COMFORT && self.mantissa.value.abs() > 2.0 * self.mantissa.error {
            // Beyond 2^COMFORT: 1 to all digits.
            let value = 1f64.copysign(self.mantissa.value);
            return Self::new(Bounded { value, error: f64::MIN_POSITIVE });
        }
        self.through_zero(1.0, Real::tanh)
    }

    fn sinc_and_slope(self) -> (Self, Self) {
        let (value, slope) = self.plain().sinc_and_slope();
        (Self::new(value), Self::new(slope))
    }

    fn ln(self) -> Self {
        let shift = self.exponent as f64 * LN_2;
        let shift = Bounded { value: shift, error: 2.0 * f64::EPSILON * shift.abs() };
        Self::new(self.mantissa.ln() + shift)
    }

    fn sqrt(self) -> Self {
        let odd = self.exponent & 1;
        Self::normalized(Self::shifted(self.mantissa, odd).sqrt(), (self.exponent - odd) / 2)
    }

    fn erf(self) -> Self {
        self.through_zero(std::f64::consts::FRAC_2_SQRT_PI, Real::erf)
    }

    fn erfc(self) -> Self {
        let x = self.plain();
        if x.value > 1e15 {
            return Self::new(Bounded::exact(0.0));
        }
        if x.value < ERFC_TAIL || x.error > 1e-3 {
            return Self::new(x.erfc());
        }
        (-(self * self)).exp() * Self::new(erfc_factor(x))
    }

    fn atan(self) -> Self {
        self.through_zero(1.0, Real::atan)
    }

    fn exp_m1(self) -> Self {
        if self.plain().value.abs() < 1.0 {
            return self.through_zero(1.0, Real::exp_m1);
        }
        self.exp() - Self::from_f64(1.0)
    }

    fn ln_1p(self) -> Self {
        if self.exponent <= 0 {
            self.through_zero(1.0, Real::ln_1p)
        } else {
            (self + Self::from_f64(1.0)).ln()
        }
    }

    fn cosh(self) -> Self {
        Self::from_f64(0.5) * (self.exp() + (-self).exp())
    }

    fn sinh(self) -> Self {
        if self.plain().value.abs() < 1.0 {
            return self.through_zero(1.0, Real::sinh);
        }
        Self::from_f64(0.5) * (self.exp() - (-self).exp())
    }

    fn powf(self, exponent: Self) -> Self {
        if self.exponent == 0 && exponent.exponent == 0 {
            let power = self.mantissa.powf(exponent.mantissa);
            if power.value.is_normal() || self.mantissa.value <= 0.0 {
                return Self::new(power);
            }
        }
        (exponent * self.ln()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overflows_cancels_again() {
        let x = Scaled::from_f64(8000.0);
        let grown = x.exp();
        let ratio = (grown / (grown + Scaled::from_f64(1.0))).plain();
        assert!((ratio.value - 1.0).abs() <= ratio.error && ratio.error < 1e-11);
        let back = grown.ln().plain();
        assert!((back.value - 8000.0).abs() <= back.error);
        let sech = (Scaled::from_f64(1.0) / x.cosh() * grown).plain();
        assert!((sech.value - 2.0).abs() <= sech.error);
        assert!(grown > x && -grown < x && grown.sqrt() < grown);
        assert_eq!((-grown).exp().plain().value, 0.0);
        // erfc(30) e^(900), of which the first factor underflows: computed with mpmath.
        let x = Scaled::from_f64(30.0);
        let factor = (x.erfc() * (x * x).exp()).plain();
        assert!((factor.value - 0.018_795_888_861_416_75).abs() <= factor.error, "{factor:?}");
        assert!(factor.error < 1e-14 * factor.value.max(1e-3) * 1e3, "{factor:?}");
        assert_eq!(grown.exp().plain().value, f64::INFINITY);
    }
}
