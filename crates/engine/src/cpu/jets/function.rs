//! An activation with its higher derivatives, vectorized.

use vi3nr::activation::{Function, Visitor};
use vi3nr::{Activation, Formula};

use super::super::formula::Interpreter;
use super::super::instruction_set::{InstructionSet, Task};
use super::super::lane::Lane;
use super::super::vector::Vector;
use super::super::vector_function::Width;
use crate::EngineError;

/// Where the derivatives of an activation are written.
pub(in super::super) struct Derivatives<'a> {
    /// f', a matrix of the same shape as the values.
    pub(in super::super) slopes: &'a mut [f32],
    /// f'', with the row stride `row_stride`; empty if it is not needed.
    pub(in super::super) second: &'a mut [f32],
    /// f''', with the row stride `row_stride`; empty if it is not needed.
    pub(in super::super) third: &'a mut [f32],
    /// The row stride of `second` and `third`.
    pub(in super::super) row_stride: usize,
}

/// An activation with its derivatives up to some order, compiled for the vector instructions of
/// this machine.
pub(in super::super) trait JetFunction: Send + Sync {
    /// Replaces each z by f(z) and writes the derivatives of f at z.
    fn jet(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        derivatives: Derivatives<'_>,
    );
}

/// The vectorized form of `activation` with its derivatives up to `order`, which is 1, 2 or 3.
///
/// # Errors
/// Returns [`EngineError::Activation`] if the derivatives of a formula exceed its limits.
pub(super) fn jet_function(
    activation: &Activation,
    order: usize,
) -> Result<Box<dyn JetFunction>, EngineError> {
    struct Compile(usize);
    impl Visitor for Compile {
        type Output = Result<Box<dyn JetFunction>, EngineError>;
        fn visit<F: Function>(self, function: F) -> Self::Output {
            Ok(match self.0 {
                1 => Box::new(Compiled::<F, 1>(function)),
                2 => Box::new(Compiled::<F, 2>(function)),
                _ => Box::new(Compiled::<F, 3>(function)),
            })
        }
        fn visit_formula(self, formula: &Formula) -> Self::Output {
            let program = formula.jet_program(self.0);
            let program =
                program.map_err(|error| EngineError::Activation { reason: error.to_string() })?;
            Ok(Box::new(Interpreter::new(program)))
        }
    }
    activation.visit(Compile(order))
}

/// A built-in form with its derivatives up to `ORDER`.
struct Compiled<F, const ORDER: usize>(F);

impl<F: Function, const ORDER: usize> JetFunction for Compiled<F, ORDER> {
    fn jet(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        derivatives: Derivatives<'_>,
    ) {
        set.run(JetRows::<F, ORDER> { function: &self.0, width, values, derivatives });
    }
}

struct JetRows<'a, F, const ORDER: usize> {
    function: &'a F,
    width: Width,
    values: &'a mut [f32],
    derivatives: Derivatives<'a>,
}

impl<F: Function, const ORDER: usize> Task for JetRows<'_, F, ORDER> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let function = self.function.clone();
        let Width { columns, row_stride: row } = self.width;
        let Derivatives { slopes, second, third, row_stride } = self.derivatives;
        for (index, (values, slopes)) in
            self.values.chunks_mut(row).zip(slopes.chunks_mut(row)).enumerate()
        {
            let (values, slopes) = (&mut values[..columns], &mut slopes[..columns]);
            let first = values.iter_mut().zip(slopes);
            match ORDER {
                1 => {
                    for (z, slope) in first {
                        let (f, f1) = function.value_and_slope(Lane::<FUSED>(*z));
                        (*z, *slope) = (f.0, f1.0);
                    }
                }
                2 => {
                    let second = &mut second[index * row_stride..][..columns];
                    for ((z, slope), second) in first.zip(second) {
                        let [f, f1, f2, _] = function.jet(Lane::<FUSED>(*z));
                        (*z, *slope, *second) = (f.0, f1.0, f2.0);
                    }
                }
                _ => {
                    let second = &mut second[index * row_stride..][..columns];
                    let third = &mut third[index * row_stride..][..columns];
                    for ((z, slope), (second, third)) in first.zip(second.iter_mut().zip(third)) {
                        let [f, f1, f2, f3] = function.jet(Lane::<FUSED>(*z));
                        (*z, *slope, *second, *third) = (f.0, f1.0, f2.0, f3.0);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vi3nr::activation::builtin::catalog;

    /// The vectorized derivatives of each built-in form and of formulas agree with their
    /// double-precision definitions, over a matrix with gaps between its rows.
    #[test]
    fn derivatives_agree_with_the_definitions() {
        const FORMULAS: [&str; 3] =
            ["x*exp(-x^2)*cos(3*x)", "sin(2*x)/x+max(x^3,0)", "x*tanh(log(1+exp(x)))"];
        let (columns, row, rows, row_stride) = (48, 64, 40, 80);
        for name in catalog().map(|(name, _)| name).chain(FORMULAS) {
            let activation: Activation = name.parse().unwrap();
            let inputs: Vec<f32> =
                (0..rows * row).map(|i| ((i * 7919) % 2003) as f32 * 0.00317 - 3.1737).collect();
            let largest = inputs
                .iter()
                .map(|x| activation.jet(f64::from(*x)))
                .fold([1.0f64; 4], |largest, jet| {
                    std::array::from_fn(|k| largest[k].max(jet[k].abs()))
                });
            for (set, order) in
                InstructionSet::available().into_iter().flat_map(|set| [1, 2, 3].map(|o| (set, o)))
            {
                let function = jet_function(&activation, order).unwrap();
                let (mut values, mut slopes) = (inputs.clone(), vec![7.0; inputs.len()]);
                let higher = |least| if order < least { 0 } else { rows * row_stride };
                let (mut second, mut third) = (vec![7.0; higher(2)], vec![7.0; higher(3)]);
                let width = Width { columns, row_stride: row };
                let derivatives = Derivatives {
                    slopes: &mut slopes,
                    second: &mut second,
                    third: &mut third,
                    row_stride,
                };
                function.jet(set, width, &mut values, derivatives);
                for (i, x) in inputs.iter().enumerate() {
                    let at = (i / row) * row_stride + i % row;
                    let seen = [Some(&values[i]), Some(&slopes[i]), second.get(at), third.get(at)];
                    if i % row >= columns {
                        assert!(values[i] == *x && slopes[i] == 7.0, "{name}: a gap is touched");
                        continue;
                    }
                    // The change from a few rounding errors of the argument is allowed.
                    let (exact, moved) =
                        (activation.jet((*x).into()), activation.jet(f64::from(*x) * (1.0 + 5e-7)));
                    for k in 0..=order {
                        let seen = f64::from(*seen[k].unwrap());
                        let allowed = 2e-6 * largest[k] + (moved[k] - exact[k]).abs();
                        assert!(
                            (seen - exact[k]).abs() < allowed,
                            "{name} of order {k} at {x} on {set:?}: {seen}, not {}",
                            exact[k]
                        );
                    }
                }
            }
        }
    }
}
