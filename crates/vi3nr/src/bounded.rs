//! A number with a bound on its error.

use std::cmp::Ordering;
use std::f64::consts::PI;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Real;

/// The relative error bound of one rounded basic operation (half an ulp, doubled).
pub(crate) const ROUNDING: f64 = f64::EPSILON;
/// The relative error bound of an elementary function of `libm` (below 2 ulp, doubled).
const ELEMENTARY: f64 = 4.0 * f64::EPSILON;
/// Results below this are charged as if they were this large: a subnormal result, or a product of
/// errors that underflows, is off by a few units of 2^-1074 = ε times the smallest normal number.
const UNDERFLOW: f64 = 8.0 * f64::MIN_POSITIVE;

/// The size of a result to which a relative rounding error applies.
#[inline(always)]
fn size(value: f64) -> f64 {
    value.abs().max(UNDERFLOW)
}

/// A value whose distance from the exact number is at most `error`.
///
/// Arithmetic propagates the bound (running error analysis): every operation adds the propagated
/// errors of its operands and its own rounding error, underflow included. A formula that is written for [`Real`]
/// therefore yields its own accuracy when it is evaluated on this type.
///
/// ```
/// use vi3nr::{Bounded, Real};
///
/// // 1 - cos(1e-6): the cancellation costs twelve digits, and the bound says so.
/// let angle = Bounded::exact(1e-6);
/// let versine = Bounded::exact(1.0) - angle.sin_cos().1;
/// assert!((versine.value - 5e-13).abs() <= versine.error);
/// assert!(versine.relative_error() > 1e-5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounded {
    /// The computed number.
    pub value: f64,
    /// A bound on the distance of `value` from the exact number.
    pub error: f64,
}

impl Bounded {
    /// A number that is exact.
    pub const fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A number that was rounded once.
    pub(crate) fn rounded(value: f64) -> Self {
        Self { value, error: ROUNDING * size(value) }
    }

    /// |error/value|, which is infinite if the value is 0 and the error is not.
    pub fn relative_error(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { self.error / self.value.abs() }
    }

    /// Whether `exact` is within the bound.
    pub fn contains(&self, exact: f64) -> bool {
        (self.value - exact).abs() <= self.error
    }

    /// Whether both the value and the bound are finite.
    pub fn is_finite(&self) -> bool {
        self.value.is_finite() && self.error.is_finite()
    }

    /// The value of an elementary function, where `propagated` bounds the effect of the operand's
    /// error.
    fn elementary(value: f64, propagated: f64) -> Self {
        Self { value, error: propagated + ELEMENTARY * size(value) }
    }

    /// The smallest magnitude within the bound.
    fn min_magnitude(&self) -> f64 {
        (self.value.abs() - self.error).max(0.0)
    }
}

/// Writes the value without the error.
impl fmt::Display for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl PartialOrd for Bounded {
    /// The order of the values.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Add for Bounded {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let value = self.value + other.value;
        Self { value, error: self.error + other.error + ROUNDING * value.abs() }
    }
}

impl Sub for Bounded {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Bounded {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let value = self.value * other.value;
        let propagated =
            self.value.abs() * other.error + (other.value.abs() + other.error) * self.error;
        Self { value, error: propagated + ROUNDING * size(value) }
    }
}

impl Div for Bounded {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let least = other.min_magnitude();
        let propagated = if self.error == 0.0 && other.error == 0.0 {
            0.0
        } else {
            (self.error + value.abs() * other.error) / least
        };
        Self { value, error: propagated + ROUNDING * size(value) }
    }
}

/// Arithmetic with exact numbers.
impl Mul<Bounded> for f64 {
    type Output = Bounded;
    fn mul(self, other: Bounded) -> Bounded {
        Bounded::exact(self) * other
    }
}

impl Add<Bounded> for f64 {
    type Output = Bounded;
    fn add(self, other: Bounded) -> Bounded {
        Bounded::exact(self) + other
    }
}

impl Div<Bounded> for f64 {
    type Output = Bounded;
    fn div(self, other: Bounded) -> Bounded {
        Bounded::exact(self) / other
    }
}

impl Neg for Bounded {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { value: -self.value, error: self.error }
    }
}

impl Real for Bounded {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self::exact(value)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self { value: self.value.abs(), error: self.error }
    }

    fn exp(self) -> Self {
        let value = libm::exp(self.value);
        Self::elementary(value, exp_change(self, value))
    }

    fn sin_cos(self) -> (Self, Self) {
        let (sine, cosine) = libm::sincos(self.value);
        let e = self.error;
        (
            Self::elementary(sine, (cosine.abs() * e + 0.5 * e * e).min(2.0)),
            Self::elementary(cosine, (sine.abs() * e + 0.5 * e * e).min(2.0)),
        )
    }

    fn tanh(self) -> Self {
        let value = libm::tanh(self.value);
        let slope = (1.0 - value) * (1.0 + value) + 1e-15;
        let mut change = slope * self.error + self.error * self.error;
        if self.error > 1e-6 {
            // tanh' is below 4e^(-2|x|): far out even a large error does not matter.
            let steepest = 4.0 * libm::exp(-2.0 * self.min_magnitude());
            change = change.min(steepest * self.error);
        }
        Self::elementary(value, change.min(2.0))
    }

    fn sinc_and_slope(self) -> (Self, Self) {
        let (value, slope) = self.value.sinc_and_slope();
        // |sinc'| <= 1/2 and |sinc''| <= 1/3; the slope has cancellation where it is small compared with 1/|x|.
        let canceled = ELEMENTARY * 2.0 / self.value.abs().max(1.0);
        (
            Self::elementary(value, 0.5 * self.error + ROUNDING * value.abs()),
            Self::elementary(slope, self.error / 3.0 + canceled.min(ELEMENTARY * self.value.abs())),
        )
    }

    fn ln(self) -> Self {
        let value = libm::log(self.value);
        let propagated = if self.error == 0.0 { 0.0 } else { self.error / self.min_magnitude() };
        Self::elementary(value, propagated)
    }

    fn sqrt(self) -> Self {
        let value = libm::sqrt(self.value);
        let propagated = if self.error == 0.0 {
            0.0
        } else {
            (self.error / (value + libm::sqrt(self.min_magnitude()))).min(libm::sqrt(self.error))
        };
        Self { value, error: propagated + ROUNDING * size(value) }
    }

    fn erf(self) -> Self {
        Self::elementary(libm::erf(self.value), erf_change(self))
    }

    fn erfc(self) -> Self {
        Self::elementary(libm::erfc(self.value), erf_change(self))
    }

    fn atan(self) -> Self {
        let least = self.min_magnitude();
        let propagated = (self.error / (1.0 + least * least)).min(PI);
        Self::elementary(libm::atan(self.value), propagated)
    }

    fn exp_m1(self) -> Self {
        let value = libm::expm1(self.value);
        Self::elementary(value, exp_change(self, value + 1.0))
    }

    fn ln_1p(self) -> Self {
        let value = libm::log1p(self.value);
        let propagated = if self.error == 0.0 {
            0.0
        } else {
            self.error / (1.0 + self.value - self.error).max(0.0)
        };
        Self::elementary(value, propagated)
    }

    fn sinh(self) -> Self {
        let value = libm::sinh(self.value);
        Self::elementary(value, change(libm::cosh(self.value) * grown(self.error), self.error))
    }

    fn cosh(self) -> Self {
        let value = libm::cosh(self.value);
        Self::elementary(value, change(value * grown(self.error), self.error))
    }

    fn powf(self, exponent: Self) -> Self {
        let value = libm::pow(self.value, exponent.value);
        if self.error == 0.0 && exponent.error == 0.0 {
            return Self::elementary(value, 0.0);
        }
        if self.value <= self.error {
            // The base may be 0, where only a positive power is bounded.
            let reach = libm::pow(
                self.value + self.error,
                (exponent.value - exponent.error).min(exponent.value),
            );
            let bound = if exponent.value > exponent.error { reach } else { f64::INFINITY };
            return Self::elementary(value, bound);
        }
        let relative = exponent.value.abs() * self.error / self.min_magnitude()
            + exponent.error * (libm::log(self.value).abs() + self.error / self.min_magnitude());
        Self::elementary(value, value * grown(relative))
    }
}

/// e^`error` - 1, the relative change of an exponential.
#[inline(always)]
fn grown(error: f64) -> f64 {
    if error < 1e-5 { error * (1.0 + error) } else { libm::expm1(error) }
}

/// A bound on the change of e^x over the operand's error; `value` is e^x to a few roundings.
fn exp_change(operand: Bounded, value: f64) -> f64 {
    if operand.error < 1.0 {
        (1.0 + 1e-12) * value * grown(operand.error)
    } else {
        // The exponentials at both ends are between 0 and this.
        libm::exp(operand.value + operand.error)
    }
}

/// `amount`, or 0 for an exact operand, for which `amount` may be undefined.
fn change(amount: f64, error: f64) -> f64 {
    if error == 0.0 { 0.0 } else { amount }
}

/// A bound on the change of erf or erfc over the operand's error.
fn erf_change(operand: Bounded) -> f64 {
    let least = operand.min_magnitude();
    (2.0 / libm::sqrt(PI) * libm::exp(-least * least) * operand.error).min(2.0)
}
