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
        one("math_tanh(x)", exact!(x => Real::tanh(x)), (1e-8, 1e4), Relative, 4e-7),
        one("math_sinh(x)", exact!(x => Real::sinh(x)), (1e-8, 88.0), Relative, 4e-7),
        one("math_cosh(x)", exact!(x => Real::cosh(x)), (1e-8, 88.0), Relative, 3e-7),
        one("math_sech(x)", exact!(x => x.sech()), (1e-8, 87.0), Relative, 4e-7),
        one("math_sigmoid(x)", exact!(x => x.sigmoid()), (1e-8, 87.0), Relative, 4e-7),
        one("math_softplus(x)", exact!(x => x.softplus()), (1e-8, 86.0), Relative, 4e-7),
        one("math_erf(x)", exact!(x => Real::erf(x)), (1e-8, 1e4), Relative, 4e-7),
        one("math_erfc(x)", exact!(x => Real::erfc(x)), (1e-8, 9.0), Relative, 6e-7),
        one("math_atan(x)", exact!(x => Real::atan(x)), (1e-8, 1e15), Relative, 3e-7),
one("math_tan(clamp(x, vec4<f32>(-1.3), vec4<f32>(1.3)))",
            exact!(x => x.clamp(f64::from(-1.3f32), f64::from(1.3f32)).tan()), (1e-8, 1.3), Relative, 8e-7),
        above_0(one("math_ln(x)", exact!(x => x.ln()), (1.2e-38, 3e38), Mixed, 2e-7)),
        above_0(one("math_ln_1p(x)", exact!(x => Real::ln_1p(x)), (1e-8, 1e15), Relative, 3e-7)),
        above_0(one("math_ln_1p(-x)", exact!(x => Real::ln_1p(-x)),
            (1e-8, 0.99999), Relative, 3e-7)),
        above_0(one("math_pow(x, vec4<f32>(1.5))", exact!(x => x.powf(1.5)),
            (1e-20, 1e20), Relative, 4e-7)),
        above_0(one("math_pow(x, vec4<f32>(-0.3))", exact!(x => x.powf(f64::from(-0.3f32))),
            (1e-30, 1e30), Relative, 2.2e-6)),
        above_0(one("math_pow(x, vec4<f32>(20.25))", exact!(x => x.powf(20.25)),
            (0.02, 50.0), Relative, 3e-6)),
        pair("math_sin_cos(x)", |x| x.sin_cos().into(), Absolute, [2e-7, 2e-7]),
        Case { low: 8192.0, high: 1e6,
            ..pair("math_sin_cos(x)", |x| x.sin_cos().into(), Absolute, [0.05, 0.05]) },
        pair("math_sinc_and_slope(x)", |x| x.sinc_and_slope().into(), Absolute, [2e-7, 3e-7]),
        pair("math_sinc_second_and_third(x)", |x| [x.sinc_jet()[2], x.sinc_jet()[3]],
            Absolute, [4e-7, 6e-7]),
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
    let number = |i: usize| {
        let x = f32::from_bits((low + (high - low) * i / REGULAR) as u32);
        if case.negative && i % 2 == 1 { -x } else { x }
    };
    (0..REGULAR).map(number).chain(SPECIAL).collect()
}

/// The number of points of a case that are not special.
const REGULAR: usize = POINTS - SPECIAL.len();

impl Case {
    /// How many of its two results are tested.
    fn results(&self) -> usize {
        if self.bounds[1] > 0.0 { 2 } else { 1 }
    }

    /// The text of a WGSL function `name` that computes them.
    fn function(&self, name: &str) -> String {
        let parts = if self.results() == 2 { "y.first, y.second" } else { "y, x" };
        format!(
            "fn {name}(x: vec4<f32>) -> Out {{
  let y = {};
  return Out(array<vec4<f32>, 4>({parts}, x, x));
}}
",
            self.results
        )
    }

    /// The largest error of result `k` at the regular points, and where.
    fn worst(&self, k: usize, points: &[f32], results: &[[f32; 4]]) -> (f64, f32) {
        let errors = points.iter().zip(results).take(REGULAR).map(|(x, seen)| {
            let exact = (self.exact)(f64::from(*x))[k];
            let difference = (f64::from(seen[k]) - exact).abs();
            let error = match self.measure {
                Absolute => difference,
                Relative => difference / exact.abs(),
                Mixed => difference / exact.abs().max(0.5),
            };
            (error, *x)
        });
        errors.reduce(worse).unwrap()
    }

    /// Whether result `k` at the special point `x` is accurate to 1e-6, or bounded by 3.4e38.
    fn is_right(&self, k: usize, x: f32, seen: f64) -> bool {
        let exact = (self.exact)(f64::from(x))[k];
        match self.measure {
            _ if exact.is_nan() => seen.is_nan(),
            // Beyond the range of the reduction the result is only bounded.
            Absolute if x.abs() > 8192.0 => seen.abs() <= 1.000_001,
            _ => {
                let bounded = |value: f64| value.clamp(-1.5e38, 1.5e38);
                (bounded(seen) - bounded(exact)).abs() <= 1e-6 * bounded(exact).abs() + 2e-38
            }
        }
    }
}

#[test]
fn functions_have_the_stated_errors() {
    let Some(device) = device() else { return };
    let cases = cases();
    let names: Vec<String> = (0..cases.len()).map(|k| format!("f{k}")).collect();
    let text: String = cases.iter().zip(&names).map(|(case, name)| case.function(name)).collect();
    let points: Vec<Vec<f32>> = cases.iter().map(points).collect();
    let results = run(&device, &(used_by(&text) + &text), &names, &points);
    let mut failures = Vec::new();
    for ((case, points), results) in cases.iter().zip(&points).zip(&results) {
        let name = case.results;
        for k in 0..case.results() {
            let (error, at) = case.worst(k, points, results);
            println!("{name}, result {k}: error {error:.2e} at {at:e}");
            if error.is_nan() || error > case.bounds[k] {
                failures.push(format!("{name}, result {k}: error {error:e} at {at:e}"));
            }
            for (x, seen) in points.iter().zip(results).skip(REGULAR) {
                if !case.is_right(k, *x, seen[k].into()) {
                    failures.push(format!("{name}, result {k} at {x:e}: {}", seen[k]));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
