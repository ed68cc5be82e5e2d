//! Float32 elementary functions without branches, so that the compiler can vectorize loops over
//! them.
//!
//! Each function documents its maximum error, which the tests below measure over its whole range.
//! The polynomials are those of Moshier's Cephes library (single precision) where no other source
//! is given.

use std::ops::{Add, Div, Mul, Neg, Sub};

use vi3nr::Real;

/// A float32 number in a vectorized loop. `FUSED` says whether the machine has a fused
/// multiply-add.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Lane<const FUSED: bool>(pub(super) f32);

/// Adding this to a number of magnitude below 2^22 rounds the number to an integer, which the low
/// bits of the sum then hold.
const ROUNDER: f32 = 12_582_912.0;

/// `a * b + c`, with one rounding if `FUSED`.
#[inline(always)]
pub(super) fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

impl<const FUSED: bool> Lane<FUSED> {
    /// c_0 x^n + c_1 x^(n-1) + … + c_n.
    #[inline(always)]
    fn polynomial<const N: usize>(self, coefficients: [f32; N]) -> f32 {
        let mut sum = coefficients[0];
        for &coefficient in &coefficients[1..] {
            sum = mul_add::<FUSED>(sum, self.0, coefficient);
        }
        sum
    }
}

/// The sine and the cosine of x = nπ + r with |r| <= π/2, and their parts.
struct SinCosParts {
    /// n.
    half_turns: f32,
    /// r².
    square: f32,
    /// (sin(r)/r - 1)/r²; sin(r) has an error of 5e-9 (minimax).
    sine_tail: f32,
    /// (cos(r) - 1)/r²; cos(r) has an error of 5.3e-8 (minimax).
    cosine_tail: f32,
    /// sin(x).
    sine: f32,
    /// cos(x).
    cosine: f32,
}

impl<const FUSED: bool> Lane<FUSED> {
    /// Reduces the argument by half turns (multiples of π) and computes the sine and the cosine.
    #[inline(always)]
    fn reduce_half_turns(self) -> SinCosParts {
        let x = self.0;
        let rounded = mul_add::<FUSED>(x, std::f32::consts::FRAC_1_PI, ROUNDER);
        let half_turns = rounded - ROUNDER;
        let r = if FUSED {
            // The first product is exact inside the fused operation.
            let r = half_turns.mul_add(-std::f32::consts::PI, x);
            half_turns.mul_add(8.742_278e-8, r)
        } else {
            // π in three parts, of which the first two are short enough for exact products.
            let r = half_turns * -3.140_625 + x;
            half_turns * -1.509_957_9e-7 + (half_turns * -9.675_026e-4 + r)
        };
        // Keep the result bounded beyond the range of the reduction; ∞ and NaN give NaN.
        let r = if 1.65 < r { 1.65 } else { r };
        let r = if -1.65 > r { -1.65 } else { r };
        let square = r * r;
        // sin(x) = ±sin(r) and cos(x) = ±cos(r) with the sign of (-1)^n.
        let sign = rounded.to_bits() << 31;
        let r = f32::from_bits(r.to_bits() ^ sign);
        let sine_tail = Self(square).polynomial([
            2.599_880_4e-6,
            -1.980_653_6e-4,
            8.333_016e-3,
            -1.666_665_7e-1,
        ]);
        let cosine_tail = Self(square).polynomial([
            2.319_259_3e-5,
            -1.385_585_3e-3,
            4.166_398_2e-2,
            -4.999_993e-1,
        ]);
        let sine = mul_add::<FUSED>(sine_tail * square, r, r);
        let cosine = mul_add::<FUSED>(cosine_tail, square, 1.0);
        let cosine = f32::from_bits(cosine.to_bits() ^ sign);
        SinCosParts { half_turns, square, sine_tail, cosine_tail, sine, cosine }
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $operator:tt) => {
        impl<const FUSED: bool> $trait for Lane<FUSED> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0 $operator other.0)
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl<const FUSED: bool> Neg for Lane<FUSED> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<const FUSED: bool> Real for Lane<FUSED> {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self(value as f32)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(mul_add::<FUSED>(self.0, factor.0, term.0))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Relative error below 2e-7; 0 below -87.33 (no subnormal results), 3.4e38 above 88.72.
    #[inline(always)]
    fn exp(self) -> Self {
        let x = self.0;
        // Written so that NaN propagates.
        let clamped = if 88.72 < x { 88.72 } else { x };
        let (rounded, r) = Self(clamped).in_powers_of_two();
        // e^r on ±ln(2)/2 with an error of 2e-8, interpolated at Chebyshev nodes.
        let mantissa = Self(r).polynomial([
            1.394_116_1e-3,
            8.375_169e-3,
            4.166_635e-2,
            1.666_641_5e-1,
            0.5,
            1.0,
            1.0,
        ]);
        let scaled = f32::from_bits(mantissa.to_bits().wrapping_add(rounded.to_bits() << 23));
        Self(if x < -87.33 { 0.0 } else { scaled })
    }

    /// Absolute error below 2e-7; at least 1.1e-38.
    #[inline(always)]
    fn bell(self, scale: f64) -> Self {
        // 2^-t with t = (x·scale)²·log2(e), t = n + r.
        let root = self.0 * (scale * std::f64::consts::LOG2_E.sqrt()) as f32;
        let t = root * root;
        // Written so that NaN propagates.
        let t = if 126.0 < t { 126.0 } else { t };
        let rounded = ROUNDER - t;
        let r = (rounded - ROUNDER) + t;
        // 2^-r on ±1/2 with an error of 8e-8 (relative minimax).
        let mantissa = Self(r).polynomial([
            -1.327_647_2e-3,
            9.675_541e-3,
            -5.550_713e-2,
            2.402_212e-1,
            -6.931_469_4e-1,
            1.0,
        ]);
        Self(f32::from_bits(mantissa.to_bits().wrapping_add(rounded.to_bits() << 23)))
    }

    /// Absolute error below 2.1e-7 for |x| <= 8192; to 10^6 below 2e-5, or 0.05 without a fused
    /// multiply-add; always within [-1, 1] to rounding.
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let SinCosParts { sine, cosine, .. } = self.reduce_half_turns();
        (Self(sine), Self(cosine))
    }

    /// Relative error below 2e-7.
    #[inline(always)]
    fn tanh(self) -> Self {
        let x = self.0;
        let size = x.abs();
        let square = x * x;
        let tail = Self(square).polynomial([
            -5.704_988_7e-3,
            2.063_909e-2,
            -5.373_971_6e-2,
            1.333_144_2e-1,
            -3.333_328e-1,
        ]);
        let near = mul_add::<FUSED>(tail * square, x, x);
        let far = 1.0 - 2.0 / (Self(size + size).exp().0 + 1.0);
        Self(if size < 0.625 { near } else { far.copysign(x) })
    }

    /// Absolute error below 2e-7 (value) and 3e-7 (slope) for |x| <= 8192.
    #[inline(always)]
    fn sinc_and_slope(self) -> (Self, Self) {
        let x = self.0;
        let SinCosParts { half_turns, square, sine_tail, cosine_tail, sine, cosine } =
            self.reduce_half_turns();
        let inverse = 1.0 / x;
        let value = sine * inverse;
        let slope = (cosine - value) * inverse;
        // If r is x itself, the difference of the tails avoids the cancellation in cos(x) -
        // sin(x)/x.
        let value_near = mul_add::<FUSED>(sine_tail, square, 1.0);
        let slope_near = (cosine_tail - sine_tail) * x;
        let near = half_turns == 0.0;
        (Self(if near { value_near } else { value }), Self(if near { slope_near } else { slope }))
    }

    /// Relative error below 2e-7 (absolute below 1e-7 near x = 1); NaN below 0, -∞ at 0, +∞ at +∞.
    #[inline(always)]
    fn ln(self) -> Self {
        let x = self.0;
        // Subnormal numbers are scaled into the normal range.
        let small = x < f32::MIN_POSITIVE;
        let scaled = if small { x * 8_388_608.0 } else { x };
        let shift = if small { -23.0 } else { 0.0 };
        // m in [√½, √2) and x = m·2^e.
        let bits = scaled.to_bits().wrapping_sub(0x3f35_04f3);
        let exponent = (bits as i32 >> 23) as f32 + shift;
        let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
        let square = m * m;
        let tail = Self(m).polynomial([
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_7e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ]);
        let y = mul_add::<FUSED>(tail * square, m, exponent * -2.121_944_4e-4);
        let y = mul_add::<FUSED>(square, -0.5, y);
        let value = mul_add::<FUSED>(exponent, 0.693_359_4, m + y);
        let value = if x == f32::INFINITY { x } else { value };
        let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
        // NaN for a negative x and for NaN.
        Self(if x >= 0.0 { value } else { f32::NAN })
    }

    /// The result is correctly rounded.
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }

    /// Relative error below 4e-7.
    #[inline(always)]
    fn erf(self) -> Self {
        let x = self.0;
        let near = x * Self(x * x).polynomial([
            7.853_861e-5,
            -8.010_194e-4,
            5.188_327e-3,
            -2.685_381_2e-2,
            1.128_358_5e-1,
            -3.761_262_7e-1,
            std::f32::consts::FRAC_2_SQRT_PI,
        ]);
        let far = 1.0 - self.erfc_of_magnitude();
        Self(if x.abs() < 1.0 { near } else { far.copysign(x) })
    }

    /// Absolute error below 5e-7; relative error below 2e-5 up to x = 9, below 1e-37 beyond.
    #[inline(always)]
    fn erfc(self) -> Self {
        let far = self.erfc_of_magnitude();
        Self(if self.0 < 0.0 { 2.0 - far } else { far })
    }

    /// Relative error below 3e-7; 2e38 above 88.3.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let x = self.0;
        // Written so that NaN propagates.
        let x = if 88.3 < x { 88.3 } else { x };
        let x = if -87.0 > x { -87.0 } else { x };
        let (rounded, r) = Self(x).in_powers_of_two();
        // e^r - 1 on ±ln(2)/2 with an error of 2e-8 (relative minimax), then
        // 2^n (e^r - 1) + (2^n - 1).
        let tail = Self(r).polynomial([
            1.388_247_6e-3,
            8.366_539e-3,
            4.166_72e-2,
            1.666_654_3e-1,
            4.999_999_7e-1,
        ]);
        let grown = mul_add::<FUSED>(tail * r, r, r);
        let scale = f32::from_bits(1.0f32.to_bits().wrapping_add(rounded.to_bits() << 23));
        Self(mul_add::<FUSED>(scale, grown, scale - 1.0))
    }

    /// Relative error below 4e-7.
    #[inline(always)]
    fn softplus(self) -> Self {
        let t = (-self.abs()).exp();
        // ln(1 + t)/t on [0, 1] with an error of 3e-8 (relative minimax).
        let tail = t.0
            * t.polynomial([
                5.232_676_4e-3,
                -2.950_516_2e-2,
                7.822_582e-2,
                -1.366_323_4e-1,
                1.910_6e-1,
                -2.484_298e-1,
                3.331_909_8e-1,
                -4.999_949_3e-1,
                1.0,
            ]);
        // Written so that NaN propagates.
        Self(if self.0 < 0.0 { 0.0 } else { self.0 } + tail)
    }

    /// Relative error below 2e-7.
    #[inline(always)]
    fn atan(self) -> Self {
        let x = self.0.abs();
        let (beyond, middle) = (x > 2.414_213_7, x > 0.414_213_57);
        let outer = if beyond { -1.0 / x } else { (x - 1.0) / (x + 1.0) };
        let offset = if beyond { std::f32::consts::FRAC_PI_2 } else { std::f32::consts::FRAC_PI_4 };
        let (reduced, offset) = if middle { (outer, offset) } else { (x, 0.0) };
        let square = reduced * reduced;
        let tail = Self(square).polynomial([
            8.053_744_6e-2,
            -1.387_768_6e-1,
            1.997_771_1e-1,
            -3.333_295e-1,
        ]);
        let value = offset + mul_add::<FUSED>(tail * square, reduced, reduced);
        Self(value.copysign(self.0))
    }
}

impl<const FUSED: bool> Lane<FUSED> {
    /// Writes x = n ln(2) + r with |r| at most about ln(2)/2. Returns [`ROUNDER`] + n, whose low
    /// bits hold n, and r.
    #[inline(always)]
    fn in_powers_of_two(self) -> (f32, f32) {
        let rounded = mul_add::<FUSED>(self.0, std::f32::consts::LOG2_E, ROUNDER);
        let n = rounded - ROUNDER;
        // ln(2) in two parts, of which the first is short enough for exact products.
        let r = mul_add::<FUSED>(n, -0.693_359_4, self.0);
        (rounded, mul_add::<FUSED>(n, 2.121_944_4e-4, r))
    }

    /// erfc(|x|) = e^(-x²) w P(w) with w = 1/(|x| + 2), where P has an error of 4e-8 (relative
    /// minimax).
    #[inline(always)]
    fn erfc_of_magnitude(self) -> f32 {
        let w = 1.0 / (self.0.abs() + 2.0);
        let quotient = Self(w).polynomial([
            -3.030_697_4e1,
            7.300_678e1,
            -6.252_297e1,
            1.788_879_4e1,
            -8.839_46e-1,
            3.249_758,
            1.943_973,
            1.129_560_2,
            5.641_711_4e-1,
        ]);
        self.bell(1.0).0 * (w * quotient)
    }
}

#[cfg(test)]
mod tests;
