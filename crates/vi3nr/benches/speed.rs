//! How long a gain and a solution take: `cargo bench -p vi3nr` (a few seconds).
//!
//! For every built-in form and some formulas: the time to read it, the median and the slowest of
//! `Gain::of` over sigma_p from 1e-3 to 1e3, and `backward::solve`, in milliseconds. The aims are 1
//! and 10 ms for a built-in form, 10 and 100 ms for a formula.

use std::hint::black_box;
use std::time::Instant;

use vi3nr::{Activation, Gain, backward};

const FORMULAS: [&str; 8] = [
    "exp(-x^2/(2*s^2)):s=0.05",
    "x*tanh(log(1+exp(x)))",
    "sin(w*(abs(x)+1)*x):w=1",
    "sin(30*x)",
    "1/cosh(x)",
    "max(min(x,1),-1)",
    "exp(-(x-3)^2/(2*s^2)):s=0.001",
    "tanh(x)+0.1*sin(20*x)",
];

/// The least of three times, in milliseconds.
fn milliseconds(mut work: impl FnMut()) -> f64 {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..3).map(|_| time(&mut work)).fold(f64::INFINITY, f64::min)
}

fn main() {
    let built_in = vi3nr::activation::builtin::catalogue().map(|(name, _)| name);
    println!("{:32} {:>9} {:>9} {:>9} {:>9}", "", "read", "gain", "slowest", "solve");
    for text in built_in.chain(FORMULAS) {
        let read = milliseconds(|| drop(black_box(text.parse::<Activation>())));
        let activation: Activation = text.parse().expect("a known activation");
        let mut gains: Vec<f64> = (-3..=3)
            .map(|power| {
                let sigma_p = 10f64.powi(power);
                milliseconds(|| drop(black_box(Gain::of(&activation, sigma_p))))
            })
            .collect();
        gains.sort_by(f64::total_cmp);
        let (gain, slowest) = (gains[3], gains[6]);
        let solve = milliseconds(|| drop(black_box(backward::solve(&activation, 1.0))));
        println!("{text:32} {read:9.4} {gain:9.4} {slowest:9.4} {solve:9.3}");
    }
}
