//! Vectorized elementwise kernels: activations, products and sums of rows.

use vi3nr::activation::{Function, Visitor};
use vi3nr::{Activation, Formula};

use super::formula::Interpreter;
use super::instruction_set::{InstructionSet, Task};
use super::lane::Lane;
use super::product::COLUMN_STEP;
use super::tiny::{DropTiny, Floor};
use super::vector::Vector;
use super::vector_function::{VectorFunction, Width};

/// The vectorized form of `activation`.
pub(super) fn vector_function(activation: &Activation) -> Box<dyn VectorFunction> {
    struct Compile;
    impl Visitor for Compile {
        type Output = Box<dyn VectorFunction>;
        fn visit<F: Function>(self, function: F) -> Self::Output {
            Box::new(Compiled(function))
        }
        fn visit_formula(self, formula: &Formula) -> Self::Output {
            Box::new(Interpreter::new(formula.program()))
        }
    }
    activation.visit(Compile)
}

/// The number of preactivations that are copied before their activations overwrite them, if the
/// function is partly the identity: LLVM turns such a function, in a loop that reads and writes the same
/// memory, into masked stores, which are slow on AMD's processors.
const STRIP: usize = 128;

struct Compiled<F>(F);

impl<F: Function> VectorFunction for Compiled<F> {
    fn value_and_slope(
        &self,
        set: InstructionSet,
        width: Width,
        values: &mut [f32],
        slopes: &mut [f32],
    ) {
        set.run(ValueAndSlope { function: &self.0, width, values, slopes });
    }

    fn value(&self, set: InstructionSet, width: Width, values: &mut [f32]) {
        set.run(Value { function: &self.0, width, values });
    }
}

struct ValueAndSlope<'a, F> {
    function: &'a F,
    width: Width,
    values: &'a mut [f32],
    slopes: &'a mut [f32],
}

impl<F: Function> Task for ValueAndSlope<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        // A local copy, so that the compiler need not reload the parameters after each store.
        let function = self.function.clone();
        let Width { columns, row_stride: row } = self.width;
        let mut strip = [0.0; STRIP];
        for (values, slopes) in self.values.chunks_mut(row).zip(self.slopes.chunks_mut(row)) {
            let (values, slopes) = (&mut values[..columns], &mut slopes[..columns]);
            if F::IS_PARTLY_IDENTITY {
                for (values, slopes) in values.chunks_mut(STRIP).zip(slopes.chunks_mut(STRIP)) {
                    let strip = &mut strip[..values.len()];
                    strip.copy_from_slice(values);
                    for ((value, slope), z) in values.iter_mut().zip(slopes).zip(strip) {
                        let (f, derivative) = function.value_and_slope(Lane::<FUSED>(*z));
                        (*value, *slope) = (f.0, derivative.0);
                    }
                }
            } else {
                for (z, slope) in values.iter_mut().zip(slopes) {
                    let (f, derivative) = function.value_and_slope(Lane::<FUSED>(*z));
                    (*z, *slope) = (f.0, derivative.0);
                }
            }
        }
    }
}

struct Value<'a, F> {
    function: &'a F,
    width: Width,
    values: &'a mut [f32],
}

impl<F: Function> Task for Value<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let function = self.function.clone();
        let mut strip = [0.0; STRIP];
        for values in self.values.chunks_mut(self.width.row_stride) {
            let values = &mut values[..self.width.columns];
            if F::IS_PARTLY_IDENTITY {
                for values in values.chunks_mut(STRIP) {
                    let strip = &mut strip[..values.len()];
                    strip.copy_from_slice(values);
                    for (value, z) in values.iter_mut().zip(strip) {
                        *value = function.value(Lane::<FUSED>(*z)).0;
                    }
                }
            } else {
                for z in values {
                    *z = function.value(Lane::<FUSED>(*z)).0;
                }
            }
        }
    }
}

/// a ← a · b, element by element, for two matrices of the shape (rows, columns), without tiny
/// results: see [`drop_tiny`](super::tiny::drop_tiny).
pub(super) struct Multiply<'a> {
    pub(super) width: Width,
    pub(super) into: &'a mut [f32],
    /// The row stride of b.
    pub(super) by_stride: usize,
    pub(super) by: &'a [f32],
    pub(super) floor: Floor,
}

impl Task for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let Self { width, into: rows, by_stride, by, floor } = self;
        let Width { columns, row_stride: row } = width;
        for (into, by) in rows.chunks_mut(row).zip(by.chunks(by_stride)) {
            for (a, b) in into[..columns].iter_mut().zip(&by[..columns]) {
                *a *= b;
            }
        }
        DropTiny { floor, width, rows }.run::<X, R, V, FUSED>();
    }
}

/// Adds the sum of the rows of a matrix, (rows, columns), to `sums`, (columns). `columns` is a
/// multiple of [`COLUMN_STEP`].
pub(super) struct AddRows<'a> {
    pub(super) width: Width,
    pub(super) sums: &'a mut [f32],
    pub(super) rows: &'a [f32],
}

impl Task for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(mut self) {
        /// The number of vectors of sums that stay in registers over all rows.
        const WIDE: usize = 8;
        let columns = self.width.columns;
        assert!(columns.is_multiple_of(COLUMN_STEP), "columns are padded");
        assert!(
            columns <= self.sums.len() && columns <= self.width.row_stride,
            "rows are wide enough"
        );
        let mut column = 0;
        while column + WIDE * X::LANES <= columns {
            // SAFETY: the columns lie within `columns`; the machine has the instructions of X.
            unsafe { self.strip::<X, WIDE>(column) };
            column += WIDE * X::LANES;
        }
        while column < columns {
            // SAFETY: as above; columns are whole vectors.
            unsafe { self.strip::<X, 1>(column) };
            column += X::LANES;
        }
    }
}

impl AddRows<'_> {
    /// Sums `N` vectors of columns, starting at `column`.
    ///
    /// # Safety
    /// `column + N * LANES` must be at most the number of columns of every row and of `sums`, and
    /// the machine must support the instructions of X.
    #[inline(always)]
    unsafe fn strip<X: Vector, const N: usize>(&mut self, column: usize) {
        // SAFETY: the caller bounds the columns; an incomplete last row is skipped.
        unsafe {
            let to = self.sums.as_mut_ptr().add(column);
            let mut sums: [X; N] = [X::splat(0.0); N];
            for row in self.rows.chunks(self.width.row_stride) {
                if row.len() < self.width.columns {
                    break;
                }
                let from = row.as_ptr().add(column);
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(X::load(from.add(v * X::LANES)));
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let to = to.add(v * X::LANES);
                X::load(to).add(sum).store(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vi3nr::activation::builtin::catalog;

    #[test]
    fn rows_are_added_column_by_column() {
        for set in InstructionSet::available() {
            for (columns, row, count) in [(16, 16, 3), (48, 80, 5), (128, 144, 24), (272, 272, 2)] {
                let rows: Vec<f32> = (0..count * row).map(|i| (i % 91) as f32).collect();
                let mut sums: Vec<f32> = (0..columns + 1).map(|i| i as f32).collect();
                set.run(AddRows {
                    width: Width { columns, row_stride: row },
                    sums: &mut sums,
                    rows: &rows,
                });
                for (column, sum) in sums.iter().enumerate() {
                    let counted = if column < columns { count } else { 0 };
                    let added = (0..counted).map(|r| rows[r * row + column]).sum::<f32>();
                    let expected = column as f32 + added;
                    assert_eq!(*sum, expected, "{set:?}: column {column} of {columns}");
                }
            }
        }
    }

    /// The vectorized form of each built-in agrees with its double-precision definition.
    #[test]
    fn vector_forms_agree_with_the_definition() {
        for (name, _) in catalog() {
            let activation: Activation = name.parse().unwrap();
            let function = vector_function(&activation);
            let inputs: Vec<f32> = (-1000..=1003).map(|i| i as f32 * 0.00317).collect();
            for set in InstructionSet::available() {
                let (mut values, mut slopes) = (inputs.clone(), vec![0.0; inputs.len()]);
                let width = Width { columns: inputs.len(), row_stride: inputs.len() };
                function.value_and_slope(set, width, &mut values, &mut slopes);
                let mut alone = inputs.clone();
                function.value(set, width, &mut alone);
                assert_eq!(values, alone, "{name} on {set:?}");
                let exact: Vec<_> =
                    inputs.iter().map(|x| activation.value_and_slope(f64::from(*x))).collect();
                let steepest = exact.iter().map(|pair| pair.1.abs()).fold(1.0, f64::max);
                for (i, x) in inputs.iter().enumerate() {
                    // The change from a few rounding errors of the argument is allowed.
                    let x = f64::from(*x);
                    let moved = activation.value_and_slope(x * (1.0 + 5e-7));
                    let (value, slope) = exact[i];
                    let error = (f64::from(values[i]) - value).abs();
                    let allowed = 4e-7 * value.abs().max(1.0) + (moved.0 - value).abs();
                    assert!(error < allowed, "{name}({x}) on {set:?}: off by {error:e}");
                    let error = (f64::from(slopes[i]) - slope).abs();
                    let allowed = 4e-7 * steepest + (moved.1 - slope).abs();
                    assert!(error < allowed, "{name}'({x}) on {set:?}: off by {error:e}");
                }
            }
        }
    }
}
