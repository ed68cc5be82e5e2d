//! Benchmarks of gains and solutions: `cargo bench -p vi3nr` (under a minute).
//!
//! The targets are 1 ms for the gain of a built-in form and 10 ms for that of a formula, 10 and 100
//! ms for all solutions of the backward condition. `cargo bench -p vi3nr -- gain_of_formulas` runs
//! one group.

use divan::{Bencher, black_box};
use vi3nr::{Activation, Gain, backward};

fn main() {
    divan::main();
}

const SIGMAS: [f64; 3] = [1e-3, 1.0, 1e3];

const FORMULAS: [&str; 10] = [
    "exp(-x^2/(2*s^2)):s=0.05",
    "x*tanh(log(1+exp(x)))",
    "sin(w*(abs(x)+1)*x):w=1",
    "1/cosh(x)",
    "max(min(x,1),-1)",
    "x/tanh(x)",
    "log(1+x^2)",
    "exp(-(x-3)^2/(2*s^2)):s=0.001",
    "sin(30*x)*exp(-x^2)",
    "tanh(x)+0.1*sin(20*x)",
];

fn built_ins() -> Vec<&'static str> {
    vi3nr::activation::builtin::catalog().map(|(name, _)| name).collect()
}

/// An activation and the σ_p at which its gain is computed.
struct GainCase {
    text: &'static str,
    sigma_p: f64,
}

impl std::fmt::Display for GainCase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:e}", self.text, self.sigma_p)
    }
}

fn cases(texts: &[&'static str]) -> Vec<GainCase> {
    let at = |text| SIGMAS.map(|sigma_p| GainCase { text, sigma_p });
    texts.iter().flat_map(|text| at(*text)).collect()
}

fn gain(bencher: Bencher, case: &GainCase) {
    let activation: Activation = case.text.parse().expect("a known activation");
    bencher.bench(|| Gain::of(black_box(&activation), case.sigma_p));
}

#[divan::bench(args = cases(&built_ins()), sample_count = 20, max_time = 1)]
fn gain_of_built_ins(bencher: Bencher, case: &GainCase) {
    gain(bencher, case);
}

#[divan::bench(args = cases(&FORMULAS), sample_count = 20, max_time = 1)]
fn gain_of_formulas(bencher: Bencher, case: &GainCase) {
    gain(bencher, case);
}

#[divan::bench(args = FORMULAS)]
fn read_formula(text: &str) -> Activation {
    black_box(text).parse().expect("a known activation")
}

#[divan::bench(args = built_ins().into_iter().chain(FORMULAS), sample_count = 10, max_time = 1)]
fn solve(bencher: Bencher, text: &str) {
    let activation: Activation = text.parse().expect("a known activation");
    bencher.bench(|| backward::solve(black_box(&activation), 1.0));
}
