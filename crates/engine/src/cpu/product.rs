//! The matrix product of cache-sized operands, the inner loop of the engine.
//!
//! C, (rows, columns), is updated with A·B, where A is (rows, depth) and B is (depth, columns). A
//! block of ROWS x VECTORS accumulators stays in registers while the loop over the depth runs, and
//! B is read one panel of VECTORS vectors at a time. Blocks are tall and narrow, so that each step
//! of the depth loads little of B, which comes from the second-level cache, for many multiply-adds.

use super::instruction_set::{InstructionSet, Task};
use super::vector::Vector;

/// Columns are padded to a multiple of this: the widest vector's lanes.
pub(super) const COLUMN_STEP: usize = 16;

/// The left operand A, (rows, depth): element (r, k) is `values[r * row_stride + k * col_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
}

/// The right operand B, (depth, columns).
#[derive(Clone, Copy)]
pub(super) enum Right<'a> {
    /// Consecutive panels, each row-major (depth, panel columns), as [`pack`] writes them.
    Packed(&'a [f32]),
    /// Row-major with this row stride.
    Rows(&'a [f32], usize),
}

/// How C is updated.
#[derive(Clone, Copy)]
pub(super) enum Update<'a> {
    /// C ← A·B.
    Set,
    /// C ← A·B + b, with the same vector b, (columns), for every row of C.
    Bias(&'a [f32]),
    /// C ← C + A·B.
    Add,
    /// C ← C ⊙ A·B, element by element.
    Multiply,
}

/// An update of C with one product. `columns` is a multiple of [`COLUMN_STEP`].
pub(super) struct Product<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) left: Left<'a>,
    pub(super) right: Right<'a>,
    pub(super) update: Update<'a>,
    pub(super) result: &'a mut [f32],
    /// The row stride of the result C.
    pub(super) result_stride: usize,
}

impl Product<'_> {
    /// Computes the product with the instructions of `set`.
    pub(super) fn run(self, set: InstructionSet) {
        set.run(self);
    }

    /// Checks once that every index that the blocks access lies inside the operands, so that the
    /// inner loop needs no checks.
    fn check(&self) {
        assert!(self.columns.is_multiple_of(COLUMN_STEP), "columns are padded");
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let last = |row: usize| (self.rows - 1) * row;
        assert!(
            last(self.result_stride) + self.columns <= self.result.len(),
            "the result is too small"
        );
        if let Update::Bias(bias) = self.update {
            assert!(self.columns <= bias.len(), "the bias is too short");
        }
        if self.depth == 0 {
            return;
        }
        let left_end = last(self.left.row_stride) + (self.depth - 1) * self.left.col_stride;
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
    fn run<X: Vector, const ROWS: usize, const VECTORS: usize, const FUSED: bool>(self) {
        self.check();
        let mut this = self;
        let panel = X::LANES * VECTORS;
        let mut column = 0;
        while column + panel <= this.columns {
            this.panel::<X, ROWS, VECTORS>(column);
            column += panel;
        }
        // The remaining columns are a multiple of COLUMN_STEP, but not a whole panel.
        match (this.columns - column) / X::LANES {
            0 => {}
            1 => this.panel::<X, ROWS, 1>(column),
            _ => unreachable!("a panel has at most two vectors more than COLUMN_STEP"),
        }
    }
}

impl Product<'_> {
    /// Updates all rows of the panel of V vectors that starts at `column`, in blocks of nearly
    /// equal height.
    #[inline(always)]
    fn panel<X: Vector, const ROWS: usize, const V: usize>(&mut self, column: usize) {
        /// Calls the kernel for one height; only those up to ROWS are compiled.
        macro_rules! block {
            ($height:ident, $row:ident: $($rows:literal)*) => {
                match $height {
                    $($rows if $rows <= ROWS => {
                        // SAFETY: `check` has passed, and the block lies within rows x columns.
                        unsafe { self.block::<X, $rows, V>($row, column) }
                    })*
                    _ => unreachable!("blocks have 1 to {ROWS} rows"),
                }
            };
        }
        let mut blocks = self.rows.div_ceil(ROWS);
        let mut row = 0;
        while blocks > 0 {
            let height = (self.rows - row).div_ceil(blocks);
            block!(height, row: 1 2 3 4 5 6 7 8 9 10 11 12);
            row += height;
            blocks -= 1;
        }
    }

    /// Updates `R` rows of `V` vectors of the result, starting at `row` and `column`.
    ///
    /// # Safety
    /// `check` has passed, `row + R <= rows` and `column + V * LANES <= columns`; the machine has
    /// the instructions of X.
    #[inline(always)]
    unsafe fn block<X: Vector, const R: usize, const V: usize>(
        &mut self,
        row: usize,
        column: usize,
    ) {
        // SAFETY: `check` bounds every index below: those of the result and the bias by the rows
        // and columns of the block, those of the left operand by its last row and the depth, and
        // those of the right operand by the depth and the columns.
        unsafe {
            let mut sums = [[X::splat(0.0); V]; R];
            if let Update::Bias(bias) = self.update {
                let bias = bias.as_ptr().add(column);
                sums = [std::array::from_fn(|v| X::load(bias.add(v * X::LANES))); R];
            }
            // With a depth of 0 both operands may be empty and are not read, so the pointers may lie
            // outside.
            let (mut right, right_row) = match self.right {
                // Only whole panels precede this one; a narrower panel is packed at its own width.
                Right::Packed(values) => {
                    (values.as_ptr().wrapping_add(column * self.depth), V * X::LANES)
                }
                Right::Rows(values, row) => (values.as_ptr().wrapping_add(column), row),
            };
            // The cache lines of C are needed only about a thousand cycles later, which is too far
            // ahead for the hardware to prefetch them.
            let to = self.result.as_mut_ptr().add(row * self.result_stride + column);
            for r in 0..R {
                for v in 0..V {
                    X::prefetch(to.add(r * self.result_stride + v * X::LANES));
                }
            }
            let mut left = self.left.values.as_ptr().wrapping_add(row * self.left.row_stride);
            for _ in 0..self.depth {
                let vectors: [X; V] = std::array::from_fn(|v| X::load(right.add(v * X::LANES)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = X::splat(*left.add(r * self.left.row_stride));
                    for (sum, vector) in sums.iter_mut().zip(vectors) {
                        *sum = factor.mul_add(vector, *sum);
                    }
                }
                left = left.wrapping_add(self.left.col_stride);
                right = right.wrapping_add(right_row);
            }
            for (r, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let to = to.add(r * self.result_stride + v * X::LANES);
                    // C is read only here, so that waiting for it does not delay a multiply-add.
                    match self.update {
                        Update::Set | Update::Bias(_) => sum.store(to),
                        Update::Add => X::load(to).add(sum).store(to),
                        Update::Multiply => X::load(to).mul(sum).store(to),
                    }
                }
            }
        }
    }
}

/// The right operand B, (depth, columns), before it is packed: element (k, c) is
/// `values[k * row_stride + c * col_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Unpacked<'a> {
    pub(super) values: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) col_stride: usize,
    /// The number of real columns; further columns are packed as zeros.
    pub(super) columns: usize,
}

/// Writes B, (depth, columns), in the panels of `panel` columns that [`Right::Packed`] reads.
pub(super) fn pack(
    packed: &mut [f32],
    depth: usize,
    columns: usize,
    panel: usize,
    from: Unpacked<'_>,
) {
    let mut column = 0;
    while column < columns {
        let width = panel.min(columns - column);
        pack_panel(&mut packed[column * depth..(column + width) * depth], width, column, from);
        column += width;
    }
}

/// Writes the panel of `width` columns that starts at `column`: row-major (depth, width).
pub(super) fn pack_panel(panel: &mut [f32], width: usize, column: usize, from: Unpacked<'_>) {
    let real = from.columns.saturating_sub(column).min(width);
    if real < width {
        panel.fill(0.0);
    }
    if panel.is_empty() || real == 0 {
        return;
    }
    let values = &from.values[column * from.col_stride..];
    if from.col_stride == 1 {
        for (to, from) in panel.chunks_exact_mut(width).zip(values.chunks(from.row_stride)) {
            to[..real].copy_from_slice(&from[..real]);
        }
    } else {
        // Column by column, so that consecutive reads are adjacent if `row_stride` is 1.
        for offset in 0..real {
            let column = values[offset * from.col_stride..].iter().step_by(from.row_stride);
            for (to, value) in panel[offset..].iter_mut().step_by(width).zip(column) {
                *to = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, frequency: f32) -> Vec<f32> {
        (0..count).map(|i| (frequency * (i as f32 + 1.0)).sin()).collect()
    }

    /// Every update, with both kinds of right operand and both orders of the left one, agrees with
    /// a plain f64 loop, for odd sizes and every instruction set of this machine.
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
                    let from = Unpacked {
                        values: &right_values,
                        row_stride: right_row,
                        col_stride: 1,
                        columns,
                    };
                    pack(&mut packed, depth, columns, set.panel_columns(), from);
                    let result_stride = columns + 5;
                    let before = numbers(rows * result_stride, 0.9);
                    for right in [Right::Packed(&packed), Right::Rows(&right_values, right_row)] {
                        for update in
                            [Update::Set, Update::Bias(&bias), Update::Add, Update::Multiply]
                        {
                            let mut result = before.clone();
                            let left =
                                Left { values: &left_values, row_stride: row, col_stride: step };
                            let product = Product {
                                rows,
                                columns,
                                depth,
                                left,
                                right,
                                update,
                                result: &mut result,
                                result_stride,
                            };
                            product.run(set);
                            for r in 0..rows {
                                for c in 0..result_stride {
                                    let old = before[r * result_stride + c];
                                    let exact = if c >= columns {
                                        f64::from(old)
                                    } else {
                                        let product = (0..depth)
                                            .map(|k| {
                                                f64::from(left_values[r * row + k * step])
                                                    * f64::from(right_values[k * right_row + c])
                                            })
                                            .sum::<f64>();
                                        match update {
                                            Update::Set => product,
                                            Update::Bias(bias) => product + f64::from(bias[c]),
                                            Update::Add => product + f64::from(old),
                                            Update::Multiply => product * f64::from(old),
                                        }
                                    };
                                    let seen = f64::from(result[r * result_stride + c]);
                                    assert!(
                                        (seen - exact).abs() < 1e-5,
                                        "{set:?} {rows}x{columns}x{depth} at ({r}, {c}): {seen}, \
                                         not {exact}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Both orders of the unpacked operand, with columns that are only padding.
    #[test]
    fn panels_hold_the_operand_and_zeros() {
        let (depth, columns, real, panel) = (5, 48, 37, 32);
        let values = numbers(depth * real, 0.7);
        let rows = Unpacked { values: &values, row_stride: real, col_stride: 1, columns: real };
        let transposed =
            Unpacked { values: &values, row_stride: 1, col_stride: depth, columns: real };
        for from in [rows, transposed] {
            let mut packed = vec![f32::NAN; depth * columns];
            pack(&mut packed, depth, columns, panel, from);
            for c in 0..columns {
                let (first, width) = (c / panel * panel, if c < panel { panel } else { 16 });
                for k in 0..depth {
                    let seen = packed[first * depth + k * width + c - first];
                    let value = if c < real {
                        values[k * from.row_stride + c * from.col_stride]
                    } else {
                        0.0
                    };
                    assert_eq!(seen, value, "({k}, {c})");
                }
            }
        }
    }

    /// A sum of no products is 0, and empty operands are not read.
    #[test]
    fn a_depth_of_zero_reads_nothing() {
        for set in InstructionSet::available() {
            for right in [Right::Packed(&[]), Right::Rows(&[], 48)] {
                let mut result = [7.0; 20 * 48];
                Product {
                    rows: 20,
                    columns: 48,
                    depth: 0,
                    left: Left { values: &[], row_stride: 9, col_stride: 1 },
                    right,
                    update: Update::Set,
                    result: &mut result,
                    result_stride: 48,
                }
                .run(set);
                assert!(result.iter().all(|value| *value == 0.0), "{set:?}");
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
            left: Left { values: &[0.0; 7], row_stride: 4, col_stride: 1 },
            right: Right::Rows(&[0.0; 64], 16),
            update: Update::Set,
            result: &mut result,
            result_stride: 16,
        }
        .run(InstructionSet::best());
    }
}
