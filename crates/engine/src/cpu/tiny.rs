//! Numbers that are too small to matter, which kernels replace by zero.
//!
//! The activations and gradients of a badly initialized or saturated network shrink towards the
//! subnormal numbers (below 1.2e-38), where many processors need about a hundred times as long for
//! an operation. Nearly all the time of a pass is spent in the products, so it is enough to keep
//! tiny numbers out of their operands: the results of a layer, forward and backward.

use super::instruction_set::{InstructionSet, Task};
use super::vector::Vector;
use super::vector_function::Width;

/// The magnitude below which numbers become 0. Its discriminant has the bits of the exponent of
/// which a number has at least one if it is at least as large, infinite or NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floor {
    /// 2⁻⁶³ = 1.1e-19. The product of two such numbers, as in the gradient of a weight, is not
    /// subnormal.
    Product = 0x6000_0000,
    /// 2⁻⁹⁵ = 2.5e-29. Its product with a weight of 1e-9 is not subnormal.
    Weighted = 0x7000_0000,
}

impl Floor {
    /// Whether |x| is below the floor; false for NaN.
    #[inline(always)]
    fn is_below(self, x: f32) -> bool {
        x.to_bits() & self as u32 == 0
    }
}

/// Replaces the numbers below `floor` of a matrix by 0 if its first row has any besides 0. Where
/// numbers become tiny, they do so in most rows, so that networks without them pay for one row.
pub(super) fn drop_tiny(set: InstructionSet, floor: Floor, width: Width, rows: &mut [f32]) {
    set.run(DropTiny { floor, width, rows });
}

/// The task of [`drop_tiny`].
pub(super) struct DropTiny<'a> {
    pub(super) floor: Floor,
    pub(super) width: Width,
    pub(super) rows: &'a mut [f32],
}

impl Task for DropTiny<'_> {
    type Output = ();

    #[inline(always)]
    fn run<X: Vector, const R: usize, const V: usize, const FUSED: bool>(self) {
        let Self { floor, width: Width { columns, row_stride }, rows } = self;
        let first = &rows[..columns.min(rows.len())];
        // Without an early end, which the compiler could not vectorize.
        if !first.iter().fold(false, |found, x| found | (floor.is_below(*x) & (*x != 0.0))) {
            return;
        }
        for row in rows.chunks_mut(row_stride) {
            let columns = columns.min(row.len());
            for x in &mut row[..columns] {
                *x = if floor.is_below(*x) { 0.0 } else { *x };
            }
        }
    }
}

/// `x`, or 0 if it is subnormal.
#[inline(always)]
pub(super) fn without_subnormal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiny_numbers_of_all_rows_become_zero_if_the_first_row_has_one() {
        for (set, floor) in InstructionSet::available()
            .into_iter()
            .flat_map(|set| [(set, Floor::Product), (set, Floor::Weighted)])
        {
            let limit = 2f32.powi(if floor == Floor::Product { -63 } else { -95 });
            let below = f32::from_bits(limit.to_bits() - 1);
            let kept = [limit, -limit, 1.0, f32::INFINITY];
            for tiny in [below, -below, f32::MIN_POSITIVE, 1e-45, -1e-45] {
                let width = Width { columns: 21, row_stride: 24 };
                let mut rows = vec![0.5f32; 3 * 24];
                rows[30..34].copy_from_slice(&kept);
                rows[47] = tiny;
                rows[53] = tiny;
                rows[54] = f32::NAN;
                let before = rows.clone();
                drop_tiny(set, floor, width, &mut rows);
                let bits = |rows: &[f32]| rows.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&rows), bits(&before), "{set:?}: the first row has none");
                // Nor is an exact zero a tiny number.
                rows[0] = -0.0;
                drop_tiny(set, floor, width, &mut rows);
                assert_eq!(rows[53], tiny, "{set:?}");
                rows[20] = tiny;
                drop_tiny(set, floor, width, &mut rows);
                assert_eq!((rows[20], rows[53]), (0.0, 0.0), "{set:?}: {tiny}");
                assert_eq!(rows[47], tiny, "{set:?}: a gap between rows is touched");
                assert!(rows[54].is_nan(), "{set:?}");
                assert_eq!(rows[30..34], kept, "{set:?}");
            }
        }
    }

    #[test]
    fn subnormal_numbers_become_zero() {
        let limit = f32::MIN_POSITIVE;
        let below = f32::from_bits(limit.to_bits() - 1);
        for (x, expected) in [(limit, limit), (below, 0.0), (-below, 0.0), (-limit, -limit)] {
            assert_eq!(without_subnormal(x), expected);
        }
        assert!(without_subnormal(f32::NAN).is_nan());
    }
}
