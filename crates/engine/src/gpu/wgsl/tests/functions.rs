//! Measurements of the errors that the files of the functions state.

use vi3nr::Real;

use super::*;
use crate::gpu::device::tests::device;
use crate::gpu::wgsl::functions::used_by;

/// How an error is measured.
#[derive(Debug, Clone, Copy)]
enum Measure {
    Absolute,
    Relative,
    /// Relative to the value, but at least to 0.5.
    Mixed,
}
use Measure::{Absolute, Mixed, Relative};

/// A function with its error bound on the numbers with magnitudes in a range.
struct Case {
    /// The results as WGSL.
    results: &'static str,
    exact: fn(f64) -> [f64; 2],
    low: f32,
    high: f32,
    /// Whether numbers below 0 are tested too.
    negative: bool,
    measure: Measure,
    bounds: [f64; 2],
}

/// A function of one result on both signs.
fn one(
    results: &'static str,
    exact: fn(f64) -> [f64; 2],
    (low, high): (f32, f32),
    measure: Measure,
    bound: f64,
) -> Case {
    Case { results, exact, low, high, negative: true, measure, bounds: [bound, 0.0] }
}

fn above_0(case: Case) -> Case {
    Case { negative: false, ..case }
}

macro_rules! exact {
    ($x:ident => $value:expr) => {
        |$x: f64| [$value, 0.0]
    };
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let pair = |results, exact, measure, bounds| Case {
        results, exact, low: 1e-8, high: 8192.0, negative: true, measure, bounds,
    };
    vec![
        one("math_exp(x)", exact!(x => x.exp()), (1e-8, 87.3), Relative, 2e-7),
        one("math_exp_m1(x)", exact!(x => Real::exp_m1(x)), (1e-8, 87.0), Relative, 3e-7),
        one("math_tanh(x)", exact!(x => Real::tanh(x)), (1e-8, 1e4), Relative, 3e-7),
        one("math_sinh(x)", exact!(x => Real::sinh(x)), (1e-8, 88.0), Relative, 6e-7),
        one("math_cosh(x)", exact!(x => Real::cosh(x)), (1e-8, 88.0), Relative, 3e-7),
        one("math_sech(x)", exact!(x => x.sech()), (1e-8, 87.0), Relative, 4e-7),
        one("math_sigmoid(x)", exact!(x => x.sigmoid()), (1e-8, 87.0), Relative, 3e-7),
        one("math_softplus(x)", exact!(x => x.softplus()), (1e-8, 86.0), Relative, 4e-7),
        one("math_erf(x)", exact!(x => Real::erf(x)), (1e-8, 1e4), Relative, 4e-7),
        one("math_erfc(x)", exact!(x => Real::erfc(x)), (1e-8, 9.0), Relative, 1e-6),
        one("math_atan(x)", exact!(x => Real::atan(x)), (1e-8, 1e15), Relative, 3e-7),
        above_0(one("math_ln(x)", exact!(x => x.ln()), (1.2e-38, 3e38), Mixed, 2e-7)),
        above_0(one("math_ln_1p(x)", exact!(x => Real::ln_1p(x)), (1e-8, 1e15), Relative, 3e-7)),
        above_0(one("math_ln_1p(-x)", exact!(x => Real::ln_1p(-x)), (1e-8, 0.99999), Relative, 3e-7)),
        above_0(one("math_pow(x, vec4<f32>(1.5))", exact!(x => x.powf(1.5)), (1e-20, 1e20), Relative, 4e-7)),
        above_0(one("math_pow(x, vec4<f32>(-0.3))", exact!(x => x.powf(f64::from(-0.3f32))), (1e-30, 1e30), Relative, 2.2e-6)),
        above_0(one("math_pow(x, vec4<f32>(20.25))", exact!(x => x.powf(20.25)), (0.02, 50.0), Relative, 3e-6)),
        pair("math_sin_cos(x)", |x| x.sin_cos().into(), Absolute, [2e-7, 2e-7]),
        pair("math_sinc_and_slope(x)", |x| x.sinc_and_slope().into(), Absolute, [2e-7, 3e-7]),
        pair("math_sinc_second_and_third(x)", |x| [x.sinc_jet()[2], x.sinc_jet()[3]], Absolute, [1e-6, 2e-6]),
    ]
}

/// The number of points of a case.
const POINTS: usize = 1 << 16;

/// Numbers at the ends of what occurs.
const SPECIAL: [f32; 16] = [
    0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4, 1e15, -1e15, 3e38,
    -3e38,
];

/// The points of a case: float32 numbers evenly spaced in their bits, then [`SPECIAL`].
fn points(case: &Case) -> Vec<f32> {
    let (low, high) = (case.low.to_bits() as usize, case.high.to_bits() as usize);
    let regular = POINTS - SPECIAL.len();
    let number = |i: usize| {
        let x = f32::from_bits((low + (high - low) * i / regular) as u32);
        if case.negative && i % 2 == 1 { -x } else { x }
    };
    (0..regular).map(number).chain(SPECIAL).collect()
}

#[test]
fn functions_have_the_stated_errors() {
    let Some(device) = device() else { return };
    let cases = cases();
    let mut text = String::new();
    let mut names = Vec::new();
    for (k, case) in cases.iter().enumerate() {
        let is_pair = case.bounds[1] > 0.0;
        let parts = if is_pair { "y.first, y.second" } else { "y, x" };
        names.push(format!("f{k}"));
        text += &format!(
            "fn f{k}(x: vec4<f32>) -> Out {{ let y = {}; return Out(array<vec4<f32>, 4>({parts}, x, x)); }}\n",
            case.results
        );
    }
    let points: Vec<Vec<f32>> = cases.iter().map(points).collect();
    let results = run(&device, &(used_by(&text) + &text), &names, &points);
    let mut failures = Vec::new();
    for ((case, points), results) in cases.iter().zip(&points).zip(&results) {
        let regular = POINTS - SPECIAL.len();
        let mut worst = [(0.0f64, 0.0f32); 2];
        for (x, seen) in points.iter().zip(results).take(regular) {
            let exact = (case.exact)(f64::from(*x));
            for k in 0..2 {
                if case.bounds[k] > 0.0 {
                    let difference = (f64::from(seen[k]) - exact[k]).abs();
                    let error = match case.measure {
                        Absolute => difference,
                        Relative => difference / exact[k].abs(),
                        Mixed => difference / exact[k].abs().max(0.5),
                    };
                    if !(error <= worst[k].0) {
                        worst[k] = (error, *x);
                    }
                }
            }
        }
        println!(
            "{:34} {:.2e} at {:e}, {:.2e} at {:e}",
            case.results, worst[0].0, worst[0].1, worst[1].0, worst[1].1
        );
        for k in 0..2 {
            if !(worst[k].0 <= case.bounds[k]) {
                failures.push(format!("{}: {:?}", case.results, worst[k]));
            }
        }
        for (x, seen) in points.iter().zip(results).skip(regular) {
            let exact = (case.exact)(f64::from(*x));
            for k in 0..2 {
                let seen = f64::from(seen[k]);
                let is_right = match case.measure {
                    _ if case.bounds[k] == 0.0 || exact[k].is_nan() => true,
                    // Beyond the range of the reduction the result is only bounded.
                    Absolute if x.abs() > 8192.0 => seen.abs() <= 1.000_001,
                    _ => {
                        let exact = exact[k].clamp(-1.5e38, 1.5e38);
                        (seen.clamp(-1.5e38, 1.5e38) - exact).abs() <= 1e-6 * exact.abs() + 2e-38
                    }
                };
                if !is_right {
                    failures
                        .push(format!("{} at {x:e}: {seen:e}, not {:e}", case.results, exact[k]));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
