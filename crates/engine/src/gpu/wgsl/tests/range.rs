//! The bounds of results hold.

use vi3nr::activation::formula::{Binary, Unary};

use crate::gpu::wgsl::range::{LARGEST, Range};

const ENDS: [f64; 15] =
    [-1e38, -1e15, -300.0, -20.0, -1.5, -1.0, -1e-3, 0.0, 1e-3, 0.7, 1.0, 3.0, 90.0, 1e15, 1e38];

/// All ranges between two ends, each with some of its numbers.
fn ranges() -> impl Iterator<Item = (Range, [f64; 5])> {
    let pairs = ENDS.iter().flat_map(|lo| ENDS.iter().map(|hi| (*lo, *hi)));
    pairs.filter(|(lo, hi)| lo <= hi).map(|(lo, hi)| {
        let inside = [0.0, 0.3, 0.5, 0.9, 1.0].map(|t| (lo * (1.0 - t) + hi * t).clamp(lo, hi));
        (Range { lo, hi }, inside)
    })
}

/// Whether `value`, as a bounded result, is in `range` but for rounding errors.
fn holds(range: Range, value: f64) -> bool {
    let (range, value) = (range.bounded(), value.clamp(-LARGEST, LARGEST));
    let slack = 1e-12 * value.abs();
    value.is_nan() || (range.lo - slack <= value && value <= range.hi + slack)
}

#[test]
fn ranges_of_functions_contain_their_values() {
    use Unary::*;
    let functions = [
        Negate, Absolute, Sign, Exp, ExpM1, Ln, Ln1P, Sqrt, Sin, Cos, Tan, Tanh, Sinh, Cosh, Sech,
        Erf, Erfc, Atan, Sigmoid, Softplus, Sinc, SincSlope, SincSecond, SincThird,
    ];
    for (range, numbers) in ranges() {
        for x in numbers {
            for function in functions {
                let (bounds, value) = (range.unary(function), function.apply(x));
                assert!(holds(bounds, value), "{function:?}({x:e}) = {value:e}, not in {bounds:?}");
            }
            assert!(holds(range.squared(), x * x), "{x:e}^2 is not in {:?}", range.squared());
        }
    }
}

#[test]
fn ranges_of_operations_contain_their_values() {
    use Binary::*;
    let ranges: Vec<_> = ranges().collect();
    for (left, a) in &ranges {
        for (right, b) in &ranges {
            for operation in [Add, Subtract, Multiply, Divide, Power, Maximum, Minimum] {
                let bounds = left.binary(operation, *right);
                for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b))) {
                    let value = operation.apply(a, b);
                    // The base of a power is at least 0.
                    let is_real = operation != Power || a >= 0.0;
                    assert!(
                        !is_real || holds(bounds, value),
                        "{a:e} {operation:?} {b:e} = {value:e}, not in {bounds:?}"
                    );
                }
            }
        }
    }
}
