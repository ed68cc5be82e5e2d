//! A tile of points through all layers, forward and back, in a thread's own cache.

use std::ops::Range;

use super::activate::{AddRows, Multiply};
use super::aligned::Aligned;
use super::instruction_set::InstructionSet;
use super::layout::{LayerPlace, Layout};
use super::product::{Left, Product, Right, Update};
use super::vector_function::{VectorFunction, Width};
use crate::{Batch, EngineError};

/// What every thread reads during a step.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) set: InstructionSet,
    pub(super) layout: &'a Layout,
    pub(super) function: &'a dyn VectorFunction,
    /// Parameters in the inner layout, for the biases.
    pub(super) parameters: &'a [f32],
    /// Weights in panels for the forward product.
    pub(super) forward: &'a [f32],
    /// Weights in panels for the backward product.
    pub(super) backward: &'a [f32],
}

/// One thread's tiles: for each layer its outputs and, but for the last, their slopes.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) values: Vec<Aligned>,
    pub(super) slopes: Vec<Aligned>,
    /// Room for one layer at a time and the one before it: values alone, or derivatives.
    pub(super) one_layer: [Aligned; 2],
}

impl Scratch {
    pub(super) fn new(layout: &Layout) -> Result<Self, EngineError> {
        let tile = |layer: &LayerPlace| Aligned::zeros(layout.tile_points * layer.tile_row);
        let widest = layout.layers.iter().map(|layer| layer.tile_row.max(layer.backward_columns));
        let room = layout.tile_points * widest.max().unwrap_or(0);
        let hidden = &layout.layers[..layout.layers.len() - 1];
        Ok(Self {
            values: layout.layers.iter().map(tile).collect::<Result<_, _>>()?,
            slopes: hidden.iter().map(tile).collect::<Result<_, _>>()?,
            one_layer: [Aligned::zeros(room)?, Aligned::zeros(room)?],
        })
    }
}

/// The input of layer `index`: the points themselves or the values of the layer before.
pub(super) fn input<'a>(
    layout: &Layout,
    values: &'a [Aligned],
    points: &'a [f32],
    index: usize,
) -> (&'a [f32], usize) {
    match index {
        0 => (points, layout.layers[0].fan_in),
        _ => (&values[index - 1], layout.layers[index - 1].tile_row),
    }
}

/// Φ at a tile of points, left in the scratch's last values, and f' of every hidden layer.
pub(super) fn forward(shared: &Shared<'_>, scratch: &mut Scratch, points: &[f32]) {
    let layout = shared.layout;
    let rows = points.len() / layout.layers[0].fan_in;
    for index in 0..layout.layers.len() {
        let (before, after) = scratch.values.split_at_mut(index);
        let from = input(layout, before, points, index);
        let slopes = scratch.slopes.get_mut(index).map(|slopes| &mut slopes[..]);
        layer_forward(shared, index, (rows, from), &mut after[0], slopes);
    }
}

/// The values of layer `index` at some rows of its input, which lie at the given distance; with
/// `slopes`, f' too. The last layer has neither.
fn layer_forward(
    shared: &Shared<'_>,
    index: usize,
    (rows, (from, row)): (usize, (&[f32], usize)),
    values: &mut [f32],
    mut slopes: Option<&mut [f32]>,
) {
    let layers = &shared.layout.layers;
    let layer = &layers[index];
    for rows in pieces(rows) {
        let place = rows.start * layer.tile_row..rows.end * layer.tile_row;
        Product {
            rows: rows.len(),
            columns: layer.columns,
            depth: layer.fan_in,
            left: Left { values: &from[rows.start * row..], row, depth: 1 },
            right: Right::Packed(&shared.forward[layer.weights.clone()]),
            update: Update::Bias(&shared.parameters[layer.biases.clone()]),
            result: &mut values[place.clone()],
            result_row: layer.tile_row,
        }
        .run(shared.set);
        if index == layers.len() - 1 {
            continue;
        }
        let width = Width { columns: layer.columns, row: layer.tile_row };
        let values = &mut values[place.clone()];
        match &mut slopes {
            Some(slopes) => {
                shared.function.value_and_slope(shared.set, width, values, &mut slopes[place]);
            }
            None => shared.function.value(shared.set, width, values),
        }
    }
}

/// Rows that are finished, activation included, while they lie in the first-level cache.
const PIECE_ROWS: usize = 12;

/// The rows of a tile in pieces of nearly equal size.
fn pieces(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let count = rows.div_ceil(PIECE_ROWS);
    (0..count).map(move |index| index * rows / count..(index + 1) * rows / count)
}

/// Φ at a tile of points, shape (n, inputs), written to `out`, shape (n, outputs). What no later layer
/// needs is overwritten at once, so that little besides the weights lies in the cache.
pub(super) fn evaluate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    out: &mut [f32],
) {
    let layers = &shared.layout.layers;
    let rows = points.len() / layers[0].fan_in;
    let [here, before] = &mut scratch.one_layer;
    for index in 0..layers.len() {
        std::mem::swap(here, before);
        let from = match index {
            0 => (points, layers[0].fan_in),
            _ => (&before[..], layers[index - 1].tile_row),
        };
        layer_forward(shared, index, (rows, from), here, None);
    }
    copy_outputs(shared.layout, here, out);
}

/// Copies the last layer's rows of a tile to `out`, shape (n, outputs).
pub(super) fn copy_outputs(layout: &Layout, tile: &[f32], out: &mut [f32]) {
    let layer = &layout.layers[layout.layers.len() - 1];
    let rows = tile.chunks_exact(layer.tile_row);
    for (out, row) in out.chunks_exact_mut(layer.fan_out).zip(rows) {
        out.copy_from_slice(&row[..layer.fan_out]);
    }
}

/// Φ at a tile of points, written to `values` (n, outputs), and dΦ_o/dx_d, to `derivatives`
/// (n, outputs, inputs).
pub(super) fn differentiate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    points: &[f32],
    values: &mut [f32],
    derivatives: &mut [f32],
) {
    forward(shared, scratch, points);
    let layers = &shared.layout.layers;
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    let rows = points.len() / first.fan_in;
    copy_outputs(shared.layout, &scratch.values[layers.len() - 1], values);
    let [delta, below] = &mut scratch.one_layer;
    for output in 0..last.fan_out {
        for row in delta.chunks_exact_mut(last.tile_row).take(rows) {
            row.fill(0.0);
            row[output] = 1.0;
        }
        let mut backward_start = shared.backward.len();
        for (index, layer) in layers.iter().enumerate().rev() {
            backward_start -= layer.fan_out * layer.backward_columns;
            let result_row = match index {
                0 => layer.backward_columns,
                _ => layers[index - 1].tile_row,
            };
            Product {
                rows,
                columns: layer.backward_columns,
                depth: layer.fan_out,
                left: Left { values: &delta[..], row: layer.tile_row, depth: 1 },
                right: Right::Packed(&shared.backward[backward_start..]),
                update: Update::Set,
                result: &mut below[..],
                result_row,
            }
            .run(shared.set);
            if index > 0 {
                shared.set.run(Multiply {
                    width: Width { columns: layer.backward_columns, row: result_row },
                    into: &mut below[..rows * result_row],
                    by_row: result_row,
                    by: &scratch.slopes[index - 1],
                });
            }
            std::mem::swap(delta, below);
        }
        let by_output = derivatives.chunks_exact_mut(last.fan_out * first.fan_in);
        for (out, row) in by_output.zip(delta.chunks_exact(first.backward_columns)) {
            out[output * first.fan_in..][..first.fan_in].copy_from_slice(&row[..first.fan_in]);
        }
    }
}

/// A sum of gradients, in the inner layout.
pub(super) struct Sum<'a> {
    pub(super) partial: &'a mut [f32],
    /// Whether what it holds is to be overwritten: cheaper than zeros to be added to.
    pub(super) is_new: bool,
}

/// Adds the gradient of `scale` · Σ w ρ over a tile to `sum` and returns Σ w ρ, with ρ the batch's
/// loss.
pub(super) fn backpropagate(
    shared: &Shared<'_>,
    scratch: &mut Scratch,
    batch: &Batch<'_>,
    scale: f64,
    sum: Sum<'_>,
) -> f64 {
    let Sum { partial, is_new } = sum;
    forward(shared, scratch, batch.points);
    let layout = shared.layout;
    let rows = batch.count;
    let last = layout.layers.len() - 1;
    let loss = replace_by_delta(&layout.layers[last], &mut scratch.values[last], batch, scale);

    if is_new {
        layout.layers.iter().for_each(|layer| partial[layer.biases.clone()].fill(0.0));
    }
    let delta = &scratch.values[last][..rows * layout.layers[last].tile_row];
    add_rows(shared, &layout.layers[last], delta, partial);

    let mut backward_start = shared.backward.len();
    for (index, layer) in layout.layers.iter().enumerate().rev() {
        let (before, after) = scratch.values.split_at(index);
        let (slopes_before, slopes_after) = scratch.slopes.split_at_mut(index.min(last));
        // dL/dz of this layer: where the slopes were, but for the last layer.
        let delta: &[f32] = if index == last { &after[0] } else { &slopes_after[0] };
        let (from, row) = input(layout, before, batch.points, index);
        Product {
            rows: layer.fan_in,
            columns: layer.columns,
            depth: rows,
            left: Left { values: from, row: 1, depth: row },
            right: Right::Rows(delta, layer.tile_row),
            update: if is_new { Update::Set } else { Update::Add },
            result: &mut partial[layer.weights.clone()],
            result_row: layer.columns,
        }
        .run(shared.set);
        backward_start -= layer.fan_out * layer.backward_columns;
        let Some(slopes_below) = slopes_before.last_mut() else {
            break;
        };
        // Eq. (8): dL/dz_{i-1} = (W_i^T dL/dz_i) f'(z_{i-1}).
        let below = &layout.layers[index - 1];
        for rows in pieces(rows) {
            let piece = &mut slopes_below[rows.start * below.tile_row..rows.end * below.tile_row];
            Product {
                rows: rows.len(),
                columns: layer.backward_columns,
                depth: layer.fan_out,
                left: Left {
                    values: &delta[rows.start * layer.tile_row..],
                    row: layer.tile_row,
                    depth: 1,
                },
                right: Right::Packed(&shared.backward[backward_start..]),
                update: Update::Multiply,
                result: &mut *piece,
                result_row: below.tile_row,
            }
            .run(shared.set);
            add_rows(shared, below, piece, partial);
        }
    }
    loss
}

/// Adds dL/dz of some points to the gradient of the layer's biases.
fn add_rows(shared: &Shared<'_>, layer: &LayerPlace, delta: &[f32], partial: &mut [f32]) {
    let width = Width { columns: layer.columns, row: layer.tile_row };
    shared.set.run(AddRows { width, sums: &mut partial[layer.biases.clone()], rows: delta });
}

/// Replaces the values of the last layer by dL/dΦ = `scale` · w · ρ'; returns Σ w ρ.
fn replace_by_delta(layer: &LayerPlace, values: &mut [f32], batch: &Batch<'_>, scale: f64) -> f64 {
    let mut sum = 0.0;
    let rows = values.chunks_exact_mut(layer.tile_row);
    for (index, (row, target)) in rows.zip(batch.targets.chunks_exact(layer.fan_out)).enumerate() {
        let weight = batch.weight(index);
        for (value, target) in row.iter_mut().zip(target) {
            let (loss, slope) = batch.loss.value_and_slope((*value).into(), (*target).into());
            sum += weight * loss;
            *value = (scale * weight * slope) as f32;
        }
        row[layer.fan_out..].fill(0.0);
    }
    sum
}
