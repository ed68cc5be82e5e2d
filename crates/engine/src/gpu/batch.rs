//! Points and targets in the order of tiles.

use std::ops::Range;

use crate::{Batch, Constraint};

/// The number of vectors of a tile of `points` points with `rows` numbers for each.
pub(super) fn tile_vectors(points: usize, rows: usize) -> usize {
    rows * points / 4
}

/// Appends `points`, shape (n, inputs), in tiles of `tile` points: for each
/// tile one row for each coordinate. The last tile is filled up with the last point.
pub(super) fn pack_points(points: &[f32], inputs: usize, tile: usize, packed: &mut Vec<f32>) {
    let count = points.len() / inputs;
    for first in (0..count).step_by(tile) {
        push_rows(packed, points, inputs, (first..first + tile, count));
    }
}

/// Appends the points of `batch` in `range` as [`pack_points`] does, each tile with one row for each
/// coordinate, then for each target, then one of weights, which are 0 for the points that fill up
/// the last tile.
pub(super) fn pack_batch(
    batch: &Batch<'_>,
    range: Range<usize>,
    tile: usize,
    packed: &mut Vec<f32>,
) {
    for first in range.clone().step_by(tile) {
        let (points, count) = (first..first + tile, range.end);
        push_rows(packed, batch.points, batch.inputs(), (points.clone(), count));
        push_rows(packed, batch.targets, batch.outputs(), (points.clone(), count));
        push_row(packed, (points, count), |p| batch.weight(p) as f32);
    }
}

/// The number of numbers that [`pack_constraint`] stores for a point.
pub(super) fn constraint_rows(inputs: usize, outputs: usize) -> usize {
    2 * inputs + outputs * (3 + inputs) + 1
}

/// Appends the points of a constraint as [`pack_batch`] does. The rows of a tile are those of the
/// coordinates, values, gradients, Laplacians, directions, directional derivatives and weights; arrays
/// that are not set are 0, except for weights, which are 1.
pub(super) fn pack_constraint(constraint: &Constraint<'_>, tile: usize, packed: &mut Vec<f32>) {
    let (inputs, outputs) = (constraint.inputs, constraint.outputs);
    let arrays = [
        (Some(constraint.points), inputs),
        (constraint.values, outputs),
        (constraint.gradients, outputs * inputs),
        (constraint.laplacians, outputs),
        (constraint.directions, inputs),
        (constraint.slopes, outputs),
    ];
    for first in (0..constraint.count).step_by(tile) {
        for (array, width) in arrays {
            match array {
                Some(array) => {
                    push_rows(packed, array, width, (first..first + tile, constraint.count));
                }
                None => packed.extend(std::iter::repeat_n(0.0, width * tile)),
            }
        }
        let points = (first..first + tile, constraint.count);
        push_row(packed, points, |p| constraint.weight(p) as f32);
    }
}

/// Appends `points`, shape (n, inputs), in tiles with one row for each coordinate, then for each of the
/// `width` numbers of `signs`, shape (n, width), then one of ones. The last tile is filled up with the
/// last point, for which the other rows are 0.
pub(super) fn pack_signs(
    points: &[f32],
    inputs: usize,
    (signs, width): (&[f32], usize),
    tile: usize,
    packed: &mut Vec<f32>,
) {
    let count = points.len() / inputs;
    for first in (0..count).step_by(tile) {
        push_rows(packed, points, inputs, (first..first + tile, count));
        for column in 0..width {
            push_row(packed, (first..first + tile, count), |p| signs[p * width + column]);
        }
        push_row(packed, (first..first + tile, count), |_| 1.0);
    }
}

/// Appends a row of numbers for `points`, which are 0 for points from `count` on.
fn push_row(
    packed: &mut Vec<f32>,
    (points, count): (Range<usize>, usize),
    number: impl Fn(usize) -> f32,
) {
    packed.extend(points.map(|p| if p < count { number(p) } else { 0.0 }));
}

/// Appends the `width` columns of `array`, shape (n, width), as rows, for `points`; points from `count`
/// on are the last before it.
fn push_rows(
    packed: &mut Vec<f32>,
    array: &[f32],
    width: usize,
    (points, count): (Range<usize>, usize),
) {
    for column in 0..width {
        packed.extend(points.clone().map(|p| array[p.min(count - 1) * width + column]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vi3nr::Network;

    #[test]
    fn tiles_hold_rows_and_the_last_is_filled_up() {
        let network = Network::new(vec![2, 3, 1], "sine".parse().unwrap()).unwrap();
        let points: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let targets = [10.0, 11.0, 12.0, 13.0, 14.0];
        let batch = Batch::new(&network, &points, &targets).unwrap();
        let mut packed = Vec::new();
        pack_batch(&batch, 0..5, 4, &mut packed);
        let first =
            [[0.0, 2.0, 4.0, 6.0], [1.0, 3.0, 5.0, 7.0], [10.0, 11.0, 12.0, 13.0], [1.0; 4]];
        let last = [[8.0; 4], [9.0; 4], [14.0; 4], [1.0, 0.0, 0.0, 0.0]];
        assert_eq!(packed, [first.as_flattened(), last.as_flattened()].concat());
        assert_eq!(packed.len(), 2 * 4 * tile_vectors(4, 4));
        let mut alone = Vec::new();
        pack_points(&points, 2, 4, &mut alone);
        assert_eq!(alone[..8], packed[..8]);
        assert_eq!(alone[8..], [[8.0; 4], [9.0; 4]].concat());
    }
}
