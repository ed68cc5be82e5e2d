//! The interpreter against the definitions of formulas.

use super::*;
use crate::cpu::activate::vector_function;
use vi3nr::Activation;

/// Formulas with every kind of operation against their double-precision values, over matrices
/// with gaps between rows, and rows longer than a run.
#[test]
fn interpreted_formulas_agree_with_the_definition() {
    for text in [
        "x",
        "2+0*x",
        "exp(-x^2/(2*s^2)):s=0.3",
        "x*tanh(log(1+exp(x)))",
        "sin(w*(abs(x)+1)*x):w=3",
        "max(0.1*x,x)+min(x,0.5)*sign(x)",
        "cos(x)*exp(-x^2)+x^5/(1+x^4)",
        "erf(x)+atan(x)-sinh(x/2)*cosh(x/3)",
        "sqrt(1+x^2)+tan(x/4)",
        "sin(x)/x",
    ] {
        let activation: Activation = text.parse().unwrap();
        let function = vector_function(&activation);
        for (columns, row, rows) in [(16, 48, 5), (64, 144, 16), (300, 320, 3), (512, 512, 2)] {
            let width = Width { columns, row_stride: row };
            let input: Vec<f32> =
                (0..rows * row).map(|i| ((i * 7919) % 1000) as f32 * 0.006 - 2.9987).collect();
            for set in InstructionSet::available() {
                let (mut values, mut slopes) = (input.clone(), vec![7.0; input.len()]);
                function.value_and_slope(set, width, &mut values, &mut slopes);
                let mut alone = input.clone();
                function.value(set, width, &mut alone);
                assert!(values == alone, "{text} on {set:?}");
                for (i, x) in input.iter().enumerate() {
                    if i % row >= columns {
                        assert!(values[i] == *x && slopes[i] == 7.0, "{text}: a gap is touched");
                        continue;
                    }
                    // The change from a few rounding errors of the argument is allowed.
                    let at = |x: f64| activation.value_and_slope(x);
                    let (exact, moved) = (at((*x).into()), at(f64::from(*x) * (1.0 + 5e-7)));
                    let near = |seen: f32, exact: f64, moved: f64| {
                        let allowed = 1e-6 * exact.abs().max(1.0) + (moved - exact).abs();
                        (f64::from(seen) - exact).abs() < allowed
                    };
                    assert!(near(values[i], exact.0, moved.0), "{text}({x}): {}", values[i]);
                    assert!(near(slopes[i], exact.1, moved.1), "{text}'({x}): {}", slopes[i]);
                }
            }
        }
    }
}
