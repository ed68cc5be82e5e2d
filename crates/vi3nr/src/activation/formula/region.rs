//! Enclosures over intervals and over complex neighborhoods of intervals.
//!
//! A [`Region`] is a rectangle [lo, hi] × i[-im, im] in the complex plane, times 2^exponent. All
//! programs are real on the real axis, so that their values on a set that is symmetric about the
//! axis form such a set again, and one number suffices for the imaginary part. With im = 0 this is
//! ordinary interval arithmetic. The exponent extends the range of `f64`, so that e^x/(e^x +
//! e^(-x)) has an enclosure even at x = 10^4.

use std::f64::consts::LN_2;

/// Every operation widens its result by this relative amount, which covers its rounding errors.
const SLACK: f64 = 4.0 * f64::EPSILON;

/// A rectangle [lo, hi] × i[-im, im], times 2^exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Region {
    pub(crate) lo: f64,
    pub(crate) hi: f64,
    pub(crate) im: f64,
    pub(super) exponent: i64,
}

/// The whole plane, the enclosure of a function near a pole or across a branch cut.
pub(super) const WHOLE: Region =
    Region { lo: f64::NEG_INFINITY, hi: f64::INFINITY, im: f64::INFINITY, exponent: 0 };

/// Magnitudes outside 2^±`MAX_PLAIN_EXPONENT` are moved into the exponent.
const MAX_PLAIN_EXPONENT: i64 = 300;

impl Region {
    /// The real interval [lo, hi].
    pub(crate) const fn interval(lo: f64, hi: f64) -> Self {
        Self { lo, hi, im: 0.0, exponent: 0 }
    }

    /// The rectangle [lo, hi] × i[-im, im].
    pub(crate) const fn rectangle(lo: f64, hi: f64, im: f64) -> Self {
        Self { lo, hi, im, exponent: 0 }
    }

    /// A rectangle that contains the Bernstein ellipse with the foci `from` and `to`, whose
    /// semi-axes sum to `rho` times half the distance of the foci.
    pub(crate) fn around_ellipse(from: f64, to: f64, rho: f64) -> Self {
        let (center, half) = (0.5 * (from + to), 0.5 * (to - from));
        let (major, minor) = (0.5 * half * (rho + 1.0 / rho), 0.5 * half * (rho - 1.0 / rho));
        Self { lo: center - major, hi: center + major, im: minor, exponent: 0 }.widened()
    }

    pub(crate) fn constant(value: f64) -> Self {
        Self::interval(value, value)
    }

    pub(super) fn is_bounded(&self) -> bool {
        self.lo.is_finite() && self.hi.is_finite() && self.im.is_finite()
    }

    pub(super) fn largest_real(&self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// A bound on the logarithm of the largest modulus in the region; infinite if it is unbounded.
    pub(crate) fn ln_modulus(&self) -> f64 {
        if !self.is_bounded() {
            return f64::INFINITY;
        }
        let (a, b) = (self.largest_real(), self.im);
        libm::log(a.max(b)) + if b > 0.0 { 0.35 } else { 0.0 } + self.exponent as f64 * LN_2
    }

    /// `Some(true)` if every real part is at least 0, `Some(false)` if every real part is at most 0.
    pub(crate) fn is_at_least_zero(&self) -> Option<bool> {
        if self.lo >= 0.0 {
            Some(true)
        } else if self.hi <= 0.0 {
            Some(false)
        } else {
            None
        }
    }

    /// The region widened for the rounding errors of one operation, with an exponent if necessary.
    pub(super) fn widened(self) -> Self {
        if self.lo.is_nan() || self.hi.is_nan() || self.im.is_nan() {
            return WHOLE;
        }
        let lo = self.lo - SLACK * self.lo.abs();
        let hi = self.hi + SLACK * self.hi.abs();
        let im = self.im + SLACK * self.im;
        let largest = lo.abs().max(hi.abs()).max(im);
        let region = Self { lo, hi, im, exponent: self.exponent };
        if largest > 1e90 || (largest < 1e-90 && largest > 0.0) || self.exponent != 0 {
            return region.normalized(largest);
        }
        region
    }

    /// Moves the magnitude into the exponent if plain numbers could overflow or underflow.
    #[cold]
    pub(super) fn normalized(self, largest: f64) -> Self {
        if !largest.is_finite() {
            // On the axis what is known of the other end is kept: atan and tanh are bounded all the same.
            return if self.im == 0.0 { self.plain() } else { WHOLE };
        }
        if largest == 0.0 {
            return Self { exponent: 0, ..self };
        }
        let total = i64::from(libm::ilogb(largest)).saturating_add(self.exponent);
        let exponent = if total.abs() < MAX_PLAIN_EXPONENT { 0 } else { total };
        if exponent.abs() > i64::MAX / 4 {
            return if exponent > 0 { WHOLE } else { Self::interval(0.0, 0.0) };
        }
        let shift = self.exponent - exponent;
        self.shifted(shift, exponent)
    }

    /// The bounds times 2^`by`, with a new exponent.
    fn shifted(self, by: i64, exponent: i64) -> Self {
        Self {
            lo: shifted(self.lo, by, false),
            hi: shifted(self.hi, by, true),
            im: shifted(self.im, by, true),
            exponent,
        }
    }

    /// The region with exponent 0; its bounds may become infinite.
    pub(super) fn plain(self) -> Self {
        if self.exponent == 0 {
            return self;
        }
        self.shifted(self.exponent, 0)
    }

    pub(super) fn negate(self) -> Self {
        Self { lo: -self.hi, hi: -self.lo, ..self }
    }

    pub(super) fn add(self, other: Self) -> Self {
        let (mut a, mut b) = (self, other);
        if a.exponent != b.exponent {
            let common = if a.is_zero() {
                b.exponent
            } else if b.is_zero() {
                a.exponent
            } else {
                a.exponent.max(b.exponent)
            };
            for region in [&mut a, &mut b] {
                let by = region.exponent.saturating_sub(common);
                *region = region.shifted(by, common);
            }
        }
        Self { lo: a.lo + b.lo, hi: a.hi + b.hi, im: a.im + b.im, exponent: a.exponent }.widened()
    }

    pub(super) fn is_zero(&self) -> bool {
        self.lo == 0.0 && self.hi == 0.0 && self.im == 0.0
    }

    pub(super) fn multiply(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::constant(0.0);
        }
        if !self.is_bounded() || !other.is_bounded() {
            return self.multiply_unbounded(other);
        }
        let products =
            [self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi];
        let imaginary = self.im * other.im;
        let lo = products.iter().fold(f64::INFINITY, |a, b| a.min(*b)) - imaginary;
        let hi = products.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b)) + imaginary;
        let im = self.largest_real() * other.im + other.largest_real() * self.im;
        Self { lo, hi, im, exponent: self.exponent + other.exponent }.widened()
    }

    /// The product where a factor has an infinite end: an interval on the axis, else the whole plane.
    #[cold]
    fn multiply_unbounded(self, other: Self) -> Self {
        if self.im != 0.0 || other.im != 0.0 {
            return WHOLE;
        }
        let (a, b) = (self.plain(), other.plain());
        // Infinity stands for all large numbers, and 0 times each is 0.
        let products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]
            .map(|product| if product.is_nan() { 0.0 } else { product });
        let lo = products.iter().fold(f64::INFINITY, |a, b| a.min(*b));
        let hi = products.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
        Self::interval(lo, hi).widened()
    }

    pub(super) fn square(self) -> Self {
        let (a, b) = (self.lo * self.lo, self.hi * self.hi);
        let least = if self.lo <= 0.0 && self.hi >= 0.0 { 0.0 } else { a.min(b) };
        let region = Self {
            lo: least - self.im * self.im,
            hi: a.max(b),
            im: 2.0 * self.largest_real() * self.im,
            exponent: 2 * self.exponent,
        };
        region.widened()
    }

    pub(super) fn power(self, exponent: i32) -> Self {
        let mut power = Self::constant(1.0);
        for bit in (0..32 - exponent.leading_zeros()).rev() {
            power = power.square();
            if exponent >> bit & 1 == 1 {
                power = power.multiply(self);
            }
        }
        power
    }

    /// 1/z; the whole plane if the real part can be 0.
    pub(super) fn reciprocal(self) -> Self {
        if self.hi < 0.0 {
            return self.negate().reciprocal().negate();
        }
        if self.im == 0.0 && self.exponent == 0 && (self.lo <= 0.0 || !self.is_bounded()) {
            return if self.lo < 0.0 {
                Self::interval(f64::NEG_INFINITY, f64::INFINITY)
            } else {
                Self::interval(1.0 / self.hi, 1.0 / self.lo.abs()).widened()
            };
        }
        if self.lo <= 0.0 || !self.is_bounded() {
            return WHOLE;
        }
        let square = self.im * self.im;
        let least =
            (self.lo / (self.lo * self.lo + square)).min(self.hi / (self.hi * self.hi + square));
        let im =
            if self.im <= self.lo { self.im / (self.lo * self.lo + square) } else { 0.5 / self.lo };
        Self { lo: least, hi: 1.0 / self.lo, im, exponent: -self.exponent }.widened()
    }

    /// The smallest region of this shape that contains both.
    pub(super) fn hull(self, other: Self) -> Self {
        let (a, b) = (self.plain(), other.plain());
        Self { lo: a.lo.min(b.lo), hi: a.hi.max(b.hi), im: a.im.max(b.im), exponent: 0 }
    }

    /// e^`self`, which is the power u^v of `base` and `power` if `self` is v ln u. On the real axis
    /// it is bounded even if the base includes 0, provided that the power is not negative.
    pub(super) fn exp_or_zero(self, base: Self, power: Self) -> Self {
        if base.im == 0.0 && power.im == 0.0 && base.lo >= 0.0 && base.lo <= 0.0 && power.lo >= 0.0
        {
            let (base, power) = (base.plain(), power.plain());
            let largest = libm::pow(base.hi, power.lo).max(libm::pow(base.hi, power.hi));
            let least = if power.hi == 0.0 { 1.0 } else { 0.0 };
            return Self::interval(least, largest).widened();
        }
        self.exp()
    }
}

/// `value` times 2^`by`; a result that underflows is rounded outward, up or down.
fn shifted(value: f64, by: i64, up: bool) -> f64 {
    let result = libm::ldexp(value, by.clamp(-5000, 5000) as i32);
    if result == 0.0 && value != 0.0 && (value > 0.0) == up {
        return f64::MIN_POSITIVE.copysign(value);
    }
    result
}
