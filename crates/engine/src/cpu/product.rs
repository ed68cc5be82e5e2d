//! The matrix product on cache-sized operands: the inner loop of everything.
//!
//! C = start + A·B with C (rows, columns), A (rows, depth), B (depth, columns), all row-major with
//! strides. A block of ROWS x VECTORS accumulators stays in registers while the depth runs; B is
//! read a panel of VECTORS vectors at a time.

use super::instruction_set::{InstructionSet, Task};
use super::lane::mul_add;

/// Columns are padded to a multiple of this: the widest vector's lanes.
pub(super) const COLUMN_STEP: usize = 16;

/// The left operand: element (r, k) lies at `r * row + k * depth`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) row: usize,
    pub(super) depth: usize,
}

/// The right operand.
#[derive(Clone, Copy)]
pub(super) enum Right<'a> {
    /// Panels one after the other, each row-major (depth, panel columns); made by [`pack`].
    Packed(&'a [f32]),
    /// Row-major with this distance between rows.
    Rows(&'a [f32], usize),
}

/// What the accumulators start from.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// Zero.
    Zero,
    /// The same row of numbers in every row of C.
    Bias(&'a [f32]),
    /// What C holds.
    Sum,
}

/// One product. `columns` is a multiple of [`COLUMN_STEP`].
pub(super) struct Product<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) left: Left<'a>,
    pub(super) right: Right<'a>,
    pub(super) start: Start<'a>,
    pub(super) result: &'a mut [f32],
    /// The distance between rows of the result.
    pub(super) result_row: usize,
}

impl Product<'_> {
    /// Computes the product with the instructions of `set`.
    pub(super) fn run(self, set: InstructionSet) {
        set.run(self);
    }

    /// One past the last index that the blocks will touch in each operand, checked once here so
    /// that the inner loop need not.
    fn check(&self) {
        assert!(self.columns.is_multiple_of(COLUMN_STEP), "columns are padded");
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let last = |row: usize| (self.rows - 1) * row;
        assert!(
            last(self.result_row) + self.columns <= self.result.len(),
            "the result is too small"
        );
        if let Start::Bias(bias) = self.start {
            assert!(self.columns <= bias.len(), "the bias is too short");
        }
        if self.depth == 0 {
            return;
        }
        let left_end = last(self.left.row) + (self.depth - 1) * self.left.depth;
        assert!(left_end < self.left.values.len(), "the left operand is too small");
        match self.right {
            Right::Packed(values) => {
                assert!(self.depth * self.columns <= values.len(), "the panels are too small");
            }
            Right::Rows(values, row) => {
                let right_end = (self.depth - 1) * row + self.columns;
                assert!(right_end <= values.len(), "the right operand is too small");
            }
        }
    }
}

impl Task for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const LANES: usize, const ROWS: usize, const VECTORS: usize, const FUSED: bool>(self) {
        self.check();
        let mut this = self;
        let panel = LANES * VECTORS;
        let mut column = 0;
        while column + panel <= this.columns {
            this.panel::<LANES, ROWS, VECTORS, FUSED>(column);
            column += panel;
        }
        // What is left is a multiple of COLUMN_STEP but not a whole panel.
        match (this.columns - column) / LANES {
            0 => {}
            1 => this.panel::<LANES, 8, 1, FUSED>(column),
            2 => this.panel::<LANES, ROWS, 2, FUSED>(column),
            3 => this.panel::<LANES, ROWS, 3, FUSED>(column),
            _ => unreachable!("panels have at most four vectors"),
        }
    }
}

impl Product<'_> {
    /// All rows of one panel of V vectors that starts at `column`.
    #[inline(always)]
    fn panel<const LANES: usize, const ROWS: usize, const V: usize, const FUSED: bool>(
        &mut self,
        column: usize,
    ) {
        let mut row = 0;
        while row + ROWS <= self.rows {
            // SAFETY: `check` has passed, and the block lies within rows x columns.
            unsafe { self.block::<LANES, ROWS, V, FUSED>(row, column) };
            row += ROWS;
        }
        while row < self.rows {
            // SAFETY: as above.
            unsafe { self.block::<LANES, 1, V, FUSED>(row, column) };
            row += 1;
        }
    }

    /// `R` rows of `V` vectors of the result, from `row` and `column` on.
    ///
    /// # Safety
    /// `check` has passed, `row + R <= rows` and `column + V * LANES <= columns`.
    #[inline(always)]
    unsafe fn block<const LANES: usize, const R: usize, const V: usize, const FUSED: bool>(
        &mut self,
        row: usize,
        column: usize,
    ) {
        let mut sums = [[[0.0f32; LANES]; V]; R];
        // SAFETY: `check` bounds every index below: rows and columns of the result and the bias by
        // the block's place, left elements by its last row and depth, right rows by the last depth.
        // `[[f32; LANES]; V]` has the size and alignment of V * LANES consecutive f32.
        unsafe {
            match self.start {
                Start::Zero => {}
                Start::Bias(bias) => {
                    sums = [bias.as_ptr().add(column).cast::<[[f32; LANES]; V]>().read(); R];
                }
                Start::Sum => {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let from = self.result.as_ptr().add((row + r) * self.result_row + column);
                        *sums = from.cast::<[[f32; LANES]; V]>().read();
                    }
                }
            }
            let (mut right, right_row) = match self.right {
                // Whole panels precede this one; a narrower panel is packed at its own width.
                Right::Packed(values) => (values.as_ptr().add(column * self.depth), V * LANES),
                Right::Rows(values, row) => (values.as_ptr().add(column), row),
            };
            let left = self.left.values.as_ptr().add(row * self.left.row);
            for k in 0..self.depth {
                let vectors = right.cast::<[[f32; LANES]; V]>().read();
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = *left.add(r * self.left.row + k * self.left.depth);
                    for v in 0..V {
                        for lane in 0..LANES {
                            sums[v][lane] =
                                mul_add::<FUSED>(factor, vectors[v][lane], sums[v][lane]);
                        }
                    }
                }
                right = right.wrapping_add(right_row);
            }
            for (r, sums) in sums.iter().enumerate() {
                let to = self.result.as_mut_ptr().add((row + r) * self.result_row + column);
                to.cast::<[[f32; LANES]; V]>().write(*sums);
            }
        }
    }
}

/// Writes B as the panels that [`Right::Packed`] reads: `depth` rows of `columns`, element (k, c)
/// given by `value`.
pub(super) fn pack(
    packed: &mut [f32],
    depth: usize,
    columns: usize,
    panel: usize,
    value: impl Fn(usize, usize) -> f32,
) {
    let mut column = 0;
    while column < columns {
        let width = panel.min(columns - column);
        let rows = packed[column * depth..(column + width) * depth].chunks_exact_mut(width);
        for (k, row) in rows.enumerate() {
            for (offset, element) in row.iter_mut().enumerate() {
                *element = value(k, column + offset);
            }
        }
        column += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, frequency: f32) -> Vec<f32> {
        (0..count).map(|i| (frequency * (i as f32 + 1.0)).sin()).collect()
    }

    /// Every start, both kinds of right operand and both directions of the left one, against a
    /// plain f64 loop, over odd sizes and every instruction set of this machine.
    #[test]
    fn products_agree_with_a_plain_loop() {
        for set in InstructionSet::available() {
            for (rows, columns, depth) in [
                (1, 16, 1),
                (5, 48, 3),
                (7, 64, 20),
                (13, 112, 9),
                (64, 128, 33),
                (9, 32, 2),
                (2, 16, 0),
            ] {
                for transposed in [false, true] {
                    let (row, step) = if transposed { (1, rows + 3) } else { (depth + 2, 1) };
                    let left_values = numbers((rows + 3) * (depth + 2) + 8, 0.7);
                    let right_row = columns + 16;
                    let right_values = numbers(right_row * depth.max(1), 0.3);
                    let bias = numbers(columns, 1.1);
                    let mut packed = vec![0.0; depth * columns];
                    pack(&mut packed, depth, columns, set.panel_columns(), |k, c| {
                        right_values[k * right_row + c]
                    });
                    let result_row = columns + 5;
                    let before = numbers(rows * result_row, 0.9);
                    for right in [Right::Packed(&packed), Right::Rows(&right_values, right_row)] {
                        for start in [Start::Zero, Start::Bias(&bias), Start::Sum] {
                            let mut result = before.clone();
                            let left = Left { values: &left_values, row, depth: step };
                            let product = Product {
                                rows,
                                columns,
                                depth,
                                left,
                                right,
                                start,
                                result: &mut result,
                                result_row,
                            };
                            product.run(set);
                            for r in 0..rows {
                                for c in 0..result_row {
                                    let old = before[r * result_row + c];
                                    let exact = if c >= columns {
                                        f64::from(old)
                                    } else {
                                        let first = match start {
                                            Start::Zero => 0.0,
                                            Start::Bias(bias) => bias[c],
                                            Start::Sum => old,
                                        };
                                        f64::from(first)
                                            + (0..depth)
                                                .map(|k| {
                                                    f64::from(left_values[r * row + k * step])
                                                        * f64::from(right_values[k * right_row + c])
                                                })
                                                .sum::<f64>()
                                    };
                                    let seen = f64::from(result[r * result_row + c]);
                                    assert!(
                                        (seen - exact).abs() < 1e-5,
                                        "{set:?} {rows}x{columns}x{depth} at ({r}, {c}): {seen}, not {exact}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "left operand is too small")]
    fn short_operands_are_caught_before_the_loop() {
        let mut result = [0.0; 32];
        Product {
            rows: 2,
            columns: 16,
            depth: 4,
            left: Left { values: &[0.0; 7], row: 4, depth: 1 },
            right: Right::Rows(&[0.0; 64], 16),
            start: Start::Zero,
            result: &mut result,
            result_row: 16,
        }
        .run(InstructionSet::Portable);
    }
}
