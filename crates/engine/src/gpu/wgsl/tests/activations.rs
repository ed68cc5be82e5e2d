//! Activations on the device, compared with double precision and with float32 arithmetic.

use vi3nr::activation::builtin::catalog;
use vi3nr::activation::{Function, Visitor};

use super::single::Single;
use super::*;
use crate::gpu::device::tests::device;
use crate::gpu::wgsl::functions::used_by;

const FORMULAS: [&str; 10] = [
    "x*exp(-x^2)+0.5*sin(3*x)-tanh(x/2)",
    "max(x,0)^2",
    "sin(30*x)/(1+x^2)",
    "abs(x)^1.5",
    "x^8*exp(-x^2)*cosh(x)/(1+x^4)",
    "max(sin(x),cos(2*x))-min(x,1)^3",
    "x*abs(x)*exp(-abs(x))+sign(x)",
    "log(1+x^2)*atan(x)+sqrt(1+x^2)",
    "x*tanh(log(1+exp(x)))",
    "exp(-x^2/(2*s^2)):s=0.05",
];

/// The number of points.
const POINTS: usize = 160 * 256;

/// The number of points within ±20.
const REGULAR: usize = 40_001;

/// 0, ±0.001, ±0.002, … ±20, then larger numbers up to ±1e15.
fn points() -> Vec<f32> {
    let small = (-20_000..=20_000).map(|i| i as f32 * 1e-3);
    let large =
        (0..).map(|i| (if i % 2 == 0 { 1.0 } else { -1.0 }) * 10f32.powf(1.4 + 0.05 * i as f32));
    let mut points: Vec<f32> = small.chain(large.take_while(|x| x.abs() < 1e15)).collect();
    points.extend([1e4, -1e4, 1e15, -1e15]);
    assert!(points.len() < POINTS);
    points.resize(POINTS, 0.5);
    points
}

/// The activation and its derivatives in float32.
fn single(activation: &Activation, x: f32) -> [f32; 4] {
    struct At(f32);
    impl Visitor for At {
        type Output = [f32; 4];
        fn visit<F: Function>(self, function: F) -> [f32; 4] {
            function.jet(Single(self.0)).map(|value| value.0)
        }
    }
    activation.visit(At(x))
}

/// WGSL functions `f0`, `f1`, … of the activations, which return the derivatives up to `order`. Those
/// of order 1 also return the value as the text of order 0 computes it.
fn functions(names: &[&str], order: usize) -> String {
    let orders = if order == 1 { vec![0, 1] } else { vec![order] };
    let mut text = String::new();
    for (k, name) in names.iter().enumerate() {
        let activation = name.parse().unwrap();
        for order in &orders {
            let body = body(&activation, *order).unwrap().replace("Jet(", &format!("Jet{order}("));
            text += &format!("fn a{order}_{k}(x: vec4<f32>) -> Jet{order} {{\n{body}}}\n");
        }
        let results = match order {
            1 => format!("j.f0, j.f1, a0_{k}(x).f0, x"),
            _ => "j.f0, j.f1, j.f2, j.f3".to_owned(),
        };
        text += &format!(
            "fn f{k}(x: vec4<f32>) -> Out {{
  let j = a{order}_{k}(x);
  return Out(array<vec4<f32>, 4>({results}));
}}
"
        );
    }
    let jets: String = orders.into_iter().map(|order| jet(&format!("Jet{order}"), order)).collect();
    jets + &used_by(&text) + &text
}

/// What an activation is compared with.
struct Expected {
    activation: Activation,
    /// The derivatives at every point in double precision.
    jets: Vec<[f64; 4]>,
    /// The error of an evaluation in float32 at every regular point, or the change by one or two
    /// rounding errors of the argument if it is larger.
    naive: Vec<[f64; 4]>,
    /// The largest magnitudes at the regular points.
    largest: [f64; 4],
}

impl Expected {
    fn of(activation: Activation, points: &[f32]) -> Self {
        let jet = |x: f64| activation.jet(x);
        let jets: Vec<[f64; 4]> = points.iter().map(|x| jet(f64::from(*x))).collect();
        let naive = points.iter().zip(&jets).take(REGULAR).map(|(x, exact)| {
            let own = single(&activation, *x).map(f64::from);
            let moved = [-1.2e-7, 1.2e-7].map(|shift| jet(f64::from(*x) * (1.0 + shift)));
            std::array::from_fn(|k| {
                let errors = [own[k], moved[0][k], moved[1][k]].map(|f| (f - exact[k]).abs());
                errors.into_iter().filter(|error| error.is_finite()).fold(0.0, f64::max)
            })
        });
        let naive = naive.collect();
        let largest =
            std::array::from_fn(|k| jets[..REGULAR].iter().map(|f| f[k].abs()).fold(0.0, f64::max));
        Self { activation, jets, naive, largest }
    }

    /// The error of derivative `k` that is allowed at the point `i`, which is `x`.
    fn allowed(&self, i: usize, x: f32, k: usize) -> f64 {
        let size = self.jets[i][k].abs();
        if i < REGULAR {
            let near = &self.naive[i.saturating_sub(8)..(i + 9).min(REGULAR)];
            let naive = near.iter().map(|naive| naive[k]).fold(0.0, f64::max);
            return 2.0 * naive + 2e-7 * size + 2e-7 * self.largest[k] + 1e-33;
        }
        // A few rounding errors of the argument may turn a sine around.
        let moved = (0..64).map(|i| f64::from(x) * (1.0 + 3e-7 * f64::from(i * i).sin()));
        let changes = moved.map(|x| (self.activation.jet(x)[k] - self.jets[i][k]).abs());
        4.0 * changes.fold(0.0, f64::max) + 1e-6 * size + 1e-7 * self.largest[k] + 1e-33
    }
}

fn check(order: usize) {
    let Some(device) = device() else { return };
    let names: Vec<&str> = catalog().map(|(name, _)| name).chain(FORMULAS).collect();
    let called: Vec<String> = (0..names.len()).map(|k| format!("f{k}")).collect();
    let points = points();
    let all = vec![points.clone(); names.len()];
    let results = run(&device, &functions(&names, order), &called, &all);
    let mut failures = Vec::new();
    for (name, results) in names.iter().zip(results) {
        let expected = Expected::of(name.parse().unwrap(), &points);
        // The order of the derivative in each column of the results.
        let columns: &[usize] = if order == 1 { &[0, 1, 0] } else { &[0, 1, 2, 3] };
        for (column, &k) in columns.iter().enumerate() {
            // Where double precision gives no number, anything is allowed.
            let exact = |i: usize| expected.jets[i][k];
            let numbers = points.iter().enumerate().filter(|(i, _)| !exact(*i).is_nan());
            let shares = numbers.map(|(i, x)| {
                let seen = f64::from(results[i][column]);
                let error = (seen - exact(i).clamp(-3.4e38, 3.4e38)).abs();
                (error / expected.allowed(i, *x, k), i)
            });
            let (share, i) = shares.reduce(worse).unwrap();
            let (x, seen, exact) = (points[i], results[i][column], exact(i));
            println!("{name}, derivative {k}: {share:.2} of the allowed error at {x:e}");
            if share.is_nan() || share > 1.0 {
                let text = format!("{name}, derivative {k} at {x:e}: {seen:e}, not {exact:e}");
                failures.push(text);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn values_and_slopes_have_the_error_of_float32() {
    check(1);
}

#[test]
fn higher_derivatives_have_the_error_of_float32() {
    check(3);
}
