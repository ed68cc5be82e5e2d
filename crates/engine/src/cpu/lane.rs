//! Float32 elementary functions without branches, so that loops over them are vectorised.
//!
//! Each states its largest error, measured over its whole range by the tests below. Polynomials are
//! those of Moshier's Cephes library (single precision).

use std::ops::{Add, Div, Mul, Neg, Sub};

use vi3nr::Real;

/// One float32 number of a vector loop. `FUSED` says that the machine has a fused multiply-add.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Lane<const FUSED: bool>(pub(super) f32);

/// Added to a number below 2^22, rounds it to an integer, which the low bits of the sum then hold.
const ROUNDER: f32 = 12_582_912.0;

/// `a * b + c`, fused or not.
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
        // Written so that a NaN passes through.
        let clamped = if 88.72 < x { 88.72 } else { x };
        let rounded = mul_add::<FUSED>(clamped, std::f32::consts::LOG2_E, ROUNDER);
        let n = rounded - ROUNDER;
        let r = mul_add::<FUSED>(n, -0.693_359_4, clamped);
        let r = mul_add::<FUSED>(n, 2.121_944_4e-4, r);
        // e^r on ±ln(2)/2 to 2e-8, interpolated at Chebyshev's points.
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

    /// Absolute error below 1.5e-7 for |x| <= 8192; to 10^6 below 2e-5, or 0.05 without a fused
    /// multiply-add; always within [-1, 1] to rounding.
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let x = self.0;
        let rounded = mul_add::<FUSED>(x, std::f32::consts::FRAC_2_PI, ROUNDER);
        let quadrant = rounded.to_bits();
        let n = rounded - ROUNDER;
        // π/2 in three parts, the first two short enough for exact products.
        let r = mul_add::<FUSED>(n, -1.570_312_5, x);
        let r = mul_add::<FUSED>(n, -4.837_513e-4, r);
        let r = mul_add::<FUSED>(n, -7.549_79e-8, r);
        // Beyond the range of the reduction stay bounded; ∞ and NaN become NaN.
        let r = if 1.0 < r { 1.0 } else { r };
        let r = if -1.0 > r { -1.0 } else { r };
        let square = r * r;
        let sine_tail = Self(square).polynomial([-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]);
        let sine = mul_add::<FUSED>(sine_tail * square, r, r);
        let cosine_tail =
            Self(square).polynomial([2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
        let cosine =
            mul_add::<FUSED>(cosine_tail * square, square, mul_add::<FUSED>(square, -0.5, 1.0));
        let odd = quadrant & 1 == 1;
        let (first, second) = if odd { (cosine, sine) } else { (sine, cosine) };
        let sine_sign = (quadrant & 2) << 30;
        let cosine_sign = (quadrant.wrapping_add(1) & 2) << 30;
        (
            Self(f32::from_bits(first.to_bits() ^ sine_sign)),
            Self(f32::from_bits(second.to_bits() ^ cosine_sign)),
        )
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
        let (sine, cosine) = self.sin_cos();
        let inverse = 1.0 / x;
        let value = sine.0 * inverse;
        let slope = (cosine.0 - value) * inverse;
        let square = Self(x * x);
        let value_series = square.polynomial([
            -2.505_210_8e-8,
            2.755_732e-6,
            -1.984_127e-4,
            8.333_333e-3,
            -1.666_666_7e-1,
            1.0,
        ]);
        let slope_series = square.polynomial([
            -2.505_210_8e-7,
            2.204_585_5e-5,
            -1.190_476_2e-3,
            3.333_333_5e-2,
            -3.333_333_4e-1,
        ]);
        let small = x.abs() < 1.0;
        (
            Self(if small { value_series } else { value }),
            Self(if small { slope_series * x } else { slope }),
        )
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
        // Also where x is NaN.
        Self(if x >= 0.0 { value } else { f32::NAN })
    }

    /// Correctly rounded.
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }

    /// Relative error below 3e-7.
    #[inline(always)]
    fn erf(self) -> Self {
        let x = self.0;
        let near = x * Self(x * x).erf_near();
        let far = 1.0 - Self(x.abs()).erfc_far();
        Self(if x.abs() < 1.0 { near } else { far.copysign(x) })
    }

    /// Relative error below 1e-6 up to x = 9, or 1e-5 without a fused multiply-add; 0 beyond.
    #[inline(always)]
    fn erfc(self) -> Self {
        let x = self.0;
        let near = 1.0 - x * Self(x * x).erf_near();
        let far = Self(x.abs()).erfc_far();
        let far = if x < 0.0 { 2.0 - far } else { far };
        Self(if x.abs() < 1.0 { near } else { far })
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
    /// erf(x)/x for x² = `self` below 1.
    #[inline(always)]
    fn erf_near(self) -> f32 {
        self.polynomial([
            7.853_861e-5,
            -8.010_194e-4,
            5.188_327e-3,
            -2.685_381_2e-2,
            1.128_358_5e-1,
            -3.761_262_7e-1,
            std::f32::consts::FRAC_2_SQRT_PI,
        ])
    }

    /// erfc(x) for x = `self` from 1.
    #[inline(always)]
    fn erfc_far(self) -> f32 {
        // Beyond 10.5 the result is 0 in any case, and ∞ would become NaN.
        let x = if self.0 > 10.5 { 10.5 } else { self.0 };
        // x² in two parts, so that its rounding does not become a relative error of the result.
        let square = x * x;
        let rest = if FUSED { x.mul_add(x, -square) } else { 0.0 };
        let envelope = Self(-square).exp().0;
        let envelope = mul_add::<FUSED>(envelope, -rest, envelope);
        let inverse = 1.0 / x;
        let q = Self(inverse * inverse);
        let close = q.polynomial([
            2.326_82e-2,
            -1.387_039_4e-1,
            3.687_424_7e-1,
            -5.824_733e-1,
            6.210_004_6e-1,
            -4.944_515_3e-1,
            3.404_88e-1,
            -2.741_127e-1,
            5.638_259_4e-1,
        ]);
        let distant = q.polynomial([
            -1.047_766_4e1,
            1.297_72e1,
            -7.495_518_7,
            2.921_019,
            -1.015_265_3,
            4.218_463_4e-1,
            -2.820_767_5e-1,
            5.641_895e-1,
        ]);
        envelope * inverse * if x < 2.0 { close } else { distant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `step`-th float32 between `low` and `high`, both signs.
    fn floats(low: f32, high: f32, step: usize) -> impl Iterator<Item = f32> {
        (low.to_bits()..=high.to_bits()).step_by(step).map(f32::from_bits).flat_map(|x| [x, -x])
    }

    fn worst(inputs: impl Iterator<Item = f32>, error: impl Fn(f32) -> f64) -> f64 {
        inputs.map(error).fold(0.0, f64::max)
    }

    fn check_all<const FUSED: bool>() {
        let lane = Lane::<FUSED>;
        let exp = worst(floats(1e-8, 87.3, 701), |x| {
            let exact = f64::from(x).exp();
            ((f64::from(lane(x).exp().0) - exact) / exact).abs()
        });
        assert!(exp < 2e-7, "exp {exp:e}");
        let sine = |limit| {
            worst(floats(1e-8, limit, 701), |x| {
                let (s, c) = lane(x).sin_cos();
                let (sine, cosine) = f64::from(x).sin_cos();
                (f64::from(s.0) - sine).abs().max((f64::from(c.0) - cosine).abs())
            })
        };
        assert!(sine(8192.0) < 1.5e-7, "sin_cos {:e}", sine(8192.0));
        let far = if FUSED { 2e-5 } else { 0.05 };
        assert!(sine(1e6) < far, "sin_cos {:e}", sine(1e6));
        let tanh = worst(floats(1e-8, 50.0, 701), |x| {
            let exact = f64::from(x).tanh();
            ((f64::from(lane(x).tanh().0) - exact) / exact).abs()
        });
        assert!(tanh < 2e-7, "tanh {tanh:e}");
        let relative =
            |range: (f32, f32), seen: fn(Lane<FUSED>) -> Lane<FUSED>, exact: fn(f64) -> f64| {
                worst(floats(range.0, range.1, 701), |x| {
                    let exact = exact(f64::from(x));
                    ((f64::from(seen(lane(x)).0) - exact) / exact).abs()
                })
            };
        let erf = relative((1e-8, 10.0), Real::erf, Real::erf);
        assert!(erf < 3e-7, "erf {erf:e}");
        let erfc = relative((1e-8, 9.0), Real::erfc, Real::erfc);
        assert!(erfc < if FUSED { 1e-6 } else { 1e-5 }, "erfc {erfc:e}");
        let atan = relative((1e-8, 1e8), Real::atan, Real::atan);
        assert!(atan < 2e-7, "atan {atan:e}");
        let ln = worst(floats(1e-44, 3e38, 7001).filter(|x| *x > 0.0), |x| {
            let exact = f64::from(x).ln();
            (f64::from(lane(x).ln().0) - exact).abs() / exact.abs().max(0.5)
        });
        assert!(ln < 2e-7, "ln {ln:e}");
        let sinc = |part: fn((f64, f64)) -> f64| {
            worst(floats(1e-8, 8192.0, 701), |x| {
                let (value, slope) = lane(x).sinc_and_slope();
                let exact = Real::sinc_and_slope(f64::from(x));
                (part((value.0.into(), slope.0.into())) - part(exact)).abs()
            })
        };
        assert!(sinc(|pair| pair.0) < 2e-7, "sinc {:e}", sinc(|pair| pair.0));
        assert!(sinc(|pair| pair.1) < 3e-7, "sinc' {:e}", sinc(|pair| pair.1));
    }

    #[test]
    fn stated_errors_hold_with_fused_multiply_add() {
        check_all::<true>();
    }

    #[test]
    fn stated_errors_hold_without_fused_multiply_add() {
        check_all::<false>();
    }

    #[test]
    fn ends_of_the_range_and_not_a_number() {
        let lane = Lane::<true>;
        assert_eq!(lane(-88.0).exp().0, 0.0);
        assert_eq!(lane(f32::NEG_INFINITY).exp().0, 0.0);
        assert!(lane(89.0).exp().0 > 3e38 && lane(f32::INFINITY).exp().0 > 3e38);
        assert_eq!(lane(0.0).exp().0, 1.0);
        assert_eq!(lane(0.0).sinc_and_slope(), (lane(1.0), lane(0.0)));
        assert_eq!(lane(100.0).tanh().0, 1.0);
        assert_eq!(lane(-100.0).tanh().0, -1.0);
        for huge in [1e7, 1e20, f32::MAX] {
            let (sine, cosine) = lane(huge).sin_cos();
            assert!(sine.0.abs() <= 1.000_001 && cosine.0.abs() <= 1.000_001);
        }
        for bad in [f32::NAN, f32::INFINITY] {
            assert!(lane(bad).sin_cos().0.0.is_nan() && lane(bad).sin_cos().1.0.is_nan());
        }
        assert_eq!(lane(0.0).ln().0, f32::NEG_INFINITY);
        assert_eq!(lane(f32::INFINITY).ln().0, f32::INFINITY);
        assert_eq!(lane(1.0).ln().0, 0.0);
        assert_eq!((lane(f32::INFINITY).erf().0, lane(40.0).erfc().0), (1.0, 0.0));
        assert_eq!(lane(f32::NEG_INFINITY).erfc().0, 2.0);
        assert_eq!(lane(f32::INFINITY).atan().0, std::f32::consts::FRAC_PI_2);
        assert!(lane(-1.0).ln().0.is_nan() && lane(f32::NAN).ln().0.is_nan());
        assert!(lane(f32::NAN).erf().0.is_nan() && lane(f32::NAN).erfc().0.is_nan());
        assert!(lane(f32::NAN).atan().0.is_nan());
        assert!(lane(f32::NAN).exp().0.is_nan());
        assert!(lane(f32::NAN).tanh().0.is_nan());
        assert!(lane(f32::NAN).sinc_and_slope().0.0.is_nan());
    }
}
