//! Measurements of the documented errors.

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
    let bell = worst(floats(1e-8, 1e19, 701), |x| {
        let exact = (-0.5 * f64::from(x).powi(2)).exp();
        (f64::from(lane(x).bell(std::f64::consts::FRAC_1_SQRT_2).0) - exact).abs()
    });
    assert!(bell < 2e-7, "bell {bell:e}");
    let sine = |limit| {
        worst(floats(1e-8, limit, 701), |x| {
            let (s, c) = lane(x).sin_cos();
            let (sine, cosine) = f64::from(x).sin_cos();
            (f64::from(s.0) - sine).abs().max((f64::from(c.0) - cosine).abs())
        })
    };
    assert!(sine(8192.0) < 2.1e-7, "sin_cos {:e}", sine(8192.0));
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
    assert!(erf < 4e-7, "erf {erf:e}");
    let erfc = relative((1e-8, 9.0), Real::erfc, Real::erfc);
    assert!(erfc < 2e-5, "erfc {erfc:e}");
    let erfc = worst(floats(1e-8, 1e19, 701), |x| {
        (f64::from(lane(x).erfc().0) - Real::erfc(f64::from(x))).abs()
    });
    assert!(erfc < 5e-7, "erfc {erfc:e}");
    let exp_m1 = relative((1e-8, 87.0), Real::exp_m1, Real::exp_m1);
    assert!(exp_m1 < 3e-7, "exp_m1 {exp_m1:e}");
    let softplus = relative((1e-8, 86.0), Real::softplus, Real::softplus);
    assert!(softplus < 4e-7, "softplus {softplus:e}");
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
fn ends_of_the_range_and_nan() {
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
    assert!(lane(f32::INFINITY).erf().0 == 1.0 && lane(40.0).erfc().0 < 1e-37);
    assert_eq!(lane(f32::INFINITY).erfc().0, 0.0);
    assert_eq!((lane(-100.0).exp_m1().0, lane(f32::NEG_INFINITY).exp_m1().0), (-1.0, -1.0));
    assert!(lane(f32::INFINITY).exp_m1().0 > 2e38 && lane(f32::NAN).exp_m1().0.is_nan());
    assert_eq!((lane(-200.0).softplus().0, lane(200.0).softplus().0), (0.0, 200.0));
    assert!(lane(f32::NAN).softplus().0.is_nan());
    assert_eq!(lane(f32::NEG_INFINITY).erfc().0, 2.0);
    assert_eq!(lane(f32::INFINITY).atan().0, std::f32::consts::FRAC_PI_2);
    assert!(lane(-1.0).ln().0.is_nan() && lane(f32::NAN).ln().0.is_nan());
    assert!(lane(f32::NAN).erf().0.is_nan() && lane(f32::NAN).erfc().0.is_nan());
    assert!(lane(f32::NAN).atan().0.is_nan());
    assert!(lane(f32::NAN).exp().0.is_nan());
    assert!(lane(f32::NAN).tanh().0.is_nan());
    assert!(lane(f32::NAN).sinc_and_slope().0.0.is_nan());
}
