//! Enclosures of the elementary functions over a [`Region`].

use std::f64::consts::{FRAC_2_SQRT_PI, FRAC_PI_2, FRAC_PI_4, LN_2, PI, TAU};

use super::region::{Region, WHOLE};
use crate::Real;

/// The real part from which on 1 - tanh is below the smallest normal number.
const SATURATED: f64 = 400.0;

impl Region {
    pub(super) fn exp(self) -> Self {
        let z = self.plain();
        if z.im == 0.0 && z.hi >= 1e17 {
            return Region::interval(0.0, f64::INFINITY);
        }
        // The modulus is that of e^hi, however far the imaginary part reaches.
        if z.hi < -1e15 {
            let im = f64::from(u8::from(z.im > 0.0));
            return Region { lo: -im, hi: 1.0, im, exponent: -1_000_000_000_000_000 };
        }
        if z.hi >= 1e17 || z.im >= 1e17 {
            return WHOLE;
        }
        // 2^k e^(x - k ln 2), with k from the right end of the interval.
        let k = if z.hi.abs() > 200.0 || z.lo < -200.0 { (z.hi / LN_2).floor() } else { 0.0 };
        // `blur` bounds the rounding error of k ln 2, which matters for large arguments.
        let shift = k * LN_2;
        let blur = 2.0 * f64::EPSILON * shift.abs();
        let (lo, hi) = (libm::exp(z.lo - shift - blur), libm::exp(z.hi - shift + blur));
        let turn = libm::cos(z.im.min(PI));
        let lowest = if turn >= 0.0 { lo * turn } else { hi * turn };
        let im = hi * libm::sin(z.im.min(FRAC_PI_2));
        Region { lo: lowest, hi, im, exponent: k as i64 }.widened()
    }

    pub(super) fn ln(self) -> Self {
        if self.lo <= 0.0 || !self.is_bounded() {
            return WHOLE;
        }
        let shift = self.exponent as f64 * LN_2;
        let far = libm::log(libm::hypot(self.hi, self.im));
        let blur = f64::EPSILON * shift.abs();
        Region {
            lo: libm::log(self.lo) + shift - blur - f64::EPSILON,
            hi: far + shift + blur + f64::EPSILON,
            im: libm::atan2(self.im, self.lo),
            exponent: 0,
        }
        .widened()
    }

    pub(super) fn ln_1p(self) -> Self {
        let z = self.plain();
        if z.im == 0.0 && z.lo > -1.0 && z.is_bounded() {
            return Region::interval(z.lo.ln_1p(), z.hi.ln_1p()).widened();
        }
        self.add(Self::constant(1.0)).ln()
    }

    pub(super) fn sqrt(self) -> Self {
        // The root of the exponent apart, so that a huge or tiny region keeps its ends.
        let odd = self.exponent & 1;
        let exponent = (self.exponent - odd) / 2;
        let z = Region { exponent: odd, ..self }.plain();
        if z.im == 0.0 && z.lo >= 0.0 && z.hi.is_finite() {
            let (lo, hi) = (libm::sqrt(z.lo), libm::sqrt(z.hi));
            return Region { lo, hi, im: 0.0, exponent }.widened();
        }
        if z.lo <= 0.0 || !z.is_bounded() {
            return WHOLE;
        }
        let im = libm::sqrt(0.5 * (libm::hypot(z.lo, z.im) - z.lo).max(0.0)) + 1e-15 * z.im;
        let hi = libm::sqrt(libm::hypot(z.hi, z.im));
        Region { lo: libm::sqrt(z.lo), hi, im, exponent }.widened()
    }

    /// e^z - 1, in relative accuracy near 0: z φ(z) with φ(z) = ∫₀¹ e^(zt) dt.
    pub(super) fn exp_m1(self) -> Self {
        let z = self.plain();
        if z.largest_real() >= 1.0 || z.im >= 1.0 {
            return self.exp().add(Self::constant(-1.0));
        }
        if z.im == 0.0 {
            return Self::interval(libm::expm1(z.lo), libm::expm1(z.hi)).widened();
        }
        let phi = |x: f64| if x.abs() < 1e-300 { 1.0 } else { libm::expm1(x) / x };
        // Re φ is a mean of e^(xt) cos(yt), Im φ one of e^(xt) sin(yt).
        let (least, most) = (phi(z.lo) * libm::cos(z.im), phi(z.hi));
        z.multiply(Region { lo: least, hi: most, im: most * z.im, exponent: 0 }.widened())
    }

    /// sin(z) and cos(z) = sin(z + π/2).
    pub(super) fn sin_cos(self) -> (Self, Self) {
        let z = self.plain();
        if z.im == 0.0 && !z.is_bounded() {
            return (Self::interval(-1.0, 1.0), Self::interval(-1.0, 1.0));
        }
        if !z.is_bounded() || z.im > 700.0 {
            return (WHOLE, WHOLE);
        }
        let (grow, turn) = (libm::cosh(z.im), libm::sinh(z.im));
        let (sine, cosine) = (sine_range(z.lo, z.hi, 0.0), sine_range(z.lo, z.hi, 0.25));
        let build = |(lo, hi): (f64, f64), (low, high): (f64, f64)| {
            let lo = if lo < 0.0 { lo * grow } else { lo };
            let hi = if hi > 0.0 { hi * grow } else { hi };
            Region { lo, hi, im: turn * low.abs().max(high.abs()), exponent: 0 }.widened()
        };
        (build(sine, cosine), build(cosine, sine))
    }

    pub(super) fn tanh(self) -> Self {
        let z = self.plain();
        if z.hi < 0.0 || -z.lo > z.hi {
            return z.negate().tanh_right().negate();
        }
        z.tanh_right()
    }

    /// tanh = (sinh 2a + i sin 2b)/(cosh 2a + cos 2b), monotone while |b| <= π/4.
    pub(super) fn tanh_right(self) -> Self {
        if self.im <= FRAC_PI_4 {
            let turn = libm::cos(2.0 * self.im);
            let real = |a: f64, turn: f64| {
                if a.abs() > 300.0 {
                    return a.signum();
                }
                libm::sinh(2.0 * a) / (libm::cosh(2.0 * a) + turn)
            };
            let outward =
                |a: f64, up: bool| if (a > 0.0) == up { real(a, turn) } else { real(a, 1.0) };
            let nearest = self.lo.clamp(0.0, 300.0);
            let im = libm::sin(2.0 * self.im) / (libm::cosh(2.0 * nearest) + turn);
            return Region {
                lo: outward(self.lo, false),
                hi: outward(self.hi, true),
                im,
                exponent: 0,
            }
            .widened();
        }
        // |tanh z - 1| < 3 e^(-2 Re z).
        if self.lo > SATURATED {
            let off = f64::MIN_POSITIVE;
            return Region { lo: 1.0, hi: 1.0, im: off, exponent: 0 }.widened();
        }
        // 1 - 2/(1 + e^(2z)), which is accurate if e^(2z) is large.
        if self.lo > 0.5 {
            let tail = self.multiply(Self::constant(-2.0)).exp();
            let sum = tail.add(Self::constant(1.0));
            return tail
                .multiply(sum.reciprocal())
                .multiply(Self::constant(-2.0))
                .add(Self::constant(1.0));
        }
        WHOLE
    }

    /// The value at the real center, plus or minus the distance from the center times `slope`, a
    /// bound on the derivative.
    pub(super) fn around_center(self, function: fn(f64) -> f64, slope: f64) -> Self {
        let center = 0.5 * (self.lo + self.hi);
        let radius = libm::hypot(0.5 * (self.hi - self.lo), self.im) * slope;
        let value = function(center);
        let im = if self.im == 0.0 { 0.0 } else { radius };
        Region { lo: value - radius, hi: value + radius, im, exponent: 0 }.widened()
    }

    pub(super) fn erf(self, function: fn(f64) -> f64) -> Self {
        let z = self.plain();
        if !z.is_bounded() {
            return if z.im == 0.0 { Self::interval(-1.0, 2.0) } else { WHOLE };
        }
        // |erf'| = 2/√π e^(im² - re²).
        let nearest = if z.lo > 0.0 { z.lo } else { (-z.hi).max(0.0) };
        let power = z.im * z.im - nearest * nearest;
        if power > 700.0 {
            return WHOLE;
        }
        let slope = FRAC_2_SQRT_PI * libm::exp(power) * (1.0 + 1e-9);
        let region = z.around_center(function, slope);
        if z.im == 0.0 {
            let (a, b) = (function(z.lo), function(z.hi));
            return Self::interval(a.min(b), a.max(b)).widened();
        }
        region
    }

    pub(super) fn atan(self) -> Self {
        let z = self.plain();
        if z.im == 0.0 {
            return Self::interval(libm::atan(z.lo), libm::atan(z.hi)).widened();
        }
        let inverse = z.square().add(Self::constant(1.0)).reciprocal();
        if !inverse.is_bounded() || !z.is_bounded() {
            return WHOLE;
        }
        z.around_center(libm::atan, libm::exp(inverse.ln_modulus()))
    }

    /// sin(z)/z = ∫₀¹ cos(zt) dt and its derivative -∫₀¹ t sin(zt) dt.
    pub(super) fn sinc_and_slope(self) -> (Self, Self) {
        let z = self.plain();
        if !z.is_bounded() || z.im > 700.0 {
            return (WHOLE, WHOLE);
        }
        let grow = libm::cosh(z.im);
        let reach = libm::hypot(z.largest_real(), z.im);
        let slope = grow * (0.5f64).min(reach / 3.0);
        let (im, slope_im) = if z.im == 0.0 { (0.0, 0.0) } else { (grow * reach.min(1.0), slope) };
        let near = (
            Region { lo: -grow, hi: grow, im, exponent: 0 }.widened(),
            Region { lo: -slope, hi: slope, im: slope_im, exponent: 0 }.widened(),
        );
        let away = if z.lo > 0.0 { z.lo } else { -z.hi };
        if away < 2.0 {
            return near;
        }
        let (sine, cosine) = z.sin_cos();
        let inverse = z.reciprocal();
        let value = sine.multiply(inverse);
        let slope = cosine.add(value.negate()).multiply(inverse);
        (value, slope)
    }

    /// The second and third derivative of sin(z)/z: -∫₀¹ t² cos(zt) dt and ∫₀¹ t³ sin(zt) dt.
    pub(super) fn sinc_second_and_third(self) -> (Self, Self) {
        let z = self.plain();
        if !z.is_bounded() || z.im > 700.0 {
            return (WHOLE, WHOLE);
        }
        let away = if z.lo > 0.0 { z.lo } else { -z.hi };
        if away >= 2.0 {
            // From the derivatives of z·sinc(z) = sin(z).
            let (value, slope) = z.sinc_and_slope();
            let inverse = z.reciprocal();
            let double = slope.multiply(inverse).multiply(Self::constant(2.0));
            let second = value.add(double).negate();
            let triple = second.multiply(Self::constant(3.0)).add(value);
            return (second, slope.add(triple.multiply(inverse)).negate());
        }
        let grow = libm::cosh(z.im);
        let reach = libm::hypot(z.largest_real(), z.im);
        let around_zero = |size: f64, im: f64| {
            let im = if z.im == 0.0 { 0.0 } else { im };
            Region { lo: -size, hi: size, im, exponent: 0 }.widened()
        };
        let third = grow * (0.25f64).min(reach / 5.0);
        (around_zero(grow / 3.0, grow * (reach / 4.0).min(1.0 / 3.0)), around_zero(third, third))
    }

    pub(super) fn softplus(self) -> Self {
        let z = self.plain();
        if z.im == 0.0 && z.is_bounded() {
            return Region::interval(z.lo.softplus(), z.hi.softplus()).widened();
        }
        let one = Self::constant(1.0);
        let region = if z.lo >= 0.0 {
            // z + ln(1 + e^(-z)).
            z.add(z.negate().exp().add(one).ln())
        } else {
            z.exp().add(one).ln()
        };
        if !region.is_bounded() && z.is_bounded() && z.im <= FRAC_PI_2 {
            // The argument of 1 + w is at most that of w = e^z.
            let hi = z.hi.softplus() + 0.5;
            return Region { lo: 0.0, hi, im: z.im, exponent: 0 }.widened();
        }
        region
    }

    pub(super) fn sigmoid(self) -> Self {
        let z = self.plain();
        // Far to the left the exponential keeps its ends apart from 0.
        if z.im == 0.0 && (z.lo > -300.0 || z.hi > 0.0) {
            return Region::interval(z.lo.sigmoid(), z.hi.sigmoid()).widened();
        }
        let one = Self::constant(1.0);
        let region = if z.hi <= 0.0 {
            let w = z.exp();
            w.multiply(w.add(one).reciprocal())
        } else {
            z.negate().exp().add(one).reciprocal()
        };
        if !region.is_bounded() && z.im <= FRAC_PI_2 {
            // 1/(1 + w) with the real part of w at or above 0.
            return Region { lo: 0.0, hi: 1.0, im: 0.5, exponent: 0 };
        }
        region
    }

    pub(super) fn sech(self) -> Self {
        let z = self.plain();
        if z.im == 0.0 && z.largest_real() < 300.0 {
            let (a, b) = (z.lo.sech(), z.hi.sech());
            let hi = if z.lo <= 0.0 && z.hi >= 0.0 { 1.0 } else { a.max(b) };
            return Region::interval(a.min(b), hi).widened();
        }
        if z.lo < 0.0 && z.hi > 0.0 {
            if z.im == 0.0 {
                return Region::interval(0.0, 1.0).widened();
            }
            return z.cosh().reciprocal();
        }
        // 2w/(1 + w²) with w = e^(-|z|).
        let w = if z.lo >= 0.0 { z.negate().exp() } else { z.exp() };
        let inverse = w.square().add(Self::constant(1.0)).reciprocal();
        w.multiply(inverse).multiply(Self::constant(2.0))
    }

    pub(super) fn cosh(self) -> Self {
        self.exp().add(self.negate().exp()).multiply(Self::constant(0.5))
    }

    pub(super) fn sinh(self) -> Self {
        self.exp().add(self.negate().exp().negate()).multiply(Self::constant(0.5))
    }
}

/// The range of sin(x + `quarter`·2π) over [lo, hi].
fn sine_range(lo: f64, hi: f64, quarter: f64) -> (f64, f64) {
    let blur = 8.0 * f64::EPSILON * (1.0 + lo.abs().max(hi.abs()));
    if hi - lo > 6.0 || blur > 1.0 {
        return (-1.0, 1.0);
    }
    let function = |x| if quarter == 0.0 { libm::sin(x) } else { libm::cos(x) };
    let (a, b) = (function(lo), function(hi));
    // The interval contains an extremum of this kind if an integer is between these two numbers.
    let inside = |phase: f64| {
        let turn = |x: f64| x / TAU - phase + quarter;
        turn(hi + blur).floor() >= turn(lo - blur).ceil()
    };
    let high = if inside(0.25) { 1.0 } else { a.max(b) };
    let low = if inside(0.75) { -1.0 } else { a.min(b) };
    (low, high)
}
